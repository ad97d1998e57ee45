"""The circuit breaker against a plain list of calls, over any order of answers, trips and waits.

Invariants:
no request goes before an open breaker's time, and then a single one, until an answer decides;
only an answer that comes while the probe is out, or a mended cause, ends the wait early;
once the probe's answer is told, the time at which a request may go is known: nothing waits for ever.
"""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pipeline.core.breaker import FAILURE_RATIO, LEAST_CALLS, OPEN_SECONDS, WINDOW_SECONDS, Breaker, State

SECONDS = st.sampled_from([0.0, 0.5, OPEN_SECONDS, WINDOW_SECONDS, 60.0])


class BreakerMachine(RuleBasedStateMachine):
    """A breaker, and what anyone would write down of it. Answers come late, too: several requests may be out."""

    def __init__(self) -> None:
        super().__init__()
        self.breaker = Breaker()
        self.now = 1000.0
        self.state = State.CLOSED
        self.opens_until = 0.0
        self.sent_since_opened = 0
        self.calls: list[tuple[float, bool]] = []

    @rule(seconds=SECONDS)
    def rest(self, seconds: float) -> None:
        """Time passes."""
        self.now += seconds

    @rule()
    def send(self) -> None:
        """Somebody has something to send, and sends it if it may."""
        if self.breaker.wait(now=self.now) != 0:
            return
        self.breaker.go()
        if self.state is State.CLOSED:
            return
        self.sent_since_opened += 1
        assert self.now >= self.opens_until
        assert 1 == self.sent_since_opened
        self.state = State.HALF_OPEN

    @rule(failed=st.booleans())
    def answer(self, failed: bool) -> None:
        """A request is answered: the probe, or any from before."""
        (self.breaker.failed if failed else self.breaker.succeeded)(now=self.now)
        if self.state is State.HALF_OPEN:
            self._open(OPEN_SECONDS) if failed else self._close()
        self.calls.append((self.now, failed))
        recent = [bad for moment, bad in self.calls if moment > self.now - WINDOW_SECONDS]
        enough = len(recent) >= LEAST_CALLS and sum(recent) >= FAILURE_RATIO * len(recent)
        if failed and enough and self.state is State.CLOSED:
            self._open(OPEN_SECONDS)

    @rule(results=st.lists(st.booleans(), min_size=10, max_size=25))
    def traffic(self, results: list[bool]) -> None:
        """Many requests are answered, and go before that if they may."""
        for failed in results:
            self.send()
            self.answer(failed)

    @rule(seconds=SECONDS)
    def trip(self, seconds: float) -> None:
        """The platform says how long it wants to hear nothing."""
        self.breaker.trip(now=self.now, seconds=seconds)
        self._open(seconds)

    @rule()
    def retry_now(self) -> None:
        """The cause may be mended."""
        self.breaker.retry_now(now=self.now)
        if self.state is State.OPEN:
            self.opens_until = self.now

    @invariant()
    def waits_as_the_model(self) -> None:
        """Nothing waits when closed, until its time when open, and for the answer while the probe is out."""
        assert self.state is self.breaker.state
        waits = {State.CLOSED: 0.0, State.OPEN: max(0.0, self.opens_until - self.now), State.HALF_OPEN: None}
        assert waits[self.state] == self.breaker.wait(now=self.now)

    def _open(self, seconds: float) -> None:
        """A longer wait is kept, but not that of a probe which was answered."""
        still = self.opens_until if self.state is State.OPEN else 0.0
        self.state, self.opens_until = State.OPEN, max(still, self.now + seconds)
        self.sent_since_opened = 0
        self.calls.clear()

    def _close(self) -> None:
        self.state = State.CLOSED
        self.calls.clear()


BreakerMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
TestBreakerModel = BreakerMachine.TestCase
