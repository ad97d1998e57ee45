"""The documentation's tables are what the code says."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def tables() -> ModuleType:
    """The generator, which is a script and in no package."""
    spec = importlib.util.spec_from_file_location("docs_tables", ROOT / "tools" / "docs_tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", ["docs/settings.md", "docs/destinations.md"])
def test_tables_have_not_drifted(tables: ModuleType, page: str) -> None:
    """What the generator would write is what is there: `python tools/docs_tables.py` mends it."""
    text = (ROOT / page).read_text(encoding="utf-8")

    assert tables.render(text) == text


def test_drift_would_be_seen(tables: ModuleType) -> None:
    """A table with other content is written anew."""
    assert "| 0 |" in tables.render("<!-- table: exits -->\nold\n<!-- end -->")


def test_every_table_is_on_a_page(tables: ModuleType) -> None:
    """No section of the settings is left undocumented."""
    pages = "".join((ROOT / page).read_text(encoding="utf-8") for page in tables.PAGES)

    assert [] == [name for name in tables.TABLES if f"<!-- table: {name} -->" not in pages]


def test_sentences_stand_on_their_own_lines(tables: ModuleType) -> None:
    """Prose has one sentence a line, so that a change shows what it changes."""
    prose = [
        line
        for page in tables.PAGES
        for line in (ROOT / page).read_text(encoding="utf-8").splitlines()
        if not line.startswith(("|", "<!--", "#"))
    ]

    assert [] == [line for line in prose if ". " in line.rstrip()]
