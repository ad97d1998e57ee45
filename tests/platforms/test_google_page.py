"""docs/platforms/google.md says what the code does."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import get_args

import pytest
from google_answers import bad, error, info

from pipeline.core.contract import EVENTS_OF
from pipeline.core.model import Accepted, Blamed, Doubt, Halt, Later, Reply, Verdict
from pipeline.core.reason import Reason
from pipeline.platforms.common import DAY, MARGIN, TAKEN_BACK
from pipeline.platforms.follow import Again, Bury, Counted, Done, Fate
from pipeline.platforms.google import DEFAULTS, MOST_AGE, MOST_AGE_WITHOUT_CLICK
from pipeline.platforms.google_faults import CONFIGURATION
from pipeline.platforms.google_keys import GOOGLE_KEYS, WEIGHTS
from pipeline.platforms.google_options import EVENT_SOURCES, GoogleOptions
from pipeline.platforms.google_parts import Note
from pipeline.platforms.google_replies import read
from pipeline.platforms.google_status import AGAIN, COUNTED, DONE, EXPIRED, REFUSED, calls_a_person, fate_of

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "platforms" / "google.md").read_text(encoding="utf-8")
PLACES = {"events[i]": "events.events[0].currency", "destinations[i]": "destinations[0]", "events": "events"}


def table(heading: str) -> list[list[str]]:
    """Return the cells of the first table under a heading, without its head."""
    _, _, rest = PAGE.partition(f"\n{heading} ✓\n")
    lines = rest[rest.index("\n|") + 1 :].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split(" |")] for line in lines[2:]]


def bare(cell: str) -> str:
    """Return what stands in the first pair of backticks of a cell."""
    return cell.split("`")[1]


def replies(cell: str) -> list[Reply]:
    """Return every answer that a cell names."""
    found: list[Reply] = []
    for code, day in re.findall(r"`HTTP (\d+)( PerDay)?`", cell):
        if day:
            found.append(error(int(code), "", info(quota_limit="RequestsPerDayPerProject")))
        else:
            found.append(Reply(int(code), {}, b"<html></html>"))
    for place, reason in re.findall(r"`(events\[i\]|destinations\[i\]|events) (\w+)`", cell):
        found.append(bad((PLACES[place], reason)))
    found += [
        error(400, status) for status in re.findall(r"`(FAILED_PRECONDITION|INVALID_ARGUMENT|OUT_OF_RANGE)`", cell)
    ]
    return found


def in_words(verdict: Verdict) -> tuple[str, str]:
    """Return what the worker does, and the reason, as the page has them."""
    match verdict:
        case Later(reason, _, _, blame):
            return ("wait" if blame is None else "wait, split after three attempts", reason)
        case Halt(reason, _, wait):
            return (f"halt, ask every {wait / 60:.0f} minutes" if wait else "halt", reason)
        case Doubt(refusal):
            return ("split", refusal.reason)
        case Blamed(refused):
            return ("refuse by name", refused[0].reason)
        case _:
            return ("accept", "")


def fate_in_words(fate: Fate) -> str:
    """Return what becomes of an event, as the page has it."""
    match fate:
        case Again(seconds):
            hours = seconds / 3600
            return f"send again, {hours:.0f} hour{'s' if hours > 1 else ''} later"
        case Done():
            return "done"
        case Counted():
            return "count"
        case Bury(refusal):
            return f"bury as `{refusal.reason}`"


@pytest.mark.parametrize("row", table("### Answers"), ids=lambda row: row[0][:30])
def test_answers(row: list[str]) -> None:
    """Whatever a row of the table names is read as the row says."""
    assert replies(row[0]) or row[0].startswith("no answer")
    assert {(row[1], bare(row[2]))} >= {in_words(read(reply, 8)) for reply in replies(row[0])}


def test_answers_that_are_taken() -> None:
    """The answer that no row of the table holds is the acceptance."""
    assert isinstance(read(Reply(200, {}, b'{"requestId":"r1"}'), 1), Accepted)


def test_reasons_of_the_account() -> None:
    """The list of reasons that speak of the account is the code's."""
    (line,) = (line for line in PAGE.splitlines() if line.startswith("These reasons speak of the account"))

    assert CONFIGURATION | {"_TERMS_NOT_SIGNED", "_DATA_POLICY_PROHIBITS"} == set(re.findall("`(.+?)`", line))


