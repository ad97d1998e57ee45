"""Pinterest's rules for one event that its schema cannot say; a breach fails that event and no other.

Invariant: it is called with events that fit the schema only.
Invariant: the verdict depends on the event and the time alone, and no text repeats a value that was sent.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pipeline.sandbox.forms import CURRENCIES, WORTHLESS
from pipeline.sandbox.pinterest_schema import FLAT_APP, HASHED

Record = Mapping[str, object]
Form = tuple[Callable[[str], object], str]

MAX_AGE_S = 7 * 86_400
MAX_AHEAD_S = 300  # our assumption: Pinterest names no tolerance
OFFLINE_AFTER_S = 3_600

SOURCES = frozenset(("web", "app_android", "app_ios", "offline"))
_IN_SPECIFICATION = """
    add_payment_info add_to_cart add_to_wishlist app_install checkout custom initiate_checkout lead page_visit search
    signup subscribe view_category view_content watch_video
"""
_IN_GUIDE = """
    app_open contact customize_product find_location schedule start_trial submit_application
"""
NAMES = frozenset(_IN_SPECIFICATION.split())
GUIDE_NAMES = frozenset(_IN_GUIDE.split())
OPT_OUT_TYPES = frozenset(("LDP",))
BY_INSTRUCTION_ONLY = ("np", "external_measurement_id", "external_measurement_vendor_id")

_SHA256 = re.compile(r"[0-9a-f]{64}").fullmatch
_ANY_SHA256 = re.compile(r"[0-9A-Fa-f]{64}").fullmatch
_AMOUNT = re.compile(r"[0-9]+(?:\.[0-9]+)?").fullmatch
_URL = re.compile(r"https?://[^\s/?#]+(?:[/?#]\S*)?", re.IGNORECASE).fullmatch
_LANGUAGE = re.compile(r"[a-z]{2}").fullmatch
_PARTNER = re.compile(r"ss-[a-z0-9_-]+").fullmatch


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why one event fails. `sender_fault` names a mistake that only a bug in the sender can make."""

    message: str
    sender_fault: str | None = None


def _filled(value: str) -> bool:
    return bool(value.strip())


def _clear(value: str) -> bool:
    return _filled(value) and not _ANY_SHA256(value.strip())


def _click_id(value: str) -> bool:
    return _clear(value) and not any(map(str.isspace, value))


def _address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return "%" not in value


_TEXT: Form = (_filled, "Must not be blank")
_MONEY: Form = (_AMOUNT, "Must be a decimal number in plain digits")
_HASH: Form = (_SHA256, "Must hold SHA-256 hashes of 64 lower-case hexadecimal digits")
_CLEAR: Form = (_clear, "Must be clear text, neither blank nor hashed")

EVENT_FORMS: Mapping[str, Form] = {
    "event_name": ((NAMES | GUIDE_NAMES).__contains__, "Must be one of the documented names"),
    "action_source": (SOURCES.__contains__, "Must be web, app_android, app_ios or offline"),
    "event_id": _TEXT,
    "event_source_url": (_URL, "Must be an http or https address"),
    "language": (_LANGUAGE, "Must be an ISO 639-1 code of two lower-case letters"),
    "partner_name": (_PARTNER, "Must be ss- and a name in lower case"),
    **dict.fromkeys(FLAT_APP, _TEXT),
}
USER_FORMS: Mapping[str, Form] = {
    **dict.fromkeys(HASHED, _HASH),
    "client_ip_address": (_address, "Must be an IPv4 or IPv6 address"),
    "click_id": (_click_id, "Must be clear text without spaces, neither blank nor hashed"),
    **dict.fromkeys(("client_user_agent", "partner_id"), _CLEAR),
}
CUSTOM_FORMS: Mapping[str, Form] = {
    "currency": (CURRENCIES.__contains__, "Must be an ISO 4217 code in upper case"),
    "opt_out_type": (OPT_OUT_TYPES.__contains__, "Must be LDP"),
    **dict.fromkeys(("value", "predicted_ltv"), _MONEY),
    **dict.fromkeys(("content_ids", "order_id", "search_string"), _TEXT),
    **dict.fromkeys(("content_name", "content_category", "content_brand"), _TEXT),
}
CONTENT_FORMS: Mapping[str, Form] = {
    "item_price": _MONEY,
    **dict.fromkeys(("id", "item_name", "item_category", "item_brand"), _TEXT),
}


