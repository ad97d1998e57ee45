"""What lies in Kafka when a run is over: the dead letters, each with the time at which the broker had it."""

from __future__ import annotations

import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, TopicPartition
from judge import Burial

from pipeline.core.letter import PREFIX

TIMEOUT_SECONDS = 20.0


def read_burials(servers: str, topic: str) -> list[Burial]:
    """Read a dead-letter topic from its beginning to its present end. Raises TimeoutError if it cannot be read."""
    consumer = Consumer({"bootstrap.servers": servers, "group.id": "chaos-evidence", "enable.auto.commit": False})
    try:
        partitions = sorted(consumer.list_topics(topic, timeout=TIMEOUT_SECONDS).topics[topic].partitions)
        places = [TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in partitions]
        owed = {place.partition: consumer.get_watermark_offsets(place, timeout=TIMEOUT_SECONDS)[1] for place in places}
        consumer.assign(places)
        found: list[Burial] = []
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while any(owed[place.partition] > max(0, place.offset) for place in consumer.position(places)):
            if time.monotonic() > deadline:
                raise TimeoutError(f"only {len(found)} dead letters could be read in {TIMEOUT_SECONDS:.0f} s")
            for message in consumer.consume(1000, 0.1):
                if (error := message.error()) is not None:
                    raise KafkaException(error)
                found.append(_burial(message))
        return found
    finally:
        consumer.close()


def _burial(message: Message) -> Burial:
    given = message.headers() or []
    headers = [(name, value.encode() if isinstance(value, str) else value) for name, value in given]
    ours = {name.removeprefix(PREFIX): value.decode() for name, value in headers if name.startswith(PREFIX) and value}
    origin = (ours.get("topic", ""), int(ours.get("partition", -1)), int(ours.get("offset", -1)))
    return Burial(
        origin, ours.get("reason", ""), message.key(), message.value(), headers, message.timestamp()[1] / 1000
    )
