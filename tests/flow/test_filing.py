"""Case 14: the receipt of what is judged later is in Kafka before an offset moves."""

from __future__ import annotations

from dataclasses import replace

import pytest
from road import FIRST, SECOND, TEMPO, Road
from toy import status

from pipeline.core.ports import SourceBroken
from pipeline.core.reason import Reason
from pipeline.core.receipt import Sent
from pipeline.core.signals import FilingFailed
from pipeline.core.status import unready_reasons

GIVEN = status(200, receipt="r1")


def filed(road: Road) -> list[tuple[str, tuple[Sent, ...]]]:
    """Return the receipts that Kafka has: id and events."""
    return [(filing.receipt.id, filing.receipt.events) for filing in road.receipts.topic]


def test_settles_when_filed() -> None:
    """Accepted events with a receipt hold their offsets until Kafka has it; the receipt names them in order."""
    with Road(GIVEN) as road:
        road.produce("a", "b")
        road.receipts.silent = True
        road.at(6, lambda: setattr(road.receipts, "silent", False))
        early, late = road.look_at(5.9), road.look_at(8)
        road.run(9)

        assert (["a", "b"], {FIRST: 0}, {FIRST: 2}) == (early.sent, early.committed, late.committed)
        assert [("r1", (Sent("orders", 0, 0, "a"), Sent("orders", 0, 1, "b")))] == filed(road)
        assert ("toy", "group") == (road.receipts.topic[0].receipt.destination, road.receipts.topic[0].receipt.group)


def test_what_is_judged_at_once_is_not_filed() -> None:
    """An acceptance without a receipt settles by itself."""
    with Road() as road:
        road.produce("a")
        road.run(5)

        assert (0, 1) == (road.receipts.tries, road.committed)


def test_holds_while_kafka_takes_no_receipt() -> None:
    """While a receipt is refused nothing more is taken and the worker is unready; it goes on by itself."""
    with Road(GIVEN) as road:
        road.produce("a")
        road.receipts.fails = "down"
        road.at(5, lambda: road.produce("b"))
        seen: list[object] = []
        road.at(9, lambda: seen.append((unready_reasons(road.status), road.sent)))
        early = road.look_at(9)
        road.at(10, lambda: setattr(road.receipts, "fails", None))
        road.run(40)

        assert [((Reason.RECEIPTS_DOWN,), ["a"])] == seen
        assert ({FIRST: 0}, 2, ["a", "b"]) == (early.committed, road.committed, road.sent)
        assert {"down"} == {signal.code for signal in road.teller.of(FilingFailed)}


def test_a_crash_before_the_commit_files_again() -> None:
    """Filed and not committed: the next worker sends the same bytes, and files what it gets for them."""
    with Road(GIVEN, tempo=replace(TEMPO, commit=100.0)) as road:
        road.produce("a")
        road.crash(5)
        with pytest.raises(SourceBroken):
            road.run(60)
        with Road(status(200, receipt="r2")) as again:
            again.kafka.logs, again.kafka.committed = road.kafka.logs, dict(road.kafka.committed)
            again.run(5)

            assert ["r1", "r2"] == [name for name, _ in (*filed(road), *filed(again))]
            assert road.http.requests[0].body == again.http.requests[0].body
            assert 1 == again.committed


def test_revoke_waits_for_the_receipt() -> None:
    """On revoke a receipt that is under way is waited for, then its events are committed."""
    with Road(GIVEN) as road:
        road.produce("a")
        road.receipts.silent = True
        road.at(3, lambda: road.source.revoke(FIRST))
        road.at(5, lambda: setattr(road.receipts, "silent", False))
        early, late = road.look_at(4.9), road.look_at(6)
        road.run(7)

        assert ({FIRST: 0}, {FIRST: 1}) == (early.committed, late.committed)


def test_a_late_receipt_moves_nothing() -> None:
    """A receipt that is taken after its partition was lost commits nothing for it."""
    with Road(GIVEN, partitions=2) as road:
        road.produce("a", partition=1)
        road.receipts.silent = True
        road.at(3, lambda: road.source.lose(SECOND))
        road.at(5, lambda: setattr(road.receipts, "silent", False))
        road.run(8)

        assert (0, []) == (road.kafka.committed[SECOND], road.source.strays)


def test_ended_partitions_take_their_trouble_along() -> None:
    """A receipt that Kafka refuses is not tried for partitions that are gone, and holds nothing up any more."""
    with Road(GIVEN) as road:
        road.produce("a")
        road.receipts.fails = "down"
        tries: list[int] = []
        road.at(5, lambda: road.source.lose(FIRST))
        road.at(6, lambda: tries.append(road.receipts.tries))
        holds: list[object] = []
        road.at(7, lambda: holds.append(road.status.holds))
        road.run(30)

        assert ([road.receipts.tries], [frozenset()]) == (tries, holds)


def test_drain_waits_for_the_receipt() -> None:
    """Asked to stop, the worker waits until Kafka has the receipt, and commits."""
    with Road(GIVEN) as road:
        road.produce("a")
        road.receipts.silent = True
        road.at(6, lambda: setattr(road.receipts, "silent", False))
        road.run(3)

        assert 1 == road.committed