def check_event(event: Record, now: float) -> Flaw | None:
    """Return the first thing wrong with an event at `now` (Unix seconds), or None."""
    user_data, custom_data = _inner(event, "user_data"), _inner(event, "custom_data")
    return (
        _time(event, now)
        or _forms(event, EVENT_FORMS)
        or _worthless(user_data)
        or _forms(user_data, USER_FORMS)
        or _custom_data(custom_data)
        or _limited_data(custom_data, user_data)
    )


def notices(event: Record, now: float) -> list[str]:
    """Name what is wrong with an event that Pinterest takes all the same.

    `late_as_offline`: reported as offline, because it arrived more than an hour after it occurred.
    `event_name_not_in_spec`: a name that only the guide knows. `currency_assumed`: a value without a currency is read
    in the currency of the account. `web_without_url`, `app_unnamed`: what is recommended for the source is missing.
    """
    custom_data, source, event_time = _inner(event, "custom_data"), event["action_source"], event["event_time"]
    app = (_inner(event, "app_info").get("app_id"), _inner(event, "app_info").get("app_name"))
    found = {
        "late_as_offline": source != "offline" and type(event_time) is int and now - event_time > OFFLINE_AFTER_S,
        "event_name_not_in_spec": event["event_name"] in GUIDE_NAMES,
        "currency_assumed": custom_data.get("value") is not None and custom_data.get("currency") is None,
        "web_without_url": source == "web" and event.get("event_source_url") is None,
        "app_unnamed": source in ("app_android", "app_ios")
        and not any((*app, event.get("app_id"), event.get("app_name"))),
    }
    return [name for name, holds in found.items() if holds]


def _inner(event: Record, name: str) -> Record:
    value = event.get(name)
    return value if isinstance(value, dict) else {}


def _wrong(name: str, note: str) -> Flaw:
    return Flaw(f"Invalid {name} parameter. {note}.")


def _time(event: Record, now: float) -> Flaw | None:
    event_time = event["event_time"]
    if type(event_time) is not int:
        return None
    if now - event_time > MAX_AGE_S:
        return _wrong("event_timestamp", f"Given timestamp is in the past. Current timestamp: {int(now)}")
    if event_time - now > MAX_AHEAD_S:
        return _wrong("event_timestamp", f"Given timestamp is in the future. Current timestamp: {int(now)}")
    return None


def _forms(record: Record, forms: Mapping[str, Form]) -> Flaw | None:
    for name, (fits, note) in forms.items():
        value = record.get(name)
        values = value if type(value) is list else (value,)
        if not values:
            return _wrong(name, "Must not be an empty list")
        if any(type(one) is str and not fits(one) for one in values):
            return _wrong(name, note)
    return None


def _worthless(user_data: Record) -> Flaw | None:
    for name in HASHED:
        values = user_data.get(name)
        for one in values if type(values) is list else ():
            if one in WORTHLESS:
                fault = WORTHLESS[one]
                flaw = _wrong(name, f"It is the {fault.replace('_', ' ')}, which identifies nobody")
                return Flaw(f"[sandbox: {fault}] {flaw.message}", fault)
    return None


def _custom_data(custom_data: Record) -> Flaw | None:
    for name in BY_INSTRUCTION_ONLY:
        if custom_data.get(name) is not None:
            return _wrong(name, "It is for use by Pinterest's instruction only")
    flaw = _forms(custom_data, CUSTOM_FORMS) or _count(custom_data, "num_items")
    contents = custom_data.get("contents")
    if flaw is not None or type(contents) is not list:
        return flaw
    if not contents:
        return _wrong("contents", "Must not be an empty list")
    for content in contents:
        flaw = flaw or _forms(content, CONTENT_FORMS) or _count(content, "quantity")
    return flaw


def _count(record: Record, name: str) -> Flaw | None:
    value = record.get(name, 0)
    return _wrong(name, "Must be zero or more") if type(value) is int and value < 0 else None


def _limited_data(custom_data: Record, user_data: Record) -> Flaw | None:
    """Limited data processing takes a state and a country beside the flag; else Pinterest would ignore the flag."""
    if custom_data.get("opt_out_type") is None or user_data.keys() >= {"st", "country"}:
        return None
    return _wrong("opt_out_type", "LDP needs st and country")
