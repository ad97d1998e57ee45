"""The parts of a Meta event beside names, times and match keys: page, custom data, app, messaging, processing flags."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, TypedDict

from pipeline.core.contract import Activity, App, Body, Item, Lead, Messaging
from pipeline.core.model import Event
from pipeline.core.normalize.network import fbc
from pipeline.platforms import extinfo
from pipeline.platforms.common import (
    NOTHING,
    Json,
    activity_of,
    currency_of,
    items_of,
    lead_of,
    order_of,
    shared_fault,
)
from pipeline.platforms.meta_keys import TOO_BROAD

PURCHASES: Final = frozenset({"Purchase"})
# business-messaging page: the closed list of names.
ALLOWED_IN_MESSAGING: Final = frozenset(
    "Purchase LeadSubmitted InitiateCheckout AddToCart ViewContent OrderCreated OrderShipped OrderDelivered "
    "OrderCanceled OrderReturned CartAbandoned QualifiedLead RatingProvided ReviewProvided".split()
)
# business-messaging page: the ids that each channel needs, by their names in user_data.
MESSAGING_KEYS: Final[Mapping[str, tuple[str, str]]] = {
    "WHATSAPP": ("whatsapp_business_account_id", "ctwa_clid"),
    "MESSENGER": ("page_id", "page_scoped_user_id"),
    "INSTAGRAM": ("ig_account_id", "ig_sid"),
}
# server-event page, limited data use: states that may be named with country 1 (USA).
LIMITED_STATES: Final[Mapping[str, int]] = {
    "ca": 1000,
    "co": 1001,
    "ct": 1002,
    "fl": 1003,
    "or": 1004,
    "tx": 1005,
    "mt": 1006,
    "de": 1007,
    "ne": 1008,
    "nh": 1009,
    "nj": 1010,
    "mn": 1011,
    "md": 1012,
    "ri": 1013,
}
_SEGMENTS: Final[Mapping[str, str]] = {
    "NEW": "new_customer_to_business",
    "RETURNING": "existing_customer_to_business",
}


class Content(TypedDict, total=False):
    """One line of `contents`."""

    id: str
    quantity: int
    item_price: float
    title: str
    brand: str
    category: str


def fault_of(event: Event, name: str, url: str | None, found: Collection[str]) -> str | None:
    """Return what Meta requires of this event and it does not have, or None. Never holds a value.

    `found` are the match keys that stood their rules.
    """
    return shared_fault(event, name, PURCHASES) or _fault_at(event.body, name, url, found) or _lead_fault(event)


def _fault_at(body: Body, name: str, url: str | None, found: Collection[str]) -> str | None:
    """Return what the place where it happened requires."""
    match body["action_source"]:
        case "WEBSITE":
            if url is None:
                return "a website event needs touch.url with http or https"
            if "client_user_agent" not in found:
                return "a website event needs touch.user_agent"
        case "APP":
            return _app_fault(body["app"])
        case "MESSAGING":
            return _conversation_fault(body["messaging"], name, found)
        case _:
            pass
    return None


def _app_fault(app: App | None) -> str | None:
    """app-events page: sixteen places, of which the first (which system) and the fifth (its version) are required."""
    if app is None:
        return "an app event needs app"
    given = extinfo.given_of(app)
    fault = extinfo.fault_of(given)
    if fault is None and (len(given) < 5 or not given[4].strip()):
        return "an app event needs app.os_version, or the fifth item of app.extinfo"
    return fault


def _conversation_fault(messaging: Messaging | None, name: str, found: Collection[str]) -> str | None:
    """Return what Meta's business messaging requires."""
    if messaging is None:
        return "a messaging event needs messaging.channel"
    if name not in ALLOWED_IN_MESSAGING:
        return f"Meta takes no {name} from business messaging"
    channel = messaging["channel"]
    missing = [key for key in MESSAGING_KEYS[channel] if key not in found]
    return f"{channel} needs {' and '.join(missing)} from messaging, in Meta's form" if missing else None


