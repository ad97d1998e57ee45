"""Open receipts: what is known of each, when it is due, and when its platform may be asked about the next."""

from __future__ import annotations

import heapq
from array import array
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Final as Constant

from pipeline.core.backoff import backoff
from pipeline.core.ledger import Page
from pipeline.core.model import Halt, Later, Refusal
from pipeline.core.pace import Pace
from pipeline.core.ports import Chance
from pipeline.core.signals import Fate
from pipeline.platforms.follow import Again, Bury, Counted, Done, Final

# Questions that are out at one time.
MOST_ASKING: Constant = 4
# Who may not ask tries again this often, in case the cause was mended.
HALT_SECONDS: Constant = 60.0
# So long a platform, or Kafka, may give no answer at all before a receipt is given up.
PATIENCE_SECONDS: Constant = 3 * 86_400.0


@dataclass(slots=True, eq=False)
class Case:
    """One open receipt: where its record is, and what has to be done about it. Its events are in that record only.

    Times are Unix seconds: `sent_at` as in the receipt, `opened_at` when it was read here, `asked_at` when the platform
    last gave an answer. Once it has decided, `bury` and `again` hold the positions that are left to do; those of
    `again` with the time before which they are not to be sent. `out` counts what is under way to Kafka.
    """

    page: Page
    offset: int
    key: bytes
    destination: str
    id: str
    sent_at: float
    events: int
    opened_at: float
    asked_at: float | None = None
    failures: int = 0
    bury: dict[int, Refusal] = field(default_factory=dict)
    again: list[tuple[float, array[int]]] = field(default_factory=list)
    out: int = 0
    closed: bool = False

    @property
    def over(self) -> bool:
        """Whether it is closed, or somebody else's by now."""
        return self.closed or self.page.ended

    def waited(self, unix: float) -> float:
        """Seconds since there could first have been an answer to us."""
        return unix - max(self.sent_at, self.opened_at)

    def decide(self, final: Final) -> Mapping[Fate, int]:
        """Note what is to become of each event, and return how many have which fate."""
        again: dict[float, array[int]] = {}
        fates: Counter[Fate] = Counter({"unplaced": sum(final.unplaced.values())})
        for index, fate in final.fates.items():
            match fate:
                case Bury(refusal):
                    self.bury[index] = replace(refusal, trace_id=self.id)
                    fates["bury"] += 1
                case Again(seconds):
                    again.setdefault(seconds, array("I")).append(index)
                    fates["again"] += 1
                case Counted():
                    fates["counted"] += 1
                case Done():
                    pass
        # By the time of sending, so that a restart does not begin the wait anew.
        self.again = sorted((self.sent_at + seconds, indices) for seconds, indices in again.items())
        fates["done"] = max(0, self.events - fates.total())
        return +fates

    def due(self, unix: float) -> list[int]:
        """Return the positions to bury, or else those that may be sent again by that Unix time."""
        return list(self.bury) or [index for due, indices in self.again if due <= unix for index in indices]

    def take(self, index: int) -> Refusal | None:
        """Take a position from what is left to do; return why it is to be buried, or None if it is to be sent again."""
        refusal = self.bury.pop(index, None)
        if refusal is None:
            for _, indices in self.again:
                if index in indices:
                    indices.remove(index)
            self.again = [entry for entry in self.again if entry[1]]
        return refusal


class Agenda:
    """Cases by when they are due, in Unix seconds."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, Case]] = []
        self._tiebreak = count()

    def queue(self, case: Case, due: float) -> None:
        """Let a case wait until that time."""
        heapq.heappush(self._waiting, (due, next(self._tiebreak), case))

    def next_due(self, *, unix: float) -> Case | None:
        """Return the next case that is due, and forget that it waits; None when there is none."""
        while self._waiting and self._waiting[0][0] <= unix:
            case = heapq.heappop(self._waiting)[2]
            if not case.over:
                return case
        return None

    def forget_over(self) -> None:
        """Forget cases that are closed, or of partitions that are no longer ours."""
        self._waiting = [entry for entry in self._waiting if not entry[2].over]
        heapq.heapify(self._waiting)


class Desk(Agenda):
    """Cases that the platform is to be asked about. `now` is monotonic, `unix` the wall clock, in seconds."""

    def __init__(self, rate: float, chance: Chance) -> None:
        super().__init__()
        self.pace = Pace(rate)
        self.asking = 0
        self._chance = chance
        self._silent_until = 0.0
        self._failures = 0

    def may_ask(self, *, now: float, unix: float) -> bool:
        """Whether a question may go now."""
        return self.asking < MOST_ASKING and now >= self._silent_until and self.pace.wait(now=now, unix=unix) == 0

    def answered(self) -> None:
        """Note that the platform answers."""
        self._failures = 0

    def unanswered(self, answer: Later | Halt, *, now: float) -> None:
        """Note that it does not: nobody asks for a while."""
        self._failures += 1
        usual = HALT_SECONDS if isinstance(answer, Halt) else backoff(self._failures, chance=self._chance())
        self._silent_until = now + max(answer.wait or 0.0, usual)
