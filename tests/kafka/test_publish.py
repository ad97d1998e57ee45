"""What `publish` sends to a real broker is what the worker reads back."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from avro_events import CONTRACT, READERS
from click.testing import CliRunner
from confluent_kafka import Consumer, Message, TopicPartition
from registry_contract import client

from pipeline.commands.publish import Outgoing, PublishError, publish_command, require_topics, send
from pipeline.core.avro.schema import SchemaText
from pipeline.core.decode import Reader, compile_reader, decode
from pipeline.core.model import Event, Record
from pipeline.core.wire import schema_ref

if TYPE_CHECKING:
    from kafka_fixtures import MakeTopic


def consumed(bootstrap_servers: str, topic: str) -> Iterator[Record]:
    """Give what is in partition 0 of a topic."""
    consumer = Consumer({"bootstrap.servers": bootstrap_servers, "group.id": uuid.uuid4().hex})
    consumer.assign([TopicPartition(topic, 0, 0)])
    _, end = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=10)
    for _ in range(end):
        message: Message | None = consumer.poll(10)
        assert message is not None
        yield Record(topic, 0, message.offset() or 0, message.key(), message.value(), message.headers() or [], None)
    consumer.close()


def environment(bootstrap_servers: str, topic: str, registry_url: str = "") -> dict[str, str]:
    """Return the settings that publishing needs."""
    return {
        "CAPI_KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers,
        "CAPI_SOURCE_TOPICS": f"{topic}=order,{topic}-leads=lead",
        "CAPI_REGISTRY_URL": registry_url,
        "CAPI_DESTINATIONS_FILE": "destinations.yaml",
    }


async def registered(url: str, ref: int) -> SchemaText:
    """Return what the registry has under an id."""
    async with client(url) as registry:
        found = await registry.schema(ref)
    assert found is not None
    return found


def test_sample_arrives(bootstrap_servers: str, make_topic: MakeTopic) -> None:
    """The sample is published as bare Avro, and its place is printed."""
    topic = make_topic()
    result = CliRunner(env=environment(bootstrap_servers, topic)).invoke(publish_command, ["--sample", "order"])
    assert (0, f"{topic}:0:0 order_placed\n") == (result.exit_code, result.output)
    (record,) = consumed(bootstrap_servers, topic)
    event = decode(record, READERS["order"])

    assert isinstance(event, Event)
    assert (b"A-1001", "order_placed:A-1001") == (record.key, event.id)


def test_registered_schema_reads_it(bootstrap_servers: str, make_topic: MakeTopic, registry_url: str) -> None:
    """With a registry, the record names the id under which the registry has our schema."""
    topic = make_topic()
    runner = CliRunner(env=environment(bootstrap_servers, topic, registry_url))
    without = runner.invoke(publish_command, ["--sample", "order"])
    result = runner.invoke(publish_command, ["--sample", "order", "--register"])
    assert (1, True, 0) == (without.exit_code, "add --register" in without.output, result.exit_code)
    (record,) = consumed(bootstrap_servers, topic)
    ref = schema_ref(record)
    assert isinstance(ref, int)
    reader = compile_reader(asyncio.run(registered(registry_url, ref)), CONTRACT, ref)

    assert isinstance(reader, Reader)
    assert isinstance(decode(record, reader), Event)


def test_refused_record_is_told(bootstrap_servers: str) -> None:
    """A record that Kafka does not take is named; none is lost in silence."""
    outgoing = [Outgoing("no-such-topic", "order_placed", b"A-1", b"value")]
    config = {"bootstrap.servers": bootstrap_servers, "topic.metadata.propagation.max.ms": 0}
    with pytest.raises(PublishError, match="event 1: not published to no-such-topic"):
        list(send(outgoing, config))


def test_silent_brokers_are_told(capfd: pytest.CaptureFixture[str]) -> None:
    """Brokers that do not answer are named with the client's complaint, and the client itself prints nothing."""
    with pytest.raises(
        PublishError, match=r"^127\.0\.0\.1:1 does not answer \(.*refused.*\); check CAPI_KAFKA_BOOTSTRAP_SERVERS$"
    ):
        require_topics(["capi.orders"], "127.0.0.1:1", {"bootstrap.servers": "127.0.0.1:1"})

    assert ("", "") == tuple(capfd.readouterr())
