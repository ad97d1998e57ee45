"""Pinterest's published schema of the body: which keys there are, and of what type.

Source: operation `events/create` of Pinterest's API description 5.23.0.
One violation refuses the whole request, and the answer does not say which event it was.
Invariant: what is wrong is said without any value; an unexpected key is named only if it is a plain word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping

Check = Callable[[object], str | None]

MAX_EVENTS = 1000
INT64 = 2**63

_PLAIN_KEY = re.compile(r"[a-z_]{1,64}").fullmatch


def _text(longest: int | None = None) -> Check:
    def check(value: object) -> str | None:
        if type(value) is not str:
            return _not_of_type("string")
        return "a string is too long" if longest is not None and len(value) > longest else None

    return check


def _integer(least: int = -INT64, most: int = INT64 - 1) -> Check:
    def check(value: object) -> str | None:
        if type(value) is not int:
            return _not_of_type("integer")
        return None if least <= value <= most else "an integer is outside of its range"

    return check


def _boolean(value: object) -> str | None:
    return None if type(value) is bool else _not_of_type("boolean")


def _nullable(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


def _one_of(allowed: Collection[str]) -> Check:
    return lambda value: None if type(value) is str and value in allowed else "a value is not one of the enum"


def _list_of(item: Check, most: int | None = None, least: int = 0) -> Check:
    def check(value: object) -> str | None:
        if type(value) is not list:
            return _not_of_type("array")
        if len(value) < least:
            return "an array is too short"
        if most is not None and len(value) > most:
            return "an array is too long"
        return _first(item(one) for one in value)

    return check


def _record(fields: Mapping[str, Check], required: Collection[str] = ()) -> Check:
    def check(value: object) -> str | None:
        if type(value) is not dict:
            return _not_of_type("object")
        for key in value:
            if key not in fields:
                return _unexpected(key)
        for name in required:
            if name not in value:
                return f"'{name}' is a required property"
        return _first(fields[key](one) for key, one in value.items())

    return check


def _first(wrongs: Iterable[str | None]) -> str | None:
    return next((wrong for wrong in wrongs if wrong is not None), None)


def _not_of_type(name: str) -> str:
    return f"a value is not of type '{name}'"


def _unexpected(key: str) -> str:
    named = f" ('{key}' was unexpected)" if _PLAIN_KEY(key) else ""
    return f"Additional properties are not allowed{named}"


HASHED = ("em", "ph", "fn", "ln", "ct", "st", "zp", "country", "ge", "db", "external_id", "hashed_maids")
FLAT_APP = "app_id app_name app_version device_brand device_carrier device_model device_type os_version".split()

_NAME, _LONG_NAME = _text(100), _text(200)
_STORAGE_GB, _PIXELS = _integer(0, 1_048_576), _integer(0, 30_720)

_USER_DATA = _record(
    {
        **dict.fromkeys(HASHED, _list_of(_text())),
        **dict.fromkeys(("client_ip_address", "client_user_agent"), _text()),
        **dict.fromkeys(("click_id", "partner_id"), _nullable(_text())),
    }
)


def _user_data(value: object) -> str | None:
    wrong = _USER_DATA(value)
    if wrong is not None or type(value) is not dict:
        return wrong
    if "em" in value or "hashed_maids" in value or value.keys() >= {"client_ip_address", "client_user_agent"}:
        return None
    return "user_data is not valid under any of the given schemas"


_CONTENT: Mapping[str, Check] = {
    **dict.fromkeys(("id", "item_name", "item_category", "item_brand", "item_price"), _text()),
    "quantity": _integer(),
}
_CUSTOM_TEXTS = """
    currency value order_id search_string content_name content_category content_brand predicted_ltv opt_out_type np
    external_measurement_id
"""
_CUSTOM_DATA: Mapping[str, Check] = {
    **dict.fromkeys(_CUSTOM_TEXTS.split(), _nullable(_text())),
    "content_ids": _list_of(_text()),
    "contents": _list_of(_record(_CONTENT)),
    "num_items": _integer(),
    "external_measurement_vendor_id": _nullable(_integer()),
}
_APP_INFO: Mapping[str, Check] = {
    **dict.fromkeys(("app_id", "app_name", "app_package_name"), _LONG_NAME),
    **dict.fromkeys(("app_store", "app_version"), _NAME),
    "install_time": _integer(0),
    "user_agent": _text(16_384),
    **dict.fromkeys(("window_height", "window_width"), _PIXELS),
}
_DEVICE_NAMES = "brand carrier kernel_version model os_name os_release_name os_version type".split()
_STORAGES = "external_storage_free_space external_storage_size storage_free_space storage_size".split()
_DEVICE_INFO: Mapping[str, Check] = {
    **dict.fromkeys(_DEVICE_NAMES, _NAME),
    **dict.fromkeys(_STORAGES, _STORAGE_GB),
    **dict.fromkeys(("screen_height", "screen_width"), _PIXELS),
    "battery_level": _integer(0, 100),
    "cpu_cores": _integer(0, 1_152),
    "screen_density": _integer(0, 100_000),
    "form_factor": _one_of("desktop laptop cellphone tablet smartwatch tv vr console other".split()),
    "languages": _list_of(_text(), 100),
    "locale": _text(35),
    "network_type": _one_of(
        ("wifi", *(f"cellular_{generation}g" for generation in range(2, 7)), "ethernet", "unknown"),
    ),
    "os_family": _one_of("ios android macos windows linux bsd other".split()),
    "timezone": _text(40),
    "timezone_abbr": _text(5),
}
_EVENT = _record(
    {
        **dict.fromkeys(("event_name", "action_source", "event_id"), _text()),
        "event_time": _integer(),
        "user_data": _user_data,
        **dict.fromkeys(("event_source_url", "partner_name", "language", *FLAT_APP), _nullable(_text())),
        **dict.fromkeys(("opt_out", "wifi"), _boolean),
        "app_info": _record(_APP_INFO),
        "device_info": _record(_DEVICE_INFO),
        "custom_data": _record(_CUSTOM_DATA),
    },
    required=("event_name", "action_source", "event_time", "user_data", "event_id"),
)

check_envelope = _record({"data": _list_of(lambda _: None, MAX_EVENTS, 1)}, required=("data",))
"""Return what is wrong with a body around its events, or None."""

check_events = _list_of(_EVENT)
"""Return the first thing wrong with a list of events, or None."""
