"""The vows of the guarantee, on every lane: a real worker, a real Kafka, and each platform's own way to say no.

What became of the records is judged as in the chaos runs: every commit that the group ever made is held against what
the platform and the dead letters had by then. `break_vows.py` shows that each test catches
a worker that breaks its vow.
"""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from evidence import addressee, gather, read_burials
from judge import judge
from lanes import GOOGLE, LANES, Lane
from worker_process import WorkerProcess
from worker_scene import Scene

from pipeline.core.reason import Reason
from pipeline.demo.trade import Expected, Sample

SECONDS = 30.0
# The platform takes longer than the time between two commits: a faster one would hide what is committed too early.
SLOW = {"seconds": 0.25, "jitter": 0.25}
# Whoever comes back under this name need not wait for the killed one's session.
STATIC = {"CAPI_KAFKA_GROUP_INSTANCE_ID": "journey-0"}


def judged(scene: Scene) -> list[str]:
    """Return everything that is not as it should be once all is settled, at any of the scene's platforms."""
    return [f"{platform}: {fault}" for platform, found in gather(scene).items() for fault in judge(found).faults]


def settle(scene: Scene, worker: WorkerProcess) -> None:
    """Wait until everything is committed."""
    scene.wait_settled(worker, SECONDS)


def doomed(sample: Sample, reason: Reason) -> Sample:
    """Return a sample that must end in the dead letters, and not at the platform."""
    return replace(sample, expected=Expected("dead-lettered", reason, sample.expected.event_id))


def test_commits_follow_acceptance(way: Scene) -> None:
    """No commit passes a record that the platform or the dead letters do not have yet; every record is somewhere."""
    way.sandbox.add_fault("latency", **SLOW)
    way.limit(events_per_request=20)
    way.publish(300)
    way.publish_broken(20)
    worker = way.start()
    way.publish(100)
    settle(way, worker)

    assert ([], 0) == (judged(way), way.duplicates())


def test_a_bad_event_costs_nobody_else(crowd: Scene, lane: Lane) -> None:
    """What one platform refuses is a dead letter for it alone, byte for byte; all else goes on, in few requests."""
    bad, events = 3, 64
    crowd.limit(events_per_request=events, linger_seconds=5, concurrency=1)
    samples = [crowd.sample(crowd.draft_on_the_web()) for _ in range(events)]
    for index in (5, 6, 50):
        crowd.sandbox.refuse(samples[index].expected.event_id, lane.platform)
        samples[index] = doomed(samples[index], Reason.REJECTED)
    crowd.publish_all(samples)
    crowd.sandbox.watch(lane.path)
    settle(crowd, crowd.start())

    letters = read_burials(crowd.servers, crowd.dead_letters)
    assert ([], 0) == (judged(crowd), crowd.duplicates())
    assert (bad, {lane.destination}) == (len(letters), set(map(addressee, letters)))
    assert crowd.sandbox.seen(lane.path) <= lane.search(bad, events)


def test_an_outage_only_takes_time(way: Scene, lane: Lane) -> None:
    """While the platform fails, in its own words and in none, nobody is blamed; when it is back everything arrives."""
    worker = way.start().wait_ready()
    way.sandbox.add_fault(**lane.outage, in_path=lane.path)
    way.publish(200)
    worker.wait_until(lambda: worker.total("capi_lane_waits_total", Reason.OUTAGE) >= 6, SECONDS, "waited often")

    assert ([], [], []) == (way.kept(), way.overcommitted(), way.till.dead_letters())
    way.sandbox.clear_faults()
    way.sandbox.add_fault("close", stored=False, in_path=lane.path, count=2)
    way.sandbox.add_fault("unavailable", in_path=lane.path, count=2)
    settle(way, worker)
    assert ([], 0) == (judged(way), way.duplicates())


def test_a_throttle_only_takes_time(way: Scene, lane: Lane) -> None:
    """Throttled in its platform's form the lane waits as long as it is told, blames nobody, and delivers everything."""
    way.limit(concurrency=1)
    if lane.usage:
        way.sandbox.report_usage(**lane.usage)
    worker = way.start().wait_ready()
    way.sandbox.add_fault(**lane.throttle, in_path=lane.path, count=2)
    began = time.time()
    way.publish(200)
    settle(way, worker)

    assert ([], 0) == (judged(way), way.duplicates())
    assert 2 * lane.throttle_seconds <= min(one.received_at for one in way.kept()) - began
    assert 2 == worker.total("capi_lane_waits_total", Reason.THROTTLED)


