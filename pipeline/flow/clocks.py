"""Two clocks: one that says what time it is, and may be set; one that only runs, and measures every wait.

A node's wall clock can be wrong, or be set forward or back by an hour while the worker runs.
Waits do not feel it. What an event's age decides does, so there are two witnesses of the time: the wall clock, and the
time at the start carried on by the running clock. An event is refused for its time only if both agree.
"""

from __future__ import annotations

from typing import NamedTuple

from pipeline.core.ports import Clock


class Moment(NamedTuple):
    """The time now, in Unix seconds, by the witness that is behind and by the one that is ahead."""

    earliest: float
    latest: float


class Clocks:
    """`wall` gives Unix seconds, `steady` monotonic ones of any origin."""

    def __init__(self, wall: Clock, steady: Clock) -> None:
        self.wall = wall
        self.steady = steady
        self._ahead = wall() - steady()

    @property
    def ahead(self) -> float:
        """By how many seconds the wall clock was set forward since the start, or (negative) back."""
        return self.wall() - self.steady() - self._ahead

    def moment(self) -> Moment:
        """Return the time now by both witnesses."""
        wall, carried = self.wall(), self.steady() + self._ahead
        return Moment(min(wall, carried), max(wall, carried))
