"""The parts of a Meta event beside names, times and match keys: page, custom data, app, messaging, processing flags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypedDict

from pipeline.core.contract import Activity, App, Body, Item, Lead
from pipeline.core.model import Event
from pipeline.core.normalize.network import fbc
from pipeline.platforms.common import activity_of, items_of, lead_of, order_of

EXTINFO_ITEMS: Final = 16
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

Json = Mapping[str, object]
_NOTHING: Final[Json] = {}
_SYSTEMS: Final = ("a2", "i2")


class Content(TypedDict, total=False):
    """One line of `contents`."""

    id: str
    quantity: int
    item_price: float
    title: str
    brand: str
    category: str


def fault_of(event: Event) -> str | None:
    """Return what is wrong with the id or with the lead or app part, or None."""
    body = event.body
    if event.id.isspace():
        return "event_id is blank"
    lead = lead_of(event)
    if lead is not None:
        # crm-integration page: without the CRM's name the event is accepted and never counted.
        if lead["action_source"] == "SYSTEM" and not (lead["crm"] or "").strip():
            return "a lead from a CRM (action source SYSTEM) needs crm, the CRM's name"
        if lead["meta_lead_id"] and not lead["meta_lead_id"].strip().isdecimal():
            return "meta_lead_id is not a number"
    app = body["app"]
    return _app_fault(app) if body["action_source"] == "APP" and app is not None else None


def _app_fault(app: App) -> str | None:
    """app-events page: sixteen places, of which the first (which system) and the fifth (its version) are required."""
    given = _extinfo(app)
    if len(given) > EXTINFO_ITEMS:
        return f"app.extinfo has more than {EXTINFO_ITEMS} items"
    if given[0] not in _SYSTEMS:
        return "app.extinfo must begin with a2 (Android) or i2 (iOS)"
    if len(given) < 5 or not given[4].strip():
        return "an app event needs app.os_version, or the fifth item of app.extinfo"
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
    return {"referrer_url": referrer} if referrer else _NOTHING


def custom_data(event: Event) -> Json:
    """Return what was bought or which stage the lead reached."""
    body = event.body
    data: dict[str, object] = {}
    if body["value"] is not None:
        # custom-data page: a JSON number, in units of the currency.
        data["value"] = float(body["value"])
    if body["currency"]:
        data["currency"] = body["currency"].strip().upper()
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
    return data


def _activity(activity: Activity, data: dict[str, object]) -> None:
    if activity["query"]:
        data["search_string"] = activity["query"]
    if activity["predicted_value"] is not None:
        data["predicted_ltv"] = float(activity["predicted_value"])


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


def _extinfo(app: App) -> list[str]:
    """Return the device facts as they were given, or as many as the app's own fields make."""
    return app["extinfo"] or [
        "a2" if app["os"] == "ANDROID" else "i2",
        app["app_id"] or "",
        app["app_version"] or "",
        app["app_version"] or "",
        app["os_version"] or "",
    ]


def _app_data(app: App) -> Json:
    given = _extinfo(app)
    tracking = int(app["tracking_allowed"])
    return {
        "advertiser_tracking_enabled": tracking,
        "application_tracking_enabled": tracking,
        # app-events page: sixteen places, an unknown one is empty text, never null.
        "extinfo": [*given, *[""] * (EXTINFO_ITEMS - len(given))],
    }
