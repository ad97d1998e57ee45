"""The demo's shop: realistic orders, leads and activities of one retailer, good ones all of them.

Pure: chance comes in as a seeded generator, time as an argument, so the same seed at the same time gives the same day.
Events are written in the JSON form of the contract, as a publisher would: what is left out gets its default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Final, TypedDict, cast

from pipeline.core.avro.jsonform import from_json
from pipeline.core.avro.schema import Record as Schema
from pipeline.core.contract import Activity, Kind, Lead, Order
from pipeline.demo.everything import everything
from pipeline.demo.people import ASK_FIRST, BROWSERS, CUSTOM_STEP, GOODS, MARKETS, Market

Json = dict[str, object]

# Everything happened between a minute and a day and a half ago.
_OLDEST_SECONDS: Final = 36 * 3600
_NEWEST_SECONDS: Final = 60
_SOURCES: Final = ("WEBSITE", "WEBSITE", "WEBSITE", "WEBSITE", "STORE", "APP", "PHONE")
_LEAD_STATES: Final = ("SUBMITTED", "SUBMITTED", "SUBMITTED", "QUALIFIED", "CONVERTED", "LOST")
_STEPS: Final = ("PAGE_VIEW", "VIEW_CONTENT", "SEARCH", "ADD_TO_CART", "ADD_TO_CART", "INITIATE_CHECKOUT", "CUSTOM")
_DOMAINS: Final = ("example.com", "example.org", "Example.NET")


@dataclass(frozen=True, slots=True)
class Draft:
    """An event of the shop before it is encoded: `id` is that of the order, the lead or the activity."""

    kind: Kind
    id: str
    event: Order | Lead | Activity = field(repr=False)

    @property
    def name(self) -> str:
        """The contract's name of the event: `order_placed`, `lead_qualified`, `add_to_cart`."""
        if self.kind == "activity":
            return cast("Activity", self.event)["name"].lower()
        return f"{self.kind}_{cast('Order | Lead', self.event)['state'].lower()}"

    @property
    def event_id(self) -> str:
        """The id that the platform must see: what was published, or what the contract derives."""
        return self.event["event_id"] or f"{self.name}:{self.id}"

    @property
    def event_time(self) -> int:
        """The time that the platform must see, in whole Unix seconds."""
        return self.event["occurred_at"] // 1000


