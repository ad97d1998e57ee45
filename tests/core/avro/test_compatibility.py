"""Which schemas can be read with which, by Avro's rules of resolution and ours for logical types."""

from __future__ import annotations

import json

import pytest

from pipeline.core.avro.compatibility import Incompatible, incompatibilities
from pipeline.core.avro.schema import SchemaText, Type, parse

MILLIS = {"type": "long", "logicalType": "timestamp-millis"}
MICROS = {"type": "long", "logicalType": "timestamp-micros"}
DAY = {"type": "int", "logicalType": "date"}


def money(precision: int, scale: int) -> dict[str, object]:
    """Return a decimal."""
    return {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale}


def enum(*symbols: str, **more: object) -> dict[str, object]:
    """Return an enum."""
    return {"type": "enum", "name": "E", "symbols": list(symbols)} | more


def holder(kind: object, **more: object) -> Type:
    """Return a record with a field `f` of a type."""
    field = {"name": "f", "type": kind} | more
    return parse(SchemaText(json.dumps({"type": "record", "name": "R", "fields": [field]})))


@pytest.mark.parametrize(
    ("writer", "reader"),
    [
        ("int", "long"),
        ("int", "double"),
        ("string", "bytes"),
        ("bytes", "string"),
        ("long", MILLIS),
        ("int", DAY),
        (MILLIS, "long"),
        (money(12, 2), money(18, 4)),
        ("string", ["null", "string"]),
        (["null", "string"], ["string", "null"]),
        (enum("A"), enum("A", "B")),
        (enum("A", "Z"), enum("A", default="A")),
        ({"type": "array", "items": "int"}, {"type": "array", "items": "long"}),
        ({"type": "map", "values": "int"}, {"type": "map", "values": "long"}),
        ({"type": "fixed", "name": "F", "size": 4}, {"type": "fixed", "name": "F", "size": 4}),
        ({"type": "string", "logicalType": "uuid"}, "string"),
        ({"type": "fixed", "name": "Old", "size": 4}, {"type": "fixed", "name": "F", "aliases": ["Old"], "size": 4}),
    ],
)
def test_reads(writer: object, reader: object) -> None:
    """The reader can read all of it."""
    assert () == incompatibilities(holder(writer), holder(reader))


@pytest.mark.parametrize(
    ("writer", "reader", "expected"),
    [
        ("long", "int", Incompatible("f", "was written as long and is read as int")),
        ("string", MILLIS, Incompatible("f", "was written as string and is read as timestamp-millis")),
        (MICROS, MILLIS, Incompatible("f", "was written as timestamp-micros and is read as timestamp-millis")),
        ("bytes", money(18, 4), Incompatible("f", "was written as bytes and is read as decimal")),
        (money(18, 4), "string", Incompatible("f", "was written as decimal and is read as string")),
        (money(30, 4), money(18, 4), Incompatible("f", "was written as decimal and is read as decimal")),
        (
            ["null", "int"],
            ["null", "string"],
            Incompatible("f", "was written as int and is read as union of null, string", partial=True),
        ),
        (
            enum("A", "Z"),
            enum("A"),
            Incompatible("f", "enum E has no default and does not know Z", partial=True),
        ),
        (
            {"type": "array", "items": "string"},
            {"type": "array", "items": "int"},
            Incompatible("f[]", "was written as string and is read as int"),
        ),
        (
            {"type": "map", "values": "string"},
            {"type": "map", "values": "int"},
            Incompatible("f{}", "was written as string and is read as int"),
        ),
        (
            {"type": "fixed", "name": "F", "size": 4},
            {"type": "fixed", "name": "F", "size": 5},
            Incompatible("f", "was written as fixed F and is read as fixed F"),
        ),
        (
            {"type": "record", "name": "A", "fields": []},
            {"type": "record", "name": "B", "fields": []},
            Incompatible("f", "was written as record A and is read as record B"),
        ),
    ],
)
def test_names_what_it_cannot_read(writer: object, reader: object, expected: Incompatible) -> None:
    """What cannot be read is named by path and rule, and by whether all values meet it."""
    assert (expected,) == incompatibilities(holder(writer), holder(reader))


def test_new_field_needs_default() -> None:
    """A field that the writer did not have is read by its default, or not at all."""
    empty = parse(SchemaText('{"type": "record", "name": "R", "fields": []}'))

    assert () == incompatibilities(empty, holder("int", default=1))
    assert (Incompatible("f", "is required and the writer's schema does not have it"),) == incompatibilities(
        empty, holder("int")
    )


def test_renamed_field_has_alias() -> None:
    """A field is found under its alias."""
    old = parse(SchemaText('{"type": "record", "name": "R", "fields": [{"name": "old", "type": "int"}]}'))

    assert () == incompatibilities(old, holder("int", aliases=["old"]))


def test_schemas_that_hold_themselves() -> None:
    """Comparing schemas that hold themselves ends."""
    node = {"type": "record", "name": "Node", "fields": [{"name": "next", "type": ["null", "Node"]}]}

    assert () == incompatibilities(parse(SchemaText(json.dumps(node))), parse(SchemaText(json.dumps(node))))
