"""Phone numbers to the digits of E.164, country code first.

A number says its country itself (`+` or `00` in front) or is read by the numbering plan of the customer's country;
a national number of nobody knows where is left out, because a guessed country code is a wrong hash.
Invariant: what comes out is 7 to 15 ASCII digits, begins with a country code, and comes out again when it goes in
with a `+`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final
from unicodedata import decimal, normalize

import phonenumbers
from phonenumbers import PhoneNumberFormat, ValidationResult

from pipeline.core.normalize.text import clean

# The country codes by length (ITU-T E.164 assignments): zone 1 and 7, then two digits, then three.
_ONE: Final = "[17]"
_TWO: Final = "2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]"
_THREE: Final = "(?:2[1-69]|3[578]|42|5[09]|6[789]|8[0578]|9[679])[0-9]"

# Finished already: no zero behind the country code, so no trunk prefix; North American area codes begin with 2-9.
_FINISHED: Final = re.compile(rf"\+(?:1[2-9]|(?:7|{_TWO}|{_THREE})[1-9])[0-9]{{5,13}}").fullmatch
_SHORTEST, _LONGEST = 7, 15
_LONGEST_NOTATION: Final = 64
_PARTS: Final = re.compile(rf"({_ONE}|{_TWO}|{_THREE})(0*)([0-9]+)").fullmatch
_NORTH_AMERICAN: Final = re.compile("1?([2-9][0-9]{2}[2-9][0-9]{6})").fullmatch
_PLAN_1: Final = frozenset({"us", "ca"})

# An extension: a word or sign for it and at most 7 digits, at the end (RFC 3966 writes `;ext=`).
_EXTENSION: Final = re.compile(r"(?:[,;]?\s*(?:extension|extn|ext|доб|x)[.:=\s]*|\s*#\s*)[0-9]{1,7}\s*#?$")
# Nothing but digits and the signs people part them with: no extension, no letters, no second number.
_PLAIN: Final = re.compile(r"\+?[0-9 ().\-/]+").fullmatch
_NOT_DIALABLE: Final = re.compile(r"[^\W\d_]|[+,;]").search
# The zero that is dialed at home only, as people write it abroad: +44 (0)20 ...
_HOME_ZERO: Final = re.compile(r"^(\+[^0-9]*([0-9]{1,3})[^0-9]*)\(\s*0\s*\)")
# Italy, San Marino and the Vatican dial that zero from abroad too.
_ZERO_IS_DIALED: Final = frozenset({"39", "378", "379"})
_NOT_DIGITS: Final = re.compile("[^0-9]+")


# The platforms of one event ask for the same number one after the other, each in its own notation.
@lru_cache(maxsize=16)
def phone(raw: str, country: str | None) -> str | None:
    """Return the digits of E.164 without the plus (Meta, Pinterest, Snapchat).

    `country` is the customer's, ISO 3166-1 alpha-2 in lower case; it is needed for national numbers only.
    Extensions are dropped; letters (vanity numbers, notes) and lists of numbers are not guessed at: None.
    """
    if _FINISHED(raw):
        # The pattern bounds the digits behind the country code, E.164 bounds all of them.
        return raw[1:] if _SHORTEST < len(raw) <= _LONGEST + 1 else None
    text = _dialable(raw)
    if text is None:
        return None
    digits = _NOT_DIGITS.sub("", text)
    if text.startswith("+"):
        return _international(digits.lstrip("0"))
    return None if country is None else _national(digits, country)


def phone_with_plus(raw: str, country: str | None) -> str | None:
    """Return E.164 with its plus (TikTok, Google)."""
    digits = phone(raw, country)
    return None if digits is None else f"+{digits}"


def _dialable(raw: str) -> str | None:
    """ASCII digits and signs, no extension, no home zero, the plus in front if there is one; None if not dialable."""
    text = clean(raw)
    if len(text) > _LONGEST_NOTATION:
        return None
    if not text.isascii():
        text = "".join(_ascii_digit(char) for char in normalize("NFKC", text))
    plain = _PLAIN(text) is not None
    if not plain:
        text = _EXTENSION.sub("", text.lower().removeprefix("tel:"))
    rest = text.lstrip("+()[] \t.")
    front = text[: len(text) - len(rest)]
    if not plain and _NOT_DIALABLE(rest):
        return None
    if rest.startswith("00"):
        front, rest = "+", rest.lstrip("0")
    if "+" not in front:
        return rest
    text = f"+{rest}"
    zero = _HOME_ZERO.match(text) if "(" in text else None
    return text if zero is None or zero[2] in _ZERO_IS_DIALED else zero[1] + text[zero.end() :]


def _ascii_digit(char: str) -> str:
    """A decimal digit of any script as ASCII, anything else as it is."""
    value = decimal(char, None)
    return char if value is None else str(value)


def _international(digits: str) -> str | None:
    parts = _PARTS(digits)
    if parts is None:
        return None
    code, zeros, rest = parts[1], parts[2], parts[3]
    if zeros and _has_trunk_zero(code):
        digits = code + rest
    if code == "1" and not digits[1] > "1":
        return None
    return digits if _SHORTEST <= len(digits) <= _LONGEST else None


def _national(digits: str, country: str) -> str | None:
    if country in _PLAN_1:
        found = _NORTH_AMERICAN(digits)
        if found is not None:
            return f"1{found[1]}"
    region = country.upper()
    try:
        number = phonenumbers.parse(digits, region)
        code = str(number.country_code)
        if digits.startswith(code) and _has_trunk_zero(code):
            # Neither plus nor trunk zero, and the country's own code in front: written abroad, the plus was lost.
            abroad = phonenumbers.parse(f"+{digits}")
            number = abroad if phonenumbers.is_valid_number(abroad) else number
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return None
    return _international(phonenumbers.format_number(number, PhoneNumberFormat.E164)[1:])


@lru_cache(maxsize=256)
def _has_trunk_zero(code: str) -> bool:
    """Whether the zero that this plan dials at home is left out when dialing from abroad."""
    region = phonenumbers.region_code_for_country_code(int(code))
    return phonenumbers.ndd_prefix_for_region(region, strip_non_digits=True) == "0"
