"""Writers' schemas: arbitrary JSON and text as a schema, and arbitrary bytes read with what came of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson
from avro_events import record
from decoding import UNREADABLE, conforms
from draws import Draws
from promises import promise, tells_nothing

from pipeline.core.avro.schema import SchemaError, SchemaText, parse
from pipeline.core.contract import Kind
from pipeline.core.decode import Contract, Reader, compile_reader, contract, decode
from pipeline.core.model import Event, Refusal
from pipeline.core.reason import Reason

# A contract of every type that ours has, small enough to be compiled thousands of times a second.
_MONEY: Final = {"type": "bytes", "logicalType": "decimal", "precision": 18, "scale": 4}
_ITEM: Final = {
    "type": "record",
    "name": "Item",
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "price", "type": ["null", _MONEY], "default": None},
        {"name": "quantity", "type": "int", "default": 1},
    ],
}
SMALL: Final[Mapping[str, Any]] = {
    "type": "record",
    "name": "Order",
    "namespace": "capi.events.v1",
    "fields": [
        {"name": "order_id", "type": "string"},
        {"name": "event_id", "type": ["null", "string"], "default": None},
        {"name": "occurred_at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {
            "name": "state",
            "type": {"type": "enum", "name": "OrderState", "symbols": ["PLACED", "REFUNDED"]},
            "default": "PLACED",
        },
        {"name": "value", "type": ["null", _MONEY], "default": None},
        {"name": "currency", "type": ["null", "string"], "default": None},
        {"name": "born", "type": ["null", {"type": "int", "logicalType": "date"}], "default": None},
        {"name": "agreed", "type": "boolean", "default": False},
        {"name": "items", "type": {"type": "array", "items": _ITEM}, "default": []},
    ],
}
SMALL_CONTRACT: Final[Contract] = contract({"order": SchemaText(json.dumps(SMALL))})
_NAMES: Final = [entry["name"] for entry in SMALL["fields"]] + ["id", "price", "quantity"]
_WORDS: Final = "null boolean int long float double bytes string Order Item OrderState A B C.D record date".split()
_LOGICAL: Final = "decimal date timestamp-millis timestamp-micros uuid time-millis".split()
_REFS: Final[tuple[int | bytes | None, ...]] = (None, 7, b"\x01" + bytes(16), b"\x00\x00\x00\x00\x07")
_KINDS: Final[tuple[Kind | None, ...]] = ("order", None)
_DEEPEST: Final = 6


def schemas(data: bytes) -> None:
    """Compile any text as a writer's schema, and read any bytes with it: a reader or a refusal, and then an event."""
    draws = Draws(data)
    ref, kind, made = draws.pick(_REFS), draws.pick(_KINDS), draws.pick((_changed, _grown, _arbitrary))
    text = made(draws)
    _parses(text)
    reader = compile_reader(text, SMALL_CONTRACT, ref, kind)
    if isinstance(reader, Refusal):
        promise(reader.reason is Reason.SCHEMA_INCOMPATIBLE, f"{reader.reason} is no reason of a schema")
        return
    promise(isinstance(reader, Reader), "no reader and no refusal")
    value = draws.rest()
    read = decode(record(value), reader)
    if isinstance(read, Event):
        promise(conforms(read.body, SMALL_CONTRACT.schemas["order"]), "a field has not the type of the contract")
    elif isinstance(read, Refusal):
        promise(read.reason in UNREADABLE, f"{read.reason} is no reason of the decoder")
        # The names of a writer's schema may be told, they are no customer's.
        tells_nothing(read.detail, value, public=text.text)


def _parses(text: SchemaText) -> None:
    try:
        parse(text)
    except SchemaError as error:
        promise(str(error), "a schema is wrong without a word")


def _arbitrary(draws: Draws) -> SchemaText:
    """Any text at all."""
    language = draws.pick(("AVRO", "JSON", "", "PROTOBUF"))
    references = tuple(draws.text() for _ in range(draws.whole(2)))
    return SchemaText(draws.rest().decode(errors="replace"), references, language)


def _grown(draws: Draws) -> SchemaText:
    """A schema that grew from nothing, its names defined before they are used or not."""
    return _text(_type(draws, 0))


