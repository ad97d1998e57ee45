"""The owner thread: the one place that touches the consumer, the ledger and the dead letters.

One turn of its loop is the road seen from Kafka: settle what the lanes report, bury what was refused, read and prepare
more if there is room, commit what is settled.
Nothing here waits longer than a moment, so rebalances are served; only giving up partitions may take its deadline.

The vows that live here: the offset moves only by `Page.settle`; a refusal settles only when Kafka has the dead letter;
after any surprise the thread ends without committing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.core import signals
from pipeline.core.budget import Allowance, Budget
from pipeline.core.ledger import Ledger, Page
from pipeline.core.model import DeadLetter, Record
from pipeline.core.ports import Clock, CommitResult, Partition, Schemas, Source, Teller
from pipeline.core.reason import Reason
from pipeline.core.status import Status
from pipeline.flow.graveyard import Graveyard
from pipeline.flow.lane import Outcomes
from pipeline.flow.lanes import Lanes
from pipeline.flow.prepare import Prepared, Preparer

# Pausing throws the prefetch away, so a short hold just takes nothing (streaming reference: pause() is 100 times slower
# when it flaps).
PAUSE_AFTER_SECONDS = 2.0
PROGRESS_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """The worker's limits: what may be in flight, and how long things may take (seconds).

    `turn_seconds` is how long one turn waits for records, or for outcomes while it takes none.
    """

    records: int = 20_000
    bytes: int = 64 * 1024 * 1024
    span: int = 100_000
    take: int = 500
    turn_seconds: float = 0.02
    commit_seconds: float = 1.0
    revoke_seconds: float = 10.0
    drain_seconds: float = 20.0


@dataclass(slots=True)
class Parts:
    """What the worker is built from."""

    source: Source
    graveyard: Graveyard
    schemas: Schemas
    lanes: Lanes
    ledger: Ledger
    preparer: Preparer
    teller: Teller
    clock: Clock
    # Monotonic seconds: how long the loop was silent is not for the wall clock to say.
    beat: Clock
    status: Status


class Worker:
    """Runs on its own thread: `run` until `stop`. Implements `ports.Rebalance` for the source."""

    def __init__(self, parts: Parts, bounds: Bounds, allowance: Allowance) -> None:
        self._source = parts.source
        self._graveyard = parts.graveyard
        self._schemas = parts.schemas
        self._lanes = parts.lanes
        self._ledger = parts.ledger
        self._preparer = parts.preparer
        self._teller = parts.teller
        self._clock = parts.clock
        self._beat = parts.beat
        self._status = parts.status
        self._bounds = bounds
        self._budget = Budget(allowance)
        self._unread: Sequence[Record] = ()
        self._stopping = False
        self._hold: Reason | None = None
        self._held_since = 0.0
        self._paused = False
        self._committing = False
        self._next_commit = 0.0
        self._next_progress = 0.0
        self._polled_at = 0.0

    def run(self) -> None:
        """Work until `stop`, then drain. Raises what broke; then nothing more is committed."""
        self._source.open(self)
        while not self._stopping:
            self._turn()
        self._drain()

    def stop(self) -> None:
        """Ask the worker to drain and return from `run`. From any thread."""
        self._stopping = True

    # -- one turn --------------------------------------------------------------------------------------------------

    def _turn(self) -> None:
        self._status.beat_at = self._beat()
        self._settle(self._lanes.outcomes())
        self._settle_burials(0.0)
        now = self._clock()
        hold = self._reason_to_hold()
        if hold is None:
            self._resume()
            self._read()
        else:
            self._wait_held(hold, now)
        self._commit(self._clock())
        self._show_progress(self._clock())

    def _read(self) -> None:
        records = self._unread or self._source.take(self._bounds.take, self._bounds.turn_seconds)
        self._polled_at = self._clock()
        if records:
            self._spread(self._preparer.prepare(records, now=self._clock()))

    def _spread(self, prepared: Prepared) -> None:
        """Hand what was prepared to lanes and graveyard; keep what waits for a schema."""
        self._unread = prepared.unread
        if prepared.missing is not None:
            self._schemas.fetch(*prepared.missing)
        for destination, deliveries in prepared.deliveries.items():
            if deliveries:
                self._lanes.offer(destination, deliveries)
        for topic, (records, size) in prepared.taken.items():
            self._teller.tell(signals.Consumed(topic, records, size))
        if prepared.skipped:
            self._teller.tell(signals.Skipped(prepared.skipped))
            self._budget.note(settled=prepared.skipped.total(), refused=0, now=self._clock())
        self._bury(prepared.letters)

    def _settle(self, reports: Sequence[Outcomes]) -> None:
        now = self._clock()
        for report in reports:
            for delivery in report.accepted:
                delivery.page.settle(delivery.record.offset)
            for delivery in report.duplicates:
                delivery.page.settle(delivery.record.offset)
            settled = len(report.accepted) + len(report.duplicates)
            self._budget.note(settled=settled, refused=0, now=now)
            if report.duplicates:
                copies: dict[tuple[str | None, Reason], int] = {
                    (report.destination, Reason.DUPLICATE): len(report.duplicates)
                }
                self._teller.tell(signals.Skipped(copies))
            self._bury([DeadLetter.of(delivery, report.platform, refusal) for delivery, refusal in report.refused])

    # -- dead letters: the vow is here -----------------------------------------------------------------------------

    def _bury(self, letters: Sequence[DeadLetter]) -> None:
        """Bury within the budget; beyond it letters are held, unsettled, until a person has looked."""
        now = self._clock()
        for (destination, reason), (count, first) in _by_cause(letters).items():
            refusal = first.refusal
            self._teller.tell(signals.Refused(destination, reason, count, refusal.detail, refusal.code))
        for letter in letters:
            self._budget.note(settled=1, refused=1, now=now)
            if self._budget.spent:
                if not self._graveyard.withheld:
                    self._teller.tell(signals.BudgetSpent(*self._budget.figures))
                # Open in the ledger and nowhere else: the offset stays, a restart reads the record again.
                self._graveyard.withhold(letter)
            else:
                self._graveyard.bury(letter)

    def _settle_burials(self, timeout: float) -> None:
        """Settle what Kafka has acknowledged, and nothing else."""
        buried = self._graveyard.acknowledged(timeout, now=self._clock())
        for letter in buried:
            letter.page.settle(letter.record.offset)
        for (destination, reason), (count, _) in _by_cause(buried).items():
            self._teller.tell(signals.Buried(destination, reason, count))

    # -- holding and resuming --------------------------------------------------------------------------------------

    def _reason_to_hold(self) -> Reason | None:
        if self._graveyard.withheld:
            return Reason.BUDGET_SPENT
        if self._graveyard.trouble:
            return Reason.DEAD_LETTERS_DOWN
        if self._unread and not self._preparer.can_read(self._unread[0]):
            return Reason.REGISTRY_DOWN
        # Full at the limit, room again at half of it: else the intake would flap.
        part = 0.5 if self._hold is Reason.BACKPRESSURE else 1.0
        ledger, bounds = self._ledger, self._bounds
        full = (
            ledger.open_records >= bounds.records * part
            or ledger.open_bytes >= bounds.bytes * part
            or ledger.widest_span >= bounds.span * part
        )
        return Reason.BACKPRESSURE if full else None

    def _wait_held(self, reason: Reason, now: float) -> None:
        """Take nothing; serve rebalances; pause the fetching when it lasts."""
        if reason is Reason.REGISTRY_DOWN and self._schemas.down is None:
            # Not down: a schema that nobody saw before is on its way.
            self._settle(self._lanes.outcomes(self._bounds.turn_seconds))
            return
        if self._hold is not reason:
            if self._hold is not None:
                self._teller.tell(signals.IntakeResumed(self._hold, now - self._held_since))
            self._hold, self._held_since = reason, now
            self._teller.tell(signals.IntakePaused(reason, self._detail(reason)))
        if not self._paused and now - self._held_since >= PAUSE_AFTER_SECONDS:
            self._source.pause()
            self._paused = True
        if self._paused:
            # Paused partitions yield nothing; whatever comes all the same is kept in order behind what is unread.
            self._unread = [*self._unread, *self._source.take(1, self._bounds.turn_seconds)]
        self._settle(self._lanes.outcomes(self._bounds.turn_seconds))

    def _resume(self) -> None:
        if self._hold is not None:
            self._teller.tell(signals.IntakeResumed(self._hold, self._clock() - self._held_since))
            self._hold = None
        if self._paused:
            self._source.resume()
            self._paused = False

    def _detail(self, reason: Reason) -> str:
        match reason:
            case Reason.REGISTRY_DOWN:
                return self._schemas.down or "a schema is being fetched"
            case Reason.DEAD_LETTERS_DOWN:
                return self._graveyard.trouble or ""
            case Reason.BUDGET_SPENT:
                return f"{self._budget.ratio:.0%} of what was settled lately was refused"
            case _:
                return f"{self._ledger.open_records} records, {self._ledger.open_bytes} bytes in flight"

    # -- committing ------------------------------------------------------------------------------------------------

    def _commit(self, now: float) -> None:
        """About once a second: ask Kafka to store the watermarks that moved. One request at a time."""
        if now < self._next_commit or self._committing:
            return
        self._next_commit = now + self._bounds.commit_seconds
        offsets = _watermarks(self._ledger.movable())
        if offsets:
            self._committing = True
            self._source.commit(offsets)

    def committed(self, results: Sequence[CommitResult]) -> None:
        """Note what Kafka took. A fenced partition is somebody else's: forget it."""
        self._committing = False
        for result in results:
            page = self._ledger.page(*result.partition)
            if page is None:
                continue
            if result.error is None:
                page.committed = result.offset
            elif result.fenced:
                self._ledger.end_page(*result.partition)
                self._forget_ended()
        self._tell_commits(results)

    def _tell_commits(self, results: Sequence[CommitResult]) -> None:
        taken = {result.partition: result.offset for result in results if result.error is None}
        if taken:
            self._teller.tell(signals.Committed(taken))
        for code, fenced in {(result.error, result.fenced) for result in results if result.error is not None}:
            self._teller.tell(signals.CommitFailed(code, fenced))

    # -- rebalances, called from inside `take` and `close` -------------------------------------------------------------

    def assigned(self, partitions: Sequence[Partition], share: float) -> None:
        """Open a page for each partition; send at our part of the rates."""
        for partition in partitions:
            self._ledger.open_page(*partition)
        # A commit that was under way when the assignment changed may never be answered.
        self._committing = False
        self._lanes.share(share)
        self._status.joined = True
        self._teller.tell(signals.Assigned(tuple(partitions), self._owned()))

    def revoked(self, partitions: Sequence[Partition], share: float) -> None:
        """Finish what is in a request, flush the dead letters, commit, forget the rest."""
        began = self._clock()
        pages = [page for partition in partitions if (page := self._ledger.page(*partition)) is not None]
        abandoned = self._give_up(pages, deadline=began + self._bounds.revoke_seconds)
        self._lanes.share(share)
        seconds = self._clock() - began
        self._teller.tell(signals.Revoked(tuple(partitions), self._owned(), abandoned, seconds))

    def lost(self, partitions: Sequence[Partition], share: float) -> None:
        """Forget at once: somebody else has them already."""
        pages = [page for partition in partitions if (page := self._ledger.page(*partition)) is not None]
        abandoned = sum(page.open_records for page in pages)
        for partition in partitions:
            self._ledger.end_page(*partition)
        self._forget_ended()
        self._lanes.share(share)
        self._teller.tell(signals.Lost(tuple(partitions), self._owned(), abandoned, "the group gave them away"))

    def _give_up(self, pages: Sequence[Page], *, deadline: float) -> int:
        """Let go of pages in order, and return how many of their records were left open."""
        for page in pages:
            page.closing = True
        released = self._lanes.release()
        while not (released.done() and self._graveyard.done_with(pages)) and self._clock() < deadline:
            self._settle(self._lanes.outcomes(self._bounds.turn_seconds))
            self._settle_burials(self._bounds.turn_seconds)
        self._settle(self._lanes.outcomes())
        self._settle_burials(0.0)
        offsets = _watermarks([page for page in pages if page.watermark() not in (None, page.committed)])
        if offsets:
            self._tell_commits(self._source.commit_now(offsets))
        abandoned = sum(page.open_records for page in pages)
        for page in pages:
            self._ledger.end_page(page.topic, page.partition)
        self._forget_ended()
        return abandoned

    def _forget_ended(self) -> None:
        """Forget what belongs to partitions that are no longer ours: their new owner reads it again."""
        self._graveyard.forget_ended()
        self._unread = [record for record in self._unread if self._ledger.page(record.topic, record.partition)]

    # -- the end ---------------------------------------------------------------------------------------------------

    def _drain(self) -> None:
        """Take nothing more, finish what is in flight within the deadline, commit, leave."""
        began = self._clock()
        self._status.draining = True
        self._teller.tell(signals.Draining("asked to stop", self._ledger.open_records, self._bounds.drain_seconds))
        self._source.pause()
        self._lanes.drain()
        deadline = began + self._bounds.drain_seconds
        while self._ledger.open_records and not self._graveyard.withheld and self._clock() < deadline:
            self._settle(self._lanes.outcomes(self._bounds.turn_seconds))
            self._settle_burials(0.0)
            self._source.take(1, 0.0)
            self._show_progress(self._clock())
        left = self._give_up(list(self._ledger.pages()), deadline=max(deadline, self._clock() + 1.0))
        self._source.close()
        self._teller.tell(signals.Stopped(0, left, self._clock() - began))

    def _show_progress(self, now: float) -> None:
        if now < self._next_progress:
            return
        self._next_progress = now + PROGRESS_SECONDS
        self._status.holds = frozenset() if self._hold is None else frozenset({self._hold})
        self._status.partitions = self._owned()
        self._status.lanes = self._lanes.status()
        self._teller.tell(
            signals.Pulse(
                in_flight_records=self._ledger.open_records,
                in_flight_bytes=self._ledger.open_bytes,
                poll_age_seconds=now - self._polled_at,
                dead_letters_pending=self._graveyard.pending,
                lag=self._source.lag(_watermarks(list(self._ledger.pages()))),
            )
        )

    def _owned(self) -> int:
        return len(list(self._ledger.pages()))


def _by_cause(letters: Sequence[DeadLetter]) -> Mapping[tuple[str | None, Reason], tuple[int, DeadLetter]]:
    """Count letters by destination and reason, with the first of each."""
    counts: dict[tuple[str | None, Reason], tuple[int, DeadLetter]] = {}
    for letter in letters:
        cause = (letter.destination, letter.refusal.reason)
        count, first = counts.get(cause, (0, letter))
        counts[cause] = (count + 1, first)
    return counts


def _watermarks(pages: Sequence[Page]) -> Mapping[Partition, int]:
    return {(page.topic, page.partition): mark for page in pages if (mark := page.watermark()) is not None}
