"""Compiles a writer's schema and ours into one function from bytes to a plain `dict`.

Resolution (renamed, added, dropped and reordered fields, defaults, enum symbols) happens once, here.
What is left for each event is straight-line Python: it reads an order in half the time of a generic Avro library,
is as fast when the writer's schema is older than ours, and refuses what such a library lets pass (a negative union
branch, a count without an end).
Supports as *reader* the types that the contract uses; a *writer* may hold any type in fields that we do not read.

Invariant: no text of a writer's schema becomes source code. Only our own field names do; all else is bound as a value.
Invariant: times come out as the integer that was sent, decimals as exact `Decimal`, dates as `date`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from types import TracebackType
from typing import cast

from pipeline.core.avro.binary import UnreadableError, block, length, skip, varint
from pipeline.core.avro.compatibility import incompatibilities, reader_branch, writer_field
from pipeline.core.avro.schema import (
    Array,
    Enum,
    Field,
    Json,
    Primitive,
    Record,
    SchemaError,
    Type,
    Union,
    kind_of,
)
from pipeline.core.reason import Reason

Body = dict[str, object]
_FILE = "<compiled Avro reader>"
# The proleptic ordinal of 1970-01-01, from which Avro counts days.
_EPOCH_DAY = date(1970, 1, 1).toordinal()
# Decimals of up to this many bytes are exact in Python's default context of 28 digits.
_DECIMAL_BYTES = 11
# Each branch of a union is nested one deeper in the source, and Python's parser ends long before its own limits do.
_MOST_BRANCHES = 500


class RecordReader:
    """Reads one writer's records as ours. `read` is made by `compile_record`; `where` explains what it raised."""

    __slots__ = ("_paths", "read", "source")

    def __init__(self, read: Callable[[bytes, int], Body], paths: tuple[str, ...], source: str) -> None:
        # (value, position of the first Avro byte) -> fields. Raises UnreadableError, IndexError, KeyError,
        # ValueError or OverflowError for bytes that are not what the writer's schema says.
        self.read = read
        self.source = source
        self._paths = paths

    def where(self, trace: TracebackType | None) -> str:
        """Return the field path at which `read` raised, or "" when the trace does not tell."""
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == _FILE:
                return self._paths[trace.tb_lineno - 1]
            trace = trace.tb_next
        return ""


def compile_record(writer: Record, reader: Record) -> RecordReader:
    """Return the function that reads what `writer` wrote as `reader`.

    Call it only when `incompatibilities(writer, reader)` has nothing but partial entries; those values raise
    UnreadableError. Raises SchemaError when `reader` uses a type that the contract may not use.
    """
    program = _Program()
    target = program.record(writer, reader, "    ", "")
    program.say("    ", "if p != len(b):", "")
    program.say(
        "    ", "    raise Unreadable('bytes after the event' if p < len(b) else 'the bytes end too early')", ""
    )
    program.say("    ", f"return {target}", "")
    source = "\n".join(program.lines) + "\n"
    exec(compile(source, _FILE, "exec"), program.names)  # noqa: S102 - our own text: see the first invariant
    read = cast("Callable[[bytes, int], Body]", program.names["read"])
    return RecordReader(read, tuple(program.paths), source)


