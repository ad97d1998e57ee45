"""Snapchat's rules for `custom_data`, from its parameters page and the schema of its own SDK."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pipeline.sandbox.forms import CURRENCIES, number, string, text, whole
from pipeline.sandbox.snapchat_flaw import Check, Code, Flaw, check_fields, strings

_DECIMAL = re.compile(r"[0-9]+(?:\.[0-9]+)?", re.ASCII).fullmatch

_STRINGS = """
    content_category content_name content_type delivery_category order_id search_string sign_up_method status brands
    event_tag checkin_date travel_start travel_end origin_airport destination_airport departing_departure_date
    departing_arrival_date returning_departure_date returning_arrival_date country city region neighborhood
    postal_code hotel_score
"""
_LISTS = """
    content_ids suggested_destinations suggested_hotels preferred_neighborhoods preferred_star_ratings
"""


def currency(value: object) -> str | None:
    """Accept an ISO 4217 code in upper case."""
    return None if type(value) is str and value in CURRENCIES else "must be an upper-case ISO 4217 currency code"


def amount(value: object) -> str | None:
    """Accept a number, or a decimal in a string, as in Snapchat's samples of `contents`."""
    return None if type(value) is str and _DECIMAL(value) else number(value)


def contents(value: object) -> str | None:
    """Accept a list of products, each with an `id` and known fields only."""
    if type(value) is not list:
        return "must be a list of products"
    for product in value:
        if type(product) is not dict or "id" not in product:
            return "must be a list of products that each have an id"
        flaw = check_fields(product, CONTENT, "product", {})
        if flaw is not None:
            return f"has a wrong product: {flaw.message}"
    return None


def custom_fields(value: object) -> str | None:
    """Accept an object whose values are strings."""
    if type(value) is dict and all(type(one) is str for one in value.values()):
        return None
    return "must be an object of strings"


CONTENT: Mapping[str, Check] = {
    "id": text,
    **dict.fromkeys(("quantity", "item_price"), amount),
    **dict.fromkeys(("brand", "delivery_category", "item_category"), string),
}
CHECKS: Mapping[str, Check] = {
    "currency": currency,
    **dict.fromkeys(("value", "predicted_ltv"), number),
    **dict.fromkeys(("num_items", "num_adults", "num_children", "num_infants"), whole),
    "contents": contents,
    "custom_fields": custom_fields,
    **dict.fromkeys(_STRINGS.split(), string),
    **dict.fromkeys(_LISTS.split(), strings),
}


def check_custom_data(event_name: object, custom_data: Mapping[str, object]) -> Flaw | None:
    """Return the first thing wrong with an event's `custom_data` (empty if it has none), or None."""
    if event_name == "PURCHASE" and not custom_data.keys() >= {"currency", "value"}:
        return Flaw(Code.PURCHASE, "custom_data", "a purchase needs value and currency")
    return check_fields(custom_data, CHECKS, "custom_data", {})
