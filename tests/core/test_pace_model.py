"""The pace of replicas that share one limit, while partitions change hands.

Invariants:
any window of one second holds at most the limit, rounded up, over all replicas together, whoever owns what;
no request goes during a pause;
a wait ends: it is no longer than the pause, or one round of all slots at the rate of now.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pipeline.core.pace import GRACE_SECONDS, HEADROOM, Pace, Share

REPLICAS = st.integers(0, 2)
PARTITIONS = st.integers(0, 5)
SECONDS = st.sampled_from([0.05, 0.3, 1.0, 3.0])
# Loops wake up late by so much, each time by another amount.
LATE = st.floats(0, GRACE_SECONDS)
CLOSE = 1e-6
UNIX = 1_800_000_000.0


@dataclass(eq=False)
class Replica:
    """A lane's pace, and until when the platform asked it for silence."""

    pace: Pace
    silent_until: float = 0.0


class PaceMachine(RuleBasedStateMachine):
    """Replicas on one clock. As in a rebalance, a partition is given up before somebody takes it over."""

    @initialize(limit=st.floats(0.2, 30), partitions=st.integers(1, 6))
    def begin(self, limit: float, partitions: int) -> None:
        """The first replica begins with everything."""
        self.now = 0.0
        self.limit = limit
        self.owners: list[int | None] = [0] * partitions
        self.replicas = [Replica(Pace(limit)) for _ in range(3)]
        self.sent: list[float] = []
        self._tell_shares()

    @rule(partition=PARTITIONS, number=REPLICAS)
    def hand_over(self, partition: int, number: int) -> None:
        """A partition goes to a replica, from whoever had it."""
        self.owners[partition % len(self.owners)] = number
        self._tell_shares()

    @rule(number=REPLICAS)
    def leave(self, number: int) -> None:
        """A replica gives up everything, and nobody has it yet."""
        self.owners = [None if owner == number else owner for owner in self.owners]
        self._tell_shares()

    @rule(number=REPLICAS, seconds=SECONDS)
    def pause(self, number: int, seconds: float) -> None:
        """The platform asks one replica for silence."""
        replica = self.replicas[number]
        replica.pace.pause(until=self.now + seconds)
        replica.silent_until = max(replica.silent_until, self.now + seconds)

    @rule(seconds=SECONDS)
    def rest(self, seconds: float) -> None:
        """Nothing waits to be sent."""
        self.now += seconds

    @rule(seconds=SECONDS, late=LATE)
    def rush(self, seconds: float, late: float) -> None:
        """Everybody who owns anything sends as soon as it may, or wakes up a little late for it."""
        until = self.now + seconds
        while self.now < until:
            ready = [replica for replica in self._owners() if not self._wait(replica)]
            for replica in ready:
                assert replica.silent_until <= self.now + CLOSE
                replica.pace.go(now=self.now, unix=UNIX + self.now)
                self.sent.append(self.now)
            waits = [self._wait(replica) for replica in self._owners()]
            self.now += max(CLOSE, min([wait + late for wait in waits if wait] or [seconds]))

    @invariant()
    def no_second_holds_more_than_the_limit(self) -> None:
        """Look at the windows that begin with a request of the last few seconds: the fullest is among them."""
        recent = [moment for moment in self.sent if moment > self.now - 8]
        fullest = max((sum(one <= other < one + 1 - CLOSE for other in recent) for one in recent), default=0)
        assert fullest <= ceil(self.limit)

    @invariant()
    def every_wait_ends(self) -> None:
        """Nobody who owns anything waits longer than its pause, or than a round of all slots."""
        one_round = (len(self.owners) + 1) / (self.limit * (1 - HEADROOM))
        for replica in self._owners():
            assert self._wait(replica) <= max(replica.silent_until - self.now, one_round) + CLOSE

    def _owners(self) -> list[Replica]:
        return [self.replicas[number] for number in sorted({owner for owner in self.owners if owner is not None})]

    def _wait(self, replica: Replica) -> float:
        return replica.pace.wait(now=self.now, unix=UNIX + self.now)

    def _tell_shares(self) -> None:
        for number, replica in enumerate(self.replicas):
            ours = tuple(place for place, owner in enumerate(self.owners) if owner == number)
            replica.pace.share(Share(ours, len(self.owners)))


PaceMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=20, deadline=None)
TestPaceModel = PaceMachine.TestCase
