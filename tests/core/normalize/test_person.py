"""Names, gender and birth dates beyond the platforms' vectors."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from pipeline.core.normalize.person import birth_date, gender, gender_or_neither, name, name_without_titles

TODAY = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Dr. Mrs. Ada Lovelace", "ada lovelace"),
        ("ada  king,  Ph.D.", "ada king"),
        ("Henry VI", "henry"),
        ("V", "v"),
        ("Drew", "drew"),
        ("Mr Jr", "jr"),
        ("Martin Luther King, Jr., PhD", "martin luther king"),
    ],
)
def test_titles_and_suffixes(raw: str, expected: str) -> None:
    """Titles in front and suffixes behind go, letters that only look like one stay."""
    assert expected == name_without_titles(raw)


@pytest.mark.parametrize("raw", ["d41d8cd98f00b204e9800998ecf8427e", "0" * 32, "d41d8cd9-8f00-b204-e980-0998ecf8427e"])
def test_names_are_no_md5(raw: str) -> None:
    """What looks like an MD5 is no name."""
    assert name(raw) is None


@pytest.mark.parametrize(
    ("raw", "expected"), [("N", "n"), ("non-binary", "n"), ("Woman", "f"), ("man", "m"), ("?", None)]
)
def test_gender_or_neither(raw: str, expected: str | None) -> None:
    """Pinterest has a letter for a person who is neither."""
    assert expected == gender_or_neither(raw)


def test_gender_has_two_letters_elsewhere() -> None:
    """Where a platform knows two letters only, a third is left out."""
    assert ("f", "m", None) == (gender("F."), gender("Male"), gender("non-binary"))


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (date(1997, 2, 16), "19970216"),
        (datetime(1997, 2, 16, 23, 59, tzinfo=UTC), "19970216"),
        ("19970216", "19970216"),
        (date(1900, 1, 1), "19000101"),
        (TODAY, "20261121"),
        (date(2026, 11, 22), None),
        (date(1899, 12, 31), None),
        (date(1, 1, 1), None),
        ("1997-W07-7", None),
        ("1997-02-16T00:00:00Z", None),
    ],
)
def test_birth_date(raw: str | date, expected: str | None) -> None:
    """A real day from 1900 to the day of the event, from a date or ISO text."""
    assert expected == birth_date(raw, TODAY)
