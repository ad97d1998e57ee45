"""Snapchat's rules for one event."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pipeline.sandbox.snapchat_event import NAMES, check_event, warnings

Event = dict[str, object]
Change = Callable[[str, object], Event]

DAY = 86_400
HASH = "542d240129883c019e106e3b1b2d3f3cb3537c43c425364de8e951d5a3083345"
EXTINFO = ["i2", "com.example", *[""] * 14]
APP = {"app_id": "1234", "advertiser_tracking_enabled": 1, "extinfo": EXTINFO}


@pytest.fixture
def event(now: float) -> Event:
    """Return a valid web purchase."""
    return {
        "event_name": "PURCHASE",
        "event_time": int(now) - 60,
        "event_id": "order-1",
        "action_source": "WEB",
        "event_source_url": "https://shop.example/thanks",
        "user_data": {"em": [HASH]},
        "custom_data": {"value": 12.5, "currency": "EUR"},
    }


def verdict(event: object, now: float) -> tuple[str, str]:
    """Return the kind and the place of an event's first flaw, or `taken`."""
    flaw = check_event(event, now)
    return ("taken", "") if flaw is None else (flaw.code, flaw.place)


def app_event(event: Event, **changes: object) -> Event:
    """Turn the valid event into an app event; a change to None takes the field away."""
    app_data = {key: value for key, value in {**APP, **changes}.items() if value is not None}
    del event["event_source_url"]
    return {**event, "action_source": "MOBILE_APP", "app_data": app_data}


def test_valid_event(event: Event, now: float) -> None:
    """A complete web purchase is taken."""
    assert ("taken", "") == verdict(event, now)


@pytest.mark.parametrize("value", [None, 1, "event", []])
def test_not_an_object(value: object, now: float) -> None:
    """An event must be an object."""
    assert ("invalid_field", "event") == verdict(value, now)


@pytest.mark.parametrize("name", ["event_name", "event_time", "action_source", "user_data", "event_source_url"])
def test_required_fields(change: Change, name: str, now: float) -> None:
    """A web event needs a name, a time, an action source, customer data and its URL."""
    assert ("required_field", f"event.{name}") == verdict(change(name, ...), now)


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("event_name", "LEAD", "event_type"),
        ("event_name", "Purchase", "event_type"),
        ("event_name", "ADD_TO_CART", "event_type"),
        ("event_name", "CUSTOM_EVENT_6", "event_type"),
        ("event_name", ["PURCHASE"], "event_type"),
        ("event_time", "1799999940", "timestamp"),
        ("event_time", 1_799_999_940.5, "timestamp"),
        ("event_time", True, "timestamp"),
        ("action_source", "website", "invalid_field"),
        ("action_source", "web", "invalid_field"),
        ("action_source", ["WEB"], "invalid_field"),
        ("event_source_url", "shop.example", "invalid_field"),
        ("event_source_url", "", "invalid_field"),
        ("event_id", 17, "invalid_field"),
        ("event_id", " ", "invalid_field"),
        ("user_data", [], "invalid_field"),
        ("custom_data", None, "invalid_field"),
        ("app_data", [], "invalid_field"),
        ("opt_out", 1, "invalid_field"),
        ("integration", "", "invalid_field"),
        ("test_event_code", "", "invalid_field"),
        ("data_processing_options", "['LMU']", "invalid_field"),
        ("data_processing_options", ["CCPA"], "invalid_field"),
        ("data_processing_options_country", True, "invalid_field"),
        ("data_processing_options_country", 2, "invalid_field"),
        ("data_processing_options_state", 1013, "invalid_field"),
    ],
)
def test_field_types(change: Change, name: str, value: object, code: str, now: float) -> None:
    """A field of the wrong type or outside its list is a flaw at its place."""
    assert (code, f"event.{name}") == verdict(change(name, value), now)


@pytest.mark.parametrize("name", ["event_type", "hashed_phone_number", "client_dedup_id", "person@example.com"])
def test_unknown_fields(change: Change, name: str, now: float) -> None:
    """A field that Snapchat does not describe, as those of version 2, is a flaw and not repeated."""
    flaw = check_event(change(name, "x"), now)

    assert flaw is not None
    assert "unknown_field" == flaw.code
    assert name not in flaw.message


@pytest.mark.parametrize("name", sorted(NAMES - {"PURCHASE"}))
def test_names(change: Change, name: str, now: float) -> None:
    """Every standard name and the five custom slots are taken, and need no custom data."""
    change("custom_data", ...)

    assert ("taken", "") == verdict(change("event_name", name), now)


@pytest.mark.parametrize("custom_data", [..., {}, {"value": 1}, {"currency": "EUR"}])
def test_purchase(change: Change, custom_data: object, now: float) -> None:
    """A purchase needs both value and currency."""
    assert ("purchase", "custom_data") == verdict(change("custom_data", custom_data), now)


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (37 * DAY, "taken"),
        (37 * DAY + 1, "timestamp"),
        (-60, "taken"),
        (-61, "timestamp"),
    ],
)
def test_event_time(change: Change, age: int, expected: str, now: float) -> None:
    """An event may be 37 days old and, by our assumption, 60 seconds ahead."""
    assert expected == verdict(change("event_time", int(now) - age), now)[0]


