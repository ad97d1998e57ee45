"""Step 1 of the road: take records while there is room, and hold while there is not.

Holding loses nothing: records stay in Kafka, lag grows, and everybody can see why.
A short hold just takes nothing; one that lasts pauses the fetching, late, because pausing throws the prefetch away.
Paused, the consumer is polled as ever: rebalances are served, and the group does not take it for dead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.core.ledger import Ledger
from pipeline.core.model import Record
from pipeline.core.ports import Schemas, Source, Teller
from pipeline.core.reason import Reason
from pipeline.core.signals import IntakePaused, IntakeResumed
from pipeline.flow.clocks import Clocks
from pipeline.flow.filing import Files
from pipeline.flow.graveyard import Graveyard
from pipeline.flow.prepare import Prepared, Preparer

PAUSE_AFTER_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """What may be in flight (records, bytes, offsets of one partition), and how much one turn takes and waits."""

    records: int = 20_000
    bytes: int = 64 * 1024 * 1024
    span: int = 100_000
    take: int = 500
    turn_seconds: float = 0.02


@dataclass(slots=True)
class Inlet:
    """What the intake works with."""

    source: Source
    preparer: Preparer
    schemas: Schemas
    ledger: Ledger
    graveyard: Graveyard
    teller: Teller
    clocks: Clocks
    files: Files | None = None


class Intake:
    """Belongs to the owner thread."""

    def __init__(self, inlet: Inlet, bounds: Bounds) -> None:
        self._source = inlet.source
        self._preparer = inlet.preparer
        self._schemas = inlet.schemas
        self._ledger = inlet.ledger
        self._graveyard = inlet.graveyard
        self._files = inlet.files
        self._teller = inlet.teller
        self._clocks = inlet.clocks
        self._bounds = bounds
        # Taken from Kafka and not in the ledger yet: the first of them waits for its schema.
        self._unread: Sequence[Record] = ()
        self._paused = False
        # Since when nothing is taken: it holds, or waits for a schema.
        self._idle_since: float | None = None
        self._held_since = 0.0
        self.hold: Reason | None = None

    def turn(self) -> Prepared | None:
        """Take and prepare records, waiting a moment for them; None while the intake holds."""
        reason = self._reason_to_hold()
        if reason is not self.hold:
            self._hold(reason)
        if reason is not None:
            self._idle()
            return None
        if self._unread and not self._preparer.can_read(self._unread[0]):
            # Not an outage: a schema that nobody saw before is on its way. Asking twice is asking once, and what was
            # known may have been forgotten while the intake held.
            self._schemas.fetch(*self._preparer.schema_of(self._unread[0]))
            self._idle()
            return None
        self._resume()
        room = self._bounds.records - self._ledger.open_records
        records = self._unread or self._source.take(min(self._bounds.take, room), self._bounds.turn_seconds)
        prepared = self._preparer.prepare(records, now=self._clocks.moment())
        self._unread = prepared.unread
        if prepared.missing is not None:
            self._schemas.fetch(*prepared.missing)
        return prepared

    def stop(self) -> None:
        """Take nothing more, for good: the worker drains. `serve` keeps the membership alive."""
        self._source.pause()
        self._paused = True

    def serve(self) -> None:
        """Let rebalances and commit results happen while nothing is taken."""
        # Paused partitions yield nothing; what comes all the same keeps its order behind what is unread.
        # Taken first: a rebalance inside of it may forget some of what is unread.
        late = self._source.take(1, self._bounds.turn_seconds)
        self._unread = [*self._unread, *late]

    def forget_ended(self) -> None:
        """Forget what belongs to partitions that are no longer ours: their new owner reads it again."""
        self._unread = [record for record in self._unread if self._ledger.page(record.topic, record.partition)]

    @property
    def detail(self) -> str:
        """What people should know about the hold."""
        match self.hold:
            case Reason.REGISTRY_DOWN:
                return self._schemas.down or ""
            case Reason.DEAD_LETTERS_DOWN:
                return self._graveyard.trouble or ""
            case Reason.RECEIPTS_DOWN:
                return (self._files and self._files.trouble) or ""
            case Reason.BUDGET_SPENT:
                return self._graveyard.withheld or ""
            case _:
                return f"{self._ledger.open_records} records, {self._ledger.open_bytes} bytes in flight"

    def _reason_to_hold(self) -> Reason | None:
        if self._graveyard.withheld:
            return Reason.BUDGET_SPENT
        if self._graveyard.trouble:
            return Reason.DEAD_LETTERS_DOWN
        if self._files is not None and self._files.trouble:
            return Reason.RECEIPTS_DOWN
        if self._unread and self._schemas.down and not self._preparer.can_read(self._unread[0]):
            return Reason.REGISTRY_DOWN
        # Full at the limit, room again at half of it: else the intake would flap.
        part = 0.5 if self.hold is Reason.BACKPRESSURE else 1.0
        ledger, bounds = self._ledger, self._bounds
        full = (
            ledger.open_records >= bounds.records * part
            or ledger.open_bytes >= bounds.bytes * part
            or ledger.widest_span >= bounds.span * part
        )
        return Reason.BACKPRESSURE if full else None

    def _hold(self, reason: Reason | None) -> None:
        """Begin to hold for `reason` in place of what it was, or (None) for nothing any more."""
        now = self._clocks.steady()
        if self.hold is not None:
            self._teller.tell(IntakeResumed(self.hold, now - self._held_since))
        self.hold, self._held_since = reason, now
        if reason is not None:
            self._teller.tell(IntakePaused(reason, self.detail))

    def _idle(self) -> None:
        now = self._clocks.steady()
        if self._idle_since is None:
            self._idle_since = now
        if not self._paused and now - self._idle_since >= PAUSE_AFTER_SECONDS:
            self._source.pause()
            self._paused = True
        if self._paused:
            self.serve()

    def _resume(self) -> None:
        self._idle_since = None
        if self._paused:
            self._source.resume()
            self._paused = False
