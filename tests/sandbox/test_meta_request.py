"""Who is who among Meta's events."""

from __future__ import annotations

import hashlib

import orjson
import pytest

from pipeline.sandbox.meta_request import identity, sighting

Event = dict[str, object]


def test_digest(event: Event) -> None:
    """The journal's digest is that of the event as compact JSON in the order of arrival."""
    assert hashlib.sha256(orjson.dumps(event)).hexdigest() == sighting("123", event).sha256


def test_web_window(event: Event) -> None:
    """Web events are known again for 48 hours."""
    assert 48 * 3600 == sighting("123", event).window_s


@pytest.mark.parametrize(
    ("place", "value", "same"),
    [
        ("event_time", 1, True),
        ("event_name", "Lead", False),
        ("event_id", "order-2", False),
    ],
)
def test_web_identity(event: Event, place: str, value: object, same: object) -> None:
    """A web event is known by its dataset, name and id, not by its time."""
    assert same is (identity("123", event) == identity("123", {**event, place: value}))


def test_datasets_apart(event: Event) -> None:
    """The same event in another dataset is another event."""
    assert identity("123", event) != identity("124", event)


@pytest.mark.parametrize(
    ("place", "value", "same"),
    [
        ("event_id", "other", True),
        ("event_time", 1, False),
        ("event_name", "Lead", False),
        ("user_data", {"em": "x"}, False),
        ("custom_data", {"item_number": "2"}, False),
    ],
)
def test_store_identity(event: Event, place: str, value: object, same: object) -> None:
    """A store event is known by time, name, item and customer, not by its id."""
    store = {**event, "action_source": "physical_store"}

    assert same is (identity("123", store) == identity("123", {**store, place: value}))


def test_store_order(event: Event) -> None:
    """A store event with an order id is known by the order, not by the customer, for 7 days."""
    store = {**event, "action_source": "physical_store", "custom_data": {"order_id": "o-1"}}
    key, window = identity("123", store)

    assert (key, 7 * 86_400) == (identity("123", {**store, "user_data": {}})[0], window)


def test_messaging_never_duplicate(event: Event) -> None:
    """Messaging events are never deduplicated."""
    assert 0 == identity("123", {**event, "action_source": "business_messaging"})[1]


def test_no_id(event: Event) -> None:
    """Two equal events without an id are still two, and each has a key of its content."""
    del event["event_id"]
    seen = sighting("123", event)

    assert (None, 0.0, f"123 {seen.sha256}") == (seen.event_id, seen.window_s, seen.key)
