"""Google's synchronous answers, one by one."""

from __future__ import annotations

import pytest
from google_answers import DAY, MINUTE, REQUEST_ID, answer, bad, error, info, violations
from google_events import google

from pipeline.core.model import Accepted, Blamed, Doubt, Halt, Later, NoReply, Reply, Verdict
from pipeline.core.reason import Reason
from pipeline.platforms.google_faults import CONFIGURATION, DAY_SPENT_SECONDS, TOO_NEW, TOO_NEW_SECONDS
from pipeline.platforms.google_replies import read

HTML = b"<html>the proxy of jane</html>"


def test_c14_receipt() -> None:
    """An accepted request gives its id as the receipt."""
    assert Accepted("126365e1-16d0-4c81-9de9-f362711e250a") == read(
        answer(200, {"requestId": "126365e1-16d0-4c81-9de9-f362711e250a"}), 3
    )


@pytest.mark.parametrize(
    "document", [{}, [], {"requestId": 7}, {"requestId": ""}, {"requestId": "jane doe"}, {"error": {}}, "x"]
)
def test_c14_success_without_a_receipt(document: object) -> None:
    """A success that gives no id is not believed; sending again is harmless."""
    assert Later(Reason.OUTAGE, "HTTP 200 without an answer in Google's form") == read(answer(200, document), 3)


def test_c15_warnings() -> None:
    """Warnings are counted by their codes, and the batch is delivered all the same."""
    warning = {"field": "events.events[0].custom_variables[0]", "reason": "CUSTOM_VARIABLE_NOT_FOUND"}
    odd = {"field": "events.events[1]", "reason": "jane@example.com"}

    assert Accepted("r1", {"CUSTOM_VARIABLE_NOT_FOUND": 2, "UNNAMED": 1}) == read(
        answer(200, {"requestId": "r1", "fieldWarnings": [warning, odd, warning, "x"]}), 3
    )


def test_c16_culprit() -> None:
    """The event that Google names is refused with the reason and the id of the request, and only that one."""
    verdict = read(bad(("events.events[1].user_data.user_identifiers[0]", "INVALID_HEX_ENCODING")), 3)
    assert isinstance(verdict, Blamed)
    refusal = verdict.refused[1]

    assert {1} == verdict.refused.keys()
    assert (Reason.REJECTED, "INVALID_ARGUMENT", "INVALID_HEX_ENCODING") == (
        refusal.reason,
        refusal.code,
        refusal.subcode,
    )
    assert (400, REQUEST_ID) == (refusal.http_status, refusal.trace_id)
    assert (
        "Google refused the event at user_data.user_identifiers[0] (INVALID_ARGUMENT/INVALID_HEX_ENCODING)"
        == refusal.detail
    )


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("events.events[2]", {2}),
        ("events[2].currency", {2}),
        ("request.events.events[0].currency", {0}),
        ("events.events[0].jane@example.com", {0}),
        ("events.events[0].jane", {0}),
        ("events.events[1][0]", {1}),
        ("events.events[1] ", {1}),
        ("events.events[1]['jane']", {1}),
        ("events.events[1].currency\njane", {1}),
    ],
)
def test_c16_paths(path: str, expected: set[int]) -> None:
    """Paths are read leniently, and only words that are fields of ours are passed on."""
    verdict = read(bad((path, "REQUIRED_FIELD_MISSING")), 3)
    assert isinstance(verdict, Blamed)

    assert expected == verdict.refused.keys()
    assert "jane" not in repr(verdict)


def test_c16_several_culprits() -> None:
    """All culprits are read; of several complaints about one event the first is told."""
    verdict = read(
        bad(
            ("events.events[0]", "NO_IDENTIFIERS_PROVIDED"),
            ("events.events[2].currency", "INVALID_CURRENCY_CODE"),
            ("events.events[0].event_timestamp", "EVENT_TIME_INVALID"),
        ),
        3,
    )
    assert isinstance(verdict, Blamed)

    assert {0: Reason.NO_MATCH_KEY, 2: Reason.REJECTED} == {
        index: refusal.reason for index, refusal in verdict.refused.items()
    }


