"""What was received before: attempts per event, and which events are duplicates.

Invariant: an event is new exactly once per window; however often it is sent again, it counts as one.
"""

from __future__ import annotations

NEVER = float("-inf")


class Memory:
    """Remembers event keys, at most `limit` of them; the oldest are forgotten first.

    A forgotten event would count as new again, so `forgotten` says how often that may have happened.
    """

    __slots__ = ("_limit", "_seen", "forgotten")

    def __init__(self, limit: int | None = None) -> None:
        self._limit = limit
        self._seen: dict[str, tuple[float, int]] = {}
        self.forgotten = 0

    def __len__(self) -> int:
        return len(self._seen)

    def accept(self, key: str, window_s: float, now: float) -> tuple[int, bool]:
        """Note that an event was accepted; return its attempt number and whether it is a duplicate."""
        first, attempts = self._seen.get(key, (NEVER, 0))
        duplicate = now - first < window_s
        self._put(key, first if duplicate else now, attempts + 1)
        return attempts + 1, duplicate

    def attempt(self, key: str) -> None:
        """Note that an event arrived and was not accepted."""
        first, attempts = self._seen.get(key, (NEVER, 0))
        self._put(key, first, attempts + 1)

    def clear(self) -> None:
        """Forget everything."""
        self._seen.clear()
        self.forgotten = 0

    def _put(self, key: str, first: float, attempts: int) -> None:
        self._seen[key] = (first, attempts)
        if self._limit is not None and len(self._seen) > self._limit:
            del self._seen[next(iter(self._seen))]
            self.forgotten += 1
