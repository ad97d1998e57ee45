"""What Pinterest answers, and whom it blames: an event, the account, or nobody."""

from __future__ import annotations

from collections.abc import Mapping

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pinterest_events import pinterest, report

from pipeline.core.model import Accepted, Advice, Doubt, Halt, Later, Mixed, NoReply, Refusal, Reply, Verdict
from pipeline.core.reason import Reason
from pipeline.platforms.pinterest_replies import advice, read

HTML = b"<html><body>502 Bad Gateway</body></html>"
RID = {"x-pinterest-rid": "1494410597907320"}
OLD = (
    "Invalid event_timestamp parameter. Given timestamp is in the past. "
    "Current timestamp: 1727469267, Given event_timestamp: 1678203524"
)
LIMIT = '100, 100;w=1;name="safety_net_app_id_user_id", 1000;w=60;name="org_read_app_id_user_id"'
# Header values as aiohttp gives them: bytes that are no UTF-8 come as lone surrogates.
TEXTS = st.text(st.characters(codec=None, categories=None), max_size=30) | st.from_regex(r"[0-9]{0,20}[,;. ]?.{0,5}")
HEADERS = st.dictionaries(
    st.sampled_from(("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "retry-after", "date")), TEXTS
)


def answer(document: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """Return a reply with a JSON body."""
    return Reply(status, headers or {}, orjson.dumps(document))


def error(status: int, code: object, headers: Mapping[str, str] | None = None, **more: object) -> Reply:
    """Return an error in Pinterest's form."""
    return answer({"code": code, "message": "jane@example.com is wrong", **more}, status, headers)


def failed(message: object = "no") -> dict[str, object]:
    """Return what Pinterest says of an event that it refused."""
    return {"status": "failed", "error_message": message, "warning_message": ""}


def blame(verdict: Verdict) -> Refusal:
    """Return the refusal that a verdict holds."""
    found = verdict.refusal if isinstance(verdict, Doubt) else verdict.blame if isinstance(verdict, Later) else None
    assert found is not None, verdict
    return found


def in_short(verdict: Verdict) -> tuple[str, str]:
    """Return the kind of a verdict and its reason."""
    reason = verdict.refusal.reason if isinstance(verdict, Doubt) else getattr(verdict, "reason", "")
    return type(verdict).__name__, reason


def test_all_processed() -> None:
    """A success in which every event was processed is acceptance."""
    assert Accepted() == read(answer(report("processed", "processed")), 2)


def test_counters_are_enough() -> None:
    """A success that lists no events and counts each of them as processed is acceptance."""
    assert Accepted() == read(answer({"num_events_received": 2, "num_events_processed": 2}), 2)


@pytest.mark.parametrize(("warning", "expected"), [("", {}), (None, {}), ("no currency", {"warning_message": 1})])
def test_warnings_are_counted(warning: str | None, expected: dict[str, int]) -> None:
    """What Pinterest remarks about an event that it took is counted, and its text not passed on."""
    warned = {"status": "processed", "error_message": "", "warning_message": warning}

    assert Accepted(warnings=expected) == read(answer(report("processed", warned)), 2)


def test_c12_one_of_three() -> None:
    """A 422 that names one event refuses it and keeps the others: nothing is sent again."""
    details = report("processed", failed(OLD), "processed")
    verdict = read(error(422, 953, RID, details=details), 3)

    refusal = Refusal(
        Reason.EXPIRED,
        "Pinterest finds the event too old: event_timestamp",
        "953",
        "event_timestamp",
        422,
        "1494410597907320",
    )
    assert Mixed({1: refusal}) == verdict


def test_c12_all_of_one() -> None:
    """A 422 as it was seen in the field, of one event that is too old."""
    verdict = read(error(422, 953, details=report(failed(OLD))), 1)
    assert isinstance(verdict, Mixed)

    assert [Reason.EXPIRED] == [refusal.reason for refusal in verdict.refused.values()]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Invalid currency parameter. jane@example.com", (Reason.REJECTED, "currency", "the event: currency")),
        ("Invalid event_time parameter. It is what it is.", (Reason.REJECTED, "event_time", "the event: event_time")),
        ("Invalid jane parameter. Given timestamp is in the past.", (Reason.EXPIRED, "", "too old")),
        ("Invalid jane parameter.", (Reason.REJECTED, "", "refused the event")),
        ("jane@example.com is an Invalid em parameter", (Reason.REJECTED, "", "refused the event")),
        ("", (Reason.REJECTED, "", "refused the event")),
        (None, (Reason.REJECTED, "", "refused the event")),
        (["jane"], (Reason.REJECTED, "", "refused the event")),
    ],
)
def test_c12_words_of_our_own(message: object, expected: tuple[Reason, str, str]) -> None:
    """Of a message only the name of a known field is passed on, never its text, which may quote the event."""
    verdict = read(answer(report(failed(message))), 1)
    assert isinstance(verdict, Mixed)
    refusal = verdict.refused[0]

    assert (*expected[:2], True) == (refusal.reason, refusal.subcode, refusal.detail.endswith(expected[2]))
    assert "jane" not in repr(refusal)


def test_c13_success_of_fewer() -> None:
    """A success that processed fewer than it received refuses those that failed, like a 422."""
    verdict = read(answer(report("processed", failed(), "processed")), 3)
    assert isinstance(verdict, Mixed)

    assert {1: (Reason.REJECTED, "", 200)} == {
        at: (refusal.reason, refusal.code, refusal.http_status) for at, refusal in verdict.refused.items()
    }


@pytest.mark.parametrize(
    "given",
    [
        report("processed"),
        report("processed", "processed", "processed"),
        report(),
        report("processed", "queued"),
        {"events": [{"status": "processed"}, {"status": "queued"}]},
        {"events": [{"status": "processed"}, {"status": "processed"}, {"status": "queued"}]},
        report("processed", {"status": None}),
        report("processed", {"status": ["processed"]}),
        report("processed", "processed") | {"events": [{"status": "processed"}, None]},
        report("processed", "processed") | {"events": [{"status": "processed"}, {"status": "processed"}, None]},
        report("processed", "processed") | {"events": {"0": "processed"}},
        report("processed", "processed") | {"events": None},
        {"num_events_received": 2, "num_events_processed": 1},
        {"num_events_received": 2},
    ],
)
def test_c13_not_of_every_event(given: dict[str, object]) -> None:
    """A success that does not say of each event what became of it leaves all unconfirmed: nothing is sent again.

    A failure is halved, because Pinterest says that it took nothing.
    """
    success, failure = read(answer(given, headers=RID), 2), read(error(422, 953, details=given), 2)
    refusal = Refusal(
        Reason.UNCONFIRMED,
        "Pinterest did not say what became of each of 2 events, HTTP 200",
        http_status=200,
        trace_id="1494410597907320",
    )

    assert Mixed({0: refusal, 1: refusal}) == success
    assert ("Doubt", Reason.REJECTED, "953") == (*in_short(failure), blame(failure).code)


@pytest.mark.parametrize(
    "counters",
    [
        {"num_events_processed": 1},
        {"num_events_received": 3},
        {"num_events_received": "2"},
        {"num_events_received": 0, "num_events_processed": 0},
    ],
)
def test_c13_counters_that_disagree(counters: dict[str, object]) -> None:
    """Where the counters say something else than a list of every event, the list is believed and the answer counted."""
    processed, one_failed = report("processed", "processed", **counters), report(failed(), "processed", **counters)
    taken, partly = (
        read(answer(processed), 2),
        read(error(422, 953, details=one_failed | {"num_events_received": 7}), 2),
    )
    assert isinstance(partly, Mixed)

    assert Accepted(warnings={"counters_disagree": 1}) == taken
    assert ({0}, {"counters_disagree": 1}) == (set(partly.refused), dict(partly.warnings))


@pytest.mark.parametrize("counters", [{}, {"num_events_received": None}, {"num_events_processed": None}])
def test_c13_counters_that_are_missing(counters: dict[str, object]) -> None:
    """A counter that is not there disagrees with nothing."""
    given = {"events": report("processed", "processed")["events"], **counters}

    assert Accepted() == read(answer(given), 2)


@pytest.mark.parametrize("status", [200, 422])
def test_warnings_beside_a_refusal(status: int) -> None:
    """What Pinterest remarks about the events that it took is counted, also where it refused others."""
    warned = {"status": "processed", "error_message": "", "warning_message": "no currency"}
    told = report(warned, failed() | {"warning_message": "no currency"}, warned)
    verdict = read(answer(told) if status == 200 else error(422, 953, details=told), 3)
    assert isinstance(verdict, Mixed)

    assert ({1}, {"warning_message": 2}) == (set(verdict.refused), dict(verdict.warnings))


@pytest.mark.parametrize(
    "reply",
    [
        error(422, 953),
        error(422, 953, details=None),
        error(422, 953, details=[report("failed", "failed")]),
        error(422, 953, details=report("processed", "processed")),
        answer({"details": report("failed")}, 422),
    ],
)
def test_c12_failure_without_names(reply: Reply) -> None:
    """A 422 that names no event, or fewer than were sent, is halved until the culprit stands alone."""
    assert ("Doubt", Reason.REJECTED) == in_short(read(reply, 2))


@pytest.mark.parametrize("code", [4196, 1])
def test_c14_malformed(code: int) -> None:
    """A 400 refuses the whole request for an event that it does not name: it is halved, without Pinterest's text."""
    verdict = read(error(400, code, RID), 8)
    refusal = blame(verdict)

    assert ("Doubt", Reason.REJECTED) == in_short(verdict)
    assert (str(code), 400, RID["x-pinterest-rid"], False) == (
        refusal.code,
        refusal.http_status,
        refusal.trace_id,
        "jane" in repr(verdict),
    )


@pytest.mark.parametrize("trace", ["jane@example.com", "Jane O'Brien", "1" * 65, "1\n", ""])
def test_trace_that_is_none(trace: str) -> None:
    """What does not look like a request id is not passed on as one."""
    assert "" == blame(read(error(400, 4196, {"x-pinterest-rid": trace}), 8)).trace_id


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (error(401, 2), Halt(Reason.UNAUTHORIZED, "Pinterest error 2, HTTP 401")),
        (Reply(401, {}, HTML), Halt(Reason.UNAUTHORIZED, "HTTP 401 without an answer in Pinterest's form")),
        (error(403, 29), Halt(Reason.MISCONFIGURED, "Pinterest error 29, HTTP 403")),
        (error(404, 40), Halt(Reason.MISCONFIGURED, "Pinterest error 40, HTTP 404")),
        (Reply(405, {}, b""), Halt(Reason.MISCONFIGURED, "HTTP 405 without an answer in Pinterest's form")),
        (Reply(302, {}, b""), Halt(Reason.MISCONFIGURED, "HTTP 302: a redirect, which a token must not follow")),
    ],
)
def test_c15_account(reply: Reply, expected: Halt) -> None:
    """A dead token or a wrong account halts the lane; no event is to blame."""
    assert expected == read(reply, 8)


