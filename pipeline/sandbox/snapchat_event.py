"""Snapchat's rules for one event, from its using the API, parameters and verify set-up pages.

Each rule takes an event and returns a `Flaw` or None.
Invariant: the verdict depends on the event and the time alone, so the same bytes get the same answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pipeline.sandbox.forms import one_of, string, text
from pipeline.sandbox.snapchat_custom_data import check_custom_data
from pipeline.sandbox.snapchat_flaw import Check, Code, Flaw, check_fields, kind, strings
from pipeline.sandbox.snapchat_user_data import check_user_data

Event = Mapping[str, object]

DAY_S = 86_400
MAX_AGE_S = 37 * DAY_S
LATE_S = 7 * DAY_S
MAX_AHEAD_S = 60  # our assumption: Snapchat names no tolerance

APP = "MOBILE_APP"
SOURCES = ("WEB", APP, "OFFLINE")
_NAMES = """
    PURCHASE SAVE START_CHECKOUT ADD_CART VIEW_CONTENT ADD_BILLING SIGN_UP SEARCH PAGE_VIEW SUBSCRIBE AD_CLICK AD_VIEW
    COMPLETE_TUTORIAL LEVEL_COMPLETE INVITE LOGIN SHARE RESERVE ACHIEVEMENT_UNLOCKED ADD_TO_WISHLIST SPENT_CREDITS RATE
    START_TRIAL LIST_VIEW APP_INSTALL APP_OPEN
    CUSTOM_EVENT_1 CUSTOM_EVENT_2 CUSTOM_EVENT_3 CUSTOM_EVENT_4 CUSTOM_EVENT_5
"""
NAMES = frozenset(_NAMES.split())
WARNINGS: Mapping[str, str] = {
    "event_id_missing": "event_id: is missing, so a second delivery counts twice",
    "older_than_7_days": "event_time: is more than 7 days ago, which some integrations refuse",
}

_URL = re.compile(r"https?://[^\s/?#]+(?:[/?#]\S*)?", re.IGNORECASE).fullmatch


def _event_name(value: object) -> str | None:
    return None if type(value) is str and value in NAMES else "must be one of Snapchat's event names"


def _url(value: object) -> str | None:
    return None if type(value) is str and _URL(value) else "must be an http or https address"


def _options(value: object) -> str | None:
    if type(value) is list and value in ([], ["LDU"], ["LMU"]):
        return None
    return 'must be ["LDU"], ["LMU"] or an empty list'


def _flag(value: object) -> str | None:
    return None if type(value) in (int, bool) and value in (0, 1) else "must be 0 or 1"


def _one_number(*allowed: int) -> Check:
    words = " or ".join(map(str, allowed))
    return lambda value: None if type(value) is int and value in allowed else f"must be {words}"


def _extinfo(value: object) -> str | None:
    if type(value) is not list or strings(value) is not None or len(value) != 16:
        return "must be 16 strings"
    return None if value[0] in ("a2", "i2") else "must start with a2 or i2"


FIELDS: Mapping[str, Check] = {
    "event_name": _event_name,
    "event_time": kind(int, "an integer: Unix time in seconds"),
    "action_source": one_of(SOURCES),
    "event_source_url": _url,
    "event_id": text,
    "user_data": kind(dict, "an object"),
    "custom_data": kind(dict, "an object"),
    "app_data": kind(dict, "an object"),
    "data_processing_options": _options,
    "data_processing_options_country": _one_number(0, 1),
    "data_processing_options_state": _one_number(0, 1000),
    "opt_out": kind(bool, "true or false"),
    "integration": text,
    "test_event_code": text,
}
REQUIRED = ("event_name", "event_time", "action_source", "user_data")
CODES: Mapping[str, Code] = {"event_name": Code.EVENT_TYPE, "event_time": Code.TIMESTAMP}
APP_FIELDS: Mapping[str, Check] = {
    "advertiser_tracking_enabled": _flag,
    "extinfo": _extinfo,
    "app_id": text,
    **dict.fromkeys(("campaign_ids", "install_referrer", "installer_package", "windows_attribution_id"), string),
    "url_schemes": strings,
}


def check_event(event: object, now: float) -> Flaw | None:
    """Return the first thing wrong with an event at `now` (Unix seconds), or None."""
    if type(event) is not dict:
        return Flaw(Code.INVALID_FIELD, "event", "must be an object")
    return (
        _required(event, REQUIRED, "event")
        or check_fields(event, FIELDS, "event", CODES)
        or _time(event["event_time"] - now)
        or check_user_data(event["user_data"], is_app=event["action_source"] == APP)
        or check_custom_data(event["event_name"], event.get("custom_data", {}))
        or _processing_options(event)
        or _source(event)
    )


def warnings(event: Event, now: float) -> Sequence[str]:
    """Return the names of what is taken and still worth knowing; `WARNINGS` holds their texts."""
    event_time = event["event_time"]
    late = isinstance(event_time, int) and now - event_time > LATE_S
    found = {"event_id_missing": "event_id" not in event, "older_than_7_days": late}
    return [name for name, is_so in found.items() if is_so]


def _required(given: Mapping[str, object], names: Sequence[str], place: str) -> Flaw | None:
    missing = next((name for name in names if name not in given), None)
    return None if missing is None else Flaw(Code.REQUIRED_FIELD, f"{place}.{missing}", "is required")


def _time(ahead_s: float) -> Flaw | None:
    if -ahead_s > MAX_AGE_S:
        return Flaw(Code.TIMESTAMP, "event.event_time", "is too old")
    if ahead_s > MAX_AHEAD_S:
        return Flaw(Code.TIMESTAMP, "event.event_time", "is in the future")
    return None


def _processing_options(event: Event) -> Flaw | None:
    """Limited data use: the country and the state are required with it (0 leaves them to be located)."""
    if not event.get("data_processing_options"):
        return None
    return _required(event, ("data_processing_options_country", "data_processing_options_state"), "event")


def _source(event: Event) -> Flaw | None:
    if event["action_source"] != APP:
        return _required(event, ("event_source_url",), "event")
    app_data = event.get("app_data")
    if not isinstance(app_data, dict):
        return Flaw(Code.REQUIRED_FIELD, "event.app_data", "is required for an app event")
    return _required(app_data, ("advertiser_tracking_enabled", "extinfo"), "app_data") or check_fields(
        app_data, APP_FIELDS, "app_data", {}
    )
