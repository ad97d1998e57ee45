"""Meta's rules for custom data."""

from __future__ import annotations

import pytest

from pipeline.sandbox.meta_custom_data import check_custom_data
from pipeline.sandbox.meta_flaw import PURCHASE_INCOMPLETE, SCHEMA

PRODUCT = {"id": "sku-1", "quantity": 2, "item_price": 9.5, "delivery_category": "in_store", "title": "Mug"}


@pytest.mark.parametrize("custom_data", [None, {}, {"value": 1}, {"currency": "EUR"}])
def test_purchase(custom_data: object) -> None:
    """A purchase needs both value and currency."""
    flaw = check_custom_data("Purchase", custom_data)

    assert flaw is not None
    assert PURCHASE_INCOMPLETE == flaw.subcode


def test_other_names() -> None:
    """An event that is no purchase needs no custom data."""
    assert None is check_custom_data("Lead", None)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("value", 0),
        ("value", 12.5),
        ("currency", "eur"),
        ("currency", "USD"),
        ("contents", []),
        ("contents", [PRODUCT, {"id": 7}]),
        ("content_ids", ["a", 1]),
        ("content_type", "product_group"),
        ("num_items", 3),
        ("delivery_category", "home_delivery"),
        ("customer_segmentation", "customer_in_loyalty_program"),
        ("predicted_ltv", 100),
        ("order_id", "o-1"),
        ("shop_color", {"any": "thing"}),
    ],
)
def test_valid(key: str, value: object) -> None:
    """Standard keys take their documented types, and custom keys take anything."""
    assert None is check_custom_data("AddToCart", {key: value})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("value", "12.50"),
        ("value", True),
        ("currency", "US$"),
        ("currency", "ABC"),
        ("currency", 978),
        ("contents", {}),
        ("contents", ["sku-1"]),
        ("contents", [{"quantity": 1}]),
        ("contents", [{"id": ""}]),
        ("contents", [{"id": "sku-1", "quantity": "2"}]),
        ("contents", [{"id": "sku-1", "delivery_category": "pigeon"}]),
        ("content_ids", "sku-1"),
        ("content_ids", [None]),
        ("content_type", "products"),
        ("num_items", 1.5),
        ("num_items", -1),
        ("delivery_category", "pigeon"),
        ("customer_segmentation", "vip"),
        ("net_revenue", "1"),
        ("order_id", 17),
    ],
)
def test_faults(key: str, value: object) -> None:
    """A standard key of the wrong type is a schema fault that names the key."""
    flaw = check_custom_data("AddToCart", {key: value})

    assert flaw is not None
    assert (SCHEMA, ("custom_data", key)) == (flaw.subcode, flaw.path)
