"""An Avro schema as a tree of plain nodes: what compatibility, reading and the JSON form all walk.

Covers Avro 1.12's whole schema language as far as reading and skipping need it: a writer may use any type.
Invariant: a parsed tree is complete (every name is resolved to its node) and never changes after `parse` returned it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import orjson

Json = bool | int | float | str | list["Json"] | dict[str, "Json"] | None

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
PRIMITIVES = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})


class SchemaError(ValueError):
    """The text is no Avro schema; says where and which rule of the specification it breaks."""


@dataclass(frozen=True, slots=True)
class SchemaText:
    """A schema as a registry or a file holds it: JSON text, and the texts it refers to, in order of need.

    `language` is a registry's word for what it is: AVRO, JSON or PROTOBUF.
    """

    text: str
    references: tuple[str, ...] = ()
    language: str = "AVRO"


@dataclass(frozen=True, slots=True)
class Primitive:
    """One of Avro's eight primitive types, with its logical type and, for decimals, precision and scale."""

    kind: str
    logical: str = ""
    precision: int = 0
    scale: int = 0


@dataclass(slots=True, eq=False)
class Fixed:
    """A run of `size` bytes."""

    name: str
    aliases: tuple[str, ...]
    size: int


@dataclass(slots=True, eq=False)
class Enum:
    """One of `symbols`; `default` stands for a writer's symbol that is not among them."""

    name: str
    aliases: tuple[str, ...]
    symbols: tuple[str, ...]
    default: str | None
    doc: str


@dataclass(slots=True, eq=False)
class Array:
    """Any number of items."""

    items: Type


@dataclass(slots=True, eq=False)
class Map:
    """Values by text key."""

    values: Type


@dataclass(slots=True, eq=False)
class Union:
    """One of several types; the wire says which."""

    branches: tuple[Type, ...]


@dataclass(slots=True, eq=False)
class Field:
    """One field of a record. `default` counts only where `has_default`; `pii` is our class of personal data or ""."""

    name: str
    type: Type
    has_default: bool
    default: Json
    aliases: tuple[str, ...]
    doc: str
    pii: str


@dataclass(slots=True, eq=False)
class Record:
    """Named fields in the order of the wire. `fields` is filled while parsing, because a record may hold itself.

    `weighty` are the types of those fields that take bytes: what skipping has to look at. None while parsing.
    """

    name: str
    aliases: tuple[str, ...]
    doc: str
    fields: list[Field] = field(default_factory=list)
    weighty: tuple[Type, ...] | None = None


Named = Record | Enum | Fixed
Type = Primitive | Fixed | Enum | Array | Map | Union | Record


def parse(schema: SchemaText) -> Type:
    """Return the tree of `schema`. Raises SchemaError, whatever the text is."""
    if schema.language != "AVRO":
        raise SchemaError(f"it is {schema.language!r:.40}, and the contract is Avro")
    names: dict[str, Named] = {}
    try:
        for text in schema.references:
            _type(orjson.loads(text), "", names, "$")
        return _type(orjson.loads(schema.text), "", names, "$")
    except orjson.JSONDecodeError as error:
        raise SchemaError(f"the schema is not JSON (line {error.lineno}, column {error.colno})") from None
    except RecursionError:
        raise SchemaError("the schema is nested too deep") from None


def short(name: str) -> str:
    """Return a name without its namespace."""
    return name.rpartition(".")[2]


def kind_of(node: Type) -> str:
    """Return the word for a type that messages use: `string`, `timestamp-millis`, `enum OrderState`, ..."""
    match node:
        case Primitive():
            return node.logical or node.kind
        case Union():
            return "union of " + ", ".join(kind_of(branch) for branch in node.branches)
        case Record() | Enum() | Fixed():
            return f"{type(node).__name__.lower()} {short(node.name)}"
        case Array() | Map():
            return type(node).__name__.lower()


def _type(json: Json, space: str, names: dict[str, Named], path: str) -> Type:
    if isinstance(json, str):
        return _reference(json, space, names, path)
    if isinstance(json, list):
        branches = tuple(_type(branch, space, names, f"{path}[{index}]") for index, branch in enumerate(json))
        if not branches or any(isinstance(branch, Union) for branch in branches):
            raise SchemaError(f"{path}: a union holds at least one type and never a union")
        if len({_identity(branch) for branch in branches}) < len(branches):
            # Else a short schema could name one long record again and again, on every level.
            raise SchemaError(f"{path}: a union holds each type once")
        return Union(branches)
    if not isinstance(json, dict):
        raise SchemaError(f"{path}: a schema is a name, a list or an object")
    return _object(json, space, names, path)


