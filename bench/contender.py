"""What the two hand-written contenders share: where to read and post, the decoding, the meter, the last line.

Invariant: both consume, decode and commit in the same way; what they do between is their own.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import fastavro
from confluent_kafka import Consumer, KafkaException

from bench.gauge import Run, own_cpu_seconds, peak_bytes
from bench.orders import PREFIX, order_schema

BATCH: Final = 1000
DATASET: Final = "123456789012345"
TOKEN: Final = "bench-token"  # noqa: S105 - the sink asks for none

Order = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Task:
    """What a contender is told: addresses, the group to read with, and how many events there are."""

    servers: str
    topic: str
    group: str
    sink: str
    events: int
    batch: int


def task() -> Task:
    """Read the task from the command line."""
    parser = argparse.ArgumentParser()
    for name in ("servers", "topic", "group", "sink"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--events", required=True, type=int)
    parser.add_argument("--batch", default=BATCH, type=int)
    return Task(**vars(parser.parse_args()))


class Inlet:
    """Gives decoded orders in batches and commits after each; the meter starts with the first record."""

    def __init__(self, given: Task) -> None:
        self._left = given.events
        self._batch = given.batch
        self._schema = order_schema()
        self._began_at = self._began_cpu = 0.0
        self._consumer = Consumer(
            {
                "bootstrap.servers": given.servers,
                "group.id": given.group,
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
            }
        )
        self._consumer.subscribe([given.topic])

    def batch(self) -> list[Order]:
        """Return the next batch of orders (fewer at the end), none when all were given."""
        orders: list[Order] = []
        most = min(self._batch, self._left)
        while len(orders) < most:
            messages = self._consumer.consume(most - len(orders), 0.1)
            if messages and not self._began_at:
                self._began_at, self._began_cpu = time.time(), own_cpu_seconds()
            for message in messages:
                if (error := message.error()) is not None:
                    raise KafkaException(error)
                value = io.BytesIO(message.value() or b"")
                value.seek(len(PREFIX))
                orders.append(fastavro.schemaless_reader(value, self._schema, None))  # type: ignore[arg-type]
        self._left -= len(orders)
        return orders

    def commit(self) -> None:
        """Commit what was given, and wait for Kafka's answer."""
        self._consumer.commit(asynchronous=False)

    def finish(self) -> None:
        """Print what the run cost as one line of JSON, and leave the group."""
        run = Run(own_cpu_seconds() - self._began_cpu, self._began_at, peak_bytes())
        sys.stdout.write(json.dumps(asdict(run)) + "\n")
        sys.stdout.flush()
        self._consumer.close()