def test_milliseconds(change: Change, now: float) -> None:
    """A time in milliseconds is far in the future."""
    flaw = check_event(change("event_time", int(now * 1000)), now)

    assert flaw is not None
    assert "is in the future" == flaw.note


@pytest.mark.parametrize("source", ["WEB", "OFFLINE"])
@pytest.mark.parametrize(("url", "code"), [("https://shop.example", "taken"), (..., "required_field")])
def test_url(change: Change, source: str, url: object, code: str, now: float) -> None:
    """Web and offline events need a URL."""
    change("action_source", source)

    assert code == verdict(change("event_source_url", url), now)[0]


@pytest.mark.parametrize(
    ("options", "country", "state", "expected"),
    [
        (["LDU"], 1, 1000, "taken"),
        (["LDU"], 0, 0, "taken"),
        (["LMU"], 0, 0, "taken"),
        (["LDU"], None, 1000, "required_field"),
        (["LDU"], 1, None, "required_field"),
        (["LDU"], None, None, "required_field"),
        (["LDU", "LDU"], 1, 1000, "invalid_field"),
        ([], None, None, "taken"),
    ],
)
def test_limited_data_use(
    event: Event, options: list[str], country: int | None, state: int | None, expected: str, now: float
) -> None:
    """Limited data use comes with a country and a state."""
    event["data_processing_options"] = options
    for name, value in (("country", country), ("state", state)):
        if value is not None:
            event[f"data_processing_options_{name}"] = value

    assert expected == verdict(event, now)[0]


@pytest.mark.parametrize(
    "changes",
    [{}, {"app_id": None}, {"advertiser_tracking_enabled": False}, {"extinfo": ["a2", *EXTINFO[1:]]}],
)
def test_app(event: Event, changes: dict[str, object], now: float) -> None:
    """An app event with its flag and 16 items of device information is taken, and needs no URL."""
    assert ("taken", "") == verdict(app_event(event, **changes), now)


@pytest.mark.parametrize(
    ("changes", "code", "place"),
    [
        ({"advertiser_tracking_enabled": None}, "required_field", "app_data.advertiser_tracking_enabled"),
        ({"advertiser_tracking_enabled": 2}, "invalid_field", "app_data.advertiser_tracking_enabled"),
        ({"advertiser_tracking_enabled": "1"}, "invalid_field", "app_data.advertiser_tracking_enabled"),
        ({"extinfo": None}, "required_field", "app_data.extinfo"),
        ({"extinfo": EXTINFO[:15]}, "invalid_field", "app_data.extinfo"),
        ({"extinfo": [*EXTINFO, ""]}, "invalid_field", "app_data.extinfo"),
        ({"extinfo": [*EXTINFO[:15], 8]}, "invalid_field", "app_data.extinfo"),
        ({"extinfo": ["x1", *EXTINFO[1:]]}, "invalid_field", "app_data.extinfo"),
        ({"extinfo": "i2"}, "invalid_field", "app_data.extinfo"),
        ({"app_id": ""}, "invalid_field", "app_data.app_id"),
        ({"url_schemes": "x"}, "invalid_field", "app_data.url_schemes"),
        ({"snap_app_id": "x"}, "unknown_field", "app_data"),
    ],
)
def test_app_flaws(event: Event, changes: dict[str, object], code: str, place: str, now: float) -> None:
    """An app event with a wrong flag, wrong device information or an unknown field is refused."""
    assert (code, place) == verdict(app_event(event, **changes), now)


def test_app_data_missing(change: Change, now: float) -> None:
    """An app event needs app data."""
    assert ("required_field", "event.app_data") == verdict(change("action_source", "MOBILE_APP"), now)


@pytest.mark.parametrize(("source", "expected"), [("MOBILE_APP", "taken"), ("WEB", "insufficient_pii")])
def test_device_id(event: Event, source: str, expected: str, now: float) -> None:
    """A device's advertising id is enough to match an app event, and no other."""
    event |= {
        "action_source": source,
        "app_data": APP,
        "user_data": {"madid": "38400000-8cf0-11bd-b23e-10b96e40000d"},
    }

    assert expected == verdict(event, now)[0]


@pytest.mark.parametrize(
    ("place", "value", "expected"),
    [
        ("event_id", "order-1", []),
        ("event_id", ..., ["event_id_missing"]),
        ("event_time", -7 * DAY, []),
        ("event_time", -7 * DAY - 1, ["older_than_7_days"]),
    ],
)
def test_warnings(change: Change, place: str, value: object, expected: list[str], now: float) -> None:
    """An event without an id, or more than 7 days old, is taken and warned of."""
    event = change(place, int(now) + value if isinstance(value, int) else value)

    assert ("taken", "") == verdict(event, now)
    assert expected == warnings(event, now)
