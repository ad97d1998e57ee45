"""The trade that the demo publishes, and that the road makes of it what the demo knows beforehand."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import orjson
import pytest

from pipeline.config.destinations import load_destinations
from pipeline.core.avro.encode import Encoder
from pipeline.core.contract import Kind
from pipeline.core.decode import Reader, bundled_reader
from pipeline.core.ledger import Ledger
from pipeline.core.model import Delivery, Record
from pipeline.core.reason import Reason
from pipeline.core.wire import SchemaRef
from pipeline.demo.arrivals import arrival
from pipeline.demo.balance import Seen
from pipeline.demo.destinations import destinations_file
from pipeline.demo.flaws import FLAWS, GOOD, PLATFORMS, REPEATED, TAKEN_BACK
from pipeline.demo.maker import FEWEST_EVENTS, TradeMaker
from pipeline.demo.trade import SHOWCASE, Entry, Trade
from pipeline.edge.schema_files import load_contract, schema_texts
from pipeline.flow.clocks import Moment
from pipeline.flow.prepare import Prepared, Preparer
from pipeline.platforms import PLATFORMS as KINDS
from pipeline.platforms import open_platform

NOW = 1_763_712_000.5
CONTRACT = load_contract()
ENCODERS: dict[Kind, Encoder] = {kind: Encoder(text) for kind, text in schema_texts().items()}
TOPICS: tuple[Kind, ...] = ("order", "lead", "activity")
READERS: dict[str, Reader] = {kind: bundled_reader(CONTRACT, kind) for kind in TOPICS}


class BundledSchemas:
    """Schemas as a worker without a registry has them; topics are named by kind."""

    down: str | None = None

    def reader(self, topic: str, ref: SchemaRef | None) -> Reader:
        """Return the reader of the topic's kind; the shop names no schema."""
        assert ref is None

        return READERS[topic]

    def fetch(self, topic: str, ref: SchemaRef | None) -> None:
        """Nothing is ever missing."""
        raise AssertionError(f"asked for the schema {ref!r} of {topic}")


@cache
def made(events: int, seed: int = 1) -> Trade:
    """Return a trade."""
    return TradeMaker(CONTRACT, ENCODERS, seed=seed, now=NOW).make(events)


def all_of(trade: Trade) -> list[Entry]:
    """Return every record of a trade."""
    return [*trade.day, *trade.later]


def prepared(entries: Sequence[Entry], folder: Path) -> Prepared:
    """Take records through the road's own steps 2 to 5, for the demo's own destinations; topics are named by kind."""
    file = folder / "destinations.yaml"
    file.write_text(destinations_file("http://127.0.0.1:1"), encoding="utf-8")
    platforms = [open_platform(each) for each in load_destinations(file, KINDS, production=False)]
    ledger = Ledger()
    for topic in TOPICS:
        ledger.open_page(topic, 0)
    records = [
        Record(entry.kind, 0, offset, entry.key, entry.value, entry.headers, None)
        for offset, entry in enumerate(entries)
    ]
    return Preparer(platforms, BundledSchemas(), ledger).prepare(records, now=Moment(NOW, NOW))


def sightings(platform: str, deliveries: Sequence[Delivery]) -> set[Seen]:
    """Return what the journal of `platform` would say of these deliveries, if all of them were accepted."""
    seen = set()
    for item in deliveries:
        payload = orjson.loads(item.shaped.payload)
        line = {
            "platform": platform,
            "dataset": "",
            "event_id": payload["transactionId"] if platform == "google" else item.event_id,
            "event_name": item.shaped.event_name,
            "event_time": int(item.event_time),
        }
        seen.add(arrival(line, payload).seen)
    return seen


def test_same_seed() -> None:
    """The same seed at the same time gives the same records, byte for byte."""
    again = TradeMaker(CONTRACT, ENCODERS, seed=1, now=NOW).make(FEWEST_EVENTS)

    assert made(FEWEST_EVENTS) == again


def test_other_seed() -> None:
    """Another seed gives another day."""
    assert made(FEWEST_EVENTS, seed=1).day != made(FEWEST_EVENTS, seed=2).day


@pytest.mark.parametrize("events", [FEWEST_EVENTS, 120, 400])
def test_as_many_as_asked(events: int) -> None:
    """There are as many records as were asked for, every mishap among them, and the one with everything once."""
    trade = made(events)
    stories = Counter(entry.story for entry in all_of(trade))

    assert events == trade.records
    assert {GOOD.story, SHOWCASE, REPEATED.story, *(flaw.story for flaw in (*FLAWS, *TAKEN_BACK))} == set(stories)
    assert 1 == stories[SHOWCASE]


