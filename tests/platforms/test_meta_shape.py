"""What Meta is told of an event, and which events it is not told of."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import orjson
import pytest
from meta_events import Changes, lead, order, refusal, sent, shape

from pipeline.core.model import Shaped, Skipped
from pipeline.core.reason import Reason
from pipeline.platforms.meta import MetaOptions

BROAD: Changes = {
    "action_source": "PHONE",
    "touch": {},
    "customer": {"first_name": "Jane", "gender": "f"},
}


@pytest.mark.parametrize(
    ("given", "expected"),
    [("1234567890123456", 1234567890123456), (" 525645896321548 ", 525645896321548), ("99999999999999999", 10**17 - 1)],
)
def test_c24_lead_id_is_an_integer(given: str, expected: int) -> None:
    """A lead id comes as text and leaves as a JSON integer, exact to its last digit."""
    shaped = shape(lead({"meta_lead_id": given}))
    assert isinstance(shaped, Shaped)

    assert f'"lead_id":{expected}'.encode() in shaped.payload


@pytest.mark.parametrize("given", ["l-123456789012345", "1234567890123456.0", "unknown"])
def test_c24_lead_id_is_no_number(given: str) -> None:
    """A lead id that is no number is refused, without its value."""
    reason, detail = refusal(shape(lead({"meta_lead_id": given})))

    assert (Reason.INVALID_EVENT, False) == (reason, given in detail)


def test_c24_lead_id_of_another_length() -> None:
    """A number that is no lead id is left out and named as dropped; the event goes with its other keys."""
    shaped = shape(lead({"meta_lead_id": "12345"}))
    assert isinstance(shaped, Shaped)

    assert (("lead_id",), False) == (shaped.dropped, "lead_id" in shaped.match_keys)


@pytest.mark.parametrize(
    "changes",
    [
        {"touch.url": None},
        {"touch.url": ""},
        {"touch.url": "shop.example/thanks"},
        {"touch.url": "https://"},
        {"touch.url": "https://shop.example/a page"},
        {"touch.url": "ftp://shop.example/"},
        {"touch.user_agent": None},
        {"touch.user_agent": "  "},
        {"touch.user_agent": "unknown"},
        {"touch.user_agent": "\u200b"},
    ],
)
def test_c25_website_needs_page_and_browser(changes: Changes) -> None:
    """A website event without a web address or a user agent is refused before any HTTP."""
    reason, detail = refusal(shape(order(changes)))

    assert (Reason.INVALID_EVENT, next(iter(changes)) in detail) == (reason, True)


def test_c25_white_space_around_an_address() -> None:
    """White space around the page's address is cut off, the address itself untouched."""
    assert "HTTPS://shop.example/?q=Ä" == sent(order({"touch.url": " HTTPS://shop.example/?q=Ä\n"}))["event_source_url"]


def test_c25_elsewhere_an_address_is_optional() -> None:
    """What is no web address is left out where none is required."""
    assert "event_source_url" not in sent(order({"action_source": "PHONE", "touch.url": "call center"}))


@pytest.mark.parametrize("changes", [{"value": None}, {"value": None, "currency": None}], ids=["value", "both"])
def test_c26_purchase_needs_value_and_currency(changes: Changes) -> None:
    """A purchase without a value or a currency is refused."""
    assert (Reason.INVALID_EVENT, "a Purchase needs value and currency") == refusal(shape(order(changes)))


@pytest.mark.parametrize("given", ["usd", "Usd", " USD "])
def test_c26_currency_in_capitals(given: str) -> None:
    """A currency is sent as its ISO 4217 code in upper case."""
    assert "USD" == sent(order({"currency": given}))["custom_data"]["currency"]


def test_c26_currency_without_value() -> None:
    """A currency that does not exist is refused also where no value is required."""
    assert Reason.INVALID_EVENT is refusal(shape(lead({"value": None, "currency": "US$"})))[0]


