"""When a Meta event may go: from when it happened until it is too old, by the worker's clock and never by its own."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from avro_events import READERS, record
from fakes import FakeSchemas
from meta_events import DAY, NOW, WHEN, Changes, encoded, meta, order, order_json, read, shape

from pipeline.core.ledger import Ledger
from pipeline.core.model import Refusal, Shaped
from pipeline.core.reason import Reason
from pipeline.flow.clocks import Moment
from pipeline.flow.prepare import FUTURE_SECONDS, Prepared, Preparer
from pipeline.platforms.common import MARGIN
from pipeline.sandbox.meta_event import MAX_AGE_S, MAX_AHEAD_S, MAX_STORE_AGE_S

STORE: Changes = {"action_source": "STORE"}


def prepare(changes: Changes, *, now: float) -> Prepared:
    """Take the sample order in at `now`."""
    ledger = Ledger()
    ledger.open_page("orders", 0)
    preparer = Preparer([meta()], FakeSchemas({"orders": READERS["order"]}), ledger)
    return preparer.prepare([record(encoded(order_json(changes)))], now=Moment(now, now))


def fate(prepared: Prepared) -> Reason | float:
    """Return why the order was refused, or from when it may be sent."""
    if prepared.letters:
        return prepared.letters[0].refusal.reason
    return prepared.deliveries["meta-123"][0].shaped.not_before


@pytest.mark.parametrize(
    ("changes", "age", "expected"),
    [
        ({}, 7 * DAY + 1, Reason.EXPIRED),
        ({}, 7 * DAY - MARGIN, Reason.EXPIRED),
        ({}, 7 * DAY - MARGIN - 1, WHEN),
        (STORE, 7 * DAY + 1, WHEN),
        (STORE, 62 * DAY - MARGIN - 1, WHEN),
        (STORE, 62 * DAY + 1, Reason.EXPIRED),
    ],
)
def test_c28_age(changes: Changes, age: float, expected: Reason | float) -> None:
    """An event goes until half an hour before it is 7 days old, 62 in a store; then it is refused as expired."""
    assert expected == fate(prepare(changes, now=WHEN + age))


@pytest.mark.parametrize(
    ("ahead", "expected"), [(30.0, WHEN), (60.0, WHEN), (61.0, Reason.FUTURE), (600.0, Reason.FUTURE)]
)
def test_c29_future(ahead: float, expected: Reason | float) -> None:
    """An event of the next minute is held until it is due, unchanged; one further ahead is refused."""
    assert expected == fate(prepare({}, now=WHEN - ahead))


@pytest.mark.parametrize("written", [1_763_712_000, 1_763_712_000_000_000], ids=["seconds", "microseconds"])
def test_c29_wrong_unit(written: int) -> None:
    """A time in seconds or microseconds breaks the contract before any platform sees it."""
    found = read(order_json({"occurred_at": "2025-11-21T08:00:00Z"}), occurred_at=written)
    assert isinstance(found, Refusal)

    assert (Reason.INVALID_EVENT, "occurred_at") == (found.reason, found.detail.partition(" ")[0])


def test_c29_whole_seconds() -> None:
    """The time is cut to the second, so it never lies ahead of what happened."""
    shaped = shape(order({"occurred_at": "2025-11-21T08:00:00.999Z"}))
    assert isinstance(shaped, Shaped)

    assert (True, WHEN + 0.999) == (b'"event_time":1763712000,' in shaped.payload, shaped.not_before)


def test_limits_are_inside_of_metas() -> None:
    """The limits applied are half an hour inside of those that the sandbox, on its own, knows as Meta's."""
    assert (MAX_AGE_S - 1800, MAX_STORE_AGE_S - 1800, MAX_AHEAD_S) == (
        7 * DAY - MARGIN,
        62 * DAY - MARGIN,
        FUTURE_SECONDS,
    )


def test_time_is_utc() -> None:
    """The same moment written with another offset is the same event."""
    assert shape(order()) == shape(order({"occurred_at": "2025-11-21T09:00:00+01:00"}))
    assert WHEN == datetime(2025, 11, 21, 8, tzinfo=UTC).timestamp() == NOW - 60
