"""What Snapchat is told of an event, and which events it is not told of."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from meta_events import DAY, WHEN, Changes, activity, lead, order, refusal
from snapchat_events import APP_ID, EVERYWHERE, IOS, PIXEL, SITE, sent, shape, shaped, snapchat

from pipeline.core.contract import EVENTS_OF
from pipeline.core.model import Event, Shaped, Skipped
from pipeline.core.reason import Reason
from pipeline.flow.clocks import Moment
from pipeline.flow.prepare import Way
from pipeline.platforms.snapchat import CUSTOM_EVENTS, EVENT_NAMES, KIND, STANDARD_EVENTS, SnapchatOptions

NOT_SENT = {
    *("order_refunded", "order_cancelled", "lead_qualified", "lead_converted", "lead_lost"),
    *("submit_application", "contact", "schedule", "custom"),
}


def event(name: str, changes: Changes | None = None) -> Event:
    """Return the event of ours with this name."""
    if name in EVENTS_OF["order"]:
        return order({"state": name.removeprefix("order_").upper(), **(changes or {})})
    if name in EVENTS_OF["lead"]:
        return lead({"state": name.removeprefix("lead_").upper(), **(changes or {})})
    return activity({"name": name.upper(), "custom_name": "Quiz done", **(changes or {})})


@pytest.mark.parametrize("name", [name for names in EVENTS_OF.values() for name in names])
def test_20_every_event_has_its_name(name: str) -> None:
    """Each event of ours is sent under Snapchat's name for it, or skipped where Snapchat has none, as for a refund."""
    found = shape(event(name))
    expected = EVENT_NAMES.get(name)

    assert (Skipped(Reason.NO_PLATFORM_EVENT) if expected is None else expected) == (
        found if isinstance(found, Skipped) else sent(event(name))["event_name"]
    )
    assert (name in NOT_SENT) == isinstance(found, Skipped)


def test_names_are_snapchats() -> None:
    """Every name that is sent without being asked for is on Snapchat's list, and no slot of the pixel's own is."""
    assert set(EVENT_NAMES.values()) <= STANDARD_EVENTS
    assert not STANDARD_EVENTS & CUSTOM_EVENTS


@pytest.mark.parametrize("name", ["lead_qualified", "submit_application", "custom", "order_refunded", "order_placed"])
def test_slots(name: str) -> None:
    """A destination may give any event one of the five slots of its pixel, also what was taken back."""
    document = sent(event(name), SnapchatOptions(event_names={name: "CUSTOM_EVENT_2"}))

    assert "CUSTOM_EVENT_2" == document["event_name"]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ({"order_placed": "Purchase"}, "does not know"),
        ({"custom": "CUSTOM_EVENT_6"}, "does not know"),
        ({"custom": " "}, "blank"),
        ({"order_refunded": "PURCHASE"}, "taken back"),
        ({"order_cancelled": "SIGN_UP"}, "taken back"),
        ({"lead_lost": "PURCHASE"}, "conversion"),
        ({"order_shipped": "CUSTOM_EVENT_1"}, "none of our events"),
    ],
)
def test_names_that_cannot_be_meant(names: dict[str, str], said: str) -> None:
    """A name that Snapchat does not know, and a refund that would count as a conversion, are faults of the options."""
    with pytest.raises(ValueError, match=said):
        SnapchatOptions(event_names=names)


@pytest.mark.parametrize(
    "given",
    [
        {"app_id": "a/b"},
        {"app_id": ""},
        {"site_url": "shop.example"},
        {"base_url": "tr.snapchat.com"},
    ],
    ids=str,
)
def test_options_that_cannot_be_meant(given: dict[str, Any]) -> None:
    """An id that would change the URL and an address that is none are faults of the options."""
    with pytest.raises(ValueError, match=next(iter(given))):
        SnapchatOptions(**given)


@pytest.mark.parametrize("missing", ["value", "currency"])
def test_9_purchase_needs_value_and_currency(missing: str) -> None:
    """A purchase without a value or a currency is refused, here and not by Snapchat."""
    given: Changes = {"value": None, "currency": None} if missing == "currency" else {"value": None}

    assert (Reason.INVALID_EVENT, "a PURCHASE needs value and currency") == refusal(shape(order(given)))


