"""Can what was written with one Avro schema be read with another? And if not: which field, by which rule.

Follows "Schema Resolution" of the Avro specification 1.12, with two rules of ours for logical types:
a time or a date must mean the same on both sides (a plain number is taken for the reader's meaning),
and a decimal may have any scale, because its value is read exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.core.avro.schema import Array, Enum, Field, Fixed, Map, Primitive, Record, Type, Union, kind_of, short

# A decimal of this many digits is still exact in Python's default context of 28.
MOST_DIGITS = 26
_PROMOTIONS = frozenset(
    {
        ("int", "long"), ("int", "float"), ("int", "double"), ("long", "float"), ("long", "double"),
        ("float", "double"), ("string", "bytes"), ("bytes", "string"),
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Incompatible:
    """One place where resolution fails: the reader's field path, and the rule.

    `partial` says that only some values meet it (a union branch, an enum symbol): the others can be read.
    """

    path: str
    rule: str
    partial: bool = False


def incompatibilities(writer: Type, reader: Type, path: str = "") -> tuple[Incompatible, ...]:
    """Return everything that keeps `reader` from reading what `writer` wrote; empty when it can read all of it."""
    found: dict[Incompatible, None] = {}
    _compare(writer, reader, path, found, set())
    return tuple(found)


def reader_branch(writer: Type, reader: Type) -> Type | None:
    """Return the part of `reader` that takes a value of `writer` (no union): itself, one branch of it, or None."""
    if not isinstance(reader, Union):
        return reader if _fits(writer, reader) else None
    same = (branch for branch in reader.branches if _same(writer, branch))
    near = (branch for branch in reader.branches if _fits(writer, branch))
    return next(same, None) or next(near, None)


def writer_field(writer: Record, wanted: Field) -> Field | None:
    """Return the writer's field that a reader's field takes its value from, by name, else by the reader's aliases."""
    by_name = {entry.name: entry for entry in writer.fields}
    return next((by_name[name] for name in (wanted.name, *wanted.aliases) if name in by_name), None)


def same_name(writer: Record | Enum | Fixed, reader: Record | Enum | Fixed) -> bool:
    """Say whether two named types are one: equal unqualified names, or the writer's is an alias of the reader's."""
    return short(writer.name) == short(reader.name) or any(
        alias in {writer.name, short(writer.name)} or short(alias) == short(writer.name) for alias in reader.aliases
    )


def _compare(
    writer: Type, reader: Type, path: str, found: dict[Incompatible, None], open_pairs: set[tuple[int, int]]
) -> None:
    if isinstance(writer, Union):
        for branch in writer.branches:
            _compare_branch(branch, reader, path, found, open_pairs)
        return
    chosen = reader_branch(writer, reader)
    if chosen is None:
        found[Incompatible(path, f"was written as {kind_of(writer)} and is read as {kind_of(reader)}")] = None
    elif isinstance(writer, Record) and isinstance(chosen, Record):
        pair = (id(writer), id(chosen))
        if pair not in open_pairs:
            _compare_records(writer, chosen, path, found, open_pairs | {pair})
    elif isinstance(writer, Array) and isinstance(chosen, Array):
        _compare(writer.items, chosen.items, path + "[]", found, open_pairs)
    elif isinstance(writer, Map) and isinstance(chosen, Map):
        _compare(writer.values, chosen.values, path + "{}", found, open_pairs)
    elif isinstance(writer, Enum) and isinstance(chosen, Enum) and chosen.default is None:
        strange = [symbol for symbol in writer.symbols if symbol not in chosen.symbols]
        if strange:
            rule = f"enum {short(chosen.name)} has no default and does not know {', '.join(strange)}"
            found[Incompatible(path, rule, partial=True)] = None


def _compare_branch(
    branch: Type, reader: Type, path: str, found: dict[Incompatible, None], open_pairs: set[tuple[int, int]]
) -> None:
    below: dict[Incompatible, None] = {}
    _compare(branch, reader, path, below, open_pairs)
    found.update({Incompatible(fault.path, fault.rule, partial=True): None for fault in below})


def _compare_records(
    writer: Record, reader: Record, path: str, found: dict[Incompatible, None], open_pairs: set[tuple[int, int]]
) -> None:
    for wanted in reader.fields:
        below = f"{path}.{wanted.name}" if path else wanted.name
        source = writer_field(writer, wanted)
        if source is not None:
            _compare(source.type, wanted.type, below, found, open_pairs)
        elif not wanted.has_default:
            found[Incompatible(below, "is required and the writer's schema does not have it")] = None


def _same(writer: Type, reader: Type) -> bool:
    """Say whether two types are equal without promotion, as far as choosing a union branch needs it."""
    if isinstance(writer, Primitive) and isinstance(reader, Primitive):
        return writer.kind == reader.kind and _same_meaning(writer, reader)
    return _fits(writer, reader)


def _fits(writer: Type, reader: Type) -> bool:
    if isinstance(writer, Primitive) and isinstance(reader, Primitive):
        kinds = writer.kind == reader.kind or (writer.kind, reader.kind) in _PROMOTIONS
        return kinds and _same_meaning(writer, reader)
    if type(writer) is not type(reader):
        return False
    if isinstance(writer, Fixed) and isinstance(reader, Fixed) and writer.size != reader.size:
        return False
    if isinstance(writer, (Record, Enum, Fixed)) and isinstance(reader, (Record, Enum, Fixed)):
        return same_name(writer, reader)
    return isinstance(writer, (Array, Map))


def _same_meaning(writer: Primitive, reader: Primitive) -> bool:
    """Say whether a number means the same on both sides: milliseconds are not microseconds, bytes are not money."""
    if "decimal" in (writer.logical, reader.logical):
        return writer.logical == reader.logical and writer.precision <= MOST_DIGITS
    if reader.kind in {"int", "long"} and reader.logical:
        return writer.logical in {"", reader.logical}
    return True
