"""Meta's rules for one event, from its server event, app, offline and business messaging pages.

Each rule takes an event and returns a `Flaw` or None.
Invariant: the verdict depends on the event and the time alone, so the same bytes get the same answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from pipeline.sandbox import meta_flaw
from pipeline.sandbox.forms import one_of, string, text
from pipeline.sandbox.meta_custom_data import SEGMENTS, check_custom_data
from pipeline.sandbox.meta_flaw import SCHEMA, Flaw
from pipeline.sandbox.meta_user_data import check_user_data

Event = Mapping[str, object]

DAY_S = 86_400
MAX_AGE_S = 7 * DAY_S
MAX_STORE_AGE_S = 62 * DAY_S
MAX_AHEAD_S = 60  # our assumption: Meta names no tolerance

CHANNELS = frozenset(("whatsapp", "messenger", "instagram"))
_MESSAGING = """
    Purchase LeadSubmitted InitiateCheckout AddToCart ViewContent OrderCreated OrderShipped OrderDelivered
    OrderCanceled OrderReturned CartAbandoned QualifiedLead RatingProvided ReviewProvided
"""
MESSAGING_NAMES = frozenset(_MESSAGING.split())
_SOURCES = """
    email website app phone_call chat physical_store system_generated business_messaging other
"""
US_STATES = frozenset((0, *range(1000, 1014)))

_URL = re.compile(r"https?://[^\s/?#]+(?:[/?#]\S*)?", re.IGNORECASE).fullmatch


def _kind(wanted: type, name: str) -> Callable[[object], str | None]:
    def check(value: object) -> str | None:
        return None if type(value) is wanted else f"must be {name}"

    return check


def _url(value: object) -> str | None:
    return None if type(value) is str and _URL(value) else "must be an http or https address"


def _options(value: object) -> str | None:
    if type(value) is list and all(option == "LDU" for option in value):
        return None
    return 'must be ["LDU"] or an empty list'


FIELDS: Mapping[str, Callable[[object], str | None]] = {
    "event_name": text,
    "event_time": _kind(int, "an integer: Unix time in seconds"),
    "user_data": _kind(dict, "an object"),
    "action_source": one_of(_SOURCES.split()),
    "event_source_url": _url,
    "event_id": text,
    "custom_data": _kind(dict, "an object"),
    "opt_out": _kind(bool, "true or false"),
    "data_processing_options": _options,
    "data_processing_options_country": _kind(int, "an integer"),
    "data_processing_options_state": _kind(int, "an integer"),
    "referrer_url": string,
    "original_event_data": _kind(dict, "an object"),
    "attribution_data": _kind(dict, "an object"),
    "customer_segmentation": one_of(SEGMENTS),
    "app_data": _kind(dict, "an object"),
    "messaging_channel": one_of(CHANNELS),
    "advanced_measurement_table": string,
}
REQUIRED = ("event_name", "event_time", "user_data", "action_source")


def check_event(event: object, now: float) -> Flaw | None:
    """Return the first thing wrong with an event at `now` (Unix seconds), or None. Paths start at the event."""
    if type(event) is not dict:
        return Flaw(SCHEMA, (), "must be an object")
    return (
        _fields(event)
        or _time(event, now)
        or check_user_data(event["user_data"])
        or check_custom_data(event["event_name"], event.get("custom_data"))
        or _processing_options(event)
        or _source(event)
    )


def _fields(event: Event) -> Flaw | None:
    for name in REQUIRED:
        if name not in event:
            return Flaw(SCHEMA, (name,), "is required")
    for key, value in event.items():
        check = FIELDS.get(key)
        wrong = check(value) if check is not None else "is not a server event parameter"
        if wrong is not None:
            return Flaw(SCHEMA, (key,), wrong)
    return None


def _time(event: Event, now: float) -> Flaw | None:
    event_time = event["event_time"]
    if not isinstance(event_time, int):
        return None
    limit = MAX_STORE_AGE_S if event["action_source"] == "physical_store" else MAX_AGE_S
    if now - event_time > limit:
        return Flaw(meta_flaw.TOO_OLD, ("event_time",), "is too old")
    if event_time - now > MAX_AHEAD_S:
        return Flaw(None, ("event_time",), "is in the future")
    return None


def _processing_options(event: Event) -> Flaw | None:
    """Limited data use: country is required with it, and a state with a country (1 USA, 0 to be located)."""
    if not event.get("data_processing_options"):
        return None
    if event.get("data_processing_options_country") not in (0, 1):
        return Flaw(SCHEMA, ("data_processing_options_country",), "must be 0 or 1 with LDU")
    if event.get("data_processing_options_state") not in US_STATES:
        return Flaw(SCHEMA, ("data_processing_options_state",), "must be 0 or a state with LDU")
    return None


def _source(event: Event) -> Flaw | None:
    match event["action_source"]:
        case "website":
            return _website(event)
        case "app":
            return _app(event.get("app_data"))
        case "business_messaging":
            return _messaging(event)
        case _:
            return None


def _website(event: Event) -> Flaw | None:
    if "event_source_url" not in event:
        return Flaw(SCHEMA, ("event_source_url",), "is required for a website event")
    if "client_user_agent" not in _user_data(event):
        return Flaw(SCHEMA, ("user_data", "client_user_agent"), "is required for a website event")
    return None


def _app(app_data: object) -> Flaw | None:
    if not isinstance(app_data, dict):
        return Flaw(SCHEMA, ("app_data",), "is required for an app event")
    for flag in ("advertiser_tracking_enabled", "application_tracking_enabled"):
        value = app_data.get(flag)
        if type(value) not in (int, bool) or value not in (0, 1):
            return Flaw(SCHEMA, ("app_data", flag), "must be 0 or 1")
    extinfo = app_data.get("extinfo")
    place = ("app_data", "extinfo")
    if type(extinfo) is not list or len(extinfo) != 16 or not all(type(item) is str for item in extinfo):
        return Flaw(meta_flaw.BAD_EXTINFO, place, "must be 16 strings")
    if extinfo[0] not in ("a2", "i2") or not extinfo[4]:
        return Flaw(meta_flaw.BAD_EXTINFO, place, "must start with a2 or i2 and name the OS version")
    return None


def _messaging(event: Event) -> Flaw | None:
    channel = event.get("messaging_channel")
    if channel is None:
        return Flaw(meta_flaw.CHANNEL_MISSING, ("messaging_channel",), "is required")
    if event["event_name"] not in MESSAGING_NAMES:
        return Flaw(meta_flaw.MESSAGING_NAME, ("event_name",), "is not allowed for messaging")
    given = _user_data(event)
    if channel == "whatsapp" and "ctwa_clid" not in given:
        return Flaw(meta_flaw.CLICK_ID, ("user_data", "ctwa_clid"), "is required")
    if channel == "messenger" and "page_id" not in given:
        return Flaw(meta_flaw.PAGE_MISSING, ("user_data", "page_id"), "is required")
    for names in CHANNEL_KEYS[str(channel)]:
        if given.keys().isdisjoint(names):
            return Flaw(SCHEMA, ("user_data", names[0]), f"is required for {channel}")
    return None


# For each channel the keys it needs; several names for one thing come from two pages that disagree.
CHANNEL_KEYS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "whatsapp": (("whatsapp_business_account_id",), ("ctwa_clid",)),
    "messenger": (("page_id",), ("page_scoped_user_id",)),
    "instagram": (("instagram_business_account_id", "ig_account_id"), ("ig_sid",)),
}


def _user_data(event: Event) -> dict[str, object]:
    user_data = event["user_data"]
    return user_data if isinstance(user_data, dict) else {}
