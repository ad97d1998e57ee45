"""One lane: what it sends, whom it refuses, and what it reports. Time is virtual."""

from __future__ import annotations

from dataclasses import replace

import pytest
from stage import Stage
from toy import LIMITS, delivery, refusing, shaped, status

from pipeline.core.ledger import Page
from pipeline.core.model import Reply, Request
from pipeline.core.pace import Share
from pipeline.core.reason import Reason
from pipeline.core.status import LaneStatus

ALONE = replace(LIMITS, concurrency=1)


def test_nothing_is_reported_before_acceptance() -> None:
    """While the platform has not answered, no delivery has an outcome."""
    with Stage(seconds=5.0) as stage:
        stage.offer("a", "b")
        stage.pass_seconds(5.9)
        before = list(stage.outcomes)
        stage.pass_seconds(0.2)

        assert ([], ["a", "b"]) == (before, stage.accepted)


def test_batches_by_age() -> None:
    """Events that arrive within the linger go together, and not before it is over."""
    with Stage() as stage:
        stage.offer("a")
        stage.pass_seconds(0.9)
        stage.offer("b")
        before = stage.sent
        stage.pass_seconds(0.2)

        assert ([], ["ab"]) == (before, stage.sent)


def test_batches_by_count() -> None:
    """A full batch goes at once."""
    with Stage() as stage:
        stage.offer(*"abcdefghijk")
        stage.pass_seconds(0)

        assert ["abcdefghij"] == stage.sent


def test_bounded_concurrency() -> None:
    """No more batches are under way than the destination allows."""
    with Stage(seconds=5.0, limits=replace(LIMITS, events_per_request=1, concurrency=3)) as stage:
        stage.offer(*"abcde")
        stage.pass_seconds(1)
        before = stage.sent
        stage.pass_seconds(10)

        assert ["a", "b", "c"] == before
        assert ["a", "b", "c", "d", "e"] == sorted(stage.accepted)


def test_keeps_its_pace() -> None:
    """Requests keep the distance of the rate, times this replica's share."""
    with Stage(limits=replace(LIMITS, events_per_request=1, requests_per_second=2.0)) as stage:
        stage.lane.share(Share((0,), 2))
        stage.offer(*"abcdefghijklmnopqrst")
        stage.pass_seconds(10)

        assert 9 <= len(stage.sent) <= 10


@pytest.mark.parametrize("bad", "abcdefghij")
def test_finds_one_bad_event(bad: str) -> None:
    """One bad event in a batch is found and refused alone; all the others are delivered."""
    with Stage(refusing(bad)) as stage:
        stage.offer(*"abcdefghij")
        stage.pass_seconds(5)

        assert {bad: Reason.REJECTED} == stage.refused
        assert sorted(set("abcdefghij") - {bad}) == sorted(stage.accepted)
        assert bad in stage.sent
        assert len(stage.sent) <= 8


def test_named_event_is_refused_at_once() -> None:
    """Where the platform speaks of single events, nobody is asked again."""
    with Stage(lambda _: Reply(200, {}, b"1")) as stage:
        stage.offer("a", "b", "c")
        stage.pass_seconds(1)

        assert (["abc"], ["a", "c"], {"b": Reason.REJECTED}) == (stage.sent, stage.accepted, stage.refused)


def test_configuration_buries_nobody() -> None:
    """Twenty refused in a row for one code are configuration: the lane halts and none of them is refused."""
    with Stage(status(400), limits=replace(ALONE, events_per_request=64)) as stage:
        names = [f"{number:02}" for number in range(64)]
        stage.offer(*names)
        stage.pass_seconds(50)
        halted = stage.lane.status
        stage.http.answer = status(200)
        stage.pass_seconds(120)

        assert LaneStatus("halted", Reason.ALL_REJECTED) == halted
        assert {} == stage.refused
        assert names == sorted(stage.accepted)


@pytest.mark.parametrize("limit", [20, 40])
def test_halted_lane_probes_and_buries_nobody(limit: int) -> None:
    """As long as everything is refused, the probes of a halted lane refuse nobody either."""
    with Stage(status(400), limits=replace(ALONE, events_per_request=64, halt_after_refusals=limit)) as stage:
        stage.offer(*(f"{number:02}" for number in range(64)))
        stage.pass_seconds(600)

        assert [] == stage.outcomes


