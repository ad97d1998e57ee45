"""Records by their coordinates, long after they were read: implements `ports.Archive` over a consumer of its own.

It joins no group and commits nothing: partitions are assigned by hand, read at one place, and let go again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from pipeline.core.model import Record
from pipeline.core.ports import Partition, Place, SourceBroken
from pipeline.edge.kafka_record import as_record

# Beyond such a gap between two records it is cheaper to seek than to read on.
GAP: Final = 200
_TURN_SECONDS: Final = 0.1
_OURS: Final[Mapping[str, object]] = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "enable.partition.eof": True,
    "auto.offset.reset": "error",
    # Little is read at a time, and rarely: it need not hold much.
    "queued.max.messages.kbytes": 4096,
    "queued.min.messages": 500,
}
# What belongs to membership of a group.
_MEMBERSHIP: Final = ("group.instance.id", "group.protocol", "partition.assignment.strategy", "session.timeout.ms")


class KafkaArchive:
    """Only one thread calls it. `config` is a consumer's; its group is named in the brokers' logs and nowhere else."""

    def __init__(self, config: Mapping[str, object]) -> None:
        plain = {name: value for name, value in config.items() if name not in _MEMBERSHIP}
        self._consumer = Consumer({**plain, **_OURS}, logger=logging.getLogger("librdkafka"))

    def fetch(self, places: Iterable[Place], timeout: float) -> Mapping[Place, Record | None]:
        """Return the records at `places`, None for one that is not there any more; the rest was not reached in time."""
        deadline = time.monotonic() + timeout
        wanted: dict[Partition, list[int]] = {}
        for topic, partition, offset in sorted(set(places)):
            wanted.setdefault((topic, partition), []).append(offset)
        found: dict[Place, Record | None] = {}
        for name, offsets in wanted.items():
            left = offsets
            try:
                while left and time.monotonic() < deadline:
                    left = self._read(name, left, found, deadline)
            except KafkaException:
                # Kafka does not answer, or knows no such topic now: whoever asked asks again.
                continue
        self._consumer.unassign()
        return found

    def close(self) -> None:
        """Let go of the connection."""
        self._consumer.close()

    def _read(
        self, name: Partition, offsets: list[int], found: dict[Place, Record | None], deadline: float
    ) -> list[int]:
        """Read one partition from the first to the last of `offsets`, which ascend; return what is to be asked anew."""
        place = TopicPartition(*name)
        first, end = self._consumer.get_watermark_offsets(place, timeout=max(0.001, deadline - time.monotonic()))
        found.update(((*name, offset), None) for offset in offsets if offset < first)
        # What lies beyond the end was there once, and is to be waited for.
        left = [offset for offset in offsets if first <= offset < end]
        position = None
        while left and time.monotonic() < deadline:
            if position is None or left[0] > position + GAP:
                position = left[0]
                self._consumer.assign([TopicPartition(*name, position)])
            message = self._consumer.poll(_TURN_SECONDS)
            if message is None:
                continue
            reached = _reached(message)
            if reached is None:
                # Retention took the place while it was read.
                return left
            # What was passed over is not there: compaction, or a transaction that was aborted.
            while left and left[0] < reached:
                found[*name, left.pop(0)] = None
            position = reached
            if message.error() is None and left and left[0] == reached:
                found[*name, left.pop(0)] = as_record(message)
                position = reached + 1
        return []


def _reached(message: Message) -> int | None:
    """Return the offset up to which nothing was passed over unseen, or None if that place is gone.

    At the end of what may be read that is the end: beyond it a transaction may still be open.
    Raises KafkaException for an error.
    """
    error = message.error()
    if error is None or error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's own begin so
        offset = message.offset()
        if offset is None:
            raise SourceBroken("a message without a position: this is not a consumed one")
        return offset
    if error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001 - see above
        return None
    raise KafkaException(error)
