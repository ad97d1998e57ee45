"""Workers that share the work: they join, leave, freeze and come back while traffic flows, and nothing is lost."""

from __future__ import annotations

import signal

import pytest
from worker_process import WorkerProcess
from worker_scene import DESTINATION, Scene

RATE = "capi_rate_limit_requests_per_second"


def owned(worker: WorkerProcess) -> int:
    """Return how many partitions a worker says it owns."""
    return int(worker.readyz().get("partitions", 0))


def rate(worker: WorkerProcess) -> float:
    """Return the requests per second that a worker allows itself."""
    return worker.metrics().get((RATE, DESTINATION), 0.0)


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_one_joins_and_leaves(scene: Scene, protocol: str) -> None:
    """A second worker joins and leaves in mid-traffic: nothing is lost, and both obey one rate."""
    scene.limit(requests_per_second=20, events_per_request=25)
    scene.settings["CAPI_KAFKA_GROUP_PROTOCOL"] = protocol
    first = scene.start("first").wait_ready()
    scene.publish(4000)
    scene.wait_kept(first, 300)
    second = scene.start("second")
    second.wait_until(lambda: owned(first) == owned(second) == 2, 15, "owns half of the partitions")
    scene.wait_kept(second, len(scene.sandbox.kept()) + 500)

    assert [10, 10] == [rate(first), rate(second)]
    assert 0 == second.terminate()
    first.wait_until(lambda: owned(first) == 4, 15, "owns everything again")
    assert [] == scene.overcommitted()
    scene.wait_settled(first)
    assert [] == scene.faults()
    # Each at the whole rate they would come to 40. A platform that stalls for a moment counts late, and more at once.
    assert max(count for _, count in scene.sandbox.stats()["requests_per_second"]) <= 26


def test_two_start_together(scene: Scene) -> None:
    """Two workers that start at the same time share a backlog, and together deliver all of it."""
    scene.publish(3000)
    workers = [scene.start(name) for name in ("first", "second")]
    scene.wait_settled(workers[0])

    assert [] == scene.faults()
    assert [0, 0] == [worker.terminate() for worker in workers]


def test_a_frozen_worker_cannot_take_back(scene: Scene) -> None:
    """A worker that is frozen past its session loses its partitions; thawed, it moves no offset and goes on."""
    scene.limit(requests_per_second=40, events_per_request=25)
    frozen, other = scene.start("frozen"), scene.start("other")
    frozen.wait_until(lambda: owned(frozen) == owned(other) == 2, 20, "owns half of the partitions")
    scene.publish(2000)
    scene.wait_kept(frozen, 200)
    frozen.signal(signal.SIGSTOP)
    other.wait_until(lambda: owned(other) == 4, 20, "took the partitions over")
    scene.wait_settled(other)
    before = scene.till.committed()
    frozen.signal(signal.SIGCONT)
    frozen.wait_until(lambda: owned(frozen) == 2, 20, "owns half of the partitions again")

    assert before == scene.till.committed()
    scene.publish(500)
    scene.wait_settled(frozen)
    assert [] == scene.faults()
    assert [0, 0] == [frozen.terminate(), other.terminate()]
