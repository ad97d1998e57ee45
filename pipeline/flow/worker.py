"""The owner thread: the one place that touches the consumer, the ledger, dead letters and receipts.

One turn of its loop is the road seen from Kafka: settle what the lanes report, settle what is buried or filed, take and
prepare more if there is room, commit what is settled.
Nothing here waits longer than a moment, so rebalances are served; only giving up partitions may take its deadline.

The vows that live here: an offset moves only by `Page.settle`; nothing is committed for a partition after it was given
up; after any surprise the thread ends without committing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.core import signals
from pipeline.core.ledger import Ledger, Page
from pipeline.core.model import DeadLetter
from pipeline.core.pace import Share
from pipeline.core.ports import Clock, CommitResult, Partition, Source, Teller
from pipeline.core.reason import Reason
from pipeline.core.status import Status
from pipeline.flow.commits import Commits, watermarks
from pipeline.flow.filing import Files
from pipeline.flow.graveyard import Graveyard
from pipeline.flow.intake import Intake
from pipeline.flow.lane import Outcomes
from pipeline.flow.lanes import Lanes
from pipeline.flow.prepare import Prepared

PULSE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Tempo:
    """How long things may take, in seconds: a wait for outcomes, between commits, to give up, to drain."""

    turn: float = 0.02
    commit: float = 1.0
    revoke: float = 10.0
    drain: float = 20.0


@dataclass(slots=True)
class Parts:
    """What the worker is built from. `steady` is monotonic: nothing that the owner thread does asks for the time."""

    source: Source
    intake: Intake
    graveyard: Graveyard
    lanes: Lanes
    ledger: Ledger
    teller: Teller
    status: Status
    steady: Clock
    # Where receipts go; None where no platform gives any.
    files: Files | None = None


class Worker:
    """Runs on its own thread: `run` until `stop`. Implements `ports.Rebalance` for the source."""

    def __init__(self, parts: Parts, tempo: Tempo) -> None:
        self._source = parts.source
        self._intake = parts.intake
        self._graveyard = parts.graveyard
        self._files = parts.files
        self._lanes = parts.lanes
        self._ledger = parts.ledger
        self._teller = parts.teller
        self._status = parts.status
        self._steady = parts.steady
        self._tempo = tempo
        self._stopping = False
        self._commits = Commits(parts.source, parts.ledger, parts.teller, parts.steady, tempo.commit)
        self._next_pulse = 0.0

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
        self._status.beat_at = self._steady()
        self._settle(self._lanes.outcomes())
        self._settle_posted()
        prepared = self._intake.turn()
        if prepared is None:
            self._settle(self._lanes.outcomes(self._tempo.turn))
        else:
            self._spread(prepared)
        self._commits.work()
        self._show(self._steady())

    def _spread(self, prepared: Prepared) -> None:
        """Hand what was prepared to the lanes and the graveyard."""
        self._graveyard.note_seen(prepared.size)
        for destination, deliveries in prepared.deliveries.items():
            if deliveries:
                self._lanes.offer(destination, deliveries)
        for topic, (records, size) in prepared.taken.items():
            self._teller.tell(signals.Consumed(topic, records, size, prepared.holes[topic]))
        if prepared.decisions:
            self._teller.tell(signals.ConsentDecided(prepared.decisions))
        if prepared.skipped:
            self._teller.tell(signals.Skipped(prepared.skipped))
        if prepared.letters:
            self._graveyard.bury(prepared.letters)

    def _settle(self, reports: Sequence[Outcomes]) -> None:
        """Close the shares of what has its outcome; what was refused has to be buried first, a receipt to be filed."""
        for report in reports:
            if report.receipt and self._files is not None:
                self._files.file(report.receipt, report.accepted)
            else:
                for delivery in report.accepted:
                    delivery.page.settle(delivery.record.offset)
            for delivery in report.duplicates:
                delivery.page.settle(delivery.record.offset)
            if report.duplicates:
                cause: tuple[str | None, Reason] = (report.destination, Reason.DUPLICATE)
                self._teller.tell(signals.Skipped({cause: len(report.duplicates)}))
            self._graveyard.bury(
                [DeadLetter.of(delivery, report.platform, refusal) for delivery, refusal in report.refused]
            )

    def _settle_posted(self) -> None:
        """Settle what Kafka has taken: dead letters and receipts."""
        self._graveyard.settle(0.0)
        if self._files is not None:
            self._files.settle()

    def _posted_all(self, pages: Sequence[Page]) -> bool:
        return self._graveyard.done_with(pages) and (self._files is None or self._files.done_with(pages))

    def committed(self, results: Sequence[CommitResult]) -> None:
        """Note what Kafka took of the last commit."""
        self._commits.answered(results)

    # -- rebalances, called from inside `take` and `close` -----------------------------------------------------------

    def assigned(self, partitions: Sequence[Partition], share: Share) -> None:
        """Open a page for each partition; send at our part of the rates."""
        for partition in partitions:
            self._ledger.open_page(*partition)
        self._commits.begin_anew()
        self._lanes.share(share)
        self._status.joined = True
        if partitions:
            self._teller.tell(signals.Assigned(tuple(partitions), self._owned))

    def revoked(self, partitions: Sequence[Partition], share: Share) -> None:
        """Finish what is in a request, flush the dead letters, commit, forget the rest."""
        began = self._steady()
        abandoned = self._give_up(self._pages(partitions), deadline=began + self._tempo.revoke)
        self._lanes.share(share)
        self._teller.tell(signals.Revoked(tuple(partitions), self._owned, abandoned, self._steady() - began))

    def lost(self, partitions: Sequence[Partition], share: Share) -> None:
        """Forget at once: somebody else has them already. Until the group answers again we are no member of it."""
        self._status.joined = False
        abandoned = sum(page.open_records for page in self._pages(partitions))
        for partition in partitions:
            self._ledger.end_page(*partition)
        self._forget_ended()
        self._lanes.share(share)
        self._teller.tell(signals.Lost(tuple(partitions), self._owned, abandoned, "they are not ours any more"))

    def _give_up(self, pages: Sequence[Page], *, deadline: float) -> int:
        """Let go of pages in order, and return how many of their records were left open."""
        for page in pages:
            page.closing = True
        released = self._lanes.release()
        while not released.done() and self._steady() < deadline:
            self._settle(self._lanes.outcomes(self._tempo.turn))
            self._settle_posted()
        if released.done():
            # What broke a lane breaks us.
            released.result()
        # Released means that the last outcome was reported before: it is in the queue now.
        self._settle(self._lanes.outcomes())
        while not self._posted_all(pages) and self._steady() < deadline:
            self._settle_posted()
            self._settle(self._lanes.outcomes(self._tempo.turn))
        self._commits.finish(pages)
        abandoned = sum(page.open_records for page in pages)
        for page in pages:
            self._ledger.end_page(page.topic, page.partition)
        self._forget_ended()
        return abandoned

    def _forget_ended(self) -> None:
        self._graveyard.forget_ended()
        if self._files is not None:
            self._files.forget_ended()
        self._intake.forget_ended()

    def _pages(self, partitions: Sequence[Partition]) -> Sequence[Page]:
        return [page for partition in partitions if (page := self._ledger.page(*partition)) is not None]

    @property
    def _owned(self) -> int:
        return len(list(self._ledger.pages()))

    # -- the end ---------------------------------------------------------------------------------------------------

    def _drain(self) -> None:
        """Take nothing more, finish what is in flight within the deadline, commit, leave."""
        began = self._steady()
        self._status.draining = True
        self._teller.tell(signals.Draining("asked to stop", self._ledger.open_records, self._tempo.drain))
        self._intake.stop()
        self._lanes.drain()
        deadline = began + self._tempo.drain
        while self._ledger.open_records and self._can_move and self._steady() < deadline:
            self._status.beat_at = self._steady()
            self._settle(self._lanes.outcomes(self._tempo.turn))
            self._settle_posted()
            self._intake.serve()
            self._commits.work()
            self._show(self._steady())
        left = self._give_up(list(self._ledger.pages()), deadline=max(deadline, self._steady() + 1.0))
        self._source.close()
        self._teller.tell(signals.Stopped(0, left, self._steady() - began))

    @property
    def _can_move(self) -> bool:
        """Whether waiting may settle anything: not beyond the budget, and not while every lane is halted."""
        halted = all(lane.state == "halted" for lane in self._lanes.status().values())
        return not self._graveyard.withheld and not halted

    def _show(self, now: float) -> None:
        """Once a second: bring the status for the probes and the figures up to date."""
        if now < self._next_pulse:
            return
        self._next_pulse = now + PULSE_SECONDS
        hold = self._intake.hold
        self._status.holds = frozenset() if hold is None else frozenset({hold})
        self._status.partitions = self._owned
        self._status.lanes = self._lanes.status()
        self._teller.tell(
            signals.Pulse(
                in_flight_records=self._ledger.open_records,
                in_flight_bytes=self._ledger.open_bytes,
                dead_letters_pending=self._graveyard.pending,
                lag=self._source.lag(watermarks(self._ledger.pages())),
            )
        )
