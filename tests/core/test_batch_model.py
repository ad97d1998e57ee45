"""The queue of a lane against a plain list, over any order of arrivals, takes and partitions that go.

Invariants:
no batch has more events or bytes than a request may;
a batch is the head of what may go, in the order in which it came;
who asks when something is due gets on each time, and then nothing that may go waits longer than the linger;
no event goes before its time, whatever the wall clock is set to meanwhile;
every event leaves once: in a batch, or with its partition.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from toy import LIMITS, delivery, shaped
from virtual_loop import EPOCH

from pipeline.core.batch import ENVELOPE_BYTES, Queue
from pipeline.core.ledger import Page
from pipeline.core.model import Delivery

ROOM = 100
SECONDS = st.sampled_from([0.0, 0.1, 0.5, 1.0, 5.0])
PARTITIONS = st.integers(0, 1)
# An event: its size with the comma behind it, by how much it is early, and its partition.
EVENT = st.tuples(st.integers(5, ROOM), st.sampled_from([0.0, 0.0, 0.0, 0.3, 2.0, 3.0]), PARTITIONS)


@dataclass(eq=False)
class Waiting:
    """An event in the queue; it may go from `since` on."""

    delivery: Delivery
    size: int
    since: float


class BatchMachine(RuleBasedStateMachine):
    """A queue, and a lane that asks when it is told to, or at any other time."""

    @initialize(events=st.integers(1, 8), linger=st.sampled_from([0.0, 0.5, 1.0]))
    def begin(self, events: int, linger: float) -> None:
        """Begin with an empty queue of two partitions."""
        self.events, self.linger = events, linger
        self.queue = Queue(
            replace(LIMITS, events_per_request=events, bytes_per_request=ENVELOPE_BYTES + ROOM, linger_seconds=linger)
        )
        self.now, self.unix = 1000.0, EPOCH
        self.pages = [Page("orders", number, number) for number in range(2)]
        self.ready: list[Waiting] = []
        self.early: list[Waiting] = []

    @rule(events=st.lists(EVENT, min_size=1, max_size=8))
    def arrive(self, events: list[tuple[int, float, int]]) -> None:
        """Events arrive, some of them before their time."""
        new = []
        for size, ahead, partition in events:
            form = shaped("", at=self.unix + ahead, size=size - 1)
            item = delivery(page=self.pages[partition], form=form)
            new.append(Waiting(item, size, self.now + (form.not_before - self.unix)))
        self.queue.add([entry.delivery for entry in new], now=self.now, unix=self.unix)
        self.ready += [entry for entry in new if entry.since <= self.now]
        self.early += [entry for entry in new if entry.since > self.now]

    @rule(seconds=SECONDS)
    def pass_without_asking(self, seconds: float) -> None:
        """Time passes while the lane has its hands full."""
        self._move_to(self.now + seconds)

    @rule(seconds=SECONDS)
    def pass_asking_when_due(self, seconds: float) -> None:
        """Time passes, and the lane asks whenever something is due."""
        began, until = self.now, self.now + seconds
        while (due := self.queue.due_at()) is not None and due <= until:
            self._move_to(max(self.now, due))
            early = len(self.early)
            batch = self._ask()
            assert batch or len(self.early) < early
            assert all(self.now <= max(began, entry.since + self.linger) for entry in batch)
        self._move_to(until)

    @rule(most=st.none() | st.integers(1, 3), hurry=st.booleans())
    def ask(self, most: int | None, hurry: bool) -> None:
        """The lane asks for a batch at any time, perhaps for a small one, perhaps in a hurry."""
        self._ask(most, hurry=hurry)

    @rule(hours=st.sampled_from([-1, 1]))
    def set_wall_clock(self, hours: int) -> None:
        """Somebody sets the wall clock."""
        self.unix += hours * 3600.0

    @rule(partition=PARTITIONS)
    def give_up(self, partition: int) -> None:
        """A partition goes, and a new assignment of it begins; those that stay are as old as the oldest that waited."""
        page, self.pages[partition] = self.pages[partition], Page("orders", partition, 9)
        page.closing = True
        mine = sum(entry.delivery.page is page for entry in self.ready + self.early)
        oldest = self.ready[0].since if self.ready else 0.0
        self.ready = [entry for entry in self.ready if entry.delivery.page is not page]
        self.early = [entry for entry in self.early if entry.delivery.page is not page]
        if mine:
            for entry in self.ready:
                entry.since = oldest
        assert mine == self.queue.discard_closing()

    @invariant()
    def nothing_is_lost(self) -> None:
        """What neither went nor was dropped is in the queue, and something is due as long as there is anything."""
        assert len(self.ready) + len(self.early) == len(self.queue)
        moments = [self.now if self._is_due() else self.ready[0].since + self.linger] if self.ready else []
        moments += [entry.since for entry in self.early]
        due = self.queue.due_at()
        assert (due is None) is (not moments)
        assert due is None or due <= min(moments)

    def _ask(self, most: int | None = None, *, hurry: bool = False) -> list[Waiting]:
        """Take a batch, and return it after looking at it."""
        self._let_in()
        head = self._head(min(self.events, most or self.events))
        expected = head if hurry or self._is_due() else []
        batch = self.queue.take(now=self.now, most=most, hurry=hurry)
        assert [entry.delivery for entry in expected] == batch
        del self.ready[: len(batch)]
        return expected

    def _let_in(self) -> None:
        """Let what is early no more join the others; its linger begins now."""
        self.early.sort(key=lambda entry: entry.since)
        while self.early and self.early[0].since <= self.now:
            entry = self.early.pop(0)
            entry.since = self.now
            self.ready.append(entry)

    def _is_due(self) -> bool:
        full = len(self.ready) >= self.events or sum(entry.size for entry in self.ready) >= ROOM
        return bool(self.ready) and (full or self.ready[0].since + self.linger <= self.now)

    def _head(self, most: int) -> list[Waiting]:
        sizes = [sum(entry.size for entry in self.ready[: count + 1]) for count in range(len(self.ready))]
        return self.ready[: min(most, sum(size <= ROOM for size in sizes))]

    def _move_to(self, now: float) -> None:
        self.unix += now - self.now
        self.now = now


BatchMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
TestBatchModel = BatchMachine.TestCase
