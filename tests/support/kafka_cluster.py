"""A Kafka of several nodes that a test may kill, stop, freeze and heal: all plain calls, every wait with an end."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from functools import partial
from types import TracebackType
from typing import Self, TypeVar

from confluent_kafka import ElectionType, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # documented, not in its __all__
    AdminClient,
    ClusterMetadata,
    NewTopic,
    PartitionMetadata,
)
from kafka_broker import READY_SECONDS, KafkaBroker, free_nodes, prepared_kafka

REPLICAS = 3
OFFSETS_TOPIC = "__consumer_offsets"
WARM_UP = "warm-up"
HEAL_SECONDS = 60.0
LEADER_SECONDS = 30.0
REPLY_SECONDS = 2.0  # for one answer: a frozen node never gives it, and another one is asked next
POLL_SECONDS = 0.05
# A leader moves when a test moves it. Kafka would move it back by itself, once in five minutes.
OVERRIDES = {"auto.leader.rebalance.enable": "false"}
T = TypeVar("T")


class NotYetError(Exception):
    """What is waited for is not so yet; the message says what is missing."""


class OtherNodeError(NotYetError):
    """Another node than the one that was asked has answered."""


class KafkaCluster:
    """Nodes 1 to `count`, each broker and controller, running and in sync from the start of the `with` block.

    Topics have three replicas (as many as there are nodes, if fewer), and all but one must be in sync.
    A node keeps its ports and data over every end and start. The methods raise ServerFailedError for a node that
    does not start or is not there to be ended, and TimeoutError for what the cluster does not reach in time.
    """

    def __init__(self, count: int = 3) -> None:
        distribution = prepared_kafka()
        archive = distribution.archive
        self._jvm_option = f"-XX:SharedArchiveFile={archive}" if archive.exists() else "-Xshare:auto"
        nodes = free_nodes(count)
        self._brokers = {node.node_id: KafkaBroker(node.node_id, nodes, OVERRIDES, distribution) for node in nodes}
        self._frozen: set[int] = set()

    def __enter__(self) -> Self:
        try:
            # All at once: on two cores that takes 2.6 s, and two nodes first and the third after them 3.4 s.
            for node_id in self.node_ids:
                self.launch(node_id)
            for broker in self._brokers.values():
                broker.wait_until_ready()
            _retry(self._make_offsets_topic, READY_SECONDS)
            self.heal()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    @property
    def servers(self) -> str:
        """The addresses of all nodes, for a client's `bootstrap.servers`."""
        return self._brokers[1].bootstrap_servers

    @property
    def node_ids(self) -> tuple[int, ...]:
        """The ids of all nodes, whether they run or not."""
        return tuple(self._brokers)

    # -- one node --------------------------------------------------------------------------------------------------

    def running(self, node_id: int) -> bool:
        """Whether the node's process is alive; a frozen one is."""
        return self._brokers[node_id].running

    def pid(self, node_id: int) -> int:
        """The process id of a node. Raises ServerFailedError if it was not started, or was ended here."""
        return self._brokers[node_id].pid

    def launch(self, node_id: int) -> None:
        """Start a node and return at once: without a quorum none gets ready."""
        self._brokers[node_id].launch(self._jvm_option)

    def start(self, node_id: int) -> None:
        """Start a node and wait until it serves; its replicas may still be catching up."""
        self.launch(node_id)
        self._brokers[node_id].wait_until_ready()

    def kill(self, node_id: int) -> None:
        """End a node as a crash would, frozen or not."""
        os.kill(self.pid(node_id), signal.SIGKILL)
        self._brokers[node_id].stop()  # it only waits for what has been killed
        self._frozen.discard(node_id)

    def stop(self, node_id: int) -> None:
        """End a node in order: it hands its leaderships over first. It is killed if that takes ten seconds."""
        self.thaw(node_id)
        self._brokers[node_id].stop()

    def freeze(self, node_id: int) -> None:
        """Let a node do nothing, with its connections open, until it is thawed, stopped or killed."""
        pid = self.pid(node_id)
        os.kill(pid, signal.SIGSTOP)
        # The signal stops thread by thread. This is told when the last one stands, and takes nothing from who waits.
        os.waitid(os.P_PID, pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        self._frozen.add(node_id)

    def thaw(self, node_id: int) -> None:
        """Let a frozen node go on; nothing happens to any other. It knows only later what it has missed."""
        if node_id in self._frozen:
            os.kill(self.pid(node_id), signal.SIGCONT)
            self._frozen.discard(node_id)

    # -- all of them -----------------------------------------------------------------------------------------------

    def heal(self, seconds: float = HEAL_SECONDS) -> None:
        """Make the cluster whole: every node runs, every partition has a leader and all of its replicas in sync.

        Leaders stay where they are. Raises TimeoutError after so many seconds, and says what is missing.
        """
        deadline = time.monotonic() + seconds
        for node_id, broker in self._brokers.items():
            self.thaw(node_id)
            if not broker.running:
                self.launch(node_id)
        for broker in self._brokers.values():
            broker.wait_until_ready(deadline - time.monotonic())
        # Every node is asked: one that was frozen tells for a while how things stood before, when all was well.
        for node_id in self.node_ids:
            _retry(partial(self._check_whole, node_id), deadline - time.monotonic())

    # -- leaders ---------------------------------------------------------------------------------------------------

    def leader(self, topic: str, partition: int) -> int:
        """Return the node that leads a partition, once it is one that answers: waits out an election, 30 s at most.

        Within a second of a thaw it may be the former leader, if that was frozen: `heal` waits for the truth.
        """
        return _retry(partial(self._leader, topic, partition), LEADER_SECONDS)

    def coordinator(self, group: str) -> int:  # noqa: ARG002 - all groups live in the one partition
        """Return the node that coordinates a consumer group, as `leader` does."""
        return self.leader(OFFSETS_TOPIC, 0)

    def elect_preferred(self, topic: str, partition: int) -> None:
        """Make the first of a partition's replicas its leader, and wait until it is: 30 s at most."""
        _retry(partial(self._elect, topic, partition), LEADER_SECONDS)

    def create_topic(
        self, name: str, partitions: int, *, config: Mapping[str, str] | None = None, leader: int | None = None
    ) -> None:
        """Create a topic and wait until every node knows who leads it; `leader` is the preferred one of all partitions.

        Raises KafkaException when Kafka refuses: without `leader` it wants as many nodes as replicas.
        """
        settings = dict(config or {})
        if leader is None:
            new = NewTopic(name, partitions, config=settings)
        else:
            new = NewTopic(name, partitions, replica_assignment=[self._replicas(leader)] * partitions, config=settings)
        client = self._client()
        client.create_topics([new], request_timeout=LEADER_SECONDS)[name].result(2 * LEADER_SECONDS)
        for node_id in self._answering:
            _retry(partial(self._check_told, node_id, name, partitions), LEADER_SECONDS)

    # -- what is tried until it works ------------------------------------------------------------------------------

    def _make_offsets_topic(self) -> None:
        """Have Kafka create the topic of the groups' offsets, which it does when the first group is asked for."""
        client = self._client()
        try:
            client.describe_consumer_groups([WARM_UP])[WARM_UP].result(REPLY_SECONDS)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.GROUP_ID_NOT_FOUND:
                raise

    def _check_whole(self, node_id: int) -> None:
        """Raise NotYetError unless every partition that this node knows of has a leader and all replicas in sync."""
        topics = self._view(node_id).topics
        if OFFSETS_TOPIC not in topics:
            raise NotYetError(f"node {node_id} does not know yet of {OFFSETS_TOPIC}")
        missing = [
            f"{name}-{partition.id} is led by {partition.leader}, in sync are {partition.isrs} of {partition.replicas}"
            for name, topic in topics.items()
            for partition in topic.partitions.values()
            if partition.leader not in self._answering or set(partition.isrs) != set(partition.replicas)
        ]
        if missing:
            raise NotYetError("; ".join(missing))

    def _check_told(self, node_id: int, topic: str, partitions: int) -> None:
        """Raise NotYetError unless this node knows a leader that answers for every partition of a topic."""
        found = self._view(node_id).topics.get(topic)
        leaders = [one.leader for one in found.partitions.values()] if found else []
        if len(leaders) < partitions or not self._answering.issuperset(leaders):
            raise NotYetError(f"node {node_id} knows the leaders {leaders} of {topic}")

    def _elect(self, topic: str, partition: int) -> None:
        place = TopicPartition(topic, partition)
        # Given a timeout the client raises TypeError or SystemError (confluent-kafka 2.16.1), so the future has it.
        client = self._client()
        elected = client.elect_leaders(ElectionType.PREFERRED, [place]).result(REPLY_SECONDS)
        refusal = elected[place]
        if refusal and refusal.code() != KafkaError.ELECTION_NOT_NEEDED:
            raise NotYetError(f"{topic}-{partition}: {refusal}")
        preferred, leader = self._partition(topic, partition).replicas[0], self._leader(topic, partition)
        if leader != preferred:
            raise NotYetError(f"{topic}-{partition} is led by {leader} and not by {preferred}")

    def _leader(self, topic: str, partition: int) -> int:
        leader = self._partition(topic, partition).leader
        if leader not in self._answering:
            raise NotYetError(f"{topic}-{partition} is led by {leader}, which does not answer")
        return leader

    def _partition(self, topic: str, partition: int) -> PartitionMetadata:
        found = self._client().list_topics(topic, timeout=REPLY_SECONDS).topics[topic].partitions.get(partition)
        if found is None:
            raise NotYetError(f"{topic}-{partition} is not known")
        return found

    def _view(self, node_id: int) -> ClusterMetadata:
        """Return the cluster as this node sees it; raises OtherNodeError when another one has answered."""
        view = self._client(node_id).list_topics(timeout=REPLY_SECONDS)
        if not str(view.orig_broker_name).startswith(f"{self._address(node_id)}/"):
            raise OtherNodeError(f"node {node_id} has not answered itself")
        return view

    def _client(self, *node_ids: int) -> AdminClient:
        """Return a new client that is told of these nodes, else of all that answer.

        New for every request: one that has spoken to a node before goes on asking it while it is frozen.
        Keep it until the answer is there: a client that is dropped never answers what it was asked.
        """
        addresses = [self._address(node_id) for node_id in node_ids or self._answering]
        return AdminClient({"bootstrap.servers": ",".join(addresses), "reconnect.backoff.max.ms": 200})

    def _address(self, node_id: int) -> str:
        return self.servers.split(",")[node_id - 1]

    @property
    def _answering(self) -> set[int]:
        return {node_id for node_id in self.node_ids if self.running(node_id)} - self._frozen

    def _replicas(self, leader: int) -> list[int]:
        return [leader, *(node_id for node_id in self.node_ids if node_id != leader)][:REPLICAS]

    def _close(self) -> None:
        for broker in self._brokers.values():
            broker.close()


def _retry(attempt: Callable[[], T], seconds: float) -> T:
    """Return what `attempt` returns as soon as it raises none of what time may cure. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    reasons: dict[type[Exception], str] = {}  # the last of each kind: a late `timed out` must not hide what is missing
    while True:
        try:
            return attempt()
        except (NotYetError, KafkaException, TimeoutError) as reason:
            reasons[type(reason)] = str(reason)
        if time.monotonic() > deadline:
            raise TimeoutError(f"not in time ({seconds:.0f} s were left): {'; '.join(reasons.values())}")
        time.sleep(POLL_SECONDS)
