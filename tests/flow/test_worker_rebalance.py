"""The worker when partitions come and go: no commit for what is not ours, and nothing jumped over."""

from __future__ import annotations

from dataclasses import replace

import pytest
from avro_events import READERS
from road import FIRST, SECOND, TEMPO, UNREADABLE, Road, order
from toy import LIMITS, status

from pipeline.core.model import NoReply
from pipeline.core.pace import HEADROOM
from pipeline.core.signals import (
    Lost,
    Revoked,
)
from pipeline.core.wire import prefixed

AWAY = NoReply("gone")


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
        assert [(1, 3)] == [(signal.abandoned, round(signal.seconds)) for signal in road.teller.of(Revoked)][:1]


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


def test_who_lost_everything_is_not_ready() -> None:
    """After a loss the worker is no member of its group, and says so, until the group assigns again."""
    with Road() as road:
        seen: list[bool] = []
        for second in (4, 6, 9):
            road.at(second, lambda: seen.append(road.status.joined))
        road.at(5, lambda: road.source.lose(FIRST))
        road.at(8, lambda: road.source.give(FIRST))
        road.run(10)

        assert [True, False, True] == seen


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


def test_fenced_commit_forgets_nothing() -> None:
    """A commit that the fence refused is tried again: whose a partition is, only assignments decide."""
    with Road() as road:
        road.produce("a")
        road.source.commit_error = ("_STATE", True)
        road.at(5, lambda: road.produce("b"))
        road.at(10, lambda: setattr(road.source, "commit_error", None))
        early, late = road.look_at(9.9), road.look_at(12)
        road.run(13)

        assert ({}, {FIRST: 2}) == (early.committed, late.committed)


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
    limits = replace(LIMITS, events_per_request=1, requests_per_second=2.0 / (1 - HEADROOM))
    with Road(partitions=2, limits=limits) as road:
        road.at(5, lambda: road.source.revoke(SECOND))
        road.at(10, lambda: road.produce(*"abcdefghij"))
        look = road.look_at(15.05)
        road.run(30)

        assert 5 <= len(look.sent) <= 6
