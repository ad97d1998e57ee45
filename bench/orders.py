"""The orders that every contender reads: made up, full, and the same in every run with the same seed.

Each customer has all eleven keys that are hashed. Nobody is real: addresses are of the domains that RFC 2606 keeps for
examples, phone numbers of the ranges that regulators keep for fiction, IP addresses of the documentation ranges.
The bytes are written by fastavro from the schema file, so that nothing of the worker's own code is needed to make them.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Final, cast

import fastavro
from fastavro.types import Schema

ROOT: Final = Path(__file__).resolve().parents[1]
# Confluent's wire format: magic byte 0 and the id of the schema, 4 bytes big-endian.
PREFIX: Final = b"\0" + (1).to_bytes(4, "big")

_FIRST: Final = tuple(
    "Jane Siobhán Amelia Oliver Jürgen Zoë Anna-Lena François Chloé Noël Åsa Björn Märta Sam María Robert Wojciech "
    "Małgorzata João Antônia Luís Ida Emil Freja Lukas Hannah Maximilian Grace Henry Priya".split()
)
_LAST: Final = tuple(
    "O'Brien Smith Jones Müller Groß Weiß Lefèvre D'Aubigné Öberg Sjögren García Lee Nowak Żółkiewski Guimarães "
    "Andersson Schneider Dubois Moreau Williams Taylor Hoffmann Becker Lindqvist Martin Bernard Evans Walker".split()
)
_AGENTS: Final = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
)
_GOODS: Final = (
    ("SKU-1001", "Wool scarf", "Accessories", "19.90"),
    ("SKU-1002", "Rain jacket", "Outerwear", "95.20"),
    ("SKU-1003", "Hiking boots", "Shoes", "129.00"),
    ("SKU-1004", "Enamel mug", "Outdoor kitchen", "12.50"),
)


@dataclass(frozen=True, slots=True)
class _Market:
    """A country: its currency, its towns with regions, and templates in which # stands for any digit."""

    country: str
    currency: str
    towns: tuple[tuple[str, str], ...]
    postal_code: str
    phones: tuple[str, ...]


_MARKETS: Final = (
    _Market(
        "GB",
        "GBP",
        (("London", "Greater London"), ("Leeds", "West Yorkshire"), ("Stoke-on-Trent", "Staffordshire")),
        "SW1A #AA",
        ("07700 900###", "+44 20 7946 0###"),
    ),
    _Market(
        "US",
        "USD",
        (("Menlo Park", "CA"), ("New York", "NY"), ("St. Louis", "Missouri"), ("Austin", "Texas")),
        "9####",
        ("(650) 555-01##", "+1 212-555-01##", "312-555-01##"),
    ),
    _Market(
        "DE",
        "EUR",
        (("Köln", "Nordrhein-Westfalen"), ("München", "Bayern"), ("Berlin", "Berlin")),
        "5####",
        ("(030) 23125 ###", "+49 40 66969 ###"),
    ),
    _Market(
        "FR",
        "EUR",
        (("Paris", "Île-de-France"), ("Saint-Étienne", "Auvergne-Rhône-Alpes")),
        "75###",
        ("06 39 98 ## ##", "+33 1 99 00 ## ##"),
    ),
    _Market("SE", "SEK", (("Göteborg", "Västra Götaland"), ("Malmö", "Skåne")), "4## ##", ("070-174 06 ##",)),
)


def order_schema() -> Schema:
    """Return the order's schema as fastavro wants it."""
    return fastavro.parse_schema(json.loads((ROOT / "schemas" / "order.avsc").read_text(encoding="utf-8")))


