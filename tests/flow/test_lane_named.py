"""A lane whose platform says more than yes or no: names culprits, can be asked for them, wants groups apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from stage import Stage
from toy import LIMITS, OK, AskingToy, ids

from pipeline.core.model import Reply, Request
from pipeline.core.reason import Reason
from pipeline.core.status import LaneStatus

ASK = "https://toy.example/validate"
ONE_CAUSE = replace(LIMITS, halt_after_refusals=5)


def naming(*bad: str, status: int = 422) -> Callable[[Request], Reply]:
    """Return a platform that takes nothing (or, with 200, the rest) and names the positions of these ids."""

    def answer(request: Request) -> Reply:
        named = [str(index) for index, name in enumerate(ids(request)) if name in bad]
        return Reply(status, {}, ",".join(named).encode()) if named else OK

    return answer


def asking(answers: Mapping[str, str], *bad: str) -> Callable[[Request], Reply]:
    """Return a platform that refuses any request with a bad id, and answers inquiries by what they asked about."""

    def answer(request: Request) -> Reply:
        if request.url == ASK:
            return Reply(200, {}, answers["".join(ids(request))].encode())
        return Reply(400 if set(bad) & set(ids(request)) else 200, {}, b"")

    return answer


def test_named_culprits_are_refused_and_the_rest_goes_again() -> None:
    """Where the platform names the culprits of a whole refusal, they are refused at once and the rest is sent once."""
    with Stage(naming("b", "d")) as stage:
        stage.offer(*"abcde")
        stage.pass_seconds(5)

        assert ["abcde", "ace"] == stage.sent
        assert [*"ace"] == stage.accepted
        assert {"b": Reason.REJECTED, "d": Reason.REJECTED} == stage.refused


def test_a_batch_of_culprits_only_is_refused() -> None:
    """When every event of a small batch is named, each is refused, and nothing is sent again."""
    with Stage(naming(*"abc")) as stage:
        stage.offer(*"abc")
        stage.pass_seconds(5)

        assert (["abc"], {*"abc"}) == (stage.sent, set(stage.refused))


@pytest.mark.parametrize("status", [200, 422])
def test_nothing_but_culprits_is_configuration(status: int) -> None:
    """When all of a large batch is refused for one cause, the lane halts and refuses nobody."""
    with Stage(naming(*"abcdefghij", status=status), limits=ONE_CAUSE) as stage:
        stage.offer(*"abcdefghij")
        stage.pass_seconds(5)

        assert {} == stage.refused
        assert LaneStatus("halted", Reason.ALL_REJECTED) == stage.lane.status


@pytest.mark.parametrize("status", [200, 422])
def test_culprits_among_good_ones_are_no_configuration(status: int) -> None:
    """However many are named, as long as something is accepted beside them they are refused."""
    with Stage(naming(*"abcdefghi", status=status), limits=ONE_CAUSE) as stage:
        stage.offer(*"abcdefghij")
        stage.pass_seconds(5)

        assert (["j"], {*"abcdefghi"}) == (stage.accepted, set(stage.refused))


def test_what_the_halted_lane_gave_back_is_delivered_later() -> None:
    """Events of a lane that halted for `all_rejected` are delivered once the cause is mended."""
    bad = [*"abcdefghij"]

    def answer(request: Request) -> Reply:
        return naming(*bad)(request)

    with Stage(answer, limits=ONE_CAUSE) as stage:
        stage.offer(*bad)
        stage.pass_seconds(5)
        bad.clear()
        stage.pass_seconds(120)

        assert ([*"abcdefghij"], {}) == (stage.accepted, stage.refused)


def test_a_named_position_that_is_not_there_is_no_endless_loop() -> None:
    """A platform that takes nothing and names nobody of the batch is doubted: the batch is split."""

    def answer(request: Request) -> Reply:
        return Reply(422, {}, b"99") if "b" in ids(request) else OK

    with Stage(answer) as stage:
        stage.offer(*"abcd")
        stage.pass_seconds(10)

        assert ([*"acd"], {"b"}) == (sorted(stage.accepted), set(stage.refused))


def test_asks_who_is_to_blame() -> None:
    """Where the platform can be asked, the suspect is sent alone and the others together: nobody is refused unasked."""
    with Stage(asking({"abcdefgh": "5"}, "f"), platform=AskingToy) as stage:
        stage.offer(*"abcdefgh")
        stage.pass_seconds(5)

        assert ["abcdefgh", "abcdefgh", "f", "abcdegh"] == stage.sent
        assert ASK == stage.http.requests[1].url
        assert ([*"abcdegh"], {"f"}) == (stage.accepted, set(stage.refused))


@pytest.mark.parametrize("answer", ["", "99"])
def test_halves_when_asking_does_not_help(answer: str) -> None:
    """An inquiry that names nobody of the batch leads to halving."""
    with Stage(asking({"abcd": answer}, "c"), platform=AskingToy) as stage:
        stage.offer(*"abcd")
        stage.pass_seconds(5)

        assert ([*"abd"], {"c"}) == (sorted(stage.accepted), set(stage.refused))


def test_a_single_event_is_not_asked_about() -> None:
    """Of a refused event alone there is nothing to ask."""
    with Stage(asking({}, "a"), platform=AskingToy) as stage:
        stage.offer("a")
        stage.pass_seconds(5)

        assert (["a"], {"a"}) == (stage.sent, set(stage.refused))


def test_groups_never_share_a_request() -> None:
    """Events of different groups go in requests of their own, each group in its order."""
    with Stage() as stage:
        stage.offer("a", group="web")
        stage.offer("b", group="crm")
        stage.offer("c", group="web")
        stage.pass_seconds(5)

        assert ["ac", "b"] == stage.sent


def test_hands_on_the_receipt() -> None:
    """What the platform's final word can be asked by is reported with the deliveries that it is about."""
    with Stage(lambda _: Reply(200, {"receipt": "r-1"}, b"")) as stage:
        stage.offer(*"ab")
        stage.pass_seconds(5)

        assert [("r-1", 2)] == [(report.receipt, len(report.accepted)) for report in stage.outcomes]
