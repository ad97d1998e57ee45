"""How the worker is, for probes: a value that the flow writes and the probes read.

Ready means: this replica does its share, so a roll-out may go on to the next one.
It is ready when it has joined its group (with partitions or, as a spare, without), does not drain, is not held by
something that a new version may have broken (registry, dead letters, receipts, budget), and not all of its lanes are
halted.
A single halted lane and back-pressure are listed and leave it ready: the other destinations are served, and taking the
replica out of service would help nobody.

Alive means: the owner thread comes round.
It never looks at platforms or brokers: a restart would not mend them, and would make every replica send again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.core.reason import Reason
from pipeline.core.signals import LaneState

_UNREADY_HOLDS = frozenset({Reason.REGISTRY_DOWN, Reason.DEAD_LETTERS_DOWN, Reason.RECEIPTS_DOWN, Reason.BUDGET_SPENT})


@dataclass(frozen=True, slots=True)
class LaneStatus:
    """One lane: its state, and the reason when it does not run."""

    state: LaneState = "running"
    reason: Reason | None = None


@dataclass(slots=True)
class Status:
    """Written by the flow, one field at a time; every write replaces a whole value, so reading needs no lock.

    `beat_at` is when the owner thread last came round, in seconds of a monotonic clock; None before it first did.
    """

    worker: str
    version: str
    joined: bool = False
    draining: bool = False
    partitions: int = 0
    beat_at: float | None = None
    holds: frozenset[Reason] = frozenset()
    lanes: Mapping[str, LaneStatus] = field(default_factory=dict)


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
    reasons += sorted(status.holds & _UNREADY_HOLDS)
    if status.lanes and all(lane.state == "halted" for lane in status.lanes.values()):
        reasons.append("all_lanes_halted")
    return tuple(reasons)