class Orders:
    """Makes up encoded orders; `seed` decides everything but the times, which end at `now` (Unix seconds)."""

    def __init__(self, *, seed: int, now: float) -> None:
        self._chance = Random(seed)  # noqa: S311 - repeatable chance, not a secret
        self._now = now
        self._schema = order_schema()
        self._defaults = _defaults(cast("dict[str, object]", self._schema))

    def encoded(self, event_id: str) -> bytes:
        """Return the next order in Confluent's wire format, under this event id."""
        out = io.BytesIO(PREFIX)
        out.seek(len(PREFIX))
        fastavro.schemaless_writer(out, self._schema, self._order(event_id))
        return out.getvalue()

    def _order(self, event_id: str) -> dict[str, object]:
        chance, market = self._chance, self._chance.choice(_MARKETS)
        occurred_at = datetime.fromtimestamp(self._now - chance.uniform(60, 86_400), UTC)
        lines = [chance.choice(_GOODS) for _ in range(chance.randint(1, 3))]
        return {
            **self._defaults,
            "order_id": f"A-{chance.randrange(10**7)}",
            "event_id": event_id,
            "occurred_at": occurred_at,
            "store": market.country.lower(),
            "brand": "fjallrav",
            "value": sum((Decimal(price) for *_, price in lines), Decimal("4.90")),
            "currency": market.currency,
            "shipping": Decimal("4.90"),
            "items": [_line(goods) for goods in lines],
            "customer": {**_section(self._defaults, "customer"), **self._customer(market)},
            "touch": {**_section(self._defaults, "touch"), **self._touch(occurred_at)},
            "consent": {
                "ad_user_data": "GRANTED",
                "ad_personalization": "GRANTED",
                "limited_data_use": None,
                "region": market.country,
                "recorded_at": occurred_at - timedelta(minutes=5),
            },
            "producer": "checkout/4.2.0",
        }

    def _customer(self, market: _Market) -> dict[str, object]:
        chance = self._chance
        first, last = chance.choice(_FIRST), chance.choice(_LAST)
        city, region = chance.choice(market.towns)
        return {
            "emails": [f"Customer.{chance.randrange(10**7)}@{chance.choice(('example.com', 'Example.org'))}"],
            "phones": [self._digits(chance.choice(market.phones))],
            "first_name": first,
            "last_name": last,
            "gender": chance.choice(("f", "m")),
            "birth_date": date(1945, 1, 1) + timedelta(days=chance.randrange(22_000)),
            "city": city,
            "region": region,
            "postal_code": self._digits(market.postal_code),
            "country": market.country,
            "external_ids": [f"user-{chance.randrange(10**6)}"],
            "type": chance.choice(("NEW", "RETURNING")),
        }

    def _touch(self, occurred_at: datetime) -> dict[str, object]:
        chance = self._chance
        seen_at = int(occurred_at.timestamp() * 1000) - chance.randrange(60_000, 3_600_000)
        return {
            "url": f"https://shop.example/thanks?step={chance.randrange(1000)}",
            "referrer": "https://shop.example/checkout",
            "client_ip": f"203.0.113.{chance.randrange(1, 255)}",
            "user_agent": chance.choice(_AGENTS),
            "language": "en-GB",
            "fbc": f"fb.1.{seen_at}.IwAR{chance.getrandbits(64):016x}",
            "fbp": f"fb.1.{seen_at}.{chance.randrange(10**9, 10**10)}",
        }

    def _digits(self, template: str) -> str:
        return "".join(str(self._chance.randrange(10)) if mark == "#" else mark for mark in template)


def _line(goods: tuple[str, str, str, str]) -> dict[str, object]:
    sku, title, category, price = goods
    return {
        "id": sku,
        "title": title,
        "brand": "Fjällräv",
        "category": category,
        "quantity": 1,
        "unit_price": Decimal(price),
    }


def _section(order: dict[str, object], name: str) -> dict[str, object]:
    return cast("dict[str, object]", order[name])


def _defaults(schema: dict[str, object]) -> dict[str, object]:
    """Return the schema's own default of every field, records filled in."""
    filled: dict[str, object] = {}
    for field in cast("list[dict[str, object]]", schema["fields"]):
        kind = field["type"]
        nested = isinstance(kind, dict) and kind["type"] == "record"
        filled[str(field["name"])] = _defaults(cast("dict[str, object]", kind)) if nested else field.get("default")
    return filled
