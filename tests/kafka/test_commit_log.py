from __future__ import annotations

import struct
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest
from commit_log import Commit, UnknownVersionError, decode_key, decode_offset, newest, read_commits
from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

if TYPE_CHECKING:
    from kafka_fixtures import MakeTopic

PROTOCOLS = ["classic", "consumer"]
JOIN_SECONDS = 20.0
MANY = 20_000
TOPIC_ID = uuid.UUID(int=7).bytes
# The value's fields after its version, by version: offset 258, leader epoch 3, metadata "m", commit and expire times.
EPOCH, METADATA, COMPACT_METADATA, TIME = b"\0\0\0\x03", b"\0\x01m", b"\x02m", b"\0" * 8
VALUES = {
    0: METADATA + TIME,
    1: METADATA + TIME + TIME,
    2: METADATA + TIME,
    3: EPOCH + METADATA + TIME,
    4: EPOCH + COMPACT_METADATA + TIME + b"\x01\x00\x10" + TOPIC_ID,
}


@pytest.fixture
def group() -> str:
    """The name of a group of the test's own, not all of it ASCII."""
    return f"gruppe-ü-{uuid.uuid4().hex[:8]}"


@contextmanager
def member(servers: str, group: str, topic: str, protocol: str = "classic") -> Iterator[Consumer]:
    """Yield a member of the group that has been given all of the topic's partitions."""
    settings = {"bootstrap.servers": servers, "group.id": group, "group.protocol": protocol}
    with closing(Consumer({**settings, "enable.auto.commit": False})) as consumer:
        consumer.subscribe([topic])
        deadline = time.monotonic() + JOIN_SECONDS
        while not consumer.assignment():
            assert time.monotonic() < deadline, f"{group} has no assignment"
            consumer.poll(0.02)
        yield consumer


def commit(consumer: Consumer, topic: str, partition: int, *offsets: int) -> None:
    """Commit these offsets of a partition, one after the other."""
    for offset in offsets:
        consumer.commit(offsets=[TopicPartition(topic, partition, offset)], asynchronous=False)


def places(commits: list[Commit]) -> list[tuple[str, int, int]]:
    """Return what was committed, without the times."""
    return [(one.topic, one.partition, one.offset) for one in commits]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_commits_in_order(bootstrap_servers: str, make_topic: MakeTopic, group: str, protocol: str) -> None:
    """Every commit of a member comes back once, in the order it was made, whichever protocol the group speaks."""
    topic = make_topic(partitions=2)
    with member(bootstrap_servers, group, topic, protocol) as consumer:
        commit(consumer, topic, 0, 1)
        commit(consumer, topic, 1, 5)
        commit(consumer, topic, 0, 2, 2**40)
    commits = read_commits(bootstrap_servers, group)

    assert [(topic, 0, 1), (topic, 1, 5), (topic, 0, 2), (topic, 0, 2**40)] == places(commits)


def test_times(bootstrap_servers: str, make_topic: MakeTopic, group: str) -> None:
    """A commit's time lies between the call that made it and its return, to the millisecond."""
    topic = make_topic()
    spans: list[tuple[float, float]] = []
    with member(bootstrap_servers, group, topic) as consumer:
        for offset in range(3):
            start = time.time()
            commit(consumer, topic, 0, offset)
            spans.append((start - 0.001, time.time()))
    commits = read_commits(bootstrap_servers, group)

    assert [True] * 3 == [start <= one.at <= end for one, (start, end) in zip(commits, spans, strict=True)]


def test_other_groups(bootstrap_servers: str, make_topic: MakeTopic, group: str) -> None:
    """What another group commits is left out, even where the one's name is the beginning of the other's."""
    topic = make_topic()
    for name, offset in ((group, 1), (f"{group}-2", 2), (group[:-1], 3)):
        with member(bootstrap_servers, name, topic) as consumer:
            commit(consumer, topic, 0, offset)

    assert [(topic, 0, 1)] == places(read_commits(bootstrap_servers, group))


