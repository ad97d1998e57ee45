"""docs/platforms/pinterest.md says what the code does."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import get_args

import orjson
import pytest
from pinterest_events import IOS, report

from pipeline.core.contract import EVENTS_OF
from pipeline.core.model import Doubt, Halt, Later, Mixed, Reply, Verdict
from pipeline.core.reason import Reason
from pipeline.platforms.common import MARGIN
from pipeline.platforms.pinterest import (
    ACTION_SOURCES,
    APP_SOURCES,
    DEFAULTS,
    EVENT_NAMES,
    MOST_AGE,
    STANDARD_EVENTS,
    PinterestOptions,
)
from pipeline.platforms.pinterest_keys import ENOUGH, PINTEREST_KEYS, WEIGHTS
from pipeline.platforms.pinterest_parts import Note
from pipeline.platforms.pinterest_replies import read
from pipeline.sandbox.pinterest_event import GUIDE_NAMES, NAMES

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "platforms" / "pinterest.md").read_text(encoding="utf-8")
ANSWER = re.compile(r"`HTTP (\d+)(?:/(\d+))?`")


def table(heading: str) -> list[list[str]]:
    """Return the cells of the first table under a heading, without its head."""
    _, _, rest = PAGE.partition(f"\n{heading} ✓\n")
    lines = rest[rest.index("\n|") + 1 :].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split(" |")] for line in lines[2:]]


def bare(cell: str) -> str:
    """Return what stands in the first pair of backticks of a cell."""
    return cell.split("`")[1]


def replies(cell: str) -> list[Reply]:
    """Return every answer that a cell names, with a code in Pinterest's form or without any."""
    if "misses an event" in cell:
        return [
            Reply(200, {}, orjson.dumps(given))
            for given in (report("processed"), report(*["processed"] * 7, "queued"), {"num_events_received": 8})
        ]
    return [
        Reply(int(status), {}, orjson.dumps({"code": int(code), "message": "no"}) if code else b"<html></html>")
        for status, code in ANSWER.findall(cell)
    ]


def in_words(verdict: Verdict) -> tuple[str, str]:
    """Return what the worker does, and the reason, as the page has them."""
    match verdict:
        case Later(reason, _, _, blame):
            return ("wait" if blame is None else "wait, split after three attempts", reason)
        case Halt(reason):
            return ("halt", reason)
        case Doubt(refusal):
            return ("split", refusal.reason)
        case Mixed(refused) if len(refused) == 8:
            return ("refuse all", refused[0].reason)
        case _:
            return ("accept", "")


@pytest.mark.parametrize("row", table("### Answers"), ids=lambda row: row[0][:30])
def test_answers(row: list[str]) -> None:
    """Whatever a row of the table names is read as the row says."""
    assert {(row[1], bare(row[2]))} >= {in_words(read(reply, 8)) for reply in replies(row[0])}
    assert bare(row[2]) in set(Reason)


def test_every_status_is_on_the_page() -> None:
    """No status is read in a way that the page does not tell."""
    told = {int(status) for row in table("### Answers") for status, _ in ANSWER.findall(row[0])}
    families = {
        "wait, split after three attempts": range(400, 500),
        "halt": range(300, 400),
        "wait": (*range(100, 300), *range(500, 600)),
    }
    others = {
        status
        for expected, statuses in families.items()
        for status in statuses
        if in_words(read(Reply(status, {}, b""), 8))[0] != expected
    }

    assert set() == others - told


def test_match_keys() -> None:
    """The table of match keys is the one that the code reads, row by row."""
    assert [[f"`{key.name}`", f"`{key.source}`", key.form.value] for key in PINTEREST_KEYS] == table("### Match keys")


def test_what_is_enough() -> None:
    """The sets of which one is enough are told in their words."""
    (line,) = (line for line in PAGE.splitlines() if line.startswith("`em`; or "))

    assert set(ENOUGH) == {frozenset(re.findall("`(.+?)`", part)) for part in line.split("; or ")}


def test_weights() -> None:
    """The table of weights is the estimate that the code makes."""
    assert list(WEIGHTS.items()) == [(bare(row[0]), float(row[1])) for row in table("### What a match key is worth")]


def test_events() -> None:
    """The table of events names every event of the contract as it is sent."""
    rows = {bare(row[0]): row[1] for row in table("### Events")}

    assert EVENT_NAMES == {ours: bare(theirs) for ours, theirs in rows.items() if theirs != "skipped"}
    assert {name for names in EVENTS_OF.values() for name in names} == rows.keys()


def test_standard_events() -> None:
    """The names that count are those that the sandbox knows on its own; those of one page only are told."""
    (line,) = (line for line in PAGE.splitlines() if line.startswith("`contact`, `schedule`"))

    assert NAMES | GUIDE_NAMES == STANDARD_EVENTS
    assert GUIDE_NAMES & set(EVENT_NAMES.values()) == GUIDE_NAMES & set(re.findall("`(.+?)`", line))


def test_action_sources() -> None:
    """The table of places has every action source, in Pinterest's word."""
    rows = {bare(row[0]): re.findall("`([a-z_]+)`", row[1]) for row in table("### Where it happened")}

    assert sorted(APP_SOURCES.values()) == sorted(rows.pop("APP"))
    assert {place: [word] for place, word in ACTION_SOURCES.items()} == rows
    assert str(IOS["os"]) in APP_SOURCES


def test_options() -> None:
    """The table of options has every option with its default."""
    told = {bare(row[0]): row[1].strip("`") for row in table("### Options of a destination")}
    options = PinterestOptions()

    assert {one.name: str(getattr(options, one.name) or "none") for one in dataclasses.fields(options)} == told


def test_limits() -> None:
    """The table of limits has every limit with its default."""
    assert {one.name: float(getattr(DEFAULTS, one.name)) for one in dataclasses.fields(DEFAULTS)} == {
        bare(row[0]): float(row[1]) for row in table("### Batches and limits")
    }


def test_notes() -> None:
    """The table of notes is the closed list."""
    assert set(get_args(Note)) == {bare(row[0]) for row in table("### Notes")}


def test_age() -> None:
    """The age limit is told as it is applied."""
    minutes = int(MOST_AGE - MARGIN) // 60
    days, hours = minutes // 1440, minutes // 60 % 24

    assert f"until it is {days} days, {hours} hours and {minutes % 60} minutes old" in PAGE


@pytest.mark.parametrize("row", table("## Conformance cases"), ids=lambda row: row[0])
def test_cases(row: list[str]) -> None:
    """Each case has a test in each file that the table names for it."""
    places = [ROOT / "tests" / "platforms" / name for name in re.findall("`(.+?)`", row[2])]
    named = {place.name: _cases_in(place.read_text(encoding="utf-8")) for place in places}

    assert named
    assert [] == [name for name, cases in named.items() if int(row[0][1:]) not in cases]


def test_no_case_is_forgotten() -> None:
    """The cases from C1 to C20 are in the table."""
    assert [f"C{number}" for number in range(1, 21)] == [row[0] for row in table("## Conformance cases")]


def _cases_in(text: str) -> set[int]:
    """Return the cases that the names of a file's tests and of their parameters have."""
    return {int(number) for number in re.findall(r'(?:def test_c|id="C)(\d+)', text)}
