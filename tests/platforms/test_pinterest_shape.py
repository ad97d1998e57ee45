"""What Pinterest is told of an event, and which events it is not told of."""

from __future__ import annotations

import orjson
import pytest
from meta_events import Changes
from pinterest_events import (
    ANDROID,
    DAY,
    IOS,
    NOBODY,
    WHEN,
    activity,
    event,
    hashes,
    lead,
    order,
    refusal,
    sent,
    shape,
    shaped,
)

from pipeline.core.contract import EVENTS_OF
from pipeline.core.model import Event, Shaped, Skipped
from pipeline.core.reason import Reason
from pipeline.platforms.pinterest import EVENT_NAMES, STANDARD_EVENTS, PinterestOptions

NOT_SENT = {"order_refunded", "order_cancelled", "lead_converted", "lead_lost", "custom"}
BOTH_STATES, BOTH_COUNTRIES = hashes("ca", "CA"), hashes("us", "US")


@pytest.mark.parametrize("name", [name for names in EVENTS_OF.values() for name in names])
def test_every_event_has_its_name(name: str) -> None:
    """Each event of ours is sent under Pinterest's own name for it, or skipped where Pinterest has none."""
    found = shape(event(name))

    assert (name in NOT_SENT) == isinstance(found, Skipped)
    assert EVENT_NAMES.get(name) == (None if isinstance(found, Skipped) else sent(event(name))["event_name"])


def test_names_are_pinterests() -> None:
    """No default is a name that Pinterest does not count."""
    assert set(EVENT_NAMES.values()) <= STANDARD_EVENTS


def test_c5_amounts_are_text() -> None:
    """Amounts leave as text, a quantity as a number."""
    found = shaped(order({"value": "72.39", "items": [{"id": "SKU-1", "unit_price": "14.99", "quantity": 3}]}))

    assert b'"value":"72.39","content_ids":["SKU-1"]' in found.payload
    assert b'"contents":[{"id":"SKU-1","item_price":"14.99","quantity":3}],"num_items":3,' in found.payload


@pytest.mark.parametrize(("given", "expected"), [("4500", "4500"), ("0", "0"), ("0.0049", "0.0049"), ("1.10", "1.1")])
def test_c5_amounts_are_exact(given: str, expected: str) -> None:
    """An amount keeps every digit that counts and no exponent."""
    assert expected == sent(order({"value": given}))["custom_data"]["value"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"customer.region": "California", "customer.country": "US"}, (BOTH_STATES, BOTH_COUNTRIES)),
        ({"customer.region": "ca", "customer.country": None, "consent.region": "US-CA"}, (BOTH_STATES, BOTH_COUNTRIES)),
        ({"customer.region": None, "customer.country": "US", "consent.region": "us-ca"}, (BOTH_STATES, BOTH_COUNTRIES)),
        ({"customer.region": None, "customer.country": None, "consent.region": "US-CA"}, (BOTH_STATES, BOTH_COUNTRIES)),
        ({"customer.region": "Bavaria", "customer.country": "DE"}, (hashes("bavaria"), hashes("de"))),
        ({"customer.region": BOTH_STATES[0], "customer.country": "US"}, ([BOTH_STATES[0]], BOTH_COUNTRIES)),
    ],
)
def test_c18_limited_data_use(changes: Changes, expected: tuple[list[str], list[str]]) -> None:
    """Limited use is asked for with the state and the country, in both cases for the United States."""
    document = sent(lead({"consent.region": None, **changes, "consent.limited_data_use": True}))
    user_data = document["user_data"]

    assert ("LDP", expected) == (document["custom_data"]["opt_out_type"], (user_data["st"], user_data["country"]))


@pytest.mark.parametrize(
    "changes",
    [
        {"customer.region": "California", "customer.country": None, "consent.region": None},
        {"customer.region": None, "customer.country": "US", "consent.region": "US"},
        {"customer.region": "Bavaria", "customer.country": "US", "consent.region": "GB"},
        {"customer.region": None, "customer.country": "DE", "consent.region": "US-CA"},
        {"customer.region": None, "customer.country": None, "consent.region": "FR-IDF"},
    ],
)
def test_c18_limit_that_would_be_ignored(changes: Changes) -> None:
    """An event whose limit Pinterest would ignore, as state or country is missing, is skipped and never sent."""
    assert Skipped(Reason.LIMITED_USE) == shape(lead({**changes, "consent.limited_data_use": True}))


@pytest.mark.parametrize("given", [False, None])
def test_c18_no_limit(given: bool | None) -> None:
    """Without a wish to limit the use, nothing is said of it, and places leave in lower case only."""
    document = sent(lead({"consent.limited_data_use": given}))

    assert "opt_out_type" not in document["custom_data"]
    assert (BOTH_STATES[:1], BOTH_COUNTRIES[:1]) == (document["user_data"]["st"], document["user_data"]["country"])


