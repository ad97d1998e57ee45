"""Events written with other versions of the schema read as ours, or are refused by name."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import fastavro
import pytest
from avro_events import (
    CONTRACT,
    FULL,
    READERS,
    avsc,
    encode,
    field,
    full_activity,
    full_lead,
    full_order,
    reader_of,
    record,
)
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.avro.schema import SchemaText
from pipeline.core.contract import Kind
from pipeline.core.decode import Reader, compile_reader, decode
from pipeline.core.model import Event, Refusal
from pipeline.core.reason import Reason
from pipeline.core.wire import prefixed
from pipeline.edge.schema_files import KINDS, schema_folder

Schema = dict[str, Any]
HISTORY = sorted((schema_folder() / "history").glob("*/*.avsc"))


def read(schema: Schema, event: dict[str, Any]) -> Event | Refusal:
    """Read an event that was written with `schema`."""
    reader = reader_of(schema)
    assert isinstance(reader, Reader), reader
    got = decode(record(prefixed(7, encode(event, schema))), reader)
    assert isinstance(got, (Event, Refusal))
    return got


def body(schema: Schema, event: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of an event that was written with `schema`."""
    got = read(schema, event)
    assert isinstance(got, Event), got
    return dict(got.body)


def test_ignores_added_fields() -> None:
    """Fields that a newer writer added are skipped, whatever their type."""
    schema, order = avsc("order"), full_order()
    every = ["string", "long", "boolean", "float", "double", "bytes", "null", {"type": "map", "values": "int"}]
    for index, kind in enumerate(every):
        schema["fields"].insert(index * 2, {"name": f"new{index}", "type": kind})
    new = {"new0": "x" * 300, "new1": -5, "new2": True, "new3": 1.5, "new4": 2.5, "new5": b"\0\1", "new6": None}

    assert order == body(schema, order | new | {"new7": {"a": 1, "b": 2}})


def test_fills_dropped_fields() -> None:
    """Fields that an older writer did not have get our defaults, all of them."""
    schema = avsc("order")
    schema["fields"] = [entry for entry in schema["fields"] if entry["name"] in {"order_id", "occurred_at"}]
    got = body(schema, {"order_id": "A-1", "occurred_at": 1_763_712_000_000})
    expected = {entry["name"]: entry.get("default") for entry in avsc("order")["fields"]}

    assert expected | {"order_id": "A-1", "occurred_at": 1_763_712_000_000} == got


def test_reads_reordered_fields() -> None:
    """The order of fields is the writer's business."""
    schema = avsc("order")
    # Named types are defined where they stand first, which reversing the outer record keeps.
    schema["fields"].reverse()

    assert full_order() == body(schema, full_order())


def test_promotes_int_time() -> None:
    """A plain long is taken for milliseconds, and a required field may have been nullable or not."""
    schema, order = avsc("order"), full_order()
    field(schema, "occurred_at")["type"] = "long"
    field(schema, "value")["type"] = {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}
    del field(schema, "value")["default"]

    assert order == body(schema, order)


def test_reads_other_scale() -> None:
    """A decimal of another scale keeps its value exactly."""
    schema, order = avsc("order"), full_order() | {"value": Decimal("12.345678")}
    field(schema, "value")["type"][1]["scale"] = 6

    assert Decimal("12.345678") == body(schema, order)["value"]


@pytest.mark.parametrize(
    ("path", "expected"), [("action_source", "OTHER"), ("consent.ad_user_data", "DENIED"), ("customer.type", "UNKNOWN")]
)
def test_unknown_symbol_is_default(path: str, expected: str) -> None:
    """A symbol that we do not know reads as the enum's default; of consent that is no consent."""
    schema, order = avsc("order"), full_order()
    field(schema, path)["type"]["symbols"].append("BRAND_NEW")
    outer, _, inner = path.partition(".")
    (order[outer] if inner else order)[inner or outer] = "BRAND_NEW"
    got = body(schema, order)

    assert expected == (got[outer][inner] if inner else got[outer])


