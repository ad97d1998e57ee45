"""What Meta answers, and whom it blames: an event, the account, or nobody."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.model import Accepted, Doubt, Halt, Later, Mixed, NoReply, Refusal, Reply, Verdict
from pipeline.core.reason import Reason
from pipeline.platforms.meta_replies import read

HTML = b"<html><body>502 Bad Gateway</body></html>"
EVENT_SUBCODES: dict[int | None, Reason] = {
    2804003: Reason.EXPIRED,
    2804050: Reason.NO_MATCH_KEY,
    **dict.fromkeys((2804009, 2804019, 2804043, 2804063, 2804066, 2804087, 2804116), Reason.REJECTED),
    **dict.fromkeys((2804001, 2804007, 2804008, 2804014, 2804016, 2804017, 2804048), Reason.REJECTED),
    None: Reason.REJECTED,
}


def answer(document: object, status: int = 200) -> Reply:
    """Return a reply with a JSON body."""
    return Reply(status, {}, orjson.dumps(document))


def error(code: object, subcode: int | None = None, status: int = 400, **more: object) -> Reply:
    """Return an error in the Graph API's form; all of them are of type OAuthException, as many real ones are."""
    fields = {"message": "(#1) no", "type": "OAuthException", "code": code, "fbtrace_id": "A1", **more}
    if subcode is not None:
        fields["error_subcode"] = subcode
    return Reply(status, {}, orjson.dumps({"error": fields}))


def blame(verdict: Verdict) -> Refusal:
    """Return the refusal that a verdict holds."""
    found = verdict.refusal if isinstance(verdict, Doubt) else verdict.blame if isinstance(verdict, Later) else None
    assert found is not None, verdict
    return found


def test_c38_all_received() -> None:
    """A success that counts every event is acceptance."""
    assert Accepted() == read(answer({"events_received": 8, "messages": [], "fbtrace_id": "A1"}), 8)


@pytest.mark.parametrize(("received", "said"), [(7, "7"), (9, "9"), (0, "0"), ("8", "no number"), (True, "no number")])
def test_c38_another_number(received: object, said: str) -> None:
    """A success with another number confirms no event: each is refused as unconfirmed, none sent blindly again."""
    verdict = read(answer({"events_received": received, "fbtrace_id": "A1"}), 8)
    assert isinstance(verdict, Mixed)

    assert list(range(8)) == list(verdict.refused)
    assert {(Reason.UNCONFIRMED, f"Meta confirmed {said} of 8 events", "A1")} == {
        (refusal.reason, refusal.detail, refusal.trace_id) for refusal in verdict.refused.values()
    }


@given(received=st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(), count=st.integers(1, 1000))
def test_c38_all_or_nobody(received: object, count: int) -> None:
    """Whatever number a success names, all events are accepted, or every one of them is unconfirmed."""
    verdict = read(answer({"events_received": received}), count)

    assert isinstance(verdict, Mixed) or (type(received), received) == (int, count)
    assert not isinstance(verdict, Mixed) or verdict.refused.keys() == set(range(count))


@pytest.mark.parametrize("fault", ["Service Unavailable", {}, [], None], ids=str)
def test_c38_error_beside_success(fault: object) -> None:
    """A success that holds an error of any shape is no acceptance."""
    verdict = read(answer({"events_received": 1, "error": fault}), 1)

    assert (fault is None) == isinstance(verdict, Accepted)


@pytest.mark.parametrize("subcode", EVENT_SUBCODES)
def test_c39_an_event_is_to_blame(subcode: int | None) -> None:
    """Code 100 doubts the batch without naming an event, with the code, the trace and no text of Meta's."""
    verdict = read(error(100, subcode, error_user_msg="jane@example.com is wrong"), 8)
    refusal = blame(verdict)

    assert isinstance(verdict, Doubt)
    assert (EVENT_SUBCODES[subcode], "100", str(subcode or ""), 400, "A1", ()) == (
        refusal.reason,
        refusal.code,
        refusal.subcode,
        refusal.http_status,
        refusal.trace_id,
        verdict.suspects,
    )
    assert "jane" not in refusal.detail


@pytest.mark.parametrize("trace", ["jane@example.com", "Jane O'Brien", "A" * 65, "A1\n", "", 7])
def test_trace_that_is_none(trace: object) -> None:
    """What does not look like a trace id is not passed on as one: it may quote the event."""
    assert "" == blame(read(error(100, None, fbtrace_id=trace), 8)).trace_id