def test_rewind(bootstrap_servers: str, make_topic: MakeTopic, group: str) -> None:
    """A commit that goes back is seen where it was made, and the newest is the last and not the largest."""
    topic = make_topic(partitions=2)
    with member(bootstrap_servers, group, topic) as consumer:
        commit(consumer, topic, 0, 7, 3)
        commit(consumer, topic, 1, 4)
    commits = read_commits(bootstrap_servers, group)

    assert [(topic, 0, 7), (topic, 0, 3), (topic, 1, 4)] == places(commits)
    assert {(topic, 0): 3, (topic, 1): 4} == newest(commits)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_deleted_group(
    bootstrap_servers: str, make_topic: MakeTopic, admin: AdminClient, group: str, protocol: str
) -> None:
    """Deleting a group leaves readable what it had committed, and is no commit itself."""
    topic = make_topic()
    with member(bootstrap_servers, group, topic, protocol) as consumer:
        commit(consumer, topic, 0, 1, 2)
    before = read_commits(bootstrap_servers, group)
    admin.delete_consumer_groups([group])[group].result()

    assert [(topic, 0, 1), (topic, 0, 2)] == places(before)
    assert before == read_commits(bootstrap_servers, group)


def test_group_that_never_committed(bootstrap_servers: str, make_topic: MakeTopic, group: str) -> None:
    """A group that joined and committed nothing has no commits: its membership is none."""
    with member(bootstrap_servers, group, make_topic()):
        pass

    assert [] == read_commits(bootstrap_servers, group)


def test_many_commits(bootstrap_servers: str, make_topic: MakeTopic, group: str) -> None:
    """A long log is read to its end, nothing twice and nothing missing."""
    topic = make_topic(partitions=100)
    rounds = range(MANY // 100)
    with closing(Consumer({"bootstrap.servers": bootstrap_servers, "group.id": group})) as consumer:
        for offset in rounds:
            consumer.commit(offsets=[TopicPartition(topic, one, offset) for one in range(100)], asynchronous=False)
    found = places(read_commits(bootstrap_servers, group))

    assert {one: list(rounds) for one in range(100)} == {
        one: [offset for _, partition, offset in found if partition == one] for one in range(100)
    }


def test_reading_joins_nothing(bootstrap_servers: str, admin: AdminClient, group: str) -> None:
    """Reading the log makes no group: evidence must not change what it is evidence of."""
    read_commits(bootstrap_servers, group)
    known = {one.group_id for one in admin.list_consumer_groups().result().valid}

    assert not known & {group, "commit-log-reader"}


@pytest.mark.parametrize("version", VALUES)
def test_value_versions(version: int) -> None:
    """The offset is read from every version of a commit that Kafka has had."""
    assert 258 == decode_offset(struct.pack(">hq", version, 258) + VALUES[version])


@pytest.mark.parametrize("version", [-1, 5])
def test_unknown_value_version(version: int) -> None:
    """A version that is not known is an error that names it, and never a guess."""
    with pytest.raises(UnknownVersionError, match=f"version {version};"):
        decode_offset(struct.pack(">hq", version, 258))


@pytest.mark.parametrize("version", [0, 1])
def test_key_of_a_commit(version: int) -> None:
    """The key names group, topic and partition; a length counts bytes, not letters."""
    assert ("ü", "ab", 3) == decode_key(struct.pack(">h", version) + b"\0\x02\xc3\xbc\0\x02ab\0\0\0\x03")


@pytest.mark.parametrize("kind", [2, 3, 8, 23])
def test_key_of_another_record(kind: int) -> None:
    """Group metadata and the records of the new protocols are no commits, whatever follows their number."""
    assert decode_key(struct.pack(">h", kind) + b"\0\x01g") is None


def test_no_broker() -> None:
    """Where nothing answers there is an error, and never an empty log."""
    with pytest.raises(KafkaException):
        read_commits("127.0.0.1:1", "any", seconds=0)
