"""What follows from a platform's final word: refused events are buried, too early ones are sent again, unchanged.

The original records are fetched from where they were read; a record that Kafka has no more is told, never passed over.
A case is done when Kafka has everything that follows from it.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pipeline.core import signals
from pipeline.core.backoff import backoff
from pipeline.core.ledger import Page
from pipeline.core.model import DeadLetter, Record, Refusal
from pipeline.core.ports import Archive, Chance, Outbox, Place, Teller
from pipeline.core.receipt import Sent, read_receipt
from pipeline.core.replay import Replay
from pipeline.flow.clocks import Clocks
from pipeline.flow.courier import Courier
from pipeline.flow.desk import PATIENCE_SECONDS, Agenda, Case

LONGEST_WAIT_SECONDS: Final = 600.0
# Records that are fetched at one time, and how long that may take.
MOST_FETCHED: Final = 200
FETCH_SECONDS: Final = 5.0


@dataclass(slots=True)
class Means:
    """What errands are done with: where records are, where they go, time, chance, and where to tell."""

    archive: Archive
    letters: Outbox[DeadLetter]
    replays: Outbox[Replay]
    teller: Teller
    clocks: Clocks
    chance: Chance


class Errands:
    """Belongs to the follower's thread. `platforms` are the names of the destinations' platforms."""

    def __init__(self, means: Means, platforms: Mapping[str, str]) -> None:
        self._archive = means.archive
        self._platforms = platforms
        self._teller = means.teller
        self._wall = means.clocks.wall
        self._chance = means.chance
        steady = means.clocks.steady
        self._letters: Courier[DeadLetter] = Courier(means.letters, _wanted, steady, means.chance)
        self._replays: Courier[Replay] = Courier(means.replays, _wanted, steady, means.chance)
        self._agenda = Agenda()
        self._ready: deque[Case] = deque()
        # What is under way to Kafka, with the case that waits for it.
        self._waits: dict[DeadLetter | Replay, Case] = {}
        self._done: list[Case] = []

    def begin(self, case: Case) -> None:
        """Do what follows from the final word on a case, which has been decided."""
        for refusal, events in Counter(case.bury.values()).items():
            self._teller.tell(signals.Refused(case.destination, refusal.reason, events, refusal.detail, refusal.code))
        self._go_on(case)

    def bury(self, record: Record, page: Page, refusal: Refusal) -> None:
        """Bury a receipt itself, which cannot be read; it settles when Kafka has the letter."""
        self._teller.tell(signals.Refused(None, refusal.reason, 1, refusal.detail))
        self._letters.send([DeadLetter(record, page, None, None, refusal)])

    def work(self) -> None:
        """Fetch, and send on its way, a few events of one case that is due, while Kafka takes what was sent before."""
        while (due := self._agenda.next_due(unix=self._wall())) is not None:
            self._ready.append(due)
        if not self._ready or self._letters.trouble or self._replays.trouble or len(self._waits) >= MOST_FETCHED:
            return
        case = self._ready.popleft()
        if not case.over:
            self._advance(case)

    def settle(self, timeout: float) -> list[Case]:
        """Return the cases for which nothing is left to do, waiting at most `timeout` seconds for Kafka's answers."""
        letters, failed = self._letters.collect(timeout)
        for (name, reason), events in Counter((each.destination, each.refusal.reason) for each in letters).items():
            self._teller.tell(signals.Buried(name, reason, events))
        if failed:
            self._teller.tell(signals.BuryFailed(self._letters.trouble or "", failed))
        replays, failed = self._replays.collect(0.0 if letters or self._letters.pending else timeout)
        for name, events in Counter(each.destinations[0] for each in replays).items():
            self._teller.tell(signals.SentAgain(name, events))
        if failed:
            self._teller.tell(signals.ReplayFailed(self._replays.trouble or "", failed))
        acknowledged: list[DeadLetter | Replay] = [*letters, *replays]
        for item in acknowledged:
            case = self._waits.pop(item, None)
            if case is not None:
                case.out -= 1
                self._note_done(case)
            elif not item.page.ended:
                # A receipt that could not be read: the letter is of itself.
                item.page.settle(item.record.offset)
        done, self._done = self._done, []
        return done

    def under_way(self, pages: Sequence[Page]) -> bool:
        """Whether something of these pages is on its way to Kafka."""
        pending: list[DeadLetter | Replay] = [*self._letters.pending, *self._replays.pending]
        return any(item.page in pages for item in pending)

    def forget_over(self) -> None:
        """Forget what belongs to partitions that are no longer ours: their new owner reads the receipts again."""
        self._letters.forget()
        self._replays.forget()
        self._agenda.forget_over()
        self._waits = {item: case for item, case in self._waits.items() if not case.over}

    def _go_on(self, case: Case) -> None:
        if case.bury:
            self._ready.append(case)
        elif case.again:
            self._agenda.queue(case, case.again[0][0])
        else:
            self._note_done(case)

    def _note_done(self, case: Case) -> None:
        if not case.bury and not case.again and not case.out:
            self._done.append(case)

    def _advance(self, case: Case) -> None:
        """Do a part of what is due for a case."""
        places = self._places(case)
        if places is None:
            self._retry(case)
            return
        found = self._archive.fetch([_place(sent) for sent in places.values()], FETCH_SECONDS)
        reached = {index: sent for index, sent in places.items() if _place(sent) in found}
        for index, sent in reached.items():
            self._send(case, index, sent, found[_place(sent)])
        if len(reached) < len(places):
            self._retry(case)
        else:
            case.failures = 0
            self._go_on(case)

    def _places(self, case: Case) -> Mapping[int, Sent] | None:
        """Return what is to be fetched next, by its position in the batch; None if the receipt was not reached."""
        place = (case.page.topic, case.page.partition, case.offset)
        found = self._archive.fetch([place], FETCH_SECONDS)
        if place not in found:
            return None
        record = found[place]
        receipt = None if record is None else read_receipt(record.value or b"")
        if receipt is None or isinstance(receipt, str):
            self._abandon(case)
            return {}
        return {index: receipt.events[index] for index in case.due(self._wall())[:MOST_FETCHED]}

    def _send(self, case: Case, index: int, sent: Sent, record: Record | None) -> None:
        refusal = case.take(index)
        if record is None:
            self._tell_gone(case, 1)
            return
        case.out += 1
        if refusal is None:
            replay = Replay(record, case.page, (case.destination,))
            self._waits[replay] = case
            self._replays.send([replay])
        else:
            name, platform = case.destination, self._platforms[case.destination]
            letter = DeadLetter(record, case.page, name, platform, refusal, sent.event_id or None, attempts=1)
            self._waits[letter] = case
            self._letters.send([letter])

    def _retry(self, case: Case) -> None:
        """Kafka did not give records back: try again later, until patience ends."""
        now = self._wall()
        if case.waited(now) > PATIENCE_SECONDS:
            self._abandon(case)
            self._note_done(case)
            return
        case.failures += 1
        self._agenda.queue(case, now + backoff(case.failures, chance=self._chance(), cap=LONGEST_WAIT_SECONDS))

    def _abandon(self, case: Case) -> None:
        self._tell_gone(case, len(case.bury) + sum(len(indices) for _, indices in case.again))
        case.bury.clear()
        case.again.clear()

    def _tell_gone(self, case: Case, events: int) -> None:
        self._teller.tell(signals.RecordsGone(case.destination, case.id, events))


def _place(sent: Sent) -> Place:
    return sent.topic, sent.partition, sent.offset


def _wanted(item: DeadLetter | Replay) -> bool:
    return not item.page.ended
