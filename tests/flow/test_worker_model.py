"""The whole road, the real worker and its restarts, against one table of what must become of each record.

Invariants, after every step, in the middle of a revoke or a drain too:
no watermark and no committed offset passes a record that is not finished;
a record is finished when the platform accepted it, Kafka has its dead letter, or there is nothing to send in it;
no committed offset goes back, and nothing is committed or buried for a partition that is somebody else's;
a dead letter names the right reason, and no event that the platform would take is among them;
what is sent is an event's own bytes; what is in flight stays within its bounds.

In the end, when all is well again: every record is finished, and everything is committed to its end.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

from avro_events import READERS
from fakes import FakeKafka
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from road import FIRST, SECOND, UNREADABLE, Road, order
from road_machine import Life, Moods
from toy import LIMITS
from typing_extensions import override

from pipeline.core.budget import Allowance
from pipeline.core.model import DeadLetter, Refusal
from pipeline.core.ports import Partition
from pipeline.core.reason import Reason
from pipeline.core.wire import prefixed
from pipeline.flow.intake import Bounds
from pipeline.flow.worker import Tempo

NEW_SCHEMA, NO_SCHEMA = 7, 8
UNKNOWN = Refusal(Reason.SCHEMA_UNKNOWN, "the registry does not know it")
BOUNDS = Bounds(records=12, span=10, take=5, turn_seconds=0.25)
TEMPO = Tempo(turn=0.25, revoke=4.0, drain=6.0)
GENEROUS, STRICT = Allowance(ratio=1.0), Allowance(ratio=0.5, window_seconds=300.0, least=6)
SECONDS = st.sampled_from([0.0, 0.3, 1.0, 3.0, 20.0])
PARTITIONS = st.sampled_from([FIRST, SECOND])
KINDS = st.sampled_from(["good", "good", "good", "copy", "bad", "empty", "unreadable", "new", "new", "nowhere"])
COMMIT_ERRORS = st.sampled_from([None, ("REBALANCE_IN_PROGRESS", False), ("FENCED_INSTANCE_ID", True)])
DEAD_LETTERS = st.sampled_from(["well", "failing", "silent"])
MANY = st.lists(KINDS, min_size=3, max_size=10)


@dataclass(frozen=True)
class Fate:
    """What must become of a record: accepted under its id, buried for its reason, or (neither) skipped."""

    event_id: str | None = None
    reason: Reason | None = None


class WorkerMachine(RuleBasedStateMachine):
    """One group member with two partitions, and a world in which anything goes wrong."""

    @initialize(
        halt_after=st.sampled_from([0, 3]),
        strict=st.booleans(),
        concurrency=st.integers(1, 3),
        kinds=MANY,
        kafka=st.tuples(DEAD_LETTERS, COMMIT_ERRORS),
    )
    def begin(
        self,
        halt_after: int,
        strict: bool,
        concurrency: int,
        kinds: Sequence[str],
        kafka: tuple[str, tuple[str, bool] | None],
    ) -> None:
        """Begin with some records there, and all well but perhaps Kafka's part in dead letters and commits."""
        self.kafka = FakeKafka(partitions=2)
        self.platform = Moods()
        self.buried: list[DeadLetter] = []
        self.limits = replace(LIMITS, events_per_request=4, concurrency=concurrency, halt_after_refusals=halt_after)
        self.allowance = STRICT if strict else GENEROUS
        self.fates: dict[Partition, list[Fate]] = {FIRST: [], SECOND: []}
        # Records that another member of the group has finished.
        self.elsewhere: set[tuple[Partition, int]] = set()
        self.highest: dict[Partition, int] = {}
        self.token = self.platform.token
        self._start()
        self.trouble_dead_letters(kafka[0], 0.0)
        self.trouble_commits(kafka[1], 0.0)
        for partition in (FIRST, SECOND):
            self.produce(partition, kinds, 0.0)

    # -- the topic -------------------------------------------------------------------------------------------------

    @rule(partition=PARTITIONS, kinds=MANY, seconds=SECONDS)
    def produce(self, partition: Partition, kinds: Sequence[str], seconds: float) -> None:
        """Records of any kind arrive."""
        for kind in kinds:
            value, fate = self._write(kind)
            self.kafka.produce(value, partition=partition[1], key=b"k")
            self.fates[partition].append(fate)
        self._pass(seconds)

    @rule(partition=PARTITIONS, kind=st.sampled_from(["bad", "unreadable"]), count=st.integers(1, 6), seconds=SECONDS)
    def produce_wrongly(self, partition: Partition, kind: str, count: int, seconds: float) -> None:
        """A producer has a bug."""
        self.produce(partition, [kind] * count, seconds)

    def _write(self, kind: str) -> tuple[bytes | None, Fate]:
        """Return a record's value and what must become of it."""
        known = [fate.event_id for fates in self.fates.values() for fate in fates if fate.event_id and not fate.reason]
        name = known[0] if kind == "copy" and known else f"good-{sum(map(len, self.fates.values()))}"
        match kind:
            case "empty":
                return None, Fate()
            case "unreadable":
                return UNREADABLE, Fate(reason=Reason.UNDECODABLE)
            case "nowhere":
                return prefixed(NO_SCHEMA, order(name)), Fate(reason=Reason.SCHEMA_UNKNOWN)
            case "new":
                return prefixed(NEW_SCHEMA, order(name)), Fate(name)
            case "bad":
                return order("bad-" + name), Fate("bad-" + name, Reason.REJECTED)
            case _:
                return order(name), Fate(name)

    # -- the platform ----------------------------------------------------------------------------------------------

    @rule(
        mood=st.sampled_from(["well", "well", "gone", "failing", "throttling"]),
        manner=st.sampled_from(["whole", "hint", "named"]),
        latency=st.sampled_from([0.0, 0.5, 4.0, 100.0]),
        seconds=SECONDS,
    )
    def change_platform(self, mood: str, manner: str, latency: float, seconds: float) -> None:
        """The platform fails or comes back, refuses in another manner, takes its time; 100 seconds are too many."""
        self.platform.mood, self.platform.manner = mood, manner
        self.life.road.http.seconds = latency
        self._pass(seconds)

    @rule(revoked=st.booleans(), rotated=st.booleans(), seconds=SECONDS)
    def change_token(self, revoked: bool, rotated: bool, seconds: float) -> None:
        """The platform takes another token from now on; the worker gets the one that the platform takes."""
        self.platform.token += "'" if revoked else ""
        if rotated:
            self.token = self.platform.token
            self.life.road.secrets.rotate("toy-token", self.token)
            for lane in self.life.road.lanes.lanes.values():
                lane.secrets_changed()
        self._pass(seconds)

    # -- Kafka and the registry ------------------------------------------------------------------------------------

    @rule(
        error=st.sampled_from([None, ("REBALANCE_IN_PROGRESS", False), ("FENCED_INSTANCE_ID", True)]), seconds=SECONDS
    )
    def trouble_commits(self, error: tuple[str, bool] | None, seconds: float) -> None:
        """Commits fail, or no longer do."""
        self.life.road.source.commit_error = error
        self._pass(seconds)

    @rule(seconds=SECONDS)
    def cross_commits(self, seconds: float) -> None:
        """Commits cross a rebalance that leaves everything where it is: Kafka takes them, and never says so."""
        self.life.road.source.commit_silent = True
        self._pass(seconds)
        self.life.road.source.commit_silent = False
        self.life.road.source.give()

    @rule(mood=DEAD_LETTERS, seconds=SECONDS)
    def trouble_dead_letters(self, mood: str, seconds: float) -> None:
        """Kafka takes no dead letters, or does not answer, or is well again."""
        self.life.road.dead_letters.fails = "MSG_TIMED_OUT" if mood == "failing" else None
        self.life.road.dead_letters.silent = mood == "silent"
        self._pass(seconds)

    @rule(down=st.booleans(), seconds=SECONDS)
    def registry(self, down: bool, seconds: float) -> None:
        """The registry goes down, or answers all it was asked."""
        schemas = self.life.road.schemas
        schemas.down = "no answer" if down else None
        if not down:
            self._answer_schemas()
        self._pass(seconds)

    @rule(partition=PARTITIONS, in_order=st.booleans(), seconds=SECONDS)
    def take_away(self, partition: Partition, in_order: bool, seconds: float) -> None:
        """The group takes a partition away, asking first or not."""
        if partition in self.meant:
            self.meant.remove(partition)
            source = self.life.road.source
            (source.revoke if in_order else source.lose)(partition)
        self._pass(seconds)

    @rule(partition=PARTITIONS, seconds=SECONDS)
    def give(self, partition: Partition, seconds: float) -> None:
        """The group gives a partition that is not ours."""
        if partition not in self.meant:
            self.meant.add(partition)
            self.life.road.source.give(partition)
        self._pass(seconds)

    @rule(partition=PARTITIONS, in_order=st.booleans(), count=st.integers(0, 4), seconds=SECONDS)
    def come_and_go(self, partition: Partition, in_order: bool, count: int, seconds: float) -> None:
        """A partition goes and comes back, and somebody else worked on it meanwhile."""
        self.take_away(partition, in_order, seconds)
        self._work_elsewhere(partition, count)
        self.give(partition, seconds)

    def _work_elsewhere(self, partition: Partition, count: int) -> None:
        """Let another member finish some records of a partition unless it is ours, and commit them."""
        if partition in self.life.road.source.owned:
            return
        begin = self.kafka.committed.get(partition, 0)
        end = min(begin + count, len(self.fates[partition]))
        self.elsewhere.update((partition, offset) for offset in range(begin, end))
        self.kafka.store(partition, end)

    # -- the process -----------------------------------------------------------------------------------------------

    @rule(seconds=SECONDS)
    def stop(self, seconds: float) -> None:
        """Somebody asks the worker to stop."""
        self.stopping = True
        self.life.road.worker.stop()
        self._pass(seconds)

    @rule(landed=st.booleans())
    def begin_again(self, landed: bool) -> None:
        """The process is killed, and letters under way reach Kafka or do not; the next one begins."""
        old = self.life.road
        self.life.kill()
        if landed:
            old.dead_letters.idle = lambda _: None
            old.dead_letters.reports(0.0)
        self._start()
        self.life.road.http.seconds = old.http.seconds
        self.life.road.dead_letters.fails, self.life.road.dead_letters.silent = (
            old.dead_letters.fails,
            old.dead_letters.silent,
        )

    def _start(self) -> None:
        """Start a process, which gets every partition."""
        road = Road(
            self.platform.answer,
            partitions=2,
            bounds=BOUNDS,
            tempo=TEMPO,
            limits=self.limits,
            allowance=self.allowance,
        )
        road.kafka = road.source.kafka = self.kafka
        road.secrets.rotate("toy-token", self.token)
        road.dead_letters.topic = self.buried
        # A call takes a moment, or a worker that does not wait would stop the time.
        road.dead_letters.idle = lambda seconds: road.loop.run_for(max(seconds, 0.001))
        self.life = Life(road)
        self.meant = {FIRST, SECOND}
        self.stopping = False
        # It has joined the group before anything else happens to it.
        self._pass(0.0)

    # -- what holds ------------------------------------------------------------------------------------------------

    @invariant()
    def nothing_is_jumped_over(self) -> None:
        """No watermark and no committed offset lies behind a record that is not finished."""
        marks = list(self.kafka.committed.items())
        pages = self.life.road.ledger.pages()
        marks += [((page.topic, page.partition), mark) for page in pages if (mark := page.watermark()) is not None]
        for partition, mark in marks:
            assert mark <= self._first_unfinished(partition)

    @invariant()
    def commits_move_on(self) -> None:
        """No committed offset goes back."""
        while self.kafka.commits:
            partition, offset = self.kafka.commits.pop(0)
            assert self.highest.get(partition, 0) <= offset
            self.highest[partition] = offset

    @invariant()
    def commits_are_ours(self) -> None:
        """Nothing is committed or buried for a partition that is somebody else's."""
        assert [] == self.life.road.source.strays
        assert [] == self.life.road.dead_letters.strays

    @invariant()
    def letters_are_just(self) -> None:
        """Each dead letter has the reason that belongs to its record."""
        for letter in self.buried:
            record = letter.record
            assert self.fates[record.topic, record.partition][record.offset].reason is letter.refusal.reason

    @invariant()
    def bytes_are_the_events_own(self) -> None:
        """Only events that were produced are sent, each as it is."""
        assert self.platform.asked <= {fate.event_id for fates in self.fates.values() for fate in fates}

    @invariant()
    def flight_is_bounded(self) -> None:
        """No more is in flight than is allowed, and what one turn takes."""
        ledger = self.life.road.ledger
        assert ledger.open_records <= BOUNDS.records
        assert ledger.widest_span <= BOUNDS.span + BOUNDS.take

    @override
    def teardown(self) -> None:
        """Make all well again, unless a step has failed: then everything must come to its end."""
        try:
            if sys.exception() is None:
                self._end_well()
        finally:
            self.life.kill()

    def _end_well(self) -> None:
        """Make all well; what still waits for a person then is seen to, and everything comes to its end."""
        self._heal()
        if self.stopping:
            self._pass(60.0)
        if not self._is_done_soon():
            lanes = self.life.road.status.lanes.values()
            assert Reason.BUDGET_SPENT in self.life.road.status.holds or any(lane.state == "halted" for lane in lanes)
            self.platform.mended, self.allowance = True, GENEROUS
            self.begin_again(landed=False)
            assert self._is_done_soon()
        self.life.road.worker.stop()
        self.life.pass_seconds(60.0)
        assert self.life.over
        assert {} == self._unfinished()

    def _heal(self) -> None:
        self.change_platform("well", self.platform.manner, latency=0.0, seconds=0.0)
        self.change_token(revoked=False, rotated=True, seconds=0.0)
        self.trouble_commits(None, 0.0)
        self.trouble_dead_letters("well", 0.0)
        self.give(FIRST, 0.0)
        self.give(SECOND, 0.0)

    def _is_done_soon(self) -> bool:
        """Let up to three minutes pass until everything is finished and committed."""
        for _ in range(36):
            self.registry(down=False, seconds=5.0)
            self.nothing_is_jumped_over()
            if not self._unfinished():
                return True
        return False

    def _unfinished(self) -> dict[Partition, int]:
        """Return what is committed where that is not the end."""
        ends = {partition: len(fates) for partition, fates in self.fates.items()}
        return {
            partition: self.kafka.committed.get(partition, 0)
            for partition, end in ends.items()
            if not end == self.kafka.committed.get(partition, 0) == self._first_unfinished(partition)
        }

    def _first_unfinished(self, partition: Partition) -> int:
        letters = {(letter.record.topic, letter.record.partition, letter.record.offset) for letter in self.buried}
        for offset, fate in enumerate(self.fates[partition]):
            finished = fate == Fate() or fate.event_id in self.platform.accepted or (*partition, offset) in letters
            if not finished and (partition, offset) not in self.elsewhere:
                return offset
        return len(self.fates[partition])

    def _answer_schemas(self) -> None:
        self.life.road.schemas.arrive("orders", NEW_SCHEMA, replace(READERS["order"], start=5))
        self.life.road.schemas.arrive("orders", NO_SCHEMA, UNKNOWN)

    def _pass(self, seconds: float) -> None:
        """Let time pass; a process that has ended is followed by the next one."""
        self.life.pass_seconds(seconds)
        if self.life.over:
            self.begin_again(landed=False)


WorkerMachine.TestCase.settings = settings(max_examples=400, stateful_step_count=12, deadline=None)
TestWorkerModel = WorkerMachine.TestCase
