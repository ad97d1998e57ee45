"""Everything that the worker can say, as values: the logs and the metrics are two renderings of these.

The level is the consequence for a person, and never how surprising the code found it:
`debug` once per batch, `info` for the course of life, `warning` when something is unexpected and nothing is lost,
`error` when a human is needed.
What a lane can say is in `pipeline.core.lane_signals`.

Invariants: no signal holds customer data or a secret, its fields are names, counts, reasons and seconds;
a signal is made per batch or more rarely, never per event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from pipeline.core.reason import Reason

Level = Literal["debug", "info", "warning", "error", "critical"]
Partition = tuple[str, int]
RequestOutcome = Literal["accepted", "mixed", "doubt", "later", "halt"]
LaneState = Literal["running", "waiting", "halted"]


class Signal:
    """Something that happened: `usual` is its level, `quiet` names the fields that only metrics want.

    Of signals that agree in the fields of `alike` one is logged every ten seconds, with the number of the others.
    """

    __slots__ = ()
    usual: ClassVar[Level] = "debug"
    quiet: ClassVar[frozenset[str]] = frozenset()
    alike: ClassVar[tuple[str, ...]] = ()


# -- the course of life ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WorkerStarted(Signal):
    """The worker is up and joins its group."""

    usual: ClassVar[Level] = "info"
    worker: str
    group: str
    version: str
    environment: str
    topics: tuple[str, ...]
    destinations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Notice(Signal):
    """Something about a destination that people should act on before it hurts: an API version that ends soon."""

    usual: ClassVar[Level] = "warning"
    destination: str
    detail: str


@dataclass(frozen=True, slots=True)
class Draining(Signal):
    """The worker stops taking records and finishes what is open, for at most `deadline_seconds`."""

    usual: ClassVar[Level] = "info"
    cause: str
    open_records: int
    deadline_seconds: float


@dataclass(frozen=True, slots=True)
class Stopped(Signal):
    """The worker ends; `open_records` were not settled and will come again."""

    usual: ClassVar[Level] = "info"
    exit_code: int
    open_records: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Crashed(Signal):
    """A bug or a broken world ends the worker; nothing beyond the watermark was committed."""

    usual: ClassVar[Level] = "critical"
    cause: str
    where: str


@dataclass(frozen=True, slots=True)
class OwnerStuck(Signal):
    """The owner thread has not come round for `seconds`."""

    usual: ClassVar[Level] = "error"
    seconds: float


# -- the group ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Assigned(Signal):
    """Partitions became ours; `owned` counts all that we have now."""

    usual: ClassVar[Level] = "info"
    partitions: tuple[Partition, ...]
    owned: int


@dataclass(frozen=True, slots=True)
class Revoked(Signal):
    """Partitions were handed over in order; `abandoned` records were open and come again elsewhere."""

    usual: ClassVar[Level] = "info"
    partitions: tuple[Partition, ...]
    owned: int
    abandoned: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Lost(Signal):
    """Partitions were taken from us, or a commit was fenced; `abandoned` records come again elsewhere."""

    usual: ClassVar[Level] = "warning"
    partitions: tuple[Partition, ...]
    owned: int
    abandoned: int
    cause: str


@dataclass(frozen=True, slots=True)
class FirstStart(Signal):
    """Partitions on which this group never committed: they begin at `start_from`, as the settings say."""

    usual: ClassVar[Level] = "info"
    partitions: tuple[Partition, ...]
    start_from: str


@dataclass(frozen=True, slots=True)
class OffsetLost(Signal):
    """Retention took records before they were read; `resumed_at` is None when the settings say to fail."""

    usual: ClassVar[Level] = "error"
    topic: str
    partition: int
    committed: int
    first_kept: int
    resumed_at: int | None


@dataclass(frozen=True, slots=True)
class KafkaTrouble(Signal):
    """Kafka's client reports an error; `code` is librdkafka's name for it. A fatal one ends the client."""

    usual: ClassVar[Level] = "warning"
    alike: ClassVar[tuple[str, ...]] = ("code",)
    code: str
    detail: str
    fatal: bool = False


@dataclass(frozen=True, slots=True)
class Committed(Signal):
    """Kafka acknowledged these offsets."""

    offsets: Mapping[Partition, int]


@dataclass(frozen=True, slots=True)
class CommitFailed(Signal):
    """Offsets were not acknowledged. They stay where they are; nothing is lost, more may come again."""

    usual: ClassVar[Level] = "warning"
    alike: ClassVar[tuple[str, ...]] = ("code", "fenced")
    code: str
    fenced: bool


# -- intake ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Consumed(Signal):
    """Records of one topic were taken; `holes` counts offsets that were not there (compaction, markers)."""

    topic: str
    records: int
    size: int
    holes: int = 0


@dataclass(frozen=True, slots=True)
class IntakePaused(Signal):
    """No more records are taken until the cause is gone; lag grows and nothing is lost."""

    usual: ClassVar[Level] = "warning"
    reason: Reason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class IntakeResumed(Signal):
    """Records are taken again."""

    usual: ClassVar[Level] = "info"
    reason: Reason
    seconds: float


@dataclass(frozen=True, slots=True)
class SchemaLearned(Signal):
    """A writer's schema was met for the first time and is resolved to ours."""

    usual: ClassVar[Level] = "info"
    schema_id: str
    kind: str


@dataclass(frozen=True, slots=True)
class Pulse(Signal):
    """The figures of this moment, about once a second. `lag` is records behind the end, per partition."""

    quiet: ClassVar[frozenset[str]] = frozenset({"lag"})
    in_flight_records: int
    in_flight_bytes: int
    dead_letters_pending: int
    lag: Mapping[Partition, int]


# -- what became of events -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Skipped(Signal):
    """Events were settled without sending; the destination is None before any was chosen."""

    quiet: ClassVar[frozenset[str]] = frozenset({"counts"})
    counts: Mapping[tuple[str | None, Reason], int]


@dataclass(frozen=True, slots=True)
class Refused(Signal):
    """Events are bound for the dead letters; `detail` is that of the first of them."""

    usual: ClassVar[Level] = "warning"
    alike: ClassVar[tuple[str, ...]] = ("destination", "reason", "code")
    destination: str | None
    reason: Reason
    events: int
    detail: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class BatchAccepted(Signal):
    """A platform accepted events. The lags are seconds per event, from when it occurred and when it was produced.

    `match_keys` and `dropped_keys` count events by the tuple of keys that they had, or had and could not use.
    """

    quiet: ClassVar[frozenset[str]] = frozenset({"occurred_lags", "produced_lags", "match_keys", "dropped_keys", "at"})
    destination: str
    platform: str
    events: int
    at: float
    occurred_lags: Sequence[float]
    produced_lags: Sequence[float]
    match_keys: Mapping[tuple[str, ...], int]
    dropped_keys: Mapping[tuple[str, ...], int]


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


def level_of(signal: Signal) -> Level:
    """Return how grave `signal` is: its usual level, but where that depends on what it holds."""
    match signal:
        case KafkaTrouble(fatal=True):
            return "error"
        case IntakePaused(reason=Reason.BACKPRESSURE):  # part of a normal day
            return "info"
        case IntakePaused(reason=Reason.BUDGET_SPENT | Reason.DEAD_LETTERS_DOWN):  # lasts until a person acts
            return "error"
        case _:
            return signal.usual
