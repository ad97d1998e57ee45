"""One lane when the platform is away, too busy, or refuses the account: it waits, and blames no event."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from stage import Stage
from toy import LIMITS, OK, ids, refusing, status

from pipeline.core.model import NoReply, Reply, Request
from pipeline.core.reason import Reason
from pipeline.core.signals import LaneHalted, LaneResumed, LaneWaiting
from pipeline.core.status import LaneStatus

ALONE = replace(LIMITS, concurrency=1)


def test_heeds_usage_headers() -> None:
    """What the platform's usage headers ask for is obeyed, also on success."""
    answers = iter([Reply(200, {"pause": "30"}, b""), OK])
    with Stage(lambda _: next(answers)) as stage:
        stage.offer(*"abcdefghij")
        stage.pass_seconds(0)
        stage.offer(*"klmnopqrst")
        stage.pass_seconds(29.9)
        before = len(stage.sent)
        stage.pass_seconds(0.2)

        assert (1, 2) == (before, len(stage.sent))


@pytest.mark.parametrize("outage", [NoReply("no answer"), Reply(503, {}, b"")])
def test_outage_never_blames_events(outage: NoReply | Reply) -> None:
    """However long the platform is away, nothing is refused, and everything is delivered afterwards."""
    with Stage(lambda _: outage) as stage:
        stage.offer(*"abcdefghijklmno")
        stage.pass_seconds(6 * 3600)
        before = list(stage.outcomes)
        stage.http.answer = status(200)
        stage.pass_seconds(120)

        assert [] == before
        assert sorted("abcdefghijklmno") == sorted(stage.accepted)


def test_retry_is_the_same_request() -> None:
    """After an outage the same events go again in the same bytes, whatever arrived meanwhile."""
    with Stage(status(500)) as stage:
        stage.offer("a", "b")
        stage.pass_seconds(1.1)
        stage.offer("c")
        stage.pass_seconds(0.5)

        assert ["ab", "ab"] == stage.sent
        assert stage.http.requests[0] == stage.http.requests[1]


def test_one_answer_ends_every_back_off() -> None:
    """When one batch gets an answer the outage is over: another does not sit out its own back-off."""
    down = {"a", "k"}
    with Stage(lambda request: Reply(503 if down & set(ids(request)) else 200, {}, b"")) as stage:
        stage.offer(*"abcdefghij")
        stage.pass_seconds(20)
        stage.offer(*"klmnopqrst")
        stage.pass_seconds(1)
        down.clear()
        stage.pass_seconds(1)

        assert 20 == len(stage.accepted)


def test_one_answer_does_not_cut_short_what_the_platform_asked_for() -> None:
    """A wait that the platform named stands, whatever another batch is answered meanwhile."""
    answers = iter([Reply(503, {"retry-after": "30"}, b""), OK, OK])
    with Stage(lambda _: next(answers)) as stage:
        stage.offer(*"abcdefghij")
        stage.pass_seconds(1)
        stage.offer(*"klmnopqrst")
        stage.pass_seconds(28.9)
        before = len(stage.accepted)
        stage.pass_seconds(0.2)

        assert (10, 20) == (before, len(stage.accepted))


def test_throttle_waits_as_told() -> None:
    """A throttled lane is silent for as long as the platform says, then sends the same bytes."""
    answers = iter([Reply(429, {"retry-after": "30"}, b""), OK, OK])
    with Stage(lambda _: next(answers)) as stage:
        stage.offer("a")
        stage.pass_seconds(1)
        stage.offer(*"bcdefghijk")
        stage.pass_seconds(29.9)
        before = stage.sent
        stage.pass_seconds(0.2)

        assert ["a"] == before
        assert {"a", "bcdefghijk"} == set(stage.sent)
        assert stage.http.requests[0] in stage.http.requests[1:]


def test_throttle_without_a_time_backs_off() -> None:
    """A throttle that names no time gets the usual back-off, and nothing is refused."""
    with Stage(status(429)) as stage:
        stage.offer("a")
        stage.pass_seconds(1 + 0.5 + 1 + 2)

        assert 4 == len(stage.sent)
        assert [0.5, 1.0, 2.0, 4.0] == [signal.wait_seconds for signal in stage.teller.of(LaneWaiting)]


def test_halt_settles_nothing() -> None:
    """A dead token stops the lane: no event has an outcome, few requests go, and it says so once."""
    with Stage(status(401)) as stage:
        stage.offer(*"abcdefghijklmnopqrst")
        stage.pass_seconds(600)

        assert [] == stage.outcomes
        assert len(stage.sent) <= 13
        assert ["toy"] == [signal.destination for signal in stage.teller.of(LaneHalted)]
        assert LaneStatus("halted", Reason.UNAUTHORIZED) == stage.lane.status


def test_a_late_answer_ends_no_halt() -> None:
    """An answer to a request from before a halt leaves the lane halted, and a rotated secret still wakes it."""
    bad = {"a"}
    with Stage(lambda request: Reply(401 if bad & set(ids(request)) else 200, {}, b"")) as stage:
        stage.http.seconds_for = {"k": 3.0}
        stage.offer(*"abcdefghij", *"klmnopqrst")
        stage.pass_seconds(5)
        before = (stage.lane.status, len(stage.accepted))
        bad.clear()
        stage.lane.secrets_changed()
        stage.pass_seconds(1)

        assert (LaneStatus("halted", Reason.UNAUTHORIZED), 10) == before
        assert 20 == len(stage.accepted)