@pytest.mark.parametrize(
    ("field", "text", "expected"),
    [
        ("error_user_msg", "The parameter at $['data'][3]['user_data'] is not valid", (3,)),
        ("error_user_msg", "Le paramètre $[data][12] n’est pas valable", (12,)),
        ("message", '$["data"][0]', (0,)),
        ("error_user_msg", "$['data'] is empty", ()),
        ("error_user_msg", None, ()),
        ("error_user_msg", ["$['data'][3]"], ()),
    ],
)
def test_c40_suspect(field: str, text: object, expected: tuple[int, ...]) -> None:
    """A JSONPath in the text for people names a suspect, in any language; any other text names none."""
    verdict = read(error(100, 2804019, 400, **{field: text}), 8)
    assert isinstance(verdict, Doubt)

    assert expected == verdict.suspects


USAGE = "x-business-use-case-usage"


@pytest.mark.parametrize(
    ("code", "subcode"),
    [(4, None), (4, 1504022), (17, 2446079), (32, None), (613, 1487742), (613, 5044001), (80004, 2446079)],
)
@pytest.mark.parametrize("status", [400, 403, 429, 500])
def test_c41_throttle(code: int, subcode: int | None, status: int) -> None:
    """A throttle blames nobody and waits as long as the longest header asks, over all ids and entries."""
    entries = {
        "1": [{"type": "x", "estimated_time_to_regain_access": 2}, {"estimated_time_to_regain_access": 0}],
        "2": [],
    }
    headers = {USAGE: orjson.dumps(entries).decode(), "retry-after": "7"}
    verdict = read(replace(error(code, subcode, status), headers=headers), 8)

    assert (
        Later(Reason.THROTTLED, f"Meta error {code}{f'/{subcode}' if subcode else ''}, HTTP {status}", 120.0) == verdict
    )


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"retry-after": "30"}, 30.0),
        ({"retry-after": "Fri, 21 Nov 2025 08:00:00 GMT"}, None),
        ({"retry-after": "9" * 400}, 3600.0),
        ({"x-ad-account-usage": '{"acc_id_util_pct":100,"reset_time_duration":90}'}, 90.0),
        ({"x-business-use-case-usage": '{"1":[{"estimated_time_to_regain_access":0}]}'}, None),
        ({"x-business-use-case-usage": '{"1":[{"estimated_time_to_regain_access":100000}]}'}, 3600.0),
    ],
)
def test_c41_waits(headers: dict[str, str], expected: float | None) -> None:
    """Without a header that says more the usual back-off holds; an hour is the most that a header is believed."""
    verdict = read(replace(error(4), headers=headers), 8)
    assert isinstance(verdict, Later)

    assert expected == verdict.wait


@pytest.mark.parametrize(
    ("subcode", "headers", "expected"), [(None, {}, 900.0), (1487742, {}, None), (None, {"retry-after": "30"}, 30.0)]
)
def test_c41_suspicion_of_abuse(subcode: int | None, headers: dict[str, str], expected: float | None) -> None:
    """613 without a subcode is no quota: it waits a quarter of an hour where no header says otherwise."""
    verdict = read(replace(error(613, subcode), headers=headers), 8)
    assert isinstance(verdict, Later)

    assert expected == verdict.wait


@pytest.mark.parametrize(
    ("code", "subcode"), [(190, None), (190, 458), (190, 460), (190, 463), (190, 467), (102, None), (104, None)]
)
@pytest.mark.parametrize("status", [400, 401])
def test_c42_token(code: int, subcode: int | None, status: int) -> None:
    """A dead token halts the lane until it is rotated; no event is to blame."""
    verdict = read(error(code, subcode, status), 8)

    assert isinstance(verdict, Halt)
    assert (Reason.UNAUTHORIZED, None) == (verdict.reason, verdict.wait)


@pytest.mark.parametrize(
    ("code", "subcode"),
    [
        (100, 33),
        (100, 34),
        (100, 2804118),
        (100, 2804132),
        (803, None),
        (10, None),
        (3, None),
        (200, None),
        (294, None),
        (299, None),
    ],
)
def test_c43_account(code: int, subcode: int | None) -> None:
    """A dataset that is not there, a permission or a link that is missing halts the lane."""
    verdict = read(error(code, subcode), 8)

    assert (Halt, Reason.MISCONFIGURED) == (type(verdict), getattr(verdict, "reason", None))


