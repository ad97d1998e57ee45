"""Finding the culprits of a request that was refused whole: halve it until each stands alone, deliver the others.

With k bad events among n it costs at most 2·k·log2(n) + 2 requests, the first refusal included: a level of halving
holds at most k refused groups, and each of them asks for two more requests; a wrong hint costs two more, once.
When the first half of a refused group was accepted, the second is known to hold a culprit and is halved unasked;
a single event is always asked itself, for nobody is buried on an inference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.core.model import Delivery, Doubt, Refusal


@dataclass(slots=True, eq=False)
class _Group:
    deliveries: Sequence[Delivery]
    guilty: bool = False
    twin: _Group | None = None
    # It stands alone because the platform hinted at it.
    suspected: bool = False


class Split:
    """The search in one refused batch. The lane asks for `next_group`, sends it and tells what came of it."""

    def __init__(self, batch: Sequence[Delivery], doubt: Doubt) -> None:
        self._stack: list[_Group] = []
        self._asked = _Group(batch)
        # A hint that was wrong once is not followed again: it may be about another batch, or count from one.
        self._trusting = True
        self.refused: list[tuple[Delivery, Refusal]] = []
        self.doubted(doubt)

    def next_group(self) -> Sequence[Delivery] | None:
        """Return what to send next, or None when everything is decided."""
        while self._stack:
            group = self._stack.pop()
            if not group.guilty or len(group.deliveries) == 1:
                self._asked = group
                return group.deliveries
            self._halve(group.deliveries)
        return None

    def was_accepted(self) -> None:
        """Tell that the group last handed out was accepted whole."""
        if self._asked.twin is not None:
            self._asked.twin.guilty = True
        self._trusting = self._trusting and not self._asked.suspected
        self._asked = _Group(())

    def doubted(self, doubt: Doubt) -> None:
        """Tell that the group last handed out was refused whole."""
        group, self._asked = self._asked.deliveries, _Group(())
        if len(group) == 1:
            self.refused.append((group[0], doubt.refusal))
            return
        suspects = {index for index in doubt.suspects if 0 <= index < len(group) and self._trusting}
        if not suspects or len(suspects) == len(group):
            self._halve(group)
            return
        self._stack.append(_Group([delivery for index, delivery in enumerate(group) if index not in suspects]))
        self._stack.extend(_Group([group[index]], suspected=True) for index in sorted(suspects, reverse=True))

    def dropped(self) -> None:
        """Tell that the group last handed out was not sent: none of it is ours any more, or it got too old."""
        self._asked = _Group(())

    def undecided(self) -> list[Delivery]:
        """Everything not known to be accepted: it goes back to the queue when the search is given up."""
        waiting = [delivery for group in reversed(self._stack) for delivery in group.deliveries]
        return [delivery for delivery, _ in self.refused] + [*self._asked.deliveries, *waiting]

    def _halve(self, group: Sequence[Delivery]) -> None:
        middle = len(group) // 2
        second = _Group(group[middle:])
        self._stack.append(second)
        self._stack.append(_Group(group[:middle], twin=second))
