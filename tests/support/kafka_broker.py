"""A real Apache Kafka broker for the tests: KRaft, loopback only, ready in under a second once it is fetched.

By hand:  python tests/support/kafka_broker.py               starts one, prints its address, stops on Ctrl-C
          python tests/support/kafka_broker.py --fetch-only  fetches and prepares it, and ends
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from java_artifacts import FetchError, ToolMissingError
from java_server import JavaServer, ServerFailedError, free_ports, scratch_directory, train_archive
from kafka_distribution import KafkaDistribution, fetch_kafka, write_properties

READY_SECONDS = 60.0
READY_LINE = "Kafka Server started"
STOP_SECONDS = 10.0
TRAINING_STOP_SECONDS = 60.0  # the JVM writes its archive when it ends
LOGGING = (
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info",  # it writes the ready line
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
)


@dataclass(frozen=True, slots=True)
class Node:
    """One member of a cluster: its id (1 or more) and its two loopback ports."""

    node_id: int
    broker_port: int
    controller_port: int


def free_nodes(count: int) -> list[Node]:
    """Return `count` nodes, ids from 1, on ports that nothing listens on."""
    ports = free_ports(2 * count)
    return [Node(i + 1, ports[2 * i], ports[2 * i + 1]) for i in range(count)]


def properties(node_id: int, nodes: Sequence[Node], log_dir: Path) -> dict[str, str]:
    """Return the server properties of one node of the cluster that `nodes` form, each broker and controller.

    Topics get as many replicas as there are nodes, three at most, and all but one of them must be in sync.
    """
    node = next(node for node in nodes if node.node_id == node_id)
    replicas = min(3, len(nodes))
    in_sync = str(max(1, replicas - 1))
    listener = f"PLAINTEXT://127.0.0.1:{node.broker_port}"
    return {
        "process.roles": "broker,controller",
        "node.id": str(node_id),
        "controller.quorum.voters": ",".join(f"{n.node_id}@127.0.0.1:{n.controller_port}" for n in nodes),
        "listeners": f"{listener},CONTROLLER://127.0.0.1:{node.controller_port}",
        "advertised.listeners": listener,
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": str(log_dir),
        "auto.create.topics.enable": "false",
        "default.replication.factor": str(replicas),
        "min.insync.replicas": in_sync,
        "offsets.topic.num.partitions": "1",
        "offsets.topic.replication.factor": str(replicas),
        "transaction.state.log.num.partitions": "1",
        "transaction.state.log.replication.factor": str(replicas),
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.num.partitions": "1",
        "share.coordinator.state.topic.replication.factor": str(replicas),
        "share.coordinator.state.topic.min.isr": in_sync,
        # Groups settle at once, and a test may choose sessions far shorter than production would.
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "1000",
        "group.consumer.min.session.timeout.ms": "1000",
        "group.consumer.session.timeout.ms": "6000",
        "group.consumer.min.heartbeat.interval.ms": "100",
        "group.consumer.heartbeat.interval.ms": "300",
        "group.consumer.assignment.interval.ms": "0",
        # A killed broker is forgotten this soon; until then its successor may not register (9 s by default).
        "broker.heartbeat.interval.ms": "200",
        "broker.session.timeout.ms": "2000",
        # The cleaner would take 128 MiB, half of the heap; test topics are small.
        "log.cleaner.dedupe.buffer.size": "2097152",
    }


class KafkaBroker:
    """One broker with a data folder of its own, removed by `close` or at the end of the `with` block.

    It keeps its ports and data over `stop` and `start`. `overrides` are further server properties.
    For a larger cluster, give every broker the same `nodes` and its own `node_id`, `launch` all of them, then
    call `wait_until_ready` on each: none gets ready before the quorum stands.
    """

    def __init__(
        self,
        node_id: int = 1,
        nodes: Sequence[Node] | None = None,
        overrides: Mapping[str, str] | None = None,
        distribution: KafkaDistribution | None = None,
    ) -> None:
        self._nodes = list(nodes or free_nodes(1))
        self._distribution = distribution or prepared_kafka()
        self._home = scratch_directory()
        self._settings = self._home / "server.properties"
        data = self._home / "data"
        self._distribution.format(data, node_id)
        write_properties(self._settings, {**properties(node_id, self._nodes, data), **(overrides or {})})
        self._server = JavaServer(f"Kafka node {node_id}", self._distribution.java, self._home / "broker.log")

    @property
    def bootstrap_servers(self) -> str:
        """The addresses of all nodes of the cluster, for a client's `bootstrap.servers`."""
        return ",".join(f"127.0.0.1:{node.broker_port}" for node in self._nodes)

    @property
    def pid(self) -> int:
        """The process id of the broker. Raises ServerFailedError if it was not started."""
        return self._server.pid

    @property
    def running(self) -> bool:
        """Whether the process is alive; one that a test has killed is not."""
        return self._server.running

    def start(self) -> None:
        """Start the broker and wait until it serves. Raises ServerFailedError with the end of its log."""
        archive = self._distribution.archive
        self.launch(f"-XX:SharedArchiveFile={archive}" if archive.exists() else "-Xshare:auto")
        self.wait_until_ready()

    def launch(self, *jvm_options: str) -> None:
        """Start the process with further JVM options, and return at once."""
        arguments = self._distribution.arguments("kafka.Kafka", str(self._settings))
        self._server.launch([*LOGGING, *jvm_options, *arguments])

    def wait_until_ready(self, timeout: float = READY_SECONDS) -> None:
        """Wait at most `timeout` seconds until the broker serves. Raises ServerFailedError."""
        self._server.wait_until(lambda: READY_LINE in self._server.output(), timeout)

    def stop(self, patience: float = STOP_SECONDS) -> None:
        """End the process and keep the data: SIGTERM first, SIGKILL after `patience` seconds."""
        self._server.stop(patience)

    def restart(self) -> None:
        """Stop and start again, on the same ports and with the same data."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Kill the process and remove its data and log: what is about to be deleted needs no orderly end.

        The last nodes of a cluster could not end in order anyway, for want of a quorum.
        """
        self._server.kill()
        shutil.rmtree(self._home)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def prepared_kafka() -> KafkaDistribution:
    """Return Kafka, fetched and with its class-data archive.

    Raises ToolMissingError, FetchError or ServerFailedError.
    """
    distribution = fetch_kafka()
    train_archive(distribution.archive, partial(_train, distribution))
    return distribution


def _train(distribution: KafkaDistribution, archive: Path) -> None:
    broker = KafkaBroker(distribution=distribution)
    try:
        broker.launch(f"-XX:ArchiveClassesAtExit={archive}")
        broker.wait_until_ready()
        broker.stop(TRAINING_STOP_SECONDS)
    finally:
        broker.close()


def main() -> int:
    """Fetch Kafka and, unless told otherwise, run one broker until Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(description="Run one Apache Kafka broker on loopback.")
    parser.add_argument("--fetch-only", action="store_true", help="fetch and prepare Kafka, then end")
    arguments = parser.parse_args()
    for ending in (signal.SIGINT, signal.SIGTERM):  # a shell starts background jobs with SIGINT ignored
        signal.signal(ending, signal.default_int_handler)
    try:
        distribution = prepared_kafka()
        if arguments.fetch_only:
            sys.stdout.write(f"{distribution.folder}\n")
            return 0
        with KafkaBroker(distribution=distribution) as broker:
            sys.stdout.write(f"{broker.bootstrap_servers}\n")
            sys.stdout.flush()
            signal.pause()
    except KeyboardInterrupt:
        return 0
    except (ToolMissingError, FetchError, ServerFailedError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
