"""The road from Kafka to the commit, on fakes and in virtual time: what is committed and buried, and how it ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from road import FIRST, TEMPO, UNREADABLE, Road, order
from toy import DAY, LIMITS, refusing, status

from pipeline.core.model import NoReply, Reply
from pipeline.core.ports import SourceBroken
from pipeline.core.reason import Reason
from pipeline.core.signals import (
    ConsentDecided,
    Consumed,
    Skipped,
    Stopped,
)
from pipeline.core.wire import prefixed

AWAY = NoReply("gone")


def test_commits_after_acceptance() -> None:
    """While the platform has not answered, no offset passes the record; then it does."""
    with Road(seconds=5.0) as road:
        road.produce("a", "b")
        early, late = road.look_at(5.5), road.look_at(8)
        road.run(9)

        assert ({FIRST: 0}, {FIRST: 2}) == (early.committed, late.committed)
        assert ["a", "b"] == early.sent


def test_commits_about_once_a_second() -> None:
    """However many batches are accepted, offsets are committed once a second."""
    with Road(limits=replace(LIMITS, events_per_request=1)) as road:
        for second in range(10):
            road.at(second / 5, lambda number=second: road.produce(str(number)))  # type: ignore[misc]
        road.run(4)

        assert (3, 10) == (len(road.kafka.commits), road.committed)


def test_commits_in_order_of_the_log() -> None:
    """A slow batch holds the offset, whatever settles behind it."""
    with Road(limits=replace(LIMITS, events_per_request=1)) as road:
        slow = iter([AWAY])
        road.http.answer = lambda request: next(slow, AWAY) if request.body == b"a" else Reply(200, {}, b"")
        road.produce("a", "b", "c")
        look = road.look_at(5)
        road.at(5, lambda: setattr(road.http, "answer", status(200)))
        road.run(20)

        assert ({FIRST: 0}, 3) == (look.committed, road.committed)


def test_refusal_settles_when_buried() -> None:
    """A refused event holds the offset until Kafka has its dead letter."""
    with Road(refusing("b")) as road:
        road.produce("a", "b", "c")
        road.dead_letters.silent = True
        road.at(6, lambda: setattr(road.dead_letters, "silent", False))
        early, late = road.look_at(5.9), road.look_at(8)
        road.run(9)

        assert ({FIRST: 1}, []) == (early.committed, early.buried)
        assert ({FIRST: 3}, [1]) == (late.committed, late.buried)


def test_unreadable_record_is_buried() -> None:
    """Bytes that are no event are buried as they are, and the others delivered."""
    with Road() as road:
        road.kafka.produce(UNREADABLE)
        road.produce("a")
        road.run(5)

        assert [UNREADABLE] == [letter.record.value for letter in road.dead_letters.topic]
        assert (["a"], 2) == (road.sent, road.committed)


@pytest.mark.parametrize("code", [401, 429, 503])
def test_outage_loses_nothing(code: int) -> None:
    """A dead token, a throttle or an outage dead-letters nothing and moves no offset; afterwards all is delivered."""
    with Road(status(code)) as road:
        road.produce(*"abcdefghijklmnopqrst")
        road.at(60, lambda: setattr(road.http, "answer", status(200)))
        early = road.look_at(59)
        road.run(200)

        assert ({FIRST: 0}, []) == (early.committed, road.buried)
        assert (20, set("abcdefghijklmnopqrst")) == (road.committed, set(road.sent))


def test_expires_in_an_outage() -> None:
    """An event that gets too old while its lane waits is buried as expired, and its record settled."""
    with Road(status(503)) as road:
        road.loop.run_for(7 * DAY - 10)
        road.produce("old")
        road.at(7 * DAY + 1, lambda: setattr(road.http, "answer", status(200)))
        road.run(7 * DAY + 100)

        assert [Reason.EXPIRED] == [letter.refusal.reason for letter in road.dead_letters.topic]
        assert 1 == road.committed


def test_one_bad_event_costs_no_good_one() -> None:
    """Of ten events in one request the bad one is buried and nine are accepted."""
    with Road(refusing("f")) as road:
        road.produce(*"abcdefghij")
        road.run(10)

        assert ([5], 10) == (road.buried, road.committed)


def test_skips_duplicates() -> None:
    """An event that was accepted a moment ago is skipped, and its record settled."""
    with Road() as road:
        road.produce("a")
        road.at(3, lambda: road.produce("a"))
        road.run(6)

        assert (["a"], 2) == (road.sent, road.committed)
        assert [{("toy", Reason.DUPLICATE): 1}] == [signal.counts for signal in road.teller.of(Skipped)]


def test_waits_for_all_destinations() -> None:
    """A record is settled when every destination has answered."""
    with Road(destinations=("one", "two")) as road:
        answers: Iterator[Reply | NoReply] = iter([Reply(200, {}, b""), AWAY])
        road.http.answer = lambda _: next(answers, AWAY)
        road.produce("a")
        look = road.look_at(10)
        road.at(10, lambda: setattr(road.http, "answer", status(200)))
        road.run(60)

        assert ({FIRST: 0}, 1) == (look.committed, road.committed)


def test_drains_what_is_in_flight() -> None:
    """Asked to stop, the worker finishes what it has, commits it, and takes nothing more."""
    with Road(seconds=4.0) as road:
        road.produce("a", "b")
        road.at(2.5, lambda: road.produce("c"))
        road.run(2)

        assert (["a", "b"], 2, True) == (road.sent, road.committed, road.source.closed)
        assert [(0, 0)] == [(signal.exit_code, signal.open_records) for signal in road.teller.of(Stopped)]


def test_drain_waits_for_no_company() -> None:
    """What waits for company in a lane is sent at once when the worker is to stop."""
    with Road(limits=replace(LIMITS, linger_seconds=600.0)) as road:
        road.produce("a")
        road.run(2)

        assert (["a"], 1) == (road.sent, road.committed)
        assert road.loop.time() < 3.0


def test_drain_ends_at_its_deadline() -> None:
    """What does not finish in time is left for the next start, uncommitted; the end comes all the same."""
    with Road(lambda _: AWAY, tempo=replace(TEMPO, drain=5.0)) as road:
        road.produce("a")
        road.run(3)

        assert (0, []) == (road.committed, road.buried)
        assert 8.0 <= road.loop.time() <= 9.5
        assert [1] == [signal.open_records for signal in road.teller.of(Stopped)]


def test_drain_buries_first() -> None:
    """A refusal in the last moment is buried before its offset is committed."""
    with Road(refusing("a"), seconds=3.0) as road:
        road.produce("a")
        road.run(2)

        assert ([0], 1) == (road.buried, road.committed)


def test_broken_consumer_commits_nothing_more() -> None:
    """When records may have been destroyed the worker ends at once, with its error and without a commit."""
    with Road(tempo=replace(TEMPO, commit=100.0)) as road:
        road.produce("a")
        road.crash(5)

        with pytest.raises(SourceBroken):
            road.run(60)
        assert (["a"], [0]) == (road.sent, [offset for _, offset in road.kafka.commits])


def test_restart_sends_the_same_again() -> None:
    """After a crash the next worker sends what was not committed, with the same bytes."""
    with Road(lambda _: AWAY) as road:
        road.produce("a", "b")
        road.crash(5)
        with pytest.raises(SourceBroken):
            road.run(60)
        with Road() as again:
            again.kafka.logs, again.kafka.committed = road.kafka.logs, dict(road.kafka.committed)
            again.run(5)

            assert road.http.requests[0] == again.http.requests[0]
            assert 2 == again.committed


def test_counts_what_was_taken() -> None:
    """Every record that was taken is told once, by topic."""
    with Road() as road:
        road.produce(*"abcde")
        road.run(5)

        assert 5 == sum(signal.records for signal in road.teller.of(Consumed))


def test_tells_what_consent_decided() -> None:
    """What consent decided is told once for a batch of records, not once for each."""
    with Road() as road:
        road.produce(*"abcde")
        road.run(5)

        assert [{("toy", "granted"): 5}] == [signal.counts for signal in road.teller.of(ConsentDecided)]


def test_status_for_the_probes() -> None:
    """The status says that the group was joined, how many partitions are ours, what holds, and that it drains."""
    with Road(partitions=2) as road:
        road.schemas.down = "no answer"
        road.kafka.produce(prefixed(7, order("a")))
        seen: list[object] = []
        road.at(5.05, lambda: seen.append((road.status.joined, road.status.partitions, road.status.holds)))
        road.run(6)

        assert [(True, 2, frozenset({Reason.REGISTRY_DOWN}))] == seen
        assert road.status.draining