class _Program:
    """The source under construction: `b` is the record's value, `p` the position, `n` and `e` are scratch."""

    def __init__(self) -> None:
        self.lines = ["def read(b, p):"]
        self.paths = [""]
        self.names: dict[str, object] = {
            "Decimal": Decimal,
            "Unreadable": UnreadableError,
            "block": block,
            "day": date.fromordinal,
            "length": length,
            "number": int.from_bytes,
            "skip": skip,
            "truth": {0: False, 1: True},
            "varint": varint,
        }
        self._count = 0

    def say(self, pad: str, line: str, path: str) -> None:
        self.lines.append(pad + line)
        self.paths.append(path)

    def fresh(self, letter: str) -> str:
        self._count += 1
        return f"{letter}{self._count}"

    def bind(self, value: object) -> str:
        name = self.fresh("k")
        self.names[name] = value
        return name

    def record(self, writer: Record, reader: Record, pad: str, path: str) -> str:
        """Write the reading of a record; return the local that holds it."""
        wanted = {id(source): entry for entry in reader.fields if (source := writer_field(writer, entry))}
        values = {entry.name: literal(entry.default, entry.type) for entry in reader.fields if entry.has_default}
        for source in writer.fields:
            entry = wanted.get(id(source))
            if entry is None:
                below = f"{path}.{source.name}" if path else source.name
                self.say(pad, f"p = skip({self.bind(source.type)}, b, p)", below)
                continue
            below = f"{path}.{entry.name}" if path else entry.name
            values[entry.name] = local = self.fresh("v")
            self.value(source.type, entry.type, pad, local, below)
        local = self.fresh("v")
        pairs = ", ".join(f"{entry.name!r}: {values[entry.name]}" for entry in reader.fields)
        self.say(pad, f"{local} = {{{pairs}}}", path)
        return local

    def value(self, writer: Type, reader: Type, pad: str, local: str, path: str) -> None:
        """Write the reading of one value into `local`."""
        if isinstance(writer, Union):
            self._union(writer, reader, pad, local, path)
            return
        chosen = reader_branch(writer, reader)
        if isinstance(writer, Record) and isinstance(chosen, Record):
            self.say(pad, f"{local} = {self.record(writer, chosen, pad, path)}", path)
        elif isinstance(writer, Array) and isinstance(chosen, Array):
            self._array(writer, chosen, pad, local, path)
        elif isinstance(writer, Enum) and isinstance(chosen, Enum):
            self._enum(writer, chosen, pad, local, path)
        elif isinstance(writer, Primitive) and isinstance(chosen, Primitive):
            self._primitive(writer, chosen, pad, local, path)
        else:
            raise SchemaError(f"{path}: the contract cannot hold {kind_of(reader)}")

    def _union(self, writer: Union, reader: Type, pad: str, local: str, path: str) -> None:
        if len(writer.branches) > _MOST_BRANCHES:
            raise SchemaError(f"{path}: a union of more than {_MOST_BRANCHES} types")
        self._first(pad, path)
        for index, branch in enumerate(writer.branches):
            self.say(pad, f"{'elif' if index else 'if'} n == {2 * index}:", path)
            broken = [fault for fault in incompatibilities(branch, reader, path) if not fault.partial]
            if broken:
                self._refuse(pad + "    ", broken[0].rule, broken[0].path)
            else:
                self.value(branch, reader, pad + "    ", local, path)
        self.say(pad, "else:", path)
        self.say(pad, '    raise Unreadable("a union branch that the writer\'s schema does not have")', path)

    def _array(self, writer: Array, reader: Array, pad: str, local: str, path: str) -> None:
        count, inner = self.fresh("c"), pad + "    "
        self.say(pad, f"{local} = []", path)
        self.say(pad, "while b[p]:", path)
        self._first(inner, path)
        self.say(inner, f"{count}, p = block(b, p, n) if n & 129 else (n, p)", path)
        self.say(inner, f"for _ in range({count} >> 1):", path)
        item = self.fresh("v")
        before = self.fresh("c")
        self.say(inner, f"    {before} = p", path)
        self.value(writer.items, reader.items, inner + "    ", item, path + "[]")
        self.say(inner, f"    if p == {before}:", path)
        self.say(inner, "        raise Unreadable('items that take no bytes')", path)
        self.say(inner, f"    {local}.append({item})", path)
        self.say(pad, "p += 1", path)

    def _enum(self, writer: Enum, reader: Enum, pad: str, local: str, path: str) -> None:
        known = {
            2 * index: symbol if symbol in reader.symbols else reader.default
            for index, symbol in enumerate(writer.symbols)
            if symbol in reader.symbols or reader.default is not None
        }
        strange = frozenset(range(0, 2 * len(writer.symbols), 2)) - known.keys()
        self._number(pad, path, 32)
        if strange:
            self.say(pad, f"if n in {self.bind(strange)}:", path)
            self._refuse(pad + "    ", "a symbol that this reader does not know, and has no default for", path)
        self.say(pad, f"{local} = {self.bind(known)}[n]", path)

    def _primitive(self, writer: Primitive, reader: Primitive, pad: str, local: str, path: str) -> None:
        if reader.logical == "decimal":
            self._decimal(writer, pad, local, path)
        elif reader.kind == "null":
            self.say(pad, f"{local} = None", path)
        elif reader.kind == "boolean":
            self.say(pad, f"{local} = truth[b[p]]", path)
            self.say(pad, "p += 1", path)
        elif reader.kind in {"int", "long"}:
            self._number(pad, path, 32 if writer.kind == "int" else 64)
            whole = "(n >> 1) ^ -(n & 1)"
            self.say(
                pad,
                f"{local} = day(({whole}) + {_EPOCH_DAY})" if reader.logical == "date" else f"{local} = {whole}",
                path,
            )
        elif reader.kind == "string":
            self._length(pad, path)
            self.say(pad, f"{local} = b[p:e].decode()", path)
            self.say(pad, "p = e", path)
        else:
            raise SchemaError(f"{path}: the contract cannot hold {kind_of(reader)}")

    def _decimal(self, writer: Primitive, pad: str, local: str, path: str) -> None:
        self._length(pad, path)
        self.say(pad, f"if n > {2 * _DECIMAL_BYTES}:", path)
        self.say(pad, f"    raise Unreadable('an amount of more than {_DECIMAL_BYTES} bytes')", path)
        self.say(pad, f"{local} = Decimal(number(b[p:e], 'big', signed=True)).scaleb({-writer.scale})", path)
        self.say(pad, "p = e", path)

    def _first(self, pad: str, path: str) -> None:
        self.say(pad, "n = b[p]", path)
        self.say(pad, "p += 1", path)

    def _number(self, pad: str, path: str, bits: int) -> None:
        self._first(pad, path)
        self.say(pad, "if n > 127:", path)
        self.say(pad, f"    n, p = varint(b, p, n, {bits})", path)

    def _length(self, pad: str, path: str) -> None:
        self._first(pad, path)
        self.say(pad, "if n & 129:", path)
        self.say(pad, "    n, p = length(b, p, n)", path)
        self.say(pad, "e = p + (n >> 1)", path)

    def _refuse(self, pad: str, rule: str, path: str) -> None:
        self.say(pad, f"raise Unreadable({self.bind(rule)}, {self.bind(Reason.SCHEMA_INCOMPATIBLE)})", path)


def literal(default: Json, node: Type) -> str:
    """Return source for a fresh copy of a field's default: no two events share a list.

    Raises SchemaError for a default that the contract may not use (an amount, a date).
    """
    if isinstance(node, Union):
        return literal(default, node.branches[0])
    if isinstance(node, Record) and isinstance(default, dict):
        return "{" + ", ".join(f"{entry.name!r}: {_field(default, entry)}" for entry in node.fields) + "}"
    if isinstance(node, Array) and isinstance(default, list):
        return "[" + ", ".join(literal(item, node.items) for item in default) + "]"
    if isinstance(node, Enum) and default in node.symbols:
        return repr(default)
    plain = isinstance(node, Primitive) and node.logical not in {"decimal", "date"}
    if plain and (default is None or isinstance(default, (bool, int, str))):
        return repr(default)
    raise SchemaError(f"the default of a field cannot be {default!r} for {kind_of(node)}")


def _field(default: dict[str, Json], entry: Field) -> str:
    if entry.name not in default and not entry.has_default:
        raise SchemaError(f"a default leaves out {entry.name}, which has no default of its own")
    return literal(default.get(entry.name, entry.default), entry.type)