@pytest.mark.parametrize("row", table("### Reasons"), ids=lambda row: row[0][:30])
def test_reasons(row: list[str]) -> None:
    """Each reason of the table has the fate that its row tells."""
    reasons = re.findall("`([A-Z_]+)`", row[0])

    assert reasons
    assert {(row[1], row[2])} == {
        (fate_in_words(fate_of(reason)), "yes" if calls_a_person(reason) else "no") for reason in reasons
    }


def test_every_reason_is_on_the_page() -> None:
    """No reason is read in a way that the page does not tell."""
    told = {reason for row in table("### Reasons") for reason in re.findall("`([A-Z_]+)`", row[0])}

    assert {reason.rstrip("*") for reason in (*AGAIN, *DONE, *COUNTED, *EXPIRED, *REFUSED)} <= told


def test_match_keys() -> None:
    """The table of match keys is the one that the code reads, row by row."""
    assert [[f"`{key.name}`", f"`{key.source}`", key.form.value] for key in GOOGLE_KEYS] == table("### Match keys")


def test_weights() -> None:
    """The table of weights is the code's."""
    assert {bare(row[0]): float(row[1]) for row in table("### How well it matches")} == WEIGHTS


def test_notes() -> None:
    """Every note has its row, and no other."""
    assert sorted(get_args(Note)) == sorted(bare(row[0]) for row in table("### Notes"))


def test_events() -> None:
    """The table names every event of the contract, and those that share an order's action."""
    rows = {bare(row[0]): row[1] for row in table("### Events")}

    assert [name for names in EVENTS_OF.values() for name in names] == list(rows)
    assert {name for name, action in rows.items() if "order_placed" in action} == TAKEN_BACK


def test_sources() -> None:
    """The table of places has every action source, in Google's word."""
    assert {bare(row[0]): bare(row[1]) for row in table("### Where it happened")} == EVENT_SOURCES


def test_options() -> None:
    """The table of options has every option with its default."""
    told = {bare(row[0]): row[1].strip("`") for row in table("### Options of a destination")}

    assert {
        field.name: "none" if (value := getattr(GoogleOptions(), field.name)) in (None, {}) else str(value)
        for field in dataclasses.fields(GoogleOptions)
    } == told


def test_limits() -> None:
    """The table of limits has every limit with its default."""
    assert {field.name: float(getattr(DEFAULTS, field.name)) for field in dataclasses.fields(DEFAULTS)} == {
        bare(row[0]): float(row[1]) for row in table("### Batches and limits")
    }


def test_ages() -> None:
    """The table of ages has the limits, half an hour early."""
    days = [int(found) for found in re.findall(r"\| (\d+) days, 23 hours and 30 minutes \|", PAGE)]

    assert [MOST_AGE - MARGIN, MOST_AGE_WITHOUT_CLICK - MARGIN] == [(one + 1) * DAY - 1800.0 for one in days]


def test_reasons_are_reasons() -> None:
    """Every reason that the table of answers names is one of the closed list."""
    assert {bare(row[2]) for row in table("### Answers")} <= set(Reason)


@pytest.mark.parametrize("row", table("## Conformance cases"), ids=lambda row: row[0])
def test_cases(row: list[str]) -> None:
    """Each case has a test in each file that the table names for it."""
    places = [ROOT / "tests" / "platforms" / name for name in re.findall("`(.+?)`", row[2])]

    assert places
    assert [] == [
        place.name for place in places if f"def test_{row[0].lower()}_" not in place.read_text(encoding="utf-8")
    ]


def test_no_case_is_forgotten() -> None:
    """All twenty-nine cases are in the table."""
    assert [f"C{number}" for number in range(1, 30)] == [row[0] for row in table("## Conformance cases")]


def test_files() -> None:
    """The page counts the files of this platform."""
    files = list((ROOT / "pipeline" / "platforms").glob("google_*.py"))

    assert 7 == len(files)
    assert "the seven files whose names begin with `google_`" in PAGE
