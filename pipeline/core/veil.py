"""What may be shown of a customer: the outline of a value, in place of the value.

Fields that the contract marks as personal (`pii` in the schemas) are hidden wherever they turn up: as they were
written, as a rule left them, and inside longer texts. Hashes are shown.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from typing import Final
from unicodedata import category

from pipeline.core.avro.schema import Record, Union
from pipeline.core.masking import mask

LONGEST: Final = 40
"""Characters of an outline at most."""

# A shorter value is found in any text by chance; it is only hidden where it stands alone.
_TELLING: Final = 4


def outline(text: str) -> str:
    """Return the shape of a text: `a` for a letter, `9` for a digit, punctuation as it is, at most 40 characters."""
    shape = "".join(map(_sign, text[:LONGEST]))
    return shape if len(text) <= LONGEST else f"{shape[: LONGEST - 1]}…"


def personal(body: Mapping[str, object], schema: Record) -> Iterator[str]:
    """Yield every text of `body` that its schema marks as personal; dates as ISO 8601."""
    for field in schema.fields:
        value = body[field.name]
        inner = field.type.branches[-1] if isinstance(field.type, Union) else field.type
        if isinstance(inner, Record) and isinstance(value, Mapping):
            yield from personal(value, inner)
        elif field.pii and value is not None:
            yield from map(_text, value if isinstance(value, list) else [value])


def outlined(document: Mapping[str, object], schema: Record) -> dict[str, object]:
    """Return an event in the JSON form, with an outline for every text that its schema marks as personal."""
    shown: dict[str, object] = {}
    for field in schema.fields:
        value = document[field.name]
        inner = field.type.branches[-1] if isinstance(field.type, Union) else field.type
        if isinstance(inner, Record) and isinstance(value, Mapping):
            shown[field.name] = outlined(value, inner)
        elif field.pii:
            shown[field.name] = [outline(str(one)) for one in value] if isinstance(value, list) else _outline(value)
        else:
            shown[field.name] = NOBODY.json(value)
    return shown


class Veil:
    """Hides the values in `hidden` and shows those in `shown`, whatever else they are."""

    def __init__(self, hidden: Iterable[str], shown: Collection[str] = ()) -> None:
        folded = {text.strip().casefold() for text in hidden} - {""}
        self._hidden = frozenset(folded)
        self._telling = tuple(sorted(text for text in folded if len(text) >= _TELLING))
        self._shown = frozenset(shown)

    def text(self, text: str) -> str:
        """Return `text`, or its outline where it is, or holds, a hidden value."""
        if text in self._shown:
            return text
        folded = text.strip().casefold()
        if folded in self._hidden or any(hidden in folded for hidden in self._telling):
            return outline(text)
        return mask(text)

    def json(self, value: object) -> object:
        """Return a JSON value with every text and every whole number in it looked at; names of fields stay."""
        match value:
            case str():
                return self.text(value)
            case bool():
                return value
            case int():
                return outline(str(value)) if str(value) in self._hidden else value
            case list():
                return [self.json(one) for one in value]
            case dict():
                return {name: self.json(inner) for name, inner in value.items()}
            case _:
                return value


NOBODY: Final = Veil(())
"""Hides nobody's values in particular, only what looks like a credential, an e-mail address or a phone number."""


def _outline(value: object) -> str | None:
    return None if value is None else outline(str(value))


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _sign(char: str) -> str:
    if char.isascii() and char.isprintable() and not char.isalnum():
        return char
    kind = category(char)[0]
    return {"L": "a", "M": "a", "N": "9", "Z": " "}.get(kind, "?")
