"""The demo's judgment: it must notice every way in which a record can go astray."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from pipeline.core.reason import Reason
from pipeline.demo.balance import Account, Letter, Published, Seen, balance
from pipeline.demo.trade import Expected, Sample

TRACE = (("traceparent", b"00-1-1-01"),)


def sample(story: str, expected: Expected) -> Sample:
    """Return a record with bytes that are easy to find in a text."""
    return Sample("order", b"A-1", b"bytes of " + story.encode(), TRACE, story, expected)


GOOD = Seen("order_placed:A-1", "Purchase", 1000)
SECOND = Seen("order_placed:A-2", "Purchase", 2000)
PUBLISHED = [
    Published(sample("good", Expected("accepted", None, GOOD.event_id, "Purchase", 1000)), ("orders", 0, 0)),
    Published(
        sample("second", Expected("accepted", None, SECOND.event_id, "Purchase", 2000, "9.9 EUR")), ("orders", 0, 1)
    ),
    Published(sample("refund", Expected("skipped", Reason.NO_PLATFORM_EVENT)), ("orders", 0, 2)),
    Published(sample("broken", Expected("dead-lettered", Reason.UNDECODABLE, destination="meta")), ("orders", 1, 0)),
]
LETTER = Letter(
    ("orders", 1, 0),
    "undecodable",
    b"A-1",
    b"bytes of broken",
    [*TRACE, ("__dlq.errors.reason", b"undecodable")],
    "meta",
)
ACCOUNT = Account(
    consumed=4,
    skipped={"no_platform_event": 1},
    accepted=[GOOD, SECOND],
    letters=[LETTER],
    committed={("orders", 0): 3, ("orders", 1): 1},
    ends={("orders", 0): 3, ("orders", 1): 1},
    requests=1,
)

CASES: dict[str, tuple[Account, str]] = {
    "one lost": (replace(ACCOUNT, accepted=[GOOD]), "A-2 at 2000 should have been accepted and was not"),
    "one lost, one twice": (replace(ACCOUNT, accepted=[GOOD, GOOD]), "A-1 at 1000 was accepted more than once"),
    "one too many": (
        replace(ACCOUNT, accepted=[GOOD, SECOND, Seen("x", "Lead", 3)]),
        "Lead x at 3 was accepted and should not have been",
    ),
    "another time": (
        replace(ACCOUNT, accepted=[GOOD, replace(SECOND, event_time=2001)]),
        "A-2 at 2001 was accepted and should not have been",
    ),
    "another name": (
        replace(ACCOUNT, accepted=[GOOD, replace(SECOND, event_name="Lead")]),
        "Purchase order_placed:A-2 at 2000 should have been accepted and was not",
    ),
    "another value": (
        replace(ACCOUNT, accepted=[GOOD, replace(SECOND, worth="99 EUR")]),
        "A-2 at 2000 was accepted with another value",
    ),
    "not consumed": (replace(ACCOUNT, consumed=3), "4 records were published, and the worker consumed 3"),
    "not settled": (replace(ACCOUNT, skipped={}), "is not 2 accepted + 0 skipped + 1 dead-lettered"),
    "another skip": (replace(ACCOUNT, skipped={"tombstone": 1}), "skipped as tombstone: expected 0"),
    "no letter": (replace(ACCOUNT, letters=[]), "orders[1]@0 (broken) should be a dead letter and is not"),
    "letter of a good one": (
        replace(ACCOUNT, letters=[LETTER, replace(LETTER, origin=("orders", 0, 0))]),
        "orders[0]@0 is a dead letter and should not be",
    ),
    "two letters": (replace(ACCOUNT, letters=[LETTER, LETTER]), "orders[1]@0 is a dead letter more than once"),
    "wrong reason": (
        replace(ACCOUNT, letters=[replace(LETTER, reason="expired")]),
        "says expired; expected undecodable",
    ),
    "wrong destination": (
        replace(ACCOUNT, letters=[replace(LETTER, destination="")]),
        "names no destination; expected meta",
    ),
    "wrong value": (
        replace(ACCOUNT, letters=[replace(LETTER, value=b"bytes of brokem")]),
        "does not hold the record's value byte for byte",
    ),
    "wrong key": (replace(ACCOUNT, letters=[replace(LETTER, key=None)]), "does not hold the record's key"),
    "lost header": (
        replace(ACCOUNT, letters=[replace(LETTER, headers=LETTER.headers[1:])]),
        "does not begin with the record's own headers",
    ),
    "not committed": (
        replace(ACCOUNT, committed={("orders", 0): 2, ("orders", 1): 1}),
        "orders[0] is committed up to 2, and ends at 3",
    ),
}


@pytest.mark.parametrize("second", [SECOND, replace(SECOND, worth="9.9 EUR")], ids=["by journal", "by payload"])
def test_balances(second: Seen) -> None:
    """Where every record is where it should be, nothing is found; a value counts where it was read."""
    assert [] == balance(PUBLISHED, replace(ACCOUNT, accepted=[GOOD, second]))


@pytest.mark.parametrize(("account", "finding"), CASES.values(), ids=CASES)
def test_finds(account: Account, finding: str) -> None:
    """Whatever goes astray is found, also where the sums still agree."""
    assert any(finding in fault for fault in balance(PUBLISHED, account))


@pytest.mark.parametrize("spoil", [lambda a: a, lambda a: replace(a, accepted=[])], ids=["balanced", "all lost"])
def test_shows_no_values(spoil: Callable[[Account], Account]) -> None:
    """No finding holds the bytes of a record."""
    changed = spoil(replace(ACCOUNT, letters=[replace(LETTER, value=b"other")]))

    assert not any("bytes of" in fault for fault in balance(PUBLISHED, changed))


def test_many_are_summed_up() -> None:
    """A long list is cut: the first three, and how many more."""
    extra = [Seen(f"x-{number}", "Lead", number) for number in range(10)]
    faults = balance(PUBLISHED, replace(ACCOUNT, accepted=[GOOD, SECOND, *extra]))

    assert "(7 more: was accepted and should not have been)" in faults
