"""What the worker cannot bury it does not pass: it holds, says why, and goes on when somebody has mended it."""

from __future__ import annotations

from worker_process import command
from worker_scene import Scene

from pipeline.core.reason import Reason


def test_a_missing_dead_letter_topic_holds(scene: Scene) -> None:
    """Without its dead-letter topic the worker holds at the first refusal, and goes on once `topics apply` made it."""
    scene.delete_topic(scene.dead_letters)
    scene.settings["CAPI_KAFKA_PROPERTIES"] = "producer.topic.metadata.propagation.max.ms=1000"
    worker = scene.start().wait_ready()
    scene.publish(200)
    doomed = scene.publish_broken(1)[0].position
    scene.publish(200)
    worker.wait_for(Reason.DEAD_LETTERS_DOWN)

    assert [] == scene.overcommitted()
    assert scene.till.committed()[doomed[:2]] <= doomed[2]
    assert 0 == command(scene.settings, "topics", "apply")[0]
    scene.wait_settled(worker)
    assert ([], 0) == (scene.faults(), scene.duplicates())
    assert worker.wait_ready().running


def test_a_spent_budget_holds_until_somebody_looked(scene: Scene) -> None:
    """When too much is refused, offsets stay and a person is called; a restart with a larger ratio loses nothing."""
    scene.settings["CAPI_DEAD_LETTERS_BUDGET_MINIMUM_RECORDS"] = "50"
    first = scene.start("first").wait_ready()
    scene.publish(100)
    scene.publish_broken(80)
    scene.publish(100)
    first.wait_for(Reason.BUDGET_SPENT)
    buried = len(scene.till.dead_letters())

    assert 10 <= buried < 80
    assert [] == scene.overcommitted()
    assert scene.till.committed() != scene.till.ends()
    assert 0 == first.terminate()
    assert buried == len(scene.till.dead_letters())
    scene.wait_settled(scene.start("second", CAPI_DEAD_LETTERS_BUDGET_RATIO="1"))
    assert [] == scene.faults()
