"""Everything that the worker can say, as values: the logs and the metrics are two renderings of these.

`worker`: its course of life, its group, its intake; `outcomes`: what became of events; `lanes`: requests, waits, halts.

Invariants: no signal holds customer data or a secret, its fields are names, counts, reasons and seconds;
a signal is made per batch or more rarely, never per event.
"""

from __future__ import annotations

from pipeline.core.signals.base import (
    LaneState,
    Level,
    Partition,
    RequestOutcome,
    Signal,
)
from pipeline.core.signals.lanes import (
    BatchRefused,
    BreakerMoved,
    LaneHalted,
    LaneResumed,
    LaneWaiting,
    LimiterWaited,
    RateChanged,
    RequestDone,
    SecretRotated,
)
from pipeline.core.signals.level import (
    level_of,
)
from pipeline.core.signals.outcomes import (
    BatchAccepted,
    BudgetSpent,
    Buried,
    BuryFailed,
    ConsentDecided,
    Refused,
    Skipped,
)
from pipeline.core.signals.worker import (
    Assigned,
    ClockSet,
    CommitFailed,
    Committed,
    Consumed,
    Crashed,
    Draining,
    FirstStart,
    IntakePaused,
    IntakeResumed,
    KafkaTrouble,
    Lost,
    Notice,
    OffsetLost,
    OwnerStuck,
    Pulse,
    Revoked,
    SchemaLearned,
    Stopped,
    WorkerStarted,
)

__all__ = [
    "Assigned",
    "BatchAccepted",
    "BatchRefused",
    "BreakerMoved",
    "BudgetSpent",
    "Buried",
    "BuryFailed",
    "ClockSet",
    "CommitFailed",
    "Committed",
    "ConsentDecided",
    "Consumed",
    "Crashed",
    "Draining",
    "FirstStart",
    "IntakePaused",
    "IntakeResumed",
    "KafkaTrouble",
    "LaneHalted",
    "LaneResumed",
    "LaneState",
    "LaneWaiting",
    "Level",
    "LimiterWaited",
    "Lost",
    "Notice",
    "OffsetLost",
    "OwnerStuck",
    "Partition",
    "Pulse",
    "RateChanged",
    "Refused",
    "RequestDone",
    "RequestOutcome",
    "Revoked",
    "SchemaLearned",
    "SecretRotated",
    "Signal",
    "Skipped",
    "Stopped",
    "WorkerStarted",
    "level_of",
]
