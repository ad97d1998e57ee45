"""The page on chaos runs is what the catalogue says."""

from __future__ import annotations

import tables
from mutants import MUTANTS
from plays import in_order


def test_tables_have_not_drifted() -> None:
    """What the generator would write is what is there: `make docs` mends it."""
    text = tables.PAGE.read_text(encoding="utf-8")

    assert tables.render(text) == text


def test_every_fault_has_a_scenario() -> None:
    """The twenty faults are all covered."""
    assert set(range(1, 21)) == {one.number for one in in_order()}


def test_every_scenario_has_a_mutant_and_every_mutant_a_scenario() -> None:
    """No scenario goes without a proof that it can fail, and no mutant runs free."""
    named = {name for one in in_order() for name in one.mutants}

    assert [] == [one.name for one in in_order() if not one.mutants]
    assert MUTANTS.keys() == named


def test_the_short_run_is_what_the_page_says() -> None:
    """At least eight scenarios and five mutants, none that the long run lacks, and as many as the page tells."""
    short = [one for one in in_order() if one.short]
    mutants = [name for one in short for name in one.short_mutants]
    page = tables.PAGE.read_text(encoding="utf-8")

    assert (len(short) >= 8, len(set(mutants)) >= 5) == (True, True)
    assert [] == [one.name for one in short if not {*one.short_mutants} <= {*one.mutants}]
    assert f"{len(short)} scenarios, {len(mutants)} mutants" in page
