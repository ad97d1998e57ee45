"""A record that is to be delivered once more: the original, byte for byte, on the replay topic.

Its headers say whom it is for (`__capi.destinations`, names with commas) and where it was in its first life, under the
names that dead letters use. So its kind is known, and a second burial keeps the coordinates of the first life.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from pipeline.core.ledger import Page
from pipeline.core.letter import ADDRESSEES, PREFIX, origin_headers, their_headers
from pipeline.core.model import Record, Refusal
from pipeline.core.ports import Posting
from pipeline.core.reason import Reason

# Longer lists are nobody's.
MOST_BYTES: Final = 16 * 1024


@dataclass(slots=True, eq=False)
class Replay:
    """What is to be published for another delivery to `destinations`; `page` as that of a dead letter."""

    record: Record
    page: Page
    destinations: Sequence[str]


class Address(NamedTuple):
    """Whom a replayed record is for, and the topic of its first life."""

    destinations: frozenset[str]
    topic: str


@dataclass(frozen=True, slots=True)
class ReplayTopic:
    """The topic of replays, and the topics that they may come from: those that say what kind of event it is."""

    name: str
    sources: Collection[str]

    def address(self, record: Record) -> Address | Refusal | None:
        """Return what a replay says of itself or why it cannot be delivered; None for records of other topics."""
        if record.topic != self.name:
            return None
        address = address_of(record)
        if isinstance(address, Address) and address.topic not in self.sources:
            return Refusal(Reason.MISADDRESSED, "the replay comes from a topic that this worker does not read")
        return address


def replay_posting(replay: Replay) -> Posting:
    """Return how a record is written to the replay topic: as it was, with the headers that say what it is."""
    record = replay.record
    names = (ADDRESSEES, ",".join(replay.destinations).encode())
    return Posting(record.key, record.value, [*their_headers(record.headers), *origin_headers(record).items(), names])


def address_of(record: Record) -> Address | Refusal:
    """Return what a record of the replay topic says of itself, or why it cannot be delivered. Total."""
    headers = dict(record.headers)
    try:
        listed = _text(headers.get(ADDRESSEES))
        topic = _text(headers.get(f"{PREFIX}topic"))
    except UnicodeDecodeError:
        return Refusal(Reason.MISADDRESSED, "a header of the replay is not UTF-8")
    names = frozenset(name.strip() for name in listed.split(",") if name.strip())
    if not names:
        return Refusal(Reason.MISADDRESSED, f"the header {ADDRESSEES} names no destination")
    if not topic:
        return Refusal(Reason.MISADDRESSED, f"the header {PREFIX}topic does not say where the record was first")
    return Address(names, topic)


def _text(value: bytes | None) -> str:
    return "" if value is None or len(value) > MOST_BYTES else value.decode()
