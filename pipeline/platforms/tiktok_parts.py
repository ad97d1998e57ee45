"""The parts of a TikTok event beside names, times and match keys: page, properties, lead, app, limits of use."""

from __future__ import annotations

from collections.abc import Collection, KeysView, Mapping
from typing import Final, Literal, TypedDict, cast

from pipeline.core.contract import Activity, Body, Item, Lead, Order
from pipeline.core.identify import Value
from pipeline.core.model import Event
from pipeline.platforms.common import (
    NOTHING,
    Json,
    below_zero,
    currency_of,
    is_said,
    items_of,
    lacks_country,
    shared_fault,
    web_address,
)
from pipeline.platforms.tiktok_keys import STRONG, STRONG_IN_CRM, STRONG_TOGETHER

# Names of one event at different times; all of them are money, and an amount without a currency is none.
PURCHASES: Final = frozenset({"Purchase", "CompletePayment", "PlaceAnOrder"})
# The event sources whose events can carry `limited_data_use`.
LIMITABLE: Final = frozenset({"web", "app"})

Note = Literal["phone_no_country", "no_page_url"]


class Content(TypedDict, total=False):
    """One line of `contents`."""

    content_id: str
    content_name: str
    content_category: str
    brand: str
    price: float
    quantity: int


def fault_of(event: Event, name: str) -> str | None:
    """Return what TikTok requires of this event and it does not have, or None. Never holds a value."""
    return shared_fault(event, name, PURCHASES) or below_zero(event)


def unmatchable(source: str, found: KeysView[str]) -> str | None:
    """Return why nobody can be matched by the keys that were found, or None. Never holds a value."""
    if source == "crm":
        enough = not STRONG_IN_CRM.isdisjoint(found)
    else:
        enough = not STRONG.isdisjoint(found) or found >= STRONG_TOGETHER
    return None if enough else f"TikTok cannot match a person by only: {', '.join(found) or 'nothing'}"


def notes_of(event: Event, source: str, dropped: Collection[str], country: str | None) -> tuple[Note, ...]:
    """Return what people should know of an event that is sent."""
    notes: tuple[Note, ...] = ("phone_no_country",) if lacks_country(event, country, dropped, "phone") else ()
    no_page = source == "web" and web_address(event.body["touch"]["url"]) is None
    return (*notes, "no_page_url") if no_page else notes


def place(event: Event, source: str, user: dict[str, Value]) -> Json:
    """Return the page, the app or the lead; some of what `user` holds or lacks belongs to these, and is moved."""
    match source:
        case "web":
            return _page(event)
        case "app":
            user.update(_tracking(event))
            return _app(event)
        case "crm":
            return _lead(event, user.pop("lead_id", None))
        case _:
            return NOTHING


def _page(event: Event) -> Json:
    # What is no web address is left out.
    touch = event.body["touch"]
    url, referrer = web_address(touch["url"]), web_address(touch["referrer"])
    if url and referrer:
        return {"page": {"url": url, "referrer": referrer}}
    if url:
        return {"page": {"url": url}}
    return {"page": {"referrer": referrer}} if referrer else NOTHING


def _app(event: Event) -> Json:
    app = event.body["app"]
    if app is None:
        return NOTHING
    given = {"app_id": app["app_id"], "app_name": app["app_name"], "app_version": app["app_version"]}
    said = {name: text.strip() for name, text in given.items() if is_said(text)}
    return {"app": said} if said else NOTHING


def _tracking(event: Event) -> Mapping[str, str]:
    """Return what the person answered to Apple's question, which nobody asks on Android."""
    app = event.body["app"]
    if app is None:
        return {}
    if app["os"] == "ANDROID":
        return {"att_status": "NOT_APPLICABLE"}
    return {"att_status": "AUTHORIZED" if app["tracking_allowed"] else "DENIED"}


def _lead(event: Event, lead_id: Value | None) -> Json:
    crm = (cast("Lead", event.body)["crm"] or "").strip()
    said: dict[str, object] = {}
    if lead_id is not None:
        said["lead_id"] = lead_id
    if crm:
        said["lead_event_source"] = crm
    return {"lead": said} if said else NOTHING


def custom_data(event: Event) -> Json:
    """Return the `properties`: what was bought, looked at or searched for, and what it is worth."""
    said: dict[str, object] = {}
    unit = currency_of(event)
    if unit:
        said["currency"] = unit
    value = event.body["value"]
    if value is not None:
        said["value"] = float(value)
    contents = [_content(item, priced=bool(unit)) for item in items_of(event) if item["quantity"] > 0]
    if contents:
        said["content_type"] = "product"
        said["contents"] = contents
    if event.kind == "order":
        said["order_id"] = cast("Order", event.body)["order_id"]
    elif event.kind == "activity":
        _activity(cast("Activity", event.body), said)
    return {"properties": said} if said else NOTHING


def _content(item: Item, *, priced: bool) -> Content:
    # A numeric id or a price as text is refused (rud, react-native-tiktok-business-sdk #30).
    content: Content = {"content_id": item["id"]}
    if is_said(item["title"]):
        content["content_name"] = item["title"]
    if is_said(item["category"]):
        content["content_category"] = item["category"]
    if is_said(item["brand"]):
        content["brand"] = item["brand"]
    price = item["unit_price"]
    # Without a currency a price says nothing, or something wrong.
    if priced and price is not None and price >= 0:
        content["price"] = float(price)
    content["quantity"] = item["quantity"]
    return content


def _activity(activity: Activity, said: dict[str, object]) -> None:
    query = (activity["query"] or "").strip()
    if query:
        said["query"] = query
    predicted = activity["predicted_value"]
    if predicted is not None and predicted >= 0:
        said["predicted_ltv"] = float(predicted)


def limited(body: Body, source: str) -> bool:
    """Whether the use of the data is to be limited.

    It was asked for, or personalized ads were refused, in an app also by not allowing to track.
    """
    consent, app = body["consent"], body["app"] if source == "app" else None
    untracked = app is not None and not app["tracking_allowed"]
    return consent["limited_data_use"] is True or consent["ad_personalization"] == "DENIED" or untracked
