"""The day of trade that the demo publishes."""

from __future__ import annotations

from collections import Counter

import pytest

from pipeline.core.avro.encode import Encoder
from pipeline.core.consent import ConsentGate
from pipeline.core.contract import Kind
from pipeline.core.decode import Reader, bundled_reader, decode
from pipeline.core.destination import ConsentPolicy, Destination, Limits, Rule
from pipeline.core.ledger import Ledger
from pipeline.core.model import Event, Record
from pipeline.core.reason import Reason
from pipeline.core.wire import SchemaRef
from pipeline.demo.flaws import BURIED, FLAWS, REPEATED, Flaw, times
from pipeline.demo.people import ASK_FIRST, MARKETS
from pipeline.demo.trade import FEWEST_EVENTS, Sample, Trade, TradeMaker
from pipeline.edge.schema_files import load_contract, schema_texts
from pipeline.flow.clocks import Moment
from pipeline.flow.prepare import Prepared, Preparer
from pipeline.platforms import open_platform

NOW = 1_763_712_000.5
CONTRACT = load_contract()
ENCODERS: dict[Kind, Encoder] = {kind: Encoder(text) for kind, text in schema_texts().items()}
READERS: dict[Kind, Reader] = {kind: bundled_reader(CONTRACT, kind) for kind in ("order", "lead")}
STORES = frozenset(market.country.lower() for market in MARKETS)
DESTINATION = Destination(
    "m", "meta", "1", "live", Rule(stores=STORES), ConsentPolicy(), Limits(500, 900_000, 20.0), {"token": "t"}
)


class BundledSchemas:
    """Schemas as a worker without a registry has them: topics named by kind."""

    down: str | None = None

    def reader(self, topic: str, ref: SchemaRef | None) -> Reader:
        """Return the reader of the topic's kind; the shop names no schema."""
        assert ref is None

        return READERS["order" if topic == "order" else "lead"]

    def fetch(self, topic: str, ref: SchemaRef | None) -> None:
        """Nothing is ever missing."""
        raise AssertionError(f"asked for the schema {ref!r} of {topic}")


def made(events: int, seed: int = 1) -> Trade:
    """Return a day of trade."""
    return TradeMaker(CONTRACT, ENCODERS, seed=seed, now=NOW).make(events)


def record(sample: Sample, offset: int = 0) -> Record:
    """Return a sample as Kafka would give it; its topic is named as its kind."""
    return Record(sample.kind, 0, offset, sample.key, sample.value, sample.headers, None)


def prepared(samples: list[Sample]) -> Prepared:
    """Take samples through the road's own steps 2 to 5."""
    ledger = Ledger()
    for kind in ("order", "lead"):
        ledger.open_page(kind, 0)
    preparer = Preparer([open_platform(DESTINATION)], BundledSchemas(), ledger)
    return preparer.prepare([record(sample, offset) for offset, sample in enumerate(samples)], now=Moment(NOW, NOW))


def test_same_seed() -> None:
    """The same seed at the same time gives the same records, byte for byte."""
    assert made(FEWEST_EVENTS) == made(FEWEST_EVENTS)


def test_other_seed() -> None:
    """Another seed gives another day."""
    assert made(FEWEST_EVENTS, seed=1).day != made(FEWEST_EVENTS, seed=2).day


def test_times_follow_now() -> None:
    """Events lie in the hours before the time that was passed in."""
    good = [sample for sample in made(FEWEST_EVENTS).day if sample.story == "a good event"]

    assert all(NOW - 36 * 3600 - 1 <= sample.expected.event_time <= NOW - 59 for sample in good)


@pytest.mark.parametrize("events", [FEWEST_EVENTS, 120, 400])
def test_as_many_as_asked(events: int) -> None:
    """There are as many records as were asked for, every mishap among them."""
    trade = made(events)
    stories = {sample.story for sample in (*trade.day, *trade.repeats)}

    assert events == trade.records
    assert {"a good event", REPEATED.story, *(flaw.story for flaw in FLAWS)} == stories


@pytest.mark.parametrize("events", [FEWEST_EVENTS, 120, 400, 5_000])
def test_below_the_budget(events: int) -> None:
    """What is meant for the dead letters stays below the worker's budget of a fifth."""
    assert sum(times(flaw, events) for flaw in BURIED) < 0.2 * events


def test_ids_are_unique() -> None:
    """No two events that the platform sees have the same id."""
    ids = Counter(sample.expected.event_id for sample in made(400).day if sample.expected.event_id)

    assert {1} == set(ids.values())


def test_repeats_are_copies() -> None:
    """A repeat is an accepted record again, byte for byte, and is expected to be skipped."""
    trade = made(120)
    originals = {(sample.key, sample.value, sample.headers): sample.expected.outcome for sample in trade.day}

    assert all(originals[item.key, item.value, item.headers] == "accepted" for item in trade.repeats)
    assert {Reason.DUPLICATE} == {item.expected.reason for item in trade.repeats}


def test_refused_ids() -> None:
    """The platform is told exactly the ids of the events that only it refuses."""
    trade = made(400)
    rejected = {sample.expected.event_id for sample in trade.day if sample.expected.reason is Reason.REJECTED}

    assert rejected == set(trade.refused_ids)


@pytest.mark.parametrize("flaw", FLAWS, ids=lambda flaw: flaw.story)
def test_the_road_agrees(flaw: Flaw) -> None:
    """What the generator expects of a record is what the road makes of it."""
    samples = [sample for sample in made(120, seed=3).day if sample.story == flaw.story]
    out = prepared(samples)
    reasons = {skip for _, skip in out.skipped} | {letter.refusal.reason for letter in out.letters}
    on_the_way = sum(map(len, out.deliveries.values()))

    if samples[0].expected.reason in (None, Reason.REJECTED):
        assert (set(), len(samples)) == (reasons, on_the_way)
    else:
        assert ({samples[0].expected.reason}, 0) == (reasons, on_the_way)


def test_good_events_are_sent_as_expected() -> None:
    """A good event leaves for the platform with the id, the name and the time that the generator expects."""
    samples = [sample for sample in made(120).day if sample.expected.outcome == "accepted"]
    sent = prepared(samples).deliveries["m"]

    assert [(item.expected.event_id, item.expected.event_name, item.expected.event_time) for item in samples] == [
        (delivery.event_id, delivery.shaped.event_name, int(delivery.event_time)) for delivery in sent
    ]


def test_asked_first() -> None:
    """Without a recorded choice an event is skipped only where consent must be asked first."""
    samples = [sample for sample in made(400).day if sample.expected.reason is Reason.CONSENT_UNKNOWN]
    events = [decode(record(sample), READERS[sample.kind]) for sample in samples]

    assert all(isinstance(event, Event) and event.body["consent"]["region"] in ASK_FIRST for event in events)
    gate = ConsentGate(DESTINATION.consent)
    assert {"unknown_skipped"} == {gate.decide(event.body) for event in events if isinstance(event, Event)}
