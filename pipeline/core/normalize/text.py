"""What all fields share: invisible characters, white space, case, Unicode form, and the words that mean "empty".

Invariant: text that leaves this module is NFC, has no invisible characters and no surrounding white space.
Nearly all values are plain ASCII and take the first branch of each function, where Unicode tables play no part.
"""

from __future__ import annotations

import re
from typing import Final
from unicodedata import category, normalize

SENTINELS: Final = frozenset({"null", "none", "undefined", "n/a", "unknown", "-"})
"""What programs write where they have nothing to write, in lower case."""

_EMPTY: Final = SENTINELS | {""}

# Soft hyphen, zero-width and bidi controls, variation selectors of all blocks; lone surrogates cannot be encoded.
_INVISIBLE: Final = re.compile(
    "[\u00ad\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\U000e0100-\U000e01ef\ud800-\udfff]"
)
_NOT_LETTERS: Final = re.compile("[^a-z]+")
_NOT_LETTERS_OR_DIGITS: Final = re.compile("[^0-9a-z]+")


def clean(raw: str) -> str:
    """Remove what nobody sees: invisible characters and surrounding Unicode white space. Case stays; NFC."""
    if raw.isascii():
        return raw.strip()
    return normalize("NFC", _INVISIBLE.sub("", raw)).strip()


def folded(raw: str) -> str:
    """Clean and lower-case; "" for a sentinel.

    `str.lower`, not `casefold`: ß stays ß, as the platforms' own pages have it.
    """
    text = composed(clean(raw).lower())
    return "" if text in SENTINELS else text


def composed(text: str) -> str:
    """NFC: equal text in equal bytes. Last of all, because lower-casing and deletions can undo it."""
    return text if text.isascii() else normalize("NFC", text)


def is_empty(raw: str) -> bool:
    """Whether nothing is written here: blank, invisible or a sentinel."""
    return not folded(raw)


def words(raw: str) -> str | None:
    """Letters, marks and digits of any script in lower case, nothing between them; None if no letter or digit."""
    if raw.isascii() and raw.isalnum():
        text = raw.lower()
    else:
        text = folded(raw)
        text = _NOT_LETTERS_OR_DIGITS.sub("", text) if text.isascii() else _of_classes(text, "LMN")
    return None if text in _EMPTY else text


def letters(raw: str) -> str | None:
    """Letters and marks of any script in lower case, nothing between them; None if there is no letter."""
    if raw.isascii() and raw.isalpha():
        text = raw.lower()
    else:
        text = folded(raw)
        text = _NOT_LETTERS.sub("", text) if text.isascii() else _of_classes(text, "LM")
    return None if text in _EMPTY else text


def _of_classes(text: str, classes: str) -> str:
    """Keep the characters of these Unicode general categories; "" when all that stays is marks."""
    if text.isalpha():
        return text
    kept = [(char, kind) for char in text if (kind := category(char)[0]) in classes]
    if all(kind == "M" for _, kind in kept):
        return ""
    return composed("".join(char for char, _ in kept))
