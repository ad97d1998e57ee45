"""Where a worker begins: at the first start, after a crash, and when Kafka no longer has what it was about to read."""

from __future__ import annotations

from worker_scene import Scene

from pipeline.demo.balance import Published


def expired(scene: Scene) -> list[Published]:
    """Deliver some, then let records expire that nobody has read; return what the topic still has."""
    before = scene.start("before")
    scene.publish(100)
    scene.wait_settled(before)
    assert 0 == before.terminate()
    scene.published = []
    scene.publish(200)
    first = {place: end - 20 for place, end in scene.till.ends().items()}
    scene.expire(first)
    return [one for one in scene.published if one.position[2] >= first[one.position[:2]]]


def test_expired_offsets_end_it(scene: Scene) -> None:
    """When records expired before they were read the worker ends with code 1, says where and what to do, and stays."""
    expired(scene)
    committed = scene.till.committed()
    worker = scene.start()

    assert 1 == worker.exit_code()
    cause = worker.told("crashed")[0]["cause"]
    assert scene.topics["order"] in cause
    assert "CAPI_INTAKE_ON_LOST_OFFSETS=earliest" in cause
    assert committed == scene.till.committed()


def test_expired_offsets_are_passed_when_told(scene: Scene) -> None:
    """Told to go on from the earliest record, it delivers everything that the topic still has."""
    remaining = expired(scene)
    delivered = {one.event_id for one in scene.sandbox.kept()}
    worker = scene.start(CAPI_INTAKE_ON_LOST_OFFSETS="earliest")
    scene.wait_settled(worker)

    wanted = {one.sample.expected.event_id for one in remaining}
    assert wanted == {one.event_id for one in scene.sandbox.kept()} - delivered
    assert 4 == worker.total("capi_lost_offsets_total")


def test_earliest_takes_what_was_there(scene: Scene) -> None:
    """A group's first start takes what the topic already holds."""
    scene.publish(200)
    scene.wait_settled(scene.start())

    assert ([], 0) == (scene.faults(), scene.duplicates())


def test_latest_takes_only_what_comes_after(scene: Scene) -> None:
    """With `latest` the first start leaves what was there, and a kill before the first record skips nothing."""
    scene.publish(100)
    scene.published = []
    # Static membership: the second need not wait for the session of the first to end.
    scene.settings |= {"CAPI_INTAKE_START_FROM": "latest", "CAPI_KAFKA_GROUP_INSTANCE_ID": "journey-0"}
    first = scene.start("first").wait_ready()
    first.kill()
    scene.publish(100)
    second = scene.start("second")
    scene.wait_settled(second)

    assert ([], 0) == (scene.faults(), scene.duplicates())


def test_latest_with_two_workers(scene: Scene) -> None:
    """Two workers that start together with `latest` agree on where the topic ended, whoever owns what."""
    scene.publish(100)
    scene.published = []
    first, second = (scene.start(name, CAPI_INTAKE_START_FROM="latest") for name in ("first", "second"))
    first.wait_until(lambda: first.readyz().get("partitions") == second.readyz().get("partitions") == 2, 20, "shares")

    assert scene.till.ends() == scene.till.committed()
    scene.publish(100)
    scene.wait_settled(first)
    assert ([], 0) == (scene.faults(), scene.duplicates())
