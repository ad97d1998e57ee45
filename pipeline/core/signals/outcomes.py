"""What became of events: skipped, accepted, refused, buried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from pipeline.core.consent import Decision
from pipeline.core.reason import Reason
from pipeline.core.signals.base import Level, Signal


@dataclass(frozen=True, slots=True)
class Skipped(Signal):
    """Events were settled without sending; the destination is None before any was chosen."""

    quiet: ClassVar[frozenset[str]] = frozenset({"counts"})
    counts: Mapping[tuple[str | None, Reason], int]


@dataclass(frozen=True, slots=True)
class ConsentDecided(Signal):
    """What consent decided on the events of a batch of records, for the destinations whose rule wants them."""

    quiet: ClassVar[frozenset[str]] = frozenset({"counts"})
    counts: Mapping[tuple[str, Decision], int]


@dataclass(frozen=True, slots=True)
class Refused(Signal):
    """Events are bound for the dead letters, for one cause."""

    usual: ClassVar[Level] = "warning"
    alike: ClassVar[tuple[str, ...]] = ("destination", "reason", "detail")
    destination: str | None
    reason: Reason
    events: int
    detail: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class BatchAccepted(Signal):
    """A platform accepted events. The lags are seconds per event, from when it occurred and when it was produced.

    `match_keys` counts events by their producer and the tuple of keys that they had, `dropped_keys` those that they had
    and that could not be used; `notes` what shaping them noted, `warnings` what the platform remarked.
    """

    quiet: ClassVar[frozenset[str]] = frozenset(
        {"occurred_lags", "produced_lags", "match_keys", "dropped_keys", "notes", "warnings", "at"}
    )
    destination: str
    platform: str
    events: int
    at: float
    occurred_lags: Sequence[float]
    produced_lags: Sequence[float]
    match_keys: Mapping[tuple[str | None, tuple[str, ...]], int]
    dropped_keys: Mapping[tuple[str | None, tuple[str, ...]], int]
    notes: Mapping[str, int] = field(default_factory=dict)
    warnings: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Buried(Signal):
    """Kafka acknowledged dead letters."""

    destination: str | None
    reason: Reason
    events: int


@dataclass(frozen=True, slots=True)
class BuryFailed(Signal):
    """Kafka did not take dead letters; their records stay open and the worker tries again."""

    usual: ClassVar[Level] = "error"
    alike: ClassVar[tuple[str, ...]] = ("code",)
    code: str
    events: int


@dataclass(frozen=True, slots=True)
class BudgetSpent(Signal):
    """More was refused than the dead-letter budget allows: intake stops and a person is needed."""

    usual: ClassVar[Level] = "error"
    refused: int
    seen: int
    window_seconds: float
