"""How much of everything: counters for people, tests and the page.

Invariant: every request is counted once, under the one label of the answer it got.
"""

from __future__ import annotations

from collections import Counter, deque

SIZES = (0, 1, 10, 50, 100, 200, 500, 1000)
SECONDS_KEPT = 300


def size_bucket(events: int) -> str:
    """Name the histogram bucket of a request with this many events: `0`, `1`, `2-10`, ... `>1000`."""
    below = -1
    for size in SIZES:
        if events <= size:
            return str(size) if size - below == 1 else f"{below + 1}-{size}"
        below = size
    return f">{SIZES[-1]}"


class Stats:
    """Counters since the start or the last reset, and requests per second over the last five minutes."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Start again from zero."""
        self.requests = 0
        self.accepted = 0
        self.duplicates = 0
        self.test_events = 0
        self.sizes: Counter[str] = Counter()
        self._answers: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.notices: Counter[str] = Counter()
        self.sender_faults: Counter[str] = Counter()
        self._seconds: deque[tuple[int, int]] = deque(maxlen=SECONDS_KEPT)

    def arrived(self, now: float) -> None:
        """Count a request in the second it arrived."""
        self.requests += 1
        second = int(now)
        if self._seconds and self._seconds[-1][0] == second:
            self._seconds[-1] = (second, self._seconds[-1][1] + 1)
        else:
            self._seconds.append((second, 1))

    def received(self, events: int) -> None:
        """Count the number of events that a request held."""
        self.sizes[size_bucket(events)] += 1

    def answered(self, label: str) -> None:
        """Count an answer: `ok`, an error code such as `100/2804003`, or the fault that took its place."""
        self._answers[label] += 1

    @property
    def refused(self) -> dict[str, int]:
        """How many requests were not answered with success, by label."""
        return {label: count for label, count in self._answers.items() if label != "ok"}

    def snapshot(self) -> dict[str, object]:
        """Return all figures as plain JSON values."""
        return {
            "requests": self.requests,
            "accepted": self.accepted,
            "duplicates": self.duplicates,
            "test_events": self.test_events,
            "refused": self.refused,
            "faults": dict(self.faults),
            "notices": dict(self.notices),
            "sender_faults": dict(self.sender_faults),
            "events_per_request": dict(self.sizes),
            "requests_per_second": [list(second) for second in self._seconds],
        }
