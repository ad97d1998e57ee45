"""Following up what a platform accepts and judges later: a thread of its own, beside the owner thread.

It reads the receipts as a consumer of its own, and a receipt stays open in its ledger until all that follows from the
platform's final word is done. So nothing but Kafka remembers, a restart reads open receipts again, and the partitions
of the source are never held. What is closed is marked by an empty record under the receipt's key: a restart reads up to
the end before it asks, and does not do again what was done behind a receipt that takes long.

The vows that live here: a receipt is settled by the final word or by being told as unknown, and in no other way;
what was refused later is in the dead letters, what was too early is on the replay topic, before its receipt is settled.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final as Constant

from pipeline.core import signals
from pipeline.core.backoff import backoff
from pipeline.core.ledger import Ledger, Page
from pipeline.core.model import Halt, Later, Record, Refusal
from pipeline.core.pace import Share
from pipeline.core.ports import CommitResult, Outbox, Partition, Posting, Source
from pipeline.core.reason import Reason
from pipeline.core.receipt import Head, read_head
from pipeline.flow.commits import Commits
from pipeline.flow.desk import PATIENCE_SECONDS, Agenda, Case, Desk
from pipeline.flow.errands import LONGEST_WAIT_SECONDS, Errands, Means
from pipeline.flow.inquiries import Answer, Followed, Inquiries
from pipeline.platforms.follow import Final, Pending

# A receipt of a destination that is not followed here waits for it to come back; then it is told as unknown.
ORPHAN_SECONDS: Constant = 86_400.0
PULSE_SECONDS: Constant = 5.0
_OUTCOMES: Constant[Mapping[type[Answer], signals.StatusOutcome]] = {
    Pending: "pending",
    Final: "final",
    Later: "later",
    Halt: "halt",
}


@dataclass(frozen=True, slots=True)
class Closed:
    """A receipt that needs no more following."""

    key: bytes
    partition: int


def closed_posting(closed: Closed) -> Posting:
    """Return how it is written that a receipt is closed: beside the receipt, so that both are read by one worker."""
    return Posting(closed.key, None, (), closed.partition)


@dataclass(frozen=True, slots=True)
class Manner:
    """How it is followed: status requests a second for each destination, receipts in memory, times in seconds."""

    rate: float = 2.0
    most_open: int = 100_000
    take: int = 200
    turn: float = 0.1
    commit: float = 1.0
    give_up: float = 5.0


@dataclass(slots=True)
class Tools:
    """What the follower works with. `group` is the worker's consumer group, as its receipts say it."""

    source: Source
    means: Means
    closings: Outbox[Closed]
    inquiries: Inquiries
    group: str


