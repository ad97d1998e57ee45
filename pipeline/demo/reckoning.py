"""The balance of all platforms: every record times every platform, against what each of them, Kafka and the worker say.

Pure. Each platform is judged by itself, so that an event that went astray to another one is missing here and too much
there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pipeline.demo.arrivals import Arrival
from pipeline.demo.balance import Account, Letter, Partition, Position, Published, balance, offsets
from pipeline.demo.flaws import PLATFORMS, Outcome
from pipeline.demo.gauges import Gauge
from pipeline.demo.trade import Entry

_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Placed:
    """A record of the trade, and where Kafka put it."""

    entry: Entry
    position: Position


@dataclass(frozen=True, slots=True)
class Evidence:
    """What became of the records: by the worker's metrics, what the platforms hold, and Kafka.

    `receipts` are the places of the records whose final word Google is to be asked for.
    """

    worker: Gauge
    arrivals: Sequence[Arrival]
    letters: Sequence[Letter]
    receipts: Sequence[Position]
    committed: Mapping[Partition, int]
    ends: Mapping[Partition, int]
    requests: int

    def counts(self, platform: str) -> Counter[tuple[Outcome, str]]:
        """Return how many records met which outcome and reason at `platform`."""
        found: Counter[tuple[Outcome, str]] = Counter()
        found["accepted", ""] = sum(one.platform == platform for one in self.arrivals)
        for (destination, reason), count in self.worker.skipped.items():
            if destination == platform:
                found["skipped", reason] += count
        for letter in self._letters(platform):
            found["dead-lettered", letter.reason] += 1
        return +found

    def account(self, platform: str) -> Account:
        """Return what concerns `platform`; offsets are everybody's, and left out."""
        skipped = {reason: count for (outcome, reason), count in self.counts(platform).items() if outcome == "skipped"}
        return Account(
            consumed=self.worker.consumed,
            skipped=skipped,
            accepted=[one.seen for one in self.arrivals if one.platform == platform],
            letters=self._letters(platform),
            committed={},
            ends={},
            requests=self.requests,
        )

    def _letters(self, platform: str) -> list[Letter]:
        """Return the letters of `platform`, and those of records that nobody could be sent."""
        return [letter for letter in self.letters if letter.destination in ("", platform)]


def meant(placed: Sequence[Placed], platform: str) -> Counter[tuple[Outcome, str]]:
    """Return how many records should meet which outcome and reason at `platform`."""
    outlooks = (item.entry.outlook[platform] for item in placed)
    return Counter((expected.outcome, expected.reason or "") for expected in outlooks)


def reckon(placed: Sequence[Placed], evidence: Evidence, accounts: Mapping[str, Collection[str]]) -> list[str]:
    """Return everything that does not balance, a sentence each; `accounts` are those that each platform may get."""
    findings: list[str] = []
    for platform in PLATFORMS:
        published = [Published(item.entry.at(platform), item.position) for item in placed]
        faults = [*balance(published, evidence.account(platform)), *_metrics(platform, evidence)]
        findings += [f"{platform}: {fault}" for fault in faults]
    findings += _receipts(placed, evidence.receipts)
    return [*findings, *_strangers(evidence, accounts), *offsets(evidence.committed, evidence.ends)]


def _metrics(platform: str, evidence: Evidence) -> Iterator[str]:
    """Yield where the worker counted something else than the platform and the dead-letter topic hold."""
    held, counted = evidence.counts(platform)["accepted", ""], evidence.worker.accepted[platform]
    if held != counted:
        yield f"holds {held} events, and the worker counted {counted} as accepted"
    lying = Counter(letter.reason for letter in evidence.letters if letter.destination == platform)
    buried = Counter(
        {reason: count for (one, reason), count in evidence.worker.dead_lettered.items() if one == platform}
    )
    for reason in sorted(lying.keys() | buried.keys()):
        if lying[reason] != buried[reason]:
            yield f"{lying[reason]} dead letters say {reason}, and the worker counted {buried[reason]}"


def _receipts(placed: Sequence[Placed], receipts: Sequence[Position]) -> Iterator[str]:
    """Yield whose final word nobody will ask for, and for whom one is awaited that should not be: by place, as sets."""
    wanted = {item.position for item in placed if item.entry.outlook["google"].outcome == "accepted"}
    found = Counter(receipts)
    for what, places in (
        ("was accepted, and there is no receipt to ask for its final word", wanted - found.keys()),
        ("has a receipt and should not", found.keys() - wanted),
        ("has more than one receipt", {place for place, count in found.items() if count > 1}),
    ):
        for topic, partition, offset in sorted(places)[:_SHOWN]:
            yield f"google: {topic}[{partition}]@{offset} {what}"


def _strangers(evidence: Evidence, accounts: Mapping[str, Collection[str]]) -> Iterator[str]:
    """Yield what is for a platform or an account that the demo does not have."""
    strange = Counter(one.platform for one in evidence.arrivals if one.account not in accounts.get(one.platform, ()))
    for platform, count in sorted(strange.items()):
        yield f"{platform}: {count} events were accepted for an account that is not the demo's"
    for destination in sorted({letter.destination for letter in evidence.letters} - {"", *PLATFORMS}):
        yield f"a dead letter names a destination that is not the demo's: {destination}"
