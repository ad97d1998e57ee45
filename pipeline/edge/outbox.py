"""The way to a topic of ours: implements `ports.Outbox` with an idempotent producer, acks=all.

A record counts as written on its own delivery report and on nothing else: `flush()` returns 0 for failures too.
A producer that broke for good (a fatal error) raises from `poll` and so ends the process; what it had comes again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from pipeline.core.ports import Posted, Posting

T = TypeVar("T")


class KafkaOutbox(Generic[T]):
    """Only one thread calls it. `write` says how a thing is written as a record of `topic`."""

    def __init__(self, config: Mapping[str, object], topic: str, write: Callable[[T], Posting]) -> None:
        self._topic = topic
        self._write = write
        self._posted: list[Posted[T]] = []
        self._producer = Producer(dict(config), logger=logging.getLogger("librdkafka"))

    def send(self, item: T) -> None:
        """Hand a thing to the producer; what becomes of it, also a refusal on the spot, comes from `reports`."""
        posting = self._write(item)

        def report(error: KafkaError | None, _: Message) -> None:
            self._posted.append(Posted(item, None if error is None else _say(error)))

        try:
            self._producer.produce(
                self._topic,
                value=posting.value,
                key=posting.key,
                headers=[*posting.headers],
                # What the client takes for "let the key decide".
                partition=-1 if posting.partition is None else posting.partition,
                on_delivery=report,
            )
        except KafkaException as error:
            self._posted.append(Posted(item, _say(error.args[0])))
        except BufferError:
            self._posted.append(Posted(item, "the producer's queue is full"))

    def reports(self, timeout: float) -> list[Posted[T]]:
        """Return what became of things since the last call, waiting at most `timeout` seconds for the first."""
        self._producer.poll(0.0 if self._posted else timeout)
        posted, self._posted = self._posted, []
        return posted


def _say(error: KafkaError) -> str:
    return f"{error.name()}: {error.str()}"
