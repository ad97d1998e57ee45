"""Meta's rules for `custom_data`, from its custom data parameters page.

Invariant: custom keys of the user's own are free; only the standard keys are checked.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.sandbox.forms import CURRENCIES, DELIVERY, Check, number, one_of, string, whole
from pipeline.sandbox.meta_flaw import PURCHASE_INCOMPLETE, SCHEMA, Flaw

SEGMENTS = frozenset(
    f"{prefix}_{area}"
    for prefix in ("new_customer_to", "existing_customer_to")
    for area in ("business", "business_line", "product_area", "medium")
) | {"customer_in_loyalty_program"}


def currency(value: object) -> str | None:
    """Accept a three-letter ISO 4217 code in either case."""
    return None if type(value) is str and value.upper() in CURRENCIES else "must be an ISO 4217 currency code"


def content_ids(value: object) -> str | None:
    """Accept a list of product ids, strings or integers."""
    if type(value) is list and all(type(one) is str or type(one) is int for one in value):
        return None
    return "must be a list of product ids"


CONTENT: Mapping[str, Check] = {
    "quantity": number,
    "item_price": number,
    "price": number,
    "delivery_category": one_of(DELIVERY),
    **dict.fromkeys(("title", "description", "brand", "category"), string),
}


def contents(value: object) -> str | None:
    """Accept a list of products, each with an `id` and fields of the right type."""
    if type(value) is not list:
        return "must be a list of products"
    for product in value:
        if type(product) is not dict or type(product.get("id")) not in (str, int) or product["id"] == "":
            return "must be a list of products that each have an id"
        for key, detail in product.items():
            check = CONTENT.get(key)
            wrong = check(detail) if check is not None else None
            if wrong is not None:
                return f"has a product whose {key} {wrong}"
    return None


CHECKS: Mapping[str, Check] = {
    "value": number,
    "currency": currency,
    "contents": contents,
    "content_ids": content_ids,
    "content_type": one_of(("product", "product_group")),
    "num_items": whole,
    "delivery_category": one_of(DELIVERY),
    "customer_segmentation": one_of(SEGMENTS),
    **dict.fromkeys(("predicted_ltv", "net_revenue"), number),
    **dict.fromkeys(("content_name", "content_category", "order_id", "item_number", "search_string"), string),
}


def check_custom_data(event_name: object, custom_data: object) -> Flaw | None:
    """Return the first thing wrong with an event's `custom_data` (None if it has none), or None."""
    if custom_data is not None and type(custom_data) is not dict:
        return Flaw(SCHEMA, ("custom_data",), "must be an object")
    given: dict[str, object] = custom_data or {}
    if event_name == "Purchase" and ("value" not in given or "currency" not in given):
        return Flaw(PURCHASE_INCOMPLETE, ("custom_data",), "a purchase needs value and currency")
    for key, value in given.items():
        check = CHECKS.get(key)
        wrong = check(value) if check is not None else None
        if wrong is not None:
            return Flaw(SCHEMA, ("custom_data", key), wrong)
    return None
