"""Members that come and go: partitions change hands while requests are out for them."""

from __future__ import annotations

import signal
import time

from arena import Arena
from catalogue import scenario
from judge import widest_window
from worker_process import WorkerProcess

STORM_SECONDS = 60
# More than the rate allows while the scenario lasts.
RATED = 5000


@scenario(6, "settle_after_revoke")
def answers_after_revoke(arena: Arena) -> None:
    """An answer that comes after its partition was given up moves no offset of the new owner."""
    arena.slow_down(seconds=2)
    arena.limit(timeout_seconds=10, concurrency=8, events_per_request=20)
    arena.publish(4000)
    hasty = {"CAPI_STOP_REVOKE_DEADLINE_SECONDS": "0", "CAPI_STOP_DRAIN_DEADLINE_SECONDS": "1"}
    first = arena.start("first", **hasty)
    for number in range(3):
        arena.wait_delivered(first, 100)
        other = arena.start(f"other{number}", **hasty)
        other.wait_until(lambda one=other: owned(one) > 0, 20, "owns partitions")
        time.sleep(3)
        assert 0 == other.terminate()
    arena.speed_up()
    arena.settle(first)
    assert arena.abandoned(first) > 0, "nothing was out for what it had to give up"


@scenario(7, "commit_everything_when_leaving", "tells_what_it_sends", short=("tells_what_it_sends",))
def revoked_before_dispatch(arena: Arena) -> None:
    """What was read and not yet sent when its partition is given up is the new owner's, and none of it is missed."""
    arena.limit(requests_per_second=8, events_per_request=20)
    arena.publish(2500)
    first = arena.start("first", CAPI_STOP_REVOKE_DEADLINE_SECONDS="1").wait_ready()
    first.wait_until(lambda: first.total("capi_in_flight_records") >= 1000, 20, "has a thousand in its hands")
    second = arena.start("second", CAPI_STOP_REVOKE_DEADLINE_SECONDS="1")
    second.wait_until(lambda: owned(second) == owned(first) == 3, 20, "owns half of the partitions")
    assert arena.abandoned(first) > 0, "nothing was in its hands that it had to give up"
    arena.healed()
    # A restart is how rates change; both know the old one until then.
    arena.limit()
    third = arena.start("third")
    for worker in (first, second):
        assert 0 == worker.terminate()
    arena.settle(third)


@scenario(8, "settle_after_revoke")
def max_poll_exceeded(arena: Arena) -> None:
    """A worker that did not poll for too long finds its partitions with another one, and takes nothing back."""
    arena.limit(timeout_seconds=20)
    arena.publish(400)
    first = arena.start("first", CAPI_KAFKA_MAX_POLL_INTERVAL_SECONDS="30")
    arena.wait_delivered(first, 50)
    arena.slow_down(seconds=10)
    arena.orders.stall_owner(36)
    first.wait_until(lambda: arena.orders.done("stall-owner"), 10, "stalled")
    second = arena.start("second")
    arena.publish(800)
    second.wait_until(lambda: owned(second) == 6, 60, "took all partitions over")
    arena.speed_up()
    arena.healed()
    arena.settle(second)
    first.wait_until(lambda: owned(first) == 3, 60, "is back in the group")
    arena.publish(300)
    arena.settle(second)


@scenario(9, "commit_everything_when_leaving", "settle_after_revoke")
def rebalance_storm(arena: Arena) -> None:
    """A member joins or leaves every second for a minute: nothing is lost, however often partitions change hands."""
    # So slow that everybody always has much in its hands when a partition goes.
    arena.limit(requests_per_second=6, events_per_request=30, timeout_seconds=10)
    arena.slow_down(seconds=1)
    arena.publish(3000)
    hasty = {"CAPI_STOP_REVOKE_DEADLINE_SECONDS": "0", "CAPI_STOP_DRAIN_DEADLINE_SECONDS": "1"}
    members = [arena.start("stays", **hasty).wait_ready()]
    until = time.monotonic() + STORM_SECONDS
    while time.monotonic() < until:
        arena.publish(60)
        if len(members) < 4 and arena.chance.random() < 0.6:
            members.append(arena.start("guest", **hasty))
        elif len(members) > 1:
            leaving = members.pop(arena.chance.randrange(1, len(members)))
            arena.kill(leaving) if arena.chance.random() < 0.33 else leaving.signal(signal.SIGTERM)
        time.sleep(1)
    arena.healed()
    arena.limit()
    arena.speed_up()
    last = arena.start("last")
    for member in members:
        member.signal(signal.SIGTERM)
    arena.settle(last, 90)


@scenario(9, "settle_after_revoke", short=())
def frozen_past_its_session(arena: Arena) -> None:
    """A worker that is frozen for longer than its session, and thawed, commits nothing for partitions it has lost."""
    arena.limit(requests_per_second=40, events_per_request=20)
    frozen, other = arena.start("frozen"), arena.start("other")
    frozen.wait_until(lambda: owned(frozen) == owned(other) == 3, 20, "owns half of the partitions")
    arena.publish(1500)
    frozen.wait_until(lambda: frozen.total("capi_in_flight_records") > 100, 20, "has a hundred in its hands")
    arena.wait_delivered(frozen, 40)
    frozen.signal(signal.SIGSTOP)
    other.wait_until(lambda: owned(other) == 6, 30, "took the partitions over")
    arena.healed()
    arena.settle(other)
    frozen.signal(signal.SIGCONT)
    frozen.wait_until(lambda: owned(frozen) == 3, 30, "is back in the group")
    arena.publish(100)
    arena.settle(frozen)
    assert arena.duplicates() > 0, "nothing was out when it froze"


@scenario(9, "whole_rate_each", short=("whole_rate_each",))
def one_rate_for_all(arena: Arena) -> None:
    """However many replicas there are and while they change, the platform sees the destination's rate and no more."""
    limit = 12
    arena.speed_up()
    arena.limit(requests_per_second=limit, events_per_request=10)
    arena.publish(RATED)
    workers = [arena.start("first").wait_ready()]
    for name in ("second", "third"):
        time.sleep(3)
        workers.append(arena.start(name).wait_ready())
    time.sleep(3)
    assert 0 == workers.pop(1).terminate()
    time.sleep(3)

    assert len(arena.sandbox.kept()) < RATED, "nobody was held back"
    # A tenth of a second is for what is late on the way: on a busy machine, that is.
    seen, longer = (widest_window(arena.network.requests, seconds) for seconds in (0.9, 5.0))
    assert seen <= limit, f"{seen} requests in one second, the limit is {limit}"
    assert longer <= 5 * limit, f"{longer} requests in five seconds, the limit is {limit} in one"
    arena.limit()
    last = arena.start("last")
    for worker in workers:
        assert 0 == worker.terminate()
    arena.settle(last)


def owned(worker: WorkerProcess) -> int:
    """Return how many partitions a worker says it owns."""
    return int(worker.readyz().get("partitions", 0))
