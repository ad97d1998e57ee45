"""Writes the tables of docs/chaos.md that come from the catalogue: `python tests/chaos/tables.py` mends them."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support"), str(ROOT / "tests" / "chaos")]

from catalogue import Scenario
from mutants import MUTANTS
from plays import in_order

PAGE: Final = ROOT / "docs" / "chaos.md"
_PLACE: Final = re.compile(r"(<!-- table: (?P<name>[a-z]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def scenarios_table() -> str:
    """One row per scenario: its fault's number, its promise, the platforms that it can be played on, its mutants."""
    rows = [
        (
            str(one.number),
            f"`{one.name}`{' *' if one.short else ''}",
            one.promise,
            _platforms(one),
            _names(one.mutants),
        )
        for one in in_order()
    ]
    return _table(("#", "scenario", "what happens, and what holds", "platforms", "must catch"), rows)


def mutants_table() -> str:
    """One row per mutant: what it does wrong."""
    return _table(("mutant", "its sin"), [(f"`{one.name}`", one.sin) for one in MUTANTS.values()])


def render(text: str) -> str:
    """Return a page with its tables as the catalogue says."""
    tables = {"scenarios": scenarios_table, "mutants": mutants_table}
    return _PLACE.sub(lambda place: f"{place[1]}{tables[place['name']]()}{place[3]}", text)


def _platforms(one: Scenario) -> str:
    if one.everybody:
        return "all five at once"
    if not one.any_lane:
        return "meta"
    return ", ".join(["any", *(f"{name} *" for name in one.lanes)])


def _names(mutants: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in mutants)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(render(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
