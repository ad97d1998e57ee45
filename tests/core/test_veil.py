"""What is shown of a customer: outlines, and what they are put in place of."""

from __future__ import annotations

import pytest
from avro_events import CONTRACT, full_order
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.veil import LONGEST, NOBODY, Veil, outline, outlined, personal


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Jane.O'Brien@example.com", "aaaa.a'aaaaa@aaaaaaa.aaa"),
        ("+44 (0)20 7946-0958", "+99 (9)99 9999-9999"),
        ("João ٣ 正", "aaaa 9 a"),
        ("\x1b[31m\u202e", "?[99a?"),
        ("", ""),
        ("a" * 40, "a" * 40),
        ("a" * 41, "a" * 39 + "…"),
    ],
)
def test_outline(text: str, expected: str) -> None:
    """Letters are `a`, digits `9`, punctuation stays, nothing that a terminal obeys does, and 40 characters do."""
    assert expected == outline(text)


@given(st.text())
def test_outline_tells_no_letter(text: str) -> None:
    """No letter but `a` and no digit but `9` is ever in an outline."""
    found = outline(text)

    assert set() == {char for char in found if char.isalnum()} - {"a", "9"}
    assert len(found) <= LONGEST


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("jane", "aaaa"),
        (" Jane ", " aaaa "),
        ("hello JANE!", "aaaaa aaaa!"),
        ("gb", "aa"),
        ("a gb b", "a gb b"),
        ("abc123", "abc123"),
        ("other", "other"),
        ("somebody@example.com", "[email]"),
    ],
)
def test_veil_hides_texts(text: str, expected: str) -> None:
    """A hidden value is hidden alone and inside of a text, a short one only alone; what is to be shown is shown."""
    assert expected == Veil(["Jane", "GB", "", "abc123"], ["abc123"]).text(text)


def test_veil_walks_json() -> None:
    """Every text and whole number of a document is looked at; names, amounts and truth values stay."""
    document = {"jane": ["Jane", 525645, 7, True, 1.5, None, {"x": "no"}]}

    assert {"jane": ["aaaa", "999999", 7, True, 1.5, None, {"x": "no"}]} == Veil(["jane", "525645"]).json(document)


def test_schema_says_what_is_personal() -> None:
    """The texts of an event that the contract marks, dates and lists included, and no other."""
    texts = set(personal(full_order(), CONTRACT.schemas["order"]))

    assert {"jane.obrien@example.com", "1990-05-17", "London", "user-42", "203.0.113.7"} <= texts
    assert set() == texts & {"A-1001", "uk", "acme", "PLACED", "SKU-1"}


def test_outlined_by_the_schema() -> None:
    """In the decoded event the marked fields are outlines, also where another field has the same value."""
    order = full_order() | {"store": "London"}
    shown = outlined(order, CONTRACT.schemas["order"])
    customer = shown["customer"]
    assert isinstance(customer, dict)

    assert ("London", "aaaaaa", ["+999999999999"]) == (shown["store"], customer["city"], customer["phones"])


def test_net_below() -> None:
    """What nobody marked and still looks like a person or a credential is replaced by a word."""
    assert ["[email]", "order_placed:A-1001"] == NOBODY.json(["jane@example.com", "order_placed:A-1001"])
