"""Events from a file, for commands that say what would become of them: read as `publish` reads, decoded as the worker.

What comes out went through the JSON form, our Avro and the worker's own decoder, so that it is the event that the
worker would have.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import click

from pipeline.commands.publish import PublishError, check, read_events
from pipeline.core.avro.encode import Encoder
from pipeline.core.contract import Kind
from pipeline.core.decode import bundled_reader, decode
from pipeline.core.model import Event, Record
from pipeline.edge.schema_files import KINDS, load_contract, schema_texts

__all__ = ["FILE", "KIND", "EventReader", "PublishError", "events_in"]

# What every such command takes.
FILE: Final = click.argument("file", type=click.File("rb"), default="-")
KIND: Final = click.option("--kind", type=click.Choice(KINDS), help="What the events are; else their id field says it.")


class EventReader:
    """Reads one event at a time; made once, because making it costs as much as reading a hundred events."""

    def __init__(self, kind: Kind | None = None) -> None:
        self.contract = load_contract()
        self._kind = kind
        self._readers = {each: bundled_reader(self.contract, each) for each in KINDS}
        self._encoders = {each: Encoder(text) for each, text in schema_texts().items()}

    def read(self, json: object) -> Event:
        """Return the event in `json`, as a JSON parser gives it. Raises PublishError with every fault of it."""
        try:
            (one,) = check([json], self.contract, self._kind)
        except PublishError as error:
            raise PublishError(*(line.removeprefix("event 1: ") for line in error.lines)) from None
        written = self._encoders[one.kind].encode(one.event)
        read = decode(Record("", 0, 0, one.key.encode(), written, (), None), self._readers[one.kind])
        if not isinstance(read, Event):
            raise PublishError(read.reason)
        return read


def events_in(text: bytes, kind: Kind | None = None) -> Sequence[Event]:
    """Return the events in `text`: one JSON object, a list of them, or one a line.

    Raises PublishError with every fault of every event, each with its field and its fix.
    """
    reader = EventReader(kind)
    events: list[Event] = []
    faults: list[str] = []
    for number, json in enumerate(read_events(text), 1):
        try:
            events.append(reader.read(json))
        except PublishError as error:
            faults += [f"event {number}: {line}" for line in error.lines]
    if faults:
        raise PublishError(*faults)
    return events
