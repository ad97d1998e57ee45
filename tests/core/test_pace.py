"""The pace of a lane."""

from __future__ import annotations

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st
from virtual_loop import EPOCH

from pipeline.core.pace import Pace

RATES = st.floats(0.1, 50)


def test_first_goes_at_once() -> None:
    """Nothing holds the first request."""
    assert Pace(2.0).wait(now=EPOCH) == 0.0


def test_spaces_requests() -> None:
    """Two requests keep the distance of the rate."""
    pace = Pace(4.0)
    pace.go(now=EPOCH)

    assert 0.25 == pace.wait(now=EPOCH)
    assert pace.wait(now=EPOCH + 0.25) == 0.0


def test_share_scales_rate() -> None:
    """A replica with half of the partitions sends at half of the rate."""
    pace = Pace(4.0)
    pace.share(0.5)
    pace.go(now=EPOCH)

    assert 2.0 == pace.rate(now=EPOCH)
    assert 0.5 == pace.wait(now=EPOCH)


@pytest.mark.parametrize(("share", "expected"), [(0.0, 4e-6), (-1.0, 4e-6), (1.5, 4.0)])
def test_bounds_share(share: float, expected: float) -> None:
    """A share out of its range is brought into it, so that no rate is zero or above the limit."""
    pace = Pace(4.0)
    pace.share(share)

    assert expected == pytest.approx(pace.rate(now=EPOCH))


def test_slows_for_a_while() -> None:
    """A usage header's advice lowers the rate until its time is over."""
    pace = Pace(4.0)
    pace.slow(0.5, until=EPOCH + 60)

    assert (2.0, 4.0) == (pace.rate(now=EPOCH + 59), pace.rate(now=EPOCH + 60))


def test_shorter_pause_never_cuts_longer() -> None:
    """Of two pauses the later end counts."""
    pace = Pace(4.0)
    pace.pause(until=EPOCH + 60)
    pace.pause(until=EPOCH + 5)

    assert 60.0 == pace.wait(now=EPOCH)


@given(rate=RATES, share=st.floats(0.05, 1), gaps=st.lists(st.floats(0, 0.5), max_size=60))
def test_bound_of_a_window(rate: float, share: float, gaps: list[float]) -> None:
    """Any window of one second, open at one end, holds at most the rate rounded up.

    Proof: requests are 1/r apart, so k of them span (k - 1)/r; that is less than 1 only if k < r + 1, so k <= ceil(r).
    """
    pace, now, sent = Pace(rate), 0.0, list[float]()
    pace.share(share)
    for gap in gaps:
        now += gap
        now += pace.wait(now=now)
        pace.go(now=now)
        sent.append(now)
    windows = [sum(start <= moment < start + 1 - 1e-9 for moment in sent) for start in sent]

    assert max(windows, default=0) <= ceil(rate * share)


@given(rate=RATES, shares=st.lists(st.integers(1, 9), min_size=1, max_size=8))
def test_shares_add_up(rate: float, shares: list[int]) -> None:
    """The rates of replicas that own all partitions between them add up to the destination's rate."""
    paces = [Pace(rate) for _ in shares]
    for pace, owned in zip(paces, shares, strict=True):
        pace.share(owned / sum(shares))

    assert rate == pytest.approx(sum(pace.rate(now=EPOCH) for pace in paces))
