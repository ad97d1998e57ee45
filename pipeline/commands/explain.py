"""`capi-pipeline explain`: what would become of an event, step by step. Nothing is sent.

People get a page with customer data hidden; machines get JSON, or one line for each event and destination.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Literal, cast

import click
import orjson
from typing_extensions import override

from pipeline.commands.account import Target
from pipeline.commands.destinations_file import PATH, read_destinations_file
from pipeline.commands.ending import stop
from pipeline.commands.event_file import KIND, EventReader
from pipeline.commands.explain_lines import Now, lines
from pipeline.commands.explain_page import page
from pipeline.commands.explain_source import Found, Position, SourceError, found_at, found_in, position_of
from pipeline.commands.explain_told import VERSION, ToldEvent, tell
from pipeline.config.environment import read_secrets, read_settings
from pipeline.config.faults import ConfigurationError
from pipeline.core.contract import Kind
from pipeline.core.model import Event
from pipeline.exits import Exit

Form = Literal["page", "json", "ndjson"]


class Time(click.ParamType[Now]):
    """A moment: ISO 8601 with an offset, Unix seconds, or `event`, the time of each event."""

    name = "time"

    @override
    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Now:
        text = str(value)
        if text == "event":
            return lambda event: event.time
        try:
            fixed = float(text)
        except ValueError:
            fixed = self._iso(text, param, ctx)
        if not 0 <= fixed < 1e11:
            self.fail("is no time in Unix seconds; were they milliseconds?", param, ctx)
        return lambda _: fixed

    def _iso(self, text: str, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            self.fail("write ISO 8601 with an offset, like 2026-11-21T08:00:00Z, Unix seconds, or event", param, ctx)
        if moment.tzinfo is None:
            self.fail("has no offset from UTC; add Z or +01:00", param, ctx)
        return moment.timestamp()


@click.command("explain")
@click.argument("source", default="-")
@KIND
@click.option("--destination", "names", multiple=True, metavar="NAME", help="Only this destination; may be repeated.")
@PATH
@click.option("--now", type=Time(), help="Judge age at this moment: ISO 8601, Unix seconds, or `event`.")
@click.option("--unmasked", is_flag=True, help="Show customer data as it is.")
@click.option("--json", "form", flag_value="json", help="Write one JSON document.")
@click.option("--ndjson", "form", flag_value="ndjson", help="Write a line for each event and destination, unmasked.")
def explain_command(  # noqa: PLR0913 - one for each option
    source: str,
    kind: Kind | None,
    names: Sequence[str],
    path: Path | None,
    now: Now | None,
    form: Form | None,
    *,
    unmasked: bool,
) -> None:
    """Say what would become of an event, step by step, at every destination. Nothing is sent.

    SOURCE is a file with one JSON event, a list of them, or one a line; "-" (or nothing) is standard input.
    Or it is topic:partition:offset, a record in Kafka; on the dead-letter topic, a dead letter.
    Customer data is shown as its shape unless --unmasked is said. Exit code 0 also where an event is refused.
    """
    position = None if Path(source).is_file() else position_of(source)
    judged: Now = now or (lambda _: time.time())
    try:
        targets = [Target(each) for each in read_destinations_file(os.environ, path)]
        reader = EventReader(kind)
        if form == "ndjson":
            if position is not None:
                raise click.UsageError("--ndjson reads events from a file or standard input, not from Kafka.")
            _write_lines(source, reader, _chosen(targets, names), judged)
            return
        if unmasked:
            click.echo("Customer data is shown as it is: --unmasked.", err=True)
        found = _in_file(source, reader) if position is None else [_from_kafka(position, reader, kind)]
        asked = [(one, _chosen(targets, names or _addressed(one, targets))) for one in found]
        told = [tell(one, to, reader.contract, now=_moment(one, judged), unmasked=unmasked) for one, to in asked]
        _write(told, form or "page", masked=not unmasked)
    except ConfigurationError as error:
        stop(error.lines, Exit.USAGE)
    except SourceError as error:
        stop(error.lines, Exit.FAILURE)


def _write_lines(source: str, reader: EventReader, targets: Sequence[Target], now: Now) -> None:
    out = sys.stdout.buffer
    with _open(source) as texts:
        for line in lines(texts, reader, targets, now):
            # At once: whoever writes one event at a time may wait for its lines before the next.
            out.write(line + b"\n")
            out.flush()


def _write(told: Sequence[ToldEvent], form: Form, *, masked: bool) -> None:
    if form == "json":
        document = {"v": VERSION, "masked": masked, "events": told}
        click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2))
        return
    # Click knows terminals, and not what NO_COLOR asks for (no-color.org).
    colour = False if os.environ.get("NO_COLOR") else None
    for number, each in enumerate(told):
        if number:
            click.echo()
        for line in page(each):
            click.echo(line, color=colour)


def _moment(found: Found, now: Now) -> float:
    return now(found.read) if isinstance(found.read, Event) else time.time()


def _addressed(found: Found, targets: Sequence[Target]) -> Sequence[str]:
    """Return the destination that a dead letter was for, if it is one of ours."""
    name = found.letter.get("destination")
    return [each.name for each in targets if each.name == name]


def _chosen(targets: Sequence[Target], names: Sequence[str]) -> Sequence[Target]:
    """Return the destinations that were named, whatever their mode, or else all that are not off."""
    known = {each.name: each for each in targets}
    for name in names:
        if name not in known:
            raise click.UsageError(f"There is no destination {name}; known are {', '.join(known)}.")
    chosen = [known[name] for name in dict.fromkeys(names)] or [each for each in targets if each.mode != "off"]
    if not chosen:
        raise click.UsageError("Every destination is off; name one with --destination.")
    return chosen


def _from_kafka(position: Position, reader: EventReader, kind: Kind | None) -> Found:
    settings = read_settings(os.environ)
    return found_at(position, settings, read_secrets(settings, os.environ), reader.contract, kind)


def _in_file(source: str, reader: EventReader) -> list[Found]:
    with _open(source) as file:
        return found_in(file.read(), reader)


def _open(source: str) -> BinaryIO:
    try:
        return cast("BinaryIO", click.open_file(source, "rb"))
    except OSError as error:
        raise click.UsageError(f"{source} is no topic:partition:offset, and no file: {error.strerror}.") from None
