"""What Google tells of a request afterwards: `requestStatus:retrieve`.

Invariant: the number of requests remembered is bounded; the oldest are forgotten first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.sandbox.google_outcome import PREFIX, Late

LIMIT = 10_000
KEPT_S = 50 * 86_400
LOST = Late(f"{PREFIX}INTERNAL_ERROR")


@dataclass(slots=True)
class Batch:
    """One accepted request: when, where to, how many events per destination, and what failed.

    `failures` is keyed by the indices of event and destination; a destination is its account and conversion action.
    """

    at: float
    accounts: Sequence[str]
    destinations: Sequence[Mapping[str, object]]
    counts: Counter[int]
    failures: dict[tuple[int, int], Late] = field(default_factory=dict)


class Batches:
    """The accepted requests by id."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._known: dict[str, Batch] = {}

    def remember(self, name: str, batch: Batch) -> None:
        """Keep a request; forget the oldest when there are too many."""
        self._known[name] = batch
        if len(self._known) > self._limit:
            del self._known[next(iter(self._known))]

    def find(self, name: str) -> Batch | None:
        """Return a request, if it is known."""
        return self._known.get(name)


def status_of(batch: Batch, now: float, processing_s: float) -> dict[str, object]:
    """Return the status of a request per destination, in the order of the request."""
    done = now - batch.at >= processing_s
    return {
        "requestStatusPerDestination": [
            {"destination": destination, **_outcome(batch, number, done=done)}
            for number, destination in enumerate(batch.destinations)
        ]
    }


def _outcome(batch: Batch, number: int, *, done: bool) -> dict[str, object]:
    total = batch.counts[number]
    status: dict[str, object] = {"eventsIngestionStatus": {"recordCount": str(total)}}
    if not done:
        return {"requestStatus": "PROCESSING", **status}
    failures = {event: late for (event, destination), late in batch.failures.items() if destination == number}
    if not failures:
        return {"requestStatus": "SUCCESS", **status}
    word = "FAILED" if len(failures) == total else "PARTIAL_SUCCESS"
    return {"requestStatus": word, **status, "errorInfo": {"errorCounts": _counts(failures)}}


def _counts(failures: Mapping[int, Late]) -> list[dict[str, object]]:
    by_reason: dict[Late, list[int]] = {}
    for event, late in sorted(failures.items()):
        by_reason.setdefault(late, []).append(event)
    return [
        {
            "reason": late.reason,
            "recordCount": str(len(events)),
            **({"recordIndices": events} if late.indices else {}),
        }
        for late, events in by_reason.items()
    ]