@pytest.mark.parametrize("events", [FEWEST_EVENTS, 120, 400, 5_000])
def test_below_the_budget(events: int) -> None:
    """What is meant for the dead letters stays well below the worker's budget of a fifth."""
    outlooks = [expected for entry in all_of(made(events)) for expected in entry.outlook.values()]

    assert sum(expected.outcome == "dead-lettered" for expected in outlooks) < 0.15 * len(outlooks)


def test_every_kind_and_stage() -> None:
    """Orders are placed, refunded and cancelled, leads of all stages come, and the steps of a funnel."""
    names = {expected.event_name for entry in all_of(made(400)) for expected in entry.outlook.values()}

    assert {"Purchase", "Lead", "QualifiedLead", "ConvertedLead", "LostLead", "AddToCart", "PAGE_VIEW"} <= names
    assert {"order", "lead", "activity"} == {entry.kind for entry in made(400).day}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_sightings_are_unique(platform: str) -> None:
    """No two events that a platform sees have the same id, name and time."""
    expected = [entry.outlook[platform] for entry in all_of(made(400))]
    seen = Counter((one.event_id, one.event_name, one.event_time) for one in expected if one.event_id)

    assert {1} == set(seen.values())


def test_repeats_are_copies() -> None:
    """A repeat is a good record again, byte for byte: who accepted it must not get it twice."""
    trade = made(400)
    originals = {(entry.key, entry.value, entry.headers): entry.outlook for entry in trade.day}
    repeats = [entry for entry in trade.later if entry.story == REPEATED.story]

    assert repeats
    for entry in repeats:
        before = originals[entry.key, entry.value, entry.headers]
        for platform, expected in entry.outlook.items():
            wanted = Reason.DUPLICATE if before[platform].outcome == "accepted" else before[platform].reason
            assert ("skipped", wanted) == (expected.outcome, expected.reason)


def test_taken_back_orders_were_sold() -> None:
    """A refund or a cancellation is of a good order of the same day, and Google knows both by one id."""
    trade = made(400)
    sold = {entry.key: entry.outlook["google"] for entry in trade.day if entry.story == GOOD.story}
    restated = [entry for entry in trade.later if entry.outlook["google"].outcome == "accepted"]

    assert restated
    for entry in restated:
        before, after = sold[entry.key], entry.outlook["google"]
        assert (before.event_id, before.event_name) == (after.event_id, after.event_name)
        assert before.worth != after.worth


@pytest.mark.parametrize("platform", PLATFORMS)
def test_refused_ids(platform: str) -> None:
    """A platform is told the ids of the events that it alone refuses, and all others accept them."""
    trade = made(400)
    refused = [entry for entry in trade.day if entry.outlook[platform].reason is Reason.REJECTED]

    assert [entry.outlook[platform].event_id for entry in refused] == trade.refused_ids(platform)
    assert len(PLATFORMS) - 1 == sum(expected.outcome == "accepted" for expected in refused[0].outlook.values())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_road_agrees(seed: int, tmp_path: Path) -> None:
    """What is known beforehand of every record at every platform is what the road makes of it."""
    entries = [entry for entry in all_of(made(1_000, seed)) if entry.story != REPEATED.story]
    out = prepared(entries, tmp_path)
    letters = {(letter.record.offset, letter.destination or ""): letter.refusal.reason for letter in out.letters}
    sent = {(item.record.offset, name) for name, items in out.deliveries.items() for item in items}
    skipped: Counter[tuple[str | None, Reason | None]] = Counter()
    for offset, entry in enumerate(entries):
        for platform, expected in entry.outlook.items():
            match expected.outcome:
                case "skipped":
                    skipped[platform, expected.reason] += 1
                case "dead-lettered" if expected.reason is not Reason.REJECTED:
                    assert expected.reason is letters[offset, expected.destination or ""], entry.story
                case _:
                    assert (offset, platform) in sent, (entry.story, platform)

    assert skipped == out.skipped


def test_events_leave_as_expected(tmp_path: Path) -> None:
    """What leaves for each platform has the id, the name, the time and the value that are known beforehand."""
    entries = [entry for entry in all_of(made(400)) if entry.story != REPEATED.story]
    wanted: dict[str, set[Seen]] = defaultdict(set)
    for entry in entries:
        for platform, one in entry.outlook.items():
            if one.outcome == "accepted" or one.reason is Reason.REJECTED:
                wanted[platform].add(Seen(one.event_id, one.event_name, one.event_time, one.worth))

    sent = prepared(entries, tmp_path).deliveries
    assert wanted == {platform: sightings(platform, deliveries) for platform, deliveries in sent.items()}
