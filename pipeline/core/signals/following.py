"""What became of events after they were accepted: their receipts, and the platform's final word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from pipeline.core.reason import Reason
from pipeline.core.signals.base import Fate, Level, Signal, StatusOutcome


@dataclass(frozen=True, slots=True)
class Filed(Signal):
    """Kafka acknowledged the receipt of an accepted batch."""

    destination: str
    events: int


@dataclass(frozen=True, slots=True)
class FilingFailed(Signal):
    """Kafka did not take receipts; their records stay open and the worker tries again."""

    usual: ClassVar[Level] = "error"
    alike: ClassVar[tuple[str, ...]] = ("code",)
    code: str
    receipts: int


@dataclass(frozen=True, slots=True)
class ReceiptsOpen(Signal):
    """About once a second: receipts without a final word by destination, and the age of the oldest in seconds."""

    quiet: ClassVar[frozenset[str]] = frozenset({"open", "oldest"})
    open: Mapping[str, int]
    oldest: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class StatusAsked(Signal):
    """The platform was asked what became of a batch."""

    destination: str
    outcome: StatusOutcome


@dataclass(frozen=True, slots=True)
class StatusWaiting(Signal):
    """The platform did not say what became of a batch; it is asked again."""

    usual: ClassVar[Level] = "warning"
    alike: ClassVar[tuple[str, ...]] = ("destination", "reason")
    destination: str
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class StatusHalted(Signal):
    """The platform does not let us ask: a token or a permission. Nothing is lost while it remembers."""

    usual: ClassVar[Level] = "error"
    alike: ClassVar[tuple[str, ...]] = ("destination", "reason")
    destination: str
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class FinalWord(Signal):
    """The platform has decided on a batch: how many events have which fate, and for which of its reasons."""

    destination: str
    receipt: str
    events: int
    fates: Mapping[Fate, int]
    reasons: Mapping[str, int]
    warnings: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class FinalUnplaced(Signal):
    """Some events of a batch were refused later, and the platform does not say which: so many for each reason."""

    usual: ClassVar[Level] = "warning"
    destination: str
    receipt: str
    events: int
    reasons: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class FinalAlarm(Signal):
    """Events were refused later for what a person has to mend, or for reasons that no table knows."""

    usual: ClassVar[Level] = "error"
    alike: ClassVar[tuple[str, ...]] = ("destination", "causes")
    destination: str
    receipt: str
    causes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StatusUnknown(Signal):
    """What became of an accepted batch was not said in time, and is asked no more."""

    usual: ClassVar[Level] = "warning"
    destination: str
    receipt: str
    events: int
    detail: str


@dataclass(frozen=True, slots=True)
class RecordsGone(Signal):
    """Events that were refused later can neither be buried nor sent again: Kafka has their records no more."""

    usual: ClassVar[Level] = "error"
    destination: str
    receipt: str
    events: int


@dataclass(frozen=True, slots=True)
class SentAgain(Signal):
    """Kafka has records on the replay topic that were too early for the platform."""

    usual: ClassVar[Level] = "info"
    alike: ClassVar[tuple[str, ...]] = ("destination",)
    destination: str
    events: int


@dataclass(frozen=True, slots=True)
class ReplayFailed(Signal):
    """Kafka did not take records on the replay topic; their receipts stay open and the worker tries again."""

    usual: ClassVar[Level] = "error"
    alike: ClassVar[tuple[str, ...]] = ("code",)
    code: str
    events: int