def _object(json: Mapping[str, Json], space: str, names: dict[str, Named], path: str) -> Type:
    kind = json.get("type")
    if not isinstance(kind, str):
        return _type(kind, space, names, path)
    if kind in PRIMITIVES:
        return _primitive(kind, json)
    if kind == "array":
        return Array(_type(json.get("items"), space, names, path + "[]"))
    if kind == "map":
        return Map(_type(json.get("values"), space, names, path + "{}"))
    if kind in {"record", "error", "enum", "fixed"}:
        return _named(kind, json, space, names, path)
    return _reference(kind, space, names, path)


def _reference(name: str, space: str, names: Mapping[str, Named], path: str) -> Type:
    if name in PRIMITIVES:
        return Primitive(name)
    found = names.get(name if "." in name or not space else f"{space}.{name}") or names.get(name)
    if found is None:
        raise SchemaError(f"{path}: the type {name!r:.100} is not defined before its use")
    return found


def _primitive(kind: str, json: Mapping[str, Json]) -> Primitive:
    logical, precision, scale = json.get("logicalType"), json.get("precision"), json.get("scale", 0)
    if not isinstance(logical, str):
        return Primitive(kind)
    if logical != "decimal":
        return Primitive(kind, logical)
    # The specification: a logical type that makes no sense is ignored, and the plain type stays.
    if kind != "bytes" or not isinstance(precision, int) or not isinstance(scale, int) or not 0 <= scale <= precision:
        return Primitive(kind)
    return Primitive(kind, logical, precision, scale)


def _named(kind: str, json: Mapping[str, Json], space: str, names: dict[str, Named], path: str) -> Named:
    name, own = json.get("name"), json.get("namespace", space)
    if not isinstance(name, str) or not isinstance(own, str) or not _NAME.fullmatch(name):
        raise SchemaError(f"{path}: {kind} has no name of letters, digits and underscores")
    full = name if "." in name or not own else f"{own}.{name}"
    inner = full.rpartition(".")[0]
    if full in names:
        raise SchemaError(f"{path}: {full} is defined twice")
    aliases = tuple(text if "." in text or not inner else f"{inner}.{text}" for text in _texts(json, "aliases", path))
    node: Named
    if kind == "enum":
        default = json.get("default")
        symbols = _texts(json, "symbols", path)
        node = Enum(full, aliases, symbols, default if isinstance(default, str) else None, _text(json, "doc"))
    elif kind == "fixed":
        size = json.get("size")
        if not isinstance(size, int) or size < 0:
            raise SchemaError(f"{path}: {full} has no size")
        node = Fixed(full, aliases, size)
    else:
        node = Record(full, aliases, _text(json, "doc"))
    names[full] = node
    if isinstance(node, Record):
        node.fields.extend(_fields(json.get("fields"), inner, names, path))
        node.weighty = tuple(entry.type for entry in node.fields if _takes_bytes(entry.type))
    return node


def _identity(node: Type) -> str:
    """Return what two branches of a union may not have in common: the name, or for a type without one its kind."""
    if isinstance(node, Primitive):
        return node.kind
    return node.name if isinstance(node, Named) else type(node).__name__


def _takes_bytes(node: Type) -> bool:
    """Say whether a value of `node` takes any byte; a record that is still being parsed does."""
    match node:
        case Primitive():
            return node.kind != "null"
        case Fixed():
            return node.size > 0
        case Record():
            return node.weighty != ()
        case _:
            return True


def _fields(json: Json, space: str, names: dict[str, Named], path: str) -> Sequence[Field]:
    if not isinstance(json, list):
        raise SchemaError(f"{path}: a record has a list of fields")
    fields = []
    for entry in json:
        name = entry.get("name") if isinstance(entry, dict) else None
        if not isinstance(entry, dict) or not isinstance(name, str) or not _NAME.fullmatch(name):
            raise SchemaError(f"{path}: a field has no name of letters, digits and underscores")
        below = f"{path}.{name}"
        node = _type(entry.get("type"), space, names, below)
        aliases = _texts(entry, "aliases", below)
        doc, pii = _text(entry, "doc"), _text(entry, "pii")
        fields.append(Field(name, node, "default" in entry, entry.get("default"), aliases, doc, pii))
    return fields


def _text(json: Mapping[str, Json], key: str) -> str:
    value = json.get(key)
    return value if isinstance(value, str) else ""


def _texts(json: Mapping[str, Json], key: str, path: str) -> tuple[str, ...]:
    value = json.get(key, [])
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise SchemaError(f"{path}: {key} is a list of names")
    texts = tuple(text for text in value if isinstance(text, str))
    if not all(_NAME.fullmatch(text) for text in texts):
        raise SchemaError(f"{path}: {key} are made of letters, digits and underscores")
    return texts
