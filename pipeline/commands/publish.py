"""`capi-pipeline publish`: events in the JSON form of the contract, checked, encoded and sent to their topics.

Nothing is sent while any event has a fault: all faults are printed, each with its field and the fix.
Nothing is sent or registered either while a topic is missing, or is mapped to another kind.
With a registry, values are in Confluent's wire format under the id of our schema there; without one they are bare
Avro, which a worker without a registry reads: an invented id would name someone's schema once there is a registry.
All events are held in memory: a tool for samples, tests and repairs, not a bulk loader.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final

import click
import orjson
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from pipeline.config.environment import read_secrets, read_settings
from pipeline.config.faults import ConfigurationError
from pipeline.config.kafka_settings import ClientConfig, connection_config, producer_config
from pipeline.config.registry_access import open_registry
from pipeline.config.settings import Settings
from pipeline.core.avro.encode import Encoder
from pipeline.core.avro.jsonform import from_json
from pipeline.core.contract import ID_FIELDS, NAME_FIELDS, Kind
from pipeline.core.decode import Contract, event_names
from pipeline.core.ports import RegistryDown
from pipeline.core.wire import prefixed
from pipeline.edge.admin import Admin, KafkaUnreachableError
from pipeline.edge.registry import RegistryRefusedError, SchemaRegistry
from pipeline.edge.schema_files import KINDS, load_contract, sample, schema_texts
from pipeline.exits import Exit

SEND_SECONDS: Final = 35.0


class PublishError(Exception):
    """Nothing, or not everything, could be published; `lines` say why."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


@dataclass(frozen=True, slots=True)
class Checked:
    """An event without faults: its kind, our name of it, its key, and its fields."""

    kind: Kind
    name: str
    key: str
    event: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record to be sent."""

    topic: str
    name: str
    key: bytes
    value: bytes


def read_events(text: bytes) -> list[object]:
    """Return the events in `text`: one JSON object, a list of them, or one a line.

    Raises PublishError with the line that is not JSON, or when there is no event at all.
    """
    try:
        whole = orjson.loads(text)
    except orjson.JSONDecodeError:
        whole = list(_lines(text))
    events = whole if isinstance(whole, list) else [whole]
    if not events:
        raise PublishError("there is no event in it")
    return events


def fresh_sample(kind: Kind, now: float) -> list[object]:
    """Return the contract's sample as if it happened at `now` (Unix seconds): its own time is too old to be sent."""
    return [orjson.loads(sample(kind)) | {"occurred_at": int(now * 1000)}]


def check(events: Sequence[object], contract: Contract, kind: Kind | None = None) -> list[Checked]:
    """Return the events, or raise PublishError with all faults of all events.

    Without `kind` the id field says it: an event with an `order_id` is an order.
    """
    checked: list[Checked] = []
    faults: list[str] = []
    for number, event in enumerate(events, 1):
        own = kind or _kind(event)
        if own is None:
            faults.append(f"event {number}: has none of {', '.join(ID_FIELDS.values())}; add one, or say --kind")
            continue
        schema = contract.schemas[own]
        converted = from_json(event, schema)
        faults.extend(f"event {number}: {fault.line}" for fault in converted.faults)
        if not converted.faults:
            name = event_names(schema, own)[str(converted.event[NAME_FIELDS[own]])]
            checked.append(Checked(own, name, str(converted.event[ID_FIELDS[own]]), converted.event))
    if faults:
        raise PublishError(*faults)
    return checked


def encode(checked: Iterable[Checked], topics: Mapping[Kind, str], ids: Mapping[Kind, int]) -> list[Outgoing]:
    """Return the records: keyed by their own ids, prefixed with the schema's id where `ids` has one."""
    encoders = {kind: Encoder(text) for kind, text in schema_texts().items()}
    outgoing: list[Outgoing] = []
    for one in checked:
        payload = encoders[one.kind].encode(one.event)
        value = prefixed(ids[one.kind], payload) if one.kind in ids else payload
        outgoing.append(Outgoing(topics[one.kind], one.name, one.key.encode(), value))
    return outgoing


def require_topics(topics: Iterable[str], servers: str, config: ClientConfig) -> None:
    """Raise PublishError unless the brokers answer and have all of `topics`: a producer would wait half a minute."""
    try:
        there = Admin(config).topics()
    except KafkaUnreachableError as error:
        raise PublishError(f"{servers} does not answer ({error}); check CAPI_KAFKA_BOOTSTRAP_SERVERS") from None
    except KafkaException as error:
        raise PublishError(f"Kafka refuses: {error.args[0].str()}") from None
    fix = "create it (capi-pipeline topics apply --all) or name another with --topic"
    missing = [topic for topic in dict.fromkeys(topics) if topic not in there]
    if missing:
        raise PublishError(*(f"topic {topic} does not exist on {servers}; {fix}" for topic in missing))


async def schema_ids(registry: SchemaRegistry, topics: Mapping[Kind, str], *, register: bool) -> dict[Kind, int]:
    """Return the registry's id of our schema for each kind in `topics`, under the subject `<topic>-value`.

    Raises PublishError when it is not there and `register` is not said, or when the registry refuses it.
    """
    ids: dict[Kind, int] = {}
    for kind, topic in topics.items():
        subject, text = f"{topic}-value", schema_texts()[kind]
        try:
            found = await (registry.register(subject, text) if register else registry.find(subject, text))
        except RegistryRefusedError as error:
            raise PublishError(f"the registry refuses {kind}.avsc for subject {subject}: {error}") from None
        except RegistryDown as error:
            raise PublishError(f"the registry gave no answer that can be used: {error}") from None
        if found is None:
            raise PublishError(f"the registry does not have {kind}.avsc under subject {subject}; add --register")
        ids[kind] = found
    return ids