def _changed(draws: Draws) -> SchemaText:
    """The contract's own schema with some of its parts replaced."""
    schema = json.loads(json.dumps(SMALL))
    fields = schema["fields"]
    for _ in range(draws.whole(7)):
        entry = draws.pick(fields) if fields else {}
        draws.pick(_CHANGES)(draws, entry, fields)
    return _text(schema)


def _retype(draws: Draws, entry: dict[str, Any], _: list[Any]) -> None:
    entry["type"] = _type(draws, 1)


def _optional(_: Draws, entry: dict[str, Any], __: list[Any]) -> None:
    entry["type"] = [entry.get("type"), "null"]


def _rename(draws: Draws, entry: dict[str, Any], _: list[Any]) -> None:
    entry["name"] = _name(draws)


def _remove(_: Draws, entry: dict[str, Any], fields: list[Any]) -> None:
    if entry in fields:
        fields.remove(entry)


def _insert(draws: Draws, _: dict[str, Any], fields: list[Any]) -> None:
    fields.insert(draws.whole(len(fields)), _field(draws, 1))


def _corrupt(draws: Draws, entry: dict[str, Any], _: list[Any]) -> None:
    entry[draws.pick(("name", "type", "default", "aliases", "doc"))] = _json(draws, 0)


_CHANGES: Final[tuple[Callable[[Draws, dict[str, Any], list[Any]], None], ...]] = (
    _retype,
    _optional,
    _rename,
    _remove,
    _insert,
    _corrupt,
)


def _text(schema: object) -> SchemaText:
    return SchemaText(orjson.dumps(schema).decode())


def _type(draws: Draws, depth: int) -> object:
    if depth >= _DEEPEST:
        return draws.pick(_WORDS)
    return draws.pick((_word, _word, _logical, _union, _container, _fixed, _enum, _record, _anything))(draws, depth)


def _word(draws: Draws, _: int) -> object:
    return draws.pick(_WORDS)


def _anything(draws: Draws, _: int) -> object:
    return _json(draws, 0)


def _logical(draws: Draws, _: int) -> object:
    numbers = {"precision": draws.whole(40), "scale": draws.whole(40)}
    return {"type": draws.pick(_WORDS), "logicalType": draws.pick(_LOGICAL), **numbers}


def _union(draws: Draws, depth: int) -> object:
    return [_type(draws, depth + 1) for _ in range(draws.whole(4))]


def _container(draws: Draws, depth: int) -> object:
    inner = _type(draws, depth + 1)
    return {"type": draws.pick(("array", "map")), "items": inner, "values": inner}


def _fixed(draws: Draws, _: int) -> object:
    return {"type": "fixed", "name": _name(draws), "size": draws.pick((0, 1, 8, 2**40, -1, "8"))}


def _enum(draws: Draws, _: int) -> object:
    symbols = [_name(draws) for _ in range(draws.whole(4))]
    return {"type": "enum", "name": draws.pick(("OrderState", "A", "B")), "symbols": symbols, "default": _name(draws)}


def _record(draws: Draws, depth: int) -> object:
    fields = [_field(draws, depth + 1) for _ in range(draws.whole(5))]
    return {"type": "record", "name": draws.pick(("Item", "Order", "A", "B", "C")), "fields": fields}


def _field(draws: Draws, depth: int) -> dict[str, object]:
    entry = {"name": _name(draws), "type": _type(draws, depth)}
    if draws.chance(4):
        entry["default"] = _json(draws, 0)
    return entry


def _name(draws: Draws) -> str:
    return draws.text() if draws.chance(8) else draws.pick((*_NAMES, "PLACED", "REFUNDED", "LATER", "a", "b", "c"))


def _json(draws: Draws, depth: int) -> object:
    """Any JSON value, a few levels deep."""
    kinds = 5 if depth > 2 else 7
    match draws.whole(255) % kinds:
        case 0:
            return None
        case 1:
            return draws.chance(2)
        case 2:
            return draws.integer(8)
        case 3:
            return draws.text()
        case 4:
            return draws.integer(4) / 16
        case 5:
            return [_json(draws, depth + 1) for _ in range(draws.whole(3))]
        case _:
            return {_name(draws): _json(draws, depth + 1) for _ in range(draws.whole(3))}
