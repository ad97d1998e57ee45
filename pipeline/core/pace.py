"""How fast a lane may send: evenly spaced requests, at the destination's rate times this replica's share.

Requests are spaced, not poured from a bucket, so that any window of one second holds at most the rate
(rounded up) however the traffic came.
The share is the part of all partitions that is assigned here: the shares of all replicas add up to one,
and on a rebalance the old owner gives up before the new one takes over.
What was earned of the next request is kept when the rate changes: between two requests the shares have always allowed
one, and nobody waits at a rate of the past.
Replicas do not know each other's beat, so that in any second N of them together may be N - 1 requests ahead.

Invariants, held by the model in `tests/core/test_pace_model.py`.
"""

from __future__ import annotations


class Pace:
    """The pace of one lane. Rates are requests per second; `now` is monotonic, in seconds."""

    def __init__(self, requests_per_second: float) -> None:
        self._rate = requests_per_second
        self._share = 1.0
        self._factor = 1.0
        self._slow_until = 0.0
        self._paused_until = 0.0
        self._next = 0.0
        # The rate at which `_next` was reckoned.
        self._reckoned = requests_per_second

    def share(self, share: float) -> None:
        """Set this replica's part of the rate, above 0 and at most 1; it counts from when `rate` or `wait` is asked."""
        self._share = min(1.0, max(share, 1e-6))

    def slow(self, factor: float, *, until: float) -> None:
        """Send at `factor` of the rate until then: the platform's usage headers say that the limit is near."""
        self._factor, self._slow_until = factor, until

    def pause(self, *, until: float) -> None:
        """Send nothing until then. A shorter pause never cuts a longer one."""
        self._paused_until = max(self._paused_until, until)

    def rate(self, *, now: float) -> float:
        """Requests per second allowed now."""
        factor = self._factor if now < self._slow_until else 1.0
        rate = self._rate * self._share * factor
        if rate != self._reckoned:
            self._next = now + max(0.0, self._next - now) * self._reckoned / rate
            self._reckoned = rate
        return rate

    def wait(self, *, now: float) -> float:
        """Seconds until the next request may go if the rate stays; 0 when it may go now."""
        self.rate(now=now)
        return max(0.0, self._next - now, self._paused_until - now)

    def go(self, *, now: float) -> None:
        """Note that a request goes now; the next one keeps its distance."""
        self._next = now + 1.0 / self.rate(now=now)
