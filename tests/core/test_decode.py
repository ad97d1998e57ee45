"""Records become events: the wire format, our own schemas, and the contract's own rules."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from avro_events import CONTRACT, READERS, avsc, encode, full_lead, full_order, reader_of, record

from pipeline.core.contract import Kind
from pipeline.core.decode import bundled_reader, decode
from pipeline.core.model import Event, Refusal, Skipped
from pipeline.core.reason import Reason
from pipeline.core.wire import lookup, payload_start, prefixed, schema_ref

GUID = bytes(range(16))


def test_reads_full_order() -> None:
    """Every field of a full order comes out as it went in."""
    event = decode(record(encode(full_order(), avsc("order"))), READERS["order"])

    assert isinstance(event, Event)
    assert full_order() == event.body
    assert ("order", "order_placed", "order_placed:A-1001", 1763712000.0, "bundled") == (
        event.kind,
        event.name,
        event.id,
        event.time,
        event.schema_id,
    )


def test_reads_full_lead() -> None:
    """Every field of a lead comes out as it went in."""
    event = decode(record(encode(full_lead(), avsc("lead"))), READERS["lead"])

    assert isinstance(event, Event)
    assert full_lead() == event.body
    assert "lead_submitted" == event.name


@pytest.mark.parametrize(
    ("kind", "state", "expected"),
    [
        ("order", "PLACED", "order_placed:A-1001"),
        ("order", "REFUNDED", "order_refunded:A-1001"),
        ("order", "CANCELLED", "order_cancelled:A-1001"),
        ("lead", "SUBMITTED", "lead_submitted:L-77"),
        ("lead", "QUALIFIED", "lead_qualified:L-77"),
        ("lead", "CONVERTED", "lead_converted:L-77"),
        ("lead", "LOST", "lead_lost:L-77"),
    ],
)
def test_derives_event_id(kind: Kind, state: str, expected: str) -> None:
    """An event without an id of its own gets one from its name and the order's or lead's id."""
    event = (full_order() if kind == "order" else full_lead()) | {"state": state, "event_id": None}
    read = decode(record(encode(event, avsc(kind))), READERS[kind])

    assert isinstance(read, Event)
    assert (expected, expected.partition(":")[0]) == (read.id, read.name)


def test_keeps_given_event_id() -> None:
    """The browser pixel's id is kept as it is."""
    read = decode(record(encode(full_order() | {"event_id": "px-9"}, avsc("order"))), READERS["order"])

    assert isinstance(read, Event)
    assert "px-9" == read.id


def test_skips_tombstone() -> None:
    """A record without a value holds no event and is skipped."""
    assert Skipped(Reason.TOMBSTONE) == decode(record(None), READERS["order"])


@pytest.mark.parametrize(
    ("value", "headers", "expected", "start"),
    [
        (b"\0\0\0\0\x07abc", (), 7, 5),
        (b"\0\xff\xff\xff\xffabc", (), 2**32 - 1, 5),
        (b"\x0cA-1001", (), None, 0),
        (b"\0\0\0", (), None, 0),
        (b"", (), None, 0),
        (None, (), None, 0),
        (b"\0\0\0\0\x07abc", (("__value_schema_id", b"\1" + GUID),), "00010203-0405-0607-0809-0a0b0c0d0e0f", 0),
        (b"abc", (("__value_schema_id", b"\0\0\0\0\x09"),), 9, 0),
        (b"\0\0\0\0\x07abc", (("__value_schema_id", b"\1short"),), 7, 5),
        (b"\0\0\0\0\x07abc", (("__value_schema_id", None), ("other", b"\1" + GUID)), 7, 5),
    ],
)
def test_finds_schema_reference(
    value: bytes | None, headers: tuple[tuple[str, bytes | None], ...], expected: int | str | None, start: int
) -> None:
    """The header wins over the prefix, and what is neither counts as bare Avro."""
    ref = schema_ref(record(value, *headers))

    assert expected == (None if ref is None else lookup(ref))
    assert start == payload_start(ref)


def test_reads_behind_prefix() -> None:
    """The event behind a prefix is read with the reader of that id, and says which schema it was."""
    value = prefixed(12, encode(full_order(), avsc("order")))
    read = decode(record(value), bundled_reader(CONTRACT, "order", schema_ref(record(value))))

    assert isinstance(read, Event)
    assert ("12", full_order()) == (read.schema_id, read.body)


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"order_id": ""}, "order_id is empty"),
        ({"order_id": " \t"}, "order_id is empty"),
        ({"occurred_at": 1_763_712_000}, "was it sent in seconds"),
        ({"occurred_at": -1}, "was it sent in seconds"),
        ({"occurred_at": 1_763_712_000_000_000}, "was it sent in microseconds"),
        ({"currency": None}, "currency is missing, and value is there"),
        ({"currency": "EURO"}, "not an ISO 4217 code"),
    ],
)
def test_refuses_broken_rule(change: dict[str, Any], detail: str) -> None:
    """An event that breaks a rule of the contract is refused with the rule, never with the value."""
    read = decode(record(encode(full_order() | change, avsc("order"))), READERS["order"])

    assert isinstance(read, Refusal)
    assert Reason.INVALID_EVENT == read.reason
    assert detail in read.detail


def test_takes_no_value() -> None:
    """A lead without value and currency is fine."""
    read = decode(record(encode(full_lead() | {"value": None, "currency": None}, avsc("lead"))), READERS["lead"])

    assert isinstance(read, Event)


@pytest.mark.parametrize("amount", ["0", "0.0001", "-5.5", "99999999999999.9999", "-99999999999999.9999"])
def test_keeps_amounts_exact(amount: str) -> None:
    """An amount is exactly what was sent, to the last of 18 digits."""
    read = decode(record(encode(full_order() | {"value": Decimal(amount)}, avsc("order"))), READERS["order"])

    assert isinstance(read, Event)
    assert Decimal(amount) == read.body["value"]


def test_shares_no_default() -> None:
    """Two events that leave out the customer do not share a list."""
    schema = avsc("order")
    schema["fields"] = [entry for entry in schema["fields"] if entry["name"] != "customer"]
    reader = reader_of(schema)
    assert not isinstance(reader, Refusal)
    value = prefixed(7, encode({k: v for k, v in full_order().items() if k != "customer"}, schema))
    first, second = decode(record(value), reader), decode(record(value), reader)

    assert isinstance(first, Event)
    assert isinstance(second, Event)
    assert first.body["customer"] == second.body["customer"]
    assert first.body["customer"]["emails"] is not second.body["customer"]["emails"]
