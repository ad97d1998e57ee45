"""Step 2 of the road: the bytes of a record become an event, or a reason as a value.

Invariant: no exception escapes `decode`, whatever the bytes; a message about them never holds a value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pipeline.core.avro.binary import UnreadableError
from pipeline.core.avro.compatibility import incompatibilities, same_name
from pipeline.core.avro.reader import RecordReader, compile_record
from pipeline.core.avro.schema import Enum, SchemaError, SchemaText, parse
from pipeline.core.avro.schema import Record as Schema
from pipeline.core.contract import ID_FIELDS, NAME_FIELDS, NAME_PREFIXES, Body, Kind
from pipeline.core.model import Event, Record, Refusal, Skipped
from pipeline.core.reason import Reason
from pipeline.core.rules import broken_rule
from pipeline.core.wire import SchemaRef, lookup, payload_start, schema_ref

# The names of step 2; `schema_ref` and its type live in `core.wire`.
__all__ = ["Contract", "Reader", "SchemaRef", "bundled_reader", "compile_reader", "contract", "decode", "schema_ref"]

# What `Event.schema_id` says of a record that names no schema: it was read with ours.
BUNDLED: Final = "bundled"
_TOMBSTONE: Final = Skipped(Reason.TOMBSTONE)
# What compiled readers raise for bytes that are not what their schema says; anything else is a bug.
_BROKEN: Final = (ValueError, IndexError, KeyError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True)
class Contract:
    """Our own schemas, parsed: what every event is read as. `own` reads what was written with them."""

    schemas: Mapping[Kind, Schema]
    own: Mapping[Kind, RecordReader]


@dataclass(slots=True, eq=False)
class Reader:
    """How to read the records of one writer's schema. Made by `compile_reader`, shared by any number of threads.

    `names` are our event names by the value of `name_field`; `read` and `start` are what `RecordReader.read` takes.
    """

    kind: Kind
    schema_id: str
    start: int
    id_field: str
    name_field: str
    names: Mapping[str, str]
    # A `Body` of the kind, by the compiled schema; which of its fields are read here depends on the kind.
    read: Callable[[bytes, int], Any]
    compiled: RecordReader


def contract(texts: Mapping[Kind, SchemaText]) -> Contract:
    """Parse our own schemas. Raises SchemaError when one is no record or uses what the contract may not use."""
    schemas: dict[Kind, Schema] = {}
    own: dict[Kind, RecordReader] = {}
    for kind, text in texts.items():
        schema = parse(text)
        if not isinstance(schema, Schema):
            raise SchemaError(f"the schema of {kind} is not a record")
        schemas[kind], own[kind] = schema, compile_record(schema, schema)
    return Contract(schemas, own)


def bundled_reader(contract: Contract, kind: Kind, ref: SchemaRef | None = None) -> Reader:
    """Return the reader for records written with our own schema, in bare Avro or behind the prefix `ref`."""
    return _reader(contract.own[kind], contract.schemas[kind], kind, ref)


def compile_reader(
    text: SchemaText, contract: Contract, ref: SchemaRef | None, kind: Kind | None = None
) -> Reader | Refusal:
    """Return the reader for a writer's schema, or why it cannot be read as ours.

    The record's name decides what it is, as an alias in either schema does; only when no schema of ours knows
    the name, `kind` does, which is what the settings say of the topic. Never raises, whatever the schema is.
    """
    try:
        writer = parse(text)
        if not isinstance(writer, Schema):
            return Refusal(Reason.SCHEMA_INCOMPATIBLE, "the writer's schema is not a record")
        chosen = _chosen(writer, contract) or kind
        if chosen is None:
            known = ", ".join(schema.name for schema in contract.schemas.values())
            return Refusal(
                Reason.SCHEMA_INCOMPATIBLE,
                f"the writer's schema is named {writer.name}; known are {known}, their aliases, and what the "
                "settings map a topic to",
            )
        ours = contract.schemas[chosen]
        # Fields are compared, not the outer name: it has done its work.
        faults = [fault for fault in incompatibilities(_renamed(writer, ours), ours) if not fault.partial]
        if faults:
            return Refusal(Reason.SCHEMA_INCOMPATIBLE, "; ".join(f"{fault.path} {fault.rule}" for fault in faults[:3]))
        return _reader(compile_record(writer, ours), ours, chosen, ref)
    except SchemaError as error:
        return Refusal(Reason.SCHEMA_INCOMPATIBLE, f"the writer's schema cannot be used: {error}")
    except RecursionError:
        return Refusal(Reason.SCHEMA_INCOMPATIBLE, "the writer's schema is nested too deep")


def decode(record: Record, reader: Reader) -> Event | Refusal | Skipped:
    """Return the event in `record`, a refusal with the field path where one is known, or a skip for a tombstone."""
    value = record.value
    if value is None:
        return _TOMBSTONE
    try:
        fields = reader.read(value, reader.start)
    except _BROKEN as error:
        return _refusal(error, value, reader)
    body: Body = fields
    own_id = fields[reader.id_field]
    broken = broken_rule(body, own_id)
    if broken is not None:
        return Refusal(Reason.INVALID_EVENT, " ".join(broken))
    name = reader.names[fields[reader.name_field]]
    event_id = body["event_id"] or f"{name}:{own_id}"
    return Event(reader.kind, name, event_id, body["occurred_at"] / 1000, body, reader.schema_id)


def _refusal(error: Exception, value: bytes, reader: Reader) -> Refusal:
    path = reader.compiled.where(error.__traceback__)
    reason = error.reason if isinstance(error, UnreadableError) else Reason.UNDECODABLE
    if value[:1] in {b"{", b"["} and reason is Reason.UNDECODABLE:
        return Refusal(reason, "the value looks like JSON; the contract is Avro, see docs/contract.md")
    return Refusal(reason, f"{path}: {_cause(error)}" if path else _cause(error))


def _cause(error: Exception) -> str:
    if isinstance(error, UnreadableError):
        return error.detail
    if isinstance(error, UnicodeDecodeError):
        return "text that is not UTF-8"
    if isinstance(error, IndexError):
        return "the bytes end here or shortly before"
    if isinstance(error, KeyError):
        return "a symbol or a truth value that the writer's schema does not have"
    if isinstance(error, RecursionError):
        return "values nested too deep"
    return "a date that no calendar has"


def _chosen(writer: Schema, contract: Contract) -> Kind | None:
    for kind, ours in contract.schemas.items():
        if same_name(writer, ours) or ours.name in writer.aliases:
            return kind
    return None


def _renamed(writer: Schema, ours: Schema) -> Schema:
    return Schema(ours.name, (), writer.doc, writer.fields)


def _reader(compiled: RecordReader, ours: Schema, kind: Kind, ref: SchemaRef | None) -> Reader:
    return Reader(
        kind=kind,
        schema_id=BUNDLED if ref is None else str(lookup(ref)),
        start=payload_start(ref),
        id_field=ID_FIELDS[kind],
        name_field=NAME_FIELDS[kind],
        names=event_names(ours, kind),
        read=compiled.read,
        compiled=compiled,
    )


def event_names(schema: Schema, kind: Kind) -> Mapping[str, str]:
    """Return our event name for each symbol that says what happened: PLACED of an order is `order_placed`.

    Raises SchemaError when `schema` has no enum where the kind keeps it.
    """
    for field in schema.fields:
        if field.name == NAME_FIELDS[kind] and isinstance(field.type, Enum):
            return {symbol: NAME_PREFIXES[kind] + symbol.lower() for symbol in field.type.symbols}
    raise SchemaError(f"the schema of {kind} has no enum field `{NAME_FIELDS[kind]}`")
