"""How much of everything."""

from __future__ import annotations

import pytest

from pipeline.sandbox.stats import SECONDS_KEPT, Stats, size_bucket


@pytest.mark.parametrize(
    ("events", "bucket"),
    [
        (0, "0"),
        (1, "1"),
        (2, "2-10"),
        (10, "2-10"),
        (11, "11-50"),
        (500, "201-500"),
        (1000, "501-1000"),
        (1001, ">1000"),
    ],
)
def test_buckets(events: int, bucket: str) -> None:
    """A request falls into the bucket whose bounds hold its number of events."""
    assert bucket == size_bucket(events)


def test_seconds() -> None:
    """Requests are counted per second of arrival."""
    stats = Stats()
    for now in (10.1, 10.9, 12.0):
        stats.arrived(now)

    assert [[10, 2], [12, 1]] == stats.snapshot()["requests_per_second"]


def test_seconds_are_bounded() -> None:
    """Only the last five minutes of requests per second are kept."""
    stats = Stats()
    for now in range(1000):
        stats.arrived(now)
    seconds = stats.snapshot()["requests_per_second"]

    assert isinstance(seconds, list)
    assert (SECONDS_KEPT, [999, 1]) == (len(seconds), seconds[-1])


def test_answers() -> None:
    """Everything but success is listed with its label."""
    stats = Stats()
    for label in ("ok", "100/2804003", "100/2804003", "http 502"):
        stats.answered(label)

    assert {"100/2804003": 2, "http 502": 1} == stats.refused
