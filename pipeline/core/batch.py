"""What waits in a lane, and when it becomes a batch: by count, by bytes or by age.

Invariants: nothing that may go waits longer than `linger_seconds`;
a batch never exceeds the limits (one event larger than a request is refused before it comes here);
what came first goes first.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import count

from pipeline.core.destination import Limits
from pipeline.core.model import Delivery

# Bytes that a batch costs beside its payloads: the envelope that a platform puts around them.
ENVELOPE_BYTES = 256


class Queue:
    """The deliveries of one destination that are not in a request. `now` is monotonic, in seconds."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._room = limits.bytes_per_request - ENVELOPE_BYTES
        self._waiting: deque[Delivery] = deque()
        self._bytes = 0
        # (arrival, how many arrived), oldest first: age is kept per arrival, not per event.
        self._arrivals: deque[tuple[float, int]] = deque()
        # Events of the near future, by when they may be sent; what the wall clock says later changes that no more.
        self._early: list[tuple[float, int, Delivery]] = []
        self._tiebreak = count()

    def __len__(self) -> int:
        return len(self._waiting) + len(self._early)

    def add(self, deliveries: Iterable[Delivery], *, now: float, unix: float) -> None:
        """Let deliveries wait for company; one whose `not_before` lies ahead of `unix` is held for so long."""
        due = []
        for delivery in deliveries:
            ahead = delivery.shaped.not_before - unix
            if ahead > 0:
                heapq.heappush(self._early, (now + ahead, next(self._tiebreak), delivery))
            else:
                due.append(delivery)
        self._join(due, now)

    def take(self, *, now: float, most: int | None = None, hurry: bool = False) -> list[Delivery]:
        """Take the next batch, or nothing while a better one may still gather.

        `most` caps the events (a probe after a halt is small), `hurry` waits for no company (draining).
        """
        self._release(now)
        if not self._waiting or not (
            hurry or self._full() or self._arrivals[0][0] + self._limits.linger_seconds <= now
        ):
            return []
        events = min(self._limits.events_per_request, most or self._limits.events_per_request)
        batch: list[Delivery] = []
        room = self._room
        while self._waiting and len(batch) < events:
            size = len(self._waiting[0].shaped.payload) + 1
            if size > room and batch:
                break
            room -= size
            batch.append(self._waiting.popleft())
        self._bytes -= self._room - room
        self._age(len(batch))
        return batch

    def due_at(self) -> float | None:
        """When the next batch is due if nothing more arrives; None while nothing waits."""
        due = []
        if self._arrivals:
            due.append(0.0 if self._full() else self._arrivals[0][0] + self._limits.linger_seconds)
        if self._early:
            due.append(self._early[0][0])
        return min(due, default=None)

    def discard_closing(self) -> int:
        """Drop the deliveries whose partition is being given up, and say how many: their new owner sends them."""
        keep = [delivery for delivery in self._waiting if not delivery.page.closing]
        early = [entry for entry in self._early if not entry[2].page.closing]
        dropped = len(self) - len(keep) - len(early)
        if dropped:
            oldest = self._arrivals[0][0] if self._arrivals else 0.0
            heapq.heapify(early)
            self._early = early
            self._waiting = deque(keep)
            self._bytes = sum(len(delivery.shaped.payload) + 1 for delivery in keep)
            self._arrivals = deque([(oldest, len(keep))] if keep else [])
        return dropped

    def _full(self) -> bool:
        return len(self._waiting) >= self._limits.events_per_request or self._bytes >= self._room

    def _release(self, now: float) -> None:
        due = []
        while self._early and self._early[0][0] <= now:
            due.append(heapq.heappop(self._early)[2])
        self._join(due, now)

    def _join(self, deliveries: Sequence[Delivery], now: float) -> None:
        if deliveries:
            self._waiting.extend(deliveries)
            self._bytes += sum(len(delivery.shaped.payload) + 1 for delivery in deliveries)
            self._arrivals.append((now, len(deliveries)))

    def _age(self, taken: int) -> None:
        while taken:
            arrival, arrived = self._arrivals.popleft()
            if arrived > taken:
                self._arrivals.appendleft((arrival, arrived - taken))
                return
            taken -= arrived
