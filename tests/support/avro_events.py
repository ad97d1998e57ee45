"""Events on the wire for tests, written by fastavro: an implementation that is not ours."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import fastavro

from pipeline.core.avro.schema import SchemaText
from pipeline.core.contract import Kind
from pipeline.core.decode import Contract, Reader, bundled_reader, compile_reader
from pipeline.core.model import Record, Refusal
from pipeline.edge.schema_files import KINDS, load_contract, schema_folder

CONTRACT: Contract = load_contract()
READERS: dict[Kind, Reader] = {kind: bundled_reader(CONTRACT, kind) for kind in KINDS}


def avsc(kind: Kind) -> dict[str, Any]:
    """Return our own schema, to be changed at will."""
    schema: dict[str, Any] = json.loads((schema_folder() / f"{kind}.avsc").read_text())
    return schema


def full_order() -> dict[str, Any]:
    """Return an order with every customer field and two items."""
    order = _filled("order")
    order |= {"value": Decimal("129.90"), "tax": Decimal("20.74"), "shipping": Decimal("4.9"), "discount": Decimal(10)}
    for item in order["items"]:
        item["unit_price"] = Decimal(item["unit_price"])
    order["customer"]["birth_date"] = date(1990, 5, 17)
    order["customer"]["facebook_login_id"] = None
    return order


def full_lead() -> dict[str, Any]:
    """Return a lead with everything that the sample has."""
    return _filled("lead") | {"value": Decimal(40)}


def full_activity() -> dict[str, Any]:
    """Return an activity with everything that the sample has, and what was searched for before."""
    activity = _filled("activity") | {"query": "wool scarf"}
    activity |= {"value": Decimal("39.80"), "predicted_value": Decimal(240)}
    for item in activity["items"]:
        item["unit_price"] = Decimal(item["unit_price"])
    return activity


FULL: Mapping[Kind, Callable[[], dict[str, Any]]] = {
    "order": full_order,
    "lead": full_lead,
    "activity": full_activity,
}


def encode(event: dict[str, Any], schema: dict[str, Any]) -> bytes:
    """Return `event` as bare Avro of `schema`."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(copy.deepcopy(schema)), event, strict_allow_default=True)
    return out.getvalue()


def record(value: bytes | None, *headers: tuple[str, bytes | None]) -> Record:
    """Return a record that holds `value`."""
    return Record("orders", 0, 7, b"A-1001", value, headers, 1_763_712_000_000)


def reader_of(schema: dict[str, Any], ref: int | bytes | None = 7, kind: Kind | None = None) -> Reader | Refusal:
    """Compile a writer's schema against the contract."""
    return compile_reader(SchemaText(json.dumps(schema)), CONTRACT, ref, kind)


def field(schema: dict[str, Any], path: str) -> dict[str, Any]:
    """Return the field at `path` (`customer.emails`) of a record schema."""
    head, _, rest = path.partition(".")
    found = next(entry for entry in schema["fields"] if entry["name"] == head)
    return field(found["type"], rest) if rest else found


def _filled(kind: Kind) -> dict[str, Any]:
    event = json.loads((schema_folder() / "samples" / f"{kind}.json").read_text())
    event["occurred_at"] = 1_763_712_000_000
    event["consent"]["recorded_at"] = 1_763_690_000_000
    return _with_defaults(event, avsc(kind))


def _with_defaults(event: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    filled = {}
    for entry in schema["fields"]:
        name, kind = entry["name"], entry["type"]
        value = event[name] if name in event else copy.deepcopy(entry["default"])
        if isinstance(kind, dict) and kind["type"] == "record":
            value = _with_defaults(value, kind)
        elif isinstance(kind, dict) and kind["type"] == "array" and isinstance(kind["items"], dict):
            value = [_with_defaults(item, kind["items"]) for item in value]
        filled[name] = value
    return filled
