"""The consumer against a real broker: the contract of `ports.Source`, and what only a real group can show."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions  # type: ignore[attr-defined]
from fakes import FakeTeller
from kafka_contracts import ATTEMPTS, HEADERS, TURN_SECONDS, Heard, SourceContract, opened, taken
from typing_extensions import override

from pipeline.config.kafka_settings import KafkaSettings, consumer_config
from pipeline.core.model import Record
from pipeline.core.pace import Share
from pipeline.core.ports import Partition, Source, SourceBroken
from pipeline.core.signals import OffsetLost
from pipeline.edge.kafka import KafkaSource, OnLostOffsets, StartFrom
from pipeline.edge.secrets import Secrets

if TYPE_CHECKING:
    from conftest import MakeTopic


class KafkaKit:
    """A topic with two partitions and a group of its own. Sources are configured as production's are."""

    def __init__(self, bootstrap_servers: str, topic: str, protocol: str = "classic") -> None:
        self.topic = topic
        self.group = f"group-{uuid.uuid4().hex[:8]}"
        self.teller = FakeTeller()
        self.servers = bootstrap_servers
        self._protocol = protocol
        self._sources: list[KafkaSource] = []

    def produce(self, partition: int, values: Sequence[bytes | None]) -> None:
        """Append records and wait until the broker has them."""
        producer = Producer({"bootstrap.servers": self.servers, "acks": "all", "linger.ms": 0})
        for value in values:
            producer.produce(self.topic, partition=partition, key=b"k", value=value, headers=list(HEADERS))
        assert producer.flush(20) == 0

    def source(
        self,
        *,
        start_from: StartFrom = "earliest",
        on_lost_offsets: OnLostOffsets = "fail",
        more: Mapping[str, object] | None = None,
    ) -> Source:
        """Return another member of the group."""
        settings = KafkaSettings.model_validate(
            {
                "bootstrap_servers": self.servers,
                "session_timeout_seconds": 6,
                "group_protocol": self._protocol,
                "properties": {"consumer.fetch.wait.max.ms": "20", "consumer.heartbeat.interval.ms": "200"}
                if self._protocol == "classic"
                else {"consumer.fetch.wait.max.ms": "20"},
            }
        )
        source = KafkaSource(
            {**consumer_config(settings, self.group, Secrets(None, {})), **(more or {})},
            [self.topic],
            start_from=start_from,
            on_lost_offsets=on_lost_offsets,
            teller=self.teller,
        )
        self._sources.append(source)
        return source

    def committed(self, partition: int) -> int | None:
        """Ask the broker for the committed offset."""
        asker = Consumer({"bootstrap.servers": self.servers, "group.id": self.group})
        offset = asker.committed([TopicPartition(self.topic, partition)], timeout=10)[0].offset
        asker.close()
        return None if offset < 0 else offset

    def close(self) -> None:
        """Leave with every member that is still there."""
        for source in self._sources:
            source.close()


@pytest.fixture
def kit(bootstrap_servers: str, make_topic: MakeTopic) -> Iterator[KafkaKit]:
    """A fresh topic and group; its members leave at the end."""
    made = KafkaKit(bootstrap_servers, make_topic(2))
    yield made
    made.close()


class TestKafkaSource(SourceContract):
    """`KafkaSource` is a source, in a classic group."""


class TestKafkaSourceInConsumerGroup(SourceContract):
    """`KafkaSource` is a source, in a group of the new protocol (KIP-848)."""

    @pytest.fixture
    def kit(self, bootstrap_servers: str, make_topic: MakeTopic) -> Iterator[KafkaKit]:
        """A fresh topic and group of the new protocol."""
        made = KafkaKit(bootstrap_servers, make_topic(2), "consumer")
        yield made
        made.close()


def both_until(first: Source, second: Source, done: list[Heard]) -> list[Record]:
    """Turn both members until each owns one partition; return what they took."""
    records: list[Record] = []
    for _ in range(ATTEMPTS):
        records += first.take(100, TURN_SECONDS / 2)
        records += second.take(100, TURN_SECONDS / 2)
        if [len(heard.owned) for heard in done] == [1, 1]:
            return records
    raise AssertionError(f"no balance: {[heard.owned for heard in done]}")


