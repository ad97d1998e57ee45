"""Where refused records wait until Kafka has them: nothing leaves it but by acknowledgement, or with its partition.

A letter that Kafka did not take is tried again for as long as the partition is ours; meanwhile the worker holds.
"""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.core.backoff import backoff
from pipeline.core.ledger import Page
from pipeline.core.model import DeadLetter
from pipeline.core.ports import Chance, DeadLetters, Teller
from pipeline.core.signals import BuryFailed


class Graveyard:
    """The letters of the owner thread: under way to Kafka, to be tried again, or withheld beyond the budget."""

    def __init__(self, dead_letters: DeadLetters, teller: Teller, chance: Chance) -> None:
        self._dead_letters = dead_letters
        self._teller = teller
        self._chance = chance
        self._under_way: set[DeadLetter] = set()
        self._again: list[DeadLetter] = []
        self._again_at = 0.0
        self._failures = 0
        self._withheld: list[DeadLetter] = []
        # Why Kafka did not take the last letter, until it takes one.
        self.trouble: str | None = None

    @property
    def pending(self) -> int:
        """Letters that Kafka has not acknowledged."""
        return len(self._under_way) + len(self._again) + len(self._withheld)

    @property
    def withheld(self) -> bool:
        """True when letters are kept back because the budget is spent."""
        return bool(self._withheld)

    def bury(self, letter: DeadLetter) -> None:
        """Send a letter on its way."""
        self._under_way.add(letter)
        self._dead_letters.bury(letter)

    def withhold(self, letter: DeadLetter) -> None:
        """Keep a letter back: it stays open in the ledger, so its offset cannot be passed."""
        self._withheld.append(letter)

    def acknowledged(self, timeout: float, *, now: float) -> list[DeadLetter]:
        """Return the letters that Kafka has since the last call; try the failed ones again when it is time."""
        if self._again and now >= self._again_at:
            again, self._again = self._again, []
            for letter in again:
                self.bury(letter)
        taken: list[DeadLetter] = []
        failed: list[tuple[DeadLetter, str]] = []
        for burial in self._dead_letters.reports(timeout if self._under_way else 0.0):
            self._under_way.discard(burial.letter)
            if burial.error is None:
                taken.append(burial.letter)
            elif not burial.letter.page.ended:
                failed.append((burial.letter, burial.error))
        if failed:
            self._failures += 1
            self._again += [letter for letter, _ in failed]
            wait = backoff(self._failures, chance=self._chance(), cap=10.0)
            self._again_at = now + wait
            self.trouble = failed[0][1]
            self._teller.tell(BuryFailed(self.trouble, len(failed)))
        elif taken and not self._again:
            self._failures, self.trouble = 0, None
        return taken

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
