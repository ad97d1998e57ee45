"""An embedded Kafka for the demo and for fast tests: librdkafka's mock cluster, on loopback, in this process.

It speaks the real protocol to any client, and can be told to fail.
What it lacks: admin calls (topics are made with `create_topic`), offsets by time, security, retention by time;
it keeps at most 5 MB or 100 000 records per partition and drops the oldest beyond that.
Invariant: it lives exactly as long as its `with` block; nothing is written to disk.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import TracebackType
from typing import Self

from pipeline.demo.mock_cluster import load, started_handle

# Milliseconds that a coordinator waits for further members of a new group; Kafka's own default is 3000.
_GROUP_DELAY_MS = 0


class Api(IntEnum):
    """The requests a client sends, by the number that the Kafka protocol gives them."""

    PRODUCE = 0
    FETCH = 1
    LIST_OFFSETS = 2
    METADATA = 3
    OFFSET_COMMIT = 8
    OFFSET_FETCH = 9
    FIND_COORDINATOR = 10
    JOIN_GROUP = 11
    HEARTBEAT = 12
    LEAVE_GROUP = 13
    SYNC_GROUP = 14
    INIT_PRODUCER_ID = 22
    CONSUMER_GROUP_HEARTBEAT = 68


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that a broker received while requests were recorded. `api` is the protocol's number."""

    broker: int
    api: int


class EmbeddedKafka:
    """A cluster of `brokers` brokers, numbered from 1, with the given topics (name to number of partitions).

    A topic that a client asks for and nobody created comes into being with 4 partitions: librdkafka's way.
    Raises MockClusterMissingError when the installed confluent-kafka has no mock cluster.
    Errors are Kafka's protocol numbers, for instance `KafkaError.ILLEGAL_GENERATION` of confluent_kafka.
    """

    def __init__(self, topics: Mapping[str, int] | None = None, brokers: int = 1) -> None:
        self._library = load()
        self._handle: ctypes.c_void_p | None = started_handle(self._library)
        cluster = self._library.rd_kafka_mock_cluster_new(self._handle, brokers)
        if not cluster:
            self._library.rd_kafka_destroy(self._handle)
            raise RuntimeError("librdkafka could not open its mock cluster: are loopback ports available?")
        self._cluster = ctypes.c_void_p(cluster)
        self._brokers = brokers
        self.bootstrap_servers: str = self._library.rd_kafka_mock_cluster_bootstraps(self._cluster).decode()
        self._library.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, _GROUP_DELAY_MS)
        for topic, partitions in (topics or {}).items():
            self.create_topic(topic, partitions)

    def close(self) -> None:
        """Stop the cluster and drop all it held; every connection to it breaks. Harmless when repeated."""
        if self._handle is None:
            return
        handle, self._handle = self._handle, None
        self._library.rd_kafka_mock_cluster_destroy(self._cluster)
        self._library.rd_kafka_destroy(handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def create_topic(self, topic: str, partitions: int) -> None:
        """Create `topic`, every partition on every broker. Raises ValueError when it exists."""
        self._check(
            self._library.rd_kafka_mock_topic_create(self._open(), topic.encode(), partitions, self._brokers),
            f"create topic {topic}",
        )

    # -- faults: how the cluster misbehaves on demand ---------------------------------------------------------

    def push_request_errors(self, api: Api, *errors: int) -> None:
        """Answer the next requests of this kind with these errors, one each, on any broker; 0 lets one pass."""
        array = (ctypes.c_int * len(errors))(*errors)
        self._library.rd_kafka_mock_push_request_errors_array(self._open(), int(api), len(errors), array)

    def clear_request_errors(self, api: Api) -> None:
        """Forget the errors that were pushed for this kind of request and not yet given."""
        self._library.rd_kafka_mock_clear_request_errors(self._open(), int(api))

    def set_topic_error(self, topic: str, error: int) -> None:
        """Let everything that is asked of `topic` fail with `error`, until 0 is set."""
        self._library.rd_kafka_mock_topic_set_error(self._open(), topic.encode(), error)

    def broker_down(self, broker: int = 1) -> None:
        """Cut the connections of `broker` and refuse new ones; what it holds stays."""
        self._check(self._library.rd_kafka_mock_broker_set_down(self._open(), broker), f"take broker {broker} down")

    def broker_up(self, broker: int = 1) -> None:
        """Let `broker` take connections again."""
        self._check(self._library.rd_kafka_mock_broker_set_up(self._open(), broker), f"bring broker {broker} up")

    def set_round_trip_ms(self, milliseconds: int, broker: int = 1) -> None:
        """Let every answer of `broker` take this long; 0 is as fast as it can."""
        self._check(
            self._library.rd_kafka_mock_broker_set_rtt(self._open(), broker, milliseconds), f"slow broker {broker}"
        )

    def move_leader(self, topic: str, partition: int, broker: int) -> None:
        """Make `broker` the leader of a partition, or nobody with -1."""
        self._check(
            self._library.rd_kafka_mock_partition_set_leader(self._open(), topic.encode(), partition, broker),
            f"move {topic}[{partition}] to broker {broker}",
        )

    def move_coordinator(self, group: str, broker: int) -> None:
        """Make `broker` the coordinator of a consumer group."""
        self._check(
            self._library.rd_kafka_mock_coordinator_set(self._open(), b"group", group.encode(), broker),
            f"move group {group} to broker {broker}",
        )

    # -- what clients asked -----------------------------------------------------------------------------------

    def record_requests(self) -> None:
        """Forget the recorded requests and record from now on; it costs memory for each request."""
        self._library.rd_kafka_mock_start_request_tracking(self._open())
        self._library.rd_kafka_mock_clear_requests(self._cluster)

    def recorded_requests(self) -> list[Asked]:
        """Return the requests since `record_requests`, in the order of their arrival."""
        count = ctypes.c_size_t()
        requests = self._library.rd_kafka_mock_get_requests(self._open(), ctypes.byref(count))
        api, broker = self._library.rd_kafka_mock_request_api_key, self._library.rd_kafka_mock_request_id
        asked = [Asked(broker(requests[index]), api(requests[index])) for index in range(count.value)]
        self._library.rd_kafka_mock_request_destroy_array(requests, count)
        return asked

    def _open(self) -> ctypes.c_void_p:
        if self._handle is None:
            raise RuntimeError("the embedded Kafka is closed")
        return self._cluster

    def _check(self, error: int, deed: str) -> None:
        if error:
            raise ValueError(f"cannot {deed}: {self._library.rd_kafka_err2str(error).decode()}")
