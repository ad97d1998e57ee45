"""A backlog of any size, published quickly: orders that differ in their id only, made from a few hundred real ones."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from arena import Arena
from worker_scene import ENCODERS

from pipeline.demo.trade import Expected, Sample

PLACE: Final = b"evt-000000000"
TEMPLATES: Final = 300
CHUNK: Final = 20_000
# One core is the platform's and Kafka's: how much of it they take is their affair, so the two ends are compared only.
SLOWER_AT_MOST: Final = 0.6


def climb(arena: Arena, count: int) -> None:
    """Publish `count` records, let one worker deliver them, and hold its last tenth against its first."""
    samples = _samples(arena)
    left = count
    while left:
        chunk = min(CHUNK, left)
        arena.publish_all(list(islice(samples, chunk)))
        left -= chunk
    worker = arena.start()
    arena.settle(worker, 30 + count / 1000)
    arrivals = sorted(one.received_at for one in arena.sandbox.kept())
    tenth = len(arrivals) // 10
    first = tenth / (arrivals[tenth] - arrivals[0])
    last = tenth / (arrivals[-1] - arrivals[-1 - tenth])
    arena.figures["events/s, first tenth"] = round(first)
    arena.figures["events/s, last tenth"] = round(last)
    assert last >= SLOWER_AT_MOST * first, f"the last tenth went at {last:.0f} events/s, the first at {first:.0f}"


def _samples(arena: Arena) -> Iterator[Sample]:
    drafts = [arena.shop.order() for _ in range(TEMPLATES)]
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
