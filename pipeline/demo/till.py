"""The demo's own dealings with Kafka: publish records, read dead letters and receipts, ask for offsets.

It never joins the worker's group: asking for committed offsets needs no membership.
Receipts, which the worker keeps where a platform decides later, are read as the worker reads them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Protocol

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from pipeline.core.contract import Kind
from pipeline.core.letter import PREFIX
from pipeline.core.model import Headers
from pipeline.core.receipt import read_receipt
from pipeline.demo.balance import Letter, Partition, Position, Published
from pipeline.demo.trade import Sample

TIMEOUT_SECONDS = 10.0


class TillError(Exception):
    """Kafka did not take or give what the demo asked for."""


class Writable(Protocol):
    """What can be published: `kind` says to which topic."""

    @property
    def kind(self) -> Kind:
        """The kind of event."""

    @property
    def key(self) -> bytes:
        """The record's key."""

    @property
    def value(self) -> bytes | None:
        """The record's value, or None for a tombstone."""

    @property
    def headers(self) -> Headers:
        """The record's headers."""


class Till:
    """Talks to the brokers at `servers`; `topics` says where each kind of event goes."""

    def __init__(self, servers: str, *, group: str, topics: Mapping[Kind, str], dead_letters: str) -> None:
        self._topics = topics
        self._dead_letters = dead_letters
        self._producer = Producer({"bootstrap.servers": servers, "enable.idempotence": True, "linger.ms": 5})
        self._consumer = Consumer(
            {
                "bootstrap.servers": servers,
                "group.id": group,
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
            }
        )

    def close(self) -> None:
        """Close the connections."""
        self._producer.close()
        self._consumer.close()

    def publish(self, samples: Sequence[Sample]) -> list[Published]:
        """Publish in this order, as `place` does."""
        return [Published(sample, position) for sample, position in zip(samples, self.place(samples), strict=True)]

    def place(self, records: Sequence[Writable]) -> list[Position]:
        """Publish in this order and return where each record lies. Raises TillError when Kafka does not take one."""
        placed: dict[int, Position] = {}
        for index, record in enumerate(records):

            def landed(error: KafkaError | None, message: Message, index: int = index) -> None:
                if error is None:
                    placed[index] = _position(message)

            self._producer.produce(
                self._topics[record.kind],
                key=record.key,
                value=record.value,
                headers=list(record.headers),
                on_delivery=landed,
            )
        self._producer.flush(TIMEOUT_SECONDS)
        if len(placed) != len(records):
            raise TillError(f"Kafka took {len(placed)} of {len(records)} records within {TIMEOUT_SECONDS:.0f} s")
        return [placed[index] for index in range(len(records))]

    def ends(self) -> dict[Partition, int]:
        """Return the end offset of every partition of the source topics."""
        return {
            (topic, partition): self._end(topic, partition)
            for topic in self._topics.values()
            for partition in self._partitions(topic)
        }

    def committed(self) -> dict[Partition, int]:
        """Return what the worker's group has committed, 0 where nothing yet."""
        places = [
            TopicPartition(topic, partition) for topic in self._topics.values() for partition in self._partitions(topic)
        ]
        answered = self._consumer.committed(places, timeout=TIMEOUT_SECONDS)
        for place in answered:
            if place.error is not None:
                raise KafkaException(place.error)
        return {(place.topic, place.partition): max(0, place.offset) for place in answered}

    def dead_letters(self) -> list[Letter]:
        """Read the dead-letter topic from its beginning to its present end."""
        return [_letter(message) for message in self._read(self._dead_letters)]

    def receipts(self, topic: str) -> list[Position]:
        """Return where the events lie for which `topic` holds a receipt: whoever reads it can ask what became of them.

        Raises TillError for a receipt that cannot be read.
        """
        positions: list[Position] = []
        for message in self._read(topic):
            receipt = read_receipt(message.value() or b"")
            if isinstance(receipt, str):
                raise TillError(f"a receipt cannot be read: {receipt}")
            positions += [(event.topic, event.partition, event.offset) for event in receipt.events]
        return positions

    def _read(self, topic: str) -> list[Message]:
        partitions = self._partitions(topic)
        owed = sum(self._end(topic, partition) for partition in partitions)
        self._consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in partitions])
        messages: list[Message] = []
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while len(messages) < owed:
            if time.monotonic() > deadline:
                raise TillError(f"only {len(messages)} of {owed} records of {topic} could be read")
            for message in self._consumer.consume(owed - len(messages), 0.1):
                if (error := message.error()) is not None:
                    raise KafkaException(error)
                messages.append(message)
        self._consumer.unassign()
        return messages

    def _partitions(self, topic: str) -> list[int]:
        known = self._consumer.list_topics(topic, timeout=TIMEOUT_SECONDS).topics[topic]
        return sorted(known.partitions)

    def _end(self, topic: str, partition: int) -> int:
        _, end = self._consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=TIMEOUT_SECONDS)
        return end


def _position(message: Message) -> Position:
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    assert topic is not None  # noqa: S101 - a delivered record has a place
    assert partition is not None  # noqa: S101
    assert offset is not None  # noqa: S101
    return topic, partition, offset


def _letter(message: Message) -> Letter:
    headers = _headers(message)
    ours = {name.removeprefix(PREFIX): value.decode() for name, value in headers if name.startswith(PREFIX) and value}
    origin = (ours.get("topic", ""), int(ours.get("partition", -1)), int(ours.get("offset", -1)))
    destination = ours.get("destination", "")
    return Letter(origin, ours.get("reason", ""), message.key(), message.value(), headers, destination)


def _headers(message: Message) -> list[tuple[str, bytes | None]]:
    """Return the headers as Kafka has them: the client's types also allow what only a producer may pass."""
    given = message.headers() or []
    pairs = given.items() if isinstance(given, dict) else given
    return [(name, value.encode() if isinstance(value, str) else value) for name, value in pairs]
