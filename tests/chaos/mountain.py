"""A backlog of any size, published quickly: orders that differ in their id only, made from a few hundred real ones."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice
from typing import Final

from arena import Arena
from worker_scene import ENCODERS

from pipeline.demo.trade import Expected, Sample

PLACE: Final = b"evt-000000000"
TEMPLATES: Final = 300
CHUNK: Final = 20_000
AWAY_SECONDS: Final = 12
# The default of CAPI_INTAKE_MAX_RECORDS.
MOST_RECORDS: Final = 20_000
# One core is the platform's and Kafka's: how much of it they take is their affair, so the two ends are compared only.
SLOWER_AT_MOST: Final = 0.5


def climb(arena: Arena, count: int) -> None:
    """Publish `count` records, let one worker deliver them, and hold its ninth tenth against its second."""
    samples = _samples(arena)
    left = count
    while left:
        chunk = min(CHUNK, left)
        arena.publish_all(list(islice(samples, chunk)))
        left -= chunk
    # At first the platform is away: whoever reads on regardless fills its memory now.
    arena.sandbox.add_fault("status", status=503)
    worker = arena.start().wait_ready()
    time.sleep(AWAY_SECONDS)
    held = worker.total("capi_in_flight_records")
    assert 0 < held <= MOST_RECORDS, f"{held:.0f} records in flight, {MOST_RECORDS} are allowed"
    arena.speed_up()
    arena.healed()
    arena.settle(worker, 30 + count / 1000)
    arrivals = sorted(one.received_at for one in arena.sandbox.kept())
    tenth = len(arrivals) // 10
    first = tenth / (arrivals[2 * tenth] - arrivals[tenth])
    last = tenth / (arrivals[9 * tenth - 1] - arrivals[8 * tenth])
    arena.figures["events/s in the second tenth"] = round(first)
    arena.figures["in the ninth"] = round(last)
    assert last >= SLOWER_AT_MOST * first, f"the ninth tenth went at {last:.0f} events/s, the second at {first:.0f}"


def _samples(arena: Arena) -> Iterator[Sample]:
    drafts = [arena.draft() for _ in range(TEMPLATES)]
    for draft in drafts:
        draft.event["event_id"] = PLACE.decode()
    values = [(ENCODERS["order"].encode(draft.event), draft.event_time) for draft in drafts]
    number = 0
    while True:
        value, at = values[number % TEMPLATES]
        own = f"evt-{number:09}"
        number += 1
        expected = Expected("accepted", None, own, "Purchase", at)
        yield Sample("order", own.encode(), value.replace(PLACE, own.encode()), (), "one of many", expected)
