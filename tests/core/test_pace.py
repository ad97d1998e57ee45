"""The pace of a lane, alone and among replicas."""

from __future__ import annotations

from itertools import pairwise
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st
from virtual_loop import EPOCH

from pipeline.core.pace import GRACE_SECONDS, HEADROOM, WHOLE, Pace, Share, slots_of

RATES = st.floats(0.1, 50)
# The steady clock of these tests, when the wall clock says EPOCH.
NOW = 500.0


def spent(pace: Pace, seconds: float, *, late: float = 0.0) -> list[float]:
    """Return when requests go if there is always one to send, and everybody wakes up so late."""
    sent: list[float] = []
    passed = 0.0
    while passed < seconds:
        wait = pace.wait(now=NOW + passed, unix=EPOCH + passed)
        if wait:
            passed += wait + late
        else:
            pace.go(now=NOW + passed, unix=EPOCH + passed)
            sent.append(passed)
    return sent


def test_an_idle_lane_sends_at_once() -> None:
    """At a rate above one in the grace, the first request waits for nothing."""
    assert 0.0 == Pace(1.1 / GRACE_SECONDS).wait(now=NOW, unix=EPOCH)


@pytest.mark.parametrize("late", [0.0, 0.01, 0.9 * GRACE_SECONDS])
def test_keeps_to_its_rate(late: float) -> None:
    """The rate less the headroom is used in full, also by a loop that wakes up a little late."""
    assert 60 * 4 * (1 - HEADROOM) == pytest.approx(len(spent(Pace(4.0), 60, late=late)), abs=2)


@pytest.mark.parametrize("late", [2 * GRACE_SECONDS, 0.3, 5.0])
def test_a_loop_that_is_always_late_sends_still(late: float) -> None:
    """However late the loop wakes up, a slot that it waited for is not lost, and no request takes two rounds."""
    assert len(spent(Pace(1.0), 600, late=late)) >= 600 / (2 * 1.1 + late) - 1


def test_spaces_requests() -> None:
    """Requests lie evenly apart: no two of them share a slot."""
    times = spent(Pace(4.0), 20)
    gaps = {round(later - earlier, 3) for earlier, later in pairwise(times)}

    assert {round(0.25 / (1 - HEADROOM), 3)} == gaps


def test_a_share_is_a_part_of_the_rate() -> None:
    """A replica with two of three partitions sends at two thirds of the rate."""
    pace = Pace(9.0)
    pace.share(Share((0, 2), 3))

    assert 6.0 == pytest.approx(pace.rate(now=NOW))
    assert 60 * 6 * (1 - HEADROOM) == pytest.approx(len(spent(pace, 60)), abs=4)


def test_nothing_goes_without_a_partition() -> None:
    """A replica that owns nothing has no slot, and asks again within a minute."""
    pace = Pace(9.0)
    pace.share(Share((), 3))

    assert (0.0, 60.0) == (pace.rate(now=NOW), pytest.approx(pace.wait(now=NOW, unix=EPOCH)))


def test_slows_for_a_while() -> None:
    """A usage header's advice lowers the rate until its time is over."""
    pace = Pace(4.0)
    pace.slow(0.5, until=NOW + 60)

    assert (2.0, 4.0) == (pace.rate(now=NOW + 59), pace.rate(now=NOW + 60))
    assert 60 * 2 * (1 - HEADROOM) == pytest.approx(len(spent(pace, 60)), abs=2)


def test_shorter_pause_never_cuts_longer() -> None:
    """Of two pauses the later end counts."""
    pace = Pace(4.0)
    pace.pause(until=NOW + 60)
    pace.pause(until=NOW + 5)

    assert 60.0 == pace.wait(now=NOW, unix=EPOCH)


@pytest.mark.parametrize("ahead", [-3600.0, 3600.0, 0.123])
def test_a_clock_that_is_set_delays_nothing(ahead: float) -> None:
    """When the wall clock is set back or forward, the next slot is as near as ever."""
    pace = Pace(4.0)
    wait = pace.wait(now=NOW, unix=EPOCH)
    pace.go(now=NOW + wait, unix=EPOCH + wait)

    assert pace.wait(now=NOW + wait, unix=EPOCH + wait + ahead) <= 2 * 0.25 / (1 - HEADROOM)


@given(rate=RATES, late=st.floats(0, GRACE_SECONDS))
def test_bound_of_a_window(rate: float, late: float) -> None:
    """Any window of one second, open at one end, holds at most the rate rounded up, however late the loop wakes up."""
    sent = spent(Pace(rate), 10, late=late)
    windows = [sum(start <= moment < start + 1 - 1e-9 for moment in sent) for start in sent]

    assert max(windows, default=0) <= ceil(rate)


@given(rate=RATES, owners=st.lists(st.integers(0, 3), min_size=1, max_size=12))
def test_shares_add_up(rate: float, owners: list[int]) -> None:
    """The rates of replicas that own all partitions between them add up to the destination's rate."""
    paces = [Pace(rate) for _ in range(4)]
    for number, pace in enumerate(paces):
        pace.share(Share(tuple(place for place, owner in enumerate(owners) if owner == number), len(owners)))

    assert rate == pytest.approx(sum(pace.rate(now=NOW) for pace in paces))


def test_the_whole_is_one() -> None:
    """Who is alone has everything."""
    assert 1.0 == WHOLE.part


def test_a_pause_ends_on_the_grid() -> None:
    """After a pause replicas come in their slots again, not all at once with those that they waited for before."""
    paces = [Pace(1.0) for _ in range(6)]
    for number, pace in enumerate(paces):
        pace.share(Share((number,), 6))
        pace.wait(now=NOW, unix=EPOCH)
        pace.pause(until=NOW + 30)
    ready = [pace for pace in paces if pace.wait(now=NOW + 30, unix=EPOCH + 30) == 0]

    assert len(ready) <= 1


@pytest.mark.parametrize("rate", [20.0, 100.0, 1000.0])
def test_a_late_loop_keeps_much_of_a_high_rate(rate: float) -> None:
    """A loop that always wakes up 60 ms late, as under a CPU quota, still sends two fifths of the rate."""
    assert len(spent(Pace(rate), 20, late=0.06)) >= 0.4 * 20 * rate


@given(count=st.integers(1, 300))
def test_slots_are_an_order_of_the_partitions(count: int) -> None:
    """Every partition has a slot of its own."""
    assert list(range(count)) == sorted(slots_of(count))


def test_neighbors_have_slots_far_apart() -> None:
    """Of a block of partitions, as they are often assigned together, no two neighbors have neighboring slots."""
    slots = slots_of(100)
    gaps = [abs(one - other) for one, other in pairwise(slots)]

    assert min(gaps) > 10
