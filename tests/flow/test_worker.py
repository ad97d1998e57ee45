"""The road from Kafka to the commit, on fakes and in virtual time: what is committed, buried, held and given up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from avro_events import READERS
from road import BOUNDS, FIRST, SECOND, TEMPO, UNREADABLE, Road, order
from toy import DAY, LIMITS, refusing, status

from pipeline.core.budget import Allowance
from pipeline.core.model import NoReply, Refusal, Reply
from pipeline.core.ports import SourceBroken
from pipeline.core.reason import Reason
from pipeline.core.signals import (
    BudgetSpent,
    Consumed,
    IntakePaused,
    IntakeResumed,
    Lost,
    Revoked,
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
    """An event that gets too old while its lane waits is buried as expired; the rest is delivered."""
    with Road(status(503)) as road:
        old = replace(READERS["order"])
        road.kafka.produce(order("old"))
        road.schemas.arrive("orders", None, old)
        road.at(7 * DAY + 1, lambda: setattr(road.http, "answer", status(200)))
        road.loop.run_for(7 * DAY - 10)
        road.run(7 * DAY + 100)

        assert ["expired"] == [letter.refusal.reason for letter in road.dead_letters.topic]
        assert 1 == road.committed


def test_one_bad_event_costs_no_good_one() -> None:
    """Of ten events in one request the bad one is buried and nine are accepted."""
    with Road(refusing("f")) as road:
        road.produce(*"abcdefghij")
        road.run(10)

        assert ([5], 10) == (road.buried, road.committed)
        assert 1 == road.sent.count("a") - 1


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


# -- rebalances ------------------------------------------------------------------------------------------------------


def test_revoke_commits_what_is_done() -> None:
    """On revoke a request that is out is waited for and committed; what is queued is left to the next owner."""
    with Road(seconds=4.0, partitions=2, limits=replace(LIMITS, concurrency=1, events_per_request=2)) as road:
        road.produce("a", "b", "c", "d", partition=1)
        road.at(1, lambda: road.source.revoke(SECOND))
        look = road.look_at(8)
        road.run(20)

        assert ({SECOND: 2}, ["a", "b"]) == (look.committed, look.sent)
        assert [2] == [signal.abandoned for signal in road.teller.of(Revoked)][:1]


def test_revoke_ends_at_its_deadline() -> None:
    """A request that takes too long is given up with its partition; its late answer changes nothing."""
    with Road(seconds=14.0, tempo=replace(TEMPO, revoke=3.0)) as road:
        road.produce("a")
        road.at(2, lambda: road.source.revoke(FIRST))
        road.run(30)

        assert {FIRST: 0} == road.kafka.committed
        assert [(1, 3.0)] == [(signal.abandoned, round(signal.seconds, 1)) for signal in road.teller.of(Revoked)][:1]


def test_nothing_is_committed_after_revoke() -> None:
    """No commit for a partition follows its revoke, though the answer comes and another partition goes on."""
    with Road(seconds=14.0, partitions=2, tempo=replace(TEMPO, revoke=3.0)) as road:
        road.produce("a", partition=1)
        road.at(2, lambda: road.source.revoke(SECOND))
        road.at(6, lambda: road.produce("b"))
        revoked = road.look_at(5.5)
        road.run(40)

        assert revoked.committed[SECOND] == 0 == road.kafka.committed[SECOND]
        assert 1 == road.committed


def test_revoke_flushes_dead_letters() -> None:
    """On revoke the dead letters that are under way are waited for, then committed."""
    with Road() as road:
        road.dead_letters.silent = True
        road.kafka.produce(UNREADABLE)
        road.at(2, lambda: road.source.revoke(FIRST))
        road.at(4, lambda: setattr(road.dead_letters, "silent", False))
        early, late = road.look_at(3.9), road.look_at(5)
        road.run(6)

        assert ({FIRST: 0}, {FIRST: 1}) == (early.committed, late.committed)


def test_late_refusal_buries_nothing() -> None:
    """An event that is refused after its partition went is not buried: the next owner reads the record."""
    with Road(status(400), seconds=10.0) as road:
        road.produce("a")
        road.at(2, lambda: road.source.lose(FIRST))
        road.run(40)

        assert (["a"], 0) == (road.sent, road.dead_letters.tries)


def test_lost_partition_commits_nothing() -> None:
    """What was accepted since the last commit is not committed for a partition that is somebody else's."""
    with Road(tempo=replace(TEMPO, commit=100.0)) as road:
        road.produce("a")
        road.at(5, lambda: road.source.lose(FIRST))
        road.run(10)

        assert ([{FIRST: 0}], ["a"]) == (road.source.asked, road.sent)
        assert 1 == len(road.teller.of(Lost))


