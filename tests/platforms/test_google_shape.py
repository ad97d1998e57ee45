"""One event in Google's words: what it is, when, for how much, and when it is not sent at all."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from contract_events import document
from google_events import CARTS, EVERYBODY, LEADS, ORDERS, refusal, sent, shape, shaped
from meta_events import DAY, WHEN, Changes, activity, event_of, lead, order, order_json, read

from pipeline.core.contract import EVENTS_OF, NAME_FIELDS, NAME_PREFIXES, Kind
from pipeline.core.model import Refusal, Skipped
from pipeline.core.reason import Reason
from pipeline.platforms.common import MARGIN
from pipeline.platforms.google_options import EVENT_SOURCES, Cart

REFUND: Changes = {"state": "REFUNDED", "event_id": None, "remaining_value": "20.00"}
MORE: Mapping[str, Changes] = {
    "order_refunded": {"remaining_value": "1"},
    "custom": {"custom_name": "Quote requested"},
}
CANCEL: Changes = {"state": "CANCELLED", "event_id": None}


def test_c2_an_order() -> None:
    """An order has its own id, its value in units of the currency, and the currency in capitals."""
    document = sent(order({"order_id": "ORD-1", "value": "49.90", "currency": "eur"}))

    assert ("ORD-1", 49.9, "EUR") == (document["transactionId"], document["conversionValue"], document["currency"])


def test_c8_time() -> None:
    """The time is RFC 3339 in UTC, to the millisecond."""
    assert "2026-11-20T18:30:05.250Z" == sent(order({"occurred_at": 1_795_199_405_250}))["eventTimestamp"]


def test_c8_not_before() -> None:
    """An event never goes before it happened; how far ahead it may lie the road decides."""
    assert WHEN == shaped(order()).not_before


@pytest.mark.parametrize(("touch", "days"), [({"gclid": "Cj0K"}, 90), ({"gbraid": "0AAA"}, 90), ({}, 63)])
def test_age(touch: dict[str, str], days: int) -> None:
    """An event with a click goes for 90 days, one without for 63, each half an hour less."""
    assert WHEN + days * DAY - MARGIN == shaped(order({"touch": touch})).expires_at


def test_c11_whole_units() -> None:
    """Yen have no decimals, and none are made up."""
    assert 4500 == sent(order({"value": "4500", "currency": "JPY"}))["conversionValue"]


def test_c11_negative_value() -> None:
    """A negative value is refused, because it cannot be meant."""
    assert (Reason.INVALID_EVENT, "a conversion cannot be worth less than nothing") == refusal(
        shape(order({"value": "-1"}))
    )


def test_c11_value_without_currency() -> None:
    """A value without a currency is refused before any destination sees it."""
    found = read(order_json(), currency=None)

    assert isinstance(found, Refusal)
    assert Reason.INVALID_EVENT == found.reason


def test_no_value() -> None:
    """Without a value there is no currency either: the conversion action's own value holds."""
    assert set() == {"conversionValue", "currency"} & sent(order({"value": None})).keys()


def test_personal_id() -> None:
    """An id that is an e-mail address would leave unhashed, so the event is refused and the id not repeated."""
    reason, detail = refusal(shape(order({"order_id": "jane@example.com", "event_id": None})))

    assert Reason.INVALID_EVENT == reason
    assert "jane" not in detail


@pytest.mark.parametrize(
    ("user_data", "personalization", "limited", "expected"),
    [
        ("GRANTED", "DENIED", None, {"adUserData": "CONSENT_GRANTED", "adPersonalization": "CONSENT_DENIED"}),
        ("GRANTED", "GRANTED", False, {"adUserData": "CONSENT_GRANTED", "adPersonalization": "CONSENT_GRANTED"}),
        ("GRANTED", "UNKNOWN", None, {"adUserData": "CONSENT_GRANTED"}),
        ("GRANTED", "GRANTED", True, {"adUserData": "CONSENT_GRANTED", "adPersonalization": "CONSENT_DENIED"}),
        ("UNKNOWN", "DENIED", None, {"adPersonalization": "CONSENT_DENIED"}),
        ("UNKNOWN", "UNKNOWN", None, None),
    ],
)
def test_c23_consent(
    user_data: str, personalization: str, limited: bool | None, expected: dict[str, str] | None
) -> None:
    """Choices are passed on as they were recorded; an unknown one is absent, and none is ever made up."""
    consent = {"ad_user_data": user_data, "ad_personalization": personalization, "limited_data_use": limited}

    assert expected == sent(order({"consent": consent})).get("consent")


def test_c24_replay() -> None:
    """The same event gives the same bytes, its id and its time included."""
    assert shaped(order()).payload == shaped(order()).payload


def test_c24_refund() -> None:
    """A refund restates the order: same action, same id, same person, and what is left of its value."""
    placed, refunded = sent(order(EVERYBODY)), sent(order({**EVERYBODY, **REFUND}))

    assert {**placed, "conversionValue": 20.0} == refunded
    assert ORDERS == shaped(order(REFUND)).group
    assert ("restated",) == shaped(order(REFUND)).notes


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (CANCEL, 0.0),
        ({**CANCEL, "remaining_value": "4.50"}, 4.5),
        ({**REFUND, "remaining_value": "0"}, 0.0),
    ],
)
def test_c24_what_is_left(changes: Changes, expected: float) -> None:
    """A cancelled order is worth nothing unless it says otherwise; a refund is worth what it says."""
    assert expected == sent(order(changes))["conversionValue"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (CANCEL, Skipped(Reason.NO_PLATFORM_EVENT)),
        ({**REFUND, "remaining_value": "0.00"}, Skipped(Reason.NO_PLATFORM_EVENT)),
    ],
)
def test_c24_cancellations_may_be_skipped(changes: Changes, expected: Skipped) -> None:
    """A destination may leave orders alone that are worth nothing any more; a partial refund is still told."""
    assert expected == shape(order(changes), cancellations="skip")
    assert 20.0 == sent(order(REFUND), cancellations="skip")["conversionValue"]