@pytest.mark.parametrize("code", [2500, 2635])
def test_c43_version(code: int) -> None:
    """A version of the API that has ended, or never was, halts the lane: every event would be refused for it."""
    assert Halt(Reason.MISCONFIGURED, f"Meta error {code}, HTTP 400") == read(error(code), 8)


@pytest.mark.parametrize("code", [368, 1404078, 2859015])
def test_c43_blocked(code: int) -> None:
    """A block for policy halts the lane for at least a quarter of an hour."""
    assert Halt(Reason.BLOCKED, f"Meta error {code}, HTTP 400", 900.0) == read(error(code), 8)


@pytest.mark.parametrize(
    "reply",
    [
        NoReply("no answer within 15 s"),
        Reply(500, {}, b""),
        Reply(502, {}, HTML),
        Reply(503, {}, b"{"),
        Reply(408, {}, HTML),
        Reply(200, {}, b"Service Unavailable"),
        Reply(200, {}, b"{}"),
        error(1),
        error(1, 99),
        error(2, status=503),
        error(341),
        error(5000),
        error(21009),
        error(100, 2804003, is_transient=True),
        error(9999, is_transient=True),
        error(9999, status=500),
        error(None, status=500),
    ],
)
def test_c44_outage(reply: Reply | NoReply) -> None:
    """No answer, a broken one, or the platform's own fault blames nobody: the same bytes later."""
    verdict = read(reply, 8)

    assert (Later, Reason.OUTAGE, None) == (
        type(verdict),
        getattr(verdict, "reason", None),
        getattr(verdict, "blame", 0),
    )


@pytest.mark.parametrize(
    "reply",
    [
        error(9999),
        error(9999, 1),
        error("100"),
        error(code=True),
        error(-1),
        error(None),
        Reply(400, {}, HTML),
        Reply(418, {}, b""),
    ],
)
def test_c45_unknown(reply: Reply) -> None:
    """An answer that no table knows is tried again, with somebody to blame when patience ends."""
    verdict = read(reply, 8)

    assert isinstance(verdict, Later)
    assert (Reason.UNKNOWN_ANSWER, Reason.REJECTED) == (verdict.reason, blame(verdict).reason)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"error_data": '"\\"null\\""'},
        {"error_data": {"blame_field_specs": [["x"]]}},
        {"error_user_title": "Horodatage trop ancien", "error_user_msg": "Un évènement est trop ancien."},
        {"error_user_msg": None, "fbtrace_id": None, "is_transient": False, "type": "GraphMethodException"},
    ],
)
def test_c46_optional_parts(more: dict[str, object]) -> None:
    """What may be there, missing, or in another language changes nothing of the class."""
    assert Reason.EXPIRED is blame(read(error(100, 2804003, 400, **more), 8)).reason


def test_c46_bare_error() -> None:
    """An error without a subcode, a trace or a text has its class by its code alone."""
    verdict = read(answer({"error": {"code": 190}}, status=400), 8)

    assert Halt(Reason.UNAUTHORIZED, "Meta error 190, HTTP 400") == verdict


@pytest.mark.parametrize(
    ("status", "expected"),
    [(301, Reason.MISCONFIGURED), (401, Reason.UNAUTHORIZED), (403, Reason.MISCONFIGURED), (404, Reason.MISCONFIGURED)],
)
@pytest.mark.parametrize("body", [HTML, b'{"error":{"message":"no"}}', b'{"error":{"code":null}}'])
def test_bare_statuses_that_halt(status: int, expected: Reason, body: bytes) -> None:
    """Without a code of Meta's the HTTP status says what to do."""
    verdict = read(Reply(status, {}, body), 8)

    assert (Halt, expected) == (type(verdict), getattr(verdict, "reason", None))


def test_too_large() -> None:
    """A request that a gateway finds too large is split; one event alone that is, is refused as oversize."""
    verdict = read(Reply(413, {}, HTML), 8)

    assert (Doubt, Reason.OVERSIZE) == (type(verdict), blame(verdict).reason)


def test_too_many_requests_without_a_code() -> None:
    """HTTP 429 is a throttle, whoever says it."""
    assert Later(Reason.THROTTLED, "HTTP 429 without an answer in Meta's form", 5.0) == read(
        Reply(429, {"retry-after": "5"}, HTML), 8
    )