class Shop:
    """Makes up one event after the other; `now` is in Unix seconds, `schemas` are the contract's."""

    def __init__(self, chance: Random, now: float, schemas: Mapping[Kind, Schema]) -> None:
        self._chance = chance
        self._now = now
        self._schemas = schemas
        self._count = 100_000

    def event(self) -> Draft:
        """Return an order in half of the cases, else a lead or an activity."""
        draw = self._chance.random()
        if draw < 0.5:
            return self.order()
        return self.lead() if draw < 0.75 else self.activity()

    def showcase(self) -> Draft:
        """Return an order that carries everything that any platform can use of a visit on the web."""
        own_id = f"A-{self._number()}"
        return self._draft("order", own_id, everything(own_id, int(self._now * 1000) - 3_600_000))

    def order(self, market: Market | None = None) -> Draft:
        """Return an order that was placed on the web, in a store, in the app or by phone."""
        chance, market = self._chance, market or self._chance.choice(MARKETS)
        own_id = f"A-{self._number()}"
        shipping = _money("4.90", market)
        lines = [_line(chance.choice(GOODS), chance.choice((1, 1, 1, 2)), market) for _ in range(chance.randint(1, 3))]
        goods = sum(Decimal(line["unit_price"]) * line["quantity"] for line in lines)
        return self._draft(
            "order",
            own_id,
            {
                "order_id": own_id,
                # Half of the shop hands over the id that its pixel used, half leaves it to the contract.
                "event_id": f"{own_id}:web" if chance.random() < 0.5 else None,
                "value": str(goods + shipping),
                "currency": market.currency,
                "shipping": str(shipping),
                "coupons": ["WINTER10"] if chance.random() < 0.2 else [],
                "items": [dict(line) for line in lines],
                "producer": "checkout/4.2.0",
                **self._who_and_when(market, chance.choice(_SOURCES)),
            },
        )

    def lead(self) -> Draft:
        """Return a lead: submitted on the web, or moved on in the CRM."""
        chance, market = self._chance, self._chance.choice(MARKETS)
        own_id, state = f"L-{self._number()}", chance.choice(_LEAD_STATES)
        from_an_ad = {
            "meta_lead_id": str(chance.randrange(10**15, 10**16)),
            "tiktok_lead_id": str(chance.randrange(10**18, 10**19)),
            "google_lead_id": f"lead-{chance.getrandbits(48):012x}",
        }
        worth = {"value": str(_money("40", market)), "currency": market.currency} if state == "CONVERTED" else {}
        return self._draft(
            "lead",
            own_id,
            {
                "lead_id": own_id,
                "state": state,
                "crm": "HubSpot",
                "form_id": "newsletter-2026",
                "producer": "forms/1.9.3",
                **({} if state == "SUBMITTED" else from_an_ad),
                **worth,
                **self._who_and_when(market, "WEBSITE" if state == "SUBMITTED" else "SYSTEM"),
            },
        )

    def activity(self) -> Draft:
        """Return a step of the funnel, on the web or in the app."""
        chance, market = self._chance, self._chance.choice(MARKETS)
        own_id, name = f"V-{self._number()}", chance.choice(_STEPS)
        facts: Json = {}
        if name in ("ADD_TO_CART", "INITIATE_CHECKOUT"):
            line = _line(chance.choice(GOODS), 1, market)
            facts = {"items": [dict(line)], "value": line["unit_price"], "currency": market.currency}
        elif name == "SEARCH":
            facts = {"query": chance.choice(GOODS)[1]}
        elif name == "CUSTOM":
            facts = {"custom_name": CUSTOM_STEP}
        source = chance.choice(("WEBSITE", "WEBSITE", "WEBSITE", "APP"))
        json = {"activity_id": own_id, "name": name, "producer": "storefront/7.0.1", **facts}
        return self._draft("activity", own_id, {**json, **self._who_and_when(market, source)})

    def _number(self) -> int:
        self._count += 1
        return self._count

    def _draft(self, kind: Kind, own_id: str, json: Json) -> Draft:
        converted = from_json(json, self._schemas[kind])
        if converted.faults:
            raise AssertionError(f"the shop breaks the contract: {'; '.join(map(str, converted.faults))}")
        return Draft(kind, own_id, cast("Order | Lead | Activity", converted.event))

    def _who_and_when(self, market: Market, source: str) -> Json:
        occurred_at = int((self._now - self._chance.uniform(_NEWEST_SECONDS, _OLDEST_SECONDS)) * 1000)
        return {
            "occurred_at": occurred_at,
            "action_source": source,
            "store": market.country.lower(),
            "brand": "fjallrav",
            "customer": self._customer(market),
            # Only the web leaves traces of a browser, and only the app those of a device.
            "touch": self._touch(market, occurred_at) if source == "WEBSITE" else {},
            "app": _APP if source == "APP" else None,
            "consent": self._consent(market, occurred_at),
        }

    def _consent(self, market: Market, occurred_at: int) -> Json:
        """Return a choice that lets the event go: a yes, or none where nobody has to ask."""
        chance = self._chance
        unasked = market.country not in ASK_FIRST and chance.random() < 0.15
        return {
            "ad_user_data": "UNKNOWN" if unasked else "GRANTED",
            "ad_personalization": chance.choice(("GRANTED", "GRANTED", "GRANTED", "DENIED", "UNKNOWN")),
            # State laws of the United States let people limit the use of their data.
            "limited_data_use": chance.choice((True, False, None)) if market.country == "US" else None,
            "region": market.country,
            "recorded_at": None if unasked else occurred_at - 300_000,
        }

    def _customer(self, market: Market) -> Json:
        chance = self._chance
        first, last, handle = chance.choice(market.people)
        city, region, postal_code = chance.choice(market.places)
        return {
            "emails": [f"{handle}{chance.randrange(100)}@{chance.choice(_DOMAINS)}"],
            "phones": [chance.choice(market.phones)] if market.phones and chance.random() < 0.6 else [],
            "first_name": first,
            "last_name": last,
            "gender": chance.choice(("f", "m", "Female", None)),
            "city": city,
            "region": region,
            "postal_code": postal_code,
            "country": market.country,
            "external_ids": [f"user-{chance.randrange(10_000)}"],
            "type": chance.choice(("NEW", "RETURNING", "UNKNOWN")),
        }

    def _touch(self, market: Market, occurred_at: int) -> Json:
        chance = self._chance
        seen_at = occurred_at - chance.randrange(60_000, 3_600_000)
        word = f"{chance.getrandbits(64):016x}"
        # Whoever clicked on an ad came from one platform.
        clicks: tuple[Json, ...] = (
            {"fbclid": f"IwAR{word}", "fbclid_seen_at": seen_at},
            {"gclid": f"Cj0KCQ{word}"},
            {"ttclid": f"E.C.P.{word}"},
            {"epik": f"dj0y{word}"},
            {"sc_click_id": word},
            {},
            {},
        )
        return {
            "url": f"https://shop.example/{market.country.lower()}/thanks",
            "client_ip": f"203.0.113.{chance.randrange(1, 255)}",
            "user_agent": chance.choice(BROWSERS),
            "language": market.language,
            "fbp": f"fb.1.{seen_at}.{chance.randrange(10**9, 10**10)}",
            **chance.choice(clicks),
        }


class _Line(TypedDict):
    id: str
    title: str
    brand: str
    category: str
    quantity: int
    unit_price: str


_APP: Final[Json] = {
    "app_id": "example.shop.app",
    "app_version": "5.2.1",
    "os": "IOS",
    "os_version": "18.6",
    "tracking_allowed": True,
}


def _line(goods: tuple[str, str, str, str], quantity: int, market: Market) -> _Line:
    sku, title, category, euros = goods
    return {
        "id": sku,
        "title": title,
        "brand": "Fjällräv",
        "category": category,
        "quantity": quantity,
        "unit_price": str(_money(euros, market)),
    }


def _money(euros: str, market: Market) -> Decimal:
    return (Decimal(euros) * Decimal(market.rate)).quantize(Decimal(1).scaleb(-market.digits))
