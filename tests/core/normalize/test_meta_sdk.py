"""Meta's own Python SDK as an oracle: equal on plain input, different only where `docs/normalization.md` says why."""

from __future__ import annotations

import string
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import pytest
from facebook_business.adobjects.serverside.normalize import Normalize
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.normalize import person, place
from pipeline.core.normalize.digest import digest, ready_or_built_hash
from pipeline.core.normalize.email import email
from pipeline.core.normalize.phone import phone

PAGE = Path(__file__).parents[3] / "docs" / "normalization.md"
LEFT_OUT, RAISES, EMPTY = "left out", "raises", "the empty text"
OF_NOTHING, OF_JANE = sha256(b"").hexdigest(), sha256(b"jane").hexdigest()

OURS: dict[str, Callable[[str, str | None], str | None]] = {
    "em": lambda raw, _: ready_or_built_hash(raw) or email(raw),
    "ph": phone,
    "fn": lambda raw, _: ready_or_built_hash(raw) or person.name(raw),
    "ln": lambda raw, _: person.name(raw),
    "ct": lambda raw, _: place.city(raw),
    "st": place.region,
    "zp": place.postal_code,
    "country": lambda raw, _: place.country(raw),
}


class Difference(NamedTuple):
    """One row of the page: what goes in, what we make of it, what the SDK makes of it."""

    key: str
    raw: str
    country: str
    ours: str
    sdk: str


DIFFERENCES = (
    Difference("em", "foo @bar.com", "", LEFT_OUT, "foo @bar.com"),
    Difference("em", "a@b.com,c@d.com", "", LEFT_OUT, "a@b.com,c@d.com"),
    Difference("em", "foo", "", LEFT_OUT, RAISES),
    Difference("em", "d41d8cd98f00b204e9800998ecf8427e", "", LEFT_OUT, "d41d8cd98f00b204e9800998ecf8427e"),
    Difference("em", OF_NOTHING, "", LEFT_OUT, OF_NOTHING),
    Difference("em", "a@b@c.de", "", LEFT_OUT, "a@b@c.de"),
    Difference("ph", "+49 170.123.4567", "", "491701234567", RAISES),
    Difference("ph", "+1 650 555 1212 x12", "", "16505551212", RAISES),
    Difference("ph", "(650)555-1212", "us", "16505551212", "6505551212"),
    Difference("ph", "020 7946 0958", "", LEFT_OUT, "2079460958"),
    Difference("ph", "+44 (0)20 7946 0958", "", "442079460958", "4402079460958"),
    Difference("ph", "+٩٦٦٥٠١٢٣٤٥٦٧", "", "966501234567", "٩٦٦٥٠١٢٣٤٥٦٧"),
    Difference("ph", "+49 170 1234567890123", "", LEFT_OUT, "491701234567890123"),
    Difference("fn", "Mary Ann", "", "maryann", "mary ann"),
    Difference("fn", "   ", "", LEFT_OUT, EMPTY),
    Difference("fn", "null", "", LEFT_OUT, "null"),
    Difference("fn", "Zoe\u0308", "", "zo\u00eb", "zoe\u0308"),
    Difference("fn", f"{OF_JANE}.AQ", "", f"{OF_JANE}.AQ", f"{OF_JANE}.aq"),
    Difference("ln", "O'Brien", "", "obrien", "o'brien"),
    Difference("ln", "Nuñez-García", "", "nuñezgarcía", "nuñez-garcía"),
    Difference("ct", "Coeur d'Alene", "", "coeurdalene", "coeurd'alene"),
    Difference("ct", "Washington, D.C.", "", "washingtondc", "washington,dc"),
    Difference("ct", "123", "", LEFT_OUT, EMPTY),
    Difference("st", "California", "us", "ca", "california"),
    Difference("st", "Bavaria", "us", LEFT_OUT, "bavaria"),
    Difference("zp", "940251234", "us", "94025", "940251234"),
    Difference("zp", "100-0001", "jp", "1000001", "100"),
    Difference("zp", "SW1A.1AA", "gb", "sw1a1aa", "sw1a.1aa"),
    Difference("zp", "-1234", "us", LEFT_OUT, EMPTY),
    Difference("country", "USA", "", "us", RAISES),
    Difference("country", "UK", "", "gb", RAISES),
    Difference("country", "XX", "", LEFT_OUT, RAISES),
)


