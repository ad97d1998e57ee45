"""Avro's binary encoding below the level of a schema: numbers, lengths, blocks, and skipping what nobody reads.

Invariant: nothing here reads past the end, goes back, or takes longer than the bytes are long, whatever they say.
A count or a length is believed only as far as bytes are there.
"""

from __future__ import annotations

from pipeline.core.avro.schema import Array, Enum, Fixed, Map, Primitive, Record, Type, Union
from pipeline.core.reason import Reason

_SIZES = {"null": 0, "float": 4, "double": 8}


class UnreadableError(ValueError):
    """These bytes cannot be read. `detail` says which rule they break and never holds a value."""

    def __init__(self, detail: str, reason: Reason = Reason.UNDECODABLE) -> None:
        super().__init__(detail)
        self.detail = detail
        self.reason = reason


def varint(data: bytes, at: int, first: int, bits: int) -> tuple[int, int]:
    """Return the zig-zag number that began with byte `first`, still folded, and the position after it.

    `bits` is 32 for `int` and 64 for `long`. Raises UnreadableError when it is larger or does not end.
    """
    if first < 128:
        return first, at
    number, shift = first & 127, 7
    # No number of 64 bits is longer than ten bytes.
    for byte in data[at : at + 9]:
        number |= (byte & 127) << shift
        if byte < 128:
            if number >> bits:
                break
            return number, at + shift // 7
        shift += 7
    raise UnreadableError(f"a number that does not end, or is of more than {bits} bits")


def length(data: bytes, at: int, first: int) -> tuple[int, int]:
    """Return twice the length of a text that began with byte `first`, and the position of the text."""
    doubled, at = varint(data, at, first, 64)
    if doubled & 1:
        raise UnreadableError("a negative length")
    if at + (doubled >> 1) > len(data):
        raise UnreadableError("a length beyond the end of the bytes")
    return doubled, at


def block(data: bytes, at: int, first: int) -> tuple[int, int]:
    """Return twice the count of an array block that began with byte `first`, and the position of its first item.

    A negative count is followed by the block's size in bytes, which is not needed for reading.
    """
    folded, at = varint(data, at, first, 64)
    if not folded & 1:
        return folded, at
    _, at = varint(data, at + 1, data[at], 64)
    return folded + 1, at


def skip(node: Type, data: bytes, at: int) -> int:
    """Return the position after a value of type `node`. Raises UnreadableError, IndexError or RecursionError."""
    if isinstance(node, Record):
        for inner in node.weighty or ():
            at = skip(inner, data, at)
        return at
    if isinstance(node, Union):
        index, at = varint(data, at + 1, data[at], 64)
        if index & 1 or index >> 1 >= len(node.branches):
            raise UnreadableError("a union branch that the writer's schema does not have")
        return skip(node.branches[index >> 1], data, at)
    if isinstance(node, (Array, Map)):
        return _skip_blocks(node, data, at)
    if isinstance(node, Enum):
        return varint(data, at + 1, data[at], 32)[1]
    return _skip_plain(node, data, at)


def _skip_plain(node: Primitive | Fixed, data: bytes, at: int) -> int:
    if isinstance(node, Fixed):
        end = at + node.size
    elif node.kind in _SIZES:
        end = at + _SIZES[node.kind]
    elif node.kind == "boolean":
        end = at + 1
    elif node.kind in {"int", "long"}:
        end = varint(data, at + 1, data[at], 64)[1]
    else:
        doubled, begin = length(data, at + 1, data[at])
        end = begin + (doubled >> 1)
    if end > len(data):
        raise UnreadableError("a value beyond the end of the bytes")
    return end


def _skip_blocks(node: Array | Map, data: bytes, at: int) -> int:
    while True:
        doubled, at = block(data, at + 1, data[at])
        if not doubled:
            return at
        for _ in range(doubled >> 1):
            before = at
            if isinstance(node, Map):
                at = skip(Primitive("string"), data, at)
                at = skip(node.values, data, at)
            else:
                at = skip(node.items, data, at)
            if at == before:
                # Items of no bytes: the rest of the block takes none either, however many it claims.
                break
