"""Trouble inside of the process: callbacks that fail, threads that hang, clocks that are set, a mountain of work."""

from __future__ import annotations

import os
import time

from arena import Arena
from catalogue import scenario
from mountain import climb

HOUR = 3600.0
BACKLOG = int(os.environ.get("BACKLOG", "200000"))
MOST_MEGABYTES = 200


@scenario(13, "go_on_after_a_callback_failed")
def callback_fails(arena: Arena) -> None:
    """An error in a callback of Kafka's client ends the process without another commit, and the next one takes over."""
    arena.publish(1500)
    for _ in range(3):
        worker = arena.start(**arena.static())
        arena.wait_delivered(worker, 100)
        arena.orders.fail_a_callback()
        assert 1 == worker.exit_code()
        arena.healed()
    arena.settle(arena.start(**arena.static()))


@scenario(19, "commit_at_poll")
def loop_hangs(arena: Arena) -> None:
    """The event loop hangs for ten seconds, and another time until the process is killed, as a probe would."""
    arena.publish(1500)
    worker = arena.start(**arena.static())
    arena.wait_delivered(worker, 200)
    arena.orders.stall_loop(10)
    worker.wait_until(lambda: arena.orders.done("stall-loop"), 20, "hangs")
    time.sleep(11)
    arena.healed()
    arena.wait_delivered(worker, 100)
    arena.publish(500)
    arena.orders.stall_loop(60)
    worker.wait_until(lambda: arena.orders.done("stall-loop"), 20, "hangs")
    time.sleep(2)
    arena.kill(worker)
    arena.healed()
    arena.settle(arena.start(**arena.static()))


@scenario(19, "waits_by_the_wall_clock", "age_by_one_clock", short=("age_by_one_clock",))
def clock_jumps(arena: Arena) -> None:
    """The clock is set back an hour, then forward two, in mid-traffic: no wait feels it, and no event pays for it."""
    worker = arena.start().wait_ready()
    for ahead in (-HOUR, HOUR, 0.0):
        arena.publish(300)
        arena.orders.set_clock(ahead)
        arena.healed()
        arena.publish(300)
        # Shorter than the jump: who waits by that clock is late.
        arena.settle(worker, 60)
    assert worker.told("clock_set")
    assert [] == arena.till.dead_letters()


@scenario(19, "takes_without_end")
def mountain_of_records(arena: Arena) -> None:
    """BACKLOG records wait while the platform is away: memory stays bounded, and the last go as fast as the first."""
    arena.speed_up()
    arena.limit(events_per_request=1000, requests_per_second=1000)
    climb(arena, BACKLOG)
    assert 0 < arena.watch.peak_megabytes <= MOST_MEGABYTES, f"{arena.watch.peak_megabytes:.0f} MB"