def test_9_value_in_no_currency() -> None:
    """Decoding keeps such orders away; one that came without its currency all the same is refused."""
    found = order()
    found.body["currency"] = None

    assert (Reason.INVALID_EVENT, "a PURCHASE needs value and currency") == refusal(shape(found))


def test_9_under_a_name_of_its_own() -> None:
    """What the destination calls a purchase has to be one."""
    options = SnapchatOptions(event_names={"lead_converted": "PURCHASE"})
    found = event("lead_converted", {"value": None, "currency": None})

    assert Reason.INVALID_EVENT is refusal(shape(found, options))[0]


@pytest.mark.parametrize("found", [order({"value": "-5"}), lead({"value": "-0.01"}), activity({"value": "-1"})])
def test_9_value_below_zero(found: Event) -> None:
    """Nothing is worth less than nothing: it cannot be meant."""
    assert (Reason.INVALID_EVENT, "value is below zero") == refusal(shape(found))


def test_9_value_of_zero() -> None:
    """An order, a price and a prediction of zero are told: zero is a number."""
    given: Changes = {"value": "0", "items": [{"id": "SKU-1", "unit_price": "0"}]}
    bought = sent(order(given))["custom_data"]

    assert (0.0, 0.0) == (bought["value"], bought["contents"][0]["item_price"])
    assert 0.0 == sent(activity({"predicted_value": "0"}))["custom_data"]["predicted_ltv"]


def test_currency_without_value() -> None:
    """A currency that does not exist is refused also where no value is required."""
    assert Reason.INVALID_EVENT is refusal(shape(lead({"value": None, "currency": "US$"})))[0]


@pytest.mark.parametrize("given", ["2026-11-20T10:00:00.750Z", "2026-11-20T11:00:00.750+01:00"])
def test_10_time_is_whole_seconds(given: str) -> None:
    """The time is Unix seconds of ten digits, cut and never rounded up."""
    found = shaped(order({"occurred_at": given}))

    assert (True, 1_795_168_800.75) == (b'"event_time":1795168800,' in found.payload, found.not_before)


@pytest.mark.parametrize(
    ("source", "word", "asset"),
    [
        ("WEBSITE", "WEB", PIXEL),
        ("APP", "MOBILE_APP", APP_ID),
        *((source, "OFFLINE", PIXEL) for source in "STORE PHONE CHAT EMAIL MESSAGING SYSTEM OTHER".split()),
    ],
)
def test_places(source: str, word: str, asset: str) -> None:
    """What happened in the app belongs to the app's asset, everything else to the pixel."""
    sections = {"action_source": source, "app": IOS, "messaging": {"channel": "WHATSAPP"}}
    found = shaped(order(sections))

    assert (asset, word) == (found.group, sent(order(sections))["action_source"])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (EVERYWHERE, []),
        (SnapchatOptions(site_url=SITE), ["app_id"]),
        (SnapchatOptions(app_id=APP_ID), ["site_url"]),
        (SnapchatOptions(), ["app_id", "site_url"]),
        (None, ["app_id", "site_url"]),
    ],
)
def test_notices(options: object, expected: list[str]) -> None:
    """People are told what is skipped because an option is missing, and which one."""
    said = KIND.notices(options, date(2026, 11, 21))

    assert expected == re.findall(r"skipped: set options\.(\w+) to", "\n".join(said))


def test_app_without_an_asset() -> None:
    """Without the Snap App ID, app events have nowhere to go and are skipped by that name."""
    assert Skipped(Reason.NOT_SET_UP) == shape(order({"action_source": "APP", "app": IOS}), SnapchatOptions())


@pytest.mark.parametrize("url", [None, "", "call center", "ftp://shop.example/"])
def test_offline_page(url: str | None) -> None:
    """What happened offline is told with the site's address where it has none; without either it is skipped."""
    found = order({"action_source": "STORE", "touch.url": url})

    assert SITE == sent(found)["event_source_url"]
    assert Skipped(Reason.NOT_SET_UP) == shape(found, SnapchatOptions())


