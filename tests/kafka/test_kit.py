from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Consumer, ConsumerGroupType, Message, Producer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # documented, not in its __all__
    AdminClient,
    ConfigResource,
    ResourceType,
)
from java_server import ServerFailedError, scratch_directory
from kafka_broker import KafkaBroker, free_nodes

if TYPE_CHECKING:
    from kafka_fixtures import MakeTopic

SUPPORT = Path(__file__).resolve().parents[1] / "support"
HEADERS: list[tuple[str, str | bytes | None]] = [
    ("trace", b"\x00\xff"),
    ("trace", b"again"),
    ("empty", b""),
    ("none", None),
]
SCHEMA = '{"type":"record","name":"Order","fields":[{"name":"id","type":"string"}]}'


def produce(bootstrap_servers: str, topic: str, count: int) -> None:
    """Produce `count` records with the values 0, 1, 2 ... and fail unless every one is acknowledged."""
    refused: list[object] = []
    producer = Producer({"bootstrap.servers": bootstrap_servers, "acks": "all", "linger.ms": 0})
    for number in range(count):
        producer.produce(
            topic,
            key=b"k",
            value=b"%d" % number,
            headers=HEADERS,
            on_delivery=lambda error, _: refused.append(error) if error else None,
        )
    left = producer.flush(20)
    if left or refused:
        raise AssertionError(f"{left} records not acknowledged, {len(refused)} refused: {refused[:1]}")


@contextmanager
def consumer_of(bootstrap_servers: str, topic: str, **settings: str) -> Iterator[Consumer]:
    """Yield a consumer that reads `topic` from its start and commits only when told."""
    config = {
        "bootstrap.servers": bootstrap_servers,
        "group.id": f"group-{uuid.uuid4().hex[:8]}",
        "auto.offset.reset": "earliest",
        "enable.auto.commit": "false",
        "fetch.wait.max.ms": "20",
    }
    with closing(Consumer({**config, **{key.replace("_", "."): text for key, text in settings.items()}})) as it:
        it.subscribe([topic])
        yield it


def take(consumer: Consumer, count: int, seconds: float = 20.0) -> list[Message]:
    """Consume until `count` records came or the time is over."""
    deadline = time.monotonic() + seconds
    records: list[Message] = []
    while len(records) < count and time.monotonic() < deadline:
        records.extend(consumer.consume(count - len(records), 0.05))
    return records


def get(url: str) -> tuple[int, bytes]:
    """Return the status and body of a GET, whatever the status."""
    try:
        with urllib.request.urlopen(url, timeout=10) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read()


def register(registry_url: str, subject: str, schema: str) -> int:
    """Register an Avro schema under a subject and return its id."""
    request = urllib.request.Request(
        f"{registry_url}/subjects/{subject}/versions",
        data=json.dumps({"schema": schema}).encode(),
        headers={"Content-Type": "application/vnd.schemaregistry.v1+json"},
    )
    with urllib.request.urlopen(request, timeout=10) as reply:
        return int(json.load(reply)["id"])


def alive(pid: int) -> bool:
    """Whether a process with this id runs; a dead one that nobody has reaped yet does not."""
    status = Path(f"/proc/{pid}/status")
    try:
        return "State:\tZ" not in status.read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False


def run_by_hand() -> tuple[subprocess.Popen[str], int]:
    """Run the broker's script until it serves; return it and the process id of its broker."""
    script = subprocess.Popen([sys.executable, str(SUPPORT / "kafka_broker.py")], stdout=subprocess.PIPE, text=True)
    assert script.stdout is not None
    with script.stdout:
        address = script.stdout.readline()
    children = Path(f"/proc/{script.pid}/task/{script.pid}/children").read_text(encoding="ascii")

    assert re.fullmatch(r"127\.0\.0\.1:\d+\n", address)
    return script, int(children)


@contextmanager
def closing_all(brokers: list[KafkaBroker]) -> Iterator[list[KafkaBroker]]:
    """Close every broker at the end, also when one of them fails."""
    try:
        yield brokers
    finally:
        for broker in brokers:
            broker.close()


def folders_of(pid: int) -> list[Path]:
    """Return the scratch folders of a process that are still there when the next run makes its own."""
    mine = scratch_directory()
    mine.rmdir()
    return list(mine.parent.glob(f"capi-test-{pid}-*"))


def test_record_round_trip(bootstrap_servers: str, make_topic: MakeTopic) -> None:
    """A record comes back with its key, its value and every header, repeated, empty and null ones too."""
    topic = make_topic()
    produce(bootstrap_servers, topic, 1)
    with consumer_of(bootstrap_servers, topic) as consumer:
        records = take(consumer, 1)

    assert [(b"k", b"0", HEADERS)] == [(r.key(), r.value(), r.headers()) for r in records]


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_group_protocols(bootstrap_servers: str, make_topic: MakeTopic, admin: AdminClient, protocol: str) -> None:
    """A consumer joins with the protocol it asks for, and the broker says so: `consumer` is KIP-848."""
    topic = make_topic(partitions=3)
    group = f"group-{uuid.uuid4().hex[:8]}"
    produce(bootstrap_servers, topic, 1)
    with consumer_of(bootstrap_servers, topic, group_id=group, group_protocol=protocol) as consumer:
        take(consumer, 1)
        assigned = len(consumer.assignment())
        described = admin.describe_consumer_groups([group])[group].result()

    assert (3, ConsumerGroupType[protocol.upper()]) == (assigned, described.type)


