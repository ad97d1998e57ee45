"""The JSON form: any document is read with its faults or becomes an event that survives Avro and the way back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import orjson
from avro_events import CONTRACT, READERS, record
from contract_events import LIKELY, document
from draws import Draws
from meta_events import encoder
from promises import promise, tells_nothing

from pipeline.core.avro.jsonform import from_json, to_json
from pipeline.core.avro.schema import Array, Enum, Record, Type, Union
from pipeline.core.contract import Kind
from pipeline.core.decode import decode
from pipeline.core.model import Event
from pipeline.edge.schema_files import KINDS

_SAMPLES: Final[Mapping[Kind, object]] = {kind: document(kind) for kind in KINDS}
_TIMES: Final = (
    *("2025-11-21T08:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-14:00", "2025-W47-5T00Z"),
    *("2025-11-21T08:00:00", "1997-02-16", "20250101", 1_763_712_000_000, 2**63 - 1, -(2**63)),
)
_AMOUNTS: Final = ("129.90", "1e9", "1e99", "-0", "0.00001", "99999999999999.9999", 1e-7, 1e300, 12, "NaN", "Infinity")


def json_form(data: bytes) -> None:
    """Read any JSON as an event: faults that tell no value, or an event that Avro and the way back leave as it is."""
    draws = Draws(data)
    kind = draws.pick(KINDS)
    schema = CONTRACT.schemas[kind]
    given = _document(draws, schema, kind)
    converted = from_json(given, schema)
    if converted.faults:
        values, names = "\n".join(_values(given)), "\n".join(_names(given))
        for fault in converted.faults:
            promise(fault.path and fault.problem and fault.fix, "a fault without a word")
            tells_nothing(fault.path, values.encode(), public=names)
            tells_nothing(f"{fault.problem}; {fault.fix}", values.encode())
        return
    read = decode(record(encoder(kind).encode(converted.event)), READERS[kind])
    promise(isinstance(read, Event), "an event without faults is refused by the decoder")
    promise(isinstance(read, Event) and read.body == converted.event, "Avro changed the event")
    again = from_json(orjson.loads(orjson.dumps(to_json(converted.event, schema))), schema)
    promise(again == converted, "the way back changed the event")


def _document(draws: Draws, schema: Record, kind: Kind) -> object:
    if draws.chance(8):
        try:
            return orjson.loads(draws.rest())
        except orjson.JSONDecodeError:
            return None
    made = orjson.loads(orjson.dumps(_SAMPLES[kind]))
    for _ in range(draws.whole(6)):
        entry = draws.pick(schema.fields)
        made[entry.name] = _value(draws, entry.type, entry.name, 0)
    if draws.chance(8):
        made[draws.text()] = draws.text()
    if draws.chance(16):
        del made[draws.pick(tuple(made))]
    return made


def _value(draws: Draws, node: Type, name: str, depth: int) -> object:
    """Return a JSON value that fits `node`, or nearly, or not at all."""
    if depth > 4 or draws.chance(16):
        return _anything(draws)
    match node:
        case Union():
            return None if draws.chance(4) else _value(draws, node.branches[-1], name, depth)
        case Record():
            kept = [entry for entry in node.fields if draws.chance(2)]
            return {entry.name: _value(draws, entry.type, entry.name, depth + 1) for entry in kept}
        case Array():
            return [_value(draws, node.items, name, depth + 1) for _ in range(draws.whole(3))]
        case Enum():
            return draws.pick(node.symbols)
        case _:
            return _plain(draws, node.logical if hasattr(node, "logical") else "", name)


def _plain(draws: Draws, logical: str, name: str) -> object:
    match logical:
        case "timestamp-millis" | "date":
            return draws.text() if draws.chance(8) else draws.pick(_TIMES)
        case "decimal":
            return draws.text() if draws.chance(8) else draws.pick(_AMOUNTS)
        case _:
            likely = LIKELY.get(name, ("A-1", 1, True))
            return draws.pick(likely) if draws.chance(2) else _anything(draws)


def _anything(draws: Draws) -> object:
    match draws.whole(7):
        case 0:
            return None
        case 1:
            return draws.integer(8)
        case 2:
            return draws.integer(4) / 32
        case 3:
            return draws.chance(2)
        case 4:
            return [draws.text()]
        case 5:
            return {draws.text(): draws.text()}
        case _:
            return draws.wild_text()


def _values(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value.encode(errors="replace").decode()
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _values(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _values(inner)
    elif isinstance(value, (int, float)):
        yield str(value)


def _names(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _names(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _names(inner)
