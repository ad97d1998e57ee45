"""What TikTok is told of an event, and which events it is not told of."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import orjson
import pytest
from meta_events import Changes
from pydantic import TypeAdapter
from tiktok_events import (
    ANDROID,
    APP_ID,
    CRM,
    DAY,
    EVERYWHERE,
    IOS,
    OFFLINE,
    PIXEL,
    WHEN,
    activity,
    lead,
    order,
    refusal,
    sent,
    shape,
    shaped,
)

from pipeline.core.contract import EVENTS_OF
from pipeline.core.model import Event, Skipped
from pipeline.core.reason import Reason
from pipeline.platforms.tiktok import EVENT_NAMES, TikTokOptions

NOT_SENT = {"order_refunded", "order_cancelled", "lead_lost", "page_view"}


def event(name: str, changes: Changes | None = None) -> Event:
    """Return the event of ours with this name."""
    if name in EVENTS_OF["order"]:
        return order({"state": name.removeprefix("order_").upper(), **(changes or {})})
    if name in EVENTS_OF["lead"]:
        return lead({"state": name.removeprefix("lead_").upper(), **(changes or {})})
    return activity({"name": name.upper(), "custom_name": "Quiz done", **(changes or {})})


def options(given: Mapping[str, object]) -> TikTokOptions:
    """Read options as the destinations file's are read."""
    return TypeAdapter(TikTokOptions).validate_python(given)


@pytest.mark.parametrize("name", [name for names in EVENTS_OF.values() for name in names])
def test_every_event_has_its_name(name: str) -> None:
    """Each event of ours is sent under TikTok's name for it, or skipped where TikTok has none."""
    found = shape(event(name))
    expected = {**EVENT_NAMES, "custom": "Quiz done"}.get(name)

    assert (Skipped(Reason.NO_PLATFORM_EVENT) if expected is None else expected) == (
        found if isinstance(found, Skipped) else sent(event(name))["event"]
    )
    assert (name in NOT_SENT) == isinstance(found, Skipped)


@pytest.mark.parametrize("given", ["273196", "order_placed:A-1001"])
def test_c8_event_id_is_text(given: str) -> None:
    """An event id of digits leaves as JSON text, never as a number."""
    assert f'"event_id":"{given}"'.encode() in shaped(order({"event_id": given})).payload


def test_c9_purchase_with_its_time() -> None:
    """An order is a purchase, and its time whole seconds, cut and not rounded."""
    found = shaped(order({"occurred_at": "2026-11-20T10:00:00.750Z"}))

    assert b'{"event":"Purchase","event_time":1795168800,"event_id":' in found.payload
    assert 1_795_168_800.75 == found.not_before


def test_c10_contents() -> None:
    """A product's id is text and its price a number."""
    found = shaped(order({"items": [{"id": "1077218", "unit_price": "8.00", "quantity": 3}]}))

    assert b'"contents":[{"content_id":"1077218","price":8.0,"quantity":3}]' in found.payload


@pytest.mark.parametrize("name", ["order_refunded", "order_cancelled"])
def test_c11_nothing_for_what_was_taken_back(name: str) -> None:
    """Refunds and cancellations are skipped: TikTok has no event for them."""
    assert Skipped(Reason.NO_PLATFORM_EVENT) == shape(event(name))


def test_c18_age() -> None:
    """An event goes until half an hour before it is 28 days old, so one of 29 days is too late."""
    assert WHEN + 28 * DAY - 1800 == shaped(order()).expires_at < WHEN + 29 * DAY


