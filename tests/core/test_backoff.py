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
