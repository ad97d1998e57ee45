"""Events for TikTok's tests: the contract's own samples, changed in places, and what TikTok's code makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from avro_events import CONTRACT, READERS, record
from contract_events import document
from meta_events import APP, Changes, encoder

from pipeline.core.avro.jsonform import from_json
from pipeline.core.contract import ID_FIELDS
from pipeline.core.decode import decode
from pipeline.core.destination import ConsentPolicy, Destination, Limits, Rule
from pipeline.core.model import Event, Refusal, Shaped, Skipped
from pipeline.core.reason import Reason
from pipeline.platforms.tiktok import DEFAULTS, KIND, TikTok, TikTokOptions

# When every sample happened, and a minute later.
WHEN = 1_763_712_000.0
NOW = WHEN + 60.0
DAY = 86_400.0

PIXEL = "C4ABCDEFGHIJKLMNOPQR"
OFFLINE, CRM, APP_ID = "7100000000000000001", "7100000000000000002", "7100000000000000003"
EVERYWHERE = TikTokOptions(offline_event_set_id=OFFLINE, crm_event_set_id=CRM, app_id=APP_ID)
IOS = APP | {"app_name": "Example Shop", "vendor_id": "3f2504e0-4f89-11d3-9a0c-0305e82c3301"}
ANDROID = IOS | {"os": "ANDROID"}


def order(changes: Changes | None = None) -> Event:
    """Return the sample order as the worker reads it."""
    return event_of(document("order", changes))


def lead(changes: Changes | None = None) -> Event:
    """Return the sample lead as the worker reads it."""
    return event_of(document("lead", changes))


def activity(changes: Changes | None = None) -> Event:
    """Return the sample activity as the worker reads it."""
    return event_of(document("activity", changes))


def event_of(given: Mapping[str, object]) -> Event:
    """Take an event in JSON form the whole way: to Avro bytes, and back as the worker reads them."""
    kind = next(kind for kind, own_id in ID_FIELDS.items() if own_id in given)
    converted = from_json(given, CONTRACT.schemas[kind])
    assert () == converted.faults
    event = decode(record(encoder(kind).encode(converted.event)), READERS[kind])
    assert isinstance(event, Event), event
    return event


def tiktok(options: TikTokOptions = EVERYWHERE, *, account: str = PIXEL, limits: Limits = DEFAULTS) -> TikTok:
    """Open a TikTok destination."""
    return TikTok(destination(options, account=account, limits=limits))


def destination(options: object = EVERYWHERE, *, account: str = PIXEL, limits: Limits = DEFAULTS) -> Destination:
    """Return a TikTok destination."""
    return Destination(
        name="tiktok",
        platform=KIND.name,
        account=account,
        mode="live",
        rule=Rule(),
        consent=ConsentPolicy(),
        limits=limits,
        secrets={"token": "tiktok_token"},
        options=options,
    )


def shape(event: Event, options: TikTokOptions = EVERYWHERE) -> Shaped | Skipped | Refusal:
    """Put an event into TikTok's words."""
    return tiktok(options).shape(event)


def shaped(event: Event, options: TikTokOptions = EVERYWHERE) -> Shaped:
    """Put an event that is to be sent into TikTok's words."""
    found = shape(event, options)
    assert isinstance(found, Shaped), found
    return found


def sent(event: Event, options: TikTokOptions = EVERYWHERE) -> dict[str, Any]:
    """Return what would be sent of an event, read back as JSON."""
    found: dict[str, Any] = orjson.loads(shaped(event, options).payload)
    return found


def refusal(given: Shaped | Skipped | Refusal) -> tuple[Reason, str]:
    """Return reason and detail of a refusal."""
    assert isinstance(given, Refusal), given
    return given.reason, given.detail