@pytest.mark.parametrize(
    "changes",
    [
        {**REFUND, "remaining_value": None},
        {**CANCEL, "value": None, "currency": None},
    ],
)
def test_c24_refund_without_an_amount(changes: Changes) -> None:
    """A refund that does not say what is left cannot be told; it is skipped under a name of its own."""
    assert Skipped(Reason.NO_REMAINING_VALUE) == shape(order(changes))


def test_c24_cancelled_in_no_currency() -> None:
    """A cancelled order is worth nothing only in a currency that exists; without an amount decoding does not look."""
    found = shape(order({**CANCEL, "value": None, "remaining_value": None, "currency": "US$"}))

    assert (Reason.INVALID_EVENT, "currency is not an ISO 4217 code") == refusal(found)


def test_c24_negative_rest() -> None:
    """An order cannot be worth less than nothing after a refund."""
    assert Reason.INVALID_EVENT == refusal(shape(order({**REFUND, "remaining_value": "-0.01"})))[0]


def test_c24_never_retracted() -> None:
    """Nothing in a cancelled order's bytes speaks of a retraction, which this API does not have."""
    assert b"retract" not in shaped(order(CANCEL)).payload.lower()


def test_refund_without_an_action() -> None:
    """Where orders have no conversion action, neither have refunds."""
    assert Skipped(Reason.NO_PLATFORM_EVENT) == shape(order(REFUND), conversion_actions={"lead_submitted": LEADS})


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in EVENTS_OF.items() for name in names])
def test_events_without_an_action(kind: Kind, name: str) -> None:
    """An event that has no conversion action is skipped, whatever it is; one that has one carries it as its group."""
    word = name.removeprefix(NAME_PREFIXES[kind]).upper()
    event = event_of(document(kind, {NAME_FIELDS[kind]: word, "event_id": None, **MORE.get(name, {})}))

    assert name == event.name
    assert Skipped(Reason.NO_PLATFORM_EVENT) == shape(event, conversion_actions={})
    named = "order_placed" if name.startswith("order_") else name
    assert "42" == shaped(event, conversion_actions={named: "42"}).group


def test_c13_one_group_for_each_action() -> None:
    """Events of different conversion actions never share a request."""
    assert (ORDERS, LEADS, CARTS) == tuple(shaped(event).group for event in (order(), lead(), activity()))


def test_own_ids() -> None:
    """The transaction id is our own id of the order, lead or step, never the id of the event."""
    assert ["A-1001", "L-77", "V-501"] == [sent(event)["transactionId"] for event in (order(), lead(), activity())]


@pytest.mark.parametrize(("source", "expected"), EVENT_SOURCES.items())
def test_sources(source: str, expected: str) -> None:
    """Each place has its word; for an action that adds to a tag it is the web or nothing."""
    event = order({"action_source": source, "app": {"os": "IOS"}})

    assert expected == sent(event)["eventSource"]
    assert ("WEB" if expected == "WEB" else None) == sent(event, shape="webpage").get("eventSource")


def test_sources_may_be_changed() -> None:
    """A destination may call a place otherwise."""
    event = order({"action_source": "SYSTEM"})

    assert "WEB" == sent(event, event_sources={"SYSTEM": "WEB"})["eventSource"]


@pytest.mark.parametrize(("kind", "expected"), [("NEW", "NEW"), ("RETURNING", "RETURNING"), ("UNKNOWN", None)])
def test_customer_type(kind: str, expected: str | None) -> None:
    """Whether the customer is new is told when it is known."""
    assert expected == sent(order({"customer.type": kind})).get("userProperties", {}).get("customerType")


def test_cart() -> None:
    """The cart is sent for a destination that names a merchant, with counts as text and lines that name a product."""
    cart = Cart("4711", feed_label="GB", feed_language="en")
    items = [
        {"id": " SKU-1 ", "quantity": 2, "unit_price": "19.90"},
        {"id": " ", "quantity": 1},
        {"id": "SKU-2", "quantity": 0},
        {"id": "SKU-3", "quantity": 1, "unit_price": None},
    ]

    assert {
        "merchantId": "4711",
        "merchantFeedLabel": "GB",
        "merchantFeedLanguageCode": "en",
        "transactionDiscount": 10.0,
        "couponCodes": ["WINTER10"],
        "items": [
            {"merchantProductId": "SKU-1", "quantity": "2", "unitPrice": 19.9},
            {"merchantProductId": "SKU-3", "quantity": "1"},
        ],
    } == sent(order({"items": items}), cart=cart)["cartData"]


@pytest.mark.parametrize(
    "changes",
    [{"items": []}, REFUND, {"touch": {"gbraid": "0AAA"}}, {"touch": {"wbraid": "0AAA"}}],
)
def test_no_cart(changes: Changes) -> None:
    """There is no cart without lines, when an order is restated, or with a braid, where Google would ignore it."""
    assert "cartData" not in sent(order(changes), cart=Cart("4711"))
    assert "cartData" not in sent(order())
