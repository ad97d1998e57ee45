"""What `explain` tells of an event, as plain values: made once and veiled once, shown as a page or as JSON.

Invariant: unless it is told unmasked, no value of a field that the contract marks as personal is in here; hashes are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, cast

import orjson

from pipeline.commands.account import Account, Improvement, Outcome, Target
from pipeline.commands.explain_source import Found
from pipeline.core.avro.jsonform import to_json
from pipeline.core.consent import SKIPPED
from pipeline.core.decode import Contract
from pipeline.core.explanation import Becomes, Reading, Row
from pipeline.core.explanation import Outcome as KeyOutcome
from pipeline.core.masking import mask
from pipeline.core.model import Event, Refusal, Shaped, Skipped
from pipeline.core.quality import quality
from pipeline.core.reason import Reason
from pipeline.core.veil import Veil, outlined, personal

VERSION: Final = 1


class Show(Protocol):
    """Decides what may be shown of a JSON value."""

    def json(self, value: object) -> object:
        """Return the value, or what stands in for it."""


class Unveiled:
    """Shows everything."""

    def json(self, value: object) -> object:
        """Return the value."""
        return value


@dataclass(frozen=True, slots=True)
class ToldReading:
    """One value of a field: as it was, what the rule made of it before any hash, and what is sent of it."""

    raw: object
    normalized: object
    becomes: Becomes
    sent: object


@dataclass(frozen=True, slots=True)
class ToldKey:
    """One row of the platform's table; `remark` says in words what the other fields do not."""

    key: str
    source: str
    form: str
    rule: str
    rule_says: str
    found: str
    outcome: KeyOutcome
    remark: str
    readings: Sequence[ToldReading]


@dataclass(frozen=True, slots=True)
class ToldPayload:
    """What would be sent: the event in the platform's words, `size` bytes, between two times in Unix seconds."""

    event_name: str
    group: str
    content: object
    size: int
    match_keys: Sequence[str]
    quality: float
    not_before: float
    expires_at: float


@dataclass(frozen=True, slots=True)
class ToldDestination:
    """One destination, step by step. There are no `keys` where the platform was not asked at all."""

    destination: str
    platform: str
    mode: str
    objections: Sequence[str]
    consent: str | None
    consent_says: str
    outcome: Outcome
    reason: Reason | None
    detail: str | None
    keys: Sequence[ToldKey]
    payload: ToldPayload | None
    warnings: Sequence[str]
    improvements: Sequence[Improvement]


@dataclass(frozen=True, slots=True)
class ToldEvent:
    """One event, or what stood in its place; `event` is None where no event was found."""

    place: str
    letter: Mapping[str, str]
    now: float
    kind: str | None
    event: str | None
    event_id: str | None
    occurred_at: float | None
    schema_id: str | None
    decoded: object
    reason: Reason | None
    faults: Sequence[str]
    destinations: Sequence[ToldDestination]


def tell(found: Found, targets: Sequence[Target], contract: Contract, *, now: float, unmasked: bool) -> ToldEvent:
    """Return everything about `found`, judged at `now` (Unix seconds)."""
    read = found.read
    if not isinstance(read, Event):
        return _no_event(found, read, now)
    schema = contract.schemas[read.kind]
    document = cast("dict[str, object]", to_json(read.body, schema))
    rows = {target.destination.name: target.rows(read) for target in targets}
    show: Show = Unveiled() if unmasked else _veil(read, contract, [row for each in rows.values() for row in each])
    return ToldEvent(
        place=found.place,
        letter=found.letter,
        now=now,
        kind=read.kind,
        event=read.name,
        event_id=str(show.json(read.id)),
        occurred_at=read.time,
        schema_id=read.schema_id,
        decoded=document if unmasked else outlined(document, schema),
        reason=None,
        faults=(),
        destinations=[_destination(read, target, rows[target.destination.name], show, now) for target in targets],
    )


