"""Records become deliveries, letters or skips, and enter the ledger in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from avro_events import READERS, avsc, encode, full_activity, full_lead, full_order
from fakes import FakeSchemas
from toy import DAY, LIMITS, Toy, destination
from typing_extensions import override
from virtual_loop import EPOCH

from pipeline.core.contract import Kind
from pipeline.core.destination import ConsentPolicy, Rule
from pipeline.core.ledger import Ledger
from pipeline.core.model import Event, Record, Refusal, Shaped, Skipped
from pipeline.core.reason import Reason
from pipeline.core.replay import Replay, ReplayTopic, replay_posting
from pipeline.core.wire import prefixed
from pipeline.flow.clocks import Moment
from pipeline.flow.prepare import FUTURE_SECONDS, Prepared, Preparer

ORDERS_ONLY = replace(destination("orders-only"), rule=Rule(kinds=frozenset({"order"})))
DENIED_BY = Rule(stores=frozenset({"nowhere"}))


def order(event_id: str = "a", *, at: float = EPOCH) -> bytes:
    """Return an order on the wire."""
    return encode(full_order() | {"event_id": event_id, "occurred_at": int(at * 1000)}, avsc("order"))


@dataclass
class Scene:
    """A preparer of one or more toys, with the partition 0 of `orders` and of `leads` ours."""

    platforms: Sequence[Toy] = field(default_factory=lambda: [Toy(destination())])

    def __post_init__(self) -> None:
        self.schemas = FakeSchemas({"orders": READERS["order"], "leads": READERS["lead"]})
        self.ledger = Ledger()
        self.page = self.ledger.open_page("orders", 0)
        self.leads = self.ledger.open_page("leads", 0)
        self.preparer = Preparer(self.platforms, self.schemas, self.ledger)

    def prepare(self, *values: bytes | None, topic: str = "orders", partition: int = 0) -> Prepared:
        """Prepare records with these values, offsets from 0."""
        records = [Record(topic, partition, offset, b"k", value, (), None) for offset, value in enumerate(values)]
        return self.preparer.prepare(records, now=Moment(EPOCH, EPOCH))


@dataclass
class ReplayScene(Scene):
    """A preparer that also reads the replay topic, whose partition 0 is ours."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.replays = self.ledger.open_page("replay", 0)
        self.preparer = Preparer(
            self.platforms, self.schemas, self.ledger, ReplayTopic("replay", {"orders", "leads", "other"})
        )

    def replay(self, value: bytes | None, *names: str, origin: str = "orders") -> Prepared:
        """Prepare a replay of a record for these destinations."""
        first = Replay(Record(origin, 5, 99, b"k", value, (), None), self.replays, names)
        posting = replay_posting(first)
        again = Record("replay", 0, 0, posting.key, posting.value, posting.headers, None)
        return self.preparer.prepare([again], now=Moment(EPOCH, EPOCH))


def refusals(prepared: Prepared) -> list[tuple[str | None, Reason]]:
    """Return destination and reason of each letter."""
    return [(letter.destination, letter.refusal.reason) for letter in prepared.letters]


def test_order_becomes_a_delivery() -> None:
    """An event is shaped for its destination, and its record is open until that is settled."""
    scene = Scene()
    prepared = scene.prepare(order("a"))
    (delivery,) = prepared.deliveries["toy"]

    assert ("toy", "order_placed", "a", EPOCH, b"a") == (
        delivery.destination,
        delivery.event,
        delivery.event_id,
        delivery.event_time,
        delivery.shaped.payload,
    )
    assert (0, 1) == (scene.page.watermark(), scene.page.open_records)


def test_one_delivery_a_destination() -> None:
    """A record for several destinations is open until each of them is settled."""
    scene = Scene([Toy(destination("one")), Toy(destination("two"))])
    prepared = scene.prepare(order())
    scene.page.settle(0)
    half = scene.page.watermark()
    scene.page.settle(0)

    assert {"one": 1, "two": 1} == {name: len(items) for name, items in prepared.deliveries.items()}
    assert (0, 1) == (half, scene.page.watermark())


