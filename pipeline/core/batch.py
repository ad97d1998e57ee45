"""What waits in a lane, and when it becomes a batch: by count, by bytes or by age.

Invariants: nothing that may go waits longer than `linger_seconds`;
a batch never exceeds the limits (one event larger than a request is refused before it comes here);
what came first goes first, within its group; events of different groups never share a batch.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Sequence
from itertools import count

from pipeline.core.destination import Limits
from pipeline.core.model import Delivery

# Bytes that a batch costs beside its payloads: the envelope that a platform puts around them.
ENVELOPE_BYTES = 256


class _Pile:
    """The deliveries of one group, in order of arrival."""

    __slots__ = ("arrivals", "size", "waiting")

    def __init__(self) -> None:
        self.waiting: deque[Delivery] = deque()
        self.size = 0
        # (arrival, how many arrived), oldest first: age is kept per arrival, not per event.
        self.arrivals: deque[tuple[float, int]] = deque()

    def join(self, deliveries: Sequence[Delivery], now: float) -> None:
        self.waiting.extend(deliveries)
        self.size += sum([len(delivery.shaped.payload) for delivery in deliveries]) + len(deliveries)
        self.arrivals.append((now, len(deliveries)))

    def take(self, events: int, room: int) -> list[Delivery]:
        if len(self.waiting) <= events and self.size <= room:
            batch = list(self.waiting)
            self.waiting.clear()
            self.arrivals.clear()
            self.size = 0
            return batch
        batch = []
        left = room
        while self.waiting and len(batch) < events:
            size = len(self.waiting[0].shaped.payload) + 1
            if size > left and batch:
                break
            left -= size
            batch.append(self.waiting.popleft())
        self.size -= room - left
        self._age(len(batch))
        return batch

    def without_closing(self) -> _Pile:
        pile = _Pile()
        keep = [delivery for delivery in self.waiting if not delivery.page.closing]
        if keep:
            pile.join(keep, self.arrivals[0][0])
        return pile

    def _age(self, taken: int) -> None:
        while taken:
            arrival, arrived = self.arrivals.popleft()
            if arrived > taken:
                self.arrivals.appendleft((arrival, arrived - taken))
                return
            taken -= arrived


class Queue:
    """The deliveries of one destination that are not in a request. `now` is monotonic, in seconds."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._room = limits.bytes_per_request - ENVELOPE_BYTES
        # By `Shaped.group`; no pile is empty.
        self._piles: dict[str, _Pile] = {}
        # Events of the near future, by when they may be sent; what the wall clock says later changes that no more.
        self._early: list[tuple[float, int, Delivery]] = []
        self._tiebreak = count()

    def __len__(self) -> int:
        return sum(len(pile.waiting) for pile in self._piles.values()) + len(self._early)

    def add(self, deliveries: Sequence[Delivery], *, now: float, unix: float) -> None:
        """Let deliveries wait for company; one whose `not_before` lies ahead of `unix` is held for so long."""
        early = [delivery for delivery in deliveries if delivery.shaped.not_before > unix]
        for delivery in early:
            ahead = delivery.shaped.not_before - unix
            heapq.heappush(self._early, (now + ahead, next(self._tiebreak), delivery))
        self._join([one for one in deliveries if one.shaped.not_before <= unix] if early else deliveries, now)

    def take(self, *, now: float, most: int | None = None, hurry: bool = False) -> list[Delivery]:
        """Take the next batch, all of one group, or nothing while a better one may still gather.

        `most` caps the events (a probe after a halt is small), `hurry` waits for no company (draining).
        """
        self._release(now)
        oldest_first = sorted(self._piles.items(), key=lambda item: item[1].arrivals[0][0])
        for group, pile in oldest_first:
            if hurry or self._full(pile) or pile.arrivals[0][0] + self._limits.linger_seconds <= now:
                events = min(self._limits.events_per_request, most or self._limits.events_per_request)
                batch = pile.take(events, self._room)
                if not pile.waiting:
                    del self._piles[group]
                return batch
        return []

    def due_at(self) -> float | None:
        """When the next batch is due if nothing more arrives; None while nothing waits."""
        due = [
            0.0 if self._full(pile) else pile.arrivals[0][0] + self._limits.linger_seconds
            for pile in self._piles.values()
        ]
        if self._early:
            due.append(self._early[0][0])
        return min(due, default=None)

    def discard_closing(self) -> int:
        """Drop the deliveries whose partition is being given up, and say how many: their new owner sends them."""
        before = len(self)
        self._early = [entry for entry in self._early if not entry[2].page.closing]
        heapq.heapify(self._early)
        left = ((group, pile.without_closing()) for group, pile in self._piles.items())
        self._piles = {group: pile for group, pile in left if pile.waiting}
        return before - len(self)

    def _full(self, pile: _Pile) -> bool:
        return len(pile.waiting) >= self._limits.events_per_request or pile.size >= self._room

    def _release(self, now: float) -> None:
        due = []
        while self._early and self._early[0][0] <= now:
            due.append(heapq.heappop(self._early)[2])
        self._join(due, now)

    def _join(self, deliveries: Sequence[Delivery], now: float) -> None:
        """Put each on the pile of its group."""
        for group in dict.fromkeys([delivery.shaped.group for delivery in deliveries]):
            members = [delivery for delivery in deliveries if delivery.shaped.group == group]
            self._piles.setdefault(group, _Pile()).join(members, now)