def _no_event(found: Found, read: Refusal | Skipped, now: float) -> ToldEvent:
    faults = found.faults or ((read.detail,) if isinstance(read, Refusal) else ("there is no event in it",))
    return ToldEvent(
        place=found.place,
        letter=found.letter,
        now=now,
        kind=None,
        event=None,
        event_id=None,
        occurred_at=None,
        schema_id=None,
        decoded=None,
        reason=read.reason,
        # A fault names fields, and what somebody takes for a field's name may be anything.
        faults=[mask(fault) for fault in faults],
        destinations=(),
    )


def _veil(event: Event, contract: Contract, rows: Sequence[Row]) -> Veil:
    """Hide what the event says of the customer, and what rules made of it; show the hashes."""
    readings = [reading for row in rows for reading in row.readings]
    made = [value for one in readings for value in (one.normalized, _clear(one)) if value is not None]
    hashes = {str(one.sent) for one in readings if one.becomes in {"hashed", "passed on"}}
    return Veil([*personal(event.body, contract.schemas[event.kind]), *map(str, made)], hashes)


def _clear(reading: Reading) -> str | int | None:
    return reading.sent if reading.becomes == "clear" else None


def _destination(event: Event, target: Target, rows: Sequence[Row], show: Show, now: float) -> ToldDestination:
    account = target.account(event, now)
    shaped, destination = account.shaped, target.destination
    routed = account.consent is not None
    asked = routed and account.consent not in SKIPPED
    keys = list(shaped.match_keys) if shaped else list(dict.fromkeys(row.key for row in rows if row.outcome == "sent"))
    may_improve = shaped is not None or account.reason is Reason.NO_MATCH_KEY
    return ToldDestination(
        destination=destination.name,
        platform=destination.platform,
        mode=destination.mode,
        objections=[] if routed else target.way.route.objections(event),
        consent=account.consent,
        consent_says=target.way.route.consent.words(event.body) if routed else "",
        outcome=account.outcome,
        reason=account.reason,
        detail=account.detail,
        keys=[_key(row, show, left_out=shaped is not None and target.left_out(row, keys)) for row in rows if asked],
        payload=None if shaped is None else _payload(shaped, target, show),
        warnings=list(_warnings(target, account, rows, now)) if asked else [],
        improvements=target.improvements(event, rows, keys) if may_improve else [],
    )


def _payload(shaped: Shaped, target: Target, show: Show) -> ToldPayload:
    return ToldPayload(
        event_name=shaped.event_name,
        group=shaped.group,
        content=show.json(orjson.loads(shaped.payload)),
        size=len(shaped.payload),
        match_keys=shaped.match_keys,
        quality=round(quality(shaped.match_keys, target.kind.weights), 2),
        not_before=shaped.not_before,
        expires_at=shaped.expires_at,
    )


def _key(row: Row, show: Show, *, left_out: bool) -> ToldKey:
    readings = [
        ToldReading(show.json(_plain(one.raw)), show.json(one.normalized), one.becomes, show.json(one.sent))
        for one in row.readings
    ]
    remark = "usable, and not sent in this event" if left_out else ""
    if row.beaten_by:
        remark = f"not read: {row.beaten_by} gave {row.key}"
    return ToldKey(
        row.key, row.source, row.form.value, row.rule, row.rule_says, row.found, row.outcome, remark, readings
    )


def _plain(raw: object) -> object:
    return raw if isinstance(raw, str) else str(raw)


def _warnings(target: Target, account: Account, rows: Sequence[Row], now: float) -> Iterator[str]:
    """Say what a person should look at."""
    if target.destination.mode != "live":
        yield f"the destination's mode is {target.destination.mode}: no conversion is counted"
    shaped = account.shaped
    dropped = shaped.dropped if shaped else tuple(dict.fromkeys(row.key for row in rows if row.outcome == "unusable"))
    for key in dropped:
        yield f"{key}: there was a value that cannot be used"
    if shaped is not None:
        yield from _notes(shaped, target, now)


def _notes(shaped: Shaped, target: Target, now: float) -> Iterator[str]:
    for note in dict.fromkeys(shaped.notes):
        yield f"{note} (see docs/platforms/{target.destination.platform}.md)"
    if shaped.not_before > now:
        yield f"it lies {shaped.not_before - now:.0f} s in the future"
