"""The demo's tables: what is wrong stands out, and all of it fits a terminal of 100 columns."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from demo_evidence import ARRIVED, EVIDENCE, PLACED, WORKER
from rich.console import Console, RenderableType

from pipeline.demo import tables
from pipeline.demo.arrivals import Arrival
from pipeline.demo.balance import Seen
from pipeline.demo.flaws import FLAWS, PLATFORMS
from pipeline.demo.showcase import email_hash, match_keys

WIDTH = 100


def shown(table: RenderableType) -> list[str]:
    """Return the lines of a table as a terminal shows them."""
    console = Console(width=WIDTH, color_system=None)
    with console.capture() as capture:
        console.print(table)
    return [line.rstrip() for line in capture.get().splitlines()]


def row(lines: list[str], *beginning: str) -> list[str]:
    """Return the words of the line that begins with these words, without them."""
    found = [line.split() for line in lines if line.split()[: len(beginning)] == list(beginning)]
    assert 1 == len(found), lines

    return found[0][len(beginning) :]


def arrived(platform: str) -> Arrival:
    """Return the one with everything as it should arrive."""
    seen = Seen("A-100000:web", "Purchase", 1_763_712_000, "133.95 USD")
    return Arrival(platform, "1", seen, (email_hash(platform),), match_keys(platform))


def test_outcomes() -> None:
    """Each outcome is counted for each platform; where none was, a dash stands."""
    lines = shown(tables.outcomes(PLACED, EVIDENCE))

    assert ["2", "2", "1", "2", "2"] == row(lines, "accepted")
    assert ["-", "-", "1", "-", "-"] == row(lines, "dead-lettered", "rejected")
    assert ["4"] * 5 == row(lines, "in", "all", "of", "4", "records")


def test_what_was_not_expected_stands_out() -> None:
    """Where another number was expected, it stands behind the one that was found, also where none was found."""
    worker = replace(WORKER, skipped=Counter({("meta", "no_platform_event"): 1, ("google", "tombstone"): 1}))
    lines = shown(tables.outcomes(PLACED, replace(EVIDENCE, worker=worker, arrivals=ARRIVED[1:])))

    assert ["1,", "not", "2"] == row(lines, "accepted")[:3]
    assert ["-", "1,", "not", "0"] == row(lines, "skipped", "tombstone")[:4]
    assert ["1", "0,", "not", "1"] == row(lines, "skipped", "no_platform_event")[:4]


def test_stories() -> None:
    """A story names its platforms, unless it is the same at all of them."""
    story = FLAWS[0].story
    told = [replace(item, entry=replace(item.entry, story=story)) for item in PLACED]
    lines = shown(tables.stories(told))

    assert story.split() == row(lines, "undecodable")
    assert [*story.split(), "(tiktok)"] == row(lines, "rejected")


def test_showcase() -> None:
    """Each platform has a row with name, id, time, value, keys and hash; it fits."""
    lines = shown(tables.showcase({platform: arrived(platform) for platform in PLATFORMS}))

    assert max(map(len, lines)) <= WIDTH
    hashed = f"{email_hash('google')[:10]}..."
    assert ["action", "Purchase", "A-100000:web", "08:00:00", "133.95", "USD", "7", "of", "7", hashed] == row(
        lines, "google"
    )


def test_showcase_that_never_arrived() -> None:
    """A platform that did not get it has a row that says so."""
    lines = shown(tables.showcase({"meta": arrived("meta")}))

    assert ["never", "arrived"] == row(lines, "snapchat")


def test_sums() -> None:
    """Records times platforms is what became of them."""
    line = tables.sums(len(PLACED), EVIDENCE)

    assert "4 records x 5 platforms = 9 accepted + 5 skipped + 6 dead-lettered" == line