def _lead_fault(event: Event) -> str | None:
    lead = lead_of(event)
    if lead is None:
        return None
    # crm-integration page: without the CRM's name the event is accepted and never counted.
    if lead["action_source"] == "SYSTEM" and not (lead["crm"] or "").strip():
        return "a lead from a CRM (action source SYSTEM) needs crm, the CRM's name"
    if lead["meta_lead_id"] and not lead["meta_lead_id"].strip().isdecimal():
        return "meta_lead_id is not a number"
    return None


def unmatchable(found: Mapping[str, object]) -> str | None:
    """Return why nobody can be matched by the keys that were found, or None. Never holds a value."""
    if any(found.keys() <= weak for weak in TOO_BROAD):
        return f"Meta cannot match a person by only: {', '.join(found) or 'nothing'}"
    return None


def click_after_event(body: Body) -> bool:
    """Whether fbc would be built from a click that is said to have come after the event."""
    touch = body["touch"]
    seen = touch["fbclid_seen_at"]
    return seen is not None and seen > body["occurred_at"] and fbc(touch["fbc"] or "") is None


def page(url: str | None, referrer: str | None) -> Json:
    """Return where it happened: the page's web address and the referrer, as they are."""
    if url and referrer:
        return {"event_source_url": url, "referrer_url": referrer}
    if url:
        return {"event_source_url": url}
    return {"referrer_url": referrer} if referrer else NOTHING


def custom_data(event: Event) -> Json:
    """Return what was bought or which stage the lead reached."""
    body = event.body
    data: dict[str, object] = {}
    if body["value"] is not None:
        # custom-data page: a JSON number, in units of the currency.
        data["value"] = float(body["value"])
    unit = currency_of(event)
    if unit:
        data["currency"] = unit
    order, lead, activity = order_of(event), lead_of(event), activity_of(event)
    if order is not None:
        data["order_id"] = order["order_id"]
    if lead is not None:
        _lead(lead, data)
    if activity is not None:
        _activity(activity, data)
    _contents(items_of(event), data)
    segment = _SEGMENTS.get(body["customer"]["type"])
    if segment is not None:
        data["customer_segmentation"] = segment
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
        data["content_ids"] = [item["id"] for item in items]
        data["contents"] = [_content(item) for item in items]


def _content(item: Item) -> Content:
    content: Content = {"id": item["id"], "quantity": item["quantity"]}
    if item["unit_price"] is not None:
        content["item_price"] = float(item["unit_price"])
    if item["title"]:
        content["title"] = item["title"]
    if item["brand"]:
        content["brand"] = item["brand"]
    if item["category"]:
        content["category"] = item["category"]
    return content


def _lead(lead: Lead, data: dict[str, object]) -> None:
    if lead["action_source"] == "SYSTEM":
        # crm-integration page, step 3: both keys, or the event never counts for Conversion Leads.
        data["event_source"] = "crm"
        data["lead_event_source"] = lead["crm"]


def processing(body: Body) -> Json:
    """Return the flags: messaging channel, app data, opt-out and limited data use."""
    flags: dict[str, object] = {}
    if body["messaging"] is not None and body["action_source"] == "MESSAGING":
        flags["messaging_channel"] = body["messaging"]["channel"].lower()
    if body["app"] is not None and body["action_source"] == "APP":
        flags["app_data"] = _app_data(body["app"])
    consent = body["consent"]
    if consent["ad_personalization"] == "DENIED":
        # server-event page, opt_out: attribution only, no use for ad delivery.
        flags["opt_out"] = True
    if consent["limited_data_use"] is not None:
        flags.update(_limited(consent["region"]) if consent["limited_data_use"] else {"data_processing_options": []})
    return flags


def _limited(region: str | None) -> Json:
    """Name country and state only together: a country without a state makes Meta guess both (server-event page)."""
    nation, _, state = (region or "").lower().partition("-")
    known = LIMITED_STATES.get(state) if nation == "us" else None
    return {
        "data_processing_options": ["LDU"],
        "data_processing_options_country": 0 if known is None else 1,
        "data_processing_options_state": known or 0,
    }


def _app_data(app: App) -> Json:
    tracking = int(app["tracking_allowed"])
    return {
        "advertiser_tracking_enabled": tracking,
        "application_tracking_enabled": tracking,
        "extinfo": extinfo.filled(app),
    }
