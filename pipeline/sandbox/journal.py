"""What was accepted: one line of JSON per event, in memory and, if asked, in a file.

Invariant: the file holds an event before the sender can learn that it was accepted.
Invariant: a line never holds customer data; payloads are kept apart, in memory only, and only when asked for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import orjson

from pipeline.sandbox.contract import Verdict
from pipeline.sandbox.memory import Memory


@dataclass(frozen=True, slots=True)
class Entry:
    """One accepted event as the journal tells it. `attempt` counts arrivals of this event, whatever their answer."""

    number: int
    platform: str
    dataset: str
    event_id: str | None
    event_name: str
    event_time: int
    sha256: str
    attempt: int
    received_at: float
    request: int
    duplicate: bool
    test_event_code: str | None = None


class Pages:
    """Lines of JSON, one page per request, so that many small lines do not scatter memory.

    Invariant: at most `limit` lines and those of the newest request are held; older pages go first, whole.
    """

    __slots__ = ("_count", "_limit", "_pages", "dropped")

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._pages: deque[tuple[int, bytes]] = deque()
        self._count = 0
        self.dropped = 0

    def add(self, lines: int, page: bytes) -> None:
        """Add a request's lines; forget what is over the limit."""
        self._pages.append((lines, page))
        self._count += lines
        while self._limit is not None and self._count > self._limit and len(self._pages) > 1:
            oldest, _ = self._pages.popleft()
            self._count -= oldest
            self.dropped += oldest

    def text(self) -> bytes:
        """Return all lines held."""
        return b"".join(page for _, page in self._pages)

    def clear(self) -> None:
        """Forget all lines."""
        self._pages.clear()
        self._count = self.dropped = 0


class Journal:
    """The accepted events, oldest first; `limit` bounds the lines in memory (None: all), never those of the file.

    Duplicates are listed and flagged. Events sent with a test event code are listed apart, in `test_entries`.
    """

    def __init__(self, *, limit: int | None = None, path: Path | None = None, keep_payloads: bool = False) -> None:
        self._live = Pages(limit)
        self._test = Pages(limit)
        self._payloads = Pages(limit)
        self._keep_payloads = keep_payloads
        self._file = path.open("ab") if path is not None else None
        self._memory = Memory(limit)
        self._number = 0

    @property
    def entries(self) -> list[Entry]:
        """The accepted live events that are still in memory."""
        return [Entry(**orjson.loads(line)) for line in self._live.text().splitlines()]

    @property
    def test_entries(self) -> list[Entry]:
        """The accepted events that carried a test event code."""
        return [Entry(**orjson.loads(line)) for line in self._test.text().splitlines()]

    @property
    def event_ids(self) -> list[str | None]:
        """The ids of the accepted live events without the duplicates, in order of acceptance."""
        return [entry.event_id for entry in self.entries if not entry.duplicate]

    @property
    def payloads(self) -> list[bytes]:
        """The accepted live events as compact JSON, in step with `entries`; empty unless payloads are kept."""
        return self._payloads.text().splitlines()

    @property
    def dropped(self) -> int:
        """How many lines were dropped to bound memory."""
        return self._live.dropped + self._test.dropped

    @property
    def forgotten(self) -> int:
        """How many event keys were forgotten to bound memory; their duplicates would count as new."""
        return self._memory.forgotten

    def accept(self, platform: str, verdict: Verdict, request: int, now: float) -> int:
        """Enter the verdict's accepted events; return how many of them were duplicates."""
        test = verdict.test_event_code
        accept = self._memory.accept
        duplicates = 0
        lines: list[bytes] = []
        number = self._number
        for event in verdict.accepted:
            attempt, duplicate = (1, False) if test else accept(event.key, event.window_s, now)
            duplicates += duplicate
            number += 1
            line: dict[str, object] = {
                "number": number,
                "platform": platform,
                "dataset": verdict.dataset,
                "event_id": event.event_id,
                "event_name": event.event_name,
                "event_time": event.event_time,
                "sha256": event.sha256,
                "attempt": attempt,
                "received_at": now,
                "request": request,
                "duplicate": duplicate,
            }
            if test:
                line["test_event_code"] = test
            lines.append(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        self._number = number
        self._store(lines, verdict)
        return duplicates

    def attempt(self, keys: Iterable[str]) -> None:
        """Note events that arrived and were not kept, so that later lines count the attempt."""
        for key in keys:
            self._memory.attempt(key)

    def lines(self, *, test: bool = False) -> bytes:
        """Return the journal as newline-delimited JSON."""
        return (self._test if test else self._live).text()

    def clear(self) -> None:
        """Forget all entries and all duplicates; a journal file keeps what it holds."""
        for pages in (self._live, self._test, self._payloads):
            pages.clear()
        self._memory.clear()

    def close(self) -> None:
        """Close the journal file."""
        if self._file is not None:
            self._file.close()

    def _store(self, lines: list[bytes], verdict: Verdict) -> None:
        if not lines:
            return
        page = b"".join(lines)
        if self._file is not None:
            self._file.write(page)
            self._file.flush()
        (self._test if verdict.test_event_code else self._live).add(len(lines), page)
        if self._keep_payloads and not verdict.test_event_code:
            payloads = b"".join(event.payload + b"\n" for event in verdict.accepted)
            self._payloads.add(len(lines), payloads)
