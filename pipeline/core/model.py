"""The nouns of the road: record, event, delivery, and what may become of them.

Nothing here does anything; a reader who knows these words can read the rest of the package.
Values made per event are plain slotted classes (a frozen one costs microseconds); nobody writes to them after
construction except where a field says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, cast

from pipeline.core.contract import ID_FIELDS, Body, Kind
from pipeline.core.ledger import Page
from pipeline.core.reason import Reason

Headers = Sequence[tuple[str, bytes | None]]
# What a field under a rule becomes, by a number for both: see `core.identify`.
Seals = dict[int, str | int | None]


@dataclass(slots=True)
class Record:
    """One Kafka message, byte for byte; `timestamp_ms` is Kafka's, in milliseconds, or None."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp_ms: int | None
    # The client could not read the headers: whatever the event is, it cannot be kept whole.
    headers_lost: bool = False

    @property
    def size(self) -> int:
        """Bytes that holding this record costs, near enough for the in-flight limit."""
        return len(self.value or b"") + len(self.key or b"") + 200


@dataclass(slots=True)
class Event:
    """A decoded record. `name` is ours (`order_placed`), `time` is Unix seconds with a fraction."""

    kind: Kind
    name: str
    id: str
    time: float
    body: Body
    schema_id: str
    # What one platform's table made of a field, for the next one's: see `core.identify`.
    seals: Seals | None = None

    @property
    def own_id(self) -> str:
        """The id of the order, the lead or the activity: what every event about it shares."""
        return cast("str", self.body.get(ID_FIELDS[self.kind]))


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something goes to the dead letters. `detail` is for people and never holds customer data."""

    reason: Reason
    detail: str
    code: str = ""
    subcode: str = ""
    http_status: int | None = None
    trace_id: str = ""


@dataclass(slots=True)
class Shaped:
    """One event in one platform's own words, encoded once: every attempt and replay sends these bytes.

    `expires_at` and `not_before` are Unix seconds: outside of them the platform would refuse it.
    `dropped` names the match keys whose value was there and unusable; `notes` what else people should know of it, in
    words of the platform's own closed list. Events of different `group`s never share a request.
    """

    event_name: str
    payload: bytes
    expires_at: float
    not_before: float
    match_keys: tuple[str, ...]
    dropped: tuple[str, ...]
    group: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Skipped:
    """Settled without sending, for a reason that the event or the configuration explains."""

    reason: Reason


@dataclass(slots=True, eq=False)
class Delivery:
    """One event bound for one destination, and all that is needed to send, settle or bury it.

    `attempts`, `first_failed_at` and `done` (once its outcome was reported) are written by the lane that carries it,
    nobody else.
    """

    destination: str
    record: Record
    page: Page
    event: str
    event_id: str
    event_time: float
    schema_id: str
    shaped: Shaped
    producer: str | None = None
    attempts: int = 0
    first_failed_at: float | None = None
    done: bool = False
    # Asked for once more by somebody who knows that it was sent before: it is no copy.
    replayed: bool = False


@dataclass(slots=True, eq=False)
class DeadLetter:
    """What is to be buried: the record, for one destination or (None) before any was chosen."""

    record: Record
    page: Page
    destination: str | None
    platform: str | None
    refusal: Refusal
    event_id: str | None = None
    schema_id: str | None = None
    attempts: int = 0
    first_failed_at: float | None = None

    @classmethod
    def of(cls, delivery: Delivery, platform: str, refusal: Refusal) -> DeadLetter:
        """Return the letter of a delivery that was refused."""
        return cls(
            delivery.record,
            delivery.page,
            delivery.destination,
            platform,
            refusal,
            delivery.event_id,
            delivery.schema_id,
            delivery.attempts,
            delivery.first_failed_at,
        )


# -- what a platform's reply says about a batch ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Accepted:
    """Every delivery of the batch was accepted.

    `receipt` is what the platform's final word can be asked by, where acceptance is not yet that word.
    `warnings` counts what the platform remarked, by its own codes.
    """

    receipt: str = ""
    warnings: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mixed:
    """The platform spoke of single events: these positions of the batch are refused, the rest was accepted.

    `warnings` as of `Accepted`.
    """

    refused: Mapping[int, Refusal]
    warnings: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Blamed:
    """The platform took nothing and named these positions as the cause: they are refused, the rest may go again."""

    refused: Mapping[int, Refusal]


@dataclass(frozen=True, slots=True)
class Doubt:
    """The platform refused the whole request for an event it did not name, or only hinted at (`suspects`)."""

    refusal: Refusal
    suspects: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Later:
    """No event is to blame: the same bytes again, after `wait` seconds or (None) the usual back-off.

    `blame` is for answers that no table knows: after a few attempts the events are doubted with it.
    """

    reason: Reason
    detail: str
    wait: float | None = None
    blame: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Halt:
    """No event is to blame and waiting will not mend it: stop the lane, settle nothing, call a person.

    The lane asks again after `wait` seconds, or (None) after its usual time, and at once when a secret changed.
    """

    reason: Reason
    detail: str
    wait: float | None = None


Verdict = Accepted | Mixed | Blamed | Doubt | Later | Halt


@dataclass(frozen=True, slots=True)
class Advice:
    """What a platform's usage headers ask for, whatever the verdict: a factor on the rate, seconds of silence."""

    factor: float = 1.0
    pause_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Batch:
    """What goes into one request: encoded events of one `Shaped.group`."""

    payloads: Sequence[bytes] = field(repr=False)
    group: str = ""


# -- the wire -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, complete. URL and headers may hold a token: they are never shown."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)
    method: Literal["POST", "GET"] = "POST"


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: the platform's answer, header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class NoReply:
    """No complete answer came: the request may or may not have been taken."""

    cause: str
