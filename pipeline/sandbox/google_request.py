"""Google's request: its envelope, its destinations, its events, and who is who among them.

Invariant: an event's identity depends on its own bytes, its account and its conversion action only.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence

import orjson

from pipeline.sandbox.contract import Call, Failure, Sighting
from pipeline.sandbox.google_event import Event, event_rule, seconds_of
from pipeline.sandbox.google_shape import (
    NUMBER,
    REQUIRED,
    Flaw,
    flag,
    leaf,
    listed,
    one_of,
    record,
    text,
)
from pipeline.sandbox.google_user_data import ENCODINGS, consent

MAX_EVENTS = 2000
MAX_DESTINATIONS = 10
FOREVER_S = float("inf")

Document = Mapping[str, object]

_ACCOUNT = re.compile(r"[0-9]{10}").fullmatch
_ACTION = re.compile(r"[1-9][0-9]*").fullmatch

_account = record(
    {
        "accountType": one_of("GOOGLE_ADS"),
        "accountId": leaf(
            lambda value: isinstance(value, str) and _ACCOUNT(value) is not None,
            "must be 10 digits without hyphens, as a string",
            NUMBER,
        ),
    },
    required=("accountType", "accountId"),
)
_destinations = listed(
    record(
        {
            "operatingAccount": _account,
            "loginAccount": _account,
            "productDestinationId": leaf(
                lambda value: isinstance(value, str) and _ACTION(value) is not None,
                "must be the digits of a conversion action, as a string",
                "INVALID_CONVERSION_ACTION_ID",
            ),
            "reference": text,
        },
        required=("operatingAccount", "productDestinationId"),
    ),
    MAX_DESTINATIONS,
    "TOO_MANY_DESTINATIONS",
)


def _any_events(value: object, path: str) -> Iterator[Flaw]:
    """Check the list alone: each event is checked with its request's encoding."""
    if not isinstance(value, list) or not value:
        yield Flaw(path, REQUIRED, "must be a list of events")
    elif len(value) > MAX_EVENTS:
        yield Flaw(path, "TOO_MANY_EVENTS", f"must hold at most {MAX_EVENTS}")


_envelope = record(
    {
        "events": _any_events,
        "encoding": one_of(" ".join(ENCODINGS)),
        "consent": consent,
        "validateOnly": flag,
    },
    required=("events",),
)


def document_of(call: Call) -> Document | Failure:
    """Return the JSON object that a call carries."""
    if call.headers.get("Content-Type", "").partition(";")[0].strip().lower() != "application/json":
        return Failure(400, message="The content type must be application/json.")
    try:
        document = orjson.loads(call.body)
    except orjson.JSONDecodeError:
        return Failure(400, message="Invalid JSON payload received.")
    return document if isinstance(document, dict) else Failure(400, message="The payload must be a JSON object.")


def destination_flaws(document: Document) -> list[Flaw]:
    """Return what is wrong with the destinations; their references must differ."""
    if "destinations" not in document:
        return [Flaw("destinations", REQUIRED, "is required")]
    flaws = list(_destinations(document["destinations"], "destinations"))
    if flaws:
        return flaws
    given = [one["reference"] for one in destinations_of(document) if "reference" in one]
    return [] if len(given) == len(set(given)) else [Flaw("destinations", "DUPLICATE_DESTINATION_REFERENCE", "repeats")]


def request_flaws(document: Document, now: float, *, with_events: bool) -> list[Flaw]:
    """Return what is wrong with the rest of the request: the envelope and, if asked, every event."""
    envelope = {name: value for name, value in document.items() if name != "destinations"}
    flaws = list(_envelope(envelope, ""))
    events = document.get("events")
    if not isinstance(events, list) or len(events) > MAX_EVENTS or not with_events:
        return flaws
    if "encoding" not in document and any(isinstance(event, dict) and "userData" in event for event in events):
        flaws.append(Flaw("encoding", REQUIRED, "is required with user_data"))
    encoding = document.get("encoding")
    references = {str(one.get("reference")) for one in destinations_of(document) if "reference" in one}
    rule = event_rule(encoding if isinstance(encoding, str) and encoding in ENCODINGS else "HEX", references, now)
    for index, event in enumerate(events):
        flaws.extend(rule(event, event_path(index)))
    return flaws


def event_path(index: int) -> str:
    """Return the path of an event as Google writes it, with the doubled prefix."""
    return f"events.events[{index}]"


def destinations_of(document: Document) -> Sequence[Document]:
    """Return the destinations that are objects."""
    given = document.get("destinations")
    return [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []


def events_of(document: Document) -> Sequence[Event]:
    """Return the events that are objects."""
    given = document.get("events")
    return [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []


def account_of(destination: Document) -> str:
    """Return the operating account's id, or nothing."""
    account = destination.get("operatingAccount")
    return str(account.get("accountId", "")) if isinstance(account, dict) else ""


def pairs(document: Document) -> Iterator[tuple[int, int]]:
    """Yield `(event, destination)` indices: an event goes to the destinations it names, or to all."""
    destinations = destinations_of(document)
    for index, event in enumerate(events_of(document)):
        named = event.get("destinationReferences")
        for number, destination in enumerate(destinations):
            if not isinstance(named, list) or not named or destination.get("reference") in named:
                yield index, number


def sighting(destination: Document, event: Event) -> Sighting:
    """Return what the journal keeps of an event at one conversion action.

    The same bytes again are a duplicate, however late; other bytes under the same transaction id restate it.
    """
    payload = orjson.dumps(event)
    digest = hashlib.sha256(payload).hexdigest()
    transaction, action = event.get("transactionId"), str(destination.get("productDestinationId", ""))
    name = transaction if isinstance(transaction, str) else None
    key = orjson.dumps((account_of(destination), action, name, digest)).decode()
    return Sighting(name, action, int(seconds_of(event.get("eventTimestamp")) or 0), digest, key, FOREVER_S, payload)
