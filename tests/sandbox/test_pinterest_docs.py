"""The page of Pinterest's sandbox names what it enforces and answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.sandbox.pinterest_event import (
    BY_INSTRUCTION_ONLY,
    CONTENT_FORMS,
    CUSTOM_FORMS,
    EVENT_FORMS,
    GUIDE_NAMES,
    NAMES,
    SOURCES,
    USER_FORMS,
    notices,
)
from pipeline.sandbox.pinterest_reply import MESSAGES

DOCS = (Path(__file__).parents[2] / "docs" / "sandbox" / "pinterest.md").read_text()
FIELDS = {*EVENT_FORMS, *USER_FORMS, *CUSTOM_FORMS, *CONTENT_FORMS, *BY_INSTRUCTION_ONLY}


@pytest.mark.parametrize("code", MESSAGES)
def test_codes(code: int) -> None:
    """Every code is named."""
    assert f"code {code}" in DOCS or f"| {code} |" in DOCS


@pytest.mark.parametrize("word", sorted({*NAMES, *GUIDE_NAMES, *SOURCES, *FIELDS}))
def test_words(word: str) -> None:
    """Every event name, every action source and every field with a rule is named."""
    assert f"`{word}`" in DOCS


def test_notices(now: float) -> None:
    """Every notice has a row."""
    old = {"event_time": 0, "event_name": "contact", "custom_data": {"value": "1"}}
    found = {name for source in ("web", "app_ios") for name in notices(old | {"action_source": source}, now)}

    assert (5, []) == (len(found), [name for name in found if f"| `{name}` |" not in DOCS])