def test_c26_value_is_a_number() -> None:
    """Amounts are JSON numbers in units of the currency, never text."""
    shaped = shape(order({"value": "1234567.8901"}))
    assert isinstance(shaped, Shaped)

    assert b'"value":1234567.8901,' in shaped.payload


@pytest.mark.parametrize(
    "customer",
    [
        {"first_name": "Jane", "gender": "f"},
        {"last_name": "Lee", "gender": "m"},
        {"city": "London", "region": "Greater London", "postal_code": "SW1A 1AA", "country": "GB", "gender": "f"},
        {"birth_date": "1990-05-17"},
        {},
    ],
)
def test_c27_keys_too_broad(customer: dict[str, str]) -> None:
    """Keys that lie within one of Meta's broad sets are refused, with a user agent too."""
    browser = {} if "first_name" in customer or "last_name" in customer else {"user_agent": "Mozilla/5.0"}
    reason, _ = refusal(shape(order({**BROAD, "customer": customer, "touch": browser})))

    assert Reason.NO_MATCH_KEY is reason


@pytest.mark.parametrize(
    "more",
    [
        {"touch.fbp": "fb.1.1558571054389.1098115397"},
        {"touch.client_ip": "203.0.113.7"},
        {"customer.last_name": "Lee"},
        {"customer.postal_code": "00501"},
    ],
)
def test_c27_one_more_key_is_enough(more: Changes) -> None:
    """A first name and a gender with any key that no broad set has beside them are sent."""
    assert isinstance(shape(order({**BROAD, **more})), Shaped)


def test_c27_says_which_keys() -> None:
    """The refusal names the keys that were there, and no value."""
    assert "Meta cannot match a person by only: fn, ge" == refusal(shape(order(BROAD)))[1]


@pytest.mark.parametrize(
    ("limited", "region", "expected"),
    [
        (True, None, (["LDU"], 0, 0)),
        (True, "US", (["LDU"], 0, 0)),
        (True, "US-NY", (["LDU"], 0, 0)),
        (True, "FR-IDF", (["LDU"], 0, 0)),
        (True, "DE-CA", (["LDU"], 0, 0)),
        (True, "US-CA", (["LDU"], 1, 1000)),
        (True, "us-ri", (["LDU"], 1, 1013)),
        (False, "US-CA", ([], None, None)),
        (None, "US-CA", (None, None, None)),
    ],
)
def test_c30_limited_data_use(limited: bool | None, region: str | None, expected: tuple[object, ...]) -> None:
    """Country and state are named together or not at all; off is an empty list; unsaid is absent."""
    document = sent(lead({"consent.limited_data_use": limited, "consent.region": region}))
    options = "data_processing_options"

    assert expected == tuple(document.get(name) for name in (options, f"{options}_country", f"{options}_state"))


@pytest.mark.parametrize("changes", [{"state": "REFUNDED"}, {"state": "CANCELLED"}])
def test_nothing_for_what_was_taken_back(changes: Changes) -> None:
    """Refunds and cancellations are skipped: Meta has no event for them."""
    assert Skipped(Reason.NO_PLATFORM_EVENT) == shape(order(changes))


def test_lost_lead_of_a_form() -> None:
    """A lost lead interests Meta only as a stage of a CRM."""
    assert Skipped(Reason.NO_PLATFORM_EVENT) == shape(lead({"state": "LOST"}))


@pytest.mark.parametrize(
    ("event_names", "problem"),
    [
        ({"order_payed": "Purchase"}, "none of our events"),
        ({"order_placed": " "}, "blank"),
        ({"order_refunded": "Purchase"}, "taken back"),
        ({"order_refunded": "Donate"}, "taken back"),
        ({"order_cancelled": "LeadSubmitted"}, "taken back"),
        ({"lead_lost": "Lead"}, "as a conversion"),
        ({"order_refunded": "purchase"}, "counts Purchase in this spelling only"),
        ({"page_view": "Pageview"}, "counts PageView in this spelling only"),
        ({"order_placed": "Purchase "}, "white space"),
        ({"order_placed": "Pur\u200bchase"}, "nobody sees"),
    ],
)
def test_names_that_cannot_be_meant(event_names: dict[str, str], problem: str) -> None:
    """Overrides of unknown events, blank names, and refunds as conversions are faults of the configuration."""
    with pytest.raises(ValueError, match=problem):
        MetaOptions(event_names=event_names)


