"""Snapchat's request: its token, its envelope, its events, and who is who among them.

Invariant: an event's identity depends on its id and its asset only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from pipeline.sandbox.contract import Call, Failure, Sighting
from pipeline.sandbox.snapchat_event import APP

MAX_EVENTS = 2000
MAX_BYTES = 2 * 1024 * 1024  # another vendor's cap: Snapchat's own is not known
DEDUP_WINDOW_S = 48 * 3600.0

Event = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Batch:
    """The events of one request, not yet judged, and the code that marks them as test events."""

    data: Sequence[object] = field(repr=False)
    test_event_code: str | None = None


def token_of(call: Call) -> str | None:
    """Return the access token from the query or, without one there, from the Authorization header."""
    if "access_token" in call.query:
        return call.query["access_token"]
    scheme, _, bearer = call.headers.get("Authorization", "").partition(" ")
    return bearer.strip() if scheme.lower() == "bearer" else None


def batch_of(call: Call) -> Batch | Failure:
    """Return the 1..2000 events of a request, or why the request as a whole is refused."""
    if len(call.body) > MAX_BYTES:
        return Failure(413, message="The request body is too large.")
    document = _document(call)
    if not isinstance(document, dict):
        return Failure(400, message="The request body must be a JSON object, sent as application/json.")
    if not document.keys() <= {"data", "test_event_code"}:
        return Failure(400, message="The request body may hold data and test_event_code only.")
    data = document.get("data")
    if not isinstance(data, list) or not 1 <= len(data) <= MAX_EVENTS:
        return Failure(400, message=f"data must be a list of 1 to {MAX_EVENTS} events.")
    return _same_asset(data) or _marked(data, document)


def sighting(dataset: str, event: Event) -> Sighting:
    """Return what the journal keeps of a valid event. One without an id is never a duplicate."""
    payload = orjson.dumps(event)
    digest = hashlib.sha256(payload).hexdigest()
    event_id, event_time = event.get("event_id"), event["event_time"]
    key = identity(dataset, event)
    return Sighting(
        event_id if isinstance(event_id, str) else None,
        str(event["event_name"]),
        event_time if isinstance(event_time, int) else 0,
        digest,
        key or f"snapchat {dataset} {digest}",
        DEDUP_WINDOW_S if key else 0.0,
        payload,
    )


def identity(dataset: str, event: Event) -> str:
    """Return the key by which an event is known again: asset and event id; empty for an event without an id."""
    event_id = event.get("event_id")
    return f"snapchat {dataset} id {event_id}" if isinstance(event_id, str) else ""


def _document(call: Call) -> object:
    if not call.headers.get("Content-Type", "").lower().startswith("application/json"):
        return None
    try:
        document: object = orjson.loads(call.body)
    except orjson.JSONDecodeError:
        return None
    return document


def _same_asset(data: Sequence[object]) -> Failure | None:
    """App events go to a Snap App ID, all others to a pixel, so no request can hold both."""
    sources = {event.get("action_source") == APP for event in data if isinstance(event, dict)}
    if len(sources) > 1:
        return Failure(400, message="App events and other events belong to different assets.")
    return None


def _marked(data: Sequence[object], document: Mapping[str, object]) -> Batch | Failure:
    """Find the test event code, beside `data` or on every event."""
    if "test_event_code" in document:
        codes = [document["test_event_code"]]
    else:
        codes = [event.get("test_event_code") for event in data if isinstance(event, dict)]
    code = codes[0] if codes else None
    if any(other != code for other in codes):
        return Failure(400, message="test_event_code must be the same for all events of a request.")
    if code is None and "test_event_code" not in document:
        return Batch(data)
    if not isinstance(code, str) or not code.strip():
        return Failure(400, message="test_event_code must be a non-empty string.")
    return Batch(data, code)