def send(outgoing: Sequence[Outgoing], config: ClientConfig) -> Iterator[str]:
    """Send all and give one line for each record that Kafka has, in the order given.

    Raises PublishError, after the others were given, with one line for each that Kafka does not have.
    """
    reports: dict[int, Message | str] = {}
    complaints: list[str] = []

    def complained(error: KafkaError) -> None:
        complaints.append(" ".join(error.str().split()))

    def reporter(number: int) -> Callable[[KafkaError | None, Message], None]:
        def report(error: KafkaError | None, message: Message) -> None:
            reports[number] = message if error is None else error.str()

        return report

    try:
        # Errors come to the callback; librdkafka's own lines on stderr would say the same twice.
        full: dict[str, object] = {**config, "error_cb": complained, "log_level": 0}
        producer = Producer(full)
        for number, one in enumerate(outgoing):
            _produce(producer, one, reporter(number))
        producer.flush(SEND_SECONDS)
    except KafkaException as error:
        raise PublishError(f"Kafka refuses: {error.args[0].str()}") from None
    failed: list[str] = []
    for number, one in enumerate(outgoing):
        report = reports.get(number, f"no answer within {SEND_SECONDS:.0f} s")
        if isinstance(report, str):
            why = f"{report} ({complaints[-1]})" if complaints else report
            failed.append(f"event {number + 1}: not published to {one.topic}: {why}")
        else:
            yield f"{report.topic()}:{report.partition()}:{report.offset()} {one.name}"
    if failed:
        raise PublishError(*failed)


@click.command("publish")
@click.argument("file", type=click.File("rb"), required=False)
@click.option("--sample", "sample_kind", type=click.Choice(KINDS), help="Publish the sample of this kind, as of now.")
@click.option("--kind", type=click.Choice(KINDS), help="What the events are; else their id field says it.")
@click.option("--topic", help="Publish here, not to the first topic that the settings map to the kind.")
@click.option("--register", is_flag=True, help="Register our schema with the registry if it is not there yet.")
@click.option("--dry-run", is_flag=True, help="Check the events and send nothing; needs no settings.")
def publish_command(
    file: BinaryIO | None, sample_kind: Kind | None, kind: Kind | None, topic: str | None, **flags: bool
) -> None:
    """Publish events, written as JSON, to Kafka.

    FILE holds one JSON event, a list of them, or one a line; "-" is standard input.
    Nothing is sent while any event has a fault. Prints topic:partition:offset for each record.
    """
    try:
        if file is None and sample_kind is None:
            raise click.UsageError('Give a FILE (or "-"), or --sample.')
        if file and sample_kind:
            raise click.UsageError("Give a FILE or --sample, not both.")
        events = fresh_sample(sample_kind, time.time()) if sample_kind else read_events(file.read() if file else b"")
        checked = check(events, load_contract(), kind)
        if flags["dry_run"]:
            click.echo("1 event, no faults" if len(checked) == 1 else f"{len(checked)} events, no faults")
            return
        _publish(checked, read_settings(os.environ), topic, register=flags["register"])
    except ConfigurationError as error:
        _end(error.lines, Exit.USAGE)
    except PublishError as error:
        _end(error.lines, Exit.FAILURE)


def _publish(checked: Sequence[Checked], settings: Settings, topic: str | None, *, register: bool) -> None:
    if register and settings.registry.url is None:
        raise click.UsageError("--register needs CAPI_REGISTRY_URL")
    secrets = read_secrets(settings, os.environ)
    topics = {one.kind: _topic(settings, one.kind, topic) for one in checked}
    servers = settings.kafka.bootstrap_servers
    require_topics(topics.values(), servers, connection_config(settings.kafka, secrets))

    async def ids() -> dict[Kind, int]:
        async with open_registry(settings.registry, secrets) as registry:
            return await schema_ids(registry, topics, register=register) if registry else {}

    outgoing = encode(checked, topics, asyncio.run(ids()))
    for line in send(outgoing, producer_config(settings.kafka, secrets)):
        click.echo(line)


def _topic(settings: Settings, kind: Kind, named: str | None) -> str:
    """Return the topic that was named if nothing says that it is for another kind; else the first for this kind."""
    if named:
        other = settings.source_topics.get(named, kind)
        if other != kind:
            problem = f"CAPI_SOURCE_TOPICS maps {named} to {other}, where no worker could read an event of kind {kind}"
            raise PublishError(f"{problem}; name another with --topic, or leave it out")
        return named
    for topic, mapped in settings.source_topics.items():
        if mapped == kind:
            return topic
    raise PublishError(f"the settings map no topic to {kind}; say --topic, or add one to CAPI_SOURCE_TOPICS")


def _end(lines: Iterable[str], code: Exit) -> None:
    for line in lines:
        click.echo(line, err=True)
    sys.exit(code)


def _produce(producer: Producer, one: Outgoing, report: Callable[[KafkaError | None, Message], None]) -> None:
    while True:
        try:
            producer.produce(one.topic, key=one.key, value=one.value, on_delivery=report)
        except BufferError:
            producer.poll(0.5)
        else:
            producer.poll(0)
            return


def _lines(text: bytes) -> Iterator[object]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                yield orjson.loads(line)
            except orjson.JSONDecodeError as error:
                raise PublishError(f"line {number}, column {error.colno}: this is not JSON") from None


def _kind(event: object) -> Kind | None:
    if isinstance(event, dict):
        for kind, name in ID_FIELDS.items():
            if name in event:
                return kind
    return None
