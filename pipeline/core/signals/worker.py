"""The worker itself: its course of life, its consumer group, and its intake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from pipeline.core.reason import Reason
from pipeline.core.signals.base import Level, Partition, Signal

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


@dataclass(frozen=True, slots=True)
class ClockSet(Signal):
    """Somebody set the wall clock: it is `ahead` seconds ahead of what it was at the start carried on, or behind."""

    usual: ClassVar[Level] = "warning"
    ahead: float


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
    """Partitions were taken from us; `abandoned` records come again elsewhere."""

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