def test_partition_that_comes_back_is_read_again() -> None:
    """A partition that went and came back begins at its commit; what was open is sent again, and then committed."""
    with Road(seconds=3.0, tempo=replace(TEMPO, revoke=1.0)) as road:
        road.produce("a", "b")
        road.at(2, lambda: road.source.revoke(FIRST))
        road.at(3.1, lambda: road.source.give(FIRST))
        road.run(20)

        assert (["a", "b"] * 2, 2) == (road.sent, road.committed)


@pytest.mark.parametrize("gone", ["revoke", "lose"])
def test_unread_records_go_with_their_partition(gone: str) -> None:
    """Records that wait for a schema are forgotten with their partition: when it comes back nothing is jumped over."""
    with Road() as road:
        road.http.answer = lambda _: AWAY
        road.produce("a")
        road.kafka.produce(prefixed(7, order("b")))
        road.at(1, lambda: setattr(road.schemas, "down", "no answer"))
        road.at(20, lambda: getattr(road.source, gone)(FIRST))
        road.at(25, lambda: road.source.give(FIRST))
        road.at(30, lambda: road.schemas.arrive("orders", 7, replace(READERS["order"], start=5)))
        early = road.look_at(50)
        road.at(50, lambda: setattr(road.http, "answer", status(200)))
        road.run(150)

        assert {FIRST: 0} == early.committed
        assert ({"a", "b"}, 2) == (set(road.sent), road.committed)


def test_fenced_commit_forgets_the_partition() -> None:
    """When Kafka says that a partition is somebody else's, what is open of it is forgotten."""
    with Road(seconds=5.0) as road:
        road.produce("a")
        road.source.commit_error = ("ILLEGAL_GENERATION", True)
        look = road.look_at(3)
        road.run(10)

        assert (0, {}) == (look.in_flight, road.kafka.committed)


def test_failed_commit_is_tried_again() -> None:
    """A commit that failed loses nothing: the next one carries the offset."""
    with Road() as road:
        road.produce("a")
        road.source.commit_error = ("REBALANCE_IN_PROGRESS", False)
        road.at(10, lambda: setattr(road.source, "commit_error", None))
        early, late = road.look_at(9.9), road.look_at(12)
        road.run(13)

        assert ({}, {FIRST: 1}) == (early.committed, late.committed)


def test_one_commit_at_a_time() -> None:
    """While a commit is not answered no other is asked for; an assignment ends the wait."""
    with Road(partitions=2) as road:
        road.source.commit_silent = True
        road.produce("a")
        road.at(8, lambda: road.source.lose(SECOND))
        road.at(9, lambda: road.source.give(SECOND))
        road.at(9, lambda: setattr(road.source, "commit_silent", False))
        early: list[int] = []
        road.at(7.9, lambda: early.append(len(road.source.asked)))
        late = road.look_at(11)
        road.run(12)

        assert ([1], 1) == (early, late.committed[FIRST])


def test_share_of_the_rate() -> None:
    """A replica sends at its part of the rate, as soon as partitions go."""
    limits = replace(LIMITS, events_per_request=1, requests_per_second=2.0)
    with Road(partitions=2, limits=limits) as road:
        road.at(5, lambda: road.source.revoke(SECOND))
        road.at(10, lambda: road.produce(*"abcdefghij"))
        look = road.look_at(15.05)
        road.run(30)

        assert 5 <= len(look.sent) <= 6


# -- holding ---------------------------------------------------------------------------------------------------------


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
    slow = replace(LIMITS, events_per_request=1, requests_per_second=1.0)
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


# -- the end ---------------------------------------------------------------------------------------------------------


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
