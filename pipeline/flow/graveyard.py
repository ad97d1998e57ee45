"""Step 10's refusals: where refused records wait until Kafka has them, and only then settle.

The vow is here: a letter leaves by acknowledgement, or with its partition, and in no other way.
A letter that Kafka did not take is tried again for as long as the partition is ours; meanwhile the worker holds.
Beyond the dead-letter budget letters are withheld: open in the ledger and nowhere else, so the offset stays, and a
restart reads the record again after a person has looked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pipeline.core.backoff import backoff
from pipeline.core.budget import Budget
from pipeline.core.ledger import Page
from pipeline.core.model import DeadLetter
from pipeline.core.ports import Burial, Chance, Clock, DeadLetters, Teller
from pipeline.core.reason import Reason
from pipeline.core.signals import BudgetSpent, Buried, BuryFailed, Refused

# A topic that comes back is noticed within this time.
MOST_WAIT_SECONDS = 10.0
# Failed letters that go again together, at most.
MOST_AT_ONCE = 512

Cause = tuple[str | None, Reason, str]


class Graveyard:
    """The letters of the owner thread: under way to Kafka, to be tried again, or withheld."""

    def __init__(
        self, dead_letters: DeadLetters, budget: Budget, teller: Teller, steady: Clock, chance: Chance
    ) -> None:
        self._dead_letters = dead_letters
        self._budget = budget
        self._teller = teller
        self._steady = steady
        self._chance = chance
        self._under_way: set[DeadLetter] = set()
        self._again: list[DeadLetter] = []
        self._again_at = 0.0
        # How many failed letters go at once: Kafka refuses a whole batch for one letter that is too large, so they
        # begin alone, and double for as long as Kafka takes them.
        self._at_once = 1
        self._failures = 0
        self._withheld: list[DeadLetter] = []
        # Why Kafka did not take the last letter, until it takes one.
        self.trouble: str | None = None

    @property
    def pending(self) -> int:
        """Letters that Kafka has not acknowledged."""
        return len(self._under_way) + len(self._again) + len(self._withheld)

    @property
    def withheld(self) -> str | None:
        """Why letters are kept back, or None while the budget lasts."""
        return f"{self._budget.ratio:.0%} of what was read lately was refused" if self._withheld else None

    def note_seen(self, count: int) -> None:
        """Count what was read, whatever becomes of it: it pays into the budget."""
        self._budget.note(seen=count, refused=0, now=self._steady())

    def bury(self, letters: Sequence[DeadLetter]) -> None:
        """Send letters on their way, within the budget. Those of ended pages are for the next owner to bury."""
        now = self._steady()
        letters = [letter for letter in letters if not letter.page.ended]
        for (destination, reason, detail), (count, first) in _by_cause(letters).items():
            self._teller.tell(Refused(destination, reason, count, detail, first.refusal.code))
        for letter in letters:
            self._budget.note(seen=0, refused=1, now=now)
            if not self._budget.spent:
                self._send(letter)
                continue
            if not self._withheld:
                self._teller.tell(BudgetSpent(*self._budget.figures))
            self._withheld.append(letter)

    def settle(self, timeout: float) -> None:
        """Settle what Kafka has acknowledged, waiting at most `timeout` seconds; try failed letters again in time."""
        now = self._steady()
        if self._again and not self._under_way and now >= self._again_at:
            going, self._again = self._again[: self._at_once], self._again[self._at_once :]
            for letter in going:
                self._send(letter)
        reports = self._dead_letters.reports(timeout if self._under_way else 0.0)
        taken = [burial.letter for burial in reports if burial.error is None]
        for letter in taken:
            self._under_way.discard(letter)
            letter.page.settle(letter.record.offset)
        for (destination, reason, _), (count, _) in _by_cause(taken).items():
            self._teller.tell(Buried(destination, reason, count))
        if taken:
            self._at_once = min(2 * self._at_once, MOST_AT_ONCE)
        self._note_failures([burial for burial in reports if burial.error is not None], now)
        if not self._again and (taken or not self._under_way):
            self._failures, self.trouble = 0, None

    def done_with(self, pages: Iterable[Page]) -> bool:
        """Whether no letter of these pages is under way."""
        ours = set(pages)
        return not any(letter.page in ours for letter in (*self._under_way, *self._again))

    def forget_ended(self) -> None:
        """Forget the letters of partitions that are no longer ours: their new owner reads the records again."""
        self._again = [letter for letter in self._again if not letter.page.ended]
        self._withheld = [letter for letter in self._withheld if not letter.page.ended]
        if not self._again and not self._under_way:
            self._failures, self.trouble = 0, None

    def _send(self, letter: DeadLetter) -> None:
        self._under_way.add(letter)
        self._dead_letters.bury(letter)

    def _note_failures(self, failed: Sequence[Burial], now: float) -> None:
        for burial in failed:
            self._under_way.discard(burial.letter)
            if not burial.letter.page.ended:
                self._again.append(burial.letter)
        if not failed or not self._again:
            return
        self._failures += 1
        self._at_once = 1
        self._again_at = now + backoff(self._failures, chance=self._chance(), cap=MOST_WAIT_SECONDS)
        self.trouble = failed[0].error
        self._teller.tell(BuryFailed(self.trouble or "", len(failed)))


def _by_cause(letters: Sequence[DeadLetter]) -> Mapping[Cause, tuple[int, DeadLetter]]:
    """Count letters by destination, reason and detail, with the first of each."""
    causes: dict[Cause, tuple[int, DeadLetter]] = {}
    for letter in letters:
        cause = (letter.destination, letter.refusal.reason, letter.refusal.detail)
        count, first = causes.get(cause, (0, letter))
        causes[cause] = (count + 1, first)
    return causes
