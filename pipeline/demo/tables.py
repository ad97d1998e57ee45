"""The demo's tables: what became of every record at each platform, the offsets, and the one with everything."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Final

from rich import box
from rich.table import Table
from rich.text import Text

from pipeline.demo.arrivals import Arrival
from pipeline.demo.flaws import FLAWS, GOOD, PLATFORMS, REPEATED, TAKEN_BACK, Outcome
from pipeline.demo.reckoning import Evidence, Placed, meant
from pipeline.demo.showcase import email_hash, match_keys

Row = tuple[Outcome, str]
_OUTCOMES: Final[tuple[Outcome, ...]] = ("accepted", "skipped", "dead-lettered")
_STYLES: Final[Mapping[Outcome, str]] = {"accepted": "green", "skipped": "yellow", "dead-lettered": "red"}
_STORIES: Final = tuple(dict.fromkeys(flaw.story for flaw in (GOOD, *FLAWS, *TAKEN_BACK, REPEATED)))
_SHOWN_OF_A_HASH: Final = 10


def outcomes(placed: Sequence[Placed], evidence: Evidence) -> Table:
    """Return how many records met which outcome at which platform; what was expected stands behind where it differs."""
    table = _table("What became of every record, at every platform", "outcome", "reason")
    for platform in PLATFORMS:
        table.add_column(platform, justify="right")
    found = {platform: evidence.counts(platform) for platform in PLATFORMS}
    expected = {platform: meant(placed, platform) for platform in PLATFORMS}
    rows = {row for counts in (*found.values(), *expected.values()) for row in counts}
    for outcome, group in groupby(sorted(rows, key=_order), key=lambda row: row[0]):
        for row in group:
            cells = [_cell(found[platform][row], expected[platform][row]) for platform in PLATFORMS]
            table.add_row(Text(outcome, style=_STYLES[outcome]), row[1], *cells)
    table.add_section()
    totals = [str(found[platform].total()) for platform in PLATFORMS]
    table.add_row("in all", f"of {len(placed)} records", *totals)
    return table


def stories(placed: Sequence[Placed]) -> Table:
    """Return what the records were that not everybody accepted: a row for each reason, in the order of the outcomes.

    Behind a story stand the platforms at which it met that reason, unless they are all of them.
    """
    told: dict[Row, dict[str, set[str]]] = {}
    for item in placed:
        for platform, expected in item.entry.outlook.items():
            if expected.reason is not None:
                row = told.setdefault((expected.outcome, expected.reason), {})
                row.setdefault(item.entry.story, set()).add(platform)
    table = Table.grid(padding=(0, 2, 0, 0))
    for outcome, reason in sorted(told, key=_order):
        found = told[outcome, reason]
        words = [_where(story, found[story]) for story in _STORIES if story in found]
        table.add_row(Text(reason, style=_STYLES[outcome]), "; ".join(words))
    return table


def _where(story: str, platforms: Collection[str]) -> str:
    at = [platform for platform in PLATFORMS if platform in platforms]
    others = [platform for platform in PLATFORMS if platform not in platforms]
    match others:
        case []:
            return story
        case [one]:
            return f"{story} (all but {one})"
        case _:
            return f"{story} ({', '.join(at)})"


def offsets(evidence: Evidence) -> Table:
    """Return how far each partition is committed, and where it ends."""
    table = _table("Committed offsets", "partition")
    table.add_column("committed", justify="right")
    table.add_column("end", justify="right")
    for (topic, partition), end in sorted(evidence.ends.items()):
        table.add_row(f"{topic}[{partition}]", str(evidence.committed.get((topic, partition), 0)), str(end))
    return table


def showcase(arrivals: Mapping[str, Arrival]) -> Table:
    """Return what each platform got of the one with everything; the hashes are cut."""
    table = _table("One order, as each platform received it", "platform", "calls it", "known as", "at (UTC)", "worth")
    table.add_column("match keys", justify="right")
    table.add_column("e-mail, hashed")
    for platform in PLATFORMS:
        arrival = arrivals.get(platform)
        if arrival is None:
            table.add_row(platform, Text("never arrived", style="bold red"))
            continue
        seen = arrival.seen
        found, wanted = arrival.match_keys, match_keys(platform)
        table.add_row(
            platform,
            f"action {seen.event_name}" if platform == "google" else seen.event_name,
            seen.event_id,
            datetime.fromtimestamp(seen.event_time, UTC).strftime("%H:%M:%S"),
            seen.worth,
            f"{len(found & wanted)} of {len(wanted)}",
            _hash(arrival.emails, email_hash(platform)),
        )
    return table


def sums(records: int, evidence: Evidence) -> str:
    """Return the sum of everything in one line: records times platforms, and what became of them."""
    counts = [evidence.counts(platform) for platform in PLATFORMS]
    totals = {
        outcome: sum(count for one in counts for (had, _), count in one.items() if had == outcome)
        for outcome in _OUTCOMES
    }
    parts = " + ".join(f"{totals[outcome]} {outcome}" for outcome in _OUTCOMES)
    return f"{records} records x {len(PLATFORMS)} platforms = {parts}"


def _table(title: str, *columns: str) -> Table:
    return Table(*columns, title=title, box=box.SIMPLE_HEAD, title_justify="left")


def _order(row: Row) -> tuple[int, str]:
    return _OUTCOMES.index(row[0]), row[1]


def _cell(found: int, expected: int) -> Text:
    if found != expected:
        return Text(f"{found}, not {expected}", style="bold red")
    return Text(str(found)) if found else Text("-", style="dim")


def _hash(found: tuple[str, ...], expected: str) -> Text:
    shown = f"{found[0][:_SHOWN_OF_A_HASH]}..." if found else "none"
    return Text(shown, style="" if found == (expected,) else "bold red")
