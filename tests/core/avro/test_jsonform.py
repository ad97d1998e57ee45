"""The JSON form of the contract becomes an event, or a list of everything that is wrong with it."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import pytest
from avro_events import CONTRACT, FULL, READERS, full_order, record
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.avro.encode import Encoder
from pipeline.core.avro.jsonform import FieldFault, from_json, to_json
from pipeline.core.contract import Kind
from pipeline.core.decode import decode
from pipeline.core.model import Event
from pipeline.edge.schema_files import KINDS, sample, schema_texts

ORDER = CONTRACT.schemas["order"]
MINIMAL = {"order_id": "A-1", "occurred_at": "2025-11-21T08:00:00Z"}


def faults(**change: object) -> list[str]:
    """Return the faults of a minimal order with a change, as lines."""
    return [fault.line for fault in from_json(MINIMAL | change, ORDER).faults]


@pytest.mark.parametrize("minimal", [False, True], ids=["full", "minimal"])
@pytest.mark.parametrize("kind", KINDS)
def test_samples_decode(kind: Kind, minimal: bool) -> None:
    """Every published sample converts, encodes and decodes to itself."""
    converted = from_json(json.loads(sample(kind, minimal=minimal)), CONTRACT.schemas[kind])
    assert () == converted.faults
    event = decode(record(Encoder(schema_texts()[kind]).encode(converted.event)), READERS[kind])

    assert isinstance(event, Event)
    assert converted.event == event.body


def test_fills_defaults() -> None:
    """A minimal order has every field, nested ones too."""
    event = from_json(MINIMAL, ORDER).event

    assert [entry.name for entry in ORDER.fields] == list(event)
    assert ("PLACED", [], None, "OTHER") == tuple(event[name] for name in ("state", "items", "app", "action_source"))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2025-11-21T08:00:00Z", 1_763_712_000_000),
        ("2025-11-21T09:00:00.250+01:00", 1_763_712_000_250),
        (1_763_712_000_000, 1_763_712_000_000),
    ],
)
def test_reads_times(given: object, expected: int) -> None:
    """A time is ISO 8601 with an offset, or milliseconds."""
    assert expected == from_json(MINIMAL | {"occurred_at": given}, ORDER).event["occurred_at"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [("129.90", "129.90"), (129.9, "129.9"), (40, "40"), ("-5", "-5"), ("1e2", "100"), (None, None)],
)
def test_reads_amounts(given: object, expected: str | None) -> None:
    """An amount is a text or a number, and exact."""
    converted = from_json(MINIMAL | {"value": given, "currency": "EUR"}, ORDER)

    assert () == converted.faults
    assert (None if expected is None else Decimal(expected)) == converted.event["value"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"order_id": 1001}, ["order_id: is a number; write a text"]),
        ({"order_id": " "}, ["order_id: is empty"]),
        ({"occurred_at": "2025-11-21T08:00:00"}, ["occurred_at: has no offset from UTC"]),
        ({"occurred_at": "yesterday"}, ["occurred_at: is no time"]),
        ({"occurred_at": 1_763_712_000}, ["occurred_at: is too small for milliseconds"]),
        ({"occurred_at": True}, ["occurred_at: is true or false"]),
        ({"value": "12,50"}, ["value: is no amount"]),
        ({"value": "1.00001"}, ["value: has more than 4 decimals"]),
        ({"value": "123456789012345"}, ["value: is too large"]),
        ({"value": "9"}, ["currency: is missing"]),
        ({"value": "9", "currency": "euro"}, ["currency: is not an ISO 4217 code"]),
        ({"state": "placed"}, ["state: is none of the allowed words; did you mean PLACED?"]),
        ({"custmer": {}}, ["custmer: is no field of the contract; did you mean customer?"]),
        ({"customer": {"emails": "a"}}, ["customer.emails: is a text; write a list"]),
        ({"customer": {"birth_date": "16.2.1997"}}, ["customer.birth_date: is no date"]),
        ({"customer": {"emails": ["a", None]}}, ["customer.emails[1]: is null"]),
        ({"items": [{"id": "x"}, {"quantity": 1.5}]}, ["items[1].id: is missing", "items[1].quantity: is no whole"]),
        ({"consent": {"limited_data_use": "yes"}}, ["consent.limited_data_use: is a text; write true or false"]),
        ({"app": {}}, ["app.os: is missing"]),
    ],
)
def test_names_every_fault(change: dict[str, object], expected: list[str]) -> None:
    """Each fault says which field, what is wrong and what to write."""
    found = faults(**change)

    assert len(expected) == len(found)
    assert [True] * len(expected) == [line.startswith(begin) for line, begin in zip(found, expected, strict=True)]


@pytest.mark.parametrize("value", [None, [], "x", 7, True])
def test_refuses_other_json(value: object) -> None:
    """An event is an object."""
    assert "(event)" == from_json(value, ORDER).faults[0].path


def test_faults_hold_no_value() -> None:
    """A fault never repeats what was written."""
    lines = faults(customer={"emails": "jane@example.com", "birth_date": "Jane"}, value="jane", state="jane")

    assert 4 == len(lines)
    assert not any("jane" in line.lower() for line in lines)


@pytest.mark.parametrize("kind", KINDS)
def test_round_trips(kind: Kind) -> None:
    """An event in its JSON form reads as the same event."""
    schema, event = CONTRACT.schemas[kind], FULL[kind]()
    text = json.dumps(to_json(event, schema))

    assert event == from_json(json.loads(text), schema).event


def test_shows_plain_json() -> None:
    """Times, dates and amounts are shown as people write them."""
    shown = to_json(full_order() | {"value": Decimal("1E+2")}, ORDER)

    assert isinstance(shown, dict)
    assert ("2025-11-21T08:00:00.000Z", "100") == (shown["occurred_at"], shown["value"])
    assert date(1990, 5, 17).isoformat() == shown["customer"]["birth_date"]


@pytest.mark.parametrize("milliseconds", [253_402_300_800_000, 2**63 - 1, -(2**63)])
def test_shows_times_beyond_the_calendar(milliseconds: int) -> None:
    """A time that no calendar has, which Avro can carry, is shown as its milliseconds."""
    shown = to_json(full_order() | {"occurred_at": milliseconds}, ORDER)

    assert isinstance(shown, dict)
    assert milliseconds == shown["occurred_at"]


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_refuses_hours_outside_of_utc(text: str) -> None:
    """A time in the calendar of its own offset, and in none of UTC, is no time: it could not be shown again."""
    assert ["occurred_at: is no time"] == [line.partition(";")[0] for line in faults(occurred_at=text)]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([entry.name for entry in ORDER.fields]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON)
def test_survives_any_json(value: object) -> None:
    """Whatever the JSON is, the answer is an event that encodes, or faults."""
    converted = from_json(value, ORDER)

    assert all(isinstance(fault, FieldFault) for fault in converted.faults)
    if not converted.faults:
        assert Encoder(schema_texts()["order"]).encode(converted.event)
