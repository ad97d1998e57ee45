"""A receipt says what it said when it was written, fits into a record, and nothing breaks its reader."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy import delivery, shaped

from pipeline.commands.topics import RECEIPT_BYTES
from pipeline.core.ledger import Page
from pipeline.core.receipt import Receipt, Sent, read_receipt, receipt_of, receipt_posting

NUMBERS = st.integers(0, 2**40)
# What Kafka and the contract let be text; a lone surrogate is none.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
RECEIPTS = st.builds(
    Receipt,
    TEXT,
    TEXT,
    st.floats(0, 1e12),
    TEXT,
    st.lists(st.builds(Sent, TEXT, NUMBERS, NUMBERS, TEXT), min_size=1, max_size=20).map(tuple),
)
WHOLE = {"version": 1, "destination": "d", "id": "r", "sent_at": 1, "group": "g", "topics": ["t"]}


@given(RECEIPTS)
def test_says_what_it_said(receipt: Receipt) -> None:
    """What is written is read again, and the key is the receipt's id."""
    posting = receipt_posting(receipt)

    assert posting.value is not None
    assert receipt == read_receipt(posting.value)
    assert receipt.id.encode() == posting.key


def test_is_of_its_deliveries() -> None:
    """It names the records of a batch in the order of the request, and no byte of them."""
    first, second = Page("orders", 3, 1), Page("leads", 0, 2)
    batch = [delivery("b", page=first, offset=7), delivery("a", page=second, offset=5)]

    assert Receipt("toy", "r1", 12.5, "capi.toy", (Sent("orders", 3, 7, "b"), Sent("leads", 0, 5, "a"))) == receipt_of(
        batch, id_="r1", sent_at=12.5, group="capi.toy"
    )


@pytest.mark.parametrize("event_id", ["x" * 98, "\x01" * 16, "x" * 5000, "é" * 3000, "\ud800"])
def test_the_largest_batch_fits(event_id: str) -> None:
    """2000 events with ids of any length and kind fit into a record; an id that is too long is left out."""
    page = Page("t" * 249, 9999, 1)
    batch = [delivery(event_id, page=page, offset=2**40 + number, form=shaped()) for number in range(2000)]
    value = receipt_posting(receipt_of(batch, id_="r", sent_at=1.0, group="g")).value

    assert value is not None
    assert len(value) <= RECEIPT_BYTES


@given(st.binary(max_size=200))
def test_any_bytes_give_an_answer(value: bytes) -> None:
    """Bytes of any kind are read as a receipt or as what is wrong with them."""
    assert isinstance(read_receipt(value), str)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 2**62) | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


@given(st.sampled_from([*WHOLE, "events"]), JSON)
def test_any_json_gives_an_answer(name: str, content: object) -> None:
    """JSON of any form is read as a receipt or as what is wrong with it."""
    body = WHOLE | {"events": [[0, 1, 2, "a"]]} | {name: content}

    assert isinstance(read_receipt(orjson.dumps(body)), str | Receipt)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"version": 2}, "a version that this worker does not know"),
        ({"events": []}, "no receipt of ours"),
        ({"events": [[1, 1, 2, "a"]]}, "no receipt of ours"),
        ({"events": [[-1, 1, 2, "a"]]}, "no receipt of ours"),
        ({"events": [[0, True, 2, "a"]]}, "no receipt of ours"),
        ({"events": [[0, 1, 2]]}, "no receipt of ours"),
        ({"topics": "t"}, None),
        ({"sent_at": "1"}, "no receipt of ours"),
        ({"sent_at": True}, "no receipt of ours"),
        ({"group": None}, "no receipt of ours"),
    ],
)
def test_what_is_wrong_is_said(change: dict[str, object], fault: str | None) -> None:
    """Every part is looked at before anybody relies on it."""
    read = read_receipt(orjson.dumps(WHOLE | {"events": [[0, 1, 2, "a"]]} | change))

    assert fault == (read if isinstance(read, str) else None)
