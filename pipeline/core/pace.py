"""How fast a lane may send: in slots of time that belong to partitions.

The requests that a destination allows are laid out evenly on the clock, and each of these slots belongs to one
partition of the source topics, in turn. A replica sends in the slots of the partitions that are assigned to it.
All replicas see the same slots, so any window of one second holds at most the rate (rounded up), however many they are
and however the traffic came; on a rebalance a slot goes with its partition, and nobody has to be told.

It holds as far as the replicas' clocks agree and their loops wake up in time (`GRACE_SECONDS`). Otherwise each replica
still keeps to its own part, and the sum may pass the rate for a moment by a request for each replica.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from math import ceil
from typing import Final

# A request may use its slot this late: threads and loops do not wake up to the millisecond.
GRACE_SECONDS: Final = 0.04
# This part of the rate is left unused, so that what is late, here or on the way, does not crowd the next second.
HEADROOM: Final = 0.08
# Without a partition there is no slot, and nothing to send; whoever asks asks again when that changes.
NO_SLOT_SECONDS: Final = 60.0
NO_SLOT: Final = (0.0, 0.0)
# Sums of floating-point seconds differ by less than this part of a slot.
_CLOSE: Final = 1e-3
_GOLDEN: Final = (5.0**0.5 - 1.0) / 2.0


@dataclass(frozen=True, slots=True)
class Share:
    """The slots that are ours, as numbers in ascending order below `of`: one for each partition there is."""

    ours: tuple[int, ...]
    of: int

    @property
    def part(self) -> float:
        """The part of all partitions that is ours, 0..1."""
        return len(self.ours) / self.of


WHOLE: Final = Share((0,), 1)


def slots_of(count: int) -> tuple[int, ...]:
    """Return the number of each partition's slot in a round of `count`.

    Partitions that lie together are often assigned together: the golden ratio puts their slots far apart, so that a
    replica need not send all of its part in one rush and then be silent.
    """
    order = sorted(range(count), key=lambda partition: partition * _GOLDEN % 1.0)
    slots = [0] * count
    for slot, partition in enumerate(order):
        slots[partition] = slot
    return tuple(slots)


class Pace:
    """The pace of one lane. `rate` is in requests per second; `now` is monotonic, `unix` the wall clock, in seconds."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._share = WHOLE
        self._factor = 1.0
        self._slow_until = 0.0
        self._paused_until = 0.0
        # The slot used last, by the wall clock.
        self._used = 0.0
        # The slot that somebody waits for, and the spacing of slots that it belongs to.
        self._awaited = NO_SLOT

    def share(self, share: Share) -> None:
        """Set which slots are ours from now on."""
        self._share = share
        self._awaited = NO_SLOT

    def slow(self, factor: float, *, until: float) -> None:
        """Send at `factor` of the rate until then: the platform's usage headers say that the limit is near."""
        self._factor, self._slow_until = factor, until

    def pause(self, *, until: float) -> None:
        """Send nothing until then. A shorter pause never cuts a longer one."""
        self._paused_until = max(self._paused_until, until)
        # When it ends, everybody would else come at once with the slot that they waited for before.
        self._awaited = NO_SLOT

    def rate(self, *, now: float) -> float:
        """Requests per second that this replica may send at most, now."""
        return self._whole(now) * self._share.part

    def wait(self, *, now: float, unix: float) -> float:
        """Seconds until the next request may go; 0 when it may go now."""
        # A clock that was set back must not make us wait until it is there again.
        self._used = min(self._used, unix)
        paused = self._paused_until - now
        if paused > 0:
            return paused
        slot = self._slot(now, unix)
        if slot <= unix:
            return 0.0
        self._awaited = slot, self._spacing(now)
        return slot - unix

    def go(self, *, now: float, unix: float) -> None:
        """Note that a request goes now: its slot is used. One that went very late moves the next one back."""
        self._used = max(self._slot(now, unix), unix - GRACE_SECONDS)
        self._awaited = NO_SLOT

    def stand_down(self) -> None:
        """Note that nobody waits any more: the slot that was waited for passes unused."""
        self._awaited = NO_SLOT

    def _whole(self, now: float) -> float:
        return self._rate * (self._factor if now < self._slow_until else 1.0)

    def _spacing(self, now: float) -> float:
        return 1.0 / (self._whole(now) * (1.0 - HEADROOM))

    def _slot(self, now: float, unix: float) -> float:
        """Return the time of our first slot that is not used and not too long ago, by the wall clock.

        One that somebody waits for is not lost by waking up late, or a loop that is always late would never send.
        """
        spacing = self._spacing(now)
        slot, its_spacing = self._awaited
        if self._used < slot <= unix and its_spacing == spacing:
            return slot
        if not self._share.ours:
            return unix + NO_SLOT_SECONDS
        after = self._used + spacing * (1.0 - _CLOSE)
        number = ceil(max(after, unix - GRACE_SECONDS) / spacing)
        turn, place = divmod(number, self._share.of)
        index = bisect_left(self._share.ours, place)
        if index == len(self._share.ours):
            turn, index = turn + 1, 0
        return (turn * self._share.of + self._share.ours[index]) * spacing
