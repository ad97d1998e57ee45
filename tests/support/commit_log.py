"""Every commit a consumer group made, in order, out of Kafka's own log of them: the topic `__consumer_offsets`.

The layout is Kafka's, from the message definitions OffsetCommitKey and OffsetCommitValue of Kafka 4.3. Both begin
with a version, all numbers are big-endian, and a string is its length in two bytes and then UTF-8:

    key    version (2 bytes; 0 and 1 are commits, each other number is another kind of record),
           group (string), topic (string), partition (4 bytes)
    value  version (2 bytes), offset (8 bytes), then what no test asks for and what differs from version to version

Invariant: nothing is missing while the log is young. Kafka compacts it, but never its newest segment, which holds
100 MiB: hundreds of thousands of commits.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

OFFSETS_TOPIC = "__consumer_offsets"
END_REACHED = KafkaError._PARTITION_EOF  # noqa: SLF001 - librdkafka's local errors are named with an underscore
COMMIT_KEYS = frozenset({0, 1})
NEWEST_VALUE = 4
READ_SECONDS = 30.0
REPLY_SECONDS = 2.0
POLL_SECONDS = 0.1
BATCH = 10_000
VERSION = struct.Struct(">h")
LENGTH = struct.Struct(">h")
PARTITION = struct.Struct(">i")
OFFSET = struct.Struct(">q")


class CompactedError(Exception):
    """The log has been compacted: some commits are forgotten."""


class UnknownVersionError(ValueError):
    """A commit is written in a version that this module does not know; the message names it."""


@dataclass(frozen=True, slots=True)
class Commit:
    """One committed offset: the next one to read. `at` is when Kafka wrote it down, in Unix seconds."""

    at: float
    topic: str
    partition: int
    offset: int


def read_commits(servers: str, group: str, seconds: float = READ_SECONDS) -> list[Commit]:
    """Return the group's commits in the order of the log, from its beginning to the end it has when this is called.

    Deleted and expired offsets and the membership of the group are left out. What an ended group committed stays.
    Raises UnknownVersionError; TimeoutError or KafkaException when it is not read after so many seconds.
    """
    settings = {
        "bootstrap.servers": servers,
        "group.id": "commit-log-reader",  # it must have one, and never joins or commits
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "error",
        "isolation.level": "read_uncommitted",
        "reconnect.backoff.max.ms": 200,
    }
    with closing(Consumer(settings)) as consumer:
        found = (_commit_of(record, group) for record in _records(consumer, time.monotonic() + seconds))
        return [commit for commit in found if commit is not None]


def newest(commits: Iterable[Commit]) -> dict[tuple[str, int], int]:
    """Return each partition's last committed offset, which is not the largest after a rewind."""
    return {(commit.topic, commit.partition): commit.offset for commit in commits}


def decode_key(key: bytes) -> tuple[str, str, int] | None:
    """Return the group, topic and partition that a commit is about; None for any other kind of record."""
    (version,) = VERSION.unpack_from(key)
    if version not in COMMIT_KEYS:
        return None
    group, position = _string(key, VERSION.size)
    topic, position = _string(key, position)
    return group, topic, PARTITION.unpack_from(key, position)[0]


def decode_offset(value: bytes) -> int:
    """Return the offset that a commit says. Raises UnknownVersionError."""
    (version,) = VERSION.unpack_from(value)
    if not 0 <= version <= NEWEST_VALUE:
        raise UnknownVersionError(f"a commit has value version {version}; 0 to {NEWEST_VALUE} are known")
    offset: int = OFFSET.unpack_from(value, VERSION.size)[0]
    return offset


def _string(buffer: bytes, position: int) -> tuple[str, int]:
    start = position + LENGTH.size
    end = start + LENGTH.unpack_from(buffer, position)[0]
    return buffer[start:end].decode(), end


def _records(consumer: Consumer, deadline: float) -> Iterator[Message]:
    """Yield what lies in the log below the ends it has now, each partition in its order."""
    ends = _ends(consumer, deadline)
    next_one = dict.fromkeys(ends, 0)
    consumer.assign([TopicPartition(OFFSETS_TOPIC, partition, OFFSET_BEGINNING) for partition in ends])
    while ends:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{OFFSETS_TOPIC} was not read in time to {ends} (partition: end)")
        for record in consumer.consume(BATCH, POLL_SECONDS):
            partition, position = _place(record)
            if record.error() is None and position < ends.get(partition, 0):
                if position != next_one[partition]:
                    raise CompactedError(f"{OFFSETS_TOPIC}[{partition}] has lost what was before {position}")
                yield record
                position += 1
                next_one[partition] = position
            if position >= ends.get(partition, position + 1):
                del ends[partition]


def _place(record: Message) -> tuple[int, int]:
    """Return the partition and offset of a record, or of an end that was reached. Raises KafkaException."""
    error, partition, offset = record.error(), record.partition(), record.offset()
    if partition is None or offset is None or (error and error.code() != END_REACHED):
        raise KafkaException(error)
    return partition, offset


def _ends(consumer: Consumer, deadline: float) -> dict[int, int]:
    """Return the end of every partition that holds anything; asked again while the cluster cannot tell.

    Asked for, and not met by reading: a new leader shows less than was acknowledged for a moment, but does not tell
    the end before it knows.
    """
    while True:
        try:
            return _ends_now(consumer)
        except KafkaException:
            if time.monotonic() > deadline:
                raise
        time.sleep(POLL_SECONDS)


def _ends_now(consumer: Consumer) -> dict[int, int]:
    topic = consumer.list_topics(OFFSETS_TOPIC, timeout=REPLY_SECONDS).topics[OFFSETS_TOPIC]
    if topic.error:
        raise KafkaException(topic.error)
    ends: dict[int, int] = {}
    for partition in topic.partitions:
        low, high = consumer.get_watermark_offsets(TopicPartition(OFFSETS_TOPIC, partition), REPLY_SECONDS)
        if low < high:
            ends[partition] = high
    return ends


def _commit_of(record: Message, group: str) -> Commit | None:
    key, value = record.key(), record.value()
    if key is None or value is None:  # a tombstone
        return None
    place = decode_key(key)
    if place is None or place[0] != group:
        return None
    _, milliseconds = record.timestamp()
    return Commit(milliseconds / 1000, place[1], place[2], decode_offset(value))
