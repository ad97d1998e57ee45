"""The Avro files are the contract: documented, classified, compatible with their history, equal to the Python types."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Literal, get_args, get_origin, get_type_hints

import fastavro
import pytest

from pipeline.core import contract
from pipeline.core.avro.compatibility import incompatibilities
from pipeline.core.avro.schema import Array, Enum, Field, Primitive, Record, SchemaText, Type, Union, parse
from pipeline.core.contract import Kind
from pipeline.core.decode import event_names
from pipeline.edge.schema_files import KINDS, schema_folder, schema_texts

CLASSES = {"email", "phone", "name", "gender", "birth_date", "place", "id", "network", "click_id", "cookie", "device"}
TYPES: dict[Kind, type] = {"order": contract.Order, "lead": contract.Lead, "activity": contract.Activity}
REQUIRED: dict[Kind, list[str]] = {
    "order": ["order_id", "occurred_at"],
    "lead": ["lead_id", "occurred_at"],
    "activity": ["activity_id", "occurred_at", "name"],
}
NOT_PERSONAL = set(
    """
    action_source activity_id ad_personalization ad_user_data app app_id app_name app_version brand category channel
    consent coupons crm currency custom_name customer discount event_id fbclid_seen_at form_id id instagram_account_id
    items lead_id limited_data_use messaging name occurred_at order_id os os_version page_id predicted_value producer
    quantity recorded_at remaining_value shipping state store tax title touch tracking_allowed type unit_price value
    whatsapp_business_account_id
    """.split()
)


def schema(kind: Kind) -> Record:
    """Return a parsed schema."""
    parsed = parse(schema_texts()[kind])
    assert isinstance(parsed, Record)
    return parsed


def history(kind: Kind) -> list[str]:
    """Return every version that ever was, oldest first."""
    return [path.read_text() for path in sorted((schema_folder() / "history" / kind).glob("*.avsc"))]


def walk(record: Record, path: str = "") -> Iterator[tuple[str, Field]]:
    """Give every field with its path, nested ones after theirs."""
    for entry in record.fields:
        yield path + entry.name, entry
        node = entry.type.branches[-1] if isinstance(entry.type, Union) else entry.type
        node = node.items if isinstance(node, Array) else node
        if isinstance(node, Record):
            yield from walk(node, path + entry.name + ".")


FIELDS = {f"{kind}.{path}": entry for kind in KINDS for path, entry in walk(schema(kind))}
EACH = pytest.mark.parametrize("entry", FIELDS.values(), ids=FIELDS.keys())


@EACH
def test_field_is_documented(entry: Field) -> None:
    """Every field says what it is; every leaf says how it looks, by an example."""
    nested = isinstance(entry.type, Record) or (
        isinstance(entry.type, Union) and isinstance(entry.type.branches[-1], Record)
    )

    assert entry.doc.endswith(".")
    assert nested or "Example: " in entry.doc


@EACH
def test_personal_data_is_classified(entry: Field) -> None:
    """Every field either has a known class of personal data or is listed as having none."""
    assert (entry.name in NOT_PERSONAL) == (entry.pii == "")
    assert entry.pii in CLASSES | {""}


@EACH
def test_nullable_defaults_to_null(entry: Field) -> None:
    """A nullable field puts null first and defaults to it."""
    if isinstance(entry.type, Union):
        assert Primitive("null") == entry.type.branches[0]
        assert (True, None, 2) == (entry.has_default, entry.default, len(entry.type.branches))


@EACH
def test_record_default_is_complete(entry: Field) -> None:
    """The default of a record names every field, so that it means the same in every library."""
    if isinstance(entry.type, Record):
        assert {inner.name: inner.default for inner in entry.type.fields} == entry.default


@pytest.mark.parametrize("kind", KINDS)
def test_types_equal_schema(kind: Kind) -> None:
    """The TypedDicts of `core.contract` have the schema's fields and types, neither more nor less."""
    assert _expected(schema(kind)) == _actual(TYPES[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_event_names_equal_schema(kind: Kind) -> None:
    """Our names of events are those that the schema's enum gives, in its order."""
    assert tuple(event_names(schema(kind), kind).values()) == contract.EVENTS_OF[kind]


def test_event_names_are_unique() -> None:
    """No two kinds share the name of an event: a name alone says what happened."""
    names = [name for kind in KINDS for name in contract.EVENTS_OF[kind]]

    assert sorted(set(names)) == sorted(names)


def test_activity_name_has_no_default() -> None:
    """A step that this reader does not know does not become another."""
    name = next(entry for entry in schema("activity").fields if entry.name == "name")

    assert isinstance(name.type, Enum)
    assert (None, False) == (name.type.default, name.has_default)


@pytest.mark.parametrize("kind", KINDS)
def test_newest_history_is_current(kind: Kind) -> None:
    """A change of the schema needs a new file in its history."""
    assert json.loads(history(kind)[-1]) == json.loads(schema_texts()[kind].text), (
        f"copy schemas/{kind}.avsc to schemas/history/{kind}/{len(history(kind)) + 1:04}.avsc"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_reads_whole_history(kind: Kind) -> None:
    """The current schema reads what every earlier one wrote."""
    for text in history(kind):
        assert () == incompatibilities(parse(SchemaText(text)), schema(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_whole_history_reads_it(kind: Kind) -> None:
    """Every earlier schema reads what the current one writes, so that a worker may be older than its publishers."""
    for text in history(kind):
        faults = incompatibilities(schema(kind), parse(SchemaText(text)))

        assert [] == [fault for fault in faults if not fault.partial]


@pytest.mark.parametrize("kind", KINDS)
def test_minimal_event(kind: Kind) -> None:
    """Only the id and the time are required, and of an activity its name."""
    required = [entry.name for entry in schema(kind).fields if not entry.has_default]

    assert REQUIRED[kind] == required


@pytest.mark.parametrize("kind", KINDS)
def test_id_comes_first(kind: Kind) -> None:
    """The first field is a text that may not be empty: so bare Avro never begins with the magic byte 0."""
    first = schema(kind).fields[0]

    assert (f"{kind}_id", Primitive("string")) == (first.name, first.type)


@pytest.mark.parametrize("kind", KINDS)
def test_another_library_takes_it(kind: Kind) -> None:
    """Fastavro accepts the file under its full name."""
    parsed = fastavro.parse_schema(json.loads(schema_texts()[kind].text))

    assert isinstance(parsed, dict)
    assert f"capi.events.v1.{kind.capitalize()}" == parsed["name"]


@pytest.mark.parametrize("kind", KINDS)
def test_shared_types_are_equal(kind: Kind) -> None:
    """Customer, touch, app, consent and what else the files repeat are the same in all of them."""
    order, other = ({entry.name: entry for entry in schema(one).fields} for one in ("order", kind))
    shared = set(order) & set(other) - {"state"}
    for name in shared:
        assert () == incompatibilities(order[name].type, other[name].type)
        assert () == incompatibilities(other[name].type, order[name].type)
        assert order[name].default == other[name].default

    assert get_type_hints(contract.Body).keys() <= shared


_PLAIN: dict[str, object] = {
    "string": str, "int": int, "long": int, "timestamp-millis": int, "decimal": Decimal, "date": date, "boolean": bool,
    "null": types.NoneType,
}  # fmt: skip


def _expected(node: Type) -> object:
    if isinstance(node, Record):
        return {entry.name: _expected(entry.type) for entry in node.fields}
    if isinstance(node, Enum):
        return frozenset(node.symbols)
    if isinstance(node, Array):
        return [_expected(node.items)]
    if isinstance(node, Union):
        return ("or null", _expected(node.branches[1]))
    assert isinstance(node, Primitive)
    return _PLAIN[node.logical or node.kind]


def _actual(hint: object) -> object:
    if typing.is_typeddict(hint):
        return {name: _actual(inner) for name, inner in get_type_hints(hint).items()}
    if get_origin(hint) is Literal:
        return frozenset(get_args(hint))
    if get_origin(hint) is list:
        return [_actual(get_args(hint)[0])]
    if get_origin(hint) in {types.UnionType, typing.Union}:
        inner = next(arg for arg in get_args(hint) if arg is not types.NoneType)
        return ("or null", _actual(inner))
    return hint
