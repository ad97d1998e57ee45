"""The demo's shop: realistic orders and leads of one retailer, good ones all of them.

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
from pipeline.core.contract import Kind, Lead, Order
from pipeline.demo.people import BROWSERS, GOODS, MARKETS, Market

Json = dict[str, object]

# Everything happened between a minute and a day and a half ago.
_OLDEST_SECONDS: Final = 36 * 3600
_NEWEST_SECONDS: Final = 60
_SOURCES: Final = ("WEBSITE", "WEBSITE", "WEBSITE", "WEBSITE", "STORE", "APP", "PHONE")
_LEAD_STATES: Final = ("SUBMITTED", "SUBMITTED", "SUBMITTED", "QUALIFIED", "CONVERTED")
_DOMAINS: Final = ("example.com", "example.org", "Example.NET")


@dataclass(frozen=True, slots=True)
class Draft:
    """An event of the shop before it is encoded: `id` is that of the order or the lead."""

    kind: Kind
    id: str
    event: Order | Lead = field(repr=False)

    @property
    def event_id(self) -> str:
        """The id that the platform must see: what was published, or what the contract derives."""
        return self.event["event_id"] or f"{self.kind}_{self.event['state'].lower()}:{self.id}"

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
        """Return an order, or a lead in every fourth case or so."""
        return self.lead() if self._chance.random() < 0.25 else self.order()

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
        known_to_meta = {"meta_lead_id": str(chance.randrange(10**15, 10**16))} if state != "SUBMITTED" else {}
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
                **known_to_meta,
                **worth,
                **self._who_and_when(market, "WEBSITE" if state == "SUBMITTED" else "SYSTEM"),
            },
        )

    def _number(self) -> int:
        self._count += 1
        return self._count

    def _draft(self, kind: Kind, own_id: str, json: Json) -> Draft:
        converted = from_json(json, self._schemas[kind])
        if converted.faults:
            raise AssertionError(f"the shop breaks the contract: {'; '.join(map(str, converted.faults))}")
        return Draft(kind, own_id, cast("Order | Lead", converted.event))

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
            "consent": {
                "ad_user_data": "GRANTED",
                "ad_personalization": self._chance.choice(("GRANTED", "DENIED", "UNKNOWN")),
                "region": market.country,
                "recorded_at": occurred_at - 300_000,
            },
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
        click = {"fbclid": f"IwAR{chance.getrandbits(64):016x}", "fbclid_seen_at": seen_at}
        return {
            "url": f"https://shop.example/{market.country.lower()}/thanks",
            "client_ip": f"203.0.113.{chance.randrange(1, 255)}",
            "user_agent": chance.choice(BROWSERS),
            "language": market.language,
            "fbp": f"fb.1.{seen_at}.{chance.randrange(10**9, 10**10)}",
            **(click if chance.random() < 0.4 else {}),
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