@pytest.mark.parametrize("source", ["WEBSITE", "APP"])
@pytest.mark.parametrize(
    ("limited", "personalization", "expected"),
    [
        (True, "GRANTED", True),
        (True, "DENIED", True),
        (False, "DENIED", True),
        (None, "DENIED", True),
        (False, "GRANTED", None),
        (None, "UNKNOWN", None),
    ],
)
def test_c19_limited_data_use(source: str, limited: bool | None, personalization: str, expected: bool | None) -> None:
    """Limited use is asked for when the event says so or personalized ads were refused, and is absent otherwise."""
    consent = {"consent.limited_data_use": limited, "consent.ad_personalization": personalization}

    assert expected == sent(order({"action_source": source, "app": IOS, **consent})).get("limited_data_use")


@pytest.mark.parametrize(("made", "source"), [(order, "STORE"), (lead, "PHONE"), (lead, "SYSTEM")])
@pytest.mark.parametrize("limit", [{"consent.limited_data_use": True}, {"consent.ad_personalization": "DENIED"}])
def test_c19_no_limit_no_sending(made: Callable[[Changes], Event], source: str, limit: Changes) -> None:
    """Where TikTok cannot be told to limit the use, an event of somebody who limited it is not sent."""
    assert Skipped(Reason.LIMITED_USE) == shape(made({"action_source": source, **limit}))


def test_c19_no_flag_where_none_is_known() -> None:
    """An event of a store has no flag, also when it says that nobody limited its use."""
    assert "limited_data_use" not in sent(order({"action_source": "STORE", "consent.limited_data_use": False}))


@pytest.mark.parametrize(
    ("app", "keys", "status"), [(IOS, {"idfv"}, "DENIED"), (ANDROID, set(), "NOT_APPLICABLE")], ids=["iOS", "Android"]
)
def test_c19_tracking_not_allowed(app: Mapping[str, object], keys: set[str], status: str) -> None:
    """Who did not allow an app to track keeps the advertising id, and the use of the rest is limited."""
    allowed, denied = (
        sent(order({"action_source": "APP", "app": {**app, "tracking_allowed": choice}})) for choice in (True, False)
    )
    device = {"idfa", "idfv", "gaid"}

    assert (keys, status, True) == (
        device & set(denied["user"]),
        denied["user"]["att_status"],
        denied["limited_data_use"],
    )
    assert (1, None) == (len(device & set(allowed["user"]) - keys), allowed.get("limited_data_use"))


def test_c19_tracking_is_a_choice_in_apps() -> None:
    """What a person answered in an app limits nothing of what happened elsewhere."""
    web = sent(order({"action_source": "WEBSITE", "app": IOS | {"tracking_allowed": False}}))

    assert "limited_data_use" not in web


@pytest.mark.parametrize(
    ("source", "made", "expected"),
    [
        ("WEBSITE", order, f"web:{PIXEL}"),
        ("OTHER", order, f"web:{PIXEL}"),
        ("SYSTEM", order, f"web:{PIXEL}"),
        ("MESSAGING", lead, f"web:{PIXEL}"),
        ("STORE", order, f"offline:{OFFLINE}"),
        ("PHONE", lead, f"offline:{OFFLINE}"),
        ("APP", order, f"app:{APP_ID}"),
        ("SYSTEM", lead, f"crm:{CRM}"),
        ("OTHER", lead, f"crm:{CRM}"),
    ],
)
def test_where_it_happened(source: str, made: Callable[[Changes], Event], expected: str) -> None:
    """Where it happened decides which of the account's event sources it goes to; a system's lead is from a CRM."""
    assert expected == shaped(made({"action_source": source})).group


