"""Country, region, city and postal code.

There are few of each and many events, so callers may remember results (`MatchKey.remember`); only `country`, which
every event asks for at least once outside of any key, remembers by itself.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final
from unicodedata import category, decimal, normalize

from pipeline.core.normalize.countries import ALPHA_2
from pipeline.core.normalize.regions import CANADA, UNITED_STATES
from pipeline.core.normalize.text import clean, folded, is_empty, letters, words

_MARKS: Final = re.compile("[\u0300-\u036f]+")
_LONGEST_COUNTRY: Final = 64

# Countries that name their regions by two-letter codes which the platforms want.
_REGIONS: Final = {"us": UNITED_STATES, "ca": CANADA}
# The United States and what the United States Postal Service delivers to under codes of its own.
_ZIP: Final = frozenset({"us", "pr", "gu", "vi", "as", "mp"})
_ZIP_LENGTHS: Final = (5, 9)
# Letters and digits in groups, at least one digit: whatever else stands in this field is no postal code.
_WRITTEN_CODE: Final = re.compile(r"(?=[^0-9]*[0-9])[0-9A-Za-z]+(?:[ -][0-9A-Za-z]+){0,3}").fullmatch
_LONGEST_CODE: Final = 12
# An MD5 or a SHA-256: of use where a platform takes hashes, and no name of a place.
_HASH: Final = re.compile("(?:[0-9a-fA-F]{32}){1,2}").fullmatch
# No place is called so: an address, a phone number, a street with its postal code.
_AT_SIGN: Final = re.compile("[@\ufe6b\uff20]").search
_NUMBER: Final = re.compile("[0-9]{3}").search
_LONGEST_NAME: Final = 60
_NOT_ASCII_WORDS: Final = re.compile("[^0-9a-z]+")


def country(raw: str) -> str | None:
    """Return ISO 3166-1 alpha-2 in lower case, from alpha-2, alpha-3 or a common English name.

    `UK`, `U.S.` and names with or without accents are understood; anything unknown is left out.
    """
    return _country(raw) if len(raw) <= _LONGEST_COUNTRY else None


def country_in_capitals(raw: str) -> str | None:
    """As `country`, in upper case (Google's `regionCode`)."""
    code = country(raw)
    return None if code is None else code.upper()


def region(raw: str, country: str | None) -> str | None:
    """Return the two-letter code of a state or province in the United States and Canada; elsewhere as `city`.

    Codes, English and French names, and ISO 3166-2 (`US-CA`) are understood.
    A state that the country does not have is left out: its hash could only match by mistake.
    """
    text = letters(raw)
    codes = _REGIONS.get(country or "")
    if text is None or codes is None:
        return text
    key = _without_accents(text)
    return codes.get(key) or (codes.get(key[2:]) if len(key) == 4 and key[:2] == country else None)


def city(raw: str) -> str | None:
    """Return letters and marks of any script in lower case, nothing between them: `São Paulo` is `sãopaulo`."""
    return letters(raw)


def city_in_clear(raw: str) -> str | None:
    """Return ASCII letters and digits in lower case, nothing between them: `São Paulo` is `sopaulo` (TikTok).

    What is a hash is left out, because the platform reads the name itself; so is what has no ASCII letter.
    So is what was filled in by mistake, because nothing hides it later: a value with an at sign, with three digits in
    a row, or longer than 60 characters.
    """
    whole = folded(raw)
    text = _NOT_ASCII_WORDS.sub("", whole)
    # The text that would leave is looked at, so that no sign between its letters hides what it is.
    if len(whole) > _LONGEST_NAME or _AT_SIGN(whole) or _NUMBER(text) or _HASH(text):
        return None
    return None if text.isdigit() or is_empty(text) else text


def region_in_clear(raw: str, country: str | None) -> str | None:
    """Return the two-letter code as `region` does in the United States and Canada; elsewhere as `city_in_clear`."""
    text = city_in_clear(raw)
    return text if text is None or country not in _REGIONS else region(raw, country)


def postal_code(raw: str, country: str | None) -> str | None:
    """Return letters and digits in lower case, nothing between them; in the United States the first 5 of 5 or 9 digits.

    Leading zeros stay, which is why postal codes are text in the event contract.
    Digits of any script become ASCII digits.
    """
    text = words(raw)
    if text is None:
        return None
    if not text.isascii():
        text = "".join(str(decimal(char)) if category(char) == "Nd" else char for char in text)
    if country not in _ZIP:
        return text
    return text[:5] if text.isascii() and text.isdigit() and len(text) in _ZIP_LENGTHS else None


def postal_code_as_written(raw: str, country: str | None) -> str | None:
    """Return the code as people write it, for a platform that wants it clear (Google): `SW1A 1AA`, `94045`.

    Only what has the form of a postal code is passed on, because nothing hides it later: groups of Latin letters and
    digits with a digit among them, at most 12 characters. In the United States the first 5 of 5 or 9 digits.
    """
    if country in _ZIP:
        return postal_code(raw, country)
    text = " ".join(normalize("NFKC", clean(raw)).split())
    return text if len(text) <= _LONGEST_CODE and _WRITTEN_CODE(text) else None


def postal_code_digits(raw: str, country: str | None) -> str | None:
    """As `postal_code`, and left out if it has letters (Pinterest takes digits only, and a part is a wrong hash)."""
    text = postal_code(raw, country)
    return text if text is not None and text.isascii() and text.isdigit() else None


@lru_cache(maxsize=2048)
def _country(raw: str) -> str | None:
    text = letters(raw.replace("&", " and "))
    return None if text is None else ALPHA_2.get(_without_accents(text))


def _without_accents(text: str) -> str:
    return text if text.isascii() else _MARKS.sub("", normalize("NFD", text))
