"""The platform and the way to it: answers that are lost, slow, wrong, or none, and tokens that die."""

from __future__ import annotations

import os
import time
from dataclasses import replace

from arena import Arena, doomed
from catalogue import scenario
from fault_proxy import CutRequest, Delay, Drip, HalfOpen, NetworkFault, Refused, ResetReply

from pipeline.core.reason import Reason

OUTAGE_SECONDS = float(os.environ.get("OUTAGE", "30"))
# Longer than it takes to publish and read them.
SOON_SECONDS = 3
# aiohttp remembers an address for ten seconds.
DNS_SECONDS = 11
NETWORK_FAULTS: tuple[NetworkFault, ...] = (
    Delay(0.4),
    Drip(20),
    HalfOpen(),
    ResetReply(30),
    CutRequest(2000),
    Refused(),
)


@scenario(
    16,
    "silence_is_acceptance",
    "any_200_is_acceptance",
    "dead_letter_after_three_tries",
    short=("silence_is_acceptance",),
    lanes=(),
)
def ambiguous_answers(arena: Arena) -> None:
    """Accepted or not, and nobody says: lost answers, cut connections, a 200 that is none. All is sent again."""
    arena.limit(timeout_seconds=1)
    # One after the other. The first batches get it thick: however often a batch is unlucky, it may not be lost.
    arena.sandbox.add_fault("unavailable", count=12)
    for stored in (True, False):
        for kind in ("silence", "reset", "close"):
            arena.sandbox.add_fault(kind, stored=stored, count=2)
    worker = arena.start()
    arena.publish(2000)
    arena.wait_delivered(worker, 1200)
    arena.speed_up()
    arena.healed()
    arena.settle(worker)


@scenario(17, "drop_on_throttle", lanes=("tiktok",))
def throttle_storm(arena: Arena) -> None:
    """Throttled with a named wait, without one, by code and by rate: all waits, nothing is dropped or buried."""
    if arena.lane.usage:
        arena.sandbox.report_usage(**arena.lane.usage)
    worker = arena.start().wait_ready()
    arena.sandbox.add_fault("status", status=429, retry_after=1, count=6)
    arena.publish(700)
    arena.wait_delivered(worker, 100)
    arena.sandbox.add_fault("status", status=429, count=8)
    arena.sandbox.add_fault(**arena.lane.throttle, in_path=arena.lane.path, count=2)
    arena.wait_delivered(worker, 300)
    arena.sandbox.add_fault("rate_limit", per_second=3)
    arena.publish(700)
    worker.wait_until(lambda: worker.total("capi_lane_waits_total", "throttled") >= 8, 40, "was throttled many times")
    arena.speed_up()
    arena.healed()
    arena.settle(worker, 90)
    assert [] == arena.till.dead_letters()


@scenario(17, "takes_without_end", "dead_letter_after_three_tries", lanes=())
def long_outage(arena: Arena) -> None:
    """The platform is away for OUTAGE seconds over a backlog: no dead letter, bounded memory, back by itself."""
    most = 2000
    arena.sandbox.add_fault("status", status=503)
    arena.publish(5000)
    worker = arena.start(CAPI_INTAKE_MAX_RECORDS=str(most)).wait_ready()
    worker.wait_until(
        lambda: worker.total("capi_intake_paused", "backpressure") == 1, 30, "holds, as full as it may be"
    )
    over = time.monotonic() + OUTAGE_SECONDS
    while time.monotonic() < over:
        figures = worker.total("capi_in_flight_records"), worker.total("capi_poll_age_seconds")
        assert figures[0] <= most, f"{figures[0]:.0f} records in flight, {most} are allowed"
        assert figures[1] < 3, f"Kafka was not polled for {figures[1]:.1f} s"
        time.sleep(min(1.0, OUTAGE_SECONDS / 10))

    assert ([], 0) == (arena.till.dead_letters(), len(arena.sandbox.kept()))
    assert {0} == set(arena.till.committed().values())
    arena.speed_up()
    arena.healed()
    arena.settle(worker, 120)
    assert 0 == arena.duplicates()


