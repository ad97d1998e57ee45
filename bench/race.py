"""One contender, one run over the backlog: what it cost, and how fast the sink saw the events come.

CPU is counted from the first record to the last commit, so that interpreters' starts and imports are left out.
The rate is the sink's: all events, from the first record at the contender to the last event at the sink.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from bench.gauge import Run, cpu_seconds, peak_bytes
from bench.lanes import FIVE, META
from bench.processes import Process
from bench.stage import BACKLOG, Stage, get, get_json
from bench.topic import committed

Name = Literal["bare_loop", "worker", "five", "sdk", "sdk_batched"]
NAMES: Final[tuple[Name, ...]] = ("bare_loop", "worker", "five", "sdk", "sdk_batched")
MODULES: Final = {"bare_loop": "bench.bare_loop", "sdk": "bench.sdk_loop", "sdk_batched": "bench.sdk_loop"}
# The worker, for Meta alone and for all platforms.
PLATFORMS: Final[Mapping[Name, Sequence[str]]] = {"worker": META, "five": FIVE}
# As its examples show it, the SDK sends one event a request; so slow that a tenth of the events must do.
BATCHES: Final = {"bare_loop": 1000, "sdk": 1, "sdk_batched": 1000}
SDK_SHARE: Final = 10

RUN_SECONDS: Final = 120.0
# How often the worker is asked whether it has begun; after that it is left alone.
_ASK_SECONDS: Final = 0.01
_LINGER_SECONDS: Final = 1.0
_CONSUMED: Final = re.compile(r"^capi_records_consumed_total\{[^}]*\} (\S+)$", re.MULTILINE).findall


@dataclass(frozen=True, slots=True)
class Result:
    """One run: CPU microseconds an event, events a second, peak resident memory, bytes and requests at the sink."""

    cpu_us: float
    per_second: float
    peak_mb: float
    bytes_per_event: float
    requests: int


def race(stage: Stage, sink: str, name: Name, group: str, events: int) -> Result:
    """Let one contender read the whole backlog. Raises ProcessError when it fails or the sink misses events."""
    get(f"{sink}/arrivals", method="DELETE")
    platforms = PLATFORMS.get(name, META)
    if name in PLATFORMS:
        run = _worker(stage, sink, group, events, platforms)
    else:
        events = events // SDK_SHARE if name == "sdk" else events
        run = _loop(stage, sink, name, group, events)
    seen = get_json(f"{sink}/arrivals")
    due = events * len(platforms)
    if seen["events"] != due:
        raise RuntimeError(f"{name} sent {seen['events']} events of {due}: the figures would not be comparable")
    return Result(
        cpu_us=run.cpu_seconds / events * 1e6,
        per_second=events / (seen["last_at"] - run.began_at),
        peak_mb=run.peak_bytes / 1e6,
        bytes_per_event=seen["bytes"] / events,
        requests=seen["requests"],
    )


def _loop(stage: Stage, sink: str, name: Name, group: str, events: int) -> Run:
    arguments = ["-m", MODULES[name], "--servers", stage.servers, "--topic", BACKLOG, "--group", group]
    size = ["--events", str(events), "--batch", str(BATCHES[name])]
    with stage.process(name, [*arguments, "--sink", sink, *size]) as process:
        return Run(**json.loads(process.wait(RUN_SECONDS).splitlines()[-1]))


def _worker(stage: Stage, sink: str, group: str, events: int, platforms: Sequence[str]) -> Run:
    done = committed(stage.servers, BACKLOG, group)
    running = stage.worker(topic=BACKLOG, group=group, url=sink, linger=_LINGER_SECONDS, platforms=platforms)
    with running as (worker, address):
        began_cpu, began_at = _first_record(worker, address)
        worker.wait_until(lambda: _arrived(sink) >= events * len(platforms) and done() >= events, RUN_SECONDS)
        return Run(cpu_seconds(worker.pid) - began_cpu, began_at, peak_bytes(worker.pid))


def _first_record(worker: Process, address: str) -> tuple[float, float]:
    """Return CPU and time of the last moment at which the worker had taken nothing.

    A little of its start is counted with that, and the asking as well: what is not exact is not in its favor.
    """
    reading: list[tuple[float, float]] = [(0.0, 0.0)]

    def begun() -> bool:
        now = (cpu_seconds(worker.pid), time.time())
        if _consumed(address):
            return True
        reading[0] = now
        return False

    worker.wait_until(begun, RUN_SECONDS)
    return reading[0]


def _consumed(address: str) -> float:
    try:
        text = get(f"{address}/metrics").decode()
    except OSError:
        return 0.0
    return sum(
        float(value) for value in re.findall(r"^capi_records_consumed_total\{[^}]*\} (\S+)$", text, re.MULTILINE)
    )


def _arrived(sink: str) -> int:
    return int(get_json(f"{sink}/arrivals")["events"])