def test_c18_keys_are_told() -> None:
    """What was added for the limit counts as a match key."""
    found = shaped(lead({"customer.region": None, "consent.limited_data_use": True}))

    assert tuple(orjson.loads(found.payload)["user_data"]) == found.match_keys
    assert "st" in found.match_keys


@pytest.mark.parametrize("name", ["order_refunded", "order_cancelled"])
def test_c19_nothing_for_what_was_taken_back(name: str) -> None:
    """Refunds and cancellations are skipped: Pinterest has no event for them."""
    assert Skipped(Reason.NO_PLATFORM_EVENT) == shape(event(name))


@pytest.mark.parametrize("source", ["WEBSITE", "STORE", "APP"])
def test_c17_age(source: str) -> None:
    """An event goes until half an hour before it is 7 days old, wherever it happened."""
    found = shaped(order({"action_source": source, "app": IOS}))

    assert (WHEN + 7 * DAY - 1800, WHEN) == (found.expires_at, found.not_before)


def test_time_in_whole_seconds() -> None:
    """The time is cut to whole seconds, and so never lies ahead of what happened."""
    found = shaped(order({"occurred_at": "2025-11-21T08:00:00.999Z"}))

    assert (True, WHEN + 0.999) == (b'"event_time":1763712000,' in found.payload, found.not_before)


@pytest.mark.parametrize(
    ("source", "app", "expected"),
    [
        ("WEBSITE", None, "web"),
        ("STORE", None, "offline"),
        ("PHONE", None, "offline"),
        ("CHAT", None, "web"),
        ("EMAIL", None, "web"),
        ("MESSAGING", None, "web"),
        ("SYSTEM", None, "offline"),
        ("OTHER", None, "web"),
        ("APP", IOS, "app_ios"),
        ("APP", ANDROID, "app_android"),
        ("WEBSITE", ANDROID, "web"),
    ],
)
def test_where_it_happened(source: str, app: object, expected: str) -> None:
    """Where it happened has Pinterest's word; an app's is that of its system."""
    assert expected == sent(order({"action_source": source, "app": app}))["action_source"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ("https://shop.example/thanks?order=A-1001", ())),
        ({"touch.url": "\nHTTPS://shop.example/?q=Ä "}, ("HTTPS://shop.example/?q=Ä", ())),
        ({"touch.url": "shop"}, (None, ("no_page_url",))),
        ({"touch.url": None}, (None, ("no_page_url",))),
        ({"action_source": "STORE"}, (None, ())),
        ({"action_source": "APP", "app": IOS}, (None, ())),
    ],
)
def test_page(changes: Changes, expected: tuple[str | None, tuple[str, ...]]) -> None:
    """An event of the web names its page; without one it is sent and noted. No other event names any."""
    found = shaped(order(changes))

    assert expected == (orjson.loads(found.payload).get("event_source_url"), found.notes)


@pytest.mark.parametrize(
    ("number", "country", "expected"),
    [
        ("2025550146", None, (("phone_no_country",), False)),
        ("2025550146", "XX", (("phone_no_country",), False)),
        ("2025550146", "US", ((), True)),
        ("+12025550146", None, ((), True)),
        ("call me", "US", ((), False)),
    ],
)
def test_note_of_a_number(number: str, country: str | None, expected: tuple[tuple[str, ...], bool]) -> None:
    """A national number of nobody knows where is left out with a note, and the event goes with its other keys."""
    customer = {"phones": [number], "emails": ["person@example.com"], "country": country}
    found = shaped(order({"customer": customer}))

    assert expected == (found.notes, "ph" in found.match_keys)


def test_app() -> None:
    """An event of an app names the app and its system, as far as they are known."""
    whole = sent(order({"action_source": "APP", "app": IOS}))
    bare = sent(order({"action_source": "APP", "app": {"os": "IOS", "app_name": " ", "tracking_allowed": True}}))
    names = ("app_id", "app_name", "app_version", "os_version")

    assert ("com.example.shop", "Example Shop", "5.2.1", "26.1") == tuple(whole[name] for name in names)
    assert not [name for name in names if name in bare]