def test_a_block_of_bad_events_does_not_hold_back_good_ones() -> None:
    """A halted lane does not ask for the same bad events for ever: the good ones behind them are delivered."""
    bad = [f"b{number:02}" for number in range(40)]
    good = [f"g{number:02}" for number in range(60)]
    with Stage(refusing(*bad), limits=replace(ALONE, events_per_request=40)) as stage:
        stage.offer(*bad, *good)
        stage.pass_seconds(3600)

        assert good == sorted(stage.accepted)


def test_nineteen_bad_events_are_events() -> None:
    """One fewer refused in a row than the limit are refused, and the others delivered."""
    bad = [f"{number:02}" for number in range(19)]
    good = [f"{number:02}" for number in range(19, 64)]
    with Stage(refusing(*bad), limits=replace(ALONE, events_per_request=64)) as stage:
        stage.offer(*bad, *good)
        stage.pass_seconds(60)

        assert (bad, good) == (sorted(stage.refused), sorted(stage.accepted))


def test_skips_copies() -> None:
    """A copy of what was accepted is skipped as a duplicate, and not sent; other bytes are sent."""
    with Stage() as stage:
        stage.offer("a")
        stage.pass_seconds(2)
        stage.offer("a", "b")
        stage.pass_seconds(2)

        assert (["a", "b"], ["a"]) == (stage.sent, stage.duplicates)


def test_drains_without_waiting_for_company() -> None:
    """A lane that is to end sends what it has at once."""
    with Stage() as stage:
        stage.offer("a")
        stage.lane.drain()
        stage.pass_seconds(0)

        assert ["a"] == stage.accepted


def test_release_waits_for_requests() -> None:
    """Giving up a partition waits for its requests, drops what is queued, and starts nothing for it."""
    gone = Page("orders", 1, 2)
    with Stage(seconds=5.0, limits=replace(ALONE, events_per_request=1)) as stage:
        stage.offer("a", "b", page=gone)
        stage.offer("c")
        stage.pass_seconds(1)
        gone.closing = True
        release = stage.loop.create_task(stage.lane.release())
        stage.pass_seconds(3.9)
        early = release.done()
        stage.pass_seconds(0.2)

        assert (False, True) == (early, release.done())
        stage.pass_seconds(30)
        assert (["a", "c"], ["a", "c"]) == (stage.sent, stage.accepted)


def test_closing_partition_ends_a_wait() -> None:
    """A batch that waits out an outage is let go with its partition, and nothing more is sent of it."""
    with Stage(status(503)) as stage:
        stage.offer("a")
        stage.pass_seconds(20)
        count = len(stage.sent)
        stage.page.closing = True
        release = stage.loop.create_task(stage.lane.release())
        stage.pass_seconds(300)

        assert release.done()
        assert (count, []) == (len(stage.sent), stage.outcomes)


def test_batch_of_two_partitions_goes_on_without_one() -> None:
    """When one partition of a waiting batch is given up, the retry holds only what is still ours."""
    gone = Page("orders", 1, 2)
    with Stage(status(503)) as stage:
        stage.offer("a", page=gone)
        stage.offer("b")
        stage.pass_seconds(1.1)
        gone.closing = True
        stage.http.answer = status(200)
        stage.pass_seconds(5)

        assert (["ab", "b"], ["b"]) == (stage.sent, stage.accepted)


def test_token_stays_out_of_signals() -> None:
    """Nothing that a lane says holds the token or a payload."""
    with Stage(status(401)) as stage:
        stage.secrets.rotate("toy-token", "hush-hush")
        stage.offer("private-id")
        stage.pass_seconds(5)
        said = " ".join(repr(signal) for signal in stage.teller.told)

        assert said
        assert "hush" not in said
        assert "private" not in said


def test_fault_in_a_batch_ends_the_lane() -> None:
    """A bug while a batch is carried breaks the lane loudly; the batch is not lost in silence."""

    def broken(_: Request) -> Reply:
        raise ZeroDivisionError

    with Stage(broken) as stage:
        stage.offer("a")

        with pytest.raises(ExceptionGroup):
            stage.pass_seconds(2)


def test_a_replay_is_no_copy() -> None:
    """What was accepted a moment ago is sent once more when it is replayed."""
    with Stage() as stage:
        stage.offer("a")
        stage.pass_seconds(2)
        again = delivery("a", page=stage.page, form=replace(shaped(), payload=b"a"))
        again.replayed = True
        stage.lane.offer([again])
        stage.offer("a")
        stage.pass_seconds(2)

        assert (["a", "a"], ["a"]) == (stage.sent, stage.duplicates)
