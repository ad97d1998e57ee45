"""Names, gender and birth date.

Platforms differ in what they keep of a name, so there are three forms: bare (Meta, TikTok, Snapchat), with its
punctuation (Pinterest), and without titles and suffixes (Google).
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Final

from pipeline.core.normalize.text import clean, folded, letters, words

_MD5: Final = re.compile("[0-9a-f]{32}").fullmatch
_MD5_LENGTH: Final = 32

_TITLES: Final = frozenset({"mr", "mrs", "ms", "dr"})
_SUFFIXES: Final = frozenset(
    {"jr", "sr", "ii", "iii", "iv", "v", "vi", "2nd", "3rd", "cpa", "dc", "dds", "vm", "jd", "md", "phd"}
)
_GAPS: Final = re.compile(r"[\s,]+")

_GENDERS: Final = {"f": "f", "female": "f", "woman": "f", "m": "m", "male": "m", "man": "m"}
_NEITHER: Final = frozenset({"n", "neutral", "nonbinary", "unspecified"})

_ISO_DATE: Final = re.compile(r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})").fullmatch
_FIRST_YEAR: Final = 1900


def name(raw: str) -> str | None:
    """Return letters, marks and digits in lower case: `O'Brien` and `O’Brien` are `obrien` (Meta, TikTok, Snapchat).

    Meta's page wants no punctuation and is silent about spaces between words; its own Parameter Builder drops both.
    """
    text = words(raw)
    return None if text is None or (len(text) == _MD5_LENGTH and _MD5(text)) else text


def name_as_written(raw: str) -> str | None:
    """Return the name trimmed and in lower case, with its punctuation and its spaces (Pinterest: `o'neil`)."""
    text = folded(raw)
    if text.isalpha():
        return text
    if words(text) is None or (len(text) == _MD5_LENGTH and _MD5(text)):
        return None
    return text


def name_without_titles(raw: str) -> str | None:
    """As `name_as_written`, without titles in front and suffixes behind (Google: `Quinn, Jr., DDS` is `quinn`).

    Commas and runs of white space become one space, as the comma only ever led to a suffix.
    """
    if raw.isalpha() and raw.lower() not in _TITLES:
        # One word, as most names are.
        return name_as_written(raw)
    parts = [part for part in _GAPS.split(folded(raw)) if part]
    while parts and parts[0].replace(".", "") in _TITLES:
        del parts[0]
    # A suffix follows something: a lone `V` is a name.
    while len(parts) > 1 and parts[-1].replace(".", "") in _SUFFIXES:
        del parts[-1]
    return name_as_written(" ".join(parts))


def gender(raw: str) -> str | None:
    """`f` or `m`, from the letter or the English word; anything else is left out (Meta, Snapchat)."""
    return _GENDERS.get(letters(raw) or "")


def gender_or_neither(raw: str) -> str | None:
    """As `gender`, and `n` for a person who is neither (Pinterest)."""
    word = letters(raw) or ""
    return "n" if word in _NEITHER else _GENDERS.get(word)


def birth_date(raw: str | date, today: date) -> str | None:
    """`YYYYMMDD` from a date or ISO text (`1997-02-16`, `19970216`): a real day from 1900 to `today`.

    Other orders of day and month are not guessed at: a guess is a wrong hash in one case of two.
    Pass the day of the event as `today`, so that a replay gives the same answer.
    """
    day = _day(raw)
    if day is None or day.year < _FIRST_YEAR or day > today:
        return None
    return f"{day.year}{day.month:02}{day.day:02}"


def _day(raw: str | date) -> date | None:
    if isinstance(raw, datetime):
        return raw.date()
    if isinstance(raw, date):
        return raw
    found = _ISO_DATE(clean(raw))
    if found is None:
        return None
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None
