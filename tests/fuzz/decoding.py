"""The record decoder: any value behind the schemas of today, of history, and of a producer that went its own way."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from avro_events import CONTRACT, READERS, avsc, field, reader_of, record
from draws import Draws
from promises import promise, tells_nothing

from pipeline.core.avro.schema import Array, Enum, Primitive, SchemaText, Type, Union
from pipeline.core.avro.schema import Record as Schema
from pipeline.core.contract import EVENTS_OF, NAME_FIELDS, Kind
from pipeline.core.decode import Reader, bundled_reader, compile_reader, decode
from pipeline.core.model import Event, Record, Refusal, Skipped
from pipeline.core.reason import Reason
from pipeline.edge.schema_files import KINDS, schema_folder

GUID: Final = b"\x01" + bytes(range(16))
Decode = Callable[[Record, Reader], Event | Refusal | Skipped]
UNREADABLE: Final = frozenset({Reason.UNDECODABLE, Reason.SCHEMA_INCOMPATIBLE, Reason.INVALID_EVENT})


def strange_schema(kind: Kind) -> dict[str, Any]:
    """Return a writer's schema that resolves to ours by every rule there is: unread fields, promotions, aliases."""
    schema = avsc(kind)
    node = {"type": "record", "name": "Node", "fields": [{"name": "next", "type": ["null", "Node"]}]}
    unread: list[object] = [
        {"type": "map", "values": {"type": "array", "items": "double"}},
        {"type": "array", "items": {"type": "fixed", "name": "Eight", "size": 8}},
        {"type": "array", "items": {"type": "record", "name": "Hollow", "fields": [{"name": "n", "type": "null"}]}},
        {"type": "enum", "name": "Side", "symbols": ["LEFT", "RIGHT"]},
        ["null", "boolean", "float", "bytes", node],
    ]
    schema["fields"][:0] = [{"name": f"unread_{index}", "type": one} for index, one in enumerate(unread)]
    field(schema, NAME_FIELDS[kind])["type"]["symbols"].append("LATER")
    field(schema, "action_source")["type"]["symbols"].insert(0, "KIOSK")
    field(schema, "occurred_at")["type"] = ["null", "int", "long"]
    money = {"type": "bytes", "logicalType": "decimal", "precision": 26, "scale": 9}
    field(schema, "value")["type"] = [money, "null"]
    field(schema, "customer.first_name")["type"] = "bytes"
    for path in ("customer", "customer.first_name"):
        del field(schema, path)["default"]
    field(schema, "customer.birth_date")["type"] = ["null", "int", "string"]
    field(schema, "customer.emails")["type"] = {"type": "array", "items": ["null", "string"]}
    schema["fields"].reverse()
    return schema


def _old_schema(kind: Kind) -> SchemaText:
    return SchemaText((schema_folder() / "history" / kind / "0001.avsc").read_text())


def _readers() -> Sequence[Reader]:
    readers: list[Reader | Refusal] = list(READERS.values())
    for kind in KINDS:
        readers += [
            bundled_reader(CONTRACT, kind, 7),
            bundled_reader(CONTRACT, kind, GUID),
            compile_reader(_old_schema(kind), CONTRACT, 7),
            reader_of(strange_schema(kind), GUID),
        ]
    return [reader for reader in readers if isinstance(reader, Reader)]


ALL_READERS: Final = _readers()


def decoder(data: bytes, decode: Decode = decode) -> None:
    """Decode any value with any of the readers: an event of the contract's types, a refusal, or a tombstone."""
    draws = Draws(data)
    reader = draws.pick(ALL_READERS)
    value = None if draws.chance(64) else draws.rest()
    read = decode(record(value), reader)
    match read:
        case Skipped():
            promise(value is None and read.reason is Reason.TOMBSTONE, "an event was skipped")
        case Refusal():
            promise(read.reason in UNREADABLE, f"{read.reason} is no reason of the decoder")
            promise(read.detail, "a refusal without a word")
            tells_nothing(read.detail, value or b"")
        case Event():
            holds_contract(read)
            longer = decode(record((value or b"") + b"\0"), reader)
            promise(isinstance(longer, Refusal), "an event with a byte too many is an event")
            promise((read.kind, read.schema_id) == (reader.kind, reader.schema_id), "the event is not its reader's")


def holds_contract(event: Event) -> None:
    """Raise BrokenPromiseError unless `event` is what the contract says of one."""
    promise(event.id, "an event without an id")
    promise(math.isfinite(event.time) and event.time > 0, "an event without a time")
    promise(event.name in EVENTS_OF[event.kind], "the name of an event is none of its kind")
    promise(conforms(event.body, CONTRACT.schemas[event.kind]), "a field has not the type of the contract")


def conforms(value: object, node: Type) -> bool:
    """Say whether `value` has the Python type that the contract's `node` decodes to, all the way down."""
    match node:
        case Union():
            return value is None or conforms(value, node.branches[-1])
        case Schema():
            return (
                isinstance(value, Mapping)
                and value.keys() == {entry.name for entry in node.fields}
                and all(conforms(value[entry.name], entry.type) for entry in node.fields)
            )
        case Array():
            return isinstance(value, list) and all(conforms(item, node.items) for item in value)
        case Enum():
            return value in node.symbols
        case Primitive():
            return _is_plain(value, node)
        case _:
            return False


def _is_plain(value: object, node: Primitive) -> bool:
    match node.logical or node.kind:
        case "string":
            return isinstance(value, str) and value == value.encode().decode()
        case "boolean":
            return isinstance(value, bool)
        case "decimal":
            return isinstance(value, Decimal) and value.is_finite()
        case "date":
            return isinstance(value, date)
        case _:
            most = 2 ** (31 if node.kind == "int" else 63)
            return type(value) is int and -most <= value < most
