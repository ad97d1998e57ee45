"""The queue of a lane against a plain list, over any order of arrivals, takes and partitions that go.

Invariants:
no batch has more events or bytes than a request may;
a batch is of one group: the head of what may go of it, in the order in which it came;
of the groups that are due the one that waits longest goes first;
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
GROUPS = st.sampled_from(["", "", "crm"])
# An event: its size with the comma behind it, by how much it is early, its partition, and its group.
EVENT = st.tuples(st.integers(5, ROOM), st.sampled_from([0.0, 0.0, 0.0, 0.3, 2.0, 3.0]), PARTITIONS, GROUPS)


@dataclass(eq=False)
class Waiting:
    """An event in the queue; it may go from `since` on."""

    delivery: Delivery
    size: int
    since: float

    @property
    def group(self) -> str:
        """What it may share a request with."""
        return self.delivery.shaped.group


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
    def arrive(self, events: list[tuple[int, float, int, str]]) -> None:
        """Events arrive, some of them before their time."""
        new = []
        for size, ahead, partition, group in events:
            form = replace(shaped("", at=self.unix + ahead, size=size - 1), group=group)
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
        oldest = {entry.group: entry.since for entry in reversed(self.ready)}
        self.ready = [entry for entry in self.ready if entry.delivery.page is not page]
        self.early = [entry for entry in self.early if entry.delivery.page is not page]
        for entry in self.ready:
            entry.since = oldest[entry.group]
        assert mine == self.queue.discard_closing()

    @invariant()
    def nothing_is_lost(self) -> None:
        """What neither went nor was dropped is in the queue, and something is due as long as there is anything."""
        assert len(self.ready) + len(self.early) == len(self.queue)
        moments = [self.now if self._is_due(pile) else pile[0].since + self.linger for pile in self._piles()]
        moments += [entry.since for entry in self.early]
        due = self.queue.due_at()
        assert (due is None) is (not moments)
        assert due is None or due <= min(moments)

    def _ask(self, most: int | None = None, *, hurry: bool = False) -> list[Waiting]:
        """Take a batch, and return it after looking at it."""
        self._let_in()
        due = [pile for pile in self._piles() if hurry or self._is_due(pile)]
        batch = self.queue.take(now=self.now, most=most, hurry=hurry)
        taken = [entry for entry in self.ready if entry.delivery in batch]
        assert [entry.delivery for entry in taken] == batch
        assert bool(batch) is bool(due)
        if taken:
            (pile,) = (pile for pile in due if pile[0].group == taken[0].group)
            assert self._head(pile, min(self.events, most or self.events)) == taken
            assert pile[0].since == min(other[0].since for other in due)
        self.ready = [entry for entry in self.ready if entry not in taken]
        return taken

    def _piles(self) -> list[list[Waiting]]:
        """Return what is ready, by group."""
        groups = dict.fromkeys(entry.group for entry in self.ready)
        return [[entry for entry in self.ready if entry.group == group] for group in groups]

    def _let_in(self) -> None:
        """Let what is early no more join the others; its linger begins now."""
        self.early.sort(key=lambda entry: entry.since)
        while self.early and self.early[0].since <= self.now:
            entry = self.early.pop(0)
            entry.since = self.now
            self.ready.append(entry)

    def _is_due(self, pile: list[Waiting]) -> bool:
        full = len(pile) >= self.events or sum(entry.size for entry in pile) >= ROOM
        return full or pile[0].since + self.linger <= self.now

    def _head(self, pile: list[Waiting], most: int) -> list[Waiting]:
        sizes = [sum(entry.size for entry in pile[: count + 1]) for count in range(len(pile))]
        return pile[: min(most, sum(size <= ROOM for size in sizes))]

    def _move_to(self, now: float) -> None:
        self.unix += now - self.now
        self.now = now


BatchMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
TestBatchModel = BatchMachine.TestCase
