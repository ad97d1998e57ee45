"""When the intake holds, and how it goes on: back-pressure, registry, dead letters, budget."""

from __future__ import annotations

from dataclasses import replace

from avro_events import READERS
from road import BOUNDS, FIRST, UNREADABLE, Road, order
from toy import LIMITS, status

from pipeline.core.budget import Allowance
from pipeline.core.model import NoReply, Refusal
from pipeline.core.pace import HEADROOM
from pipeline.core.reason import Reason
from pipeline.core.signals import (
    BudgetSpent,
    IntakePaused,
    IntakeResumed,
    Revoked,
)
from pipeline.core.wire import prefixed

AWAY = NoReply("gone")


def test_dead_letters_down_holds_intake() -> None:
    """While Kafka takes no dead letters nothing more is taken, nothing dropped; then all goes on."""
    with Road() as road:
        road.dead_letters.fails = "down"
        road.kafka.produce(UNREADABLE)
        road.at(2, lambda: road.produce("a"))
        road.at(30, lambda: setattr(road.dead_letters, "fails", None))
        early = road.look_at(29)
        road.run(60)

        assert ({FIRST: 0}, [], []) == (early.committed, early.sent, early.buried)
        assert early.paused
        assert (["a"], [0], 2) == (road.sent, road.buried, road.committed)
        assert Reason.DEAD_LETTERS_DOWN in [signal.reason for signal in road.teller.of(IntakePaused)]


def test_a_schema_forgotten_during_a_hold_is_asked_for_again() -> None:
    """When what was known of a schema is gone by the end of a hold, it is asked for again, and the intake goes on."""
    with Road() as road:
        ref = 7
        road.kafka.produce(prefixed(ref, order("a")))
        road.at(1, lambda: road.schemas.arrive("orders", ref, READERS["order"]))
        road.dead_letters.fails = "down"
        road.kafka.produce(UNREADABLE)
        road.kafka.produce(prefixed(8, order("b")))
        road.at(3, lambda: road.schemas.arrive("orders", 8, Refusal(Reason.SCHEMA_UNKNOWN, "nobody knows it")))
        road.at(4, lambda: road.schemas.forget("orders", 8))
        road.at(30, lambda: setattr(road.dead_letters, "fails", None))
        road.at(60, lambda: road.schemas.arrive("orders", 8, Refusal(Reason.SCHEMA_UNKNOWN, "nobody knows it")))
        asked: list[object] = []
        road.at(50, lambda: asked.extend(road.schemas.asked))
        road.run(90)

        assert ("orders", 8) in asked
        assert 3 == road.committed


def test_budget_stops_the_intake() -> None:
    """Beyond the dead-letter budget letters are withheld, no offset passes them, and nothing more is taken."""
    with Road(allowance=Allowance(ratio=0.5, least=4), bounds=replace(BOUNDS, take=4)) as road:
        for _ in range(4):
            road.kafka.produce(UNREADABLE)
        road.at(5, lambda: road.produce("a"))
        road.run(60)

        assert ([0, 1], 2, []) == (road.buried, road.committed, road.sent)
        assert 1 == len(road.teller.of(BudgetSpent))
        assert [Reason.BUDGET_SPENT] == [signal.reason for signal in road.teller.of(IntakePaused)]


def test_back_pressure_stops_at_the_limit() -> None:
    """With as much in flight as is allowed nothing more is taken, and it goes on at half of that."""
    bounds = replace(BOUNDS, records=10, take=5)
    with Road(lambda _: AWAY, bounds=bounds, limits=replace(LIMITS, events_per_request=1, concurrency=1)) as road:
        road.produce(*(f"{number:02}" for number in range(30)))
        held = road.look_at(20)
        road.at(20, lambda: setattr(road.http, "answer", status(200)))
        road.run(120)

        assert (10, True) == (held.in_flight, held.paused)
        assert 30 == road.committed
        assert {Reason.BACKPRESSURE} == {signal.reason for signal in road.teller.of(IntakeResumed)}


def test_back_pressure_resumes_at_half() -> None:
    """Between half and the limit a held intake stays held, so that it does not flap."""
    bounds = replace(BOUNDS, records=10, take=1)
    slow = replace(LIMITS, events_per_request=1, requests_per_second=1.0 / (1 - HEADROOM))
    with Road(bounds=bounds, limits=slow) as road:
        road.produce(*(f"{number:02}" for number in range(22)))
        held = road.look_at(5.5)
        road.run(40)

        assert (22, 5) == (road.committed, held.in_flight)
        assert 3 >= len(road.teller.of(IntakePaused))


def test_back_pressure_by_bytes() -> None:
    """Bytes in flight stop the intake as records do."""
    bounds = replace(BOUNDS, bytes=3 * (len(order("aa")) + 202 + 2), take=1)
    with Road(lambda _: AWAY, bounds=bounds) as road:
        road.produce("aa", "bb", "cc", "dd", "ee")
        look = road.look_at(10)
        road.at(10, lambda: setattr(road.http, "answer", status(200)))
        road.run(60)

        assert (3, 5) == (look.in_flight, road.committed)


def test_memory_is_bounded_by_the_limits() -> None:
    """However long the log and the outage, never more is in flight than the limit."""
    bounds = replace(BOUNDS, records=50, take=20)
    with Road(lambda _: AWAY, bounds=bounds) as road:
        road.produce(*(f"{number:03}" for number in range(300)))
        looks = [road.look_at(second) for second in range(1, 30)]
        road.run(30)

        assert 50 == max(look.in_flight for look in looks)


def test_unknown_schema_waits() -> None:
    """A schema that nobody saw before is fetched, in the meantime nothing is lost, and then the record is read."""
    with Road() as road:
        road.kafka.produce(prefixed(7, order("a")))
        road.at(3, lambda: road.schemas.arrive("orders", 7, replace(READERS["order"], start=5)))
        road.run(10)

        assert ([("orders", 7)], ["a"], 1) == (road.schemas.asked, road.sent, road.committed)
        assert [] == road.teller.of(IntakePaused)


def test_rebalances_are_served_while_a_schema_is_fetched() -> None:
    """However long a schema takes, the consumer is polled: a partition is given up within a second or so."""
    with Road() as road:
        road.kafka.produce(prefixed(7, order("a")))
        road.at(5, lambda: road.source.revoke(FIRST))
        gone: list[object] = []
        road.at(6.5, lambda: gone.extend(road.teller.of(Revoked)))
        road.run(20)

        assert 1 == len(gone)


def test_registry_down_holds() -> None:
    """A registry that does not answer holds the intake, blames no record, and all goes on when it is back."""
    with Road() as road:
        road.schemas.down = "no answer"
        road.kafka.produce(prefixed(7, order("a")))
        early = road.look_at(30)
        road.at(30, lambda: road.schemas.arrive("orders", 7, replace(READERS["order"], start=5)))
        road.run(60)

        assert (True, {}, []) == (early.paused, early.committed, road.buried)
        assert (["a"], 1) == (road.sent, road.committed)
        assert [Reason.REGISTRY_DOWN] == [signal.reason for signal in road.teller.of(IntakeResumed)]


def test_schema_that_does_not_exist_is_buried() -> None:
    """A schema that the registry does not know is the record's fault."""
    with Road() as road:
        road.kafka.produce(prefixed(7, order("a")))
        road.at(3, lambda: road.schemas.arrive("orders", 7, Refusal(Reason.SCHEMA_UNKNOWN, "no schema 7")))
        road.run(10)

        assert ([0], 1) == (road.buried, road.committed)
