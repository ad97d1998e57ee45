"""TikTok's request: its envelope, and who is who among its events.

Invariant: an event's identity depends on its own content and its event source's id only.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from pipeline.sandbox.contract import Call, Sighting
from pipeline.sandbox.tiktok_flaw import INVALID_BATCH_SIZE, INVALID_PARTNER_NAME, Flaw
from pipeline.sandbox.tiktok_value import Check, fields, one_of, shape, text

MAX_EVENTS = 1000
MAX_BODY_BYTES = 1024 * 1024  # our assumption: TikTok names no limit
DEDUP_WINDOW_S = 48 * 3600.0

Event = Mapping[str, object]

_PIXEL_CODE = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9]+").fullmatch
_DIGITS = re.compile(r"[0-9]+").fullmatch
_ID_OF: Mapping[str, Check] = {
    "web": shape(_PIXEL_CODE, "a Pixel code"),
    "offline": shape(_DIGITS, "an offline event set id"),
    "crm": shape(_DIGITS, "a CRM event set id"),
    "app": shape(_DIGITS, "a TikTok App ID"),
}


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a request says about all of its events, and the events as they came."""

    source: str
    source_id: str
    test_event_code: str | None
    data: Sequence[object] = field(repr=False)


def _partner(_: object) -> Flaw | None:
    return Flaw("not a registered partner", INVALID_PARTNER_NAME)


def _batch(value: object) -> Flaw | None:
    if type(value) is not list:
        return Flaw("not a valid list")
    return None if 1 <= len(value) <= MAX_EVENTS else Flaw(f"not 1 to {MAX_EVENTS} events", INVALID_BATCH_SIZE)


_fields = fields(
    {
        "event_source": one_of(_ID_OF),
        "event_source_id": text,
        "partner_name": _partner,
        "test_event_code": text,
        "data": _batch,
    },
    required=("event_source", "event_source_id", "data"),
)


def envelope(call: Call) -> Envelope | Flaw:
    """Return the envelope of a call, or the first thing wrong with it."""
    if call.headers.get("Content-Type", "").partition(";")[0].strip().lower() != "application/json":
        return Flaw("not application/json", place=("Content-Type",))
    if len(call.body) > MAX_BODY_BYTES:
        return Flaw(f"more than {MAX_BODY_BYTES} bytes", INVALID_BATCH_SIZE, ("body",))
    try:
        document = orjson.loads(call.body)
    except orjson.JSONDecodeError:
        return Flaw("not valid JSON", place=("body",))
    flaw = _fields(document)
    if flaw is not None:
        return flaw if flaw.place else flaw.within("body")
    flaw = _ID_OF[document["event_source"]](document["event_source_id"])
    if flaw is not None:
        return flaw.within("event_source_id")
    return Envelope(
        document["event_source"], document["event_source_id"], document.get("test_event_code"), document["data"]
    )


def sighting(source_id: str, event: Event) -> Sighting:
    """Return what the journal keeps of a valid event; without an id it is a duplicate of none."""
    payload = orjson.dumps(event)
    digest = hashlib.sha256(payload).hexdigest()
    event_id, event_time = event.get("event_id"), event["event_time"]
    key = identity(source_id, event)
    return Sighting(
        event_id if isinstance(event_id, str) else None,
        str(event["event"]),
        event_time if isinstance(event_time, int) else 0,
        digest,
        key or f"tiktok {source_id} {digest}",
        DEDUP_WINDOW_S if key else 0.0,
        payload,
    )


def identity(source_id: str, event: Event) -> str:
    """Return the key by which an event is known again: event source id, name and id; empty without them."""
    name, event_id = event.get("event"), event.get("event_id")
    if not isinstance(name, str) or not isinstance(event_id, str):
        return ""
    return "tiktok " + orjson.dumps((source_id, name, event_id)).decode()