def test_shares_with_a_second_member(kit: KafkaKit) -> None:
    """A newcomer gets its part: the first commits while it gives up, both halve their share, nothing is read twice."""
    first = kit.source()
    marks: dict[Partition, int] = {(kit.topic, 0): 5, (kit.topic, 1): 5}
    heard = opened(first, Heard(on_revoke=marks))
    kit.produce(0, [b"0"] * 5)
    kit.produce(1, [b"1"] * 5)
    before = taken(first, 10)
    second, newcomer = kit.source(), Heard()
    second.open(newcomer)
    between = both_until(first, second, [heard, newcomer])

    assert (10, []) == (len(before), between)
    assert (0.5, 0.5) == (heard.share.part, newcomer.share.part)
    assert {0, 1} == {*heard.share.ours, *newcomer.share.ours}
    assert heard.owned.keys().isdisjoint(newcomer.owned)


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_a_spare_is_a_member(bootstrap_servers: str, make_topic: MakeTopic, protocol: str) -> None:
    """Who gets no partition, because there are not enough, hears that it is a member all the same."""
    kit = KafkaKit(bootstrap_servers, make_topic(1), protocol)
    members = [(kit.source(), Heard()) for _ in range(2)]
    for source, heard in members:
        source.open(heard)
    deadline = time.monotonic() + 20
    while not all(heard.joined for _, heard in members) and time.monotonic() < deadline:
        for source, _ in members:
            source.take(10, 0.05)
    found = sorted((len(heard.owned), heard.joined) for _, heard in members)
    kit.close()

    assert [(0, True), (1, True)] == found


def test_a_topic_that_grows_is_counted_anew(kit: KafkaKit, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a topic has got more partitions, the shares follow, also for those who gained none."""
    monkeypatch.setattr("pipeline.edge.kafka.RECOUNT_SECONDS", 0.2)
    source = kit.source()
    heard = opened(source, Heard())
    taken(source, 0)
    admin = AdminClient({"bootstrap.servers": kit.servers})
    admin.create_partitions([NewPartitions(kit.topic, 3)])[kit.topic].result()
    deadline = time.monotonic() + 10
    while heard.share.of < 3 and time.monotonic() < deadline:
        source.take(10, 0.05)

    assert 3 == heard.share.of


def test_paused_member_pauses_what_it_gets(kit: KafkaKit) -> None:
    """Partitions that are assigned to a paused member yield nothing either."""
    kit.produce(0, [b"0"])
    kit.produce(1, [b"1"])
    source = kit.source()
    source.pause()
    opened(source)
    early = [record for _ in range(5) for record in source.take(10, TURN_SECONDS)]
    source.resume()

    assert [] == early
    assert 2 == len(taken(source, 2))


def test_starts_at_the_end_when_told(kit: KafkaKit) -> None:
    """With `latest` a new group begins at the end, and what is produced from then on is read."""
    kit.produce(0, [b"old"])
    source = kit.source(start_from="latest")
    opened(source)
    kit.produce(0, [b"new"])

    assert [(1, b"new")] == [(record.offset, record.value) for record in taken(source, 1)]


@pytest.mark.parametrize("answer", ["fail", "earliest", "latest"])
def test_lost_offsets(kit: KafkaKit, admin: AdminClient, answer: OnLostOffsets) -> None:
    """When retention took records that were not read, it never jumps in silence: it fails, or goes on as told."""
    before = kit.source()
    opened(before)
    kit.produce(0, [b"%d" % number for number in range(5)])
    before.commit_now({(kit.topic, 0): 1})
    before.close()
    place = TopicPartition(kit.topic, 0, 3)
    admin.delete_records([place])[place].result()
    source = kit.source(on_lost_offsets=answer)
    source.open(Heard())
    if answer == "fail":
        with pytest.raises(SourceBroken, match=r"committed offset 1 of .*\[0\] is gone.* 3"):
            taken(source, 1)
    else:
        offsets = [record.offset for record in taken(source, 2 if answer == "earliest" else 0)]
        offsets += [] if answer == "earliest" else [record.offset for record in _after_produce(kit, source)]

        assert ([3, 4] if answer == "earliest" else [5]) == offsets
    assert [(1, 3)] == [(signal.committed, signal.first_kept) for signal in kit.teller.of(OffsetLost)]


def _after_produce(kit: KafkaKit, source: Source) -> list[Record]:
    """Let the source find its place, then produce one record and take it."""
    for _ in range(ATTEMPTS):
        source.take(1, TURN_SECONDS)
        if kit.teller.of(OffsetLost):
            break
    source.take(1, TURN_SECONDS)
    kit.produce(0, [b"new"])
    return taken(source, 1)


def test_callbacks_in_one_call(kit: KafkaKit) -> None:
    """Other callbacks after an assignment, in the same call, find the client as they need it: it does not abort."""
    told: list[str] = []
    source = kit.source(more={"stats_cb": told.append, "statistics.interval.ms": 20})
    heard = Heard()
    source.open(heard)
    while not heard.owned:
        source.take(1, 1.0)

    assert told


class Raising(Heard):
    """A listener with a bug."""

    @override
    def assigned(self, partitions: Sequence[Partition], share: Share) -> None:
        """Break."""
        raise ZeroDivisionError((partitions, share))


def test_fault_in_a_callback_breaks_the_source(kit: KafkaKit) -> None:
    """A listener that raises destroys no batch in silence: `take` raises, so that nothing more is committed."""
    kit.produce(0, [b"1"])
    source = kit.source()
    source.open(Raising())

    with pytest.raises(SourceBroken, match="a callback failed: ZeroDivisionError"):
        taken(source, 1)
