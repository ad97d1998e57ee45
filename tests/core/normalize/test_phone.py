"""Phone numbers: notations, numbering plans, and what the numbering plans of all countries agree on."""

from __future__ import annotations

import re

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat

from pipeline.core.normalize.phone import phone, phone_with_plus

# Where a national number begins with the digits of its own country code, or dials a prefix of its own, the plan
# alone cannot tell what was meant; for the rest our reading and libphonenumber's must be one.
REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)


@pytest.mark.parametrize(
    ("raw", "country", "expected"),
    [
        ("+1 650 555 1212 x12", None, "16505551212"),
        ("+1 650 555 1212 ext 12", None, "16505551212"),
        ("+1 650 555 1212 Extension: 1234", None, "16505551212"),
        ("+1 650 555 1212#12", None, "16505551212"),
        ("tel:+1-650-555-1212;ext=12", None, "16505551212"),
        ("+7 912 345-67-89 доб. 12", None, "79123456789"),
        ("(+44) (0)20 7946 0958", None, "442079460958"),
        ("00 44 (0) 20 7946 0958", None, "442079460958"),
        ("+44(0)2079460958", None, "442079460958"),
        ("+4402079460958", None, "442079460958"),
        ("+0044 20 7946 0958", None, "442079460958"),
        ("＋４４ ２０ ７９４６ ０９５８", None, "442079460958"),
        ("\u202a+44 20 7946 0958\u202c", None, "442079460958"),
        ("+44\u00a020\u20117946\u20110958", None, "442079460958"),
        ("+39 06 1234 5678", None, "390612345678"),
        ("+39 (0)6 1234 5678", None, "390612345678"),
        ("06 1234 5678", "it", "390612345678"),
        ("+378 (0)549 886377", None, "3780549886377"),
        ("+379 06 698 12345", None, "3790669812345"),
        ("+34 (0)91 123 45 67", None, "34911234567"),
        ("+225 07 07 07 07 07", None, "2250707070707"),
        ("020 7946 0958", "gb", "442079460958"),
        ("0170/1234567", "de", "491701234567"),
        ("170 1234567", "de", "491701234567"),
        ("491701234567", "de", "491701234567"),
        ("8 (912) 345-67-89", "ru", "79123456789"),
        ("06 20 123 4567", "hu", "36201234567"),
        ("1-650-555-1212", "ca", "16505551212"),
        ("011 44 20 7946 0958", "us", "442079460958"),
        ("(787) 555-1234", "pr", "17875551234"),
        ("+1 (650) 555-1212", "de", "16505551212"),
        ("+1234567", None, "1234567"),
        ("+4412345", None, "4412345"),
    ],
)
def test_notations(raw: str, country: str | None, expected: str) -> None:
    """However a number is written, it becomes the same digits."""
    assert expected == phone(raw, country)


def test_plus_is_kept_for_those_who_want_it() -> None:
    """TikTok and Google hash the number with its plus, and an unusable number stays unusable."""
    assert "+442079460958" == phone_with_plus("020 7946 0958", "gb")
    assert phone_with_plus("020 7946 0958", None) is None


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize(
    "notation", [PhoneNumberFormat.NATIONAL, PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.E164]
)
def test_every_numbering_plan(region: str, notation: int) -> None:
    """The example number of every plan comes out as its E.164 digits from each of its usual notations."""
    number = phonenumbers.example_number(region)
    assert number is not None
    expected = phonenumbers.format_number(number, PhoneNumberFormat.E164)[1:]

    found = phone(phonenumbers.format_number(number, notation), region.lower())

    assert expected == found


@given(
    st.text(alphabet="+0123456789 ()-./x#,;٠١２a", max_size=30), st.sampled_from([None, "us", "de", "it", "ru", "zz"])
)
def test_what_comes_out_goes_in_again(raw: str, country: str | None) -> None:
    """The digits are 7 to 15, begin with no zero, and come out again when they go in with a plus."""
    digits = phone(raw, country)

    if digits is not None:
        assert re.fullmatch("[1-9][0-9]{6,14}", digits)
        assert digits == phone(f"+{digits}", country)


@given(
    st.integers(min_value=10**9, max_value=10**10 - 1),
    st.lists(st.sampled_from([" ", "-", ".", "/", "\u00a0", ""]), min_size=12),
)
def test_signs_between_digits_do_not_matter(national: int, signs: list[str]) -> None:
    """Spaces, dots, dashes and slashes between the digits change nothing."""
    digits = f"49{national}"

    spread = "+" + "".join(digit + sign for digit, sign in zip(digits, [*signs, *signs], strict=False))

    assert phone(f"+{digits}", None) == phone(spread, None)
