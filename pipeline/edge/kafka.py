"""The consumer: implements `ports.Source` over confluent-kafka. Every call comes from the owner thread.

Three traps shape this file, each with a test:
an exception that leaves a callback inside `consume` destroys the batch it was fetching, so callbacks never raise:
they keep the fault, and `take` raises it as `SourceBroken`, after which nothing more is committed;
the broker does not check who owns a partition, so a commit passes `store_offsets` first, which does;
the consumer's own offset reset would be a silent jump, so it is switched off and the first position is set here.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import orjson
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from pipeline.core.model import Record
from pipeline.core.pace import WHOLE, Share, slots_of
from pipeline.core.ports import CommitResult, Partition, Rebalance, SourceBroken, Teller
from pipeline.core.signals import FirstStart, KafkaTrouble, OffsetLost
from pipeline.edge.kafka_record import as_record

StartFrom = Literal["earliest", "latest"]
OnLostOffsets = Literal["fail", "earliest", "latest"]
Told = Callable[[Sequence[Partition], Share], None]

ANSWER_SECONDS = 20.0
# Counting partitions: how long one answer may take, and how soon to ask again when all is known or when not.
COUNT_SECONDS = 1.0
RECOUNT_SECONDS = 60.0
RETRY_SECONDS = 10.0
STATISTICS_MILLISECONDS = 1000
# What a commit answers when the partitions are somebody else's.
# ILLEGAL_GENERATION and UNKNOWN_MEMBER_ID are not among them: a commit that crosses a cooperative rebalance gets them
# for partitions that stay ours, and if they do not stay, the group says so by `_on_lost`. Trying again is right.
_FENCED = frozenset(
    {
        KafkaError.FENCED_INSTANCE_ID,
        KafkaError._STATE,  # noqa: SLF001 - librdkafka's local errors are named with an underscore
        KafkaError._FENCED,  # noqa: SLF001
    }
)
# Errors that a message list may carry and that say nothing lasting: the client reconnects by itself.
_PASSING = frozenset(
    {
        KafkaError._PARTITION_EOF,  # noqa: SLF001
        KafkaError._TRANSPORT,  # noqa: SLF001
        KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001
        KafkaError._TIMED_OUT,  # noqa: SLF001
        KafkaError._MAX_POLL_EXCEEDED,  # noqa: SLF001
        KafkaError._RESOLVE,  # noqa: SLF001
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001
    }
)


class KafkaSource:
    """A member of the consumer group, subscribed to `topics`."""

    def __init__(
        self,
        config: Mapping[str, object],
        topics: Sequence[str],
        *,
        start_from: StartFrom = "earliest",
        on_lost_offsets: OnLostOffsets = "fail",
        teller: Teller,
    ) -> None:
        self._topics = list(topics)
        self._start_from = start_from
        self._on_lost_offsets = on_lost_offsets
        self._teller = teller
        self._rebalance: Rebalance | None = None
        self._fault: BaseException | None = None
        self._paused = False
        # Of the commit under way, what did not pass the local fence: told together with the answer, which ends it.
        self._refused: list[CommitResult] = []
        self._owned: dict[Partition, None] = {}
        # How many partitions each topic has, whoever owns them; counted anew after every assignment.
        self._counts: Mapping[str, int] = {}
        self._slots: Sequence[int] = ()
        self._uncounted = False
        self._count_at = math.inf
        # Told that it is a member though it owns nothing.
        self._spare = False
        callbacks: dict[str, object] = {"on_commit": self._on_commit, "error_cb": self._on_error}
        if config.get("group.protocol") == "consumer":
            callbacks |= {"stats_cb": self._on_stats, "statistics.interval.ms": STATISTICS_MILLISECONDS}
        # What librdkafka has to say goes through our log; it is served while the consumer is polled.
        self._consumer = Consumer({**config, **callbacks}, logger=logging.getLogger("librdkafka"))

    def open(self, rebalance: Rebalance) -> None:
        """Join the group and subscribe; `rebalance` hears of assignments from inside `take`."""
        self._rebalance = rebalance
        self._consumer.subscribe(
            self._topics, on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )

    def take(self, most: int, timeout: float) -> list[Record]:
        """Return up to `most` records within `timeout` seconds. Raises SourceBroken on any surprise."""
        try:
            messages = self._consumer.consume(most, timeout)
        except (KafkaException, RuntimeError) as error:
            raise SourceBroken(f"the consumer broke: {error}") from error
        if self._fault is not None:
            # Only Kafka's own words are shown: those of any other error may quote an event.
            known = isinstance(self._fault, KafkaException | SourceBroken)
            raise SourceBroken(
                f"a callback failed: {self._fault if known else type(self._fault).__name__}"
            ) from self._fault
        if self._uncounted or time.monotonic() >= self._count_at:
            self._count_partitions()
        return [record for message in messages if (record := self._record(message)) is not None]

    def pause(self) -> None:
        """Fetch nothing until `resume`, from partitions of now and of later."""
        self._paused = True
        self._consumer.pause(_unplaced(self._owned))

    def resume(self) -> None:
        """Fetch again, from where `take` stopped."""
        self._paused = False
        self._consumer.resume(_unplaced(self._owned))

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Store offsets without waiting; the result reaches `Rebalance.committed` from inside `take`."""
        placed, self._refused = self._store(offsets)
        if placed:
            try:
                self._consumer.commit(offsets=placed, asynchronous=True)
            except KafkaException as error:
                self._refused += [_result(place, error.args[0]) for place in placed]
            else:
                return
        self._hear().committed(self._refused)

    def commit_now(self, offsets: Mapping[Partition, int]) -> Sequence[CommitResult]:
        """Store offsets and wait; with all brokers gone that can take as long as the session timeout."""
        placed, refused = self._store(offsets)
        if not placed:
            return refused
        try:
            answered = self._consumer.commit(offsets=placed, asynchronous=False)
        except KafkaException as error:
            return [*refused, *(_result(place, error.args[0]) for place in placed)]
        return [*refused, *(_result(place, place.error) for place in answered or ())]

    def lag(self, watermarks: Mapping[Partition, int]) -> Mapping[Partition, int]:
        """Return how many records lie behind each watermark, by what the last fetch said of the partition's end."""
        lags = {}
        for (topic, partition), watermark in watermarks.items():
            _, end = self._consumer.get_watermark_offsets(TopicPartition(topic, partition), cached=True)
            if end >= 0:
                lags[topic, partition] = max(0, end - watermark)
        return lags

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close()

    # -- records and errors ----------------------------------------------------------------------------------------

    def _record(self, message: Message) -> Record | None:
        error = message.error()
        if error is None:
            return as_record(message)
        if error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001
            self._offsets_lost(message, error)
        elif error.fatal() or error.code() not in _PASSING:
            raise SourceBroken(f"Kafka says: {error.str()} ({error.name()})")
        else:
            self._teller.tell(KafkaTrouble(error.name(), error.str(), fatal=error.fatal()))
        return None

    def _offsets_lost(self, message: Message, error: KafkaError) -> None:
        """Kafka no longer has the records after the committed offset: never jump without being told to."""
        topic, partition = message.topic(), message.partition()
        if topic is None or partition is None:
            raise SourceBroken(f"Kafka says without a place: {error.str()}")
        place = TopicPartition(topic, partition)
        first, end = self._consumer.get_watermark_offsets(place, timeout=ANSWER_SECONDS)
        committed = self._consumer.committed([place], timeout=ANSWER_SECONDS)[0].offset
        resumed = {"fail": None, "earliest": first, "latest": end}[self._on_lost_offsets]
        self._teller.tell(OffsetLost(topic, partition, committed, first, resumed))
        if resumed is None:
            raise SourceBroken(
                f"the committed offset {committed} of {topic}[{partition}] is gone, Kafka starts at {first}: "
                "records expired before they were delivered. To go on from what is there, set "
                "CAPI_INTAKE_ON_LOST_OFFSETS=earliest (or latest) for one start; see the runbook"
            )
        # A partition that was reset has stopped fetching and refuses `seek`: it is begun anew.
        self._consumer.incremental_unassign([place])
        place.offset = resumed
        self._consumer.incremental_assign([place])
        if self._paused:
            self._consumer.pause([place])

    def _on_stats(self, statistics: str) -> None:
        """Tell a spare that it is a member: with KIP-848 nobody hears of an assignment that stays empty."""
        try:
            up = orjson.loads(statistics).get("cgrp", {}).get("state") == "up"
            if up and not self._owned and not self._spare:
                self._spare = True
                self._hear().assigned((), self._share)
        except Exception as failure:  # noqa: BLE001 - see the module's first trap
            self._fault = self._fault or failure

    def _on_error(self, error: KafkaError) -> None:
        try:
            self._teller.tell(KafkaTrouble(error.name(), error.str(), fatal=error.fatal()))
        except Exception as failure:  # noqa: BLE001 - see the module's first trap
            self._fault = self._fault or failure

    # -- rebalances: nothing may be raised from here ---------------------------------------------------------------

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        try:
            placed = self._starting_points(consumer, partitions)
            self._uncounted = True
            self._owned.update(dict.fromkeys(_names(partitions)))
            self._hear().assigned(_names(partitions), self._share)
            consumer.incremental_assign(placed)
            if self._paused:
                consumer.pause(placed)
        except Exception as error:  # noqa: BLE001 - see the module's first trap
            self._fault = self._fault or error

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._let_go(consumer, partitions, lambda rebalance: rebalance.revoked)

    def _on_lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._let_go(consumer, partitions, lambda rebalance: rebalance.lost)

    def _let_go(self, consumer: Consumer, partitions: list[TopicPartition], how: Callable[[Rebalance], Told]) -> None:
        try:
            self._spare = False
            for name in _names(partitions):
                self._owned.pop(name, None)
            how(self._hear())(_names(partitions), self._share)
            consumer.incremental_unassign(partitions)
        except Exception as error:  # noqa: BLE001 - see the module's first trap
            self._fault = self._fault or error

    def _on_commit(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        try:
            refused, self._refused = self._refused, []
            self._hear().committed([*refused, *(_result(place, place.error or error) for place in partitions)])
        except Exception as failure:  # noqa: BLE001 - see the module's first trap
            self._fault = self._fault or failure

    def _starting_points(self, consumer: Consumer, partitions: list[TopicPartition]) -> list[TopicPartition]:
        """Return the committed positions; where nothing was ever committed, the configured first position.

        `latest` is resolved to a number and committed at once, so that a crash before the first record moves nothing.
        """
        committed = consumer.committed(partitions, timeout=ANSWER_SECONDS) if partitions else []
        for place in committed:
            if place.error is not None:
                raise KafkaException(place.error)
        new = [place for place in committed if place.offset < 0]
        for place in new:
            if self._start_from == "earliest":
                place.offset = OFFSET_BEGINNING
            else:
                _, place.offset = consumer.get_watermark_offsets(place, timeout=ANSWER_SECONDS)
        if new:
            self._teller.tell(FirstStart(tuple(_names(new)), self._start_from))
            if self._start_from == "latest":
                consumer.commit(offsets=new, asynchronous=False)
        return committed

    def _count_partitions(self) -> None:
        """Ask how many partitions the topics have, and tell the share that follows. After an assignment, and then
        once a minute: a topic may grow, and with KIP-848 only those hear of it who gain something.

        From inside a callback `list_topics` would take away the state that the client's next callback needs, and the
        process would abort (confluent-kafka 2.16: "CallState_get: Assertion `cs != NULL' failed").
        """
        counts = {name: self._counts.get(name, 0) for name in self._topics}
        known = True
        for name in self._topics:
            try:
                found = self._consumer.list_topics(name, timeout=COUNT_SECONDS).topics[name]
            except KafkaException:
                known = False
                continue
            known = known and found.error is None
            counts[name] = max(counts[name], len(found.partitions))
        for topic, partition in self._owned:
            # A broker may not have heard yet of what was assigned to us.
            known = known and partition < counts[topic]
            counts[topic] = max(counts[topic], partition + 1)
        self._count_at = time.monotonic() + (RECOUNT_SECONDS if known else RETRY_SECONDS)
        if counts != self._counts or self._uncounted:
            self._counts, self._uncounted = counts, False
            self._slots = slots_of(sum(counts.values()))
            self._hear().assigned((), self._share)

    @property
    def _share(self) -> Share:
        """Which slots are ours: those of our partitions among all that there are; all slots until they are counted.

        Partitions are numbered through, topics in an order that all replicas have in common.
        """
        if not self._slots:
            return WHOLE
        ours: list[int] = []
        before = 0
        for topic in sorted(self._counts):
            count = self._counts[topic]
            ours += [self._slots[before + number] for number in range(count) if (topic, number) in self._owned]
            before += count
        return Share(tuple(sorted(ours)), before)

    def _store(self, offsets: Mapping[Partition, int]) -> tuple[list[TopicPartition], list[CommitResult]]:
        """Pass offsets by the local fence: `store_offsets` refuses what is not assigned to us."""
        placed, refused = [], []
        for (topic, partition), offset in offsets.items():
            place = TopicPartition(topic, partition, offset)
            try:
                self._consumer.store_offsets(offsets=[place])
            except KafkaException as error:
                refused.append(_result(place, error.args[0]))
            else:
                placed.append(place)
        return placed, refused

    def _hear(self) -> Rebalance:
        if self._rebalance is None:
            raise RuntimeError("the source was not opened")
        return self._rebalance


def _names(partitions: Sequence[TopicPartition]) -> list[Partition]:
    return [(place.topic, place.partition) for place in partitions]


def _unplaced(partitions: Mapping[Partition, None]) -> list[TopicPartition]:
    return [TopicPartition(topic, partition) for topic, partition in partitions]


def _result(place: TopicPartition, error: KafkaError | None) -> CommitResult:
    name = (place.topic, place.partition)
    if error is None:
        return CommitResult(name, place.offset)
    return CommitResult(name, place.offset, error.name(), fenced=error.code() in _FENCED)
