"""Step 1 of the road: what Kafka's client hands out becomes a record."""

from __future__ import annotations

from typing import cast

from confluent_kafka import Message

from pipeline.core.model import Headers, Record
from pipeline.core.ports import SourceBroken


def as_record(message: Message) -> Record:
    """Return the record, byte for byte. Raises SourceBroken for a message that was not consumed from a topic."""
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    if topic is None or partition is None or offset is None:
        raise SourceBroken("a message without a position: this is not a consumed one")
    kind, timestamp = message.timestamp()
    lost = False
    try:
        headers = cast("Headers", message.headers() or ())
    except (SystemError, UnicodeDecodeError):
        # The client decodes the names of headers as UTF-8, and knows no other way.
        headers, lost = (), True
    key, value = message.key(), message.value()
    return Record(topic, partition, offset, key, value, headers, timestamp if kind else None, lost)