def test_keeps_the_order() -> None:
    """Deliveries and offsets are in the order of the records."""
    scene = Scene()
    prepared = scene.prepare(order("a"), order("b"), order("c"))

    assert ["a", "b", "c"] == [item.event_id for item in prepared.deliveries["toy"]]
    assert 3 == scene.page.next_offset


def test_skip_settles() -> None:
    """What the rule does not want is counted as skipped, and its record is settled at once."""
    scene = Scene([Toy(destination(rule=DENIED_BY))])
    prepared = scene.prepare(order())

    assert {("toy", Reason.NOT_ROUTED): 1} == prepared.skipped
    assert 1 == scene.page.watermark()


def test_skip_of_one_destination_leaves_the_other() -> None:
    """One destination's skip settles nothing of another's delivery."""
    scene = Scene([Toy(destination("no", rule=DENIED_BY)), Toy(destination("yes"))])
    prepared = scene.prepare(order())

    assert {("no", Reason.NOT_ROUTED): 1} == prepared.skipped
    assert (["yes"], 0) == ([name for name, items in prepared.deliveries.items() if items], scene.page.watermark())


def test_no_platform_event_is_skipped() -> None:
    """What the platform has no event for is skipped with that reason."""
    scene = Scene()
    prepared = scene.prepare(encode(full_lead(), avsc("lead")), topic="leads")

    assert {("toy", Reason.NO_PLATFORM_EVENT): 1} == prepared.skipped
    assert 1 == scene.leads.watermark()


def test_consent_denied_is_skipped() -> None:
    """Without consent nothing is shaped at all."""
    denied = full_order()
    denied["consent"]["ad_user_data"] = "DENIED"
    prepared = Scene().prepare(encode(denied, avsc("order")))

    assert {("toy", Reason.CONSENT_DENIED): 1} == prepared.skipped
    assert [] == prepared.letters


def with_consent(choice: str, region: str = "DE") -> bytes:
    """Return an order with this choice on the wire."""
    chosen = full_order()
    chosen["consent"] |= {"ad_user_data": choice, "region": region}
    return encode(chosen, avsc("order"))


def test_decisions_are_counted() -> None:
    """What consent decided is counted for each destination whose rule wants the event, and for no other."""
    strict, orders_only = replace(destination("strict"), consent=ConsentPolicy()), ORDERS_ONLY
    not_here = replace(destination("not-here"), rule=DENIED_BY)
    scene = Scene([Toy(strict), Toy(orders_only), Toy(not_here)])
    values = [with_consent("GRANTED")] * 2 + [with_consent("UNKNOWN"), with_consent("UNKNOWN", "US")]
    prepared = scene.prepare(*values, with_consent("DENIED"), None, b"\x02")

    assert {
        ("strict", "granted"): 2,
        ("strict", "unknown_skipped"): 1,
        ("strict", "unknown_sent"): 1,
        ("strict", "denied"): 1,
        ("orders-only", "granted"): 2,
        ("orders-only", "unknown_sent"): 2,
        ("orders-only", "denied"): 1,
    } == prepared.decisions


def test_an_expired_choice_is_skipped() -> None:
    """A grant that is too old for the destination's policy is skipped with a reason of its own."""
    policy = ConsentPolicy(expires_after_days=1)
    old = full_order()
    old["consent"] |= {"ad_user_data": "GRANTED", "region": "DE", "recorded_at": old["occurred_at"] - 2 * 86_400_000}
    prepared = Scene([Toy(replace(destination(), consent=policy))]).prepare(encode(old, avsc("order")))

    assert {("toy", Reason.CONSENT_EXPIRED): 1} == prepared.skipped
    assert {("toy", "expired_skipped"): 1} == prepared.decisions


def test_tombstone_is_skipped_for_all() -> None:
    """A record without a value is skipped for every destination."""
    scene = Scene([Toy(destination("one")), Toy(destination("two"))])
    prepared = scene.prepare(None)

    assert {("one", Reason.TOMBSTONE): 1, ("two", Reason.TOMBSTONE): 1} == prepared.skipped
    assert 1 == scene.page.watermark()


