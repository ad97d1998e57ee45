"""Asking Kafka about topics and groups, and creating topics: for `check` and `topics`, never on the road.

Every call waits at most `TIMEOUT_SECONDS`, and raises `KafkaUnreachableError` or `KafkaRefusedError`
with Kafka's own word.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final, TypeVar

from confluent_kafka import ConsumerGroupState, KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType  # type: ignore[attr-defined]

SEEN_SECONDS: Final = 5.0
TIMEOUT_SECONDS: Final = 10.0
_ATTEMPTS: Final = 5
T = TypeVar("T")


class KafkaUnreachableError(Exception):
    """No broker answered in time; the text is the client's last complaint."""


class KafkaRefusedError(Exception):
    """A broker answered no; the text names its error."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it is: how many partitions, how many replicas each."""

    partitions: int
    replicas: int


class Admin:
    """An administrative client. `config` holds passwords and is never shown."""

    def __init__(self, config: Mapping[str, str | int | float | bool]) -> None:
        self._complaint = ""
        # Errors come to the callback; librdkafka's own lines on stderr would say the same twice.
        full: dict[str, object] = {**config, "error_cb": self._complained, "log_level": 0}
        self._client = AdminClient(full)  # type: ignore[arg-type]  # its stubs know of no callbacks

    def topics(self) -> dict[str, Topic]:
        """Return every topic that we may see."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                found = self._client.list_topics(timeout=TIMEOUT_SECONDS / _ATTEMPTS).topics
            except KafkaException as error:
                self._client.poll(0)
                # A complaint that stands after a second try (refused, no such host, no login) is not a slow network.
                if attempt == _ATTEMPTS or (self._complaint and attempt > 1):
                    raise KafkaUnreachableError(self._complaint or _word(error)) from None
            else:
                return {name: _topic(topic) for name, topic in found.items() if topic.error is None}
        raise AssertionError("the last attempt returns or raises")

    def topic_configs(self, names: Sequence[str]) -> dict[str, dict[str, str]]:
        """Return the effective configuration of topics that exist."""
        resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
        if not resources:
            return {}
        answers = self._client.describe_configs(resources, request_timeout=TIMEOUT_SECONDS)
        return {
            resource.name: {name: str(entry.value) for name, entry in _result(answer).items()}
            for resource, answer in answers.items()
        }

    def create(self, name: str, *, partitions: int, replicas: int, config: Mapping[str, str]) -> bool:
        """Create a topic; `replicas` -1 takes the broker's default. Return False when it exists already."""
        new = NewTopic(name, num_partitions=partitions, replication_factor=replicas, config=dict(config))
        answer = self._client.create_topics([new], request_timeout=TIMEOUT_SECONDS)[name]
        try:
            answer.result()
        except KafkaException as error:
            if error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS:
                return False
            raise KafkaRefusedError(_word(error)) from None
        self._wait_for(name)
        return True

    def _wait_for(self, name: str) -> None:
        """Return when the brokers show the topic, or after a while all the same: it was created."""
        deadline = time.monotonic() + SEEN_SECONDS
        while name not in self.topics() and time.monotonic() < deadline:
            time.sleep(0.05)

    def group_state(self, group: str) -> str:
        """Return the state of a consumer group in lower case; one that nobody joined yet is `dead`."""
        answer = self._client.describe_consumer_groups([group], request_timeout=TIMEOUT_SECONDS)[group]
        try:
            state = answer.result().state
        except KafkaException as error:
            if error.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND:
                return "dead"
            raise KafkaRefusedError(_word(error)) from None
        return state.name.lower() if isinstance(state, ConsumerGroupState) else str(state).lower()

    def _complained(self, error: KafkaError) -> None:
        # "All brokers are down" comes last and says least.
        if error.code() != KafkaError._ALL_BROKERS_DOWN or not self._complaint:  # noqa: SLF001 - librdkafka's spelling
            self._complaint = " ".join(error.str().split())


def _topic(topic: object) -> Topic:
    partitions = getattr(topic, "partitions", {})
    replicas = max((len(partition.replicas) for partition in partitions.values()), default=0)
    return Topic(len(partitions), replicas)


def _result(answer: Future[T]) -> T:
    try:
        return answer.result()
    except KafkaException as error:
        raise KafkaRefusedError(_word(error)) from None


def _word(error: KafkaException) -> str:
    inner = error.args[0]
    return f"{inner.name()}: {' '.join(inner.str().split())}" if isinstance(inner, KafkaError) else str(inner)
