"""Events from a file, for commands that say what would become of them: read as `publish` reads, decoded as the worker.

What comes out went through the JSON form, our Avro and the worker's own decoder, so that it is the event that the
worker would have.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import click

from pipeline.commands.publish import PublishError, check, encode, read_events
from pipeline.core.contract import Kind
from pipeline.core.decode import bundled_reader, decode
from pipeline.core.model import Event, Record
from pipeline.edge.schema_files import KINDS, load_contract

__all__ = ["FILE", "KIND", "PublishError", "events_in"]

# What every such command takes.
FILE: Final = click.argument("file", type=click.File("rb"), default="-")
KIND: Final = click.option("--kind", type=click.Choice(KINDS), help="What the events are; else their id field says it.")


def events_in(text: bytes, kind: Kind | None = None) -> Sequence[Event]:
    """Return the events in `text`: one JSON object, a list of them, or one a line.

    Raises PublishError with every fault of every event, each with its field and its fix.
    """
    contract = load_contract()
    checked = check(read_events(text), contract, kind)
    readers = {each: bundled_reader(contract, each) for each in KINDS}
    events: list[Event] = []
    for number, (one, written) in enumerate(
        zip(checked, encode(checked, dict.fromkeys(KINDS, ""), {}), strict=True), 1
    ):
        read = decode(Record("", 0, 0, written.key, written.value, (), None), readers[one.kind])
        if not isinstance(read, Event):
            raise PublishError(f"event {number}: {read.reason}")
        events.append(read)
    return events
