"""Whatever the bytes are, decoding ends soon and with a value."""

from __future__ import annotations

import time

import pytest
from avro_events import READERS, avsc, encode, full_order, reader_of, record
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.decode import Reader, decode
from pipeline.core.model import Event, Refusal
from pipeline.core.reason import Reason
from pipeline.core.wire import prefixed, schema_ref

GOOD = encode(full_order(), avsc("order"))
ENDLESS = bytes([0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F])
# order_id "A", event_id null, occurred_at, PLACED, store null, brand null, WEBSITE, five nulls and currency null.
HEAD = b"\x02A\x00" + b"\x80\xf8\xd6\xc5\xd4f" + b"\x00\x00\x00\x00" + b"\x00\x00\x00\x00\x00\x00"


def refusal(value: bytes, reader: Reader = READERS["order"]) -> Refusal:
    """Return the refusal that a value meets."""
    read = decode(record(value), reader)
    assert isinstance(read, Refusal)
    return read


@given(st.binary(max_size=400))
def test_survives_any_bytes(value: bytes) -> None:
    """No exception escapes, whatever the bytes."""
    ref = schema_ref(record(value))

    assert ref is None or isinstance(ref, int)
    for reader in READERS.values():
        assert isinstance(decode(record(value), reader), (Event, Refusal))


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255), st.integers(0, 3))
def test_survives_corruption(at: int, byte: int, extra: int) -> None:
    """A good event with a byte changed and a few inserted is an event or a refusal."""
    value = GOOD[:at] + bytes([byte]) * (1 + extra) + GOOD[at + 1 :]

    assert isinstance(decode(record(value), READERS["order"]), (Event, Refusal))


@pytest.mark.parametrize("end", range(0, len(GOOD), 7))
def test_refuses_truncation(end: int) -> None:
    """An event that ends too early is refused, wherever it ends."""
    assert Reason.UNDECODABLE == refusal(GOOD[:end]).reason


def test_refuses_trailing_bytes() -> None:
    """Bytes after the event mean that the schema is not the one it was written with."""
    assert "bytes after the event" == refusal(GOOD + b"\0").detail


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        (HEAD + ENDLESS, "coupons[]: the bytes end here"),
        (HEAD + b"\x01\x02", "coupons[]: the bytes end here"),
        (HEAD + b"\xff" * 9 + b"\x01" + b"\x02", "coupons[]: the bytes end here"),
        (HEAD + b"\x02" + ENDLESS, "coupons[]: a length beyond the end"),
        (HEAD + b"\x02\x01", "coupons[]: a negative length"),
        (b"\xff" * 30, "order_id: a number that does not end"),
        (b"\x02A\x01", "event_id: a union branch"),
        (b"\x02A\x04", "event_id: a union branch"),
        (b"\x02A\x02\x04\xc3\x28" + b"\x00" * 90, "event_id: text that is not UTF-8"),
        (b"\x02A\x00\x02\x06", "state: a symbol"),
        (b"\x02A\x00\x02\x01", "state: a symbol"),
    ],
)
def test_names_field_path(value: bytes, detail: str) -> None:
    """A refusal says at which field the bytes stopped making sense."""
    assert Reason.UNDECODABLE == refusal(value).reason
    assert detail in refusal(value).detail


def test_refuses_json() -> None:
    """JSON on an Avro topic is named as what it is."""
    assert "looks like JSON" in refusal(b'{"order_id": "A-1001"}').detail


@pytest.mark.parametrize("schema_id", [0, 1, 7, 255, 2**32 - 1])
def test_refuses_prefix_as_bare(schema_id: int) -> None:
    """A prefixed value is no bare event: its first byte would be the length of an empty order id."""
    assert refusal(prefixed(schema_id, GOOD)).reason in {Reason.UNDECODABLE, Reason.INVALID_EVENT}


def test_never_tells_values() -> None:
    """No refusal holds any of the customer's data."""
    for end in range(len(GOOD)):
        detail = refusal(GOOD[:end]).detail

        assert not any(word in detail for word in ("jane", "Jane", "Brien", "203.0", "SW1A", "2079"))


def test_refuses_impossible_date() -> None:
    """A birth date beyond every calendar is refused with its field."""
    schema = avsc("order")
    customer = next(entry for entry in schema["fields"] if entry["name"] == "customer")
    birth = next(entry for entry in customer["type"]["fields"] if entry["name"] == "birth_date")
    birth["type"] = ["null", "int"]
    order = full_order()
    order["customer"]["birth_date"] = 2**31 - 1

    assert "customer.birth_date: a date" in refusal(encode(order, schema)).detail


