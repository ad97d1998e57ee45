"""From produce to acceptance: a steady stream through the worker into the sandbox, which checks every event.

Both moments are of this machine's clock: just before the record is handed to the producer, and when the sandbox has
entered the event into its journal, right before it answers.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from math import ceil
from typing import Final

import orjson

from bench.orders import Orders
from bench.stage import STREAM, Stage, get, get_json, status
from bench.topic import paced

LINGER_SECONDS: Final = 0.1
# The first connection to the platform and cold caches are not what the stream feels later.
WARM_UP_SECONDS: Final = 1.0
READY_SECONDS: Final = 30.0
DRAIN_SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds from produce to acceptance, over `events` events after the warm-up."""

    events: int
    p50_ms: float
    p99_ms: float
    most_ms: float


def measure(stage: Stage, *, per_second: int, seconds: float, seed: int) -> Latency:
    """Stream orders through the worker for so many seconds. Raises ProcessError when not all of them arrive."""
    orders = Orders(seed=seed, now=time.time())
    ids = [f"stream-{number:06d}" for number in range(int(per_second * seconds))]
    values = [orders.encoded(event_id) for event_id in ids]
    sandbox = stage.start_sandbox()
    with stage.worker(topic=STREAM, group="bench.stream", url=sandbox, linger=LINGER_SECONDS) as (worker, address):
        worker.wait_until(lambda: _ready(address), READY_SECONDS)
        times = paced(stage.servers, STREAM, values, per_second=per_second)
        stats = f"{sandbox}/_sandbox/stats"
        worker.wait_until(lambda: int(get_json(stats)["accepted"]) >= len(ids), DRAIN_SECONDS)
    lines = map(orjson.loads, get(f"{sandbox}/_sandbox/journal").splitlines())
    accepted = {str(line["event_id"]): float(line["received_at"]) for line in lines if not line["duplicate"]}
    return _latency(ids, times, accepted)


def _latency(ids: Sequence[str], times: Sequence[float], accepted: Mapping[str, float]) -> Latency:
    warm = times[0] + WARM_UP_SECONDS
    waits = sorted(accepted[name] - at for name, at in zip(ids, times, strict=True) if at >= warm)
    return Latency(len(waits), _rank(waits, 0.5) * 1000, _rank(waits, 0.99) * 1000, waits[-1] * 1000)


def _rank(ascending: Sequence[float], part: float) -> float:
    """Return the smallest value that at least this part of all does not exceed (nearest rank)."""
    return ascending[max(0, ceil(part * len(ascending)) - 1)]


def _ready(address: str) -> bool:
    try:
        return status(f"{address}/readyz") == HTTPStatus.OK
    except OSError:
        return False
