"""The bench's own dealings with Kafka: make topics, fill them, and ask what a group has committed.

Asking for committed offsets joins no group and costs a contender nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

PARTITIONS: Final = 4
# librdkafka's mock cluster drops the oldest records of a partition beyond 5 MB.
MOCK_BYTES: Final = 4_500_000
TIMEOUT_SECONDS: Final = 30.0


class TopicError(Exception):
    """Kafka did not take or give what the bench asked for."""


def create_topics(servers: str, topics: Sequence[str]) -> None:
    """Create topics on a real broker. Raises KafkaException when it refuses."""
    admin = AdminClient({"bootstrap.servers": servers})
    for future in admin.create_topics([NewTopic(topic, PARTITIONS, 1) for topic in topics]).values():
        future.result()


def fill(servers: str, topic: str, values: Sequence[bytes]) -> None:
    """Publish records round robin over the partitions. Raises TopicError when Kafka did not take all of them."""
    publisher = _Publisher(servers)
    for index, value in enumerate(values):
        publisher.publish(topic, index, value)
    publisher.close()


def paced(servers: str, topic: str, values: Sequence[bytes], *, per_second: float) -> list[float]:
    """Publish records one by one at a steady pace; return the Unix time just before each was handed over."""
    publisher = _Publisher(servers)
    times: list[float] = []
    began = time.time()
    for index, value in enumerate(values):
        wait = began + index / per_second - time.time()
        if wait > 0:
            time.sleep(wait)
        times.append(time.time())
        publisher.publish(topic, index, value)
    publisher.close()
    return times


class _Publisher:
    """Publishes without waiting for company and counts what Kafka refused."""

    def __init__(self, servers: str) -> None:
        self._producer = Producer({"bootstrap.servers": servers, "linger.ms": 0})
        self._faults: list[str] = []

    def publish(self, topic: str, index: int, value: bytes) -> None:
        while True:
            try:
                self._producer.produce(
                    topic, value, str(index).encode(), partition=index % PARTITIONS, on_delivery=self._landed
                )
            except BufferError:
                self._producer.poll(0.05)
            else:
                self._producer.poll(0)
                return

    def close(self) -> None:
        """Wait for the last answer. Raises TopicError when a record was not taken."""
        left = self._producer.flush(TIMEOUT_SECONDS)
        if left or self._faults:
            raise TopicError(f"Kafka did not take {left + len(self._faults)} records: {self._faults[:1]}")

    def _landed(self, error: KafkaError | None, _: Message) -> None:
        if error is not None:
            self._faults.append(error.str())


def committed(servers: str, topic: str, group: str) -> Callable[[], int]:
    """Return a function that tells how many records of the topic the group has committed."""
    consumer = Consumer({"bootstrap.servers": servers, "group.id": group, "enable.auto.commit": False})
    places = [TopicPartition(topic, partition) for partition in range(PARTITIONS)]

    def ask() -> int:
        answered = consumer.committed(places, timeout=TIMEOUT_SECONDS)
        return sum(max(0, place.offset) for place in answered)

    return ask
