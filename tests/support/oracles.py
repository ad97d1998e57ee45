"""What every platform makes of any event, whole: for the oracles, which read it in the vendors' own models.

Each destination is set up for every place and event, and with every option that adds to a payload.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson
from contract_events import SOURCES, document
from google_events import google, options
from meta_events import APP, CONVERSATIONS, event_of, meta
from pinterest_events import pinterest
from snapchat_events import snapchat
from tiktok_events import tiktok

from pipeline.core.contract import EVENTS_OF
from pipeline.core.model import Batch, Event, Shaped
from pipeline.edge.schema_files import KINDS
from pipeline.platforms.base import Platform
from pipeline.platforms.common import TAKEN_BACK
from pipeline.platforms.google_options import Cart

_ACTIONS: Final = {
    name: str(number)
    for number, name in enumerate((name for names in EVENTS_OF.values() for name in names), 1)
    if name not in TAKEN_BACK
}
SENDERS: Final[Mapping[str, Platform]] = {
    "meta": meta(),
    "tiktok": tiktok(),
    "pinterest": pinterest(),
    "snapchat": snapchat(),
    "google": google(options(conversion_actions=_ACTIONS, send_ip=True, cart=Cart("4711", "GB", "en"))),
}

# A person, a visit and a device of whom everything is known.
_EVERYTHING: Final = {
    "event_id": "e-1",
    "value": "129.90",
    "currency": "GBP",
    "customer": {
        # Several of each: the order of two could be right by chance.
        "emails": ["Jane@Example.com", "j.doe+shop@gmail.com", "jane@work.example", "doe@mail.example"],
        "phones": ["+44 20 7946 0958", "+1 650 555 1212", "+49 170 1234567"],
        "first_name": "Jane",
        "last_name": "O’Brien",
        "gender": "Female",
        "birth_date": "1987-06-25",
        "city": "São Paulo",
        "region": "California",
        "postal_code": "94025-1234",
        "country": "US",
        "external_ids": ["User-42", "12345", "loyal-7"],
        "facebook_login_id": "10223344556677889",
        "type": "RETURNING",
    },
    "touch": {
        "url": "https://shop.example/thanks?a=1",
        "referrer": "https://search.example/",
        "client_ip": "203.0.113.7",
        "user_agent": "Mozilla/5.0",
        "language": "en-GB",
        "fbc": "fb.1.1554763741205.AbCdEf",
        "fbp": "fb.1.1558571054389.1098115397",
        "gclid": "Cj0KCQiA2b-example",
        "gad_session_attributes": "c2Vzc2lvbg",
        "ttclid": "E.C.P.example",
        "ttp": "2N9hxKq0example",
        "epik": "dj0yJnU9example",
        "sc_click_id": "8b1c-example",
        "sc_cookie1": "3f2504e0-example",
    },
    "consent": {
        "ad_user_data": "GRANTED",
        "region": "US-CA",
    },
}
_OF_KIND: Final[Mapping[str, Mapping[str, object]]] = {
    "order": {"order_id": "A-1", "coupons": ["TEN"], "discount": "5.00"},
    "lead": {
        "lead_id": "L-1",
        "crm": "HubSpot",
        "meta_lead_id": "525645896321548",
        "google_lead_id": "g-1",
        "tiktok_lead_id": "t-1",
        "snap_lead_id": "s-1",
    },
    "activity": {"activity_id": "V-1", "query": "wool scarf", "predicted_value": "12.50"},
}
_DEVICE: Final = APP | {"app_name": "Example Shop", "vendor_id": "3F2504E0-4F89-11D3-9A0C-0305E82C3301"}
# The app's system, whether the use of data is limited, and whether advertising may be personal.
_CHOICES: Final = (("IOS", True, "DENIED"), ("ANDROID", False, "GRANTED"), ("IOS", None, "DENIED"))


def sent(platform: str, event: Event) -> dict[str, Any] | None:
    """Return the whole body of the request that carries this event alone, or None if it is not sent."""
    sender = SENDERS[platform]
    found = sender.shape(event)
    if not isinstance(found, Shaped):
        return None
    request = sender.request(Batch([found.payload], found.group), {"token": "secret-token"})
    body: dict[str, Any] = orjson.loads(request.body)
    return body


def documents() -> Iterator[dict[str, Any]]:
    """Yield an event of every kind at every place, on both systems and in every channel, of which all is known."""
    for kind in KINDS:
        for source in SOURCES:
            for (system, limited, personal), conversation in zip(_CHOICES, CONVERSATIONS.values(), strict=True):
                place = {"action_source": source, "app": _DEVICE | {"os": system}, "messaging": conversation}
                choice = {"consent.limited_data_use": limited, "consent.ad_personalization": personal}
                yield document(kind, {**_EVERYTHING, **_OF_KIND[kind], **place, **choice})


def samples() -> Iterator[Event]:
    """Yield the events of `documents` as the worker reads them."""
    return map(event_of, documents())


def lines() -> Iterator[str]:
    """Yield what each platform is sent of each of the samples, a line for each."""
    for event in samples():
        for platform, sender in SENDERS.items():
            found = sender.shape(event)
            if isinstance(found, Shaped):
                yield f"{platform} {found.payload.decode()}"


if __name__ == "__main__":
    sys.stdout.write("".join(f"{line}\n" for line in lines()))
