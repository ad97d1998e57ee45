"""What the demo publishes: a day of the shop, good events and mishaps shuffled, each with what must become of it.

Pure: the same seed at the same time gives the same records, byte for byte.
Invariant: every expectation is known before the worker runs, so the demo compares set with set, not sum with sum.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Final

from pipeline.core.avro.encode import Encoder
from pipeline.core.contract import Kind
from pipeline.core.decode import Contract
from pipeline.core.model import Headers
from pipeline.core.reason import Reason
from pipeline.demo.flaws import FLAWS, GOOD, REPEATED, Flaw, Outcome, times
from pipeline.demo.people import ASK_FIRST, MARKETS
from pipeline.demo.shop import Draft, Shop

FEWEST_EVENTS: Final = 60
# What the platform shall call them: known by heart here, so that a wrong name does not go unseen.
PLATFORM_NAMES: Final[Mapping[str, str]] = {
    "PLACED": "Purchase",
    "SUBMITTED": "Lead",
    "QUALIFIED": "QualifiedLead",
    "CONVERTED": "ConvertedLead",
}


@dataclass(frozen=True, slots=True)
class Expected:
    """What must become of a record: the reason of a skip or a dead letter, or what the platform must see of it."""

    outcome: Outcome
    reason: Reason | None = None
    event_id: str = ""
    event_name: str = ""
    event_time: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """A record to publish; `story` says in a few words what it is."""

    kind: Kind
    key: bytes
    value: bytes | None = field(repr=False)
    headers: Headers
    story: str
    expected: Expected


@dataclass(frozen=True, slots=True)
class Trade:
    """The records of the day, those to publish once the day is settled, and the ids that only the platform refuses."""

    day: Sequence[Sample]
    repeats: Sequence[Sample]
    refused_ids: Sequence[str]

    @property
    def records(self) -> int:
        """How many records there are in all."""
        return len(self.day) + len(self.repeats)


class TradeMaker:
    """Makes up the records; `now` is in Unix seconds."""

    def __init__(self, contract: Contract, encoders: Mapping[Kind, Encoder], *, seed: int, now: float) -> None:
        self._chance = Random(seed)  # noqa: S311 - a repeatable day, not a secret
        self._shop = Shop(self._chance, now, contract.schemas)
        self._encoders = encoders
        self._now_ms = int(now * 1000)

    def make(self, events: int) -> Trade:
        """Return a day of `events` records, at least `FEWEST_EVENTS`, of which some are repeats for later."""
        repeated = times(REPEATED, events)
        mishaps = [flaw for flaw in FLAWS for _ in range(times(flaw, events))]
        flaws = mishaps + [GOOD] * (events - repeated - len(mishaps))
        self._chance.shuffle(flaws)
        day = [self._sample(flaw) for flaw in flaws]
        good = [sample for sample in day if sample.story == GOOD.story]
        again = Expected(REPEATED.outcome, REPEATED.reason)
        repeats = [
            replace(sample, story=REPEATED.story, expected=again) for sample in self._chance.sample(good, repeated)
        ]
        return Trade(day, repeats, list(_refused(day)))

    def _sample(self, flaw: Flaw) -> Sample:
        draft = self._draft(flaw)
        flaw.spoil(draft.event, self._now_ms)
        value = flaw.mangle(self._encoders[draft.kind].encode(draft.event))
        # What a producer's tracing adds: it must arrive with a dead letter, untouched.
        trace = f"00-{self._chance.getrandbits(128):032x}-{self._chance.getrandbits(64):016x}-01"
        headers = (("traceparent", trace.encode()),)
        return Sample(draft.kind, draft.id.encode(), value, headers, flaw.story, _expected(flaw, draft))

    def _draft(self, flaw: Flaw) -> Draft:
        match flaw.needs:
            case "any":
                return self._shop.event()
            case "order":
                return self._shop.order()
            case "ask-first order":
                markets = [market for market in MARKETS if market.country in ASK_FIRST]
                return self._shop.order(self._chance.choice(markets))


def _expected(flaw: Flaw, draft: Draft) -> Expected:
    if flaw.reason in (None, Reason.REJECTED):
        name = PLATFORM_NAMES[draft.event["state"]]
        return Expected(flaw.outcome, flaw.reason, draft.event_id, name, draft.event_time)
    return Expected(flaw.outcome, flaw.reason)


def _refused(samples: Sequence[Sample]) -> Iterator[str]:
    for sample in samples:
        if sample.expected.reason is Reason.REJECTED:
            yield sample.expected.event_id
