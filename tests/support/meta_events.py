"""Events for Meta's tests: the contract's own samples, changed in places, and what Meta's code makes of them."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import orjson
from avro_events import CONTRACT, READERS, record

from pipeline.core.avro.encode import Encoder
from pipeline.core.avro.jsonform import from_json
from pipeline.core.contract import ID_FIELDS, Kind
from pipeline.core.decode import decode
from pipeline.core.destination import ConsentPolicy, Destination, Limits, Rule
from pipeline.core.model import Event, Refusal, Shaped, Skipped
from pipeline.core.reason import Reason
from pipeline.edge.schema_files import sample, schema_texts
from pipeline.platforms.meta import DEFAULTS, Meta, MetaOptions

# When the sample order was placed, and a minute later.
WHEN = 1_763_712_000.0
NOW = WHEN + 60.0
DAY = 86_400.0

Changes = Mapping[str, object]


def order_json(changes: Changes | None = None) -> dict[str, Any]:
    """Return the sample order in JSON form, with dotted places set: `{"touch.url": None}`."""
    return changed(json.loads(sample("order")), changes or {})


def lead_json(changes: Changes | None = None) -> dict[str, Any]:
    """Return the sample lead in JSON form, with dotted places set; it happens when the sample order does."""
    return changed(json.loads(sample("lead")) | {"occurred_at": "2025-11-21T08:00:00Z"}, changes or {})


def activity_json(changes: Changes | None = None) -> dict[str, Any]:
    """Return the sample activity in JSON form, with dotted places set; it happens when the sample order does."""
    return changed(json.loads(sample("activity")) | {"occurred_at": "2025-11-21T08:00:00Z"}, changes or {})


def activity(changes: Changes | None = None) -> Event:
    """Return the sample activity as the worker reads it."""
    return event_of(activity_json(changes))


def order(changes: Changes | None = None) -> Event:
    """Return the sample order as the worker reads it."""
    return event_of(order_json(changes))


def lead(changes: Changes | None = None) -> Event:
    """Return the sample lead as the worker reads it."""
    return event_of(lead_json(changes))


def changed(document: dict[str, Any], changes: Changes) -> dict[str, Any]:
    """Return a copy of `document` with dotted places set."""
    document = copy.deepcopy(document)
    for place, value in changes.items():
        *outer, last = place.split(".")
        target = document
        for name in outer:
            target = target.setdefault(name, {})
        target[last] = copy.deepcopy(value)
    return document


def event_of(document: Mapping[str, object]) -> Event:
    """Take an event in JSON form the whole way: to Avro bytes, and back as the worker reads them."""
    event = read(document)
    assert isinstance(event, Event), event
    return event


def read(document: Mapping[str, object], **raw: object) -> Event | Refusal | Skipped:
    """As `event_of`, with what the decoder says of an event that breaks a rule of the contract.

    `raw` replaces top-level fields after the JSON form was checked, as a producer without our checks would.
    """
    kind = kind_of(document)
    return decode(record(encoded(document, **raw)), READERS[kind])


def encoded(document: Mapping[str, object], **raw: object) -> bytes:
    """Return an event in JSON form as the bytes of a record's value."""
    kind = kind_of(document)
    converted = from_json(document, CONTRACT.schemas[kind])
    assert () == converted.faults
    return encoder(kind).encode({**converted.event, **raw})


def kind_of(document: Mapping[str, object]) -> Kind:
    """Return what an event in JSON form is."""
    return next(kind for kind, own_id in ID_FIELDS.items() if own_id in document)


@cache
def encoder(kind: Kind) -> Encoder:
    """Return the writer of our own schema of a kind."""
    return Encoder(schema_texts()[kind])


def meta(options: MetaOptions | None = None, *, account: str = "123", limits: Limits = DEFAULTS) -> Meta:
    """Open a Meta destination."""
    return Meta(
        Destination(
            name=f"meta-{account}",
            platform="meta",
            account=account,
            mode="live",
            rule=Rule(),
            consent=ConsentPolicy(),
            limits=limits,
            secrets={"token": "meta_token"},
            options=options or MetaOptions(),
        )
    )


def shape(event: Event, options: MetaOptions | None = None) -> Shaped | Skipped | Refusal:
    """Put an event into Meta's words."""
    return meta(options).shape(event)


def refusal(given: Shaped | Skipped | Refusal) -> tuple[Reason, str]:
    """Return reason and detail of a refusal."""
    assert isinstance(given, Refusal), given
    return given.reason, given.detail


def sent(event: Event, options: MetaOptions | None = None) -> dict[str, Any]:
    """Return what would be sent of an event, read back as JSON."""
    shaped = shape(event, options)
    assert isinstance(shaped, Shaped), shaped
    document: dict[str, Any] = orjson.loads(shaped.payload)
    return document


APP = {
    "app_id": "com.example.shop",
    "app_version": "5.2.1",
    "os": "IOS",
    "os_version": "26.1",
    "advertising_id": "CDDA802E-FB9C-47AD-9866-0794D394C912",
    "anonymous_id": "XZ12A34B56",
    "tracking_allowed": True,
}
CONVERSATIONS: Mapping[str, Mapping[str, str]] = {
    "WHATSAPP": {
        "channel": "WHATSAPP",
        "whatsapp_business_account_id": "102290129340398",
        "ctwa_clid": "ARAkLkA8rmlFeiCktEJQ",
    },
    "MESSENGER": {"channel": "MESSENGER", "page_id": "1122334455667788", "page_scoped_user_id": "9988776655443322"},
    "INSTAGRAM": {
        "channel": "INSTAGRAM",
        "instagram_account_id": "17841400000000000",
        "instagram_user_id": "9876543210123456",
    },
}
