"""The platform is away, throttles, or knows the token no more: the worker waits, and goes on by itself."""

from __future__ import annotations

import time

import pytest
from worker_scene import DESTINATION, SECRET, Scene

NEW_TOKEN = "EAAjourneyrotated0123456789"


def test_a_revoked_token_stops_and_a_rotated_one_resumes(scene: Scene) -> None:
    """A token that dies mid-run halts the lane, and the new one on disk starts it: no restart, no dead letter."""
    scene.limit(requests_per_second=20)
    worker = scene.start().wait_ready()
    scene.publish(2000)
    scene.wait_kept(worker, 300)
    scene.sandbox.let_in([NEW_TOKEN], revoked=[scene.token])
    worker.wait_for("all_lanes_halted")
    kept = len(scene.sandbox.kept())
    time.sleep(0.5)

    assert {"state": "halted", "reason": "unauthorized"} == worker.readyz()["lanes"][DESTINATION]
    assert kept == len(scene.sandbox.kept()) < 2000
    assert [] == scene.overcommitted()
    scene.write_secret(SECRET, NEW_TOKEN)
    scene.wait_settled(worker)
    assert ([], 0) == (scene.faults(), scene.duplicates())
    assert worker.wait_ready().running


@pytest.mark.parametrize(("kind", "words"), [("status", {"status": 503}), ("close", {"stored": False})])
def test_an_outage_only_takes_time(scene: Scene, kind: str, words: dict[str, object]) -> None:
    """While the platform answers nothing useful, nothing is committed that it has not; then everything arrives."""
    worker = scene.start().wait_ready()
    scene.sandbox.add_fault(kind, **words)
    scene.publish(1000)
    worker.wait_until(lambda: scene.sandbox.requests() >= 6, 10, "has tried six times")

    assert ([], []) == (scene.overcommitted(), scene.till.dead_letters())
    scene.sandbox.clear_faults()
    scene.wait_settled(worker)
    assert ([], 0) == (scene.faults(), scene.duplicates())


def test_a_platform_that_is_gone_comes_back(scene: Scene) -> None:
    """A platform that closes its port in mid-traffic and opens it seconds later gets everything."""
    scene.limit(requests_per_second=30)
    worker = scene.start().wait_ready()
    scene.publish(1500)
    scene.wait_kept(worker, 300)
    scene.sandbox.stop()
    time.sleep(2)

    assert [] == scene.overcommitted()
    assert scene.till.committed() != scene.till.ends()
    scene.sandbox.start()
    scene.wait_settled(worker)
    assert [] == scene.faults()


def test_a_stored_event_without_an_answer_is_sent_again_unchanged(scene: Scene) -> None:
    """When the platform keeps a batch and its answer is lost, the copy has the same id and the same bytes."""
    worker = scene.start().wait_ready()
    scene.sandbox.add_fault("reset", stored=True, count=3)
    scene.publish(500)
    scene.wait_settled(worker)

    assert [] == scene.faults()
    assert 150 == scene.duplicates()


def test_a_throttle_is_waited_out(scene: Scene) -> None:
    """Throttled, the lane is silent for as long as it was told, and then delivers everything, once."""
    scene.limit(concurrency=1)
    worker = scene.start().wait_ready()
    scene.sandbox.add_fault("status", status=429, retry_after=3, count=2)
    began = time.time()
    scene.publish(1000)
    scene.wait_settled(worker)

    assert ([], 0) == (scene.faults(), scene.duplicates())
    assert 3 <= min(one.received_at for one in scene.sandbox.kept()) - began
    assert worker.total("capi_lane_waits_total", "throttled") >= 1


def test_usage_headers_halve_the_rate(scene: Scene) -> None:
    """When the platform reports 80 % of the quota as used, requests go out at half of the configured rate."""
    scene.limit(requests_per_second=10)
    scene.sandbox.report_usage(call_count=80)
    worker = scene.start().wait_ready()
    scene.publish(1000)
    scene.wait_settled(worker)
    times = sorted({one.received_at for one in scene.sandbox.kept()})

    assert ([], 0) == (scene.faults(), scene.duplicates())
    # 20 batches; the first few go before the first answer is read.
    assert 15 * 0.2 <= times[-1] - times[0]
