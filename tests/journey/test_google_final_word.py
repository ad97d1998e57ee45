"""Google accepts first and decides later: the real worker follows every receipt to its end, also over its own death."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition
from lanes import GOOGLE
from worker_process import WorkerProcess
from worker_scene import Scene

# The worker as it is, but for Google's hours and days, which pass in seconds.
HASTY = """
import sys
from pipeline.platforms import google_status
google_status.FIRST_POLL, google_status.LONGEST_WAIT, google_status.GIVE_UP = 1.0, 1.0, 60.0
google_status.AGAIN["TOO_RECENT_CLICK"] = 4.0
from pipeline.cli import main
main(prog_name="capi-pipeline")
"""
EARLY, BAD = "PROCESSING_ERROR_REASON_TOO_RECENT_CLICK", "PROCESSING_ERROR_REASON_INVALID_GCLID"
SECONDS = 40.0


@pytest.fixture
def scene(bootstrap_servers: str, tmp_path: Path) -> Iterator[Scene]:
    """Topics, Google and files of the test's own; its clocks are hasty."""
    with Scene(bootstrap_servers, tmp_path, lanes=(GOOGLE,)) as made:
        made.program = ("-c", HASTY)
        made.settings = {**made.settings, "CAPI_RECEIPTS_REQUESTS_PER_SECOND": "20"}
        yield made


def decide(scene: Scene, event_id: str, reason: str, count: int | None = None) -> None:
    """Let Google refuse an event after it accepted it, so many times."""
    body = json.dumps({"event_id": event_id, "reason": reason, "count": count}).encode()
    request = urllib.request.Request(f"{scene.platform_url}/_sandbox/google/outcomes", body, method="POST")
    with urllib.request.urlopen(request, timeout=10):
        pass


def is_closed(scene: Scene) -> bool:
    """Whether the follower has committed the end of the receipts."""
    topic = scene.follow_ups[0]
    asker = Consumer({"bootstrap.servers": scene.servers, "group.id": f"{scene.group}.receipts"})
    place = TopicPartition(topic, 0)
    _, end = asker.get_watermark_offsets(place, timeout=10)
    committed = asker.committed([place], timeout=10)[0].offset
    asker.close()
    return 0 < end == committed


def test_each_event_has_its_end(scene: Scene) -> None:
    """Too early is sent again, refused is buried byte for byte, the rest is left alone, and no receipt stays open."""
    orders = scene.samples(30)
    early, bad = orders[3], orders[7]
    decide(scene, early.expected.event_id or "", EARLY, 1)
    decide(scene, bad.expected.event_id or "", BAD)
    worker = scene.start().wait_ready()
    scene.publish_all(orders)
    scene.wait_settled(worker)
    worker.wait_until(lambda: bool(scene.till.dead_letters()), SECONDS, "buried a letter")
    scene.wait_kept(worker, 29)
    worker.wait_until(lambda: is_closed(scene), SECONDS, "closed every receipt")
    (letter,) = scene.till.dead_letters()

    assert (bad.key, bad.value) == (letter.key, letter.value)
    assert {order.expected.event_id for order in orders} - {bad.expected.event_id} == {
        one.event_id for one in scene.kept()
    }
    assert 0 == scene.duplicates()
    assert (1, 1) == tuple(worker.total("capi_followed_events_total", fate) for fate in ("again", "bury"))


def killed_when(worker: WorkerProcess, scene: Scene, fate: str) -> None:
    """Kill the worker when it has decided on an event."""
    worker.wait_until(lambda: worker.total("capi_followed_events_total", fate) > 0, SECONDS, f"decided {fate}")
    worker.kill()
    assert not is_closed(scene)


def test_a_killed_worker_forgets_nothing(scene: Scene) -> None:
    """Killed between the decision and the second sending, it is the next worker that sends the event again."""
    orders = scene.samples(20)
    early = orders[5].expected.event_id
    decide(scene, early or "", EARLY, 1)
    worker = scene.start().wait_ready()
    scene.publish_all(orders)
    scene.wait_settled(worker)
    killed_when(worker, scene, "again")
    kept = {one.event_id for one in scene.kept()}
    following = scene.start("following").wait_ready()
    following.wait_until(lambda: early in {one.event_id for one in scene.kept()}, SECONDS, "sent the early event")
    following.wait_until(lambda: is_closed(scene), SECONDS, "closed every receipt")

    assert early not in kept
    assert ([], 20) == (scene.till.dead_letters(), len({one.event_id for one in scene.kept()}))
    assert 0 == following.terminate()
