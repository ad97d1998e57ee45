"""How long to wait before the next attempt: exponential with full jitter.

Source of the rule: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015; the chance is an argument.
There is no last attempt: an outage is not the event's fault, so a lane tries for as long as the event is young enough.
"""

from __future__ import annotations

BASE_SECONDS = 0.5
CAP_SECONDS = 60.0
# A wait of nearly nothing would hammer a platform that just failed.
FLOOR_SECONDS = 0.05


def backoff(attempt: int, *, chance: float, base: float = BASE_SECONDS, cap: float = CAP_SECONDS) -> float:
    """Seconds to wait after failed attempt number `attempt` (from 1), with `chance` in 0..1."""
    ceiling = min(cap, base * 2.0 ** min(attempt - 1, 30))
    return max(FLOOR_SECONDS, ceiling * chance)
