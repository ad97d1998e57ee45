"""Status: what ready and alive mean."""

from __future__ import annotations

import pytest

from pipeline.core.reason import Reason
from pipeline.core.status import LaneStatus, Status, is_alive, unready_reasons

HALTED = LaneStatus("halted", Reason.UNAUTHORIZED)


@pytest.mark.parametrize(
    ("status", "reasons"),
    [
        (Status("w", "1"), ("not_joined",)),
        (Status("w", "1", joined=True), ()),
        (Status("w", "1", joined=True, draining=True), ("draining",)),
        (Status("w", "1", joined=True, holds=frozenset({Reason.BACKPRESSURE})), ()),
        (Status("w", "1", joined=True, holds=frozenset({Reason.BUDGET_SPENT})), ("budget_spent",)),
        (Status("w", "1", joined=True, lanes={"a": HALTED, "b": LaneStatus("waiting")}), ()),
        (Status("w", "1", joined=True, lanes={"a": HALTED, "b": HALTED}), ("all_lanes_halted",)),
    ],
)
def test_ready(status: Status, reasons: tuple[str, ...]) -> None:
    """A spare without partitions is ready, and so is one with a single halted lane."""
    assert reasons == unready_reasons(status)


@pytest.mark.parametrize(("beat_at", "alive"), [(None, True), (90.0, False), (90.1, True), (200.0, True)])
def test_alive(beat_at: float | None, *, alive: bool) -> None:
    """The owner thread came round less than the bound ago, or has not begun."""
    assert alive == is_alive(Status("w", "1", beat_at=beat_at), now=100.0, stuck_after_seconds=10.0)
