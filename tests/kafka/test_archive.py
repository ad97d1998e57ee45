"""Records by their coordinates, from a real broker."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient  # type: ignore[attr-defined]
from kafka_contracts import HEADERS

from pipeline.config.kafka_settings import KafkaSettings, consumer_config
from pipeline.core.model import Record
from pipeline.core.ports import Place
from pipeline.edge.archive import GAP, KafkaArchive
from pipeline.edge.secrets import Secrets

if TYPE_CHECKING:
    from conftest import MakeTopic
    from kafka_broker import KafkaBroker

SECONDS = 20.0


class Kit:
    """A topic with two partitions, and an archive configured as production's is."""

    def __init__(self, servers: str, topic: str) -> None:
        self.topic = topic
        self.servers = servers
        settings = KafkaSettings(bootstrap_servers=servers)
        config = consumer_config(settings, f"archive-{uuid.uuid4().hex[:8]}", Secrets(None, {}))
        self.archive = KafkaArchive(config)

    def produce(self, partition: int, values: Sequence[bytes | None], *, abort: bool = False) -> int | None:
        """Append records, in a transaction that is aborted if asked for; return the offset of the last."""
        offsets: list[int | None] = []
        more = {"transactional.id": uuid.uuid4().hex} if abort else {}
        producer = Producer({"bootstrap.servers": self.servers, "acks": "all", "linger.ms": 0, **more})
        if abort:
            producer.init_transactions()
            producer.begin_transaction()
        for value in values:
            producer.produce(
                self.topic,
                partition=partition,
                key=b"k",
                value=value,
                headers=list(HEADERS),
                on_delivery=lambda _, message: offsets.append(message.offset()),
            )
        assert producer.flush(SECONDS) == 0
        if abort:
            producer.abort_transaction()
        return offsets[-1]

    def at(self, *places: tuple[int, int]) -> list[Place]:
        """Return places of the topic by partition and offset."""
        return [(self.topic, partition, offset) for partition, offset in places]

    def values(self, *places: tuple[int, int], within: float = SECONDS) -> dict[tuple[int, int], bytes | None]:
        """Fetch, and return the values of what is there; a record that is gone has the value `gone`."""
        found = self.archive.fetch(self.at(*places), within)
        return {(place[1], place[2]): _value(record) for place, record in found.items()}


def _value(record: Record | None) -> bytes | None:
    return b"gone" if record is None else record.value


@pytest.fixture
def make_kit(bootstrap_servers: str, make_topic: MakeTopic) -> Iterator[Callable[[], Kit]]:
    """A maker of archives of fresh topics; they are closed at the end."""
    made: list[Kit] = []

    def make() -> Kit:
        made.append(Kit(bootstrap_servers, make_topic(2)))
        return made[-1]

    yield make
    for kit in made:
        kit.archive.close()


@pytest.fixture
def kit(make_kit: Callable[[], Kit]) -> Kit:
    """An archive of a fresh topic."""
    return make_kit()


def test_returns_records_byte_for_byte(kit: Kit) -> None:
    """A record comes back with key, value and headers as it was produced, and nothing else comes."""
    kit.produce(0, [b"a", b"\x00\xff", None])
    found = kit.archive.fetch(kit.at((0, 1)), SECONDS)
    (record,) = found.values()

    assert record is not None
    assert (b"k", b"\x00\xff", list(HEADERS)) == (record.key, record.value, list(record.headers))
    assert kit.at((0, 1)) == [(record.topic, record.partition, record.offset)]


def test_finds_what_lies_apart(kit: Kit) -> None:
    """Records of several partitions, near and far apart and in any order, are found together, and again."""
    kit.produce(0, [b"%d" % number for number in range(3 * GAP)])
    kit.produce(1, [b"x", b"y"])
    wanted = [(0, 3 * GAP - 1), (1, 1), (0, 0), (0, 5), (0, GAP + 9)]
    expected = {(0, 3 * GAP - 1): b"%d" % (3 * GAP - 1), (1, 1): b"y", (0, 0): b"0", (0, 5): b"5"}
    expected[0, GAP + 9] = b"%d" % (GAP + 9)

    assert expected == kit.values(*wanted) == kit.values(*wanted)


def test_says_what_is_gone(kit: Kit, admin: AdminClient) -> None:
    """What retention removed or was aborted is gone, what lies between is found, of what is not yet nothing is said."""
    kit.produce(0, [b"0", b"1", b"2"])
    kit.produce(0, [b"aborted"], abort=True)
    # How the transaction ended is written a moment after it was decided: before this record, or behind it.
    last = kit.produce(0, [b"last"])
    assert last is not None
    for done in admin.delete_records([TopicPartition(kit.topic, 0, 2)]).values():
        done.result()

    places = [(0, 1), (0, 2), (0, 3), (0, last), (0, 99)]
    found: dict[tuple[int, int], bytes | None] = {}
    deadline = time.monotonic() + SECONDS
    while (0, last) not in found and time.monotonic() < deadline:
        found |= kit.values(*places, within=1.0)

    assert {(0, 1): b"gone", (0, 2): b"2", (0, 3): b"gone", (0, last): b"last"} == found


def test_an_aborted_end_is_gone(kit: Kit) -> None:
    """A place behind which there is nothing to read is gone, too."""
    kit.produce(0, [b"0"])
    kit.produce(0, [b"aborted"], abort=True)
    found: dict[tuple[int, int], bytes | None] = {}
    deadline = time.monotonic() + SECONDS
    while (0, 1) not in found and time.monotonic() < deadline:
        found |= kit.values((0, 0), (0, 1), within=1.0)

    assert {(0, 0): b"0", (0, 1): b"gone"} == found


def test_nothing_is_said_while_kafka_is_away(broker: KafkaBroker, kit: Kit) -> None:
    """While the broker is away no record counts as gone; when it is back, they are found."""
    kit.produce(0, [b"a", b"b"])
    broker.stop()
    away = kit.archive.fetch(kit.at((0, 1)), 1.0)
    broker.start()
    found: dict[tuple[int, int], bytes | None] = {}
    deadline = time.monotonic() + SECONDS
    while not found and time.monotonic() < deadline:
        found = kit.values((0, 1), within=1.0)

    assert ({}, {(0, 1): b"b"}) == (away, found)
