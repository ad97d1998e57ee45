"""The dead-letter budget and its sliding window."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from virtual_loop import EPOCH

from pipeline.core.budget import Allowance, Budget

ALLOWANCE = Allowance(ratio=0.2, window_seconds=300.0, least=100)


@pytest.mark.parametrize(
    ("settled", "refused", "expected"),
    [(99, 99, False), (100, 20, False), (100, 21, True), (1000, 200, False), (1000, 201, True), (0, 0, False)],
)
def test_spent_beyond_the_ratio(settled: int, refused: int, expected: bool) -> None:
    """It is spent when more than the ratio was refused, of at least so many."""
    budget = Budget(ALLOWANCE)
    budget.note(seen=settled, refused=refused, now=EPOCH)

    assert expected is budget.spent


@pytest.mark.parametrize(("later", "expected"), [(300, True), (301, False)])
def test_window_slides(later: float, expected: bool) -> None:
    """What was refused before the window no longer counts."""
    budget = Budget(ALLOWANCE)
    budget.note(seen=100, refused=100, now=EPOCH)
    budget.note(seen=100, refused=0, now=EPOCH + later)

    assert expected is budget.spent
    assert (0.5 if expected else 0.0) == budget.ratio


def test_figures() -> None:
    """The figures are what was refused, of how many, over which seconds."""
    budget = Budget(ALLOWANCE)
    budget.note(seen=10, refused=3, now=EPOCH)

    assert (3, 10, 300.0) == budget.figures


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=40))
def test_counts_the_window(notes: list[tuple[int, int, int]]) -> None:
    """At any time the figures are the sums over the notes of the window."""
    budget, now, told = Budget(ALLOWANCE), EPOCH, list[tuple[float, int, int]]()
    for gap, refused, others in notes:
        now += gap
        budget.note(seen=refused + others, refused=refused, now=now)
        told.append((now, refused, refused + others))
    recent = [(refused, settled) for at, refused, settled in told if at >= now - ALLOWANCE.window_seconds]

    assert (sum(one for one, _ in recent), sum(all_ for _, all_ in recent), 300.0) == budget.figures


def test_clock_that_goes_back_loses_nothing() -> None:
    """What is noted by a clock that was set back counts all the same."""
    budget = Budget(ALLOWANCE)
    budget.note(seen=1, refused=1, now=EPOCH)
    budget.note(seen=1, refused=1, now=EPOCH - 3600)

    assert (2, 2, 300.0) == budget.figures
