"""Pinterest's rules for one event: what fails it alone, and what is only noted."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest

from pipeline.sandbox.pinterest_event import check_event, notices

Event = dict[str, object]
Change = Callable[[str, object], Event]

DAY = 86_400
HASHED = ["em", "ph", "fn", "ln", "ct", "st", "zp", "country", "ge", "db", "external_id", "hashed_maids"]
FLAT = "app_id app_name app_version device_brand device_carrier device_model device_type os_version".split()
NAMES = """
    add_payment_info add_to_cart add_to_wishlist app_install checkout custom initiate_checkout lead page_visit search
    signup subscribe view_category view_content watch_video
    app_open contact customize_product find_location schedule start_trial submit_application
"""
HASH = hashlib.sha256(b"person@example.com").hexdigest()


@pytest.fixture
def event(now: float) -> Event:
    """Return a valid web checkout."""
    return {
        "event_name": "checkout",
        "action_source": "web",
        "event_time": int(now) - 60,
        "event_id": "order-1",
        "event_source_url": "https://shop.example/thanks",
        "user_data": {"em": [HASH], "client_ip_address": "203.0.113.7", "client_user_agent": "Mozilla/5.0"},
        "custom_data": {
            "value": "72.39",
            "currency": "EUR",
            "order_id": "order-1",
            "num_items": 3,
            "content_ids": ["sku-1"],
            "contents": [{"id": "sku-1", "item_name": "shirt", "item_price": "14.99", "quantity": 3}],
        },
    }


def fault(event: Event, now: float) -> str:
    """Return the name of the parameter that fails an event, or `taken`."""
    flaw = check_event(event, now)
    return "taken" if flaw is None else flaw.message.removeprefix("Invalid ").partition(" parameter. ")[0]


def test_valid(event: Event, now: float) -> None:
    """A complete web checkout is taken, and nothing is noted."""
    assert ("taken", []) == (fault(event, now), notices(event, now))


@pytest.mark.parametrize("source", ["web", "app_ios", "app_android", "offline"])
@pytest.mark.parametrize(
    ("age", "told"),
    [(7 * DAY, "taken"), (7 * DAY + 1, "past"), (-300, "taken"), (-301, "future")],
)
def test_event_time(event: Event, source: str, age: int, told: str, now: float) -> None:
    """From any source an event may be 7 days old and, by our assumption, 5 minutes ahead."""
    flaw = check_event(event | {"action_source": source, "event_time": int(now) - age}, now)
    text = f"Invalid event_timestamp parameter. Given timestamp is in the {told}. Current timestamp: {int(now)}."

    assert (None if told == "taken" else text) == (flaw.message if flaw else None)


def test_milliseconds(change: Change, now: float) -> None:
    """A time in milliseconds is far in the future."""
    assert "event_timestamp" == fault(change("event_time", int(now * 1000)), now)


@pytest.mark.parametrize("name", NAMES.split())
def test_names(change: Change, name: str, now: float) -> None:
    """Every documented event name is taken."""
    assert "taken" == fault(change("event_name", name), now)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("event_name", value) for value in ("PageVisit", "purchase", "Checkout", "my_event", "")),
        *(("action_source", value) for value in ("website", "app", "WEB", "")),
        *(("event_id", value) for value in ("", " ")),
        *(("event_source_url", value) for value in ("shop.example", "ftp://shop.example/", "https://", "")),
        *(("language", value) for value in ("EN", "eng", "e", "en-us")),
        *(("partner_name", value) for value in ("example", "ss-", "SS-example", "ss-Example")),
        *((name, " ") for name in FLAT),
    ],
)
def test_event_forms(change: Change, name: str, value: str, now: float) -> None:
    """A field of an event that is blank, unknown or not of its form fails the event."""
    assert name == fault(change(name, value), now)


@pytest.mark.parametrize("name", HASHED)
@pytest.mark.parametrize("value", [["person@example.com"], [HASH.upper()], [HASH[:63]], [HASH + "0"], [HASH, "x"], []])
def test_hashes(change: Change, name: str, value: list[str], now: float) -> None:
    """A hashed key holds one or more SHA-256 of 64 lower-case hexadecimal digits."""
    assert name == fault(change(f"user_data.{name}", value), now)


@pytest.mark.parametrize("name", HASHED)
def test_several_hashes(change: Change, name: str, now: float) -> None:
    """A hashed key may hold several values."""
    assert "taken" == fault(change(f"user_data.{name}", [HASH, "b" * 64]), now)


@pytest.mark.parametrize("name", HASHED)
@pytest.mark.parametrize(
    ("word", "kind"), [("", "hash_of_empty"), ("null", "hash_of_null"), ("undefined", "hash_of_undefined")]
)
def test_hash_of_nothing(change: Change, name: str, word: str, kind: str, now: float) -> None:
    """The hash of nothing fails the event and is flagged as a fault of the sender."""
    digest = hashlib.sha256(word.encode()).hexdigest()
    flaw = check_event(change(f"user_data.{name}", [HASH, digest]), now)

    assert flaw is not None
    assert (kind, True) == (flaw.sender_fault, flaw.message.startswith(f"[sandbox: {kind}] Invalid {name} "))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, HASH) for name in ("client_ip_address", "client_user_agent", "click_id", "partner_id")),
        *((name, HASH.upper()) for name in ("client_user_agent", "click_id", "partner_id")),
        *((name, " ") for name in ("client_ip_address", "client_user_agent", "click_id", "partner_id")),
        *(("client_ip_address", value) for value in ("203.0.113.7:80", "203.0.113", "fe80::1%eth0", "[2001:db8::1]")),
        ("click_id", "dj0y Jn"),
    ],
)
def test_clear_fields(change: Change, name: str, value: str, now: float) -> None:
    """A clear field holds what it says, and never a hash."""
    assert name == fault(change(f"user_data.{name}", value), now)


@pytest.mark.parametrize(
    ("name", "value"), [("client_ip_address", "2001:db8::1"), ("click_id", "dj0yJnU9"), ("partner_id", "ramp 1")]
)
def test_clear_fields_taken(change: Change, name: str, value: str, now: float) -> None:
    """A clear field in its form is taken."""
    assert "taken" == fault(change(f"user_data.{name}", value), now)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("value", value) for value in ("1,299.00", "-1", "1e3", ".5", "1.", "", "12.5 EUR", "NaN")),
        ("predicted_ltv", "high"),
        *(("currency", value) for value in ("eur", "EURO", "XXX", "")),
        *(("opt_out_type", value) for value in ("ldp", "CCPA", "LDP,CCPA", "")),
        *((name, " ") for name in ("order_id", "search_string", "content_name", "content_category", "content_brand")),
        *(("content_ids", value) for value in ([], [""])),
        ("num_items", -1),
        ("contents", []),
        ("np", "ss-example"),
        ("external_measurement_id", "x"),
        ("external_measurement_vendor_id", 1),
    ],
)
def test_custom_data(change: Change, name: str, value: object, now: float) -> None:
    """Custom data that is not of its form, or is not for senders, fails the event."""
    assert name == fault(change(f"custom_data.{name}", value), now)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, " ") for name in ("id", "item_name", "item_category", "item_brand")),
        ("item_price", "14,99"),
        ("quantity", -1),
    ],
)
def test_contents(change: Change, name: str, value: object, now: float) -> None:
    """Any product that is not of its form fails the event."""
    assert name == fault(change("custom_data.contents", [{"id": "sku-1"}, {name: value}]), now)


@pytest.mark.parametrize("value", ["0", "72", "72.390", "0.0125"])
def test_amounts(change: Change, value: str, now: float) -> None:
    """An amount is a string of plain digits with or without decimals."""
    assert "taken" == fault(change("custom_data.value", value), now)


@pytest.mark.parametrize(
    ("keys", "told"), [(["st", "country"], "taken"), (["st"], "opt_out_type"), (["country"], "opt_out_type")]
)
def test_limited_data(change: Change, keys: list[str], told: str, now: float) -> None:
    """Limited data processing needs a state and a country; Pinterest would ignore the flag without them."""
    event = change("custom_data.opt_out_type", "LDP")
    for key in keys:
        event = change(f"user_data.{key}", [HASH])

    assert told == fault(event, now)


def test_nulls(event: Event, now: float) -> None:
    """A null where the schema allows it is the same as nothing."""
    event |= {"language": None, "custom_data": {"opt_out_type": None, "currency": None, "np": None}}

    assert "taken" == fault(event, now)


@pytest.mark.parametrize(
    ("changes", "noted"),
    [
        ({"event_time": -3_600}, []),
        ({"event_time": -3_601}, ["late_as_offline"]),
        ({"event_time": -3_601, "action_source": "offline"}, []),
        ({"event_name": "start_trial"}, ["event_name_not_in_spec"]),
        ({"custom_data": {"value": "1"}}, ["currency_assumed"]),
        ({"event_source_url": None}, ["web_without_url"]),
        ({"action_source": "app_ios"}, ["app_unnamed"]),
        ({"action_source": "app_android", "app_info": {"app_store": "x"}}, ["app_unnamed"]),
        ({"action_source": "app_android", "app_info": {"app_name": "x"}}, []),
        ({"action_source": "app_android", "app_info": {"app_id": "x"}}, []),
        ({"action_source": "app_ios", "app_id": "x"}, []),
        ({"action_source": "app_ios", "app_name": "x"}, []),
    ],
)
def test_notices(event: Event, changes: dict[str, object], noted: list[str], now: float) -> None:
    """What Pinterest takes and a sender should still know of is noted and fails nothing."""
    event |= changes
    if "event_time" in changes:
        event["event_time"] = int(now) + int(str(changes["event_time"]))

    assert (noted, "taken") == (notices(event, now), fault(event, now))
