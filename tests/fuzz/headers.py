"""Record headers: what Kafka hands out, what it says of a schema, and the headers that a dead letter gets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from avro_events import READERS
from confluent_kafka import Message
from draws import Draws
from promises import promise, tells_nothing

from pipeline.core.decode import decode
from pipeline.core.ledger import Page
from pipeline.core.letter import MOST_BYTES, PREFIX, Undertaker, letter_headers
from pipeline.core.model import DeadLetter, Headers, Record, Refusal, Skipped
from pipeline.core.ports import SourceBroken
from pipeline.core.reason import Reason
from pipeline.core.wire import VALUE_HEADER, lookup, payload_start, schema_ref
from pipeline.edge.kafka_record import as_record

US: Final = Undertaker("capi.meta", "1.2.3")
_NOW: Final = 1_763_712_000.0
_OURS: Final = "topic partition offset original.timestamp replay.count message reason event.id".split()
_NAMES: Final = (VALUE_HEADER, VALUE_HEADER.upper(), "trace", "", PREFIX, *(PREFIX + name for name in _OURS))
_REASONS: Final = tuple(Reason)


def headers(data: bytes) -> None:
    """Take any message the whole way to its grave, twice: its position is kept, and our headers are as documented."""
    draws = Draws(data)
    given = _headers(draws)
    record = _record(draws, given)
    if record is None:
        return
    _names_schema(record)
    letter = _letter(draws, record)
    once = letter_headers(letter, undertaker=US, now=_NOW)
    _documented(letter, once)
    again = Record(record.topic, 0, 9, record.key, record.value, once, record.timestamp_ms)
    twice = letter_headers(
        DeadLetter(again, letter.page, None, None, letter.refusal), undertaker=US, now=_NOW + draws.whole(2**32)
    )
    _documented(letter, twice)
    promise(_first_life(once) == _first_life(twice), "the second burial forgot where the record came from")


def _headers(draws: Draws) -> Headers:
    given: list[tuple[str, bytes | None]] = []
    for _ in range(draws.whole(6)):
        name = draws.text() if draws.chance(4) else draws.pick(_NAMES)
        given.append((name, _content(draws)))
    return given


def _content(draws: Draws) -> bytes | None:
    match draws.whole(7):
        case 0:
            return None
        case 1:
            return b"\x00" + draws.chunk(4)
        case 2:
            return b"\x01" + draws.chunk(16)
        case 3:
            return draws.blob() * 12
        case _:
            return draws.blob()


def _record(draws: Draws, given: Headers) -> Record | None:
    """Return the record of a message as Kafka's client hands it out, or None for one without a position."""
    key, value = _content(draws), _content(draws)
    timestamp = (draws.whole(2), draws.integer(8))
    position = {"topic": draws.text(), "partition": draws.whole(2**31 - 1), "offset": draws.whole(2**63 - 1)}
    if draws.chance(16):
        del position[draws.pick(tuple(position))]
    message = Message(**position, key=key, value=value, headers=[*given], timestamp=timestamp)
    try:
        record = as_record(message)
    except SourceBroken:
        promise(len(position) < 3, "a message with a position was refused")
        return None
    promise((record.key, record.value) == (key, value), "key or value changed")
    promise([*record.headers] == [*given], "the headers changed")
    promise(record.timestamp_ms == (timestamp[1] if timestamp[0] else None), "the timestamp changed")
    return record


def _names_schema(record: Record) -> None:
    ref = schema_ref(record)
    if ref is None:
        return
    key, start = lookup(ref), payload_start(ref)
    if isinstance(ref, int):
        promise(key == ref and 0 <= ref < 2**32 and start == 5, "a prefix is read wrong")
        return
    promise((VALUE_HEADER, ref) in record.headers and start == 0, "a header is read wrong")
    promise(isinstance(key, int) or str(UUID(key)) == key, "a GUID is read wrong")


def _letter(draws: Draws, record: Record) -> DeadLetter:
    """Return a letter for what the decoder says of the record, or for what a platform may have said."""
    page = Page("orders", 0, 1)
    read = decode(record, READERS["order"])
    if isinstance(read, Refusal) and draws.chance(2):
        tells_nothing(read.detail, (record.value or b"") + b"\0" + (record.key or b""))
        return DeadLetter(record, page, None, None, read)
    promise(not isinstance(read, Skipped) or record.value is None, "an event was skipped")
    refusal = Refusal(
        draws.pick(_REASONS),
        draws.text() * (1 + draws.whole(20)),
        code=draws.text(),
        subcode=draws.text(),
        http_status=draws.pick((None, 400, draws.whole(2**31))),
        trace_id=draws.text() * 9,
    )
    failed = draws.pick((None, 0.0, _NOW, float(draws.whole(2**33))))
    return DeadLetter(
        record, page, "meta-main", "meta", refusal, draws.text() * 9, draws.text(), draws.whole(9), failed
    )


def _documented(letter: DeadLetter, written: Sequence[tuple[str, bytes | None]]) -> None:
    theirs = [one for one in letter.record.headers if not one[0].startswith(PREFIX)]
    promise(theirs == [*written[: len(theirs)]], "the producer's headers changed")
    ours = written[len(theirs) :]
    promise(len({name for name, _ in ours}) == len(ours), "a header of ours is there twice")
    for name, content in ours:
        promise(name.startswith(PREFIX), "a header of ours without its prefix")
        promise(content, f"{name} is empty")
        promise(content is not None and len(content) <= MOST_BYTES, f"{name} is too long")
        promise(content is not None and _is_text(content), f"{name} is not UTF-8")


def _is_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _first_life(written: Sequence[tuple[str, bytes | None]]) -> dict[str, bytes | None]:
    names = [PREFIX + name for name in ("topic", "partition", "offset", "original.timestamp")]
    return {name: content for name, content in written if name in names}
