"""However a worker ends in mid-traffic, the next one finishes, and nothing is lost."""

from __future__ import annotations

import signal
import time

from worker_scene import Scene

# Static membership: who comes back under this name need not wait for the session of the killed one to end.
STATIC = {"CAPI_KAFKA_GROUP_INSTANCE_ID": "journey-0"}


def test_sigterm_ends_it_in_order(scene: Scene) -> None:
    """Asked to stop in mid-traffic it exits 0 within its deadline; a second worker goes on where it stopped."""
    scene.limit(requests_per_second=20)
    first = scene.start("first", CAPI_STOP_DRAIN_DEADLINE_SECONDS="1").wait_ready()
    scene.publish(3000)
    scene.wait_kept(first, 300)
    began = time.monotonic()

    assert 0 == first.terminate()
    assert time.monotonic() - began < 5
    assert [] == scene.overcommitted()
    assert scene.till.committed() != scene.till.ends()
    scene.limit()
    scene.wait_settled(scene.start("second"))
    assert [] == scene.faults()


def test_sigterm_drains_what_fits(scene: Scene) -> None:
    """With time enough, all that it has taken is delivered and committed before it exits."""
    scene.sandbox.add_fault("latency", seconds=0.3)
    worker = scene.start().wait_ready()
    scene.publish(500)
    scene.wait_kept(worker, 50)

    assert 0 == worker.terminate()
    assert ([], 0) == (scene.faults(), scene.duplicates())
    assert [0] == [line["open_records"] for line in worker.told("stopped")]


def test_a_second_sigterm_ends_it_at_once(scene: Scene) -> None:
    """A second SIGTERM does not wait for the drain; what was not committed comes again."""
    scene.settings |= STATIC
    scene.sandbox.add_fault("latency", seconds=1.5)
    first = scene.start("first").wait_ready()
    scene.publish(1000)
    first.wait_until(lambda: scene.sandbox.requests() >= 4, 10, "has requests out")
    first.signal(signal.SIGTERM)
    first.wait_until(lambda: bool(first.told("draining")), 5, "drains")
    began = time.monotonic()

    assert 1 == first.terminate()
    assert time.monotonic() - began < 1
    scene.sandbox.clear_faults()
    scene.wait_settled(scene.start("second"))
    assert [] == scene.faults()


def test_sigkill_loses_nothing(scene: Scene) -> None:
    """Killed again and again over a slow platform, every event arrives; copies have the same id and the same bytes."""
    scene.settings |= STATIC
    scene.sandbox.add_fault("latency", seconds=0.3)
    # Records settle out of order, and offsets are committed as often as can be: the worst moment to be killed.
    scene.limit(events_per_request=20, concurrency=8)
    scene.publish(2400)
    for number, least in enumerate((200, 600, 1000)):
        worker = scene.start(f"worker-{number}")
        scene.wait_kept(worker, least)
        worker.kill()

        assert [] == scene.overcommitted()
    scene.wait_settled(scene.start("survivor"))
    assert [] == scene.faults()
    assert scene.duplicates() > 0
