"""docs/platforms/meta.md says what the code does."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import orjson
import pytest
from meta_events import APP, CONVERSATIONS, lead, order, order_json, read, shape

from pipeline.core.contract import EVENTS_OF
from pipeline.core.model import Doubt, Event, Halt, Later, Reply, Shaped, Verdict
from pipeline.core.reason import Reason
from pipeline.platforms.meta import ACTION_SOURCES, DEFAULTS, EVENT_NAMES, MESSAGING_NAMES, MetaOptions
from pipeline.platforms.meta_keys import META_KEYS, TOO_BROAD
from pipeline.platforms.meta_replies import read as read_reply

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "platforms" / "meta.md").read_text(encoding="utf-8")
ANSWER = re.compile(r"`(HTTP )?(\d+)(?:/(\d+)|-(\d+))?`")
CODES = (*range(1, 6000), 9999, 21009, *range(79_990, 80_030), 1404078, 2859015)
SUBCODES = (*range(1, 100), *range(2804000, 2804200))


def table(heading: str) -> list[list[str]]:
    """Return the cells of the first table under a heading, without its head."""
    _, _, rest = PAGE.partition(f"\n{heading} ✓\n")
    lines = rest[rest.index("\n|") + 1 :].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split(" |")] for line in lines[2:]]


def bare(cell: str) -> str:
    """Return what stands in the first pair of backticks of a cell."""
    return cell.split("`")[1]


def replies(cell: str) -> list[Reply]:
    """Return every answer that a cell names, ranges by their ends and their middle."""
    found: list[Reply] = []
    for http, first, subcode, last in ANSWER.findall(cell):
        if http:
            found.append(Reply(int(first), {}, b"<html></html>"))
            continue
        ends = (int(first), int(last or first))
        found += [error(code, int(subcode or 0)) for code in {*ends, sum(ends) // 2}]
    return found


def error(code: int, subcode: int = 0) -> Reply:
    """Return an error in Meta's form."""
    return Reply(400, {}, orjson.dumps({"error": {"code": code, "error_subcode": subcode or None}}))


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
    assert {(row[1], bare(row[2]))} >= {in_words(read_reply(reply, 8)) for reply in replies(row[0])}


def test_every_answer_is_on_the_page() -> None:
    """No code is read in a way that the page does not tell."""
    told = " ".join(row[0] for row in table("### Answers"))
    known: set[tuple[int, int]] = set()
    for http, first, subcode, last in ANSWER.findall(told):
        known |= {(code, int(subcode or 0)) for code in range(int(first), int(last or first) + 1) if not http}
    unknown, plain = in_words(read_reply(error(9998), 8)), in_words(read_reply(error(100), 8))

    assert set() == {code for code in CODES if in_words(read_reply(error(code), 8)) != unknown} - {
        code for code, subcode in known if not subcode
    }
    assert set() == {sub for sub in SUBCODES if in_words(read_reply(error(100, sub), 8)) != plain} - {
        subcode for _, subcode in known
    }


def test_transient_codes() -> None:
    """Any code with `is_transient` waits, but for throttles and tokens."""
    told = {
        code: Reply(400, {}, b'{"error":{"code":%d,"is_transient":true}}' % code)
        for code in (10, 100, 368, 803, 4, 190)
    }
    expected = [*[("wait", "outage")] * 4, ("wait", "throttled"), ("halt", "unauthorized")]

    assert expected == [in_words(read_reply(reply, 8)) for reply in told.values()]


def test_match_keys() -> None:
    """The table of match keys is the one that the code reads, row by row."""
    assert [[f"`{key.name}`", f"`{key.source}`", key.form.value] for key in META_KEYS] == table("### Match keys")


def test_broad_sets() -> None:
    """The four sets that are too broad are told in their words."""
    (line,) = (line for line in PAGE.splitlines() if line.startswith("`ct`, `country`"))

    assert set(TOO_BROAD) == {frozenset(re.findall("`(.+?)`", part)) for part in line.split("; or ")}


def test_events() -> None:
    """The table of events names every event of the contract as it is sent."""
    rows = {bare(row[0]): row[1:] for row in table("### Events")}
    names = {ours: bare(theirs) for ours, (theirs, _) in rows.items() if theirs.startswith("`")}
    in_messaging = {ours: bare(theirs) for ours, (_, theirs) in rows.items() if theirs.startswith("`")}

    assert (EVENT_NAMES, MESSAGING_NAMES) == (names, in_messaging)
    assert {name for names in EVENTS_OF.values() for name in names} == rows.keys()


def test_action_sources() -> None:
    """The table of places has every action source, in Meta's word."""
    assert ACTION_SOURCES == {bare(row[0]): bare(row[1]) for row in table("### Where it happened")}


@pytest.mark.parametrize("row", table("### Where it happened"), ids=lambda row: row[0])
def test_required_fields(row: list[str]) -> None:
    """Without each field that a row requires, an event of that place is refused; with them, it is sent."""
    source = bare(row[0])
    whole = {"action_source": source, "app": APP, "messaging": CONVERSATIONS["WHATSAPP"]}
    made = lead if source == "SYSTEM" else order
    missing = re.findall("`([a-z_.]+)`", row[2])

    assert isinstance(shape(made(whole)), Shaped)
    assert [] == [path for path in missing if isinstance(shape(made({**whole, path: None})), Shaped)]


def test_options() -> None:
    """The table of options has every option with its default."""
    told = {bare(row[0]): row[1].strip("`") for row in table("### Options of a destination")}

    assert {
        field.name: str(getattr(MetaOptions(), field.name) or "none") for field in dataclasses.fields(MetaOptions)
    } == told


def test_limits() -> None:
    """The table of limits has every limit with its default."""
    assert {field.name: float(getattr(DEFAULTS, field.name)) for field in dataclasses.fields(DEFAULTS)} == {
        bare(row[0]): float(row[1]) for row in table("### Batches and limits")
    }


def test_reasons_are_reasons() -> None:
    """Every reason that the table of answers names is one of the closed list."""
    assert {bare(row[2]) for row in table("### Answers")} <= set(Reason)


@pytest.mark.parametrize("row", table("## Conformance cases"), ids=lambda row: row[0])
def test_cases(row: list[str]) -> None:
    """Each case has a test in each file that the table names for it."""
    folders = (ROOT / "tests" / "platforms", ROOT / "tests" / "journey")
    places = [folder / name for name in re.findall("`(.+?)`", row[2]) for folder in folders if (folder / name).exists()]

    assert places
    assert [] == [
        place.name for place in places if f"def test_{row[0].lower()}_" not in place.read_text(encoding="utf-8")
    ]


def test_no_case_is_forgotten() -> None:
    """The cases from C24 to C50 are in the table, but for the one that the page says is to come."""
    assert [f"C{number}" for number in range(24, 51) if number != 48] == [
        row[0] for row in table("## Conformance cases")
    ]
    assert "- C48, replay" in PAGE


def test_event_id_is_derived() -> None:
    """Without an id of its own an event is called as the page says."""
    event = read(order_json({"event_id": None}))

    assert "order_placed:A-1001" == (event.id if isinstance(event, Event) else None)