def test_app_stays_out_of_the_web() -> None:
    """An event of the web names no app."""
    assert "app_id" not in sent(order({"app": IOS}))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("en-GB", "en"),
        ("DE", "de"),
        ("fil-PH", None),
        ("en_GB", None),
        ("en-GB,en;q=0.9", None),
        (" ", None),
        (None, None),
    ],
)
def test_language(given: str | None, expected: str | None) -> None:
    """The browser's language leaves as its two letters, if it has two."""
    assert expected == sent(order({"touch.language": given})).get("language")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, None),
        ({"consent.ad_personalization": "UNKNOWN"}, None),
        ({"consent.ad_personalization": "DENIED"}, True),
        ({"consent.ad_personalization": "DENIED", "action_source": "STORE"}, True),
        ({"action_source": "APP", "app": IOS}, None),
        ({"action_source": "APP", "app": IOS | {"tracking_allowed": False}}, True),
        ({"app": IOS | {"tracking_allowed": False}}, None),
    ],
)
def test_opt_out(changes: Changes, expected: bool | None) -> None:
    """Opting out is told of those who refused personalized ads, in an app also by its setting; never by default."""
    assert expected == sent(order(changes)).get("opt_out")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (order({"event_id": "  "}), "event_id is blank"),
        (order({"value": "-1"}), "value is below zero"),
        (lead({"value": None, "currency": "US$"}), "currency is not an ISO 4217 code"),
        (order({"action_source": "APP", "app": None}), "an app event needs app"),
    ],
)
def test_what_cannot_be_sent(found: Event, expected: str) -> None:
    """What Pinterest would refuse a whole request for, or count wrongly, is refused before, without a value."""
    assert (Reason.INVALID_EVENT, expected) == refusal(shape(found))


def test_custom_data_of_an_order() -> None:
    """An order tells its value, its currency in capitals, its id and its lines with all that is known of them."""
    custom_data = sent(order({"currency": " gbp "}))["custom_data"]

    assert {
        "currency": "GBP",
        "value": "129.9",
        "content_ids": ["SKU-1", "SKU-2"],
        "contents": [
            {
                "id": "SKU-1",
                "item_name": "Wool scarf",
                "item_category": "Accessories",
                "item_brand": "Acme",
                "item_price": "19.9",
                "quantity": 2,
            },
            {
                "id": "SKU-2",
                "item_name": "Rain jacket",
                "item_category": "Outerwear",
                "item_brand": "Acme",
                "item_price": "95.2",
                "quantity": 1,
            },
        ],
        "num_items": 3,
        "order_id": "A-1001",
    } == custom_data


def test_custom_data_of_an_activity() -> None:
    """An activity tells what was searched for and what the customer may be worth."""
    custom_data = sent(activity({"query": " wool scarf "}))["custom_data"]

    assert ("wool scarf", "240", False) == (
        custom_data["search_string"],
        custom_data["predicted_ltv"],
        "order_id" in custom_data,
    )


@pytest.mark.parametrize(
    "line", [{"id": " "}, {"id": "SKU-2", "quantity": 0}, {"id": "SKU-2", "quantity": -1}], ids=["id", "none", "less"]
)
def test_lines_that_are_none(line: dict[str, object]) -> None:
    """A line without an id or without a quantity above zero is left out everywhere, and the order is sent."""
    custom_data = sent(order({"items": [line, {"id": "SKU-1", "quantity": 3}]}))["custom_data"]

    assert [["SKU-1"], [{"id": "SKU-1", "quantity": 3}], 3] == [
        custom_data[name] for name in ("content_ids", "contents", "num_items")
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"items": [{"id": "SKU-1", "unit_price": "-0.01"}]},
        {"items": [{"id": "SKU-1", "unit_price": "5"}], "value": None, "currency": None},
    ],
    ids=["below zero", "no currency"],
)
def test_prices_that_are_none(changes: Changes) -> None:
    """A price below zero, or in a currency that nobody told, is left out of its line."""
    assert [{"id": "SKU-1", "quantity": 1}] == sent(order(changes))["custom_data"]["contents"]


def test_zero_is_an_amount() -> None:
    """An order may be worth nothing, and a line cost nothing: 0 is told like any other amount."""
    custom_data = sent(order({"value": "0", "items": [{"id": "SKU-1", "unit_price": "0.00"}]}))["custom_data"]

    assert ("0", [{"id": "SKU-1", "item_price": "0", "quantity": 1}]) == (custom_data["value"], custom_data["contents"])


def test_blank_words_of_a_line() -> None:
    """Of a line, words in which nothing is said are left out."""
    blank = {"id": "SKU-1", "title": " ", "category": "", "brand": "\t"}

    assert [{"id": "SKU-1", "quantity": 1}] == sent(order({"items": [blank]}))["custom_data"]["contents"]


@pytest.mark.parametrize(("given", "expected"), [("240.00", "240"), ("0", "0"), ("-0.01", None), (None, None)])
def test_predicted_value(given: str | None, expected: str | None) -> None:
    """What a customer may be worth is told unless it is below zero."""
    assert expected == sent(activity({"predicted_value": given}))["custom_data"].get("predicted_ltv")