@pytest.mark.parametrize("index", ["3", "99999", "123456789012345678901234567890"])
def test_c16_position_out_of_range(index: str) -> None:
    """A position that the request did not have blames nobody: the batch is halved."""
    assert isinstance(read(bad((f"events.events[{index}]", "INVALID_FORMAT")), 3), Doubt)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("destinations[0].login_account.account_id", "INVALID_NUMBER_FORMAT"),
        ("encoding", "REQUIRED_FIELD_MISSING"),
        ("consent", "INVALID_ENUM_VALUE"),
        ("validate_only", "WHO_KNOWS"),
    ],
)
def test_c17_the_request_is_wrong(path: str, reason: str) -> None:
    """What concerns the destination or the whole request stops the lane, and no event is refused."""
    alone, among = read(bad((path, reason)), 3), read(bad(("events.events[0]", "INVALID_FORMAT"), (path, reason)), 3)

    assert isinstance(alone, Halt)
    assert (Reason.MISCONFIGURED, alone) == (alone.reason, among)


@pytest.mark.parametrize(
    "reason", [*CONFIGURATION, "DESTINATION_ACCOUNT_DATA_POLICY_PROHIBITS_X", "A_TERMS_NOT_SIGNED"]
)
@pytest.mark.parametrize("path", ["destinations[0]", "events.events[0]"])
def test_c17_the_account_is_wrong(reason: str, path: str) -> None:
    """What speaks of the account stops the lane, wherever it is said."""
    for reply in (bad((path, reason)), error(400, "INVALID_ARGUMENT", info(reason))):
        verdict = read(reply, 3)
        assert isinstance(verdict, Halt)

        assert (Reason.MISCONFIGURED, None) == (verdict.reason, verdict.wait)
        assert reason in verdict.detail


@pytest.mark.parametrize("path", ["events.events[0].event_source", "destinations[0]"])
def test_c17_a_place_that_the_action_does_not_take(path: str) -> None:
    """An action of a type that does not take this place stops the lane: every event from there would be refused."""
    verdict = read(bad((path, "EVENT_SOURCE_AND_DESTINATION_MISMATCH")), 3)
    assert isinstance(verdict, Halt)

    assert Reason.MISCONFIGURED == verdict.reason


def test_c17_a_long_reason() -> None:
    """A reason is known by its whole name, also one of a hundred letters."""
    reason = f"{'A' * 84}_TERMS_NOT_SIGNED"

    assert isinstance(read(bad(("events.events[0]", reason)), 3), Halt)


def test_c17_a_new_action() -> None:
    """A conversion action that is too new makes the lane wait half an hour at a time."""
    verdict = read(bad(("destinations[0]", TOO_NEW)), 3)
    assert isinstance(verdict, Halt)

    assert (Reason.MISCONFIGURED, TOO_NEW_SECONDS) == (verdict.reason, verdict.wait)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (error(400, "INVALID_ARGUMENT"), Reason.REJECTED),
        (error(400, "INVALID_ARGUMENT", violations()), Reason.REJECTED),
        (bad(("events", "TOO_MANY_EVENTS")), Reason.OVERSIZE),
        (Reply(413, {}, b"<html>"), Reason.OVERSIZE),
    ],
)
def test_c18_nobody_is_named(reply: Reply, reason: Reason) -> None:
    """A request that is refused without naming anyone is halved until the culprit stands alone."""
    verdict = read(reply, 4)
    assert isinstance(verdict, Doubt)

    assert (reason, ()) == (verdict.refusal.reason, verdict.suspects)


def test_c19_throttled() -> None:
    """The quota of a minute makes the lane wait, by Google's own word if there is one."""
    retry = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"}
    limited = info("RATE_LIMIT_EXCEEDED", quota_limit=MINUTE)

    for reply, wait in [
        (error(429, "RESOURCE_EXHAUSTED", limited), None),
        (error(429, "RESOURCE_EXHAUSTED", limited, retry), 34.0),
        (error(429, "RESOURCE_EXHAUSTED", limited, retry, **{"retry-after": "60"}), 60.0),
        (error(429, "RESOURCE_EXHAUSTED", **{"retry-after": "999999999"}), 3600.0),
        (Reply(429, {"retry-after": "soon"}, b""), None),
    ]:
        verdict = read(reply, 3)
        assert isinstance(verdict, Later)

        assert (Reason.THROTTLED, wait, None) == (verdict.reason, verdict.wait, verdict.blame)


def test_c19_the_day_is_spent() -> None:
    """The quota of a day stops the lane, calls a person and refuses nothing; it asks again every quarter of an hour."""
    verdict = read(error(429, "RESOURCE_EXHAUSTED", info("RATE_LIMIT_EXCEEDED", quota_limit=DAY)), 3)
    assert isinstance(verdict, Halt)

    assert (Reason.QUOTA_SPENT, DAY_SPENT_SECONDS) == (verdict.reason, verdict.wait)


