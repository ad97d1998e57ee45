"""How fast a lane may send: evenly spaced requests, at the destination's rate times this replica's share.

Requests are spaced, not poured from a bucket, so that any window of one second holds at most the rate
(rounded up) however the traffic came.
The share is the part of all partitions that is assigned here: the shares of all replicas add up to one,
and on a rebalance the old owner gives up before the new one takes over.
"""

from __future__ import annotations


class Pace:
    """The pace of one lane. Rates are requests per second, times Unix seconds."""

    def __init__(self, requests_per_second: float) -> None:
        self._rate = requests_per_second
        self._share = 1.0
        self._factor = 1.0
        self._slow_until = 0.0
        self._paused_until = 0.0
        self._next = 0.0

    def share(self, share: float) -> None:
        """Set this replica's part of the rate, above 0 and at most 1."""
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
        return self._rate * self._share * factor

    def wait(self, *, now: float) -> float:
        """Seconds until the next request may go; 0 when it may go now."""
        return max(0.0, self._next - now, self._paused_until - now)

    def go(self, *, now: float) -> None:
        """Note that a request goes now; the next one keeps its distance."""
        self._next = now + 1.0 / self.rate(now=now)
