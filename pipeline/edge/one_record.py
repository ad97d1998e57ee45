"""One record by its position, for people who ask about it: no group is joined and nothing is committed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from pipeline.core.model import Record
from pipeline.edge.admin import KafkaRefusedError
from pipeline.edge.kafka_record import as_record

TIMEOUT_SECONDS: Final = 10.0
# What a message list may carry while the client still finds its way to the partition's leader.
_PASSING: Final = frozenset(
    {
        KafkaError._TRANSPORT,  # noqa: SLF001 - librdkafka's local errors are named with an underscore
        KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001
        KafkaError._RESOLVE,  # noqa: SLF001
    }
)


class NoSuchRecordError(Exception):
    """There is no record at this position; the text says what is there."""


def read_one(config: Mapping[str, object], topic: str, partition: int, offset: int) -> Record:
    """Return the record at a position of a topic that exists. `config` is a consumer's, and is never shown.

    Raises NoSuchRecordError, and KafkaRefusedError when Kafka says no or does not answer in time.
    """
    # Errors come with the messages; librdkafka's own lines on stderr would say the same twice.
    full = {**config, "enable.partition.eof": True, "log_level": 0}
    try:
        consumer = Consumer(full)
        try:
            return _read(consumer, topic, partition, offset)
        finally:
            consumer.close()
    except KafkaException as error:
        raise KafkaRefusedError(" ".join(error.args[0].str().split())) from None


def _read(consumer: Consumer, topic: str, partition: int, offset: int) -> Record:
    place = TopicPartition(topic, partition, offset)
    first, end = consumer.get_watermark_offsets(place, timeout=TIMEOUT_SECONDS)
    if not first <= offset < end:
        there = f"it has {first} to {end - 1}" if first < end else "it is empty"
        raise NoSuchRecordError(f"{topic}[{partition}] has no offset {offset}: {there}")
    consumer.assign([place])
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        message = consumer.poll(0.5)
        if message is None:
            continue
        error = message.error()
        if error is None:
            record = as_record(message)
            if record.offset == offset:
                return record
        elif error.code() in _PASSING:
            continue
        elif error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001
            raise KafkaException(error)
        raise NoSuchRecordError(
            f"{topic}[{partition}] holds no record at offset {offset}: it was compacted away, belongs to a "
            "transaction that did not commit, or is a transaction's own mark"
        )
    raise KafkaRefusedError(f"{topic}[{partition}] gave nothing within {TIMEOUT_SECONDS:.0f} s")
