"""Pinterest's request: its way in, its events, and who is who among them.

Invariant: an event's identity depends on its own content and its ad account only.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence

import orjson

from pipeline.sandbox.contract import Call, Failure, Sighting
from pipeline.sandbox.pinterest_reply import INVALID_REQUEST, METHOD_NOT_ALLOWED, NOT_FOUND
from pipeline.sandbox.pinterest_schema import check_envelope

VERSION = "v5"
DEDUP_WINDOW_S = 86_400.0
MAX_BODY_BYTES = 2 * 1024 * 1024  # our assumption: Pinterest names no limit

_ACCOUNT = re.compile(r"[0-9]{1,18}").fullmatch

Event = Mapping[str, object]


def misdirected(call: Call) -> Failure | None:
    """Return why a call's path, method or query leads nowhere, or None."""
    if call.path["version"] != VERSION:
        return Failure(NOT_FOUND)
    if call.method != "POST":
        return Failure(METHOD_NOT_ALLOWED)
    if not _ACCOUNT(call.path["dataset"]):
        return invalid("the ad account id must be 1 to 18 digits")
    if not call.query.keys() <= {"test"} or call.query.get("test", "true") not in ("true", "false"):
        return invalid("the only query parameter is test, true or false")
    return None


def invalid(reason: str) -> Failure:
    """Return the failure that refuses a whole request for what is wrong with it."""
    return Failure(INVALID_REQUEST, message=f"Invalid request: {reason}")


def token_of(call: Call) -> str | None:
    """Return the token from the Authorization header, the only place for it."""
    scheme, _, token = call.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme == "Bearer" else None


def is_test(call: Call) -> bool:
    """Say whether the events are to be checked and not recorded."""
    return call.query.get("test") == "true"


def events_of(call: Call) -> Sequence[object] | Failure:
    """Return the 1..1000 events of a JSON body that holds nothing else."""
    media_type = call.headers.get("Content-Type", "").partition(";")[0]
    if media_type.strip().lower() != "application/json":
        return invalid("the body must be application/json")
    if len(call.body) > MAX_BODY_BYTES:
        return invalid("the body is too large")
    try:
        document = orjson.loads(call.body)
    except orjson.JSONDecodeError:
        return invalid("the body is not valid JSON")
    wrong = check_envelope(document)
    if wrong is not None:
        return invalid(wrong)
    events: list[object] = document["data"]
    return events


def identity(account: str, event: object) -> str:
    """Return the key by which an event is known again: ad account, name and id. Without both it is empty."""
    if not isinstance(event, dict):
        return ""
    name, event_id = event.get("event_name"), event.get("event_id")
    if not isinstance(name, str) or not isinstance(event_id, str):
        return ""
    return orjson.dumps(("pinterest", account, name, event_id)).decode()


def sighting(account: str, event: Event) -> Sighting:
    """Return what the journal keeps of a valid event. Offline events are never duplicates."""
    payload = orjson.dumps(event)
    event_time = event["event_time"]
    return Sighting(
        str(event["event_id"]),
        str(event["event_name"]),
        event_time if isinstance(event_time, int) else 0,
        hashlib.sha256(payload).hexdigest(),
        identity(account, event),
        0.0 if event["action_source"] == "offline" else DEDUP_WINDOW_S,
        payload,
    )
