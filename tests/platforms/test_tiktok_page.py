"""docs/platforms/tiktok.md says what the code does."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import orjson
import pytest
from tiktok_events import EVERYWHERE, lead, order, shaped

from pipeline.core.contract import EVENTS_OF
from pipeline.core.model import Doubt, Halt, Later, Reply, Verdict
from pipeline.core.reason import Reason
from pipeline.platforms.tiktok import DEFAULTS, EVENT_NAMES, EVENT_SOURCES, TikTokOptions
from pipeline.platforms.tiktok_keys import STRONG, STRONG_IN_CRM, STRONG_TOGETHER, TIKTOK_KEYS, WEIGHTS
from pipeline.platforms.tiktok_replies import read

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "platforms" / "tiktok.md").read_text(encoding="utf-8")
ANSWER = re.compile(r"`(HTTP )?(\d+)(?:-(\d+))?`")
CODES = (*range(1, 100), *range(19_900, 20_100), *range(39_900, 54_100), *range(59_900, 61_100))


def table(heading: str) -> list[list[str]]:
    """Return the cells of the first table under a heading, without its head."""
    _, _, rest = PAGE.partition(f"\n{heading} ✓\n")
    lines = rest[rest.index("\n|") + 1 :].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split(" |")] for line in lines[2:]]


def bare(cell: str) -> str:
    """Return what stands in the first pair of backticks of a cell."""
    return cell.split("`")[1]


def answer(code: int) -> Reply:
    """Return an error in TikTok's form."""
    return Reply(200, {}, orjson.dumps({"code": code, "message": "no"}))


def replies(cell: str) -> list[Reply]:
    """Return every answer that a cell names, ranges by their ends and their middle."""
    found: list[Reply] = []
    for http, first, last in ANSWER.findall(cell):
        ends = (int(first), int(last or first))
        found += [Reply(int(first), {}, b"<html>")] if http else [answer(code) for code in {*ends, sum(ends) // 2}]
    return found


def in_words(verdict: Verdict) -> tuple[str, str]:
    """Return what the worker does, and the reason, as the page has them."""
    match verdict:
        case Later(reason, _, _, blame):
            return ("wait" if blame is None else "wait, split after three attempts", reason)
        case Halt(reason):
            return ("halt", reason)
        case Doubt(refusal):
            return ("split", refusal.reason)
        case _:
            return ("accept", "")


@pytest.mark.parametrize("row", table("### Answers"), ids=lambda row: row[0][:30])
def test_answers(row: list[str]) -> None:
    """Whatever a row of the table names is read as the row says."""
    assert {(row[1], bare(row[2]))} >= {in_words(read(reply, 8)) for reply in replies(row[0])}


def test_every_answer_is_on_the_page() -> None:
    """No code is read in a way that the page does not tell: each is in a row, or is what the rest of its range is."""
    told = {
        code
        for row in table("### Answers")
        for http, first, last in ANSWER.findall(row[0])
        for code in range(int(first), int(last or first) + 1)
        if not http
    }
    callers, events = ("halt", "misconfigured"), ("split", "rejected")
    unknown = ("wait, split after three attempts", "unknown_answer")
    usual = {
        code: callers if code in range(40_100, 40_200) else events if code in range(40_000, 50_000) else unknown
        for code in CODES
    }
    told -= set(range(40_101, 40_200)) - {40102, 40104, 40105, 40132}

    assert {40050} == {code for code in CODES if in_words(read(answer(code), 8)) != usual[code]} - told
    assert "Code `40050` says" in PAGE


def test_reasons_are_reasons() -> None:
    """Every reason that the table of answers names is one of the closed list."""
    assert {bare(row[2]) for row in table("### Answers")} <= set(Reason)


def test_match_keys() -> None:
    """The table of match keys is the one that the code reads, row by row."""
    rows = [[f"`{key.name}`", f"`{key.source}`", key.form.value] for key in TIKTOK_KEYS]

    assert sorted(rows) == sorted(table("### Match keys"))


def test_strong_keys() -> None:
    """The sentence on what an event needs names the keys that the code asks for."""
    (line,) = (line for line in PAGE.splitlines() if line.startswith("An event needs one of"))
    anywhere, crm = (part.rpartition("one of")[2] for part in line.split(";"))

    assert STRONG | STRONG_TOGETHER == set(re.findall("`(.+?)`", anywhere))
    assert STRONG_IN_CRM == set(re.findall("`(.+?)`", crm))


def test_weights() -> None:
    """The table of weights is the one of the code, in its order."""
    assert [(key, weight) for key, weight in WEIGHTS.items()] == [
        (bare(row[0]), float(row[1])) for row in table("### How much a key is worth")
    ]


def test_events() -> None:
    """The table of events names every event of the contract as it is sent."""
    rows = {bare(row[0]): row[1] for row in table("### Events")}
    custom = rows.pop("custom")

    assert EVENT_NAMES == {ours: bare(theirs) for ours, theirs in rows.items() if theirs != "skipped"}
    assert [name for names in EVENTS_OF.values() for name in names] == [*rows, "custom"]
    assert "custom_name" == bare(custom)


def test_places() -> None:
    """The table of places has every action source with its event source, and the option that holds its id."""
    rows = table("### Where it happened")
    ids = {f"{bare(row[1])}:{getattr(EVERYWHERE, bare(row[2]), None)}" for row in rows if bare(row[2]) != "account"}
    groups = {shaped(order({"action_source": bare(row[0])})).group for row in rows}

    assert EVENT_SOURCES == {bare(row[0]): bare(row[1]) for row in rows}
    assert ids == {group for group in groups if not group.startswith("web:")}
    assert f"crm:{EVERYWHERE.crm_event_set_id}" == shaped(lead({"action_source": "SYSTEM"})).group


def test_options() -> None:
    """The table of options has every option with its default."""
    told = {bare(row[0]): row[1].strip("`") for row in table("### Options of a destination")}

    assert {
        field.name: str(getattr(TikTokOptions(), field.name) or "none") for field in dataclasses.fields(TikTokOptions)
    } == told


def test_limits() -> None:
    """The table of limits has every limit with its default."""
    assert {field.name: float(getattr(DEFAULTS, field.name)) for field in dataclasses.fields(DEFAULTS)} == {
        bare(row[0]): float(row[1]) for row in table("### Batches and limits")
    }


def test_notes() -> None:
    """The table of notes has every note that an event can get."""
    both = order({"touch.url": None, "customer.phones": ["2025550146"], "customer.country": None})

    assert list(shaped(both).notes) == [bare(row[0]) for row in table("### Notes")]


@pytest.mark.parametrize("row", table("## Conformance cases"), ids=lambda row: row[0])
def test_cases(row: list[str]) -> None:
    """Each case has a test in each file that the table names for it."""
    places = [ROOT / "tests" / "platforms" / name for name in re.findall("`(.+?)`", row[2])]
    named = {place.name: _cases_in(place.read_text(encoding="utf-8")) for place in places}

    assert named
    assert [] == [name for name, cases in named.items() if int(row[0][1:]) not in cases]


def test_no_case_is_forgotten() -> None:
    """The cases from C1 to C19 are in the table."""
    assert [f"C{number}" for number in range(1, 20)] == [row[0] for row in table("## Conformance cases")]


def _cases_in(text: str) -> set[int]:
    """Return the cases that the names of a file's tests and of their parameters have."""
    return {int(number) for number in re.findall(r'(?:def test_c|id="C)(\d+)', text)}