def test_unknown_state_costs_itself_only() -> None:
    """An order state that we do not know is refused by name; its siblings of the same schema are read."""
    schema = avsc("order")
    field(schema, "state")["type"]["symbols"].append("SHIPPED")
    got = read(schema, full_order() | {"state": "SHIPPED"})

    assert isinstance(got, Refusal)
    assert Reason.SCHEMA_INCOMPATIBLE == got.reason
    assert got.detail.startswith("state: a symbol that this reader does not know")
    assert full_order() == body(schema, full_order())


def _retype(path: str, kind: object) -> Callable[[Schema], None]:
    return lambda schema: field(schema, path).update(type=kind)


def _drop(path: str) -> Callable[[Schema], None]:
    return lambda schema: schema["fields"].remove(field(schema, path))


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        (_drop("order_id"), "order_id is required"),
        (_drop("occurred_at"), "occurred_at is required"),
        (_retype("order_id", "long"), "order_id was written as long and is read as string"),
        (
            _retype("occurred_at", {"type": "long", "logicalType": "timestamp-micros"}),
            "occurred_at was written as timestamp-micros and is read as timestamp-millis",
        ),
        (_retype("value", "double"), "value was written as double"),
        (_retype("coupons", "string"), "coupons was written as string and is read as array"),
        (_retype("customer", "string"), "customer was written as string and is read as record Customer"),
        (
            lambda schema: field(schema, "customer.emails").update(type={"type": "array", "items": "int"}),
            "customer.emails[] was written as int",
        ),
        (lambda schema: schema.update(name="Invoice"), "named capi.events.v1.Invoice"),
    ],
)
def test_names_incompatible_field(change: Callable[[Schema], None], detail: str) -> None:
    """A schema that cannot be resolved is refused once, with the field and the rule."""
    schema = avsc("order")
    change(schema)
    got = reader_of(schema)

    assert isinstance(got, Refusal)
    assert Reason.SCHEMA_INCOMPATIBLE == got.reason
    assert detail in got.detail


def test_null_in_required_costs_itself_only() -> None:
    """Where a writer made a required field nullable, only its nulls are refused."""
    schema = avsc("order")
    field(schema, "order_id")["type"] = ["null", "string"]
    got = read(schema, full_order() | {"order_id": None})

    assert isinstance(got, Refusal)
    assert "order_id: was written as null and is read as string" == got.detail
    assert full_order() == body(schema, full_order())


@pytest.mark.parametrize("change", [{"namespace": "com.acme.shop"}, {"name": "Bestellung", "aliases": ["Order"]}])
def test_accepts_other_names(change: dict[str, Any]) -> None:
    """A record is an order by its unqualified name or by an alias."""
    assert full_order() == body(avsc("order") | change, full_order())


@pytest.mark.parametrize("kind", KINDS)
def test_topic_decides_unknown_name(kind: Kind) -> None:
    """A record of a name that nobody knows is what the settings say of its topic."""
    reader = reader_of(avsc(kind) | {"name": "Anfrage"}, kind=kind)

    assert isinstance(reader, Reader)
    assert kind == reader.kind


@pytest.mark.parametrize("kind", ["lead", "activity"])
def test_name_beats_topic(kind: Kind) -> None:
    """A lead or an activity on the topic of orders is still one."""
    reader = reader_of(avsc(kind), kind="order")

    assert isinstance(reader, Reader)
    assert kind == reader.kind


def test_refuses_unknown_step() -> None:
    """An activity of a name that only its producer knows is refused, and the others of that producer are read."""
    schema = avsc("activity")
    field(schema, "name")["type"]["symbols"].append("WATCH_VIDEO")
    got = read(schema, full_activity() | {"name": "WATCH_VIDEO"})

    assert isinstance(got, Refusal)
    assert (Reason.SCHEMA_INCOMPATIBLE, True) == (got.reason, got.detail.startswith("name: a symbol"))
    assert full_activity() == body(schema, full_activity())