class Follower:
    """Runs on its own thread: `run` until `stop`. Implements `ports.Rebalance` for the source."""

    def __init__(self, followed: Sequence[Followed], tools: Tools, manner: Manner) -> None:
        self._followed = {each.platform.destination.name: each for each in followed}
        means = tools.means
        self._source = tools.source
        self._inquiries = tools.inquiries
        self._group = tools.group
        self._teller = means.teller
        self._steady, self._wall = means.clocks.steady, means.clocks.wall
        self._chance = means.chance
        self._manner = manner
        self._ledger = Ledger()
        self._closings = tools.closings
        platforms = {name: each.platform.destination.platform for name, each in self._followed.items()}
        self._errands = Errands(means, platforms)
        self._desks = {name: Desk(manner.rate, means.chance) for name in self._followed}
        # Of destinations that are not followed here.
        self._orphans = Agenda()
        self._open: dict[tuple[Page, bytes], Case] = {}
        # Questions that are out.
        self._asked: list[tuple[Case, Future[Answer]]] = []
        # Up to where a page is read before its receipts are asked about; see the module.
        self._read_to: dict[Page, int] = {}
        self._paused = False
        self._stopping = False
        self._commits = Commits(self._source, self._ledger, self._teller, self._steady, manner.commit)
        self._next_pulse = 0.0

    def run(self) -> None:
        """Follow until `stop`. Raises what broke; then nothing more is committed."""
        self._source.open(self)
        while not self._stopping:
            self.turn()
        self._give_up(list(self._ledger.pages()))
        self._source.close()

    def stop(self) -> None:
        """Ask it to return from `run`. From any thread."""
        self._stopping = True

    def turn(self) -> None:
        """Do everything once, waiting a moment for receipts."""
        self._settle(0.0)
        self._hear()
        self._take()
        self._ask()
        self._errands.work()
        self._commits.work()
        self._show()

    # -- receipts come in ------------------------------------------------------------------------------------------

    def _take(self) -> None:
        full = len(self._open) >= self._manner.most_open
        if full and not self._paused:
            self._source.pause()
            self._paused = True
        elif self._paused and len(self._open) <= self._manner.most_open // 2:
            self._source.resume()
            self._paused = False
        for record in self._source.take(self._manner.take, self._manner.turn):
            page = self._ledger.page(record.topic, record.partition)
            if page is not None:
                self._enter(record, page)

    def _enter(self, record: Record, page: Page) -> None:
        key = record.key or b""
        case = self._open.get((page, key))
        if record.value is None:
            page.take(record.offset, shares=0, size=0)
            if case is not None:
                self._forget(case)
            return
        receipt = read_head(record.value)
        if isinstance(receipt, str):
            page.take(record.offset, shares=1, size=0)
            self._errands.bury(record, page, Refusal(Reason.UNDECODABLE, f"a receipt that cannot be read: {receipt}"))
        elif receipt.group != self._group or case is not None:
            # Another worker's, or a copy: Kafka had it, and its acknowledgement was lost.
            page.take(record.offset, shares=0, size=0)
        else:
            page.take(record.offset, shares=1, size=0)
            self._begin(receipt, record.offset, page, key)

    def _begin(self, receipt: Head, offset: int, page: Page, key: bytes) -> None:
        now = self._wall()
        case = Case(page, offset, key, receipt.destination, receipt.id, receipt.sent_at, receipt.events, now)
        self._open[page, key] = case
        if receipt.destination in self._followed:
            self._wait(case)
        else:
            self._orphans.queue(case, receipt.sent_at + ORPHAN_SECONDS)

    # -- questions go out ------------------------------------------------------------------------------------------

    def _wait(self, case: Case) -> None:
        """Let a case wait until the platform is to be asked next, or close it when that was often enough."""
        unix = self._wall()
        due = self._followed[case.destination].following.next_poll(case.sent_at, case.asked_at, unix)
        if due is None:
            self._close_unknown(case, "the platform did not decide in time")
        else:
            self._desks[case.destination].queue(case, due)

    def _ask(self) -> None:
        unix = self._wall()
        while (orphan := self._orphans.next_due(unix=unix)) is not None:
            self._close_unknown(orphan, "no destination of this name is followed here")
        for name, desk in self._desks.items():
            while desk.may_ask(now=self._steady(), unix=unix) and (case := desk.next_due(unix=unix)) is not None:
                if not self._caught_up(case.page):
                    desk.queue(case, unix + self._manner.commit)
                else:
                    desk.pace.go(now=self._steady(), unix=unix)
                    desk.asking += 1
                    self._asked.append((case, self._inquiries.ask(name, case.id, case.events)))

    def _caught_up(self, page: Page) -> bool:
        """Whether all was read that was there when the page began: a receipt may be closed further on."""
        if self._paused:
            # There is no room to read on.
            return True
        place, taken = (page.topic, page.partition), page.next_offset or 0
        if page not in self._read_to:
            lag = self._source.lag({place: taken}).get(place)
            if lag is None:
                return False
            self._read_to[page] = taken + lag
        return taken >= self._read_to[page]

    def _hear(self) -> None:
        out, self._asked = self._asked, []
        for case, future in out:
            if not future.done():
                self._asked.append((case, future))
                continue
            self._desks[case.destination].asking -= 1
            answer = future.result()
            if not case.over:
                self._answered(case, answer)

    def _answered(self, case: Case, answer: Answer) -> None:
        desk, now = self._desks[case.destination], self._wall()
        self._teller.tell(signals.StatusAsked(case.destination, _OUTCOMES[type(answer)]))
        if isinstance(answer, Later | Halt) and answer.reason is not Reason.UNKNOWN_ANSWER:
            desk.unanswered(answer, now=self._steady())
            self._tell_unanswered(case, answer)
            self._retry(case, answer.wait or 0.0)
            return
        desk.answered()
        case.asked_at, case.failures = now, 0
        if isinstance(answer, Final):
            self._decide(case, answer)
            return
        if isinstance(answer, Later | Halt):
            self._tell_unanswered(case, answer)
        self._wait(case)

    def _tell_unanswered(self, case: Case, answer: Later | Halt) -> None:
        kind = signals.StatusHalted if isinstance(answer, Halt) else signals.StatusWaiting
        self._teller.tell(kind(case.destination, answer.reason, answer.detail))

    def _retry(self, case: Case, least: float) -> None:
        """Ask again later: there was no answer, which is nobody's word. Only patience ends it."""
        now = self._wall()
        if case.waited(now) > PATIENCE_SECONDS:
            self._close_unknown(case, "the platform gave no answer")
            return
        case.failures += 1
        wait = backoff(case.failures, chance=self._chance(), cap=LONGEST_WAIT_SECONDS)
        self._desks[case.destination].queue(case, now + max(least, wait))

    # -- receipts are closed -----------------------------------------------------------------------------------------

    def _decide(self, case: Case, final: Final) -> None:
        """Tell the final word, and do what follows from it."""
        name, receipt = case.destination, case.id
        fates = case.decide(final)
        self._teller.tell(
            signals.FinalWord(name, receipt, case.events, fates, dict(final.counts), dict(final.warnings))
        )
        if final.unplaced:
            unplaced = dict(final.unplaced)
            self._teller.tell(signals.FinalUnplaced(name, receipt, sum(unplaced.values()), unplaced))
        if final.alarms:
            self._teller.tell(signals.FinalAlarm(name, receipt, final.alarms))
        self._errands.begin(case)

    def _settle(self, timeout: float) -> None:
        for case in self._errands.settle(timeout):
            self._close(case)
        # That a receipt is marked as closed spares work and promises nothing: whatever came of it.
        self._closings.reports(0.0)

    def _close_unknown(self, case: Case, cause: str) -> None:
        self._teller.tell(signals.StatusUnknown(case.destination, case.id, case.events, cause))
        self._close(case)

    def _close(self, case: Case) -> None:
        if not case.over:
            self._forget(case)
            self._closings.send(Closed(case.key, case.page.partition))

    def _forget(self, case: Case) -> None:
        case.closed = True
        del self._open[case.page, case.key]
        case.page.settle(case.offset)

    # -- rebalances, called from inside `take` and `close` -----------------------------------------------------------

    def committed(self, results: Sequence[CommitResult]) -> None:
        """Note what Kafka took of the last commit."""
        self._commits.answered(results)

    def assigned(self, partitions: Sequence[Partition], share: Share) -> None:
        """Begin on the receipts of these partitions; ask at our part of the rate."""
        for partition in partitions:
            self._ledger.open_page(*partition)
        self._commits.begin_anew()
        self._set_share(share)

    def revoked(self, partitions: Sequence[Partition], share: Share) -> None:
        """Wait a little for what is under way to Kafka, commit, forget the rest: their next owner reads it."""
        self._give_up([page for name in partitions if (page := self._ledger.page(*name)) is not None])
        self._set_share(share)

    def lost(self, partitions: Sequence[Partition], share: Share) -> None:
        """Forget at once: somebody else has them already."""
        for partition in partitions:
            self._ledger.end_page(*partition)
        self._forget_ended()
        self._set_share(share)

    def _give_up(self, pages: Sequence[Page]) -> None:
        deadline = self._steady() + self._manner.give_up
        while self._errands.under_way(pages) and self._steady() < deadline:
            self._settle(self._manner.turn)
        self._commits.finish(pages)
        for page in pages:
            self._ledger.end_page(page.topic, page.partition)
        self._forget_ended()

    def _forget_ended(self) -> None:
        for agenda in (*self._desks.values(), self._orphans):
            agenda.forget_over()
        self._errands.forget_over()
        self._open = {name: case for name, case in self._open.items() if not case.over}
        self._read_to = {page: offset for page, offset in self._read_to.items() if not page.ended}

    def _set_share(self, share: Share) -> None:
        for desk in self._desks.values():
            desk.pace.share(share)

    def _show(self) -> None:
        now = self._steady()
        if now < self._next_pulse:
            return
        self._next_pulse = now + PULSE_SECONDS
        unix = self._wall()
        opened = dict.fromkeys(self._followed, 0) | Counter(case.destination for case in self._open.values())
        oldest = dict.fromkeys(opened, 0.0)
        for case in self._open.values():
            oldest[case.destination] = max(oldest[case.destination], unix - case.sent_at)
        self._teller.tell(signals.ReceiptsOpen(opened, oldest))
