"""Whole events: any field values that decode, in the words of every platform."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final, cast

import orjson
from avro_events import CONTRACT
from contract_events import LIKELY, document, personal
from draws import Draws
from laws import LAWS, Law
from meta_events import APP, CONVERSATIONS, meta
from normalizing import HASH
from promises import promise, tells_nothing

from pipeline.core.avro.jsonform import from_json
from pipeline.core.avro.schema import Array, Enum, Primitive, Record, Type, Union
from pipeline.core.contract import ID_FIELDS, NAME_FIELDS, Body, Kind
from pipeline.core.decode import event_names
from pipeline.core.destination import Destination
from pipeline.core.model import Event, Refusal, Shaped, Skipped
from pipeline.core.normalize.digest import ready_or_built_hash
from pipeline.core.reason import Reason
from pipeline.core.route import Route
from pipeline.core.rules import EARLIEST_MS, LATEST_MS, broken_rule
from pipeline.edge.schema_files import KINDS, sample
from pipeline.platforms.meta import MetaOptions

_REASONS: Final = frozenset({Reason.INVALID_EVENT, Reason.NO_MATCH_KEY})
_SKIPS: Final = frozenset({Reason.NO_PLATFORM_EVENT, Reason.NOT_SET_UP, Reason.LIMITED_USE, Reason.NO_REMAINING_VALUE})
# Each destination as the laws of every platform have it, and Meta once more with options that change much.
CASES: Final = (
    *((law, law.platform) for law in LAWS.values()),
    (
        LAWS["meta"],
        meta(MetaOptions(external_ids="as-written", event_names={"order_refunded": "Refunded"})),
    ),
)
_LONG: Final = 8
"""Shorter raw values show up by chance."""
_BUILT: Final = re.compile(r"[0-9a-fA-F]{64}\.[0-9A-Za-z_-]{2,8}").fullmatch


def _places(schema: Record, outer: str = "") -> Iterator[tuple[str, Type]]:
    """Yield every field by its path, records that may be missing included."""
    for entry in schema.fields:
        inner = entry.type.branches[-1] if isinstance(entry.type, Union) else entry.type
        if isinstance(inner, Record):
            yield from _places(inner, f"{outer}{entry.name}.")
        if not isinstance(inner, Record) or isinstance(entry.type, Union):
            yield f"{outer}{entry.name}", entry.type


# A visit that knows its click only, from which the cookie is built.
_CLICK: Final = {"touch.fbc": None, "touch.fbclid": "IwAR2F4dbP0l7Mn1", "touch.fbclid_seen_at": "2025-11-21T07:00:00Z"}


def _sample(kind: Kind, channel: str) -> Mapping[str, object]:
    sections = {"app": APP, "messaging": CONVERSATIONS[channel], **({} if channel == "WHATSAPP" else _CLICK)}
    return from_json(document(kind, sections), CONTRACT.schemas[kind]).event


def _minimal(kind: Kind) -> Mapping[str, object]:
    """Return the sample that has what the contract requires and no more: hardly anything to match a person by."""
    return from_json(orjson.loads(sample(kind, minimal=True)), CONTRACT.schemas[kind]).event


_SAMPLES: Final = (
    *((kind, _sample(kind, channel)) for channel in CONVERSATIONS for kind in KINDS),
    *((kind, _minimal(kind)) for kind in KINDS),
)
_PLACES: Final = {kind: tuple(_places(CONTRACT.schemas[kind])) for kind in KINDS}
_NAMES: Final = {kind: event_names(CONTRACT.schemas[kind], kind) for kind in KINDS}
_HIDDEN: Final = {
    (name, kind): frozenset(path for path, _ in personal(CONTRACT.schemas[kind]) if path not in law.clear)
    for name, law in LAWS.items()
    for kind in KINDS
}
_DATES: Final = (date(1997, 2, 16), date.min, date.max, date(1900, 1, 1))
_TIMES: Final = (1_763_712_000_000, EARLIEST_MS + 1, LATEST_MS - 1)


def shaping(data: bytes) -> None:
    """Shape any event that decodes: a skip, a refusal, or a payload that the stand-in takes and that hides people."""
    draws = Draws(data)
    law, platform = draws.pick(CASES)
    event = any_event(draws)
    if event is None:
        return
    destination: Destination = platform.destination
    route = Route(destination)
    decision = route.decide(event)
    promise((decision is None) is bool(route.objections(event)), "routing contradicts its own words")
    granted = route.consent.decide(event.body) == "granted"
    promise(granted is not bool(route.consent.words(event.body)), "consent contradicts its own words")
    shaped = platform.shape(event)
    promise(shaped == platform.shape(event), "the same event gave other bytes")
    match shaped:
        case Skipped(reason):
            promise(reason in _SKIPS, f"{reason} is no reason to skip")
        case Refusal(reason, detail):
            promise(reason in _REASONS and detail, f"{reason} is no reason to refuse")
            tells_nothing(detail, "\n".join(_texts(event.body)).encode())
        case Shaped():
            _sendable(law, shaped)
            _hides(law, event, orjson.loads(shaped.payload))


def any_event(draws: Draws) -> Event | None:
    """Return a sample with some of its fields replaced by any value of their type, or None if it breaks a rule."""
    kind, chosen = draws.pick(_SAMPLES)
    body: dict[str, Any] = _copied(chosen)
    for _ in range(draws.whole(9)):
        path, node = draws.pick(_PLACES[kind])
        _put(body, path, _value(draws, node, path.rpartition(".")[2]))
    checked = cast("Body", body)
    own_id = body[ID_FIELDS[kind]]
    if broken_rule(checked, own_id) is not None:
        return None
    name = _NAMES[kind][body[NAME_FIELDS[kind]]]
    return Event(kind, name, body["event_id"] or f"{name}:{own_id}", body["occurred_at"] / 1000, checked, "bundled")


def _copied(value: Any) -> Any:  # noqa: ANN401 - a value of the contract, whatever its type
    """Copy records and lists; a deep copy of everything else is a waste that fuzzing would pay a million times."""
    if isinstance(value, Mapping):
        return {name: _copied(inner) for name, inner in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


def _put(body: dict[str, Any], path: str, value: object) -> None:
    head, _, rest = path.partition(".")
    if not rest:
        body[head] = value
    elif body[head] is not None:
        _put(body[head], rest, value)


def _value(draws: Draws, node: Type, name: str) -> object:
    match node:
        case Union():
            return None if draws.chance(8) else _value(draws, node.branches[-1], name)
        case Record():
            return {entry.name: _value(draws, entry.type, entry.name) for entry in node.fields}
        case Array():
            return [_value(draws, node.items, name) for _ in range(draws.whole(4) * draws.pick((1, 1, 6)))]
        case Enum():
            return draws.pick(node.symbols)
        case Primitive():
            return _plain(draws, node, name)
        case _:
            raise TypeError(f"{name}: the contract has no such type")


def _plain(draws: Draws, node: Primitive, name: str) -> object:
    match node.logical or node.kind:
        case "string":
            likely = LIKELY.get(name, ())
            return draws.pick(likely) if likely and draws.chance(2) else draws.text()
        case "boolean":
            return draws.chance(2)
        case "date":
            any_day = date.fromordinal(1 + draws.whole(date.max.toordinal() - 1))
            return draws.pick(_DATES) if draws.chance(2) else any_day
        case "decimal":
            return Decimal(draws.integer(11)).scaleb(-draws.whole(26))
        case "timestamp-millis" if name == "occurred_at" or draws.chance(2):
            return draws.pick(_TIMES) if draws.chance(2) else EARLIEST_MS + draws.whole(LATEST_MS)
        case "int":
            return draws.integer(4)
        case _:
            return draws.integer(8)


def _sendable(law: Law, shaped: Shaped) -> None:
    document = orjson.loads(shaped.payload)
    name, seconds, keys = law.told(document)
    promise(name in (None, shaped.event_name), "the event has another name than it says")
    promise(seconds in (None, int(shaped.not_before)), "the event has another time than it says")
    promise(shaped.not_before <= shaped.expires_at, "the event expires before it may go")
    promise(tuple(keys) == shaped.match_keys, "the match keys are others than it says")
    for now in (shaped.not_before, shaped.expires_at):
        flaw = law.flaw(shaped, now)
        promise(flaw is None, f"{law.name}'s stand-in refuses it: {flaw}")
    for one in law.hashes(document):
        promise(isinstance(one, str) and (HASH(one) or _BUILT(one)), "what should be a hash is none")


def _hides(law: Law, event: Event, document: object) -> None:
    """No raw value of a person is in the payload, unless the same text is in a field that is sent clear anyway."""
    body = cast("dict[str, Any]", event.body)
    paths = _HIDDEN[law.name, event.kind]
    hidden = [one for path in paths for one in _texts(_get(body, path))]
    raws = {one.strip().lower() for one in hidden if len(one.strip()) >= _LONG and not ready_or_built_hash(one)}
    if not raws:
        return
    sent = "\n".join(_texts(document)).lower()
    for raw in raws:
        if raw in sent:
            open_texts = [
                one for path, _ in _PLACES[event.kind] if path not in paths for one in _texts(_get(body, path))
            ]
            promise(raw in "\n".join(open_texts).lower(), "a raw value of a person is in the payload")


def _get(body: Mapping[str, Any], path: str) -> object:
    head, _, rest = path.partition(".")
    if not rest or body[head] is None:
        return body[head] if not rest else None
    return _get(body[head], rest)


def _texts(value: object) -> Iterator[str]:
    """Yield every text in a value, at any depth, without the names of fields."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