def test_c16_throttle() -> None:
    """A throttle with a structured limit header waits as long as the reset says."""
    headers = {"x-ratelimit-limit": LIMIT, "x-ratelimit-remaining": "0", "x-ratelimit-reset": "7"}

    assert Later(Reason.THROTTLED, "Pinterest error 8, HTTP 429", 7.0) == read(error(429, 8, headers), 8)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"retry-after": "30"}, 30.0),
        ({"retry-after": "3", "x-ratelimit-reset": "7"}, 7.0),
        ({"retry-after": "Fri, 21 Nov 2025 08:00:00 GMT"}, None),
        ({"x-ratelimit-reset": "7.5, 60;w=60"}, 7.5),
        ({"x-ratelimit-reset": " 7 ; w=1"}, 7.0),
        ({"x-ratelimit-reset": "soon"}, None),
        ({"x-ratelimit-reset": "-7"}, None),
        ({"x-ratelimit-reset": "86400"}, 3600.0),
        ({"x-ratelimit-reset": "0"}, None),
        ({"x-ratelimit-reset": "1763712042", "date": "Fri, 21 Nov 2025 08:00:00 GMT"}, 42.0),
        ({"x-ratelimit-reset": "1763712042", "date": "Fri, 21 Nov 2025 09:00:00 GMT"}, None),
        ({"x-ratelimit-reset": "1763712042"}, None),
        ({"x-ratelimit-reset": "1763712042", "date": "yesterday"}, None),
    ],
)
def test_c16_waits(headers: dict[str, str], expected: float | None) -> None:
    """Without a header that says more the usual back-off holds; an hour is the most that a header is believed."""
    assert Later(Reason.THROTTLED, "Pinterest error 8, HTTP 429", expected) == read(error(429, 8, headers), 8)