def _sdk(key: str, raw: str) -> str:
    try:
        found = Normalize.normalize_field_skip_hashing(key, raw)
    except (TypeError, ValueError):
        return RAISES
    return str(found) or EMPTY


@pytest.mark.parametrize("row", DIFFERENCES, ids=lambda row: f"{row.key}-{row.raw}")
def test_difference(row: Difference) -> None:
    """Each listed difference is one: ours and the SDK's results are what the table says."""
    ours = OURS[row.key](row.raw, row.country or None) or LEFT_OUT

    assert (row.ours, row.sdk) == (ours, _sdk(row.key, row.raw))


def test_the_page_lists_exactly_these() -> None:
    """The table in the documentation has the same rows in the same order, each with a reason."""
    lines = PAGE.read_text(encoding="utf-8").partition("## Differences from Meta's SDK")[2].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")]

    expected = [
        [f"`{row.key}`", f"`{row.raw}`", row.country or "any", *(_cell(text) for text in (row.ours, row.sdk))]
        for row in DIFFERENCES
    ]

    assert expected == [row[:5] for row in rows]
    assert all(len(row) == 6 and len(row[5].split()) > 3 for row in rows)


def _cell(text: str) -> str:
    return text if text in (LEFT_OUT, RAISES, EMPTY) else f"`{text}`"


LETTERS = st.text(string.ascii_letters, min_size=1, max_size=20)


@pytest.mark.parametrize("key", ["fn", "ln", "ct"])
@given(raw=LETTERS.filter(lambda word: word.lower() not in {"null", "none", "undefined", "unknown"}))
def test_plain_words_are_equal(key: str, raw: str) -> None:
    """One plain word is hashed as the SDK hashes it."""
    assert Normalize.normalize_field(key, f" {raw} ") == digest(OURS[key](f" {raw} ", None) or "")


@given(
    local=st.from_regex(r"[A-Za-z0-9._+-]{1,20}", fullmatch=True),
    domain=st.from_regex(r"[A-Za-z0-9-]{1,20}\.(com|De)", fullmatch=True),
)
def test_plain_addresses_are_equal(local: str, domain: str) -> None:
    """A plain e-mail address is hashed as the SDK hashes it."""
    raw = f" {local}@{domain}"

    assert Normalize.normalize_field("em", raw) == digest(email(raw) or "")


@given(
    area=st.integers(200, 999),
    rest=st.integers(10**6, 10**7 - 1),
    notation=st.sampled_from(["+1{}{}", "+1 ({}) {}", "001-{}-{}"]),
)
def test_plain_phones_are_equal(area: int, rest: int, notation: str) -> None:
    """An international number without frills is hashed as the SDK hashes it."""
    raw = notation.format(area, rest)

    assert Normalize.normalize_field("ph", raw) == digest(phone(raw, None) or "")


@pytest.mark.parametrize(
    ("key", "raw", "country"),
    [
        ("st", "CA", "us"),
        ("st", "New South Wales", "au"),
        ("zp", "94025-1234", "us"),
        ("zp", "M1 1AE", "gb"),
        ("country", "De", None),
        ("em", "62A14E44F765419D10FEA99367361A727C12365E2520F32218D505ED9AA0F62F", None),
    ],
)
def test_plain_places_and_hashes_are_equal(key: str, raw: str, country: str | None) -> None:
    """Codes, plain regions, postal codes and ready hashes come out as the SDK's do."""
    assert _sdk(key, raw) == OURS[key](raw, country)
