"""The circuit breaker of one lane: stop sending into a failure, and find out with one request when it is over.

It opens when half of the calls of the last 30 seconds failed (of at least 20), or at once when it is tripped
(a throttle, a dead token: the platform said so).
It half-opens after the wait: one probe goes, and its result decides.
Answers to requests from before it opened cut no wait short: a throttle holds, though its neighbors were accepted.
An open breaker never dead-letters anything; it only makes the lane wait.
"""

from __future__ import annotations

from collections import deque
from enum import StrEnum

WINDOW_SECONDS = 30.0
LEAST_CALLS = 20
FAILURE_RATIO = 0.5
OPEN_SECONDS = 5.0


class State(StrEnum):
    """Standard words of the pattern."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Breaker:
    """`now` is monotonic, in seconds; every method takes it."""

    def __init__(self) -> None:
        self.state = State.CLOSED
        self._calls: deque[tuple[float, bool]] = deque()
        self._failures = 0
        self._reopens_at = 0.0

    def wait(self, *, now: float) -> float | None:
        """Seconds until a request may go: 0 is now, None means a probe is out and its result decides."""
        if self.state is State.CLOSED:
            return 0.0
        if self.state is State.HALF_OPEN:
            return None
        return max(0.0, self._reopens_at - now)

    def go(self) -> None:
        """Note that a request goes: out of an open breaker it is the probe."""
        if self.state is State.OPEN:
            self.state = State.HALF_OPEN

    def succeeded(self, *, now: float) -> None:
        """Note an answer that shows the platform at work. The probe's closes the breaker."""
        if self.state is State.HALF_OPEN:
            self.state = State.CLOSED
            self._forget()
        self._note(now, failed=False)

    def failed(self, *, now: float) -> None:
        """Note a failure that waiting may mend."""
        if self.state is State.HALF_OPEN:
            self.trip(now=now, seconds=OPEN_SECONDS)
            return
        self._note(now, failed=True)
        enough = len(self._calls) >= LEAST_CALLS
        if self.state is State.CLOSED and enough and self._failures >= FAILURE_RATIO * len(self._calls):
            self.trip(now=now, seconds=OPEN_SECONDS)

    def trip(self, *, now: float, seconds: float) -> None:
        """Open at once, for at least `seconds`."""
        still = self._reopens_at if self.state is State.OPEN else 0.0
        self.state = State.OPEN
        self._reopens_at = max(still, now + seconds)
        self._forget()

    def retry_now(self, *, now: float) -> None:
        """Let the probe go at once: the cause may be mended (a secret was rotated)."""
        if self.state is State.OPEN:
            self._reopens_at = now

    def _note(self, now: float, *, failed: bool) -> None:
        self._calls.append((now, failed))
        self._failures += failed
        while self._calls[0][0] <= now - WINDOW_SECONDS:
            self._failures -= self._calls.popleft()[1]

    def _forget(self) -> None:
        self._calls.clear()
        self._failures = 0
