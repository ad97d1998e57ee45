"""A receipt: what a platform gave for a batch that it judges later, and whose records were in that batch.

It is a record of a Kafka topic of its own, under the key of the receipt's id, and holds coordinates instead of events:
no customer data. `null` under the same key says that the receipt needs no more following.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import orjson

from pipeline.core.model import Delivery
from pipeline.core.ports import Posting

# An id that takes more room is left out: it is for people, and 2000 of them have to fit into a record of Kafka's.
MOST_ID_BYTES: Final = 100
_VERSION: Final = 1
_STRANGE: Final = "no receipt of ours"


class Sent(NamedTuple):
    """One event of a batch: where its record is, and its id (empty if that is too long to keep)."""

    topic: str
    partition: int
    offset: int
    event_id: str


class Receipt(NamedTuple):
    """One accepted batch: its events in the order of the request.

    `group` is the consumer group of the worker that sent it, `sent_at` Unix seconds.
    """

    destination: str
    id: str
    sent_at: float
    group: str
    events: tuple[Sent, ...]


class Head(NamedTuple):
    """As `Receipt`, with the number of its events instead of them."""

    destination: str
    id: str
    sent_at: float
    group: str
    events: int


def receipt_of(deliveries: Sequence[Delivery], *, id_: str, sent_at: float, group: str) -> Receipt:
    """Return the receipt with the id `id_` for a batch of one destination."""
    events = tuple(
        Sent(item.record.topic, item.record.partition, item.record.offset, _short(item.event_id)) for item in deliveries
    )
    return Receipt(deliveries[0].destination, id_, sent_at, group, events)


def receipt_posting(receipt: Receipt) -> Posting:
    """Return how `receipt` is written to its topic. Topics are numbered, for 2000 events to take little room."""
    topics = {topic: number for number, topic in enumerate(dict.fromkeys(event.topic for event in receipt.events))}
    body = {
        "version": _VERSION,
        "destination": receipt.destination,
        "id": receipt.id,
        "sent_at": receipt.sent_at,
        "group": receipt.group,
        "topics": list(topics),
        "events": [[topics[topic], partition, offset, name] for topic, partition, offset, name in receipt.events],
    }
    return Posting(receipt.id.encode(), orjson.dumps(body), ())


def read_head(value: bytes) -> Head | str:
    """Return what the receipt in `value` is about, or what is wrong with it; its events are only counted. Total."""
    found = _parsed(value)
    return found if isinstance(found, str) else found[0]


def read_receipt(value: bytes) -> Receipt | str:
    """Return the receipt that is written in `value`, or what is wrong with it. Total, and never repeats the bytes."""
    found = _parsed(value)
    if isinstance(found, str):
        return found
    head, topics, rows = found
    try:
        events = tuple(
            Sent(topics[_number(topic)], _number(partition), _number(offset), _text(name))
            for topic, partition, offset, name in rows
        )
    except (IndexError, TypeError, ValueError):
        return _STRANGE
    return Receipt(head.destination, head.id, head.sent_at, head.group, events)


def _parsed(value: bytes) -> tuple[Head, list[str], list[Any]] | str:
    try:
        body = orjson.loads(value)
        if body["version"] != _VERSION:
            return "a version that this worker does not know"
        topics = [_text(topic) for topic in body["topics"]]
        rows, sent_at = body["events"], body["sent_at"]
        if type(sent_at) not in {int, float} or type(rows) is not list or not rows:
            return _STRANGE
        head = Head(_text(body["destination"]), _text(body["id"]), float(sent_at), _text(body["group"]), len(rows))
    except orjson.JSONDecodeError:
        return "no JSON"
    except (KeyError, IndexError, TypeError, ValueError, OverflowError):
        return _STRANGE
    return head, topics, rows


def _short(event_id: str) -> str:
    if len(event_id) < MOST_ID_BYTES // 2 and event_id.isascii() and event_id.isprintable():
        # Two bytes a character at most: the usual case, once per event.
        return event_id
    try:
        return event_id if len(orjson.dumps(event_id)) <= MOST_ID_BYTES else ""
    except orjson.JSONEncodeError:
        # A lone surrogate: it cannot be written.
        return ""


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _number(value: object) -> int:
    if type(value) is not int or value < 0:
        raise TypeError
    return value
