"""The topics that the worker needs: what is there, what should be, and the difference.

Invariants: nothing that exists is changed, and nothing is deleted; applying twice is applying once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from typing_extensions import override

from pipeline.config.settings import Settings
from pipeline.edge.admin import Admin, Topic

# A dead letter is its record and up to 20 headers of at most 1 KiB.
HEADROOM_BYTES: Final = 64 * 1024
# Kafka's own default, when a source does not exist yet.
DEFAULT_BYTES: Final = 1_048_588
# A receipt of 2000 events with the longest ids that are kept.
RECEIPT_BYTES: Final = 512 * 1024
# Time to find, mend and replay: twice as long as Meta and Pinterest take an event; others take older ones (28 to 90
# days), which is a matter of a topic's settings.
RETENTION_MS: Final = 14 * 24 * 3600 * 1000
DEVELOPMENT_PARTITIONS: Final = 6

# Receipts are short, and needed for some days. They are kept by time: an empty record does not remove one at once.
RECEIPT_CONFIG: Final[Mapping[str, str]] = {
    "cleanup.policy": "delete",
    "retention.ms": str(RETENTION_MS),
    "retention.bytes": "-1",
    "message.timestamp.type": "LogAppendTime",
    "max.message.bytes": str(DEFAULT_BYTES),
}

Configs = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Creation:
    """A topic that is to be created; `replicas` -1 leaves it to the broker."""

    name: str
    partitions: int
    replicas: int
    config: Mapping[str, str]

    @override
    def __str__(self) -> str:
        replicas = "the broker's default" if self.replicas < 0 else str(self.replicas)
        config = ", ".join(f"{name}={value}" for name, value in self.config.items()) or "the broker's configuration"
        return f"create {self.name}: {self.partitions} partitions, replicas: {replicas}, {config}"


@dataclass(frozen=True, slots=True)
class Wrong:
    """Something about a topic that does not do, and what to do."""

    topic: str
    problem: str
    fix: str


def plan(settings: Settings, topics: Mapping[str, Topic], configs: Configs, *, sources: bool) -> list[Creation]:
    """Return what has to be created; source topics only when `sources` asks for them (for development)."""
    missing = [name for name in settings.source_topics if name not in topics] if sources else []
    creations = [Creation(name, DEVELOPMENT_PARTITIONS, -1, {}) for name in missing]
    if settings.dead_letters.topic not in topics:
        there = [topics[name] for name in settings.source_topics if name in topics]
        widths = [topic.partitions for topic in there] + [creation.partitions for creation in creations]
        creations.append(
            Creation(
                settings.dead_letters.topic,
                max(widths, default=DEVELOPMENT_PARTITIONS),
                max((topic.replicas for topic in there), default=-1),
                dead_letter_config(_widest_record(settings, configs)),
            )
        )
    creations += _of_the_followed(settings, topics, configs, creations)
    return creations


def _of_the_followed(
    settings: Settings, topics: Mapping[str, Topic], configs: Configs, creations: list[Creation]
) -> Iterator[Creation]:
    """Give the topics for what is decided later: as wide and as replicated as the dead letters."""
    letters = topics.get(settings.dead_letters.topic) or Topic(creations[-1].partitions, creations[-1].replicas)
    for name, config in (
        (settings.receipts.topic, RECEIPT_CONFIG),
        (settings.replay.topic, dead_letter_config(_widest_record(settings, configs))),
    ):
        if name is not None and name not in topics:
            yield Creation(name, letters.partitions, letters.replicas, config)


def dead_letter_config(record_bytes: int) -> dict[str, str]:
    """Return the configuration of the dead-letter topic for source records of at most `record_bytes`."""
    return {
        # Compaction would drop all but the newest letter of a key.
        "cleanup.policy": "delete",
        "retention.ms": str(RETENTION_MS),
        "retention.bytes": "-1",
        # Retention counts from the burial: by the record's own time an old event would expire at once.
        "message.timestamp.type": "LogAppendTime",
        "max.message.bytes": str(record_bytes + HEADROOM_BYTES),
    }


def wrongs(settings: Settings, topics: Mapping[str, Topic], configs: Configs) -> Iterator[Wrong]:
    """Find what is missing or would lose records."""
    for name in settings.source_topics:
        if name not in topics:
            fix = "create it, or mend CAPI_SOURCE_TOPICS (for development: `capi-pipeline topics apply --all`)"
            yield Wrong(name, "does not exist, or this user may not describe it", fix)
        elif "compact" in configs.get(name, {}).get("cleanup.policy", ""):
            yield Wrong(name, "is compacted: of two events with one key only the last is kept", _set("cleanup.policy"))
    needed = _widest_record(settings, configs) + HEADROOM_BYTES
    for ours, bytes_needed, what in (
        (settings.dead_letters.topic, needed, "letters"),
        (settings.receipts.topic, RECEIPT_BYTES, "receipts"),
        (settings.replay.topic, needed, "replays"),
    ):
        if ours is not None:
            yield from _wrong_of_ours(ours, bytes_needed, what, topics, configs)


def _wrong_of_ours(name: str, needed: int, what: str, topics: Mapping[str, Topic], configs: Configs) -> Iterator[Wrong]:
    """Find what is wrong with a topic that the worker writes to."""
    if name not in topics:
        yield Wrong(name, "does not exist, or this user may not describe it", "run `capi-pipeline topics apply`")
        return
    config = configs.get(name, {})
    if "compact" in config.get("cleanup.policy", ""):
        yield Wrong(name, f"is compacted: of two {what} with one key only the last is kept", _set("cleanup.policy"))
    if int(config.get("max.message.bytes", needed)) < needed:
        problem = f"max.message.bytes is below {needed}: the largest record would not fit with its headers"
        yield Wrong(name, problem, f"set max.message.bytes={needed}")
    if 0 <= int(config.get("retention.ms", -1)) < RETENTION_MS:
        yield Wrong(name, f"keeps {what} for less than 14 days", f"set retention.ms={RETENTION_MS}")
    if config.get("message.timestamp.type", "LogAppendTime") != "LogAppendTime":
        problem = "counts retention from the record's own time: an old event would expire at once"
        yield Wrong(name, problem, "set message.timestamp.type=LogAppendTime")


def apply(admin: Admin, creations: list[Creation]) -> Iterator[tuple[Creation, bool]]:
    """Create topics one by one; with each comes whether it was created (False: somebody was faster).

    Raises `KafkaRefusedError` at the first that Kafka refuses.
    """
    for creation in creations:
        done = admin.create(
            creation.name, partitions=creation.partitions, replicas=creation.replicas, config=creation.config
        )
        yield creation, done


def names(settings: Settings) -> list[str]:
    """Return the topics that this worker reads or writes."""
    ours = (settings.dead_letters.topic, settings.receipts.topic, settings.replay.topic)
    return [*settings.source_topics, *(name for name in ours if name is not None)]


def _widest_record(settings: Settings, configs: Configs) -> int:
    limits = [int(configs.get(name, {}).get("max.message.bytes", DEFAULT_BYTES)) for name in settings.source_topics]
    return max(limits)


def _set(name: str) -> str:
    return f"set {name}=delete"
