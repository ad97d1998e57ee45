"""What several platforms do alike: names for our events, the day and the place of an event, web addresses, money."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Final, cast

from pipeline.core.contract import EVENTS_OF, Activity, App, Item, Lead, Order
from pipeline.core.model import Event
from pipeline.core.normalize.place import country

DAY: Final = 86_400.0
# An age limit is applied half an hour early, so that waiting and retrying cannot tip a whole batch over it.
MARGIN: Final = 1800.0
# What takes a conversion back: sent as one, it would count.
TAKEN_BACK: Final = frozenset({"order_refunded", "order_cancelled"})
# The places of `extinfo`, the device facts that Meta and Snapchat want in one form.
EXTINFO_ITEMS: Final = 16
# Days from 0001-01-01 to 1970-01-01.
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_WEB_ADDRESS: Final = re.compile(r"https?://[^\s/?#]+(?:[/?#]\S*)?", re.IGNORECASE).fullmatch


def check_event_names(given: Mapping[str, str], conversions: Collection[str]) -> None:
    """Check the option `event_names`: our event to the platform's name.

    Raises ValueError for an event that is none of ours, for a blank name, and for what takes a conversion back under
    a name of `conversions`, which would count it.
    """
    known = {name for names in EVENTS_OF.values() for name in names}
    for event, name in given.items():
        if event not in known:
            raise ValueError(f"event_names: {event} is none of our events; known are {', '.join(sorted(known))}")
        if not name.strip():
            raise ValueError(f"event_names: the name for {event} is blank")
        if event in TAKEN_BACK and name in conversions:
            raise ValueError(f"event_names: {event} as {name} would count what was taken back as a conversion")


def check_web_address(option: str, text: str) -> None:
    """Raise ValueError unless the option is a web address with a host."""
    if web_address(text) is None:
        raise ValueError(f"{option} must begin with https:// (or http://) and name a host")


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
    activity = activity_of(event)
    return activity["custom_name"] if activity is not None and activity["name"] == "CUSTOM" else None


def taken_name(event: Event, standard: Collection[str]) -> str | None:
    """Return what is wrong with a custom activity that calls itself what the platform counts as something else."""
    name = custom_name(event)
    if name is None or _bare(name) not in {_bare(one) for one in standard}:
        return None
    return "custom_name is the name of one of the platform's own events"


def _bare(name: str) -> str:
    return "".join(filter(str.isalnum, name)).lower()


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


def extinfo_of(app: App) -> list[str]:
    """Return the device facts as they were given, or as many as the app's own fields make; no place is filled up."""
    return app["extinfo"] or [
        "a2" if app["os"] == "ANDROID" else "i2",
        app["app_id"] or "",
        app["app_version"] or "",
        app["app_version"] or "",
        app["os_version"] or "",
    ]


def currency_of(event: Event) -> str | None:
    """Return the currency of every amount in capital letters; decoding made sure that it is an ISO 4217 code."""
    raw = event.body["currency"]
    return raw.strip().upper() if raw else None


def plain_decimal(amount: Decimal) -> str:
    """Write an amount as text without exponent and without needless zeros: `72.39`, `4500`."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
