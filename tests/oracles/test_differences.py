"""The tables of deliberate differences: the page has the same rows as the tests, and our side of each is run."""

from __future__ import annotations

from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest
from differences import LEFT_OUT, MODELS, NORMALIZED, Normalized

from pipeline.core.identify import MatchTable, identify
from pipeline.core.match_key import Form, MatchKey
from pipeline.platforms.google_keys import GOOGLE_KEYS
from pipeline.platforms.pinterest_keys import PINTEREST_KEYS
from pipeline.platforms.snapchat_keys import SNAPCHAT_KEYS
from pipeline.platforms.tiktok_keys import TIKTOK_KEYS

PAGE = Path(__file__).parents[2] / "docs" / "normalization.md"
KEYS = {"google": GOOGLE_KEYS, "pinterest": PINTEREST_KEYS, "snapchat": SNAPCHAT_KEYS, "tiktok": TIKTOK_KEYS}
LISTS = ("emails", "phones", "external_ids")


def _table(title: str) -> list[list[str]]:
    """Return the cells of the rows of the table under a title of the page."""
    section = PAGE.read_text(encoding="utf-8").partition(f"## {title}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def _cell(text: str) -> str:
    return text if text == LEFT_OUT else f"`{text}`"


def _sent(key: MatchKey, row: Normalized) -> object:
    """Return what the platform's row makes of the raw value."""
    field = key.source.rpartition(".")[2]
    body = {"customer": {field: [row.raw] if field in LISTS else row.raw}}
    country = None if row.country == "any" else row.country
    return identify(body, MatchTable((key,)), country, date(2026, 11, 21)).keys.get(key.name)


@pytest.mark.parametrize("row", NORMALIZED, ids=lambda row: f"{row.platform}-{row.key}-{row.raw}")
def test_our_side(row: Normalized) -> None:
    """What the table calls ours is what is sent, hashed where the platform wants a hash; theirs is something else."""
    (key,) = [key for key in KEYS[row.platform] if key.name == row.key]
    hashed = sha256(row.ours.encode()).hexdigest() if key.form in (Form.HASHED, Form.HASHED_LIST) else row.ours
    sent = [hashed] if key.form is Form.HASHED_LIST else hashed

    assert (None if row.ours == LEFT_OUT else sent) == _sent(key, row)
    assert row.ours != row.theirs


def test_page_has_the_values() -> None:
    """The page lists exactly these values, each with a reason and a source."""
    expected = [
        [
            row.platform,
            f"`{row.key}`",
            f"`{row.raw}`",
            row.country,
            _cell(row.ours),
            _cell(row.theirs),
            row.why,
            row.source,
        ]
        for row in NORMALIZED
    ]

    assert expected == _table("Differences from other platforms' code and pages")
    assert all(row.why and row.source for row in NORMALIZED)


def test_page_has_the_models() -> None:
    """The page lists exactly these places of models, each with a reason and a source."""
    expected = [[row.model, f"`{row.place}`", row.ours, row.theirs, row.why, row.source] for row in MODELS]

    assert expected == _table("Differences from the vendors' models")
    assert all(row.why and row.source for row in MODELS)
