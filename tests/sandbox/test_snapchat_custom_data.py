"""Snapchat's rules for custom data."""

from __future__ import annotations

import pytest

from pipeline.sandbox.snapchat_custom_data import check_custom_data

PRODUCT: dict[str, object] = {
    "id": "sku-1",
    "quantity": 2,
    "item_price": 9.5,
    "brand": "Mug & Co",
    "delivery_category": "in_store",
    "item_category": "mugs",
}


def verdict(key: str, value: object) -> tuple[str, str]:
    """Return the kind and the place of what is wrong with one key, or `taken`."""
    flaw = check_custom_data("ADD_CART", {key: value})
    return ("taken", "") if flaw is None else (flaw.code, flaw.place)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("value", 0),
        ("value", 12.5),
        ("currency", "EUR"),
        ("currency", "XOF"),
        ("content_ids", ["a", "b"]),
        ("contents", []),
        ("contents", [PRODUCT, {"id": "sku-2", "quantity": "1", "item_price": "5.25"}]),
        ("num_items", 3),
        ("order_id", "o-1"),
        ("search_string", ""),
        ("sign_up_method", "lead form"),
        ("predicted_ltv", 100),
        ("custom_fields", {"colour": "red"}),
        ("num_adults", 2),
        ("suggested_hotels", ["h"]),
        ("travel_start", "2026-12-01"),
    ],
)
def test_valid(key: str, value: object) -> None:
    """Every described key takes its type."""
    assert ("taken", "") == verdict(key, value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("value", "12.50"),
        ("value", True),
        ("value", None),
        ("currency", "eur"),
        ("currency", "US$"),
        ("currency", "ABC"),
        ("currency", 978),
        ("content_ids", "sku-1"),
        ("content_ids", [1]),
        ("contents", {}),
        ("contents", ["sku-1"]),
        ("contents", [{"quantity": 1}]),
        ("contents", [{"id": ""}]),
        ("contents", [{"id": 7}]),
        ("contents", [{"id": "sku-1", "quantity": "two"}]),
        ("contents", [{"id": "sku-1", "item_price": None}]),
        ("contents", [{"id": "sku-1", "title": "Mug"}]),
        ("num_items", 1.5),
        ("num_items", "1"),
        ("order_id", 17),
        ("custom_fields", {"colour": 1}),
        ("custom_fields", []),
        ("suggested_hotels", "h"),
    ],
)
def test_flaws(key: str, value: object) -> None:
    """A described key of the wrong type is refused at its place."""
    assert ("invalid_field", f"custom_data.{key}") == verdict(key, value)


@pytest.mark.parametrize("key", ["event_id", "price", "transaction_id"])
def test_unknown_keys(key: str) -> None:
    """A key that Snapchat does not describe is refused, for it would be lost without a word."""
    assert ("unknown_field", "custom_data") == verdict(key, "x")
