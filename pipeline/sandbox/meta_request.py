"""Meta's request: its parameters, its token, its events, and who is who among them.

Invariant: an event's identity depends on its own content and its dataset only.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence

import orjson

from pipeline.sandbox.contract import Call, Failure, Sighting

MAX_EVENTS = 1000
DEDUP_WINDOW_S = 48 * 3600.0
STORE_DEDUP_WINDOW_S = 7 * 86_400.0

_HASH = re.compile(r"[0-9a-f]{64}(?:\.\S+)?").fullmatch
_AGENT = re.compile(r"(?=.*[A-Za-z].*[A-Za-z]).{2,22}").fullmatch

Event = Mapping[str, object]


def parameters(call: Call) -> dict[str, object] | Failure:
    """Return the parameters of a request: the query's, and over them those of a form or of a JSON object."""
    if call.form is not None:
        return {**call.query, **call.form}
    if not call.headers.get("Content-Type", "").lower().startswith("application/json") or not call.body:
        return dict(call.query)
    try:
        document = orjson.loads(call.body)
    except orjson.JSONDecodeError:
        return Failure(100, message="(#100) The request body is not valid JSON")
    if not isinstance(document, dict):
        return Failure(100, message="(#100) The request body must be a JSON object")
    return {**call.query, **document}


def token_of(call: Call, params: Mapping[str, object]) -> str | None:
    """Return the access token from the Authorization header, the body or the query, in this order."""
    scheme, _, bearer = call.headers.get("Authorization", "").partition(" ")
    if scheme.lower() in ("bearer", "oauth") and bearer.strip():
        return bearer.strip()
    token = params.get("access_token")
    return token if isinstance(token, str) else None


def events_of(params: Mapping[str, object], *, is_form: bool) -> Sequence[object] | Failure:
    """Return the 1..1000 events of a request; in a form they are one field of JSON text."""
    data = params.get("data")
    if is_form and isinstance(data, str):
        data = _unpacked(data)
    if data is None:
        return Failure(100, message="(#100) The parameter data is required, and in a form must be JSON")
    if not isinstance(data, list):
        return Failure(100, message="(#100) param data must be an array")
    if not 1 <= len(data) <= MAX_EVENTS:
        return Failure(100, message=f"(#100) param data must hold 1 to {MAX_EVENTS} events, not {len(data)}")
    agent = params.get("partner_agent")
    if agent is not None and not (isinstance(agent, str) and _AGENT(agent)):
        return Failure(100, message="(#100) param partner_agent must be 2 to 22 characters with two letters")
    return data


def _unpacked(text: str) -> object:
    """Return the JSON in a form field, or None. Meta's own SDK packs each event into a string once more."""
    try:
        data = orjson.loads(text)
        if isinstance(data, list):
            return [orjson.loads(event) if isinstance(event, str) else event for event in data]
    except orjson.JSONDecodeError:
        return None
    return data


def sighting(dataset: str, event: Event) -> Sighting:
    """Return what the journal keeps of a valid event."""
    payload = orjson.dumps(event)
    digest = hashlib.sha256(payload).hexdigest()
    event_id, event_time = event.get("event_id"), event["event_time"]
    key, window_s = identity(dataset, event)
    return Sighting(
        event_id if isinstance(event_id, str) else None,
        str(event["event_name"]),
        event_time if isinstance(event_time, int) else 0,
        digest,
        key or f"{dataset} {digest}",
        window_s,
        payload,
    )


def identity(dataset: str, event: Event) -> tuple[str, float]:
    """Return the key by which an event is known again, and for how many seconds (0: no deduplication).

    Web and app events: dataset, name and id, 48 h. Store events: dataset, time, name, item and order (or the
    customer keys), 7 d. Messaging events are never deduplicated. An event without an id has an empty key.
    """
    source, name, event_id = event.get("action_source"), event.get("event_name"), event.get("event_id")
    if source == "physical_store":
        custom_data = event.get("custom_data")
        details = custom_data if isinstance(custom_data, dict) else {}
        who = details.get("order_id") or hashlib.sha256(orjson.dumps(event.get("user_data"))).hexdigest()
        parts = (dataset, event.get("event_time"), name, details.get("item_number"), who)
        return orjson.dumps(parts).decode(), STORE_DEDUP_WINDOW_S
    if not isinstance(event_id, str):
        return "", 0.0
    return f"{dataset} {name} {event_id}", 0.0 if source == "business_messaging" else DEDUP_WINDOW_S


def notices(data: Sequence[object]) -> Mapping[str, int]:
    """Count what Meta takes and a sender should still know of.

    `external_id_not_hashed`: allowed, not recommended. `crm_keys_incomplete`: a lead event that is taken but never
    counted, because `custom_data` lacks `event_source` or `lead_event_source`.
    """
    found: Counter[str] = Counter()
    for event in data:
        if not isinstance(event, dict):
            continue
        user_data = event["user_data"]
        if "external_id" in user_data:
            ids = user_data["external_id"]
            if not all(_HASH(one) for one in (ids if isinstance(ids, list) else (ids,))):
                found["external_id_not_hashed"] += 1
        if "lead_id" in user_data:
            custom_data = event.get("custom_data") or {}
            if custom_data.get("event_source") != "crm" or not custom_data.get("lead_event_source"):
                found["crm_keys_incomplete"] += 1
    return found
