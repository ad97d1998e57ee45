"""What is on its way to a topic of ours: it leaves by acknowledgement, or because nobody wants it any more.

What Kafka did not take is tried again, for as long as it is wanted. Kafka refuses a whole batch for one record that is
too large, so what failed goes again one at a time, and then in doubling numbers for as long as Kafka takes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, Generic, TypeVar

from pipeline.core.backoff import backoff
from pipeline.core.ports import Chance, Clock, Outbox

# A topic that comes back is noticed within this time.
MOST_WAIT_SECONDS: Final = 10.0
MOST_AT_ONCE: Final = 512
T = TypeVar("T")


class Courier(Generic[T]):
    """Belongs to one thread. `wanted` says of a thing whether it still is to be sent; `steady` is monotonic."""

    def __init__(self, outbox: Outbox[T], wanted: Callable[[T], bool], steady: Clock, chance: Chance) -> None:
        self._outbox = outbox
        self._wanted = wanted
        self._steady = steady
        self._chance = chance
        self._under_way: dict[int, T] = {}
        self._again: list[T] = []
        self._again_at = 0.0
        self._at_once = 1
        self._failures = 0
        # Why Kafka did not take the last thing, until it takes one.
        self.trouble: str | None = None

    @property
    def pending(self) -> Sequence[T]:
        """What Kafka has not acknowledged."""
        return [*self._under_way.values(), *self._again]

    def send(self, items: Iterable[T]) -> None:
        """Send things on their way, if they are wanted."""
        for item in items:
            if self._wanted(item):
                self._under_way[id(item)] = item
                self._outbox.send(item)

    def collect(self, timeout: float) -> tuple[list[T], int]:
        """Return what Kafka has taken since, and how many it has not; wait at most `timeout` seconds for the first.

        What failed is tried again in time.
        """
        now = self._steady()
        if self._again and not self._under_way and now >= self._again_at:
            going, self._again = self._again[: self._at_once], self._again[self._at_once :]
            self.send(going)
        taken: list[T] = []
        failed: list[T] = []
        for posted in self._outbox.reports(timeout if self._under_way else 0.0):
            self._under_way.pop(id(posted.item), None)
            if posted.error is None:
                taken.append(posted.item)
            elif self._wanted(posted.item):
                failed.append(posted.item)
                self.trouble = posted.error
        if taken:
            self._at_once = min(2 * self._at_once, MOST_AT_ONCE)
        if failed:
            self._failures += 1
            self._at_once = 1
            self._again += failed
            self._again_at = now + backoff(self._failures, chance=self._chance(), cap=MOST_WAIT_SECONDS)
        self._calm(eased=bool(taken) or not self._under_way)
        return taken, len(failed)

    def forget(self) -> None:
        """Forget what is not wanted any more."""
        self._again = [item for item in self._again if self._wanted(item)]
        self._calm(eased=not self._under_way)

    def _calm(self, *, eased: bool) -> None:
        if eased and not self._again:
            self._failures, self.trouble = 0, None
