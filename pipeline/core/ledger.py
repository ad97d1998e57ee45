"""The ledger: what each partition still owes, and therefore what may be committed.

One page is one partition in one assignment.
A page ends when its partition is revoked or lost; whatever settles on an ended page comes too late and is ignored,
so that an answer which arrives after a rebalance can never move the offset of a partition that is not ours
(the fault of Redpanda Connect 4477).

Invariants, held by the model in `tests/core/test_ledger_model.py`:
  the watermark never passes an offset that is open;
  the watermark never moves back;
  an offset is taken once, in ascending order, and each of its shares is settled once;
  `open_records` and `open_bytes` are what taking and settling say they are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable


class LedgerError(Exception):
    """The worker broke the ledger's rules: a bug of ours. The process must end without committing."""


class Page:
    """What one partition owes in one assignment.

    `epoch` grows with every assignment, so that two pages of one partition are never confused.
    """

    __slots__ = (
        "_order",
        "_shares",
        "closing",
        "committed",
        "ended",
        "epoch",
        "next_offset",
        "open_bytes",
        "partition",
        "topic",
    )

    def __init__(self, topic: str, partition: int, epoch: int) -> None:
        self.topic = topic
        self.partition = partition
        self.epoch = epoch
        self.ended = False
        # The partition is being given up: lanes start no request for it any more. Written by the owner thread.
        self.closing = False
        # The offset after the last one taken; None until the first record of this assignment.
        self.next_offset: int | None = None
        # The watermark that Kafka has acknowledged in this assignment.
        self.committed: int | None = None
        self.open_bytes = 0
        # Open offsets in the order taken; settled ones are dropped from its head lazily.
        self._order: deque[int] = deque()
        # offset -> (shares still open, bytes)
        self._shares: dict[int, tuple[int, int]] = {}

    def take(self, offset: int, *, shares: int, size: int) -> int:
        """Enter a record with `shares` deliveries and `size` bytes; zero shares settle it at once.

        Return how many offsets before it were not there.
        Offsets may have holes (compaction, transaction markers) but never go back: that is a `LedgerError`.
        """
        if self.next_offset is not None and offset < self.next_offset:
            msg = f"{self.topic}[{self.partition}] offset {offset} taken after {self.next_offset - 1}"
            raise LedgerError(msg)
        holes = 0 if self.next_offset is None else offset - self.next_offset
        self.next_offset = offset + 1
        if shares:
            self._order.append(offset)
            self._shares[offset] = (shares, size)
            self.open_bytes += size
        return holes

    def settle(self, offset: int) -> None:
        """Close one share of `offset`. On an ended page it comes too late and changes nothing."""
        if self.ended:
            return
        entry = self._shares.get(offset)
        if entry is None:
            msg = f"{self.topic}[{self.partition}] offset {offset} settled, and nothing of it is open"
            raise LedgerError(msg)
        shares, size = entry
        if shares > 1:
            self._shares[offset] = (shares - 1, size)
        else:
            del self._shares[offset]
            self.open_bytes -= size

    @property
    def open_records(self) -> int:
        """Records that are not settled."""
        return len(self._shares)

    @property
    def span(self) -> int:
        """Offsets from the watermark to the last one taken: what a crash now would bring again, at most."""
        watermark = self.watermark()
        return 0 if watermark is None or self.next_offset is None else self.next_offset - watermark

    def watermark(self) -> int | None:
        """The offset below which every record is settled, or None while nothing was taken."""
        order, shares = self._order, self._shares
        while order and order[0] not in shares:
            order.popleft()
        return order[0] if order else self.next_offset

    def end(self) -> None:
        """The partition is no longer ours: forget what was open and ignore what comes late."""
        self.ended = self.closing = True
        self._order.clear()
        self._shares.clear()
        self.open_bytes = 0


class Ledger:
    """The pages of the partitions that are ours now."""

    def __init__(self) -> None:
        self._pages: dict[tuple[str, int], Page] = {}
        self._epoch = 0

    def open_page(self, topic: str, partition: int) -> Page:
        """Begin a page for a newly assigned partition, ending an older one if there is any."""
        self.end_page(topic, partition)
        self._epoch += 1
        page = self._pages[topic, partition] = Page(topic, partition, self._epoch)
        return page

    def end_page(self, topic: str, partition: int) -> None:
        """End the page of a partition that was revoked or lost; unknown partitions are no fault."""
        page = self._pages.pop((topic, partition), None)
        if page is not None:
            page.end()

    def page(self, topic: str, partition: int) -> Page | None:
        """Return the page of a partition of ours, else None."""
        return self._pages.get((topic, partition))

    def pages(self) -> Iterable[Page]:
        """Every page, in the order of assignment."""
        return self._pages.values()

    def movable(self) -> list[Page]:
        """Pages whose watermark passed what Kafka has acknowledged."""
        return [page for page in self._pages.values() if page.watermark() not in (None, page.committed)]

    @property
    def open_records(self) -> int:
        """Records in flight, over all partitions."""
        return sum(page.open_records for page in self._pages.values())

    @property
    def open_bytes(self) -> int:
        """Bytes of the records in flight, over all partitions."""
        return sum(page.open_bytes for page in self._pages.values())

    @property
    def widest_span(self) -> int:
        """The largest span of any page, in offsets."""
        return max((page.span for page in self._pages.values()), default=0)
