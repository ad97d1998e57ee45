"""The bytes of one fuzzing input, read as arguments: any bytes give some, and no bytes give the plainest ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

Option = TypeVar("Option")


class Draws:
    """Takes arguments from the front of `data`; what is not there reads as zero, false or empty."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def chunk(self, size: int) -> bytes:
        """Return the next `size` bytes, or as many as there are."""
        taken = self._data[self._at : self._at + size]
        self._at += len(taken)
        return taken

    def rest(self) -> bytes:
        """Return every byte that is left."""
        return self.chunk(len(self._data))

    def whole(self, most: int) -> int:
        """Return a number from 0 to `most`."""
        if most < 256:
            return self._byte() % (most + 1)
        size = (most.bit_length() + 7) // 8
        return int.from_bytes(self.chunk(size), "big") % (most + 1)

    def integer(self, size: int) -> int:
        """Return a signed number of at most `size` bytes."""
        return int.from_bytes(self.chunk(size), "big", signed=True)

    def chance(self, one_in: int) -> bool:
        """Return true once in `one_in` values of a byte; false when nothing is left."""
        return self._byte() % one_in == one_in - 1

    def pick(self, options: Sequence[Option]) -> Option:
        """Return one of `options`; the first when nothing is left."""
        drawn = self._byte() if len(options) <= 256 else self.whole(65_535)
        return options[drawn % len(options)]

    def blob(self) -> bytes:
        """Return up to 255 bytes, whose number is drawn first."""
        return self.chunk(self._byte())

    def text(self) -> str:
        """Return a blob as the text that a decoder would give: no lone surrogates."""
        return self.blob().decode(errors="replace")

    def wild_text(self) -> str:
        """Return a blob as text; a byte that is no UTF-8 becomes a lone surrogate."""
        return self.blob().decode(errors="surrogateescape")

    def _byte(self) -> int:
        at = self._at
        if at >= len(self._data):
            return 0
        self._at = at + 1
        return self._data[at]