def test_unreadable_record_is_one_letter() -> None:
    """Bytes that are no event are one letter for no destination, and open until it is buried."""
    scene = Scene([Toy(destination("one")), Toy(destination("two"))])
    prepared = scene.prepare(b"\x02")

    assert [(None, Reason.UNDECODABLE)] == refusals(prepared)
    assert (0, 1) == (scene.page.watermark(), scene.page.open_records)
    scene.page.settle(0)
    assert 1 == scene.page.watermark()


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (EPOCH - 7 * DAY, Reason.EXPIRED),
        (EPOCH - 7 * DAY + 0.001, None),
        (EPOCH + FUTURE_SECONDS, None),
        (EPOCH + FUTURE_SECONDS + 0.001, Reason.FUTURE),
    ],
)
def test_age_limits(at: float, expected: Reason | None) -> None:
    """Too old and too far ahead are letters; up to a minute ahead is a delivery that is held until due."""
    prepared = Scene().prepare(order(at=at))

    assert ([] if expected is None else [("toy", expected)]) == refusals(prepared)
    assert (expected is None) == bool(prepared.deliveries["toy"])


def test_larger_than_a_request() -> None:
    """An event that alone exceeds a request is a letter, one byte fewer is a delivery."""
    small = Toy(destination(limits=replace(LIMITS, bytes_per_request=256 + 5)))
    prepared = Scene([small]).prepare(order("x" * 5), order("x" * 6))

    assert [("toy", Reason.OVERSIZE)] == refusals(prepared)
    assert ["x" * 5] == [item.event_id for item in prepared.deliveries["toy"]]


def test_unknown_schema_waits() -> None:
    """At the first record whose schema is not known everything waits: what was before is taken, nothing after."""
    scene = Scene()
    strange = prefixed(7, order())
    prepared = scene.prepare(order("a"), strange, order("b"))

    assert ([1, 2], ("orders", 7)) == ([record.offset for record in prepared.unread], prepared.missing)
    assert (["a"], 1) == ([item.event_id for item in prepared.deliveries["toy"]], scene.page.next_offset)
    assert not scene.preparer.can_read(prepared.unread[0])


def test_schema_that_arrives_is_read() -> None:
    """Once the schema is there the record is read."""
    scene = Scene()
    strange = prefixed(7, order("a"))
    unread = scene.prepare(strange).unread
    scene.schemas.arrive("orders", 7, replace(READERS["order"], start=5))
    prepared = scene.preparer.prepare(unread, now=Moment(EPOCH, EPOCH))

    assert ["a"] == [item.event_id for item in prepared.deliveries["toy"]]


def test_schema_that_does_not_exist() -> None:
    """A schema that the registry does not know is the record's own fault: a letter."""
    scene = Scene()
    scene.schemas.arrive("orders", 7, Refusal(Reason.SCHEMA_UNKNOWN, "no schema 7"))
    prepared = scene.prepare(prefixed(7, order()))

    assert [(None, Reason.SCHEMA_UNKNOWN)] == refusals(prepared)


def test_record_of_another_owner() -> None:
    """A record whose partition is not ours any more is left to its owner."""
    prepared = Scene().prepare(order(), partition=3)

    assert ([], []) == (prepared.deliveries["toy"], prepared.letters)


def test_counts_what_was_taken() -> None:
    """Records and bytes are counted by topic, without what is unread."""
    scene = Scene()
    prepared = scene.prepare(order("a"), order("b"), prefixed(7, order()))

    assert {"orders": (2, 2 * (len(order("a")) + 1 + 200))} == prepared.taken


def test_bytes_in_flight() -> None:
    """A record in flight weighs its own size and the payloads made of it."""
    scene = Scene([Toy(destination("one")), Toy(destination("two"))])
    scene.prepare(order("abc"))

    assert len(order("abc")) + 1 + 200 + 2 * 3 == scene.ledger.open_bytes


def test_lost_headers_are_said() -> None:
    """A record whose headers the client could not read is refused as undecodable: it cannot be kept whole."""
    scene = Scene()
    record = Record("orders", 0, 0, b"k", order("a"), (), None, headers_lost=True)
    prepared = scene.preparer.prepare([record], now=Moment(EPOCH, EPOCH))

    assert [(None, Reason.UNDECODABLE)] == refusals(prepared)
    assert 0 == scene.page.watermark()