@scenario(17, "never_too_old", lanes=())
def too_late_after_an_outage(arena: Arena) -> None:
    """Some events get too old while the platform is away: they are dead letters, the others arrive, none is late."""
    arena.sandbox.add_fault(**arena.lane.outage)
    worker = arena.start().wait_ready()
    ageing = [arena.aged(SOON_SECONDS) for _ in range(40)]
    arena.publish_all([replace(one, expected=doomed(Reason.EXPIRED, one.expected.event_id)) for one in ageing])
    arena.publish(400)
    worker.wait_until(lambda: len(arena.till.dead_letters()) == 40, 40, "buried what got too old")

    assert [] == arena.kept()
    arena.speed_up()
    arena.healed()
    arena.settle(worker)


@scenario(17, "settled_by_the_first", everybody=True)
def one_platform_of_five_away(arena: Arena) -> None:
    """One of five platforms in one worker is away: the others get all, offsets wait for it, nothing is lost."""
    arena.sandbox.add_fault(**arena.lane.outage, in_path=arena.lane.path)
    arena.publish(1000)
    worker = arena.start().wait_ready()
    worker.wait_until(
        lambda: min(len(arena.kept(other)) for other in arena.lanes[1:]) >= 1000, 60, "delivered to the other four"
    )

    assert [] == arena.kept()
    assert {0} == set(arena.till.committed().values())
    arena.speed_up()
    arena.healed()
    arena.settle(worker, 90)


@scenario(
    18,
    "dead_letter_on_bad_token",
    "ignores_rotation",
    "tells_where_it_sends",
    short=("dead_letter_on_bad_token",),
    lanes=("google",),
)
def token_revoked_and_rotated(arena: Arena) -> None:
    """A token dies in mid-traffic and a new one comes on disk: the lane halts and resumes, without a restart."""
    worker = arena.start().wait_ready()
    arena.publish(1500)
    arena.wait_delivered(worker, 300)
    arena.revoke_secret()
    worker.wait_for("all_lanes_halted")
    time.sleep(2)

    assert [] == arena.till.dead_letters()
    arena.rotate_secret()
    arena.healed()
    arena.settle(worker)
    assert worker.wait_ready().running


@scenario(19, "no_time_limit", "silence_is_acceptance", lanes=())
def broken_network(arena: Arena) -> None:
    """Delay, slow drip, half-open connections, resets in mid-answer, cuts in mid-request, a closed port: one by one."""
    arena.limit(timeout_seconds=1.5)
    worker = arena.start().wait_ready()
    for fault in NETWORK_FAULTS:
        arena.publish(150)
        before = worker.total("capi_lane_waits_total", "outage")
        arena.network.suffer(fault)
        arena.publish(150)
        if not isinstance(fault, Delay):
            worker.wait_until(
                lambda least=before: worker.total("capi_lane_waits_total", "outage") > least,
                30,
                f"noticed {fault}",
            )
        time.sleep(1)
        arena.network.heal()
        arena.healed()
        arena.settle(worker)


@scenario(19, "network_errors_are_raised", lanes=())
def names_do_not_resolve(arena: Arena) -> None:
    """The platform's name does not resolve for a while: that is an outage like any other."""
    arena.by_name = True
    arena.limit()
    worker = arena.start().wait_ready()
    arena.publish(500)
    arena.wait_delivered(worker, 50)
    arena.orders.lose_names()
    # Until the client has forgotten the address, and then its connections.
    time.sleep(DNS_SECONDS)
    arena.network.suffer(Refused())
    time.sleep(1)
    arena.network.heal()
    arena.publish(500)
    worker.wait_until(lambda: "DNSError" in worker.output, 40, "found that the name does not resolve")
    time.sleep(2)

    assert worker.running
    arena.orders.find_names()
    arena.healed()
    arena.settle(worker, 90)
