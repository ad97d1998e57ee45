"""Everything that the worker can say, as values: logs, metrics and status are three renderings of these.

The level is the consequence for a person, and never how surprising the code found it:
`debug` once per batch, `info` for the course of life, `warning` when something is unexpected and nothing is lost,
`error` when a human is needed.

Some signals carry deliveries or letters, which hold customer data: the fields that `quiet` names are for counting only
and are never shown.
A signal is made per batch or more rarely (a letter is the exception), so that telling costs nothing per event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from pipeline.core.model import DeadLetter, Delivery, Verdict
from pipeline.core.reason import Reason

if TYPE_CHECKING:  # the ports speak of signals too
    from pipeline.core.ports import CommitResult

Level = Literal["debug", "info", "warning", "error", "critical"]
Partition = tuple[str, int]


class Signal:
    """Something that happened.

    `usual` is its level, `quiet` names the fields that are not shown, and of signals that agree in the fields of
    `alike` one is logged every ten seconds, with the number of the others.
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
class Draining(Signal):
    """The worker takes no more records and finishes what is open, for at most `deadline_seconds`."""

    usual: ClassVar[Level] = "info"
    open_records: int
    deadline_seconds: float


@dataclass(frozen=True, slots=True)
class Stopped(Signal):
    """The worker left its group; `open_records` were not settled before and come again."""

    usual: ClassVar[Level] = "info"
    open_records: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Crashed(Signal):
    """A bug or a broken world ends the worker; nothing beyond the watermark was committed."""

    usual: ClassVar[Level] = "critical"
    cause: str


@dataclass(frozen=True, slots=True)
class OwnerStuck(Signal):
    """The owner thread has not come round for `seconds`."""

    usual: ClassVar[Level] = "error"
    seconds: float


@dataclass(frozen=True, slots=True)
class Progress(Signal):
    """The figures of this moment, about once a second. `lanes` maps a destination to the state of its lane:
    `sending`, `waiting`, or the reason of a halt.
    """

    now: float
    records: int
    bytes: int
    span: int
    hold: Reason | None
    detail: str
    partitions: int
    letters: int
    lanes: Mapping[str, str]


# -- the group -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Assigned(Signal):
    """Partitions became ours; `share` is the part of all partitions that we have now, 0..1."""

    usual: ClassVar[Level] = "info"
    partitions: Sequence[Partition]
    share: float


@dataclass(frozen=True, slots=True)
class Revoked(Signal):
    """Partitions were handed over in order, which took `seconds`."""

    usual: ClassVar[Level] = "info"
    partitions: Sequence[Partition]
    share: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Lost(Signal):
    """Partitions were taken from us; what was open of them comes again elsewhere."""

    usual: ClassVar[Level] = "warning"
    partitions: Sequence[Partition]
    share: float


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
class CommitAnswered(Signal):
    """What Kafka said of a commit, per partition. What it did not take is offered again; nothing is lost."""

    quiet: ClassVar[frozenset[str]] = frozenset({"results"})
    alike: ClassVar[tuple[str, ...]] = ("failed",)
    results: Sequence[CommitResult]

    @property
    def failed(self) -> tuple[str, ...]:
        """The errors, each once."""
        return tuple(sorted({result.error for result in self.results if result.error is not None}))


@dataclass(frozen=True, slots=True)
class KafkaTrouble(Signal):
    """Kafka's client reports an error; `code` is librdkafka's name for it."""

    usual: ClassVar[Level] = "warning"
    alike: ClassVar[tuple[str, ...]] = ("code",)
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class LagSeen(Signal):
    """How many records each of our partitions is behind its end."""

    lag: Mapping[Partition, int]


# -- records and events --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RecordsRead(Signal):
    """Records were taken: what was skipped by destination and reason, and the deliveries made of the others."""

    quiet: ClassVar[frozenset[str]] = frozenset({"skipped", "deliveries"})
    records: int
    skipped: Mapping[tuple[str, Reason], int]
    deliveries: Mapping[str, Sequence[Delivery]]


@dataclass(frozen=True, slots=True)
class DeliveriesSettled(Signal):
    """A destination accepted these, and `duplicates` more had been accepted a moment before; `now` in Unix seconds."""

    quiet: ClassVar[frozenset[str]] = frozenset({"accepted", "now"})
    destination: str
    accepted: Sequence[Delivery]
    duplicates: int
    now: float


@dataclass(frozen=True, slots=True)
class Buried(Signal):
    """Kafka acknowledged a dead letter."""

    usual: ClassVar[Level] = "warning"
    quiet: ClassVar[frozenset[str]] = frozenset({"letter"})
    alike: ClassVar[tuple[str, ...]] = ("destination", "reason", "code")
    letter: DeadLetter

    @property
    def destination(self) -> str | None:
        """The destination that it was bound for, if any was chosen."""
        return self.letter.destination

    @property
    def reason(self) -> Reason:
        """Why it was refused."""
        return self.letter.refusal.reason

    @property
    def code(self) -> str:
        """The platform's own code."""
        return self.letter.refusal.code


@dataclass(frozen=True, slots=True)
class BuryFailed(Signal):
    """Kafka did not take dead letters; their records stay open, and it is tried again after `wait_seconds`."""

    usual: ClassVar[Level] = "error"
    alike: ClassVar[tuple[str, ...]] = ("cause",)
    letters: int
    cause: str
    wait_seconds: float


@dataclass(frozen=True, slots=True)
class IntakeHeld(Signal):
    """No more records are taken until the reason is gone; lag grows and nothing is lost."""

    usual: ClassVar[Level] = "warning"
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class IntakeResumed(Signal):
    """Records are taken again."""

    usual: ClassVar[Level] = "info"
    reason: Reason


# -- lanes -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BatchAnswered(Signal):
    """One request and how its answer was read."""

    quiet: ClassVar[frozenset[str]] = frozenset({"verdict"})
    destination: str
    platform: str
    verdict: Verdict
    events: int
    bytes: int
    seconds: float
    attempt: int


@dataclass(frozen=True, slots=True)
class LaneWaiting(Signal):
    """A batch waits and is sent again as it is; no event is to blame."""

    usual: ClassVar[Level] = "warning"
    alike: ClassVar[tuple[str, ...]] = ("destination", "reason")
    destination: str
    reason: Reason
    detail: str
    wait_seconds: float


@dataclass(frozen=True, slots=True)
class LaneHalted(Signal):
    """The lane stops until the cause is mended (a secret rotated, a permission granted); nothing is settled."""

    usual: ClassVar[Level] = "error"
    destination: str
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class LaneResumed(Signal):
    """The lane delivers again after a halt."""

    usual: ClassVar[Level] = "info"
    destination: str


@dataclass(frozen=True, slots=True)
class SecretRotated(Signal):
    """Some secret changed on disk; the lanes use it from now on."""

    usual: ClassVar[Level] = "info"


def level_of(signal: Signal) -> Level:
    """Return how grave `signal` is: its usual level, but where that depends on what it holds."""
    match signal:
        case IntakeHeld(reason=Reason.BACKPRESSURE):  # part of a normal day
            return "info"
        case IntakeHeld(reason=Reason.BUDGET_SPENT | Reason.DEAD_LETTERS_DOWN):  # lasts until a person acts
            return "error"
        case CommitAnswered(failed=failed) if failed:
            return "warning"
        case _:
            return signal.usual
