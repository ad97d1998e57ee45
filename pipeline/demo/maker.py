"""Makes up the trade: a day of the shop, mishaps among good events, and what comes of some of it later.

Pure: the same seed at the same time gives the same records, byte for byte.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from random import Random
from typing import Final

from pipeline.core.avro.encode import Encoder
from pipeline.core.contract import Kind
from pipeline.core.decode import Contract
from pipeline.core.reason import Reason
from pipeline.demo.flaws import FLAWS, GOOD, PLATFORMS, REPEATED, TAKEN_BACK, Flaw, times
from pipeline.demo.foresight import foresee
from pipeline.demo.people import ASK_FIRST, MARKETS
from pipeline.demo.shop import Draft, Shop
from pipeline.demo.trade import SHOWCASE, Entry, Expected, Trade

FEWEST_EVENTS: Final = 80


class TradeMaker:
    """Makes up the records; `now` is in Unix seconds."""

    def __init__(self, contract: Contract, encoders: Mapping[Kind, Encoder], *, seed: int, now: float) -> None:
        self._chance = Random(seed)  # noqa: S311 - a repeatable day, not a secret
        self._shop = Shop(self._chance, now, contract.schemas)
        self._encoders = encoders
        self._now_ms = int(now * 1000)

    def make(self, events: int) -> Trade:
        """Return a trade of `events` records, at least `FEWEST_EVENTS`."""
        returns = [flaw for flaw in TAKEN_BACK for _ in range(times(flaw, events))]
        copies = times(REPEATED, events)
        mishaps = [flaw for flaw in FLAWS for _ in range(times(flaw, events))]
        # One more is the one with everything.
        good = events - len(returns) - copies - len(mishaps) - 1
        flaws = mishaps + [GOOD] * good
        self._chance.shuffle(flaws)
        drafts = [(flaw, self._draft(flaw)) for flaw in flaws]
        day = [self._entry(draft, flaw) for flaw, draft in drafts]
        sold = [draft for flaw, draft in drafts if flaw is GOOD and draft.name == "order_placed"]
        later = [
            *map(self._taken_back, self._chance.sample(sold, len(returns)), returns),
            *map(_again, self._chance.sample([entry for entry in day if entry.story == GOOD.story], copies)),
        ]
        self._chance.shuffle(later)
        showcase = self._entry(self._shop.showcase(), replace(GOOD, story=SHOWCASE))
        day.insert(self._chance.randrange(len(day)), showcase)
        return Trade(day, later)

    def _draft(self, flaw: Flaw) -> Draft:
        if flaw is GOOD:
            return self._shop.event()
        return self._spoiled(self._sound(flaw), flaw)

    def _sound(self, flaw: Flaw) -> Draft:
        """Return a good event of the sort that `flaw` needs."""
        match flaw.needs:
            case "any":
                return self._shop.event()
            case "order":
                return self._shop.order()
            case "ask-first order":
                markets = [market for market in MARKETS if market.country in ASK_FIRST]
                return self._shop.order(self._chance.choice(markets))

    def _spoiled(self, draft: Draft, flaw: Flaw) -> Draft:
        """Let one mishap befall an event whose consent is plain: two at once would be a matter of precedence."""
        consent = draft.event["consent"]
        consent.update({"ad_user_data": "GRANTED", "ad_personalization": "GRANTED", "limited_data_use": None})
        flaw.spoil(draft.event, self._now_ms)
        return draft

    def _taken_back(self, draft: Draft, flaw: Flaw) -> Entry:
        copy = Draft(draft.kind, draft.id, deepcopy(draft.event))
        return self._entry(self._spoiled(copy, flaw), flaw)

    def _entry(self, draft: Draft, flaw: Flaw) -> Entry:
        value = flaw.mangle(self._encoders[draft.kind].encode(draft.event))
        # What a producer's tracing adds: it must arrive with a dead letter, untouched.
        trace = f"00-{self._chance.getrandbits(128):032x}-{self._chance.getrandbits(64):016x}-01"
        headers = (("traceparent", trace.encode()),)
        outlook = {platform: foresee(platform, draft, flaw.fates) for platform in PLATFORMS}
        return Entry(draft.kind, draft.id.encode(), value, headers, flaw.story, outlook)


def _again(entry: Entry) -> Entry:
    """Return the same record once more: who accepted it must not get it twice, who skipped it skips it again."""
    outlook = {
        platform: Expected("skipped", Reason.DUPLICATE, destination=platform)
        if expected.outcome == "accepted"
        else expected
        for platform, expected in entry.outlook.items()
    }
    return replace(entry, story=REPEATED.story, outlook=outlook)
