"""What is known when a run is over: what was produced, what platform and Kafka have, and when each of them had it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from commit_log import read_commits
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, TopicPartition
from judge import Acceptance, Burial, Committed, Evidence
from worker_scene import Scene

from pipeline.core.letter import PREFIX

TIMEOUT_SECONDS = 20.0
PATIENCE_SECONDS = 30.0
T = TypeVar("T")


def gather(scene: Scene, *, complete: bool = True) -> dict[str, Evidence]:
    """Return the evidence of a scene up to now, by platform: what each of its lanes sees of it."""
    # In this order, so that what settles meanwhile looks settled late, and never committed early.
    commits = [
        Committed(one.at, (one.topic, one.partition), one.offset)
        for one in patiently(lambda: read_commits(scene.servers, scene.group))
        if one.topic in scene.topics.values()
    ]
    accepted = {
        lane.platform: [
            Acceptance(one.event_id, one.event_name, one.event_time, one.sha256, one.received_at)
            for one in scene.kept(lane)
        ]
        for lane in scene.lanes
    }
    letters = patiently(lambda: read_burials(scene.servers, scene.dead_letters))
    ends = patiently(scene.till.ends)
    return {
        lane.platform: Evidence(
            scene.published_to(lane),
            accepted[lane.platform],
            [letter for letter in letters if addressee(letter) in ("", lane.destination)],
            commits,
            ends,
            complete,
        )
        for lane in scene.lanes
    }


def patiently(ask: Callable[[], T]) -> T:
    """Return what Kafka answers, with patience for elections and brokers that are down."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return ask()
        except KafkaException:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def addressee(letter: Burial) -> str:
    """Return the destination that a dead letter names: empty where the record was refused before any was chosen."""
    return next((value.decode() for name, value in letter.headers if name == f"{PREFIX}destination" and value), "")


def read_burials(servers: str, topic: str) -> list[Burial]:
    """Read a dead-letter topic from its beginning to its present end. Raises TimeoutError if it cannot be read."""
    consumer = Consumer({"bootstrap.servers": servers, "group.id": "chaos-evidence", "enable.auto.commit": False})
    try:
        partitions = sorted(consumer.list_topics(topic, timeout=TIMEOUT_SECONDS).topics[topic].partitions)
        places = [TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in partitions]
        owed = {place.partition: consumer.get_watermark_offsets(place, timeout=TIMEOUT_SECONDS)[1] for place in places}
        consumer.assign(places)
        found: list[Burial] = []
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while any(owed[place.partition] > max(0, place.offset) for place in consumer.position(places)):
            if time.monotonic() > deadline:
                raise TimeoutError(f"only {len(found)} dead letters could be read in {TIMEOUT_SECONDS:.0f} s")
            for message in consumer.consume(1000, 0.1):
                if (error := message.error()) is not None:
                    raise KafkaException(error)
                found.append(_burial(message))
        return found
    finally:
        consumer.close()


def _burial(message: Message) -> Burial:
    given = message.headers() or []
    headers = [(name, value.encode() if isinstance(value, str) else value) for name, value in given]
    ours = {name.removeprefix(PREFIX): value.decode() for name, value in headers if name.startswith(PREFIX) and value}
    origin = (ours.get("topic", ""), int(ours.get("partition", -1)), int(ours.get("offset", -1)))
    return Burial(
        origin, ours.get("reason", ""), message.key(), message.value(), headers, message.timestamp()[1] / 1000
    )
