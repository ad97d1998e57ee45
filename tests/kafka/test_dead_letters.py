"""The dead-letter topic against a real broker."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Consumer, Message, TopicPartition
from kafka_contracts import HEADERS, DeadLettersContract, a_letter, reported
from virtual_loop import EPOCH

from pipeline.config.kafka_settings import KafkaSettings, producer_config
from pipeline.core.letter import PREFIX, Undertaker
from pipeline.edge.dead_letters import KafkaDeadLetters
from pipeline.edge.secrets import Secrets

if TYPE_CHECKING:
    from conftest import MakeTopic
    from kafka_broker import KafkaBroker

MOST_BYTES = 10_000


class KafkaDeadLettersKit:
    """A dead-letter topic of its own, and the real way to it, configured as production's is."""

    def __init__(self, bootstrap_servers: str, topic: str) -> None:
        self._servers = bootstrap_servers
        self._topic = topic
        settings = KafkaSettings(bootstrap_servers=bootstrap_servers)
        config = producer_config(settings, Secrets(None, {}))
        self.dead_letters = KafkaDeadLetters(config, topic, Undertaker("capi.test", "0"), lambda: EPOCH)

    def messages(self, count: int) -> Iterator[Message]:
        """Give the first records of the topic."""
        consumer = Consumer({"bootstrap.servers": self._servers, "group.id": uuid.uuid4().hex})
        consumer.assign([TopicPartition(self._topic, 0, 0)])
        for _ in range(count):
            message: Message | None = consumer.poll(10)
            assert message is not None
            yield message
        consumer.close()

    def in_topic(self, count: int) -> list[tuple[bytes | None, bytes | None]]:
        """Return key and value of the first records."""
        return [(message.key(), message.value()) for message in self.messages(count)]


@pytest.fixture
def make_kit(bootstrap_servers: str, make_topic: MakeTopic) -> Callable[[], KafkaDeadLettersKit]:
    """A maker of dead-letter topics."""
    return lambda: KafkaDeadLettersKit(bootstrap_servers, make_topic(1, {"max.message.bytes": str(MOST_BYTES)}))


@pytest.fixture
def kit(make_kit: Callable[[], KafkaDeadLettersKit]) -> KafkaDeadLettersKit:
    """A fresh dead-letter topic."""
    return make_kit()


class TestKafkaDeadLetters(DeadLettersContract):
    """`KafkaDeadLetters` is a way to the dead letters."""


def test_keeps_their_headers_and_adds_ours(kit: KafkaDeadLettersKit) -> None:
    """The producer's headers come first and unchanged, then ours."""
    kit.dead_letters.bury(a_letter(5, b"v"))
    reported(kit.dead_letters, 1)
    (message,) = kit.messages(1)
    headers = list(message.headers() or ())

    assert HEADERS == headers[: len(HEADERS)]
    assert (PREFIX + "offset", b"5") in headers
    assert (PREFIX + "reason", b"rejected") in headers


def test_broker_that_is_away_and_back(broker: KafkaBroker, kit: KafkaDeadLettersKit) -> None:
    """While the broker is away no letter counts as buried; when it is back, each is there once."""
    broker.stop()
    letters = [a_letter(number, b"%d" % number) for number in range(3)]
    for one in letters:
        kit.dead_letters.bury(one)
    early = kit.dead_letters.reports(0.5)
    broker.start()
    burials = reported(kit.dead_letters, 3)

    assert [] == early
    assert dict.fromkeys(letters) == {burial.letter: burial.error for burial in burials}
    assert [(b"k", b"0"), (b"k", b"1"), (b"k", b"2")] == kit.in_topic(3)
