"""What a lane can say: its requests, its waits, its halts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pipeline.core.breaker import State
from pipeline.core.reason import Reason
from pipeline.core.signals.base import Level, RequestOutcome, Signal


@dataclass(frozen=True, slots=True)
class RequestDone(Signal):
    """One request and how its answer was read; `status` is None when none came."""

    destination: str
    platform: str
    outcome: RequestOutcome
    status: int | None
    events: int
    size: int
    seconds: float


@dataclass(frozen=True, slots=True)
class BatchRefused(Signal):
    """A whole request was refused for some event in it: it is split until the culprit stands alone."""

    usual: ClassVar[Level] = "warning"
    alike: ClassVar[tuple[str, ...]] = ("destination", "reason", "code")
    destination: str
    reason: Reason
    events: int
    detail: str
    code: str = ""
    trace_id: str = ""


@dataclass(frozen=True, slots=True)
class LaneWaiting(Signal):
    """The lane waits and tries the same bytes again; no event is to blame."""

    usual: ClassVar[Level] = "warning"
    alike: ClassVar[tuple[str, ...]] = ("destination", "reason")
    destination: str
    reason: Reason
    detail: str
    wait_seconds: float
    attempt: int


@dataclass(frozen=True, slots=True)
class LaneHalted(Signal):
    """The lane stops until the cause is mended (a secret rotated, a permission granted); nothing is settled."""

    usual: ClassVar[Level] = "error"
    destination: str
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class LaneResumed(Signal):
    """The lane delivers again after waiting or halting."""

    usual: ClassVar[Level] = "info"
    destination: str
    seconds: float


@dataclass(frozen=True, slots=True)
class BreakerMoved(Signal):
    """The lane's circuit breaker changed its state."""

    usual: ClassVar[Level] = "info"
    destination: str
    state: State


@dataclass(frozen=True, slots=True)
class LimiterWaited(Signal):
    """The rate limit held a request back."""

    destination: str
    seconds: float


@dataclass(frozen=True, slots=True)
class RateChanged(Signal):
    """The lane's share of the rate limit, in requests per second: partitions moved, or the platform asked."""

    destination: str
    requests_per_second: float


@dataclass(frozen=True, slots=True)
class SecretRotated(Signal):
    """A secret's value changed on disk and is in use; `secret` is its name."""

    usual: ClassVar[Level] = "info"
    destination: str
    secret: str