def test_topic_settings(make_topic: MakeTopic, admin: AdminClient) -> None:
    """A topic has the partitions and the configuration it was asked for."""
    topic = make_topic(partitions=5, config={"retention.ms": "123456"})
    resource = ConfigResource(ResourceType.TOPIC, topic)
    config = admin.describe_configs([resource])[resource].result()

    assert (5, "123456") == (
        len(admin.list_topics(topic, timeout=10).topics[topic].partitions),
        config["retention.ms"].value,
    )


def test_topics_are_not_made_by_mistake(admin: AdminClient) -> None:
    """Asking for a topic that nobody created does not create it."""
    admin.list_topics("never-created", timeout=10)

    assert "never-created" not in admin.list_topics(timeout=10).topics


def test_committed_offsets(bootstrap_servers: str, make_topic: MakeTopic) -> None:
    """An offset that one consumer commits is what the next of its group reads back."""
    topic = make_topic()
    group = f"group-{uuid.uuid4().hex[:8]}"
    produce(bootstrap_servers, topic, 10)
    with consumer_of(bootstrap_servers, topic, group_id=group) as first:
        take(first, 10)
        first.commit(offsets=[TopicPartition(topic, 0, 7)], asynchronous=False)
    with consumer_of(bootstrap_servers, topic, group_id=group) as second:
        committed = second.committed([TopicPartition(topic, 0)], timeout=10)[0].offset
        values = [record.value() for record in take(second, 3)]

    assert (7, [b"7", b"8", b"9"]) == (committed, values)


@pytest.mark.parametrize("crash", [False, True], ids=["stop", "kill"])
def test_data_outlives_the_process(broker: KafkaBroker, make_topic: MakeTopic, *, crash: bool) -> None:
    """Records are still there after the broker was stopped or killed, and started again on the same address."""
    topic = make_topic()
    produce(broker.bootstrap_servers, topic, 100)
    before = broker.pid
    if crash:
        os.kill(before, signal.SIGKILL)
    broker.restart()
    with consumer_of(broker.bootstrap_servers, topic) as consumer:
        values = [record.value() for record in take(consumer, 100)]

    assert (False, [b"%d" % n for n in range(100)]) == (before == broker.pid, values)


def test_broker_that_cannot_start() -> None:
    """A broker that cannot start says why in the error, and leaves no process and no folder."""
    broker = KafkaBroker(overrides={"log.retention.ms": "soon"})
    with pytest.raises(ServerFailedError, match=r"(?s)Kafka node 1 ended .*log\.retention\.ms"), broker:
        pass

    assert not broker.running


def test_three_nodes() -> None:
    """Three brokers form one cluster, and a topic on it has three replicas, all in sync."""
    nodes = free_nodes(3)
    with closing_all([KafkaBroker(node.node_id, nodes) for node in nodes]) as brokers:
        for broker in brokers:
            broker.launch()
        for broker in brokers:
            broker.wait_until_ready()
        admin = AdminClient({"bootstrap.servers": brokers[0].bootstrap_servers})

        assert {1, 2, 3} == set(admin.list_topics(timeout=10).brokers)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_behind(end: signal.Signals) -> None:
    """However the process that started a broker ends, the broker ends too, and its folder goes."""
    script, pid = run_by_hand()
    script.send_signal(end)
    script.wait(20)
    deadline = time.monotonic() + 5
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.01)

    assert (False, []) == (alive(pid), folders_of(script.pid))


def test_schema_by_id(registry_url: str) -> None:
    """The registry stores a schema and returns it by the id it gave; an unknown id is Confluent's 40403."""
    number = register(registry_url, "orders-value", SCHEMA)
    found = json.loads(get(f"{registry_url}/schemas/ids/{number}")[1])
    status, missing = get(f"{registry_url}/schemas/ids/999999")

    assert (json.loads(SCHEMA), 404, 40403) == (
        json.loads(found["schema"]),
        status,
        json.loads(missing)["error_code"],
    )


def test_schema_by_guid(registry_url: str) -> None:
    """This registry has no lookup by GUID: the day a newer one has, this test asks to be turned around."""
    register(registry_url, "leads-value", SCHEMA)
    version = json.loads(get(f"{registry_url}/subjects/leads-value/versions/1")[1])
    status, _ = get(f"{registry_url}/schemas/guids/{uuid.uuid4()}")

    assert (False, 404) == ("guid" in version, status)
