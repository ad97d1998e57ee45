"""A dead letter: the original record byte for byte, and headers that say why, where and when.

Key, value and the producer's headers are never touched, so that a replay is exact.
Ours are added under the names of Apache's KIP-1191 (`__dlq.errors.*`, for topic, partition, offset, group,
message and delivery count) and more of ours under the same prefix.
They replace those of an earlier burial instead of growing with each one; the coordinates stay those of the record's
first life, and none of them ever holds customer data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from pipeline.core.model import DeadLetter, Headers, Record

PREFIX = "__dlq.errors."
# Whom a replayed record is for: see `core.replay`.
ADDRESSEES = "__capi.destinations"
# KIP-298 learned it: error headers must not make the record too large for the topic.
MOST_BYTES = 1024
_ORIGIN = ("topic", "partition", "offset", "original.timestamp")
_KEPT = frozenset(PREFIX + name for name in (*_ORIGIN, "replay.count", "replay.run"))


@dataclass(frozen=True, slots=True)
class Undertaker:
    """Who buries: the consumer group and the version of the worker."""

    group: str
    version: str


def letter_headers(letter: DeadLetter, *, undertaker: Undertaker, now: float) -> list[tuple[str, bytes | None]]:
    """Return the headers of `letter`: the producer's own first, then ours in a fixed order."""
    record, refusal = letter.record, letter.refusal
    ours = {
        "group": undertaker.group,
        "message": refusal.detail,
        "delivery.count": str(letter.attempts),
        "reason": refusal.reason,
        "platform": letter.platform or "",
        "destination": letter.destination or "",
        "code": refusal.code,
        "subcode": refusal.subcode,
        "http.status": "" if refusal.http_status is None else str(refusal.http_status),
        "trace.id": refusal.trace_id,
        "event.id": letter.event_id or "",
        "schema.id": letter.schema_id or "",
        "first.failed.at": _iso(letter.first_failed_at or now),
        "failed.at": _iso(now),
        "app.version": undertaker.version,
    }
    encoded = _encoded(_place(record)) | _encoded(ours) | _earlier(record)
    return [*their_headers(record.headers), *encoded.items()]


def origin_headers(record: Record) -> dict[str, bytes | None]:
    """Return the headers that say where `record` was in its first life: what it says of itself, else where it is."""
    return _encoded(_place(record)) | _earlier(record)


def their_headers(headers: Headers) -> list[tuple[str, bytes | None]]:
    """Return the producer's own headers, in their order: all but ours."""
    return [(name, value) for name, value in headers if not name.startswith(PREFIX) and name != ADDRESSEES]


def _place(record: Record) -> dict[str, str]:
    return {
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "original.timestamp": "" if record.timestamp_ms is None else str(record.timestamp_ms),
    }


def _earlier(record: Record) -> dict[str, bytes | None]:
    return {name: value for name, value in record.headers if name in _KEPT and _as_ours(value)}


def _encoded(texts: Mapping[str, str]) -> dict[str, bytes | None]:
    return {PREFIX + name: _short(text) for name, text in texts.items() if text}


def _as_ours(value: bytes | None) -> bool:
    """Say whether an undertaker could have written `value`: a producer may use our names for anything."""
    return value is not None and 0 < len(value) <= MOST_BYTES and _is_utf8(value)


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _short(text: str) -> bytes:
    return text.encode()[:MOST_BYTES].decode(errors="ignore").encode()


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
