"""Records that are broken, refused, expired or published again."""

from __future__ import annotations

import time
from dataclasses import replace
from math import log2

from arena import Arena, doomed
from catalogue import scenario
from registry_thread import RegistryThread

from pipeline.core.reason import Reason
from pipeline.core.wire import prefixed
from pipeline.demo.trade import Expected, Sample
from pipeline.edge.schema_files import schema_texts

BATCH = 1000
NOBODY_KNOWS = 77


@scenario(14, "skip_what_cannot_be_read", "registry_outage_blames_records", short=("skip_what_cannot_be_read",))
def poison(arena: Arena) -> None:
    """Broken bytes, a wrong magic byte, a schema that nobody knows, tombstones, and a registry that is away."""
    with RegistryThread() as registry:
        arena.settings["CAPI_REGISTRY_URL"] = registry.url
        ours = registry.add(f"{arena.topics['order']}-value", schema_texts()["order"].text)
        newer = registry.add(f"{arena.topics['order']}-value", _renamed(schema_texts()["order"].text))
        good = arena.samples(400)
        arena.publish_all([_poisoned(sample, index % 8, ours) for index, sample in enumerate(good)])
        worker = arena.start()
        arena.settle(worker)

        registry.away()
        arena.publish_all(
            [replace(sample, value=prefixed(newer, sample.value or b"")) for sample in arena.samples(100)]
        )
        worker.wait_for("registry_down")
        time.sleep(3)
        registry.back()
        arena.healed()
        arena.settle(worker)


def _poisoned(sample: Sample, kind: int, schema_id: int) -> Sample:
    """Return a sample spoilt in one of several ways; most stay good."""
    value = sample.value or b""
    match kind:
        case 0:
            return replace(
                sample, value=prefixed(schema_id, value[: len(value) // 2]), expected=doomed(Reason.UNDECODABLE)
            )
        case 1:
            return replace(sample, value=b"\x07" + value, expected=doomed(Reason.UNDECODABLE))
        case 2:
            return replace(sample, value=prefixed(NOBODY_KNOWS, value), expected=doomed(Reason.SCHEMA_UNKNOWN))
        case 3:
            return replace(sample, value=None, expected=Expected("skipped", Reason.TOMBSTONE))
        case _:
            return replace(sample, value=prefixed(schema_id, value))


def _renamed(schema: str) -> str:
    """Return a schema that is another one in a registry's eyes."""
    return schema.replace("{", '{"aliases":["Older"],', 1)


@scenario(15, "whole_batch_for_one", "never_hopeless", short=("whole_batch_for_one",))
def bad_events_in_a_thousand(arena: Arena) -> None:
    """One bad event in a thousand, ten, all: few requests, no good event lost, and all bad is not poured out."""
    arena.speed_up()
    arena.limit(events_per_request=BATCH, linger_seconds=3, concurrency=1)
    for bad in (1, 10):
        arena.publish_refused(bad, among=BATCH)
        before = arena.sandbox.requests()
        worker = arena.start()
        arena.settle(worker)
        assert 0 == worker.terminate()
        spent = arena.sandbox.requests() - before
        assert spent <= 2 * bad * log2(BATCH) + 2, f"{bad} bad events cost {spent} requests"

    arena.publish(BATCH)
    arena.sandbox.refuse("*")
    letters = len(arena.till.dead_letters())
    worker = arena.start()
    worker.wait_for("all_lanes_halted")
    time.sleep(2)
    assert letters == len(arena.till.dead_letters()), "refused as a whole, and poured into the dead letters"
    assert worker.total("capi_lane_halted", "all_rejected") == 1
    arena.sandbox.refuse_nothing()
    # Whoever mends an account often gets a new token with it; without one the lane would ask again in a minute.
    arena.revoke_secret()
    arena.rotate_secret()
    arena.healed()
    arena.settle(worker)


@scenario(20, "jump_over_lost_offsets")
def retention_passes_the_offset(arena: Arena) -> None:
    """When Kafka has dropped what was not delivered, the worker ends and says so; it jumps only when told to."""
    arena.publish(300)
    first = arena.start()
    arena.settle(first)
    assert 0 == first.terminate()
    gone = arena.publish(300)
    arena.expire(arena.till.ends())
    committed = arena.till.committed()
    second = arena.start()

    assert 1 == second.exit_code()
    assert second.told("offset_lost")
    assert committed == arena.till.committed()
    # Retention has lost them, out loud; a person decides to go on with what is there.
    arena.published = [one for one in arena.published if one not in gone]
    arena.publish(300)
    arena.settle(arena.start(CAPI_INTAKE_ON_LOST_OFFSETS="earliest"))


@scenario(20, "bytes_by_the_clock")
def published_again(arena: Arena) -> None:
    """Events published again by hand, half of them, killed, and all of them: the platform sees copies, nothing new."""
    samples = arena.samples(400)
    arena.publish_all(samples)
    first = arena.start(**arena.static())
    arena.settle(first)
    # A new process: the old one would know the copies again, and not send them.
    assert 0 == first.terminate()
    arena.publish_all(samples[:200])
    second = arena.start(**arena.static())
    arena.wait_delivered(second, 50)
    arena.kill(second)
    arena.publish_all(samples)
    arena.settle(arena.start(**arena.static()))
    assert arena.duplicates() >= 400