@pytest.mark.parametrize("query", ["", "  ", None])
def test_blank_query(query: str | None) -> None:
    """Where nothing was searched for, no search is told."""
    assert "search_string" not in sent(activity({"query": query}))["custom_data"]


def test_event_without_custom_data() -> None:
    """An event of which nothing of the kind is known has no custom data."""
    assert "custom_data" not in sent(lead({"value": None, "currency": None}))


@pytest.mark.parametrize(
    ("event_names", "problem"),
    [
        ({"order_payed": "checkout"}, "none of our events"),
        ({"order_placed": " "}, "blank"),
        ({"order_refunded": "custom"}, "taken back"),
        ({"order_refunded": "Check-Out"}, "in this spelling only"),
        ({"page_view": "PageVisit"}, "counts page_visit in this spelling only"),
        ({"lead_lost": "lead"}, "as a conversion"),
        ({"order_cancelled": "checkout"}, "as a conversion"),
        ({"order_placed": "checkout\n"}, "white space"),
        ({"custom": "quiz done"}, "letters, digits"),
        ({"custom": "q" * 101}, "letters, digits"),
    ],
)
def test_names_that_cannot_be_meant(event_names: dict[str, str], problem: str) -> None:
    """Unknown events, names that Pinterest does not count, and refunds as conversions are faults of configuration."""
    with pytest.raises(ValueError, match=problem):
        PinterestOptions(event_names=event_names)


@pytest.mark.parametrize(
    "given",
    [
        "api.pinterest.com",
        "ftp://api.pinterest.com",
        "https://",
        "https://api.pinterest.com\n",
        " https://api.pinterest.com",
        "https://api.pinterest.com/a b",
        "https://api.pinterest.com/\x00",
        "https://api.pinterest.com?a=1",
        "https://api.pinterest.com/v5?a=1",
        "https://api.pinterest.com/#top",
        "https://user:word@api.pinterest.com",
    ],
)
def test_address_that_is_none(given: str) -> None:
    """An address is a scheme, a host and at most a path: all else is a fault of configuration, and not quoted."""
    with pytest.raises(ValueError, match="base_url") as raised:
        PinterestOptions(base_url=given)

    assert "word" not in str(raised.value)


@pytest.mark.parametrize(
    "given", ["http://127.0.0.1:8090", "https://[::1]:8090/", "HTTPS://gateway.example/pinterest/"]
)
def test_address_that_is_one(given: str) -> None:
    """A port and a path are parts of an address."""
    assert given == PinterestOptions(base_url=given).base_url


@pytest.mark.parametrize("name", ["order_placed", "order_refunded", "lead_converted", "custom", "add_to_cart"])
def test_names_of_ones_own(name: str) -> None:
    """A destination may call an event as it likes, one that is not sent otherwise too."""
    assert "shop_event" == sent(event(name), PinterestOptions(event_names={name: "shop_event"}))["event_name"]


def test_custom_activity_has_its_name_from_the_destination() -> None:
    """A custom activity is skipped, lest it be taken for a qualified lead; a destination may say what it is."""
    given = activity({"name": "CUSTOM", "custom_name": "Checkout"})
    found = shaped(given, PinterestOptions(event_names={"custom": "custom"}))

    assert Skipped(Reason.NO_PLATFORM_EVENT) == shape(given)
    assert ("custom", False) == (found.event_name, b"Checkout" in found.payload)


def test_same_moment_same_bytes() -> None:
    """The same moment written with another offset is the same event."""
    assert shape(order()) == shape(order({"occurred_at": "2025-11-21T09:00:00+01:00"}))


def test_work_of_another_table_is_used() -> None:
    """What another platform's table made of a field changes no byte, whether it was there first or not."""
    found = lead({"consent.limited_data_use": True})
    alone = shaped(found).payload
    found.seals = {}
    first = shaped(found).payload

    assert (alone, alone, True) == (first, shaped(found).payload, bool(found.seals))


def test_group() -> None:
    """All events of an ad account may share a request, wherever they happened."""
    found = [shaped(order({"action_source": source, "app": IOS})) for source in ("WEBSITE", "APP", "STORE")]

    assert {""} == {one.group for one in found}


def test_payload_is_one_event() -> None:
    """The payload is one JSON object whose keys stand in a fixed order."""
    everything = {"consent.ad_personalization": "DENIED", "action_source": "APP", "app": IOS}

    assert [
        "event_name",
        "action_source",
        "event_time",
        "event_id",
        "opt_out",
        "user_data",
        "custom_data",
        "app_id",
        "app_name",
        "app_version",
        "os_version",
        "language",
    ] == list(sent(order(everything)))


def test_least() -> None:
    """Of somebody who is only known by a visit, an event still goes."""
    assert isinstance(shape(lead({**NOBODY, "value": None})), Shaped)
