"""The pace of replicas that share one limit, while partitions change hands and the platform gives advice.

Invariants:
any second holds at most the limit, rounded up, over all replicas;
when the slots move (the platform's advice begins or ends, the clocks are set) it may be one more for each replica;
no request goes during a pause, and a pause is never cut short;
nobody who owns anything waits longer than its pause, or than it takes until every partition had its slot;
a wait that was waited out is over, also when the loop wakes up a little late.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from virtual_loop import EPOCH

from pipeline.core.pace import GRACE_SECONDS, HEADROOM, Pace, Share

REPLICAS = st.integers(0, 2)
PARTITIONS = st.integers(0, 5)
SECONDS = st.sampled_from([0.1, 0.5, 1.0, 3.0])
LATE = st.sampled_from([0.0, 0.0, 0.01, 0.9 * GRACE_SECONDS])
# Sums of floating-point seconds differ by less than this.
CLOSE = 1e-6


@dataclass(eq=False)
class Replica:
    """A lane's pace, the partitions it owns, and when it sent."""

    pace: Pace
    ours: set[int] = field(default_factory=set)
    silent_until: float = 0.0
    sent: list[float] = field(default_factory=list)


class PaceMachine(RuleBasedStateMachine):
    """Replicas whose clocks agree. As in a rebalance, a partition is given up before somebody takes it over."""

    @initialize(limit=st.floats(0.5, 20), partitions=st.integers(1, 6))
    def begin(self, limit: float, partitions: int) -> None:
        """The first replica begins with everything."""
        self.now, self.ahead = 1000.0, EPOCH
        self.limit, self.partitions = limit, partitions
        self.replicas = [Replica(Pace(limit)) for _ in range(3)]
        # A factor on the limit, and until when it holds.
        self.advice = 1.0, 0.0
        self.slots_moved_at = 0.0
        for replica in self.replicas:
            self._own(replica, set())
        self._own(self.replicas[0], set(range(partitions)))

    @rule(partition=PARTITIONS, number=REPLICAS, seconds=SECONDS, late=LATE)
    def hand_over(self, partition: int, number: int, seconds: float, late: float) -> None:
        """In the middle of a rush a partition goes; a rebalance takes longer than a slot may be late."""
        self.rush(seconds, late)
        for replica in self.replicas:
            self._own(replica, replica.ours - {partition})
        self.rush(2 * GRACE_SECONDS, late)
        self._own(self.replicas[number], self.replicas[number].ours | ({partition} & set(range(self.partitions))))
        self.rush(seconds, late)

    @rule(factor=st.floats(0.2, 1), seconds=SECONDS)
    def slow(self, factor: float, seconds: float) -> None:
        """The platform advises the account, and so every replica, to slow down."""
        self.advice = factor, self.now + seconds
        self.slots_moved_at = self.now + seconds
        for replica in self.replicas:
            replica.pace.slow(factor, until=self.now + seconds)

    @rule(number=REPLICAS, seconds=SECONDS)
    def pause(self, number: int, seconds: float) -> None:
        """The platform asks one replica for silence."""
        replica = self.replicas[number]
        replica.pace.pause(until=self.now + seconds)
        replica.silent_until = max(replica.silent_until, self.now + seconds)

    @rule(seconds=st.sampled_from([-3600.0, -0.3, 0.3, 3600.0]))
    def set_clocks(self, seconds: float) -> None:
        """The wall clocks are set."""
        self.ahead += seconds
        self.slots_moved_at = max(self.slots_moved_at, self.now)

    @rule(seconds=SECONDS)
    def rest(self, seconds: float) -> None:
        """Nothing waits to be sent."""
        self.now += seconds

    @rule(seconds=SECONDS, late=LATE)
    def rush(self, seconds: float, late: float) -> None:
        """Everybody who owns anything sends as soon as it may, and wakes up so late."""
        until = self.now + seconds
        wakes = {replica: self.now for replica in self.replicas if replica.ours}
        waited = set[Replica]()
        while wakes:
            replica, moment = min(wakes.items(), key=lambda item: item[1])
            if moment > until:
                break
            self.now = max(self.now, moment)
            wait = self._wait(replica)
            if wait == 0:
                self._send(replica)
                waited.discard(replica)
                continue
            assert replica not in waited or wait < CLOSE
            if replica.silent_until <= self.now and self.advice[1] <= self.now:
                waited.add(replica)
            wakes[replica] = self.now + wait + late
        self.now = until
        for replica in self.replicas:
            replica.pace.stand_down()

    @invariant()
    def every_wait_ends(self) -> None:
        """Nobody who owns anything waits longer than its pause, or than one turn of all partitions."""
        factor, until = self.advice
        rate = self.limit * (1 - HEADROOM) * (factor if self.now < until else 1.0)
        for replica in self.replicas:
            if replica.ours:
                turn = (self.partitions + 1) / rate
                assert self._wait(replica) <= max(replica.silent_until - self.now, turn) + CLOSE
                replica.pace.stand_down()

    def _send(self, replica: Replica) -> None:
        assert replica.silent_until <= self.now
        replica.pace.go(now=self.now, unix=self.ahead + self.now)
        replica.sent.append(self.now)
        counts = [sum(self.now - moment < 1 - CLOSE for moment in other.sent) for other in self.replicas]
        moved = self.now - 1 - GRACE_SECONDS <= self.slots_moved_at
        assert sum(counts) <= ceil(self.limit) + (sum(map(bool, counts)) if moved else 0)

    def _wait(self, replica: Replica) -> float:
        return replica.pace.wait(now=self.now, unix=self.ahead + self.now)

    def _own(self, replica: Replica, partitions: set[int]) -> None:
        replica.ours = partitions
        replica.pace.share(Share(tuple(sorted(partitions)), self.partitions))


PaceMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=20, deadline=None)
TestPaceModel = PaceMachine.TestCase