def test_offline_with_its_own_page() -> None:
    """A page of its own goes before the site's, and needs no site."""
    found = order({"action_source": "PHONE", "touch.url": " https://shop.example/call "})

    assert ["https://shop.example/call"] * 2 == [
        sent(found, options)["event_source_url"] for options in (EVERYWHERE, SnapchatOptions())
    ]


@pytest.mark.parametrize("url", [None, "", "shop.example/thanks", "https://", "https://shop.example/a page"])
def test_website_needs_its_page(url: str | None) -> None:
    """A website event without a web address is refused, whatever the site's address is."""
    reason, detail = refusal(shape(order({"touch.url": url})))

    assert (Reason.INVALID_EVENT, "a website event needs touch.url with http or https") == (reason, detail)


def test_app_needs_no_page() -> None:
    """In the app there may be no page, and the site's is not made up for it."""
    assert "event_source_url" not in sent(order({"action_source": "APP", "app": IOS, "touch.url": None}))


@pytest.mark.parametrize(
    ("app", "expected"),
    [
        ({"extinfo": ["a2", "com.example", "5.2"]}, ["a2", "com.example", "5.2"]),
        ({"os": "ANDROID", "app_id": None, "app_version": None, "os_version": "16"}, ["a2", "", "", "", "16"]),
        ({}, ["i2", "com.example.shop", "5.2.1", "5.2.1", "26.1"]),
        ({"extinfo": ["i2", *"123456789abcdef"]}, ["i2", *"123456789abcdef"]),
    ],
)
def test_21_device_facts(app: dict[str, object], expected: list[str]) -> None:
    """The device's facts are always sixteen texts, an unknown one empty."""
    document = sent(order({"action_source": "APP", "app": IOS | app}))["app_data"]

    assert [*expected, *[""] * (16 - len(expected))] == document["extinfo"]


@pytest.mark.parametrize("allowed", [True, False])
def test_tracking(allowed: bool) -> None:
    """What the person answered to the app's question is a number."""
    document = sent(order({"action_source": "APP", "app": IOS | {"tracking_allowed": allowed}}))["app_data"]

    assert {"app_id": "com.example.shop", "advertiser_tracking_enabled": int(allowed)} == {
        key: value for key, value in document.items() if key != "extinfo"
    }


@pytest.mark.parametrize("app_id", [None, "", " "])
def test_app_without_an_id(app_id: str | None) -> None:
    """An app that does not say what it is called is not called anything."""
    assert "app_id" not in sent(order({"action_source": "APP", "app": IOS | {"app_id": app_id}}))["app_data"]


@pytest.mark.parametrize(
    ("app", "said"),
    [
        (None, "needs app"),
        ({"extinfo": ["i2", *[""] * 16]}, "more than 16"),
        ({"extinfo": ["ios"]}, "begin with a2"),
    ],
)
def test_app_faults(app: dict[str, object] | None, said: str) -> None:
    """An app event without its app, or with facts of another form, is refused."""
    reason, detail = refusal(shape(order({"action_source": "APP", "app": None if app is None else IOS | app})))

    assert (Reason.INVALID_EVENT, True) == (reason, said in detail)


def test_app_stays_out_of_the_web() -> None:
    """An event of the web tells of no app and no device, even if the record has one."""
    document = sent(order({"app": IOS}))

    assert (False, set()) == ("app_data" in document, {"madid", "idfv"} & document["user_data"].keys())


@pytest.mark.parametrize(
    ("consent", "expected"),
    [
        ({"limited_data_use": True, "region": "US-CA"}, (["LDU"], 1, 1000)),
        ({"limited_data_use": True, "region": " us-ca"}, (["LDU"], 1, 1000)),
        ({"limited_data_use": True, "region": "US-TX"}, (["LDU"], 0, 0)),
        ({"limited_data_use": True, "region": "CA"}, (["LDU"], 0, 0)),
        ({"limited_data_use": True}, (["LDU"], 0, 0)),
        ({"ad_personalization": "DENIED", "limited_data_use": False}, (["LDU"], 0, 0)),
        ({"limited_data_use": False, "region": "US-CA"}, None),
        ({}, None),
    ],
)
def test_19_limited_data_use(consent: dict[str, object], expected: tuple[object, ...] | None) -> None:
    """Who asked for limited use, or refused personalized ads, is told so; only California is named by number."""
    document = sent(order({"consent": {"ad_user_data": "GRANTED", **consent}}))
    said = tuple(value for key, value in document.items() if key.startswith("data_processing_options"))

    assert (expected or ()) == said


