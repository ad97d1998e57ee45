"""How a record names the schema it was written with.

Two ways are understood, as Confluent's serializers write them (`confluent_kafka.schema_registry`, 2.16):
a prefix of the value (magic byte 0 and a 4-byte id, big-endian), and the newer header `__value_schema_id`,
which holds magic byte 1 and a 16-byte GUID, or the same 5 bytes as the prefix; then the value is bare Avro.
The header wins.
A value without either is bare Avro, and cannot be mistaken for a prefixed one:
its first byte is the length of `order_id` or `lead_id`, and 0 would be an empty id, which the contract forbids.
"""

from __future__ import annotations

from uuid import UUID

from pipeline.core.model import Record

# A schema id from the prefix of the value, or the content of the header, magic byte and all.
SchemaRef = int | bytes

VALUE_HEADER = "__value_schema_id"
PREFIX_BYTES = 5
_LENGTH_BY_MAGIC = {0: 5, 1: 17}


def schema_ref(record: Record) -> SchemaRef | None:
    """Return what `record` says about its schema, or None: bare Avro, a tombstone, or bytes that say nothing."""
    for name, content in record.headers:
        if name == VALUE_HEADER and content and len(content) == _LENGTH_BY_MAGIC.get(content[0]):
            return content
    value = record.value
    if value and value[0] == 0 and len(value) >= PREFIX_BYTES:
        return int.from_bytes(value[1:PREFIX_BYTES], "big")
    return None


def lookup(ref: SchemaRef) -> int | str:
    """Return what to ask a registry for: an id, or a GUID in its usual form of 36 characters."""
    if isinstance(ref, int):
        return ref
    return int.from_bytes(ref[1:], "big") if ref[0] == 0 else str(UUID(bytes=ref[1:]))


def payload_start(ref: SchemaRef | None) -> int:
    """Return the position of the first Avro byte in a value whose schema is named by `ref`."""
    return PREFIX_BYTES if isinstance(ref, int) else 0


def prefixed(schema_id: int, payload: bytes) -> bytes:
    """Return `payload` behind the prefix that names `schema_id` (0 to 2**32 - 1)."""
    return b"\0" + schema_id.to_bytes(4, "big") + payload
