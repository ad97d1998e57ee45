"""TikTok's rules for `properties`: money and products.

Invariant: properties of the sender's own are free; only those that TikTok names are checked.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.sandbox.forms import CURRENCIES, DELIVERY
from pipeline.sandbox.tiktok_flaw import Flaw
from pipeline.sandbox.tiktok_value import Check, amount, fields, integer, list_of, number, one_of, positive, text

MONEY_EVENTS = frozenset(("Purchase", "CompletePayment", "PlaceAnOrder"))


CONTENT: Mapping[str, Check] = {
    **dict.fromkeys(("content_id", "content_name", "content_category", "brand"), text),
    "price": amount,
    "quantity": positive,
}
PROPERTIES: Mapping[str, Check] = {
    "currency": one_of(CURRENCIES),
    "value": amount,
    "contents": list_of(fields(CONTENT, required=("content_id",))),
    "content_type": one_of(("product", "product_group")),
    "content_ids": list_of(text),
    "num_items": integer,
    **dict.fromkeys(("order_id", "shop_id", "query", "search_string", "description", "status"), text),
    "delivery_category": one_of(DELIVERY),
    "predicted_ltv": number,
}
properties = fields(PROPERTIES, known_only=False)


def check_money(event_name: object, given: Mapping[str, object]) -> Flaw | None:
    """Return what valid properties (none: empty) lack for their event, or have once too often, or None."""
    if "contents" in given and "content_ids" in given:
        return Flaw("not together with contents", place=("properties", "content_ids"))
    if event_name in MONEY_EVENTS and "value" not in given:
        return Flaw("missing", place=("properties", "value"))
    if "value" in given and "currency" not in given:
        return Flaw("missing", place=("properties", "currency"))
    return None
