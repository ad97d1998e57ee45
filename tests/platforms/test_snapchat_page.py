"""docs/platforms/snapchat.md says what the code does."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
from meta_events import lead, order
from snapchat_events import IOS, shape

from pipeline.core.contract import EVENTS_OF
from pipeline.core.model import Blamed, Doubt, Halt, Later, Mixed, NoReply, Refusal, Reply, Shaped, Verdict
from pipeline.core.reason import Reason
from pipeline.platforms.snapchat import ACTION_SOURCES, DEFAULTS, EVENT_NAMES, SnapchatOptions
from pipeline.platforms.snapchat_keys import SNAPCHAT_KEYS
from pipeline.platforms.snapchat_replies import read

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "platforms" / "snapchat.md").read_text(encoding="utf-8")
BODY = re.compile(r"with `(\{.*?\})`")
PLAIN_BODIES = (b"<html></html>", b'{"status":"INVALID","event":1}')
CASES = [str(number) for number in range(1, 23)]


def table(heading: str) -> list[list[str]]:
    """Return the cells of the first table under a heading, without its head."""
    _, _, rest = PAGE.partition(f"\n{heading} ✓\n")
    lines = rest[rest.index("\n|") + 1 :].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split(" |")] for line in lines[2:]]


def bare(cell: str) -> str:
    """Return what stands in the first pair of backticks of a cell."""
    return cell.split("`")[1]


def replies(cell: str) -> list[Reply | NoReply]:
    """Return every answer that a cell names; one that says nothing of a body has any."""
    statuses = [int(status) for status in re.findall(r"`HTTP (\d+)`", cell)]
    told = BODY.search(cell)
    if told is not None:
        bodies: tuple[bytes, ...] = (told[1].encode(),)
    else:
        bodies = PLAIN_BODIES[:1] if "without" in cell else PLAIN_BODIES
    return [Reply(status, {}, body) for status in statuses for body in bodies] or [NoReply("no answer within 15 s")]


def in_words(verdict: Verdict) -> tuple[str, str]:
    """Return what the worker does, and the reason, as the page has them."""
    match verdict:
        case Later(reason, _, _, blame):
            return ("wait" if blame is None else "wait, split after three attempts", reason)
        case Halt(reason):
            return ("halt", reason)
        case Doubt(refusal, suspects):
            return ("split" if suspects else "ask, then split", refusal.reason)
        case Blamed(refused) | Mixed(refused):
            return ("refuse the named", refused[1].reason)
        case _:
            return ("accept", "")


@pytest.mark.parametrize("row", table("### Answers"), ids=lambda row: row[0][:60])
def test_answers(row: list[str]) -> None:
    """Whatever a row of the table names is read as the row says."""
    assert {(row[1], bare(row[2]))} == {in_words(read(reply, 8)) for reply in replies(row[0])}


def test_every_status_is_on_the_page() -> None:
    """No HTTP status without Snapchat's JSON is read in a way that the page does not tell of such a one."""
    rows = [row for row in table("### Answers") if BODY.search(row[0]) is None]
    told = {
        (reply.status // 100, row[1], bare(row[2]))
        for row in rows
        for reply in replies(row[0])
        if isinstance(reply, Reply)
    }
    found = {(status // 100, *in_words(read(Reply(status, {}, b"<html></html>"), 8))) for status in range(200, 600)}

    assert told == found


def test_reasons_are_reasons() -> None:
    """Every reason that the table of answers names is one of the closed list."""
    assert {bare(row[2]) for row in table("### Answers")} <= set(Reason)


def test_match_keys() -> None:
    """The table of match keys is the one that the code reads, row by row."""
    assert table("### Match keys") == [[f"`{key.name}`", f"`{key.source}`", key.form.value] for key in SNAPCHAT_KEYS]


def test_events() -> None:
    """The table of events names every event of the contract as it is sent."""
    rows = {bare(row[0]): row[1] for row in table("### Events")}

    assert {ours: bare(theirs) for ours, theirs in rows.items() if theirs.startswith("`")} == EVENT_NAMES
    assert {name for names in EVENTS_OF.values() for name in names} == rows.keys()


def test_action_sources() -> None:
    """The table of places has every action source, in Snapchat's word."""
    assert {bare(row[0]): bare(row[1]) for row in table("### Where it happened")} == ACTION_SOURCES


@pytest.mark.parametrize("row", table("### Where it happened"), ids=lambda row: row[0])
def test_required_fields(row: list[str]) -> None:
    """Without each field that a row requires, an event of that place is refused; with them, it is sent."""
    whole = {"action_source": bare(row[0]), "app": IOS, "messaging": {"channel": "WHATSAPP"}}
    missing = re.findall("`([a-z_.]+)`", row[2])

    assert isinstance(shape(order(whole)), Shaped)
    assert isinstance(shape(lead(whole)), Shaped)
    assert [] == [path for path in missing if not isinstance(shape(order({**whole, path: None})), Refusal)]


def test_options() -> None:
    """The table of options has every option with its default."""
    told = {bare(row[0]): row[1].strip("`") for row in table("### Options of a destination")}
    options = SnapchatOptions()

    assert told == {
        field.name: str(getattr(options, field.name) or "none") for field in dataclasses.fields(SnapchatOptions)
    }


def test_limits() -> None:
    """The table of limits has every limit with its default."""
    assert {bare(row[0]): float(row[1]) for row in table("### Batches and limits")} == {
        field.name: float(getattr(DEFAULTS, field.name)) for field in dataclasses.fields(DEFAULTS)
    }


@pytest.mark.parametrize("row", table("## Conformance cases"), ids=lambda row: row[0])
def test_cases(row: list[str]) -> None:
    """Each case has a test in each file that the table names for it."""
    places = [ROOT / "tests" / "platforms" / name for name in re.findall("`(.+?)`", row[2])]
    named = (f"def test_{row[0]}_", f'id="{row[0]}"')

    assert places
    assert [] == [
        place.name for place in places if not any(name in place.read_text(encoding="utf-8") for name in named)
    ]


def test_no_case_is_forgotten() -> None:
    """All twenty-two cases are in the table."""
    assert [row[0] for row in table("## Conformance cases")] == CASES