def test_a_dead_secret_halts_and_a_rotated_one_resumes(way: Scene, lane: Lane) -> None:
    """A token or key that dies stops the lane and commits nothing more; the new one on disk starts it, by itself."""
    way.limit(requests_per_second=10)
    worker = way.start().wait_ready()
    way.publish(600)
    way.wait_kept(worker, 100)
    way.revoke_secret()
    worker.wait_for("all_lanes_halted", SECONDS / 2)
    kept = len(way.kept())

    assert {"state": "halted", "reason": Reason.UNAUTHORIZED} == worker.readyz()["lanes"][lane.destination]
    assert (True, []) == (kept < 600, way.overcommitted())
    way.rotate_secret()
    settle(way, worker)
    assert ([], 0) == (judged(way), way.duplicates())
    assert worker.wait_ready().running


@pytest.mark.parametrize("lane", [GOOGLE], ids=["google"])
def test_a_dead_access_token_is_replaced(way: Scene, lane: Lane) -> None:
    """Where tokens are issued, one that dies is no halt: another one is asked for, once, and everything goes on."""
    way.limit(requests_per_second=10)
    worker = way.start().wait_ready()
    way.publish(600)
    way.wait_kept(worker, 100)
    way.sandbox.watch("/token")
    way.sandbox.let_in([], revoked=way.sandbox.issued()[:-1])
    settle(way, worker)

    assert ([], 0) == (judged(way), way.duplicates())
    # One of the questions was the test's own: it asks the metadata server, whose path ends alike.
    assert 1 == way.sandbox.seen("/token") - 1
    assert [] == worker.told("lane_halted")
    assert 600 == worker.total("capi_events_accepted_total", lane.destination)


@pytest.mark.parametrize("lane", [GOOGLE], ids=["google"])
def test_an_issuer_that_is_away_only_takes_time(way: Scene, lane: Lane) -> None:
    """While nobody issues tokens nothing is sent, blamed or committed; when they do again everything arrives."""
    way.sandbox.watch(lane.path)
    way.sandbox.add_fault("error", code=503, in_path="/token")
    way.publish(200)
    worker = way.start().wait_ready()
    worker.wait_until(lambda: worker.total("capi_lane_waits_total", Reason.OUTAGE) >= 6, SECONDS, "waited often")

    assert (0, [], []) == (way.sandbox.seen(lane.path), way.overcommitted(), way.till.dead_letters())
    way.sandbox.clear_faults()
    settle(way, worker)
    assert ([], 0) == (judged(way), way.duplicates())


def test_a_kill_loses_nothing(way: Scene) -> None:
    """Killed before any commit, another worker sends the same again: no event is lost, each copy has the same bytes."""
    way.limit(requests_per_second=10)
    way.publish(400)
    first = way.start("first", **STATIC, CAPI_INTAKE_COMMIT_INTERVAL_SECONDS="60")
    way.wait_kept(first, 100)
    first.kill()
    way.limit()
    settle(way, way.start("second", **STATIC))

    assert [] == judged(way)
    assert way.duplicates() >= 100


def test_too_late_is_said_and_not_sent(way: Scene, lane: Lane) -> None:
    """Older than the platform takes, at the start or after a wait, an event is a dead letter and is never sent."""
    way.sandbox.add_fault(**lane.outage, in_path=lane.path)
    worker = way.start().wait_ready()
    too_old, ageing, young = map(way.aged, (-60, 2, 120))
    way.publish_all([doomed(too_old, Reason.EXPIRED), doomed(ageing, Reason.EXPIRED), young])
    worker.wait_until(lambda: len(way.till.dead_letters()) == 2, SECONDS, "buried what was too old")
    way.sandbox.clear_faults()
    settle(way, worker)

    assert [] == judged(way)
    assert [young.expected.event_id] == [one.event_id for one in way.kept()]


def states(worker: WorkerProcess) -> dict[str, str]:
    """Return the state of every lane, as the worker tells it once a second."""
    return {name: status["state"] for name, status in worker.readyz().get("lanes", {}).items()}


def test_one_platform_that_is_away_holds_offsets_and_no_other_lane(crowd: Scene, lane: Lane) -> None:
    """With five platforms in one worker and one of them away, four get everything; what it lacks is committed after."""
    crowd.limit(concurrency=1)
    crowd.sandbox.add_fault(**lane.outage, in_path=lane.path)
    crowd.publish(100)
    worker = crowd.start().wait_ready()
    others = [other for other in LANES if other is not lane]
    worker.wait_until(
        lambda: all(len(crowd.kept(other)) == 100 for other in others), SECONDS, "delivered everything elsewhere"
    )
    expected = {lane.destination: "waiting", **{other.destination: "running" for other in others}}
    worker.wait_until(lambda: states(worker) == expected, SECONDS, f"has its lanes as {expected}")

    assert ([], [], {0}) == (crowd.kept(), crowd.till.dead_letters(), set(crowd.till.committed().values()))
    crowd.sandbox.clear_faults()
    settle(crowd, worker)
    assert ([], 0) == (judged(crowd), crowd.duplicates())
    assert [100] * 5 == [len(crowd.kept(each)) for each in LANES]
