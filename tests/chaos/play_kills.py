"""Workers that end at the worst moment: killed, or asked to stop when there is no time for it."""

from __future__ import annotations

import signal
import time

from arena import Arena
from catalogue import scenario

NEVER = {"CAPI_INTAKE_COMMIT_INTERVAL_SECONDS": "60"}
# A little more than the exit deadline of 5 s.
EXIT_SECONDS = 9.0


@scenario(1, "bytes_by_the_clock", lanes=("pinterest",))
def killed_after_acceptance(arena: Arena) -> None:
    """Killed between the platform's answer and the commit: copies have the same id, time and bytes."""
    arena.publish(1500)
    for _ in range(3):
        worker = arena.start(**arena.static(), **NEVER)
        arena.wait_delivered(worker, 200)
        arena.kill(worker)

    assert {0} == set(arena.till.committed().values())
    arena.settle(arena.start(**arena.static()))
    assert arena.duplicates() >= 400


@scenario(2, "dead_letter_not_awaited", "dead_letter_on_one_replica", short=(), lanes=())
def killed_after_burial(arena: Arena) -> None:
    """Killed with dead letters on their way, and with buried ones before the commit: each is there in the end."""
    arena.publish_mixed(300, broken=100)
    worker = arena.start(**arena.static(), **NEVER)
    worker.wait_until(lambda: len(arena.till.dead_letters()) >= 50, 20, "buried fifty")
    arena.kill(worker)

    arena.set_topic(arena.dead_letters, "min.insync.replicas", "3")
    node = next(node for node in arena.cluster.node_ids if node != arena.cluster.coordinator(arena.group))
    arena.cluster.kill(node)
    time.sleep(3)
    arena.publish_mixed(300, broken=100)
    worker = arena.start(**arena.static())
    arena.wait_delivered(worker, 100)
    time.sleep(1.5)
    pending = worker.total("capi_dead_letters_pending")
    arena.kill(worker)
    arena.cluster.heal()
    arena.healed()
    arena.settle(arena.start(**arena.static()))
    # What one or two of three replicas had was not buried.
    assert pending > 0


@scenario(
    3, "commit_at_poll", "commit_highest", "commit_before_acceptance", short=("commit_at_poll",), lanes=("snapchat",)
)
def killed_in_full_flight(arena: Arena) -> None:
    """Killed with many requests out to a platform that is slower than the commits: no commit has passed them."""
    arena.slow_down(seconds=0.4, jitter=0.6)
    arena.limit(events_per_request=20, concurrency=8)
    arena.publish(2400)
    for _ in range(3):
        worker = arena.start(**arena.static())
        arena.wait_delivered(worker, 100)
        # By chance, within or between two commits.
        time.sleep(arena.chance.uniform(0.1, 0.5))
        arena.kill(worker)
        arena.healed()
    arena.limit(concurrency=8)
    arena.settle(arena.start(**arena.static()))


@scenario(4, "leaves_without_draining", short=(), lanes=())
def sigterm_with_time(arena: Arena) -> None:
    """Asked to stop with time enough, a worker delivers and commits all that it has, and nothing is sent twice."""
    arena.publish(600)
    worker = arena.start()
    arena.wait_delivered(worker, 50)

    assert 0 == worker.terminate()
    assert [True] == [line["open_records"] > 0 for line in worker.told("draining")]
    assert [0] == [line["open_records"] for line in worker.told("stopped")]
    arena.settle(arena.start())
    assert 0 == arena.duplicates()


@scenario(5, "commit_everything_when_leaving", lanes=())
def sigterm_without_time(arena: Arena) -> None:
    """Asked to stop when the platform needs longer than there is, it leaves in time, with what is settled."""
    arena.slow_down(seconds=3)
    arena.limit(timeout_seconds=10)
    arena.publish(1500)
    worker = arena.start(CAPI_STOP_DRAIN_DEADLINE_SECONDS="1", CAPI_STOP_REVOKE_DEADLINE_SECONDS="1")
    arena.wait_delivered(worker, 50)
    began = time.monotonic()

    assert 0 == worker.terminate()
    assert time.monotonic() - began < EXIT_SECONDS
    arena.speed_up()
    arena.settle(arena.start())


@scenario(5, "stays_for_ever", lanes=())
def sigterm_without_brokers(arena: Arena) -> None:
    """Asked to stop while no broker answers, the process still ends before its exit deadline, and nothing is lost."""
    arena.publish(1500)
    worker = arena.start(CAPI_STOP_EXIT_DEADLINE_SECONDS="5", CAPI_STOP_DRAIN_DEADLINE_SECONDS="2")
    arena.wait_delivered(worker, 200)
    for node in arena.cluster.node_ids:
        arena.cluster.freeze(node)
    began = time.monotonic()
    worker.signal(signal.SIGTERM)
    try:
        worker.exit_code(EXIT_SECONDS)
    finally:
        for node in arena.cluster.node_ids:
            arena.cluster.thaw(node)

    assert time.monotonic() - began < EXIT_SECONDS
    arena.cluster.heal()
    arena.healed()
    arena.settle(arena.start())
