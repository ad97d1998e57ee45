"""The dead-letter budget: a bug must not pour a topic into the dead letters.

When more than a ratio of what was read in the last minutes is refused, the worker stops taking records and somebody is
called; the offsets stay where they are.
What was read counts at once and not when it is accepted, or a backlog would look like refusals only.
Source of the idea: Sentry arroyo's `DlqLimit` and Kafka's KIP-1316; unlike arroyo, nothing is dropped when it is spent.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Allowance:
    """At most `ratio` (0..1) may be refused, of at least `least` deliveries read within `window_seconds`."""

    ratio: float = 0.2
    window_seconds: float = 300.0
    least: int = 100


class Budget:
    """Counts deliveries read and refused by the second, over the window."""

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._seconds: deque[list[int]] = deque()
        self._seen = 0
        self._refused = 0

    def note(self, *, seen: int, refused: int, now: float) -> None:
        """Count `seen` deliveries as read and `refused` as refused."""
        second = int(now)
        if not self._seconds or self._seconds[-1][0] < second:
            self._seconds.append([second, 0, 0])
        self._seconds[-1][1] += seen
        self._seconds[-1][2] += refused
        self._seen += seen
        self._refused += refused
        while self._seconds[0][0] < second - self._allowance.window_seconds:
            _, old_seen, old_refused = self._seconds.popleft()
            self._seen -= old_seen
            self._refused -= old_refused

    @property
    def spent(self) -> bool:
        """True when more was refused than is allowed."""
        return self._seen >= self._allowance.least and self._refused > self._allowance.ratio * self._seen

    @property
    def ratio(self) -> float:
        """The share refused within the window, 0..1."""
        return self._refused / self._seen if self._seen else 0.0

    @property
    def figures(self) -> tuple[int, int, float]:
        """Refused, seen, and the seconds over which they were counted."""
        return self._refused, self._seen, self._allowance.window_seconds