@pytest.mark.parametrize("name", ["order_placed", "order_refunded"])
def test_names_of_ones_own(name: str) -> None:
    """A destination may call an event as it likes."""
    event = order({"state": name.removeprefix("order_").upper()})

    assert "ShopEvent" == sent(event, MetaOptions(event_names={name: "ShopEvent"}))["event_name"]


@pytest.mark.parametrize(
    "names",
    [{"lead_lost": "LostLead"}, {"order_cancelled": "OrderCanceled", "order_refunded": "OrderReturned"}],
)
def test_names_of_losses(names: dict[str, str]) -> None:
    """What was lost or taken back may have the names by which Meta counts no conversion."""
    assert names == MetaOptions(event_names=names).event_names


def test_zero_is_an_amount() -> None:
    """A purchase may be worth nothing, and a line cost nothing: 0 is told like any other amount."""
    found = sent(order({"value": "0", "items": [{"id": "SKU-1", "unit_price": "0.00"}]}))

    assert ("Purchase", 0.0, [{"id": "SKU-1", "quantity": 1, "item_price": 0.0}]) == (
        found["event_name"],
        found["custom_data"]["value"],
        found["custom_data"]["contents"],
    )


def test_items_without_an_id() -> None:
    """A line without a product id is left out of contents, and the order is sent."""
    lines = [{"id": " "}, {"id": "SKU-1", "quantity": 3}]
    custom_data = sent(order({"items": lines}))["custom_data"]

    assert (["SKU-1"], [{"id": "SKU-1", "quantity": 3}]) == (custom_data["content_ids"], custom_data["contents"])


@pytest.mark.parametrize(
    ("cookie", "seen_at", "expected"),
    [
        (None, 1_763_711_000_000, ("fb.1.1763711000000.AbC", ())),
        (None, 1_763_712_000_000, ("fb.1.1763712000000.AbC", ())),
        (None, 1_763_712_000_001, (None, ("fbc",))),
        ("garbage", 1_763_712_000_001, (None, ("fbc",))),
        ("fb.1.1763712000009.Cookie", 1_763_712_000_001, ("fb.1.1763712000009.Cookie", ())),
    ],
)
def test_click_after_the_event(cookie: str | None, seen_at: int, expected: tuple[str | None, tuple[str, ...]]) -> None:
    """A click that is said to come after what it led to is left out and counted as dropped; a cookie stays as it is."""
    clicked = {"touch.fbc": cookie, "touch.fbclid": "AbC", "touch.fbclid_seen_at": seen_at}
    found = shape(order(clicked))
    assert isinstance(found, Shaped)

    assert expected == (orjson.loads(found.payload)["user_data"].get("fbc"), found.dropped)


def test_blank_event_id() -> None:
    """An event id of spaces could not be deduplicated, and is refused."""
    assert (Reason.INVALID_EVENT, "event_id is blank") == refusal(shape(order({"event_id": "  "})))


@pytest.mark.parametrize(("rule", "given"), [("folded", "user-42"), ("as-written", "User-42")])
def test_external_id_as_the_pixel_has_it(rule: Any, given: str) -> None:  # noqa: ANN401 - one of two words
    """The transform of external ids is a choice of the destination."""
    document = sent(order({"customer.external_ids": ["User-42"]}), MetaOptions(external_ids=rule))

    assert [hashlib.sha256(given.encode()).hexdigest()] == document["user_data"]["external_id"]


def test_hashes_are_lists_of_hashes() -> None:
    """Every hashed key is a list of SHA-256 in lower-case hexadecimal."""
    user_data = sent(order())["user_data"]
    lists = [value for value in user_data.values() if isinstance(value, list)]

    assert (11, []) == (len(lists), [one for many in lists for one in many if not re.fullmatch("[0-9a-f]{64}", one)])
