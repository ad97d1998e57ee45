"""The worker when somebody sets its clock: waits do not feel it, and no event is refused on one clock's word."""

from __future__ import annotations

import pytest
from road import FIRST, Road, order
from toy import DAY, status
from virtual_loop import EPOCH

from pipeline.core.reason import Reason
from pipeline.flow.clocks import Clocks, Moment

HOUR = 3600.0


def set_clock(road: Road, ahead: float) -> None:
    """Set the worker's wall clock `ahead` seconds from what it was at the start."""
    road.clock_ahead = ahead


@pytest.mark.parametrize("ahead", [-HOUR, HOUR])
def test_a_clock_that_jumps_delays_nothing(ahead: float) -> None:
    """Set back or forward by an hour in mid-run, the worker sends and commits as before, and buries nothing."""
    with Road() as road:
        road.produce("a")
        road.at(2, lambda: set_clock(road, ahead))
        road.at(3, lambda: road.produce("b"))
        look = road.look_at(6)
        road.run(10)

        assert (["a", "b"], []) == (look.sent, look.buried)
        assert {FIRST: 2} == look.committed


@pytest.mark.parametrize("ahead", [-HOUR, HOUR])
def test_a_clock_that_jumps_in_an_outage_prolongs_no_wait(ahead: float) -> None:
    """A lane that waits out an outage is back as soon as ever, however the clock is set meanwhile."""
    with Road(status(503)) as road:
        road.produce("a")
        road.at(20, lambda: set_clock(road, ahead))
        road.at(30, lambda: setattr(road.http, "answer", status(200)))
        look = road.look_at(100)
        road.run(110)

        assert {FIRST: 1} == look.committed


def test_an_event_is_early_only_by_both_clocks() -> None:
    """With the clock set back an hour an event of this minute is sent; one of tomorrow is refused as before."""
    with Road() as road:
        road.at(1, lambda: set_clock(road, -HOUR))
        road.at(2, lambda: road.produce("a"))
        road.at(2, lambda: road.kafka.produce(order("b", at=EPOCH + DAY)))
        road.run(10)

        assert (["a"], [Reason.FUTURE]) == (road.sent, [one.refusal.reason for one in road.dead_letters.topic])


def test_an_event_is_old_only_by_both_clocks() -> None:
    """With the clock set forward past its age limit an event is sent still; one too old by both is refused."""
    with Road() as road:
        road.at(1, lambda: set_clock(road, 7 * DAY))
        road.at(2, lambda: road.produce("a"))
        road.at(2, lambda: road.kafka.produce(order("b", at=EPOCH - 7 * DAY)))
        road.run(10)

        assert (["a"], [Reason.EXPIRED]) == (road.sent, [one.refusal.reason for one in road.dead_letters.topic])


def test_both_witnesses_are_heard() -> None:
    """The moment is between the wall clock and the start carried on by the running clock, whichever is ahead."""
    wall, steady = [1000.0], [5.0]
    clocks = Clocks(lambda: wall[0], lambda: steady[0])
    steady[0] += 10
    wall[0] -= 50

    assert Moment(950.0, 1010.0) == clocks.moment()
    wall[0] += 100
    assert Moment(1010.0, 1050.0) == clocks.moment()


def test_it_shows_by_how_much_the_clock_was_set() -> None:
    """What people did to the wall clock since the start can be seen, forward and back."""
    wall, steady = [1000.0], [5.0]
    clocks = Clocks(lambda: wall[0], lambda: steady[0])
    steady[0], wall[0] = 65.0, 1000.0

    assert -60.0 == clocks.ahead
