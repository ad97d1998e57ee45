"""How the worker is, for probes: folded from its signals.

Ready means: this replica does its share, so a roll-out may go on to the next one.
It is ready when it has joined its group (with partitions or, as a spare, without), does not drain, is not held by
something that a new version may have broken (registry, dead letters, budget), and not all of its lanes are halted.
A single halted lane and back-pressure are listed and leave it ready: the other destinations are served, and taking the
replica out of service would help nobody.

Alive means: the owner thread comes round.
It never looks at platforms or brokers: a restart would not mend them, and would make every replica send again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.core.reason import Reason
from pipeline.core.signals import Assigned, Draining, Progress, Signal, Stopped

_UNREADY_HOLDS = frozenset({Reason.REGISTRY_DOWN, Reason.DEAD_LETTERS_DOWN, Reason.BUDGET_SPENT})
_UNHALTED = frozenset({"sending", "waiting"})


@dataclass(slots=True)
class Status:
    """Written by `heed` alone, one whole value at a time, so that reading needs no lock.

    `beat_at` is when the owner thread last came round, in seconds of a monotonic clock; None before it first did.
    `lanes` maps a destination to `sending`, `waiting`, or the reason of a halt.
    """

    worker: str
    version: str
    joined: bool = False
    draining: bool = False
    partitions: int = 0
    beat_at: float | None = None
    hold: Reason | None = None
    detail: str = ""
    lanes: Mapping[str, str] = field(default_factory=dict)


def heed(status: Status, signal: Signal, *, now: float) -> None:
    """Fold `signal` into `status`; `now` in seconds of a monotonic clock."""
    match signal:
        case Progress():
            status.beat_at = now
            status.hold = signal.hold
            status.detail = signal.detail
            status.partitions = signal.partitions
            status.lanes = signal.lanes
        case Assigned():
            # A spare replica hears of an empty assignment: it has joined as well.
            status.joined = True
        case Draining() | Stopped():
            status.draining = True
        case _:
            pass


def is_alive(status: Status, *, now: float, stuck_after_seconds: float) -> bool:
    """Tell whether the owner thread came round lately; before its first round the start-up probe is in charge."""
    return status.beat_at is None or now - status.beat_at < stuck_after_seconds


def unready_reasons(status: Status) -> tuple[str, ...]:
    """List why this replica is not ready; empty means ready."""
    reasons: list[str] = []
    if not status.joined:
        reasons.append("not_joined")
    if status.draining:
        reasons.append("draining")
    if status.hold in _UNREADY_HOLDS:
        reasons.append(str(status.hold))
    if status.lanes and not _UNHALTED.intersection(status.lanes.values()):
        reasons.append("all_lanes_halted")
    return tuple(reasons)