def test_refuses_huge_amount() -> None:
    """An amount of more bytes than a decimal can hold exactly is refused at once."""
    value = b"\x02A\x00" + b"\x80\xf8\xd6\xc5\xd4f" + b"\x00\x00\x00\x00" + b"\x02" + b"\x80\x10" + b"\x7f" * 1024

    assert "value: an amount of more than 11 bytes" == refusal(value).detail


@pytest.mark.parametrize("items", ["null", "boolean", "double", {"type": "fixed", "name": "F", "size": 4}, "string"])
@pytest.mark.parametrize("kind", ["array", "map"])
def test_skips_endless_counts_fast(kind: str, items: object) -> None:
    """A count without an end in a field that nobody reads ends as soon as the bytes do."""
    schema = avsc("order")
    schema["fields"].insert(0, {"name": "extra", "type": {"type": kind, "items": items, "values": items}})
    reader = reader_of(schema)
    assert isinstance(reader, Reader)
    began = time.perf_counter()
    read = decode(record(prefixed(7, ENDLESS)), reader)

    assert isinstance(read, Refusal)
    assert time.perf_counter() - began < 0.2


def test_survives_endless_nesting() -> None:
    """A writer's schema that holds itself cannot exhaust the stack."""
    schema = avsc("order")
    node = {"type": "record", "name": "Node", "fields": [{"name": "next", "type": ["null", "Node"]}]}
    schema["fields"].insert(0, {"name": "extra", "type": node})
    reader = reader_of(schema)
    assert isinstance(reader, Reader)

    assert "extra: values nested too deep" == refusal(prefixed(7, b"\x02" * 500_000), reader).detail


def test_skips_hollow_records_fast() -> None:
    """Records that hold each other twice on every level, and no byte, cost nothing to skip."""
    schema = avsc("order")
    hollow: dict[str, object] = {"type": "record", "name": "Hollow0", "fields": []}
    schema["fields"].insert(0, {"name": "level_0", "type": hollow})
    for level in range(1, 40):
        halves = [{"name": name, "type": f"Hollow{level - 1}"} for name in ("left", "right")]
        hollow = {"type": "record", "name": f"Hollow{level}", "fields": halves}
        schema["fields"].insert(level, {"name": f"level_{level}", "type": hollow})
    reader = reader_of(schema)
    assert isinstance(reader, Reader)
    began = time.perf_counter()

    assert isinstance(decode(record(prefixed(7, GOOD)), reader), Event)
    assert time.perf_counter() - began < 0.2


def test_refuses_union_of_one_type_twice() -> None:
    """A writer's union that names one record again and again is no Avro, and is not compiled again and again."""
    schema = avsc("order")
    customer = next(entry for entry in schema["fields"] if entry["name"] == "customer")
    customer["type"] = [customer["type"], *["Customer"] * 300]
    read = reader_of(schema)

    assert isinstance(read, Refusal)
    assert "$.customer: a union holds each type once" in read.detail


@pytest.mark.parametrize("size", [600, 20_000])
def test_refuses_union_of_too_many_types(size: int) -> None:
    """A writer's union of thousands of types is refused where ours has a field; in one that nobody reads it is fine."""
    types = [{"type": "fixed", "name": f"F{index}", "size": 1} for index in range(size)]
    schema = avsc("order")
    schema["fields"].append({"name": "unread", "type": types})
    read = reader_of(schema)
    assert isinstance(read, Reader)
    assert isinstance(decode(record(prefixed(7, GOOD + b"\x00x")), read), Event)
    event_id = next(entry for entry in schema["fields"] if entry["name"] == "event_id")
    event_id["type"] = ["null", "string", *types]
    schema["fields"].pop()
    refused = reader_of(schema)

    assert isinstance(refused, Refusal)
    assert "event_id: a union of more than 500 types" in refused.detail


def test_reads_blocks_with_sizes() -> None:
    """An array in several blocks, some with their size in bytes, reads as one."""
    order = full_order() | {"coupons": []}
    at = encode(order, avsc("order")).index(b"\x00\x04\x0aSKU-1")
    plain = encode(order, avsc("order"))
    split = plain[:at] + b"\x02\x04W1" + b"\x03\x0c\x04S2\x04X3" + b"\x00" + plain[at + 1 :]
    read = decode(record(split), READERS["order"])

    assert isinstance(read, Event)
    assert ["W1", "S2", "X3"] == read.body["coupons"]  # type: ignore[typeddict-item]
