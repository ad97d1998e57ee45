"""The embedded Kafka: what the demo and the fast tests rely on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from pipeline.demo.embedded_kafka import Api, EmbeddedKafka

TIMEOUT = 10.0


@pytest.fixture
def kafka() -> Iterator[EmbeddedKafka]:
    """Two brokers and a topic."""
    with EmbeddedKafka({"orders": 3}, brokers=2) as running:
        yield running


def consumer(kafka: EmbeddedKafka) -> Consumer:
    """Return a consumer of group `g`."""
    return Consumer(
        {
            "bootstrap.servers": kafka.bootstrap_servers,
            "group.id": "g",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "log_level": 0,
        }
    )


def publish(kafka: EmbeddedKafka, count: int = 1, partition: int = 0) -> list[KafkaError | None]:
    """Publish records and return the error of each one."""
    errors: list[KafkaError | None] = []
    settings = {"bootstrap.servers": kafka.bootstrap_servers, "retries": 0, "linger.ms": 0, "log_level": 0}
    with closing(Producer(settings)) as producer:
        for number in range(count):
            producer.produce(
                "orders",
                f"v{number}",
                f"k{number}",
                partition,
                headers=[("h", b"\x00\xff"), ("none", None)],
                on_delivery=lambda error, _: errors.append(error),
            )
            producer.flush(TIMEOUT)
    return errors


def first(reader: Consumer) -> Message:
    """Return the next message."""
    message = reader.poll(TIMEOUT)
    assert message is not None

    return message


def test_round_trip(kafka: EmbeddedKafka) -> None:
    """A record comes back with its key, its value and its headers, in their order."""
    publish(kafka)
    with closing(consumer(kafka)) as reader:
        reader.subscribe(["orders"])
        message = first(reader)

    assert (b"k0", b"v0") == (message.key(), message.value())
    assert [("h", b"\x00\xff"), ("none", None)] == message.headers()


def test_committed_offsets(kafka: EmbeddedKafka) -> None:
    """A committed offset is there for the next member of the group."""
    publish(kafka, 2)
    with closing(consumer(kafka)) as reader:
        reader.subscribe(["orders"])
        reader.commit(message=first(reader), asynchronous=False)
    with closing(consumer(kafka)) as reader:
        committed = reader.committed([TopicPartition("orders", 0)], timeout=TIMEOUT)
        _, end = reader.get_watermark_offsets(TopicPartition("orders", 0), timeout=TIMEOUT)

    assert (1, 2) == (committed[0].offset, end)


def test_topics(kafka: EmbeddedKafka) -> None:
    """Topics have the partitions that they were created with, and cannot be created twice."""
    with closing(consumer(kafka)) as reader:
        assert {0, 1, 2} == set(reader.list_topics("orders", timeout=TIMEOUT).topics["orders"].partitions)
    with pytest.raises(ValueError, match=r"cannot create topic orders: .*already exists"):
        kafka.create_topic("orders", 3)


def test_request_errors(kafka: EmbeddedKafka) -> None:
    """A pushed error answers the next request of its kind, once."""
    kafka.push_request_errors(Api.PRODUCE, KafkaError.MSG_SIZE_TOO_LARGE)

    assert [KafkaError.MSG_SIZE_TOO_LARGE, None] == [error and error.code() for error in publish(kafka, 2)]


def test_cleared_request_errors(kafka: EmbeddedKafka) -> None:
    """A cleared error is not given."""
    kafka.push_request_errors(Api.PRODUCE, KafkaError.MSG_SIZE_TOO_LARGE)
    kafka.clear_request_errors(Api.PRODUCE)

    assert [None] == publish(kafka)


def test_topic_error(kafka: EmbeddedKafka) -> None:
    """A topic can be made to fail, and to work again."""
    kafka.set_topic_error("orders", KafkaError.TOPIC_AUTHORIZATION_FAILED)
    failed = publish(kafka)
    kafka.set_topic_error("orders", 0)

    assert [KafkaError.TOPIC_AUTHORIZATION_FAILED] == [error and error.code() for error in failed]
    assert [None] == publish(kafka)


def test_commit_error(kafka: EmbeddedKafka) -> None:
    """A commit can be refused as it is when somebody else owns the partition."""
    publish(kafka)
    with closing(consumer(kafka)) as reader:
        reader.subscribe(["orders"])
        message = first(reader)
        kafka.push_request_errors(Api.OFFSET_COMMIT, KafkaError.ILLEGAL_GENERATION)
        with pytest.raises(KafkaException, match="ILLEGAL_GENERATION"):
            reader.commit(message=message, asynchronous=False)


def test_broker_down_and_up(kafka: EmbeddedKafka) -> None:
    """What a broker holds survives its absence."""
    kafka.move_leader("orders", 0, 2)
    publish(kafka)
    kafka.broker_down(2)
    kafka.broker_up(2)
    with closing(consumer(kafka)) as reader:
        reader.assign([TopicPartition("orders", 0, 0)])

        assert b"v0" == first(reader).value()


def test_moved_leader(kafka: EmbeddedKafka) -> None:
    """After a move of the leader, records go to the new one."""
    kafka.move_leader("orders", 1, 2)
    kafka.record_requests()
    publish(kafka, partition=1)

    assert {2} == {asked.broker for asked in kafka.recorded_requests() if asked.api == Api.PRODUCE}


def test_moved_coordinator(kafka: EmbeddedKafka) -> None:
    """After a move of the coordinator, the group asks the new one."""
    kafka.move_coordinator("g", 2)
    kafka.record_requests()
    with closing(consumer(kafka)) as reader:
        reader.committed([TopicPartition("orders", 0)], timeout=TIMEOUT)

    assert {2} == {asked.broker for asked in kafka.recorded_requests() if asked.api == Api.OFFSET_FETCH}


def test_unknown_broker(kafka: EmbeddedKafka) -> None:
    """A broker that does not exist is named in the error."""
    with pytest.raises(ValueError, match="take broker 7 down"):
        kafka.broker_down(7)


def test_closed() -> None:
    """A closed Kafka says so, and closing twice is harmless."""
    kafka = EmbeddedKafka()
    kafka.close()
    kafka.close()

    with pytest.raises(RuntimeError, match="closed"):
        kafka.record_requests()