@pytest.mark.parametrize(
    ("found", "option"),
    [
        (order({"action_source": "STORE"}), "offline_event_set_id"),
        (order({"action_source": "APP"}), "app_id"),
        (lead({"action_source": "SYSTEM"}), "crm_event_set_id"),
    ],
)
def test_places_without_an_id(found: Event, option: str) -> None:
    """What happened in a place for which the destination has no id is skipped, and sent once it has one."""
    assert Skipped(Reason.NOT_SET_UP) == shape(found, TikTokOptions())
    assert shaped(found, options({option: "7"})).group.endswith(":7")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"url": "https://shop.example/thanks?order=A-1001", "referrer": "https://shop.example/checkout"}),
        ({"touch.referrer": None}, {"url": "https://shop.example/thanks?order=A-1001"}),
        ({"touch.url": "shop", "touch.referrer": "https://a.example/ "}, {"referrer": "https://a.example/"}),
        ({"touch.url": None, "touch.referrer": "android-app://x"}, None),
        ({"action_source": "STORE"}, None),
    ],
)
def test_page(changes: Changes, expected: Mapping[str, str] | None) -> None:
    """An event of the web names its page and the one before it, if they are web addresses; no other event does."""
    assert expected == sent(order(changes)).get("page")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({}, ()), ({"touch.url": "shop"}, ("no_page_url",)), ({"action_source": "STORE", "touch.url": None}, ())],
)
def test_note_of_a_page(changes: Changes, expected: tuple[str, ...]) -> None:
    """An event of the web without its page is sent, and noted."""
    assert expected == shaped(order(changes)).notes


@pytest.mark.parametrize(
    ("app", "expected"),
    [
        (IOS, {"app_id": "com.example.shop", "app_name": "Example Shop", "app_version": "5.2.1"}),
        (IOS | {"app_name": " ", "app_version": None}, {"app_id": "com.example.shop"}),
        ({"os": "IOS"}, None),
        (None, None),
    ],
)
def test_app(app: Mapping[str, object] | None, expected: Mapping[str, str] | None) -> None:
    """An event of an app names the app, as far as it is known, and needs no app to be sent."""
    assert expected == sent(order({"action_source": "APP", "app": app})).get("app")


@pytest.mark.parametrize(("crm", "expected"), [("HubSpot", {"lead_event_source": "HubSpot"}), (" ", None)])
def test_lead_without_an_id(crm: str, expected: Mapping[str, str] | None) -> None:
    """A lead from a CRM names the CRM if it has a name."""
    assert expected == sent(lead({"action_source": "SYSTEM", "crm": crm})).get("lead")


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"crm": "HubSpot", "tiktok_lead_id": None}, "crm"),
        ({"crm": None, "tiktok_lead_id": "7123456789012345678"}, "crm"),
        ({"crm": " ", "tiktok_lead_id": ""}, "web"),
        ({"crm": None, "tiktok_lead_id": None}, "web"),
    ],
)
@pytest.mark.parametrize("state", ["SUBMITTED", "QUALIFIED", "CONVERTED"])
def test_lead_of_no_place(facts: Changes, expected: str, state: str) -> None:
    """A lead that does not say where it happened is a CRM's if it has what only a CRM knows."""
    found = shaped(lead({"action_source": "OTHER", "state": state, **facts}))

    assert expected == found.group.partition(":")[0]


def test_lead_of_the_web() -> None:
    """A lead that was submitted on the web is no event of a CRM."""
    assert "lead" not in sent(lead({"tiktok_lead_id": "7123456789012345678"}))


@pytest.mark.parametrize("changes", [{"value": None}, {"value": None, "currency": None}], ids=["value", "both"])
@pytest.mark.parametrize("name", ["Purchase", "CompletePayment", "PlaceAnOrder"])
def test_purchase_needs_value_and_currency(changes: Changes, name: str) -> None:
    """A purchase without a value or a currency is refused, under any of its names."""
    found = shape(order(changes), TikTokOptions(event_names={"order_placed": name}))

    assert (Reason.INVALID_EVENT, f"a {name} needs value and currency") == refusal(found)


def test_other_events_need_no_value() -> None:
    """A lead without a value is sent, without properties."""
    assert "properties" not in sent(lead({"value": None, "currency": None}))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (order({"event_id": "  "}), "event_id is blank"),
        (order({"value": "-1"}), "value is below zero"),
        (lead({"value": None, "currency": "US$"}), "currency is not an ISO 4217 code"),
    ],
)
def test_what_cannot_be_sent(found: Event, expected: str) -> None:
    """What TikTok would refuse a whole request for is refused before, without a value in the words."""
    assert (Reason.INVALID_EVENT, expected) == refusal(shape(found))