def test_reads_references() -> None:
    """A schema may refer to others that the registry keeps apart."""
    schema = avsc("order")
    customer = copy.deepcopy(field(schema, "customer")["type"]) | {"namespace": "capi.events.v1"}
    field(schema, "customer")["type"] = "capi.events.v1.Customer"
    text = SchemaText(json.dumps(schema), (json.dumps(customer),))
    reader = compile_reader(text, CONTRACT, 7)
    assert isinstance(reader, Reader)
    got = decode(record(prefixed(7, encode(full_order(), avsc("order")))), reader)

    assert isinstance(got, Event)
    assert full_order() == got.body


@pytest.mark.parametrize(
    "text", ["", "{", "7", '"string"', '{"type": "record"}', "[" * 5000, '{"type": "Nowhere"}', "[]"]
)
def test_survives_any_schema(text: str) -> None:
    """A registry that hands out nonsense costs a refusal, not the worker."""
    assert isinstance(compile_reader(SchemaText(text), CONTRACT, 7), Refusal)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda x: (
            st.lists(x)
            | st.dictionaries(
                st.sampled_from(["type", "name", "fields", "items", "symbols", "namespace", "size", "default"]), x
            )
        ),
    )
)
def test_survives_any_json(schema: object) -> None:
    """Whatever JSON a registry hands out, compiling ends with a reader or a refusal."""
    try:
        text = json.dumps(schema)
        text.encode()
    except UnicodeEncodeError:
        return

    assert isinstance(compile_reader(SchemaText(text), CONTRACT, 7, "order"), (Reader, Refusal))


TEXT = st.none() | st.text(max_size=80)
MONEY = st.none() | st.decimals(min_value=-(10**13), max_value=10**13, places=4)
ITEM = st.fixed_dictionaries(
    {
        "id": st.text(max_size=20),
        "title": TEXT,
        "brand": TEXT,
        "category": TEXT,
        "quantity": st.integers(-(2**31), 2**31 - 1),
        "unit_price": MONEY,
    }
)


@given(
    st.text(min_size=1).filter(str.strip),
    MONEY,
    st.lists(ITEM, max_size=3),
    st.lists(st.text(max_size=200), max_size=70),
    st.integers(10**11 + 1, 10**14 - 1),
    TEXT,
)
def test_agrees_with_fastavro(
    order_id: str, value: Decimal | None, items: list[Any], coupons: list[str], occurred_at: int, title: str | None
) -> None:
    """What fastavro wrote, our reader reads as fastavro does."""
    order = full_order() | {"order_id": order_id, "value": value, "tax": value, "items": items, "coupons": coupons}
    order |= {"occurred_at": occurred_at, "store": title}
    raw = encode(order, avsc("order"))
    theirs = fastavro.schemaless_reader(io.BytesIO(raw), avsc("order"), None)
    ours = decode(record(raw), READERS["order"])

    assert isinstance(ours, Event)
    assert isinstance(theirs, dict)
    assert order == ours.body
    assert {name: theirs[name] for name in ("value", "items", "coupons", "customer")} == {
        name: dict(ours.body)[name] for name in ("value", "items", "coupons", "customer")
    }


@pytest.mark.parametrize("path", HISTORY, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_reads_what_history_wrote(path: Path) -> None:
    """An event of any earlier version reads as ours; what that version did not know has its default."""
    schema = json.loads(path.read_text())
    kind = next(kind for kind in KINDS if kind == path.parent.name)
    known = {entry["name"] for entry in schema["fields"]}
    later = {entry["name"]: entry["default"] for entry in avsc(kind)["fields"] if entry["name"] not in known}
    written = {name: value for name, value in FULL[kind]().items() if name in known}

    assert written | later == body(schema, written)


def test_lead_reads_from_bare_history() -> None:
    """A lead without the fields of later versions reads with their defaults."""
    schema = avsc("lead")
    schema["fields"] = [entry for entry in schema["fields"] if entry["name"] != "google_lead_id"]

    assert full_lead() == body(schema, {k: v for k, v in full_lead().items() if k != "google_lead_id"})
