"""The page for a person."""

from __future__ import annotations

from pipeline.sandbox.page import render
from pipeline.sandbox.stats import Stats


def test_values_are_escaped() -> None:
    """What comes from a request cannot become markup."""
    stats = Stats()
    stats.answered("<script>")

    assert "<script>" not in render(stats.snapshot(), [])


def test_last_full_second() -> None:
    """The rate shown is that of the last second that is over."""
    stats = Stats()
    for now in (1.0, 1.0, 1.0, 2.0):
        stats.arrived(now)

    assert "<td>Requests in the last full second</td><td>3</td>" in render(stats.snapshot(), [])


def test_faults_in_force() -> None:
    """Faults in force are listed with their hits."""
    page = render(Stats().snapshot(), [{"kind": "close", "hits": 2}])

    assert "<td>1. close</td><td>2 hits</td>" in page