@given(HEADERS)
def test_c16_any_wait(headers: dict[str, str]) -> None:
    """Whatever the headers are, a throttle waits up to an hour, or as usual."""
    wait = getattr(read(error(429, 8, headers), 1), "wait", -1)

    assert wait is None or 0.0 < wait <= 3600.0


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, Advice()),
        ({"x-ratelimit-limit": LIMIT, "x-ratelimit-remaining": "26", "x-ratelimit-reset": "1"}, Advice()),
        ({"x-ratelimit-limit": LIMIT, "x-ratelimit-remaining": "25", "x-ratelimit-reset": "1"}, Advice(0.5)),
        ({"x-ratelimit-limit": LIMIT, "x-ratelimit-remaining": "0", "x-ratelimit-reset": "7"}, Advice(0.5, 7.0)),
        ({"x-ratelimit-limit": LIMIT, "x-ratelimit-remaining": "0"}, Advice(0.5, 1.0)),
        ({"x-ratelimit-remaining": "0, 900;w=60", "x-ratelimit-reset": "2"}, Advice(0.5, 2.0)),
        ({"x-ratelimit-limit": "0", "x-ratelimit-remaining": "1"}, Advice()),
        ({"x-ratelimit-limit": "many", "x-ratelimit-remaining": "1"}, Advice()),
        ({"x-ratelimit-limit": "\udc80", "x-ratelimit-remaining": "٠"}, Advice()),
    ],
)
def test_c16_usage(headers: dict[str, str], expected: Advice) -> None:
    """From three quarters of a limit on the lane halves its rate; a limit that is spent silences it until the reset."""
    assert expected == advice(answer(report("processed"), headers=headers))


