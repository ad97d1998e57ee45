"""Events for Pinterest's tests: the contract's own samples, changed in places, and what our code makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import orjson
from contract_events import document
from meta_events import APP, Changes
from meta_events import event_of as read_back

from pipeline.core.contract import EVENTS_OF
from pipeline.core.destination import ConsentPolicy, Destination, Limits, Mode, Rule
from pipeline.core.model import Event, Refusal, Shaped, Skipped
from pipeline.core.reason import Reason
from pipeline.platforms.pinterest import DEFAULTS, KIND, Pinterest, PinterestOptions

# When every sample happened, and a minute later.
WHEN = 1_763_712_000.0
NOW = WHEN + 60.0
DAY = 86_400.0

ACCOUNT = "549755885175"
DEFAULT = PinterestOptions()
IOS = APP | {"app_name": "Example Shop"}
ANDROID = IOS | {"os": "ANDROID"}
# A visit of somebody of whom nothing else is known, just enough to be sent.
NOBODY = {"customer": {}, "touch": {"client_ip": "203.0.113.7", "user_agent": "Mozilla/5.0"}}


def order(changes: Changes | None = None) -> Event:
    """Return the sample order as the worker reads it."""
    return read_back(document("order", changes))


def lead(changes: Changes | None = None) -> Event:
    """Return the sample lead as the worker reads it."""
    return read_back(document("lead", changes))


def activity(changes: Changes | None = None) -> Event:
    """Return the sample activity as the worker reads it."""
    return read_back(document("activity", changes))


def event(name: str, changes: Changes | None = None) -> Event:
    """Return the event of ours with this name."""
    if name in EVENTS_OF["order"]:
        return order({"state": name.removeprefix("order_").upper(), **(changes or {})})
    if name in EVENTS_OF["lead"]:
        return lead({"state": name.removeprefix("lead_").upper(), **(changes or {})})
    return activity({"name": name.upper(), "custom_name": "Quiz done", **(changes or {})})


def destination(
    options: object = DEFAULT, *, account: str = ACCOUNT, limits: Limits = DEFAULTS, mode: Mode = "live"
) -> Destination:
    """Return a Pinterest destination."""
    return Destination(
        name="pinterest",
        platform=KIND.name,
        account=account,
        mode=mode,
        rule=Rule(),
        consent=ConsentPolicy(),
        limits=limits,
        secrets={"token": "pinterest_token"},
        options=options,
    )


def pinterest(options: object = DEFAULT, *, account: str = ACCOUNT, mode: Mode = "live") -> Pinterest:
    """Open a Pinterest destination."""
    return Pinterest(destination(options, account=account, mode=mode))


def shape(given: Event, options: object = DEFAULT) -> Shaped | Skipped | Refusal:
    """Put an event into Pinterest's words."""
    return pinterest(options).shape(given)


def shaped(given: Event, options: object = DEFAULT) -> Shaped:
    """Put an event that is to be sent into Pinterest's words."""
    found = shape(given, options)
    assert isinstance(found, Shaped), found
    return found


def sent(given: Event, options: object = DEFAULT) -> dict[str, Any]:
    """Return what would be sent of an event, read back as JSON."""
    found: dict[str, Any] = orjson.loads(shaped(given, options).payload)
    return found


def refusal(given: Shaped | Skipped | Refusal) -> tuple[Reason, str]:
    """Return reason and detail of a refusal."""
    assert isinstance(given, Refusal), given
    return given.reason, given.detail


def hashes(*texts: str) -> list[str]:
    """Return the texts' SHA-256, as a list of `user_data` has them."""
    return [sha256(text.encode()).hexdigest() for text in texts]


def report(*statuses: str | Mapping[str, object], **counters: object) -> dict[str, object]:
    """Return what Pinterest says of events, each by its status or in full; counters are true unless given."""
    events = [{"status": one, "error_message": ""} if isinstance(one, str) else dict(one) for one in statuses]
    processed = sum(one["status"] == "processed" for one in events)
    return {"num_events_received": len(events), "num_events_processed": processed, "events": events, **counters}