@pytest.mark.parametrize(
    "reply",
    [
        NoReply("no answer within 30 s"),
        error(503, "UNAVAILABLE"),
        error(500, "INTERNAL"),
        error(500, "UNKNOWN"),
        error(504, "DEADLINE_EXCEEDED"),
        error(409, "ABORTED"),
        error(499, "CANCELLED"),
        Reply(502, {}, b"<html>"),
        Reply(408, {}, b""),
        Reply(409, {}, b""),
        Reply(204, {}, b""),
        *(Reply(status, {}, HTML) for status in (400, 406, 410, 411, 412, 414, 415, 421, 422, 426, 431)),
        Reply(400, {}, b'{"error":"bad request","status":"INVALID_ARGUMENT"}'),
        Reply(400, {}, b'{"error":{"code":400,"message":"bad request"}}'),
    ],
)
def test_c20_outages(reply: Reply | NoReply) -> None:
    """An outage is nobody's fault: the same bytes go again."""
    verdict = read(reply, 3)
    assert isinstance(verdict, Later)

    assert (Reason.OUTAGE, None) == (verdict.reason, verdict.blame)


@pytest.mark.parametrize("reply", [error(401, "UNAUTHENTICATED"), Reply(401, {}, b"")])
def test_c21_token(reply: Reply) -> None:
    """A token that Google does not know stops the lane: the road asks for a new one first."""
    verdict = read(reply, 3)
    assert isinstance(verdict, Halt)

    assert Reason.UNAUTHORIZED == verdict.reason


@pytest.mark.parametrize(
    "reply",
    [
        error(403, "PERMISSION_DENIED", info("SERVICE_DISABLED", consumer="projects/1234567")),
        error(403, "PERMISSION_DENIED", info("ACCESS_TOKEN_SCOPE_INSUFFICIENT")),
        error(403, "PERMISSION_DENIED"),
        error(404, "NOT_FOUND"),
        error(400, "FAILED_PRECONDITION"),
        Reply(403, {}, b"<html>projects/1234567"),
        *(Reply(status, {}, HTML) for status in (402, 407, 451)),
        Reply(301, {"location": "https://elsewhere.example"}, b""),
    ],
)
def test_c22_configuration(reply: Reply) -> None:
    """A permission, a path or a switch that is wrong stops the lane; what is told of it holds codes and no text."""
    verdict = read(reply, 3)
    assert isinstance(verdict, Halt)

    assert Reason.MISCONFIGURED == verdict.reason
    assert not [text for text in ("1234567", "jane", "elsewhere") if text in repr(verdict)]


def test_c22_the_reason_is_told() -> None:
    """The reason of a stop is in its words."""
    assert Halt(
        Reason.MISCONFIGURED, "Google error PERMISSION_DENIED SERVICE_DISABLED, HTTP 403: SERVICE_DISABLED"
    ) == read(error(403, "PERMISSION_DENIED", info("SERVICE_DISABLED")), 1)


@pytest.mark.parametrize("reply", [error(400, "OUT_OF_RANGE"), error(418, "TEAPOT"), error(410, "OUT_OF_RANGE")])
def test_unknown_answers(reply: Reply) -> None:
    """What Google says and no table knows is tried again before anyone is blamed."""
    verdict = read(reply, 3)
    assert isinstance(verdict, Later)
    assert verdict.blame is not None

    assert (Reason.UNKNOWN_ANSWER, Reason.REJECTED) == (verdict.reason, verdict.blame.reason)


def test_c29_no_text_is_passed_on() -> None:
    """Whatever Google writes beside codes and ids stays out of every verdict."""
    verdicts: list[Verdict] = [
        read(reply, 3)
        for reply in (
            bad(("events.events[0].jane", "INVALID_FORMAT")),
            bad(("destinations[0].jane@example.com", "jane")),
            error(400, "INVALID_ARGUMENT", info("jane", quota_limit="jane")),
            error(429, "jane@example.com"),
            error(400, "jane"),
        )
    ]

    assert "jane" not in repr(verdicts)


def test_usage_asks_for_nothing() -> None:
    """Google has no usage headers, so an answer asks for no change of pace."""
    assert 1.0 == google().advice(Reply(200, {"x-app-usage": '{"call_count":99}'}, b"")).factor