def test_properties_of_an_order() -> None:
    """An order tells its value, its currency in capitals, its id and its lines with all that is known of them."""
    properties = sent(order({"currency": " gbp "}))["properties"]

    assert {
        "currency": "GBP",
        "value": 129.9,
        "content_type": "product",
        "contents": [
            {
                "content_id": "SKU-1",
                "content_name": "Wool scarf",
                "content_category": "Accessories",
                "brand": "Acme",
                "price": 19.9,
                "quantity": 2,
            },
            {
                "content_id": "SKU-2",
                "content_name": "Rain jacket",
                "content_category": "Outerwear",
                "brand": "Acme",
                "price": 95.2,
                "quantity": 1,
            },
        ],
        "order_id": "A-1001",
    } == properties


def test_properties_of_an_activity() -> None:
    """An activity tells what was searched for and what the customer may be worth."""
    properties = sent(activity({"query": " wool scarf "}))["properties"]

    assert ("wool scarf", 240.0, False) == (
        properties["query"],
        properties["predicted_ltv"],
        "order_id" in properties,
    )


@pytest.mark.parametrize(
    "line", [{"id": " "}, {"id": "SKU-2", "quantity": 0}, {"id": "SKU-2", "quantity": -1}], ids=["id", "none", "less"]
)
def test_lines_that_are_none(line: Mapping[str, object]) -> None:
    """A line without an id or without a quantity above zero is left out, and the order is sent."""
    properties = sent(order({"items": [line, {"id": "SKU-1", "quantity": 3}]}))["properties"]

    assert [{"content_id": "SKU-1", "quantity": 3}] == properties["contents"]


@pytest.mark.parametrize("field", ["title", "category", "brand"])
def test_blank_words_of_a_line(field: str) -> None:
    """What is blank in a line is left out of it."""
    properties = sent(order({"items": [{"id": "SKU-1", field: " "}]}))["properties"]

    assert [{"content_id": "SKU-1", "quantity": 1}] == properties["contents"]


@pytest.mark.parametrize(
    "changes",
    [{"items": [{"id": "SKU-1", "unit_price": "-0.01"}]}, {"currency": None, "value": None, "predicted_value": None}],
    ids=["below zero", "no currency"],
)
def test_prices_that_are_none(changes: Changes) -> None:
    """A price below zero, or in a currency that nobody told, is left out of its line."""
    line = {"items": [{"id": "SKU-1", "unit_price": "19.9"}]}

    assert [{"content_id": "SKU-1", "quantity": 1}] == sent(activity({**line, **changes}))["properties"]["contents"]


def test_zero_is_an_amount() -> None:
    """A purchase may be worth nothing, and a line cost nothing: 0 is told like any other amount."""
    found = sent(order({"value": "0", "items": [{"id": "SKU-1", "unit_price": "0.00"}]}))

    assert ("Purchase", 0.0, [{"content_id": "SKU-1", "price": 0.0, "quantity": 1}]) == (
        found["event"],
        found["properties"]["value"],
        found["properties"]["contents"],
    )


@pytest.mark.parametrize(("given", "expected"), [("240.00", 240.0), ("0", 0.0), ("-0.01", None), (None, None)])
def test_predicted_value(given: str | None, expected: float | None) -> None:
    """What a customer may be worth is told unless it is below zero."""
    assert expected == sent(activity({"predicted_value": given}))["properties"].get("predicted_ltv")


def test_order_without_lines() -> None:
    """An order without lines names no contents and no type of them."""
    assert ["currency", "value", "order_id"] == list(sent(order({"items": []}))["properties"])


