"""Records become events: the wire format, our own schemas, and the contract's own rules."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from avro_events import CONTRACT, FULL, READERS, avsc, encode, full_activity, full_lead, full_order, reader_of, record

from pipeline.core.contract import NAME_FIELDS, Kind
from pipeline.core.decode import bundled_reader, decode
from pipeline.core.model import Event, Refusal, Skipped
from pipeline.core.reason import Reason
from pipeline.core.rules import AMOUNTS
from pipeline.core.wire import lookup, payload_start, prefixed, schema_ref
from pipeline.edge.schema_files import KINDS

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


def test_reads_remaining_value() -> None:
    """What is left of an order after a refund comes out beside what was paid back."""
    refund = full_order() | {"state": "REFUNDED", "value": Decimal(40), "remaining_value": Decimal("89.90")}
    event = decode(record(encode(refund, avsc("order"))), READERS["order"])

    assert isinstance(event, Event)
    assert refund == event.body


def test_reads_full_lead() -> None:
    """Every field of a lead comes out as it went in."""
    event = decode(record(encode(full_lead(), avsc("lead"))), READERS["lead"])

    assert isinstance(event, Event)
    assert full_lead() == event.body
    assert "lead_submitted" == event.name


def test_reads_full_activity() -> None:
    """Every field of an activity comes out as it went in."""
    event = decode(record(encode(full_activity(), avsc("activity"))), READERS["activity"])

    assert isinstance(event, Event)
    assert full_activity() == event.body
    assert ("activity", "add_to_cart", "add_to_cart:V-501") == (event.kind, event.name, event.id)


@pytest.mark.parametrize(
    ("kind", "symbol", "expected"),
    [
        ("order", "PLACED", "order_placed:A-1001"),
        ("order", "REFUNDED", "order_refunded:A-1001"),
        ("order", "CANCELLED", "order_cancelled:A-1001"),
        ("lead", "SUBMITTED", "lead_submitted:L-77"),
        ("lead", "QUALIFIED", "lead_qualified:L-77"),
        ("lead", "CONVERTED", "lead_converted:L-77"),
        ("lead", "LOST", "lead_lost:L-77"),
        ("activity", "PAGE_VIEW", "page_view:V-501"),
        ("activity", "VIEW_CONTENT", "view_content:V-501"),
        ("activity", "SEARCH", "search:V-501"),
        ("activity", "ADD_TO_CART", "add_to_cart:V-501"),
        ("activity", "INITIATE_CHECKOUT", "initiate_checkout:V-501"),
        ("activity", "ADD_PAYMENT_INFO", "add_payment_info:V-501"),
        ("activity", "COMPLETE_REGISTRATION", "complete_registration:V-501"),
        ("activity", "SUBMIT_APPLICATION", "submit_application:V-501"),
        ("activity", "SUBSCRIBE", "subscribe:V-501"),
        ("activity", "START_TRIAL", "start_trial:V-501"),
        ("activity", "CONTACT", "contact:V-501"),
        ("activity", "SCHEDULE", "schedule:V-501"),
        ("activity", "CUSTOM", "custom:V-501"),
    ],
)
def test_derives_event_id(kind: Kind, symbol: str, expected: str) -> None:
    """An event without an id of its own gets one from its name and the id of the order, lead or activity."""
    event = FULL[kind]() | {NAME_FIELDS[kind]: symbol, "event_id": None}
    event |= {"custom_name": "quote-requested"} if symbol == "CUSTOM" else {}
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
    ("kind", "change", "detail"),
    [
        ("order", {"order_id": ""}, "order_id is empty"),
        ("order", {"order_id": " \t"}, "order_id is empty"),
        ("lead", {"lead_id": ""}, "lead_id is empty"),
        ("activity", {"activity_id": " "}, "activity_id is empty"),
        ("order", {"occurred_at": 1_763_712_000}, "was it sent in seconds"),
        ("order", {"occurred_at": -1}, "was it sent in seconds"),
        ("order", {"occurred_at": 1_763_712_000_000_000}, "was it sent in microseconds"),
        ("order", {"currency": None}, "currency is missing, and value is there"),
        ("order", {"currency": "EURO"}, "not an ISO 4217 code"),
        (
            "order",
            {"value": None, "remaining_value": Decimal(0), "currency": None},
            "currency is missing, and remaining_value is there",
        ),
        ("order", {"value": None, "remaining_value": Decimal(1), "currency": "EURO"}, "not an ISO 4217 code"),
        (
            "activity",
            {"value": None, "predicted_value": Decimal(0), "currency": None},
            "currency is missing, and predicted_value is there",
        ),
        ("activity", {"value": None, "predicted_value": Decimal(1), "currency": "EURO"}, "not an ISO 4217 code"),
        ("activity", {"name": "CUSTOM"}, "custom_name is empty, and name is CUSTOM"),
        ("activity", {"name": "CUSTOM", "custom_name": ""}, "custom_name is empty"),
        ("activity", {"name": "CUSTOM", "custom_name": " \t"}, "custom_name is empty"),
        ("activity", {"name": "CUSTOM", "custom_name": "x" * 41}, "custom_name is longer than 40 characters"),
        ("activity", {"name": "CUSTOM", "custom_name": "jane@example.com"}, "custom_name is longer than 40"),
        ("activity", {"name": "CUSTOM", "custom_name": "devis demandé"}, "custom_name is longer than 40"),
        ("activity", {"name": "CUSTOM", "custom_name": "quote\n"}, "custom_name is longer than 40"),
    ],
)
def test_refuses_broken_rule(kind: Kind, change: dict[str, Any], detail: str) -> None:
    """An event that breaks a rule of the contract is refused with the rule, never with the value."""
    read = decode(record(encode(FULL[kind]() | change, avsc(kind))), READERS[kind])

    assert isinstance(read, Refusal)
    assert Reason.INVALID_EVENT == read.reason
    assert detail in read.detail
    assert "jane" not in read.detail


@pytest.mark.parametrize("custom_name", ["x", "Quote requested", "a_b-C 9", "x" * 40])
def test_takes_custom_name(custom_name: str) -> None:
    """A custom step is named by its producer, in up to 40 plain characters."""
    activity = full_activity() | {"name": "CUSTOM", "custom_name": custom_name}
    read = decode(record(encode(activity, avsc("activity"))), READERS["activity"])

    assert isinstance(read, Event)
    assert activity == read.body


def test_reads_custom_name_of_custom_only() -> None:
    """A custom name beside one of our own names costs no event, whatever it is."""
    activity = full_activity() | {"name": "SEARCH", "custom_name": "é" * 50}

    assert isinstance(decode(record(encode(activity, avsc("activity"))), READERS["activity"]), Event)


@pytest.mark.parametrize("kind", KINDS)
def test_takes_no_value(kind: Kind) -> None:
    """An event without any amount needs no currency."""
    nothing = {name: None for name in ("currency", *AMOUNTS) if name in FULL[kind]()}
    read = decode(record(encode(FULL[kind]() | nothing, avsc(kind))), READERS[kind])

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
