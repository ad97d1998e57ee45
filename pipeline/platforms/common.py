"""What several platforms ask of an event alike: its day and country, its faults and notes, addresses, lines, money."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date
from functools import lru_cache
from typing import Final, TypeGuard, cast

from pipeline.core.contract import Activity, Item, Lead, Order
from pipeline.core.currency import currency
from pipeline.core.model import Event
from pipeline.core.normalize.place import country

Json = Mapping[str, object]
"""A part of an event in a platform's words."""
NOTHING: Final[Json] = {}

DAY: Final = 86_400.0
# An age limit is applied half an hour early, so that waiting and retrying cannot tip a whole batch over it.
MARGIN: Final = 1800.0
# What takes a conversion back: sent as one, it would count.
TAKEN_BACK: Final = frozenset({"order_refunded", "order_cancelled"})
# Days from 0001-01-01 to 1970-01-01.
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
# A phone number as people of one country write it: no plus, no 00.
_NATIONAL: Final = re.compile(r"\s*(?!00)[0-9(][0-9 ().\-/]{4,}").fullmatch
_WEB_ADDRESS: Final = re.compile(r"https?://[^\s/?#]+(?:[/?#]\S*)?", re.IGNORECASE).fullmatch


# The platforms of one event ask for the same page one after the other.
@lru_cache(maxsize=16)
def web_address(raw: str | None) -> str | None:
    """Return the http or https address in `raw` without the white space around it, or None if it holds none."""
    text = (raw or "").strip()
    return text if _WEB_ADDRESS(text) else None


def day_of(event: Event) -> date:
    """Return the event's day in UTC: not the worker's, so that a replay sends the same bytes."""
    return _day(int(event.time // DAY))


@lru_cache(maxsize=64)
def _day(number: int) -> date:
    return date.fromordinal(_EPOCH_DAY + number)


def country_of(event: Event) -> str | None:
    """Return the customer's country, alpha-2 in lower case, as the match keys' rules want it."""
    home = event.body["customer"]["country"]
    return country(home) if home else None


def custom_name(event: Event) -> str | None:
    """Return the name that its producer gave a custom activity; None for every other event."""
    return cast("Activity", event.body)["custom_name"] if event.name == "custom" else None


def taken_name(own: str | None, standard: Collection[str]) -> str | None:
    """Return what is wrong with a custom activity that calls itself what the platform counts as something else.

    `own` is the name that its producer gave and under which it would leave; None for a name of anybody else's.
    """
    if own is None or bare_name(own) not in {bare_name(one) for one in standard}:
        return None
    return "custom_name is the name of one of the platform's own events"


def bare_name(name: str) -> str:
    """Return the letters and digits of an event's name in lower case: what is left of it in any spelling."""
    return "".join(filter(str.isalnum, name)).lower()


def shared_fault(event: Event, name: str, purchases: Collection[str]) -> str | None:
    """Return what is missing or wrong by rules that platforms share, or None. Never holds a value.

    `purchases` are the names under which an event is money, and an amount without a currency is none.
    Decoding checks the currency only where there is an amount.
    """
    if event.id.isspace():
        return "event_id is blank"
    body = event.body
    if name in purchases and (body["value"] is None or not body["currency"]):
        return f"a {name} needs value and currency"
    if body["currency"] and currency(body["currency"]) is None:
        return "currency is not an ISO 4217 code"
    return None


def below_zero(event: Event) -> str | None:
    """Return that the event is worth less than nothing, or None."""
    value = event.body["value"]
    return "value is below zero" if value is not None and value < 0 else None


def lacks_country(event: Event, country: str | None, dropped: Collection[str], phone: str) -> bool:
    """Whether a number was dropped that a country would have made good: the note `phone_no_country`.

    `phone` is the platform's name for the key; `country` is what `country_of` found.
    """
    return country is None and phone in dropped and any(map(_NATIONAL, event.body["customer"]["phones"]))


def is_said(text: str | None) -> TypeGuard[str]:
    """Whether there is anything to read."""
    return text is not None and bool(text.strip())


def items_of(event: Event) -> list[Item]:
    """Return the lines of an order or an activity that name a product: a line without an id names none."""
    if event.kind == "lead":
        return []
    return [item for item in cast("Order | Activity", event.body)["items"] if item["id"].strip()]


def order_of(event: Event) -> Order | None:
    """Return the body as an order, or None."""
    return cast("Order", event.body) if event.kind == "order" else None


def lead_of(event: Event) -> Lead | None:
    """Return the body as a lead, or None."""
    return cast("Lead", event.body) if event.kind == "lead" else None


def activity_of(event: Event) -> Activity | None:
    """Return the body as an activity, or None."""
    return cast("Activity", event.body) if event.kind == "activity" else None


def currency_of(event: Event) -> str | None:
    """Return the currency in capital letters; decoding checks that it is one only where there is an amount."""
    raw = event.body["currency"]
    return raw.strip().upper() if raw else None
