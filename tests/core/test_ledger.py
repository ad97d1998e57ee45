"""The ledger's pages, example by example; `test_ledger_model.py` holds the invariants."""

from __future__ import annotations

import pytest

from pipeline.core.ledger import Ledger, LedgerError, Page


def page_with(*offsets: int, shares: int = 1) -> Page:
    """Return a page on which these offsets are open, ten bytes each."""
    page = Page("orders", 0, 1)
    for offset in offsets:
        page.take(offset, shares=shares, size=10)
    return page


@pytest.mark.parametrize(
    ("settled", "expected"),
    [((), 5), ((5,), 6), ((6,), 5), ((6, 7), 5), ((5, 7), 6), ((7, 6, 5), 8)],
)
def test_watermark_waits_for_the_first_open(settled: tuple[int, ...], expected: int) -> None:
    """The watermark is the first open offset, in whatever order the others settle."""
    page = page_with(5, 6, 7)
    for offset in settled:
        page.settle(offset)

    assert expected == page.watermark()


def test_no_watermark_before_the_first_record() -> None:
    """A page on which nothing was taken has nothing to commit, and spans nothing."""
    page = Page("orders", 0, 1)

    assert (None, 0) == (page.watermark(), page.span)


def test_record_settles_with_its_last_share() -> None:
    """A record with several deliveries is open until each of them is settled."""
    page = page_with(5, shares=2)
    page.settle(5)
    before = page.watermark()
    page.settle(5)

    assert (5, 6) == (before, page.watermark())


def test_record_without_deliveries_is_settled() -> None:
    """A record that nobody wants moves the watermark as it is taken."""
    page = page_with(5, shares=0)

    assert (6, 0, 0) == (page.watermark(), page.open_records, page.open_bytes)


def test_holes_are_passed() -> None:
    """Offsets that are not there (compaction, transaction markers) hold nothing up."""
    page = page_with(5, 9)
    page.settle(5)
    before = page.watermark()
    page.settle(9)

    assert (9, 10) == (before, page.watermark())


def test_holes_are_counted() -> None:
    """Taking a record says how many offsets before it were not there; the first of a page has none before it."""
    page = Page("orders", 0, 1)

    assert [0, 0, 3] == [page.take(offset, shares=1, size=1) for offset in (5, 6, 10)]


def test_refuses_offset_that_goes_back() -> None:
    """An offset that was taken cannot be taken again."""
    with pytest.raises(LedgerError, match=r"orders\[0\] offset 5 taken after 5"):
        page_with(5).take(5, shares=1, size=1)


@pytest.mark.parametrize("offset", [4, 5, 6])
def test_refuses_to_settle_what_is_not_open(offset: int) -> None:
    """Settling more than was taken is a bug, and says so."""
    page = page_with(5)
    page.settle(5)

    with pytest.raises(LedgerError, match="nothing of it is open"):
        page.settle(offset)


def test_ended_page_ignores_what_comes_late() -> None:
    """After the partition is gone, late answers change nothing."""
    page = page_with(5)
    page.end()
    page.settle(5)

    assert (0, 0, True) == (page.open_records, page.open_bytes, page.closing)


def test_new_assignment_is_a_new_page() -> None:
    """Assigning a partition again ends its old page; the new one owes nothing of the old."""
    ledger = Ledger()
    old = ledger.open_page("orders", 0)
    old.take(5, shares=1, size=10)
    new = ledger.open_page("orders", 0)

    assert (True, False, 0) == (old.ended, new.ended, ledger.open_records)
    assert old.epoch < new.epoch
    assert new is ledger.page("orders", 0)


def test_ended_page_is_gone() -> None:
    """A partition that is not ours has no page, and ending it again is no fault."""
    ledger = Ledger()
    ledger.open_page("orders", 0)
    ledger.end_page("orders", 0)
    ledger.end_page("orders", 0)

    assert (None, []) == (ledger.page("orders", 0), list(ledger.pages()))


def test_movable_pages() -> None:
    """A page is movable when its watermark is not what Kafka has acknowledged."""
    ledger = Ledger()
    fresh, moved, still = (ledger.open_page("orders", number) for number in range(3))
    moved.take(5, shares=0, size=0)
    still.take(5, shares=1, size=1)
    still.committed = 5

    assert [moved] == ledger.movable()
    assert fresh.watermark() is None


def test_sums_over_partitions() -> None:
    """The ledger's figures are those of all its pages; the widest span is that of the worst."""
    ledger = Ledger()
    first, second = ledger.open_page("orders", 0), ledger.open_page("orders", 1)
    first.take(5, shares=1, size=10)
    second.take(0, shares=1, size=7)
    second.take(99, shares=1, size=1)

    assert (3, 18, 100) == (ledger.open_records, ledger.open_bytes, ledger.widest_span)