def test_19_the_other_word() -> None:
    """Snapchat's pages have two words for it; which one is sent is a choice of the destination."""
    document = sent(order({"consent": {"limited_data_use": True}}), SnapchatOptions(limited_data_use="LMU"))

    assert ["LMU"] == document["data_processing_options"]


def test_what_was_bought() -> None:
    """An order has its number, its lines, how many pieces they are, and what it is worth as numbers."""
    items = [
        {"id": "SKU-1", "quantity": 2, "unit_price": "19.90", "brand": "Acme", "category": "Scarves", "title": "Scarf"},
        {"id": " ", "quantity": 7},
        {"id": "SKU-0", "quantity": 0},
        {"id": "SKU-2"},
    ]

    assert {
        "currency": "GBP",
        "value": 1234567.8901,
        "order_id": "A-1001",
        "content_type": "product",
        "content_ids": ["SKU-1", "SKU-2"],
        "contents": [
            {"id": "SKU-1", "quantity": 2, "item_price": 19.9, "brand": "Acme", "item_category": "Scarves"},
            {"id": "SKU-2", "quantity": 1},
        ],
        "num_items": 3,
    } == sent(order({"value": "1234567.8901", "currency": " gbp ", "items": items}))["custom_data"]


def test_ids_and_prices_of_lines() -> None:
    """The id of a product has no white space around it, and a price below zero is left out."""
    items = [{"id": " SKU-1 ", "quantity": 1, "unit_price": "-3"}]
    custom = sent(order({"items": items}))["custom_data"]

    assert (["SKU-1"], [{"id": "SKU-1", "quantity": 1}]) == (custom["content_ids"], custom["contents"])


def test_a_prediction_below_zero() -> None:
    """A predicted value below zero is left out, and the event goes."""
    assert "predicted_ltv" not in sent(activity({"predicted_value": "-0.01"}))["custom_data"]


def test_what_was_looked_for() -> None:
    """A search has its words, and a predicted value goes along as a number."""
    custom = sent(event("search", {"query": " wool scarf "}))["custom_data"]

    assert ("wool scarf", 240.0) == (custom["search_string"], custom["predicted_ltv"])
    assert "search_string" not in sent(event("search", {"query": " "}))["custom_data"]


def test_a_lead_is_told_from_a_registration() -> None:
    """Both are a SIGN_UP; a lead says so, and says nothing under another name."""
    slot = SnapchatOptions(event_names={"lead_submitted": "CUSTOM_EVENT_1"})

    assert "lead" == sent(lead())["custom_data"]["sign_up_method"]
    assert "sign_up_method" not in sent(lead(), slot)["custom_data"]
    assert "sign_up_method" not in sent(event("complete_registration"))["custom_data"]


def test_nothing_is_said_of_nothing() -> None:
    """An event that is worth nothing and about nothing has no custom data."""
    bare: Changes = {"value": None, "currency": None, "predicted_value": None, "items": [], "query": None}

    assert "custom_data" not in sent(event("page_view", bare))


@pytest.mark.parametrize("given", [" ", "\t"])
def test_blank_event_id(given: str) -> None:
    """An event without an id that could drop its copy is refused."""
    assert (Reason.INVALID_EVENT, "event_id is blank") == refusal(shape(order({"event_id": given})))


@pytest.mark.parametrize(
    ("age", "expected"),
    [(8 * DAY, None), (37 * DAY - 1801.0, None), (37 * DAY - 1800.0, Reason.EXPIRED), (38 * DAY, Reason.EXPIRED)],
)
def test_18_age(age: float, expected: Reason | None) -> None:
    """An event goes until half an hour before it is 37 days old, one of 8 days included; then it is expired."""
    _, found = Way(snapchat()).outcome(order(), Moment(WHEN + age, WHEN + age))

    assert (expected, expected is None) == (getattr(found, "reason", None), isinstance(found, Shaped))


def test_same_event_same_bytes() -> None:
    """The same event gives the same bytes, whoever shapes it."""
    assert shape(order()) == shape(order())
