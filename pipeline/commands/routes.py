"""`capi-pipeline routes explain`: where an event would go, and why not elsewhere.

Each destination is asked as the worker asks it, by the same function, at this moment; nothing is sent, and neither
Kafka nor a secret is needed. What the worker only knows on the way (a duplicate, the platform's answer) is not said.
Invariant: no customer value is printed; shops, brands and names of events are, and what a destination wants.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, Literal

import click

from pipeline.commands.account import SKIPPED_BY_PLATFORM
from pipeline.commands.destinations_file import PATH, read_destinations_file
from pipeline.commands.ending import stop
from pipeline.commands.event_file import FILE, KIND, PublishError, events_in
from pipeline.core.consent import SKIPPED
from pipeline.core.contract import Kind
from pipeline.core.destination import Destination, Mode
from pipeline.core.model import Event, Refusal, Shaped, Skipped
from pipeline.core.reason import Reason
from pipeline.exits import Exit
from pipeline.flow.clocks import Moment
from pipeline.flow.prepare import Way
from pipeline.platforms import open_platform

Outcome = Literal["sent", "skipped", "refused", "off"]


@dataclass(frozen=True, slots=True)
class Explanation:
    """What becomes of an event at one destination; `reason` is None when it is sent, `words` say more."""

    destination: str
    platform: str
    mode: Mode
    outcome: Outcome
    reason: Reason | None
    words: Sequence[str]


def explain(event: Event, destination: Destination, *, now: float) -> Explanation:
    """Return what would become of `event` at `destination` at `now` (Unix seconds)."""
    result, reason, words = _judged(event, Way(open_platform(destination)), Moment(now, now))
    if destination.mode == "off":
        otherwise = f"{result}, {reason}" if reason else result
        words = [f"the destination is off; live, the event would be {otherwise}", *words]
        result, reason = "off", None
    return Explanation(destination.name, destination.platform, destination.mode, result, reason, words)


def _judged(event: Event, way: Way, now: Moment) -> tuple[Outcome, Reason | None, list[str]]:
    decision, found = way.outcome(event, now)
    consent = way.route.consent.words(event.body)
    match found:
        case Refusal():
            return "refused", found.reason, [found.detail]
        case Shaped():
            return "sent", None, [*_shown(found), *([consent] if consent else [])]
        case Skipped() if decision is None:
            return "skipped", found.reason, way.route.objections(event)
        case Skipped() if decision in SKIPPED:
            return "skipped", found.reason, [consent]
        case Skipped():
            return "skipped", found.reason, [SKIPPED_BY_PLATFORM.get(found.reason, "the platform takes no such event")]


@click.group()
def routes() -> None:
    """Say where events go."""


@routes.command("explain")
@FILE
@KIND
@PATH
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def explain_command(file: BinaryIO, kind: Kind | None, path: Path | None, *, as_json: bool) -> None:
    """Say for each event of a file which destinations it would reach, and why the others not.

    FILE holds one JSON event, a list of them, or one a line; "-" (or nothing) is standard input.
    Nothing is sent, and no customer data is shown. Exit code 1 when an event has a fault.
    """
    destinations = read_destinations_file(os.environ, path)
    try:
        events = events_in(file.read(), kind)
    except PublishError as error:
        stop(error.lines, Exit.FAILURE)
    now = time.time()
    told = [(event.name, [explain(event, each, now=now) for each in destinations]) for event in events]
    for line in _json(told) if as_json else _lines(told):
        click.echo(line)


def _shown(shaped: Shaped) -> Iterator[str]:
    yield f"as {shaped.event_name}"
    yield f"match keys: {', '.join(shaped.match_keys)}"
    if shaped.dropped:
        yield f"unusable match keys: {', '.join(shaped.dropped)}"
    yield from shaped.notes


Told = Sequence[tuple[str, Sequence[Explanation]]]


def _json(told: Told) -> Iterator[str]:
    rows = [{"event": name, "destinations": [asdict(each) for each in explained]} for name, explained in told]
    yield json.dumps(rows, indent=2)


def _lines(told: Told) -> Iterator[str]:
    for number, (name, explained) in enumerate(told, 1):
        yield f"event {number}: {name}"
        widths = [max(len(cell) for cell in column) for column in zip(*map(_cells, explained), strict=True)]
        for each in explained:
            cells = [cell.ljust(width) for cell, width in zip(_cells(each), widths, strict=True)]
            yield f"  {'  '.join(cells)}  {'; '.join(each.words)}"


def _cells(each: Explanation) -> tuple[str, ...]:
    return each.destination, each.platform, each.mode, each.outcome, each.reason or "-"
