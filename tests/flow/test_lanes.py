"""The bridge between the two threads, with a real thread and a real loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from fakes import FakeHttp, FakeSecrets, FakeTeller
from toy import LIMITS, Toy, accept, delivery, destination
from virtual_loop import EPOCH

from pipeline.core.ledger import Page
from pipeline.core.status import LaneStatus
from pipeline.flow.clocks import Clocks
from pipeline.flow.lanes import Lanes
from pipeline.flow.line import World

QUICK = replace(LIMITS, linger_seconds=0.0)
STILL = Clocks(lambda: EPOCH, lambda: 0.0)


@pytest.fixture
def lanes() -> Iterator[Lanes]:
    """Two lanes, whose loop runs on a thread of its own; the test is the owner thread."""
    loop = asyncio.new_event_loop()
    world = World(FakeHttp(accept), FakeSecrets({"toy-token": "t"}), FakeTeller(), STILL, lambda: 1.0)
    made = Lanes([Toy(destination(name, QUICK)) for name in ("one", "two")], world, loop)
    running = loop.create_task(made.run())
    thread = threading.Thread(target=lambda: loop.run_until_complete(asyncio.wait([running])))
    thread.start()
    yield made
    loop.call_soon_threadsafe(running.cancel)
    thread.join()
    loop.close()


def test_deliveries_cross_and_outcomes_come_back(lanes: Lanes) -> None:
    """What the owner thread offers is accepted on the loop, and it hears of it by lane."""
    lanes.offer("one", [delivery("a")])
    (first,) = lanes.outcomes(5.0)
    lanes.offer("two", [delivery("b")])
    (second,) = lanes.outcomes(5.0)

    assert ("one", ["a"]) == (first.destination, [item.event_id for item in first.accepted])
    assert ("two", ["b"]) == (second.destination, [item.event_id for item in second.accepted])


def test_no_outcomes() -> None:
    """Without a wait, and without anything to hear, there is nothing."""
    world = World(FakeHttp(accept), FakeSecrets({}), FakeTeller(), STILL, lambda: 1.0)
    loop = asyncio.new_event_loop()
    lanes = Lanes([], world, loop)
    loop.close()

    assert ([], []) == (lanes.outcomes(), lanes.outcomes(0.001))


def test_release_is_answered(lanes: Lanes) -> None:
    """The owner thread can wait until no request is out for what it gives up."""
    page = Page("orders", 0, 1)
    page.closing = True
    lanes.offer("one", [delivery("a", page=page)])

    assert lanes.release().result(5.0) is None
    assert [] == lanes.outcomes()


def test_status_by_name(lanes: Lanes) -> None:
    """The status of every lane is there from the first moment."""
    assert {"one": LaneStatus(), "two": LaneStatus()} == lanes.status()


def test_what_breaks_a_lane_ends_the_run() -> None:
    """An error in what a lane was asked is not swallowed by the loop: it ends `run`, and with it the worker."""
    loop = asyncio.new_event_loop()
    world = World(FakeHttp(accept), FakeSecrets({"toy-token": "t"}), FakeTeller(), STILL, lambda: 1.0)
    lanes = Lanes([Toy(destination("one", QUICK))], world, loop)
    lanes.share("no share")  # type: ignore[arg-type]  # that is the fault
    with pytest.raises(ExceptionGroup) as broken:
        loop.run_until_complete(asyncio.wait_for(lanes.run(), 5))
    loop.close()

    assert [AttributeError] == [type(error) for error in broken.value.exceptions]
