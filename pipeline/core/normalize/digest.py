"""SHA-256, and the values that already are one.

Invariant: the digest of the empty text never leaves this module, neither computed nor passed on.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Final

from pipeline.core.normalize.text import clean

HASH_LENGTH: Final = 64
"""Characters of a SHA-256 in hexadecimal: no shorter text can be a ready hash."""

_HEX: Final = re.compile("[0-9a-fA-F]{64}").fullmatch
_BUILT: Final = re.compile(r"([0-9a-fA-F]{64})\.(?:[0-9A-Za-z_-]{2}|[0-9A-Za-z_-]{8})").fullmatch
_OF_NOTHING: Final = sha256(b"").hexdigest()


def digest(text: str) -> str:
    """SHA-256 of the UTF-8 bytes, 64 lower-case hexadecimal digits. Raises ValueError for the empty text."""
    if not text:
        raise ValueError("refusing to hash an empty value: leave the key out instead")
    return sha256(text.encode()).hexdigest()


def ready_hash(raw: str) -> str | None:
    """Return the value in lower case if it already is a SHA-256 in hexadecimal, else None; it is never hashed twice.

    The hash of nothing is worth as much as nothing, and one with Meta's suffix is for Meta alone; neither is a text
    that may be hashed: "".
    """
    text = clean(raw)
    if not _HEX(text):
        return "" if _BUILT(text) else None
    text = text.lower()
    return "" if text == _OF_NOTHING else text


def ready_or_built_hash(raw: str) -> str | None:
    """As `ready_hash`, and a hash with the suffix of Meta's Parameter Builder is returned unchanged.

    The suffix is a dot and 2 or 8 characters of base64url (facebook/capi-param-builder); Meta reads it.
    """
    text = clean(raw)
    built = _BUILT(text)
    if built is None:
        return ready_hash(text)
    return "" if built[1].lower() == _OF_NOTHING else text
