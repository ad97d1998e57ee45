"""Where the events come from that `explain` speaks of: text in the JSON form, or one record of a Kafka topic.

A record is read with what the worker would read it with: its own schema, from the registry if the settings name one.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from pipeline.commands.event_file import EventReader, PublishError
from pipeline.commands.publish import read_events
from pipeline.config.kafka_settings import connection_config, consumer_config
from pipeline.config.registry_access import open_registry
from pipeline.config.settings import Settings
from pipeline.core.contract import Kind
from pipeline.core.decode import Contract, Reader, bundled_reader, compile_reader, decode, schema_ref
from pipeline.core.letter import PREFIX
from pipeline.core.masking import mask
from pipeline.core.model import Event, Record, Refusal, Skipped
from pipeline.core.ports import RegistryDown
from pipeline.core.reason import Reason
from pipeline.core.wire import lookup
from pipeline.edge.admin import Admin, KafkaRefusedError, KafkaUnreachableError
from pipeline.edge.one_record import NoSuchRecordError, read_one
from pipeline.edge.readers import MOST_ID
from pipeline.edge.secrets import Secrets
from pipeline.flow.prepare import HEADERS_LOST

_POSITION: Final = re.compile(r"([A-Za-z0-9._-]{1,249}):(\d{1,9}):(\d{1,18})").fullmatch


class SourceError(Exception):
    """There is nothing to explain; `lines` say why."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class Position(NamedTuple):
    """One record in Kafka."""

    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Found:
    """What there is to explain: where it was, what reading made of it, and all its `faults` where it has some.

    `letter` are the headers of a dead letter, without their common prefix; empty for everything else.
    """

    place: str
    read: Event | Refusal | Skipped
    faults: tuple[str, ...] = ()
    letter: Mapping[str, str] = field(default_factory=dict)


def position_of(text: str) -> Position | None:
    """Return the position that `text` names as `topic:partition:offset`, or None."""
    found = _POSITION(text)
    return None if found is None else Position(found[1], int(found[2]), int(found[3]))


def found_in(text: bytes, reader: EventReader) -> list[Found]:
    """Return what is in `text`: one JSON event, a list of them, or one a line. Raises SourceError if it is not JSON."""
    try:
        documents = read_events(text)
    except PublishError as error:
        raise SourceError(*error.lines) from None
    return [_found(f"event {number}", document, reader) for number, document in enumerate(documents, 1)]


def found_at(position: Position, settings: Settings, secrets: Secrets, contract: Contract, kind: Kind | None) -> Found:
    """Return what is at a position in Kafka; on the dead-letter topic with what the letter says.

    `kind` is what the record is where neither its schema nor the settings say it.
    Raises SourceError, and SettingsError for a secret that is missing.
    """
    record = _record(position, settings, secrets)
    letter = _letter(record, settings)
    own = kind or settings.source_topics.get(letter.get("topic", record.topic))
    place = f"{record.topic}[{record.partition}] offset {record.offset}"
    if record.headers_lost:
        return Found(place, HEADERS_LOST, letter=letter)
    reader = asyncio.run(_reader(record, settings, secrets, contract, own))
    return Found(place, reader if isinstance(reader, Refusal) else decode(record, reader), letter=letter)


def _found(place: str, document: object, reader: EventReader) -> Found:
    try:
        return Found(place, reader.read(document))
    except PublishError as error:
        return Found(place, Refusal(Reason.INVALID_EVENT, "; ".join(error.lines)), error.lines)


def _record(position: Position, settings: Settings, secrets: Secrets) -> Record:
    servers = settings.kafka.bootstrap_servers
    try:
        topic = Admin(connection_config(settings.kafka, secrets)).topics().get(position.topic)
        if topic is None:
            raise SourceError(f"topic {position.topic} does not exist on {servers}, or this user may not read it")
        if position.partition >= topic.partitions:
            raise SourceError(f"topic {position.topic} has {topic.partitions} partitions, counted from 0")
        return read_one(consumer_config(settings.kafka, settings.group_id, secrets), *position)
    except KafkaUnreachableError as error:
        raise SourceError(f"{servers} does not answer ({error}); check CAPI_KAFKA_BOOTSTRAP_SERVERS") from None
    except KafkaRefusedError as error:
        raise SourceError(f"Kafka refused: {error}") from None
    except NoSuchRecordError as error:
        raise SourceError(str(error)) from None


async def _reader(
    record: Record, settings: Settings, secrets: Secrets, contract: Contract, kind: Kind | None
) -> Reader | Refusal:
    ref = schema_ref(record)
    async with open_registry(settings.registry, secrets) as registry:
        if ref is not None and registry is not None:
            key = lookup(ref)
            if isinstance(key, int) and key > MOST_ID:
                return Refusal(Reason.SCHEMA_UNKNOWN, f"no registry has a schema {key}: ids end at {MOST_ID}")
            try:
                text = await registry.schema(key)
            except RegistryDown as error:
                raise SourceError(f"the registry gave no answer that can be used: {error}") from None
            if text is None:
                return Refusal(Reason.SCHEMA_UNKNOWN, f"the registry knows no schema {key}")
            return compile_reader(text, contract, ref, kind)
    if kind is None:
        raise SourceError(f"the settings do not say what is in {record.topic}; say --kind, or add it")
    return bundled_reader(contract, kind, ref)


def _letter(record: Record, settings: Settings) -> dict[str, str]:
    """Return what a dead letter says of itself. A replayed record in a source topic is none, whatever it carries."""
    if record.topic in settings.source_topics:
        return {}
    ours = {
        name.removeprefix(PREFIX): mask((value or b"").decode(errors="replace"))
        for name, value in record.headers
        if name.startswith(PREFIX)
    }
    return ours if "reason" in ours else {}
