"""Step 2 of the road: the bytes of a record become an event, or a reason as a value.

Invariant: no exception escapes `decode`, whatever the bytes; a message about them never holds a value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, cast

from pipeline.core.avro_reader import RecordReader, compile_record
from pipeline.core.avro_schema import Enum, SchemaError, SchemaText, parse
from pipeline.core.avro_schema import Record as Schema
from pipeline.core.avro_wire import UnreadableError
from pipeline.core.compatibility import incompatibilities, same_name
from pipeline.core.contract import Kind, Lead, Order
from pipeline.core.currency import currency
from pipeline.core.model import Event, Record, Refusal, Skipped
from pipeline.core.reason import Reason
from pipeline.core.wire import SchemaRef, lookup, payload_start, schema_ref

# The names of step 2; `schema_ref` and its type live in `core.wire`.
__all__ = ["Contract", "Reader", "SchemaRef", "bundled_reader", "compile_reader", "contract", "decode", "schema_ref"]

# What `Event.schema_id` says of a record that names no schema: it was read with ours.
BUNDLED: Final = "bundled"
ID_FIELDS: Final[Mapping[Kind, str]] = {"order": "order_id", "lead": "lead_id"}
# Milliseconds of 1973-03-03 and of the year 5138: seconds lie below, microseconds above.
_EARLIEST_MS: Final = 100_000_000_000
_LATEST_MS: Final = 100_000_000_000_000
_TOMBSTONE: Final = Skipped(Reason.TOMBSTONE)
# What compiled readers raise for bytes that are not what their schema says; anything else is a bug.
_BROKEN: Final = (ValueError, IndexError, KeyError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True)
class Contract:
    """Our own schemas, parsed: what every event is read as."""

    schemas: Mapping[Kind, Schema]


@dataclass(slots=True, eq=False)
class Reader:
    """How to read the records of one writer's schema. Made by `compile_reader`, shared by any number of threads.

    `names` are our event names by the value of `state`; `read` and `start` are what `RecordReader.read` takes.
    """

    kind: Kind
    schema_id: str
    start: int
    id_field: str
    names: Mapping[str, str]
    read: Callable[[bytes, int], Order | Lead]
    compiled: RecordReader


def contract(texts: Mapping[Kind, SchemaText]) -> Contract:
    """Parse our own schemas. Raises SchemaError when one is no record or uses what the contract may not use."""
    schemas: dict[Kind, Schema] = {}
    for kind, text in texts.items():
        schema = parse(text)
        if not isinstance(schema, Schema):
            raise SchemaError(f"the schema of {kind} is not a record")
        compile_record(schema, schema)
        schemas[kind] = schema
    return Contract(schemas)


def bundled_reader(contract: Contract, kind: Kind, ref: SchemaRef | None = None) -> Reader:
    """Return the reader for records written with our own schema, in bare Avro or behind the prefix `ref`."""
    schema = contract.schemas[kind]
    return _reader(schema, schema, kind, ref)


def compile_reader(
    text: SchemaText, contract: Contract, ref: SchemaRef | None, kind: Kind | None = None
) -> Reader | Refusal:
    """Return the reader for a writer's schema, or why it cannot be read as ours.

    The record's name decides between order and lead, as an alias in either schema does; only when neither knows
    the name, `kind` does, which is what the settings say of the topic. Never raises, whatever the schema is.
    """
    try:
        writer = parse(text)
        if not isinstance(writer, Schema):
            return Refusal(Reason.SCHEMA_INCOMPATIBLE, "the writer's schema is not a record")
        chosen = _chosen(writer, contract) or kind
        if chosen is None:
            known = " and ".join(schema.name for schema in contract.schemas.values())
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
        return _reader(writer, ours, chosen, ref)
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
        body = reader.read(value, reader.start)
    except _BROKEN as error:
        return _refusal(error, value, reader)
    own_id = body.get(reader.id_field)
    occurred_at = body["occurred_at"]
    money = body["currency"]
    if (
        not isinstance(own_id, str)
        or not own_id.strip()
        or not _EARLIEST_MS < occurred_at < _LATEST_MS
        or (body["value"] is not None and (money is None or currency(money) is None))
    ):
        return Refusal(Reason.INVALID_EVENT, _flaw(body, reader))
    name = reader.names[body["state"]]
    event_id = body["event_id"] or f"{name}:{own_id}"
    return Event(reader.kind, name, event_id, occurred_at / 1000, body, reader.schema_id)


def _flaw(body: Order | Lead, reader: Reader) -> str:
    own_id, occurred_at = body.get(reader.id_field), body["occurred_at"]
    if not isinstance(own_id, str) or not own_id.strip():
        return f"{reader.id_field} is empty"
    if occurred_at <= _EARLIEST_MS:
        return "occurred_at is too small for milliseconds since 1970; was it sent in seconds?"
    if occurred_at >= _LATEST_MS:
        return "occurred_at is too large for milliseconds since 1970; was it sent in microseconds?"
    if body["currency"] is None:
        return "value is there and currency is not"
    return "currency is not an ISO 4217 code"


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


def _reader(writer: Schema, ours: Schema, kind: Kind, ref: SchemaRef | None) -> Reader:
    compiled = compile_record(writer, ours)
    return Reader(
        kind=kind,
        schema_id=BUNDLED if ref is None else str(lookup(ref)),
        start=payload_start(ref),
        id_field=ID_FIELDS[kind],
        names=event_names(ours, kind),
        read=cast("Callable[[bytes, int], Order | Lead]", compiled.read),
        compiled=compiled,
    )


def event_names(schema: Schema, kind: Kind) -> Mapping[str, str]:
    """Return our event name for each state that `schema` knows: PLACED of an order is `order_placed`."""
    for field in schema.fields:
        if field.name == "state" and isinstance(field.type, Enum):
            return {symbol: f"{kind}_{symbol.lower()}" for symbol in field.type.symbols}
    raise SchemaError(f"the schema of {kind} has no enum field `state`")