def test_nothing_left_to_send_ends_the_wait() -> None:
    """A lane whose waiting events are all given up with their partition waits no more."""
    with Stage(status(503)) as stage:
        stage.offer("a")
        stage.pass_seconds(5)
        before = stage.lane.status
        stage.page.closing = True
        stage.loop.create_task(stage.lane.release())
        stage.pass_seconds(20)

        assert (LaneStatus("waiting", Reason.OUTAGE), LaneStatus()) == (before, stage.lane.status)


def test_a_mended_secret_ends_the_halt_of_an_idle_lane() -> None:
    """A halted lane with nothing to send is halted no more once its secret was rotated: the next event tells."""
    with Stage(status(401)) as stage:
        stage.offer("a")
        stage.pass_seconds(5)
        stage.page.closing = True
        stage.loop.create_task(stage.lane.release())
        stage.pass_seconds(100)
        before = stage.lane.status
        stage.lane.secrets_changed()
        stage.pass_seconds(1)

        assert (LaneStatus("halted", Reason.UNAUTHORIZED), LaneStatus()) == (before, stage.lane.status)


def test_a_refused_event_ends_the_halt_of_a_token() -> None:
    """When the platform speaks of the events again, the token works, though it refuses them."""
    answers = iter([401, 400])
    with Stage(lambda _: Reply(next(answers), {}, b"")) as stage:
        stage.offer("a")
        stage.pass_seconds(100)

        assert ({"a": Reason.REJECTED}, LaneStatus()) == (stage.refused, stage.lane.status)


def test_rotated_secret_resumes() -> None:
    """A halted lane tries again as soon as a secret was rotated, with the new one."""
    with Stage(lambda request: Reply(200 if request.headers["authorization"] == "t2" else 401, {}, b"")) as stage:
        stage.offer("a")
        stage.pass_seconds(10)
        stage.secrets.rotate("toy-token", "t2")
        stage.lane.secrets_changed()
        stage.pass_seconds(0.1)

        assert ["a"] == stage.accepted
        assert LaneStatus() == stage.lane.status
        assert 1 == len(stage.teller.of(LaneResumed))


def test_missing_secret_halts() -> None:
    """Without its secret a lane sends nothing, and goes on when the secret is there."""
    with Stage() as stage:
        stage.secrets.rotate("toy-token", None)
        stage.offer("a")
        stage.pass_seconds(10)
        before = (stage.sent, stage.lane.status)
        stage.secrets.rotate("toy-token", "t2")
        stage.pass_seconds(60)

        assert ([], LaneStatus("halted", Reason.UNAUTHORIZED)) == before
        assert ["a"] == stage.accepted


def test_expires_while_it_waits() -> None:
    """An event that got too old in an outage is refused as expired, and the others are sent."""
    with Stage(status(503)) as stage:
        stage.offer("old", expires_in=30)
        stage.offer("new")
        stage.pass_seconds(25)
        stage.http.answer = status(200)
        stage.pass_seconds(60)

        assert {"old": Reason.EXPIRED} == stage.refused
        assert ["new"] == stage.accepted


def test_never_sends_what_is_too_old() -> None:
    """The age is looked at before every attempt."""
    with Stage(status(503)) as stage:
        stage.offer("old", expires_in=0.5)
        stage.pass_seconds(60)

        assert ([], {"old": Reason.EXPIRED}) == (stage.sent, stage.refused)


def test_outage_in_a_search() -> None:
    """A platform that goes away while a culprit is searched blames nobody; the search goes on afterwards."""
    replies: Iterator[Reply | NoReply] = iter([Reply(400, {}, b""), NoReply("gone"), Reply(503, {}, b"")])
    with Stage(lambda request: next(replies, None) or refusing("d")(request)) as stage:
        stage.offer(*"abcd")
        stage.pass_seconds(60)

        assert {"d": Reason.REJECTED} == stage.refused
        assert ["a", "b", "c"] == sorted(stage.accepted)


def test_answer_that_no_table_knows() -> None:
    """An unknown answer is tried again three times before the event is blamed."""
    with Stage(status(409)) as stage:
        stage.offer("a")
        stage.pass_seconds(1.5)
        before = dict(stage.refused)
        stage.pass_seconds(10)

        assert ({}, {"a": Reason.REJECTED}) == (before, stage.refused)
        assert ["a", "a", "a"] == stage.sent


def test_breaker_spares_a_failing_platform() -> None:
    """When most calls fail the lane stops calling, then asks with a single request until one is answered."""
    with Stage(status(503), limits=replace(LIMITS, events_per_request=1, concurrency=40)) as stage:
        stage.offer(*"abcdefghijklmnopqrst")
        stage.pass_seconds(2)
        opened = len(stage.sent)
        stage.pass_seconds(30)

        assert 20 == opened
        assert len(stage.sent) <= opened + 6
        assert LaneStatus("waiting", Reason.OUTAGE) == stage.lane.status


def test_every_event_has_one_outcome() -> None:
    """Over a mix of bad events, throttles and outages every event gets exactly one outcome."""
    script = iter([429, 503, 200, 500, 429, 0] * 20)
    picky = refusing("c", "k", "x")

    def moody(request: Request) -> Reply | NoReply:
        code = next(script, 200)
        return picky(request) if code == 200 else Reply(code, {}, b"") if code else NoReply("reset")

    with Stage(moody) as stage:
        stage.offer(*"abcdefghijklmnopqrstuvwxyz")
        stage.pass_seconds(3600)
        outcomes = [*stage.accepted, *(item.event_id for one in stage.outcomes for item, _ in one.refused)]

        assert sorted("abcdefghijklmnopqrstuvwxyz") == sorted(outcomes)
        assert {"c", "k", "x"} == set(stage.refused)
        assert {"c", "k", "x"} <= {"".join(ids(request)) for request in stage.http.requests}
