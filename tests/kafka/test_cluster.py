from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from commit_log import Commit, read_commits
from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType  # type: ignore[attr-defined]
from java_server import ServerFailedError
from kafka_cluster import OFFSETS_TOPIC, KafkaCluster

ALL = {1, 2, 3}


@pytest.fixture(scope="module")
def shared_cluster() -> Iterator[KafkaCluster]:
    """Three nodes for all tests of this module."""
    with KafkaCluster() as running:
        yield running


@pytest.fixture
def cluster(shared_cluster: KafkaCluster) -> KafkaCluster:
    """The three nodes, whole whatever the test before has done to them."""
    shared_cluster.heal()
    return shared_cluster


@pytest.fixture
def topic(request: pytest.FixtureRequest, cluster: KafkaCluster) -> str:
    """A topic of the test's own, of one partition that node 2 leads."""
    name = str(request.node.name).translate({ord("["): "-", ord("]"): None})
    cluster.create_topic(name, 1, leader=2)
    return name


def in_sync(cluster: KafkaCluster) -> dict[str, set[int]]:
    """Return the in-sync replicas of every partition, as a client sees them that knew nothing before."""
    topics = AdminClient({"bootstrap.servers": cluster.servers}).list_topics(timeout=10).topics
    return {f"{name}-{one.id}": set(one.isrs) for name, topic in topics.items() for one in topic.partitions.values()}


def produce(cluster: KafkaCluster, topic: str, values: list[bytes]) -> list[KafkaError]:
    """Produce to partition 0 and return the errors of what was not acknowledged by all in-sync replicas."""
    refused: list[KafkaError] = []

    def landed(error: KafkaError | None, _: Message) -> None:
        if error:
            refused.append(error)

    producer = Producer({"bootstrap.servers": cluster.servers, "acks": "all", "linger.ms": 0})
    for value in values:
        producer.produce(topic, value, partition=0, on_delivery=landed)

    assert 0 == producer.flush(20)
    return refused


def consume(cluster: KafkaCluster, topic: str, count: int) -> list[bytes | None]:
    """Return the first `count` values of partition 0."""
    consumer = Consumer({"bootstrap.servers": cluster.servers, "group.id": "reader", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, 0, 0)])
    records = consumer.consume(count, 20)
    consumer.close()
    return [record.value() for record in records]


def commit(cluster: KafkaCluster, group: str, topic: str, *offsets: int) -> None:
    """Commit these offsets of partition 0 one after the other."""
    consumer = Consumer({"bootstrap.servers": cluster.servers, "group.id": group, "enable.auto.commit": False})
    for offset in offsets:
        consumer.commit(offsets=[TopicPartition(topic, 0, offset)], asynchronous=False)
    consumer.close()


def offsets(commits: list[Commit]) -> list[int]:
    """Return what was committed, in order."""
    return [one.offset for one in commits]


