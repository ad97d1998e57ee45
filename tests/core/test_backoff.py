"""The wait before the next attempt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.backoff import CAP_SECONDS, FLOOR_SECONDS, backoff


@pytest.mark.parametrize(("attempt", "expected"), [(1, 0.5), (2, 1.0), (3, 2.0), (7, 32.0), (8, 60.0), (10**9, 60.0)])
def test_doubles_up_to_the_cap(attempt: int, expected: float) -> None:
    """The longest wait doubles with each attempt, up to the cap, however many there are."""
    assert expected == backoff(attempt, chance=1.0)


def test_spreads_with_chance() -> None:
    """The chance takes its part of the whole wait: full jitter."""
    assert 4.0 == backoff(5, chance=0.5)


@given(attempt=st.integers(1, 10_000), chance=st.floats(0, 1))
def test_stays_within_bounds(attempt: int, chance: float) -> None:
    """No wait is shorter than the floor or longer than the cap."""
    assert FLOOR_SECONDS <= backoff(attempt, chance=chance) <= CAP_SECONDS


@given(attempt=st.integers(1, 10_000), chance=st.floats(0, 1))
def test_chance_spreads_over_the_whole(attempt: int, chance: float) -> None:
    """A wait is the chance's part of the longest one, and the floor below that."""
    assert max(FLOOR_SECONDS, chance * backoff(attempt, chance=1.0)) == backoff(attempt, chance=chance)


@given(attempt=st.integers(1, 10_000), chance=st.floats(0, 1), cap=st.floats(1, 600))
def test_never_shrinks(attempt: int, chance: float, cap: float) -> None:
    """With the same chance a later attempt waits as long or longer, and never beyond the cap that was asked for."""
    wait, later = (backoff(number, chance=chance, cap=cap) for number in (attempt, attempt + 1))

    assert wait <= later <= cap
