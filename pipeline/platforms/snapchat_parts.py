"""The parts of a Snapchat event beside names, times and match keys: page, custom data, app, limits of use."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, Literal, TypedDict

from pipeline.core.contract import Activity, App, Body, Item
from pipeline.core.model import Event
from pipeline.platforms import extinfo
from pipeline.platforms.common import (
    NOTHING,
    Json,
    activity_of,
    below_zero,
    currency_of,
    items_of,
    lacks_country,
    order_of,
    shared_fault,
)
from pipeline.platforms.snapchat_keys import STRONG, STRONG_TOGETHER

Source = Literal["WEB", "MOBILE_APP", "OFFLINE"]
LimitWord = Literal["LDU", "LMU"]
Note = Literal["phone_no_country"]

PURCHASES: Final = frozenset({"PURCHASE"})
# The one state whose number is known, by the region of a consent.
_CALIFORNIA: Final = "us-ca"
_UNITED_STATES, _CALIFORNIA_NUMBER = 1, 1000


class Content(TypedDict, total=False):
    """One line of `contents`."""

    id: str
    quantity: int
    item_price: float
    brand: str
    item_category: str


def fault_of(event: Event, name: str, source: Source, url: str | None) -> str | None:
    """Return what Snapchat requires of this event and it does not have, or None. Never holds a value."""
    fault = shared_fault(event, name, PURCHASES) or below_zero(event)
    if fault is not None:
        return fault
    if source == "WEB" and url is None:
        return "a website event needs touch.url with http or https"
    return _app_fault(event.body["app"]) if source == "MOBILE_APP" else None


def _app_fault(app: App | None) -> str | None:
    """Parameters page, app_data: sixteen places, of which the first says which system it is."""
    if app is None:
        return "an app event needs app"
    return extinfo.fault_of(extinfo.given_of(app))


def unmatchable(found: Collection[str]) -> str | None:
    """Return why nobody can be matched by the keys that were found, or None. Never holds a value."""
    if STRONG.isdisjoint(found) and not STRONG_TOGETHER.issubset(found):
        return f"Snapchat cannot match a person by only: {', '.join(found) or 'nothing'}"
    return None


def notes_of(event: Event, dropped: Collection[str], country: str | None) -> tuple[Note, ...]:
    """Return what people should know of an event that is sent."""
    return ("phone_no_country",) if lacks_country(event, country, dropped, "ph") else ()


def custom_data(event: Event, name: str) -> Json:
    """Return what was bought, looked at or searched for, and what it is worth."""
    body = event.body
    data: dict[str, object] = {}
    unit = currency_of(event)
    if unit:
        data["currency"] = unit
    if body["value"] is not None:
        data["value"] = float(body["value"])
    order, activity = order_of(event), activity_of(event)
    if order is not None:
        data["order_id"] = order["order_id"]
    if activity is not None:
        _activity(activity, data)
    if name == "SIGN_UP" and event.kind == "lead":
        # Snapchat has no event for a lead: so it can be told from a registration.
        data["sign_up_method"] = "lead"
    # A line of no pieces is no line; the contract wants one at least.
    _contents([item for item in items_of(event) if item["quantity"] > 0], data)
    return {"custom_data": data} if data else NOTHING


def _activity(activity: Activity, data: dict[str, object]) -> None:
    query = (activity["query"] or "").strip()
    if query:
        data["search_string"] = query
    predicted = activity["predicted_value"]
    if predicted is not None and predicted >= 0:
        data["predicted_ltv"] = float(predicted)


def _contents(items: list[Item], data: dict[str, object]) -> None:
    if items:
        data["content_type"] = "product"
        data["content_ids"] = [item["id"].strip() for item in items]
        data["contents"] = [_content(item) for item in items]
        data["num_items"] = sum(item["quantity"] for item in items)


def _content(item: Item) -> Content:
    content: Content = {"id": item["id"].strip(), "quantity": item["quantity"]}
    price = item["unit_price"]
    if price is not None and price >= 0:
        content["item_price"] = float(price)
    if item["brand"]:
        content["brand"] = item["brand"]
    if item["category"]:
        content["item_category"] = item["category"]
    return content


def app_data(body: Body, source: Source) -> Json:
    """Return the app in which it happened, for an app event."""
    app = body["app"]
    if app is None or source != "MOBILE_APP":
        return NOTHING
    own_id = (app["app_id"] or "").strip()
    said: dict[str, object] = {"app_id": own_id} if own_id else {}
    said["advertiser_tracking_enabled"] = int(app["tracking_allowed"])
    said["extinfo"] = extinfo.filled(app)
    return {"app_data": said}


def processing(body: Body, word: LimitWord) -> Json:
    """Return the limits of use, if they were asked for or personalized ads were refused.

    A state is named together with its country, or both are left for Snapchat to find out (0).
    """
    consent = body["consent"]
    if not consent["limited_data_use"] and consent["ad_personalization"] != "DENIED":
        return NOTHING
    known = (consent["region"] or "").strip().lower() == _CALIFORNIA
    return {
        "data_processing_options": [word],
        "data_processing_options_country": _UNITED_STATES if known else 0,
        "data_processing_options_state": _CALIFORNIA_NUMBER if known else 0,
    }