@pytest.mark.parametrize(
    ("option", "given", "problem"),
    [
        ("event_names", {"order_payed": "Purchase"}, "none of our events"),
        ("event_names", {"order_placed": " "}, "blank"),
        ("event_names", {"order_refunded": "CompletePayment"}, "taken back"),
        ("event_names", {"order_cancelled": "Pageview"}, "taken back"),
        ("event_names", {"lead_lost": "Lead"}, "as a conversion"),
        ("event_names", {"lead_lost": "lead"}, "counts Lead in this spelling only"),
        ("event_names", {"order_placed": "purchase"}, "counts Purchase in this spelling only"),
        ("event_names", {"order_placed": "Complete_Payment"}, "counts CompletePayment in this spelling only"),
        ("event_names", {"page_view": "page_view"}, "counts PageView or Pageview in this spelling only"),
        ("event_names", {"order_placed": "Purchase\n"}, "white space"),
        ("event_names", {"order_placed": " Purchase"}, "white space"),
        ("event_names", {"order_placed": "Pur\u200bchase"}, "nobody sees"),
        ("base_url", "https://user:word@business-api.tiktok.com", "base_url"),
        ("offline_event_set_id", "", "offline_event_set_id"),
        ("crm_event_set_id", "7 1", "crm_event_set_id"),
        ("app_id", "7" * 33, "app_id"),
        ("offline_event_set_id", "C4ABCDEFGHIJKLMNOPQR", "pixel"),
        ("test_event_code", 'TEST"', "test_event_code"),
        ("base_url", "business-api.tiktok.com", "base_url"),
    ],
)
def test_options_that_cannot_be_meant(option: str, given: object, problem: str) -> None:
    """Names, ids and addresses that TikTok cannot mean are faults of the configuration."""
    with pytest.raises(ValueError, match=problem):
        options({option: given})


@pytest.mark.parametrize("name", ["order_placed", "order_refunded", "page_view", "lead_lost", "custom", "add_to_cart"])
def test_names_of_ones_own(name: str) -> None:
    """A destination may call an event as it likes, one that is not sent otherwise too."""
    assert "ShopEvent" == sent(event(name), TikTokOptions(event_names={name: "ShopEvent"}))["event"]


@pytest.mark.parametrize("name", ["Pageview", "PageView"])
def test_both_spellings_of_a_page_view(name: str) -> None:
    """A page view may have either spelling of the field."""
    assert name == sent(event("page_view"), TikTokOptions(event_names={"page_view": name}))["event"]


@pytest.mark.parametrize("name", ["Purchase", "page_view", "CompletePayment"])
def test_own_name_of_a_custom_activity(name: str) -> None:
    """A name that poses as TikTok's is refused if it would leave, without being quoted; a destination's own is sent."""
    given = activity({"name": "CUSTOM", "custom_name": name})
    reason, detail = refusal(shape(given))

    assert (Reason.INVALID_EVENT, False) == (reason, name in detail)
    assert "Quiz" == sent(given, TikTokOptions(event_names={"custom": "Quiz"}))["event"]


def test_same_moment_same_bytes() -> None:
    """The same moment written with another offset is the same event."""
    assert shape(order()) == shape(order({"occurred_at": "2025-11-21T09:00:00+01:00"}))


def test_work_of_another_table_is_used() -> None:
    """What another platform's table made of a field changes no byte, whether it was there first or not."""
    found = order()
    alone = shaped(found).payload
    found.seals = {}
    first = shaped(found).payload

    assert (alone, alone, True) == (first, shaped(found).payload, bool(found.seals))


def test_payload_is_one_event() -> None:
    """The payload is one JSON object whose keys stand in a fixed order."""
    found = orjson.loads(shaped(order({"consent.limited_data_use": True}), EVERYWHERE).payload)

    assert ["event", "event_time", "event_id", "user", "page", "properties", "limited_data_use"] == list(found)