def process_state(pid: int) -> str:
    """Return the kernel's letter for what a process does: T when it is stopped by a signal."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]


def led_by_node_2(cluster: KafkaCluster, topic: str) -> bool:
    """Whether node 2 leads partition 0, in the words of Kafka: also of a node that does not answer."""
    found = AdminClient({"bootstrap.servers": cluster.servers}).list_topics(topic, timeout=10).topics[topic]
    return found.partitions[0].leader == 2


def test_whole_from_the_start(cluster: KafkaCluster) -> None:
    """A cluster that is entered runs on every node, and has its offsets in three copies."""
    assert ((1, 2, 3), [True] * 3, ALL) == (
        cluster.node_ids,
        [cluster.running(node_id) for node_id in cluster.node_ids],
        in_sync(cluster)[f"{OFFSETS_TOPIC}-0"],
    )


@pytest.mark.parametrize("leader", [1, 3])
def test_topic_led_by_one_node(cluster: KafkaCluster, leader: int) -> None:
    """A topic is led by the node that was asked for, in every partition, and each has three replicas."""
    name = f"led-by-{leader}"
    cluster.create_topic(name, 4, leader=leader)
    replicas = in_sync(cluster)

    assert [(leader, ALL)] * 4 == [(cluster.leader(name, one), replicas[f"{name}-{one}"]) for one in range(4)]


def test_topic_settings(cluster: KafkaCluster) -> None:
    """A topic has the settings it was asked for, and three replicas without being asked."""
    cluster.create_topic("settings", 1, config={"retention.ms": "123456"})
    resource = ConfigResource(ResourceType.TOPIC, "settings")
    admin = AdminClient({"bootstrap.servers": cluster.servers})
    found = admin.describe_configs([resource])[resource].result()

    assert ("123456", "2", ALL) == (
        found["retention.ms"].value,
        found["min.insync.replicas"].value,
        in_sync(cluster)["settings-0"],
    )


def test_killed_leader(cluster: KafkaCluster, topic: str) -> None:
    """What was acknowledged outlives a killed leader: another one has it and takes more, the first gets it back."""
    values = [b"%d" % number for number in range(100)]
    refused = produce(cluster, topic, values)
    cluster.kill(2)
    running = cluster.running(2)
    second = cluster.leader(topic, 0)
    refused += produce(cluster, topic, [b"more"])
    cluster.start(2)
    cluster.elect_preferred(topic, 0)

    assert ([], False, False, 2) == (refused, running, second == 2, cluster.leader(topic, 0))
    assert [*values, b"more"] == consume(cluster, topic, 101)


def test_stopped_leader(cluster: KafkaCluster, topic: str) -> None:
    """A node that is stopped hands over before it ends, and then can be neither killed nor frozen."""
    cluster.stop(2)
    leads = led_by_node_2(cluster, topic)

    assert (False, False) == (cluster.running(2), leads)
    for attempt in (cluster.kill, cluster.freeze):
        with pytest.raises(ServerFailedError, match="Kafka node 2 is not running"):
            attempt(2)


def test_frozen_leader(cluster: KafkaCluster, topic: str) -> None:
    """A frozen node keeps its process and loses its leaderships; what it knew is no longer believed after `heal`."""
    cluster.freeze(2)
    state = process_state(cluster.pid(2))
    leader = cluster.leader(topic, 0)
    running = cluster.running(2)
    cluster.heal()

    assert ("T", True, False) == (state, running, leader == 2)
    assert (leader, ALL) == (cluster.leader(topic, 0), in_sync(cluster)[f"{topic}-0"])


def test_thawed_leader(cluster: KafkaCluster, topic: str) -> None:
    """A node that is frozen for less than its session is the same leader when it is thawed."""
    cluster.freeze(2)
    cluster.thaw(2)
    refused = produce(cluster, topic, [b"1"])

    assert ([], 2) == (refused, cluster.leader(topic, 0))


def test_heal_after_all_at_once(cluster: KafkaCluster, topic: str) -> None:
    """One node killed, one stopped and one frozen are three that run in sync again, and nothing is lost."""
    produce(cluster, topic, [b"1"])
    cluster.stop(2)
    cluster.kill(1)
    cluster.freeze(3)
    cluster.heal()

    assert {frozenset(ALL)} == {frozenset(nodes) for nodes in in_sync(cluster).values()}
    assert ([True] * 3, [b"1"]) == ([cluster.running(one) for one in ALL], consume(cluster, topic, 1))


def test_heal_says_what_is_missing(cluster: KafkaCluster, topic: str) -> None:
    """A node that hangs without the cluster's doing is not healed, and the error names partitions and replicas."""
    hung = cluster.pid(3)
    os.kill(hung, signal.SIGSTOP)
    try:
        while in_sync(cluster)[f"{topic}-0"] == ALL:
            time.sleep(0.02)
        with pytest.raises(TimeoutError, match=rf"{topic}-0 is led by 2, in sync are \[2, 1\] of \[2, 1, 3\]"):
            cluster.heal(4)
    finally:
        os.kill(hung, signal.SIGCONT)


def test_without_a_quorum(cluster: KafkaCluster) -> None:
    """A node that is launched alone waits, and gets ready when a second one makes a quorum."""
    for node_id in cluster.node_ids:
        cluster.kill(node_id)
    cluster.launch(1)
    running = [cluster.running(node_id) for node_id in cluster.node_ids]
    cluster.start(2)
    admin = AdminClient({"bootstrap.servers": cluster.servers})
    deadline = time.monotonic() + 20
    while set(admin.list_topics(timeout=10).brokers) != {1, 2}:
        assert time.monotonic() < deadline, "node 1 is not ready"
        time.sleep(0.02)

    assert [True, False, False] == running


def test_coordinator_moves_and_comes_back(cluster: KafkaCluster, topic: str) -> None:
    """A group's coordinator is another when its node dies, with all commits, and the first again when elected."""
    cluster.elect_preferred(OFFSETS_TOPIC, 0)
    first = cluster.coordinator("any")
    commit(cluster, "any", topic, 1, 2, 3)
    before = read_commits(cluster.servers, "any")
    cluster.kill(first)
    after = read_commits(cluster.servers, "any")
    second = cluster.coordinator("any")
    commit(cluster, "any", topic, 4)
    cluster.heal()
    healed = cluster.coordinator("any")
    cluster.elect_preferred(OFFSETS_TOPIC, 0)

    assert (False, second, first) == (first == second, healed, cluster.coordinator("any"))
    assert ([1, 2, 3], before) == (offsets(before), after)
    assert [1, 2, 3, 4] == offsets(read_commits(cluster.servers, "any"))
