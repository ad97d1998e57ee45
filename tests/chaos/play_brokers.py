"""Brokers that die, lose their quorum, move and come back, and a dead-letter topic that takes nothing."""

from __future__ import annotations

import time

from arena import Arena
from catalogue import scenario

SMALL_BYTES = 200
LARGE_BYTES = 1_048_588
NO_QUORUM_SECONDS = 15
ALL_DOWN_SECONDS = 20


@scenario(10, "commit_at_poll")
def coordinator_moves(arena: Arena) -> None:
    """The group's coordinator moves again and again, in order and by crashes: commits go on, and pass nothing."""
    arena.limit(concurrency=1, events_per_request=30)
    arena.publish(1500)
    worker = arena.start().wait_ready()
    for number in range(3):
        arena.wait_delivered(worker, 100)
        coordinator = arena.cluster.coordinator(arena.group)
        arena.cluster.stop(coordinator) if number == 0 else arena.cluster.kill(coordinator)
        assert arena.cluster.coordinator(arena.group) != coordinator
        arena.publish(300)
        arena.cluster.start(coordinator)
        arena.cluster.heal()
        arena.cluster.elect_preferred("__consumer_offsets", 0)
        arena.healed()
    arena.publish(300)
    arena.kill(worker)
    arena.limit()
    arena.settle(arena.start())


@scenario(11, "commit_at_poll")
def broker_and_worker_die_together(arena: Arena) -> None:
    """A machine that takes a broker and a worker with it: another worker goes on with the brokers that are left."""
    arena.publish(2000)
    worker = arena.start(**arena.static())
    arena.wait_delivered(worker, 300)
    arena.cluster.kill(arena.cluster.leader(arena.topics["order"], 0))
    arena.kill(worker)
    arena.healed()
    arena.settle(arena.start(**arena.static()), 60)


@scenario(11, "commit_at_poll")
def no_quorum(arena: Arena) -> None:
    """Two of three brokers are away: what was taken is delivered, and no commit is believed that was not taken."""
    arena.limit(concurrency=1)
    arena.publish(2500)
    worker = arena.start().wait_ready()
    arena.wait_delivered(worker, 50)
    down = [node for node in arena.cluster.node_ids if node != arena.cluster.coordinator(arena.group)]
    for node in down:
        arena.cluster.kill(node)
    before = worker.total("capi_events_accepted_total")
    time.sleep(NO_QUORUM_SECONDS)

    assert worker.total("capi_events_accepted_total") > before
    assert worker.told("commit_failed") or worker.told("lost")
    for node in down:
        arena.cluster.launch(node)
    arena.cluster.heal()
    arena.healed()
    arena.settle(worker, 60)


@scenario(11, "commit_at_poll")
def all_brokers_down(arena: Arena) -> None:
    """All brokers are away for longer than a session: the worker gives its partitions up, and goes on with them."""
    # The platform refuses some while the brokers are away: their dead letters have nowhere to go.
    arena.publish_refused(30, among=1500)
    worker = arena.start().wait_ready()
    worker.wait_until(lambda: worker.total("capi_in_flight_records") > 1000, 10, "has most of it in its hands")
    for node in arena.cluster.node_ids:
        arena.cluster.kill(node)
    time.sleep(ALL_DOWN_SECONDS)

    assert worker.running
    for node in arena.cluster.node_ids:
        arena.cluster.launch(node)
    arena.cluster.heal()
    arena.healed()
    arena.settle(worker, 90)


@scenario(12, "failed_dead_letter_swallowed", "dead_letter_not_awaited", short=("failed_dead_letter_swallowed",))
def dead_letters_refused(arena: Arena) -> None:
    """A dead-letter topic that refuses the letters' size: the worker holds and says why, and goes on when it can."""
    arena.set_topic(arena.dead_letters, "max.message.bytes", str(SMALL_BYTES))
    arena.publish_mixed(400, broken=40)
    worker = arena.start()
    worker.wait_for("dead_letters_down")
    worker.wait_until(lambda: worker.total("capi_dead_letters_pending") >= 1, 10, "shows the letters as pending")
    worker.wait_until(lambda: worker.total("capi_intake_paused", "dead_letters_down") == 1, 10, "says why it holds")

    assert [] == arena.till.dead_letters()
    arena.set_topic(arena.dead_letters, "max.message.bytes", str(LARGE_BYTES))
    arena.healed()
    arena.settle(worker)
    assert worker.wait_ready().running
