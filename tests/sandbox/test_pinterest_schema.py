"""Pinterest's schema: what refuses a whole request."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pipeline.sandbox.pinterest_schema import check_envelope, check_events

Event = dict[str, object]
Change = Callable[[str, object], Event]

STRING, INTEGER, ARRAY, OBJECT, BOOLEAN = (
    f"a value is not of type '{name}'" for name in ("string", "integer", "array", "object", "boolean")
)
TOO_LONG, RANGE, ENUM = "a string is too long", "an integer is outside of its range", "a value is not one of the enum"
NO_KEY = "user_data is not valid under any of the given schemas"
HASH = "a" * 64
HASHED = ["em", "ph", "fn", "ln", "ct", "st", "zp", "country", "ge", "db", "external_id", "hashed_maids"]
FLAT = "app_id app_name app_version device_brand device_carrier device_model device_type os_version".split()
CUSTOM_TEXTS = """
    currency value order_id search_string content_name content_category content_brand predicted_ltv opt_out_type np
    external_measurement_id
"""


@pytest.fixture
def event() -> Event:
    """Return an event with every field of the schema."""
    return {
        "event_name": "checkout",
        "action_source": "app_ios",
        "event_time": 1_799_999_940,
        "event_id": "order-1",
        "event_source_url": "https://shop.example/thanks",
        "partner_name": "ss-example",
        "opt_out": False,
        "language": "en",
        "wifi": True,
        **dict.fromkeys(FLAT, "x"),
        "app_info": {
            **dict.fromkeys(("app_id", "app_name", "app_package_name"), "x" * 200),
            **dict.fromkeys(("app_store", "app_version"), "x" * 100),
            "install_time": 0,
            "user_agent": "x" * 16_384,
            "window_height": 0,
            "window_width": 30_720,
        },
        "device_info": {
            **dict.fromkeys("brand carrier kernel_version model os_name os_release_name os_version type".split(), "x"),
            "external_storage_free_space": 0,
            "external_storage_size": 1_048_576,
            "storage_free_space": 0,
            "storage_size": 1_048_576,
            "screen_height": 0,
            "screen_width": 30_720,
            "screen_density": 100_000,
            "battery_level": 100,
            "cpu_cores": 1_152,
            "form_factor": "tv",
            "languages": ["en"] * 100,
            "locale": "en-us",
            "network_type": "cellular_5g",
            "os_family": "bsd",
            "timezone": "Europe/Paris",
            "timezone_abbr": "CET",
        },
        "user_data": {
            **{name: [HASH] for name in HASHED},
            "client_ip_address": "203.0.113.7",
            "client_user_agent": "Mozilla/5.0",
            "click_id": "dj0yJnU9",
            "partner_id": "ramp-1",
        },
        "custom_data": {
            **dict.fromkeys(CUSTOM_TEXTS.split(), "x"),
            "content_ids": ["sku-1"],
            "contents": [
                {
                    "id": "sku-1",
                    "item_name": "shirt",
                    "item_category": "shirts",
                    "item_brand": "x",
                    "item_price": "14.99",
                    "quantity": 3,
                }
            ],
            "num_items": 3,
            "external_measurement_vendor_id": 1,
        },
    }


def test_every_field(event: Event) -> None:
    """An event with every documented field fits the schema."""
    assert None is check_events([event])


@pytest.mark.parametrize(
    ("document", "wrong"),
    [
        ([], OBJECT),
        ({}, "'data' is a required property"),
        ({"data": None}, ARRAY),
        ({"data": {}}, ARRAY),
        ({"data": []}, "an array is too short"),
        ({"data": [1] * 1001}, "an array is too long"),
        ({"data": [1], "test": True}, "Additional properties are not allowed ('test' was unexpected)"),
        ({"data": [1] * 1000}, None),
    ],
)
def test_envelope(document: object, wrong: str | None) -> None:
    """A body is an object with a list of 1 to 1000 events and nothing else."""
    assert wrong == check_envelope(document)


@pytest.mark.parametrize("name", ["event_name", "action_source", "event_time", "event_id", "user_data"])
def test_required(change: Change, name: str) -> None:
    """Five fields are required."""
    assert f"'{name}' is a required property" == check_events([change(name, ...)])


@pytest.mark.parametrize(
    "place",
    [
        "advertiser_tracking_enabled",
        "custom_data.category_name",
        "custom_data.item_brand_id",
        "user_data.fbp",
        "app_info.name",
        "device_info.ip",
    ],
)
def test_unexpected_keys(change: Change, place: str) -> None:
    """A key that is not documented is refused and named, in every object."""
    key = place.rpartition(".")[2]
    told = f"Additional properties are not allowed ('{key}' was unexpected)"

    assert told == check_events([change(place, "x")])


def test_unexpected_keys_of_contents(change: Change) -> None:
    """A product with an unknown key is refused too."""
    told = "Additional properties are not allowed ('sku' was unexpected)"

    assert told == check_events([change("custom_data.contents", [{"sku": "x"}])])


@pytest.mark.parametrize("key", ["a@example.com", "Name", "x1", "", "a" * 65, "a b", "é"])
def test_odd_keys(event: Event, key: str) -> None:
    """An unexpected key that is not a plain word might be customer data, and is not named."""
    assert "Additional properties are not allowed" == check_events([event | {key: 1}])


@pytest.mark.parametrize(
    ("place", "value", "wrong"),
    [
        *((f"user_data.{name}", HASH, ARRAY) for name in HASHED),
        *((f"user_data.{name}", [1], STRING) for name in HASHED),
        *((f"user_data.{name}", None, ARRAY) for name in HASHED),
        *((f"user_data.{name}", ["x"], STRING) for name in ("click_id", "partner_id")),
        *((f"user_data.{name}", None, STRING) for name in ("client_ip_address", "client_user_agent")),
        *((f"custom_data.{name}", 1.5, STRING) for name in CUSTOM_TEXTS.split()),
        *((name, 1, STRING) for name in (*FLAT, "event_source_url", "partner_name", "language")),
        *((name, None, STRING) for name in ("event_name", "action_source", "event_id")),
        *(("event_time", value, INTEGER) for value in ("1799999940", 1.5, True, None)),
        ("event_time", 2**63, RANGE),
        ("opt_out", "true", BOOLEAN),
        ("opt_out", None, BOOLEAN),
        ("wifi", 1, BOOLEAN),
        *((name, [], OBJECT) for name in ("user_data", "custom_data", "app_info", "device_info")),
        ("custom_data", None, OBJECT),
        ("custom_data.num_items", "3", INTEGER),
        ("custom_data.content_ids", "sku-1", ARRAY),
        ("custom_data.content_ids", [1], STRING),
        ("custom_data.contents", {}, ARRAY),
        ("custom_data.contents", ["sku-1"], OBJECT),
        ("custom_data.contents", [{"item_price": 14.99}], STRING),
        ("custom_data.contents", [{"quantity": "3"}], INTEGER),
        ("custom_data.external_measurement_vendor_id", "1", INTEGER),
        ("app_info.app_id", "x" * 201, TOO_LONG),
        ("app_info.app_version", "x" * 101, TOO_LONG),
        ("app_info.user_agent", "x" * 16_385, TOO_LONG),
        ("app_info.install_time", -1, RANGE),
        ("app_info.window_width", 30_721, RANGE),
        ("device_info.brand", "x" * 101, TOO_LONG),
        ("device_info.locale", "x" * 36, TOO_LONG),
        ("device_info.timezone", "x" * 41, TOO_LONG),
        ("device_info.timezone_abbr", "x" * 6, TOO_LONG),
        ("device_info.battery_level", 101, RANGE),
        ("device_info.cpu_cores", 1_153, RANGE),
        ("device_info.storage_size", 1_048_577, RANGE),
        ("device_info.screen_density", 100_001, RANGE),
        ("device_info.screen_width", -1, RANGE),
        ("device_info.languages", ["en"] * 101, "an array is too long"),
        ("device_info.form_factor", "phone", ENUM),
        ("device_info.network_type", "4g", ENUM),
        ("device_info.os_family", "iOS", ENUM),
    ],
)
def test_types(change: Change, place: str, value: object, wrong: str) -> None:
    """A value of the wrong type, length or range is refused, and neither it nor its place is told."""
    assert wrong == check_events([change(place, value)])


@pytest.mark.parametrize("name", ["event_source_url", "partner_name", "language", *FLAT])
def test_nullable(change: Change, name: str) -> None:
    """Optional texts of an event may be null."""
    assert None is check_events([change(name, None)])


@pytest.mark.parametrize("place", ["user_data.click_id", "custom_data.value", "custom_data.opt_out_type"])
def test_nullable_inside(change: Change, place: str) -> None:
    """So may those of the customer and of the custom data."""
    assert None is check_events([change(place, None)])


@pytest.mark.parametrize(
    ("names", "wrong"),
    [
        (["em"], None),
        (["hashed_maids"], None),
        (["client_ip_address", "client_user_agent"], None),
        (["client_ip_address"], NO_KEY),
        (["client_user_agent"], NO_KEY),
        (["ph", "external_id", "click_id", "fn", "ln", "zp"], NO_KEY),
        ([], NO_KEY),
    ],
)
def test_match_keys(event: Event, names: list[str], wrong: str | None) -> None:
    """An e-mail, a device id, or IP and user agent together are needed; nothing else will do."""
    known = event["user_data"]
    assert isinstance(known, dict)
    event["user_data"] = {name: known[name] for name in names}

    assert wrong == check_events([event])


@pytest.mark.parametrize("value", [None, 1, "event", []])
def test_not_an_object(value: object) -> None:
    """An event that is no object is refused."""
    assert OBJECT == check_events([value])
