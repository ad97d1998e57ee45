"""Meta's rules for one event."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pipeline.sandbox.meta_event import check_event
from pipeline.sandbox.meta_flaw import SCHEMA

Event = dict[str, object]
Change = Callable[[str, object], Event]

DAY = 86_400
EXTINFO = ["a2", "com.example", "1", "1.0", "14", "Pixel", "en_US", "CET", "", "1", "2", "3", "8", "64", "9", ""]
APP = {"advertiser_tracking_enabled": 1, "application_tracking_enabled": 0, "extinfo": EXTINFO}


def app_event(event: Event, **changes: object) -> Event:
    """Turn the valid event into an app event."""
    return {**event, "action_source": "app", "app_data": {**APP, **changes}}


def message(event: Event, channel: str | None, **user_data: object) -> Event:
    """Turn the valid event into a messaging event."""
    told = {} if channel is None else {"messaging_channel": channel}
    return {**event, "action_source": "business_messaging", "user_data": user_data, **told}


def test_valid_event(event: Event, now: float) -> None:
    """A complete website purchase is taken."""
    assert None is check_event(event, now)


@pytest.mark.parametrize("value", [None, 1, "event", []])
def test_not_an_object(value: object, now: float) -> None:
    """An event that is no object is a schema fault."""
    flaw = check_event(value, now)

    assert flaw is not None
    assert SCHEMA == flaw.subcode


@pytest.mark.parametrize("field", ["event_name", "event_time", "user_data", "action_source"])
def test_required_fields(change: Change, field: str, now: float) -> None:
    """Every event needs a name, a time, customer data and an action source."""
    flaw = check_event(change(field, ...), now)

    assert flaw is not None
    assert (SCHEMA, (field,)) == (flaw.subcode, flaw.path)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("event_name", " "),
        ("event_name", 7),
        ("event_time", "1799999940"),
        ("event_time", 1_799_999_940.5),
        ("event_time", True),
        ("user_data", []),
        ("action_source", "web"),
        ("action_source", None),
        ("event_source_url", "shop.example"),
        ("event_source_url", "ftp://shop.example/"),
        ("event_id", 17),
        ("event_id", ""),
        ("custom_data", []),
        ("custom_data", None),
        ("opt_out", "true"),
        ("data_processing_options", "LDU"),
        ("data_processing_options", ["CCPA"]),
        ("referrer_url", 1),
        ("app_data", []),
        ("messaging_channel", "sms"),
        ("original_event_data", "order-1"),
        ("customer_segmentation", "vip"),
        ("eventId", "order-1"),
    ],
)
def test_field_types(change: Change, field: str, value: object, now: float) -> None:
    """A field of the wrong type, outside its list, or unknown is a schema fault at its place."""
    flaw = check_event(change(field, value), now)

    assert flaw is not None
    assert (SCHEMA, (field,)) == (flaw.subcode, flaw.path)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("event_id", ...),
        ("opt_out", False),
        ("data_processing_options", []),
        ("referrer_url", "https://search.example/"),
        ("original_event_data", {"event_name": "Lead"}),
        ("customer_segmentation", "new_customer_to_business"),
        ("event_source_url", "https://shop.example?x=1"),
        ("event_source_url", "https://shop.example/a.AQICAQMC"),
    ],
)
def test_optional_fields(change: Change, field: str, value: object, now: float) -> None:
    """Optional fields may be there or not."""
    assert None is check_event(change(field, value), now)


@pytest.mark.parametrize(
    ("source", "age", "subcode"),
    [
        ("website", 7 * DAY, "taken"),
        ("website", 7 * DAY + 1, 2804003),
        ("physical_store", 7 * DAY + 1, "taken"),
        ("physical_store", 62 * DAY, "taken"),
        ("physical_store", 62 * DAY + 1, 2804003),
        ("email", -60, "taken"),
        ("email", -61, None),
    ],
)
def test_event_time(event: Event, source: str, age: int, subcode: object, now: float) -> None:
    """An event may be 7 days old (62 from a store) and, by our assumption, 60 seconds ahead."""
    event |= {"action_source": source, "event_time": int(now) - age}
    flaw = check_event(event, now)

    assert subcode == ("taken" if flaw is None else flaw.subcode)


def test_milliseconds(change: Change, now: float) -> None:
    """A time in milliseconds is far in the future."""
    flaw = check_event(change("event_time", int(now * 1000)), now)

    assert flaw is not None
    assert "is in the future" == flaw.note


@pytest.mark.parametrize(
    ("place", "path"),
    [
        ("event_source_url", ("event_source_url",)),
        ("user_data.client_user_agent", ("user_data", "client_user_agent")),
    ],
)
def test_website(change: Change, place: str, path: tuple[str, ...], now: float) -> None:
    """A website event needs its URL and the user agent."""
    flaw = check_event(change(place, ...), now)

    assert flaw is not None
    assert (SCHEMA, path) == (flaw.subcode, flaw.path)


@pytest.mark.parametrize(
    ("options", "country", "state", "taken"),
    [
        (["LDU"], 0, 0, True),
        (["LDU"], 1, 1000, True),
        (["LDU"], 1, 1013, True),
        (["LDU"], 1, 1014, False),
        (["LDU"], 1, None, False),
        (["LDU"], None, 1000, False),
        (["LDU"], 2, 0, False),
        ([], None, None, True),
    ],
)
def test_limited_data_use(
    event: Event, options: list[str], country: int | None, state: int | None, taken: object, now: float
) -> None:
    """Limited data use needs a country, and a state with it."""
    event["data_processing_options"] = options
    for name, value in (("country", country), ("state", state)):
        if value is not None:
            event[f"data_processing_options_{name}"] = value

    assert taken is (check_event(event, now) is None)


def test_app(event: Event, now: float) -> None:
    """An app event with both flags and 16 items of device information is taken."""
    assert None is check_event(app_event(event), now)


@pytest.mark.parametrize(
    ("changes", "subcode"),
    [
        ({"advertiser_tracking_enabled": 2}, SCHEMA),
        ({"application_tracking_enabled": None}, SCHEMA),
        ({"extinfo": EXTINFO[:15]}, 2804043),
        ({"extinfo": None}, 2804043),
        ({"extinfo": ["x1", *EXTINFO[1:]]}, 2804043),
        ({"extinfo": [*EXTINFO[:4], "", *EXTINFO[5:]]}, 2804043),
        ({"extinfo": [*EXTINFO[:15], None]}, 2804043),
    ],
)
def test_app_faults(event: Event, changes: dict[str, object], subcode: int, now: float) -> None:
    """An app event with a wrong flag or wrong device information is refused."""
    flaw = check_event(app_event(event, **changes), now)

    assert flaw is not None
    assert subcode == flaw.subcode


def test_app_data_missing(change: Change, now: float) -> None:
    """An app event needs app data."""
    flaw = check_event(change("action_source", "app"), now)

    assert flaw is not None
    assert ("app_data",) == flaw.path


@pytest.mark.parametrize(
    ("channel", "user_data"),
    [
        ("whatsapp", {"whatsapp_business_account_id": "17", "ctwa_clid": "Af_x"}),
        ("messenger", {"page_id": 17, "page_scoped_user_id": "18"}),
        ("instagram", {"instagram_business_account_id": "17", "ig_sid": "18"}),
        ("instagram", {"ig_account_id": "17", "ig_sid": "18"}),
    ],
)
def test_messaging(event: Event, channel: str, user_data: dict[str, object], now: float) -> None:
    """Each messaging channel is taken with its own ids."""
    assert None is check_event(message(event, channel, **user_data), now)


@pytest.mark.parametrize(
    ("channel", "user_data", "subcode"),
    [
        (None, {"page_id": "17"}, 2804063),
        ("whatsapp", {"whatsapp_business_account_id": "17"}, 2804087),
        ("whatsapp", {"ctwa_clid": "Af_x"}, SCHEMA),
        ("messenger", {"page_scoped_user_id": "18"}, 2804116),
        ("messenger", {"page_id": "17"}, SCHEMA),
        ("instagram", {"ig_sid": "18"}, SCHEMA),
    ],
)
def test_messaging_faults(
    event: Event, channel: str | None, user_data: dict[str, object], subcode: int, now: float
) -> None:
    """A messaging event without its channel or the channel's ids is refused with the code of its own."""
    flaw = check_event(message(event, channel, **user_data), now)

    assert flaw is not None
    assert subcode == flaw.subcode


def test_messaging_name(event: Event, now: float) -> None:
    """A messaging event must carry one of the names allowed there; Lead is none of them."""
    event["event_name"] = "Lead"
    flaw = check_event(message(event, "messenger", page_id="1", page_scoped_user_id="2"), now)

    assert flaw is not None
    assert 2804066 == flaw.subcode