def test_a_replay_goes_to_whom_it_is_for() -> None:
    """A replayed record becomes a delivery for the named destination alone, marked as asked for once more."""
    scene = ReplayScene([Toy(destination("one")), Toy(destination("two"))])
    prepared = scene.replay(order("a"), "two")
    plain = scene.prepare(order("a"))

    assert {"one": [], "two": [True]} == {
        name: [item.replayed for item in items] for name, items in prepared.deliveries.items()
    }
    assert (0, {}, {("two", "granted"): 1}) == (scene.replays.watermark(), prepared.skipped, prepared.decisions)
    assert {False} == {item.replayed for items in plain.deliveries.values() for item in items}


def test_a_replay_is_what_it_was() -> None:
    """What a replayed record holds is decided by the topic of its first life."""
    assert {("toy", Reason.NO_PLATFORM_EVENT): 1} == ReplayScene().replay(
        encode(full_lead(), avsc("lead")), "toy", origin="leads"
    ).skipped


def test_a_replay_waits_for_its_schema() -> None:
    """A schema that is not known is fetched for the topic of the first life."""
    scene = ReplayScene()
    prepared = scene.replay(prefixed(7, order()), "toy")

    assert (("orders", 7), 1) == (prepared.missing, len(prepared.unread))
    assert not scene.preparer.can_read(prepared.unread[0])


@pytest.mark.parametrize(("names", "origin"), [(["stranger"], "orders"), (["toy"], "elsewhere"), ([""], "orders")])
def test_a_replay_for_nobody_is_buried(names: list[str], origin: str) -> None:
    """A replay that names nobody whom this worker serves, or comes from elsewhere, is a dead letter."""
    scene = ReplayScene()
    prepared = scene.replay(order(), *names, origin=origin)

    assert [(None, Reason.MISADDRESSED)] == refusals(prepared)
    assert ([], 0) == (prepared.deliveries["toy"], scene.replays.watermark())


def test_a_replay_for_a_stranger_too_is_delivered_and_buried() -> None:
    """Of a replay for one whom this worker serves and one whom it does not, neither is passed over."""
    scene = ReplayScene()
    prepared = scene.replay(order("a"), "toy", "stranger")

    assert ([(None, Reason.MISADDRESSED)], 1) == (refusals(prepared), len(prepared.deliveries["toy"]))
    scene.replays.settle(0)
    assert 0 == scene.replays.watermark()
    scene.replays.settle(0)
    assert 1 == scene.replays.watermark()


def test_consent_and_age_decide_on_replays() -> None:
    """A replay is held against rule and age like any event."""
    assert [("toy", Reason.EXPIRED)] == refusals(ReplayScene().replay(order(at=EPOCH - 8 * DAY), "toy"))
    assert {("toy", Reason.NOT_ROUTED): 1} == ReplayScene([Toy(destination(rule=DENIED_BY))]).replay(
        order(), "toy"
    ).skipped


def test_a_replayed_tombstone_is_skipped_for_its_addressee() -> None:
    """A replay without a value settles, and is counted for the named destination only."""
    scene = ReplayScene([Toy(destination("one")), Toy(destination("two"))])

    assert {("two", Reason.TOMBSTONE): 1} == scene.replay(None, "two").skipped


class Strangers(Toy):
    """A platform that can match nobody."""

    @override
    def shape(self, event: Event) -> Shaped | Skipped | Refusal:
        """Say so."""
        return Refusal(Reason.NO_MATCH_KEY, "nobody")


@pytest.mark.parametrize(("kind", "letters", "skips"), [("order", 1, 0), ("lead", 1, 0), ("activity", 0, 1)])
def test_nobody_is_buried_for_a_visitor_whom_nobody_knows(kind: Kind, letters: int, skips: int) -> None:
    """Without a match key an order and a lead are dead-lettered, and an activity is skipped by the same word."""
    scene = Scene([Strangers(destination())])
    scene.ledger.open_page("activities", 0)
    scene.schemas = FakeSchemas({"activities": READERS[kind]})
    scene.preparer = Preparer(scene.platforms, scene.schemas, scene.ledger)
    value = encode({"order": full_order, "lead": full_lead, "activity": full_activity}[kind](), avsc(kind))
    prepared = scene.prepare(value, topic="activities")

    assert (letters, skips) == (len(prepared.letters), prepared.skipped["toy", Reason.NO_MATCH_KEY])
