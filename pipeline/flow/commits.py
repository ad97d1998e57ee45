"""Step 11 of the road: watermarks become committed offsets.

One commit is under way at a time, so that a late one can never overtake and rewind its successor.
What Kafka did not take is tried again with the next one: whose a partition is, only assignments decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pipeline.core.ledger import Ledger, Page
from pipeline.core.ports import Clock, CommitResult, Partition, Source, Teller
from pipeline.core.signals import CommitFailed, Committed


class Commits:
    """What one consumer's thread commits of its ledger, about once in `every` seconds."""

    def __init__(self, source: Source, ledger: Ledger, teller: Teller, steady: Clock, every: float) -> None:
        self._source = source
        self._ledger = ledger
        self._teller = teller
        self._steady = steady
        self._every = every
        self._under_way = False
        self._next_at = 0.0

    def work(self) -> None:
        """Ask Kafka to store the watermarks that moved, if it is time."""
        now = self._steady()
        if now < self._next_at or self._under_way:
            return
        self._next_at = now + self._every
        offsets = watermarks(self._ledger.movable())
        if offsets:
            self._under_way = True
            self._source.commit(offsets)

    def answered(self, results: Sequence[CommitResult]) -> None:
        """Note what Kafka took of the commit that was under way."""
        self._under_way = False
        for result in results:
            page = self._ledger.page(*result.partition)
            if page is not None and result.error is None:
                page.committed = result.offset
        self._tell(results)

    def begin_anew(self) -> None:
        """Wait for no answer: a commit that was under way when the assignment changed may never get one."""
        self._under_way = False

    def finish(self, pages: Iterable[Page]) -> None:
        """Commit what is done on pages that are given up, and wait for Kafka's answer."""
        offsets = watermarks([page for page in pages if page.watermark() not in (None, page.committed)])
        if offsets:
            self._tell(self._source.commit_now(offsets))

    def _tell(self, results: Sequence[CommitResult]) -> None:
        taken = {result.partition: result.offset for result in results if result.error is None}
        if taken:
            self._teller.tell(Committed(taken))
        for code, fenced in {(result.error, result.fenced) for result in results if result.error is not None}:
            self._teller.tell(CommitFailed(code, fenced))


def watermarks(pages: Iterable[Page]) -> Mapping[Partition, int]:
    """Return the watermark of each page that has one."""
    return {(page.topic, page.partition): mark for page in pages if (mark := page.watermark()) is not None}