@given(HEADERS)
def test_c16_any_headers(headers: dict[str, str]) -> None:
    """Whatever the headers are, the advice lies in its range."""
    found = pinterest().advice(answer(report("processed"), headers=headers))

    assert (True, True) == (found.factor in (0.5, 1.0), 0.0 <= found.pause_seconds <= 3600.0)


@pytest.mark.parametrize(
    ("reply", "wait"),
    [
        (NoReply("no answer within 15 s"), None),
        (error(500, 12), None),
        (Reply(502, {}, HTML), None),
        (Reply(503, {}, b"{"), None),
        (error(503, 4197), 60.0),
        (error(503, 4197, {"retry-after": "90"}), 90.0),
        (Reply(408, {}, HTML), None),
        (Reply(200, {}, b"Service Unavailable"), None),
        (Reply(200, {}, b"{}"), None),
        (Reply(204, {}, b""), None),
    ],
)
def test_outage(reply: Reply | NoReply, wait: float | None) -> None:
    """No answer, a broken one, or Pinterest's own fault blames nobody: the same bytes later."""
    verdict = read(reply, 8)
    assert isinstance(verdict, Later)

    assert (Reason.OUTAGE, wait, None) == (verdict.reason, verdict.wait, verdict.blame)


@pytest.mark.parametrize(
    "reply", [Reply(400, {}, HTML), error(400, "4196"), Reply(422, {}, HTML), error(418, 7), error(409, None)]
)
def test_unknown(reply: Reply) -> None:
    """An answer that no table knows is tried again, with somebody to blame when patience ends."""
    verdict = read(reply, 8)

    assert ("Later", Reason.UNKNOWN_ANSWER) == in_short(verdict)
    assert Reason.REJECTED is blame(verdict).reason


def test_too_large() -> None:
    """A request that a gateway finds too large is halved; one event alone that is, is refused as oversize."""
    assert ("Doubt", Reason.OVERSIZE) == in_short(read(Reply(413, {}, HTML), 8))
