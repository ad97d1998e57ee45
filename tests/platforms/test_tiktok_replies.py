"""What TikTok answers, and whom it blames: an event, the account, or nobody."""

from __future__ import annotations

import orjson
import pytest
from tiktok_events import tiktok

from pipeline.core.model import Accepted, Advice, Doubt, Halt, Later, Mixed, NoReply, Refusal, Reply, Verdict
from pipeline.core.reason import Reason
from pipeline.platforms.tiktok_replies import read

HTML = b"<html><body>502 Bad Gateway</body></html>"
ID = "202511210800000102030405060708090A"


def answer(code: object, message: object = "no", *, status: int = 200, **more: object) -> Reply:
    """Return an answer in TikTok's form; nearly all errors are of HTTP 200."""
    return Reply(status, {}, orjson.dumps({"code": code, "message": message, "request_id": ID, "data": {}, **more}))


def blame(verdict: Verdict) -> Refusal:
    """Return the refusal that a verdict holds."""
    found = verdict.refusal if isinstance(verdict, Doubt) else verdict.blame if isinstance(verdict, Later) else None
    assert found is not None, verdict
    return found


def kind(verdict: Verdict) -> tuple[type[Verdict], Reason | None]:
    """Return what a verdict is, and its reason where no event is to blame."""
    return type(verdict), verdict.reason if isinstance(verdict, (Later, Halt)) else None


@pytest.mark.parametrize("data", [{}, None])
def test_accepted(data: object) -> None:
    """Code 0 with HTTP 200 is acceptance, with or without data."""
    assert Accepted() == read(answer(0, "OK", data=data), 8)


@pytest.mark.parametrize(("status", "expected"), [(201, Later), (302, Halt), (400, Later), (401, Halt), (500, Later)])
@pytest.mark.parametrize("code", [0, 40050])
def test_ok_with_another_status(code: int, status: int, expected: type[Verdict]) -> None:
    """A good code with another HTTP status is no acceptance."""
    assert expected is type(read(answer(code, "OK", status=status), 8))


def test_same_request_again() -> None:
    """A request that TikTok says it has already is delivered, and every event of it counted under the code."""
    assert Accepted(warnings={"40050": 8}) == read(answer(40050), 8)


def test_c14_an_event_is_to_blame() -> None:
    """A wrong parameter doubts the batch without naming an event, with code and request id and no text of TikTok's."""
    verdict = read(answer(40002, "Invalid value for event_id: not a valid string."), 4)

    assert (
        Doubt(
            Refusal(
                Reason.REJECTED,
                "TikTok refused the event (TikTok error 40002, HTTP 200)",
                code="40002",
                http_status=200,
                trace_id=ID,
            )
        )
        == verdict
    )


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Batch.2.properties.contents.0.content_id: Not a valid string", (2,)),
        ("Invalid value for data[3]", (3,)),
        ("data.0.user: not hashed", (0,)),
        ("data.4.user: not hashed", ()),
        ("Invalid value for event_id: not a valid string.", ()),
        ("Invalid value for event: 'data.1' is unknown", ()),
        (None, ()),
        (["data.1"], ()),
    ],
)
def test_c14_suspect(message: object, expected: tuple[int, ...]) -> None:
    """An index before any quoted value names a suspect, if the batch has so many events; no other text does."""
    verdict = read(answer(40002, message), 4)
    assert isinstance(verdict, Doubt)

    assert expected == verdict.suspects


@pytest.mark.parametrize("code", [40016, 40100, 40132, 61000])
@pytest.mark.parametrize("status", [200, 400, 429])
def test_c15_throttle(code: int, status: int) -> None:
    """A throttle in a success blames nobody: the same bytes after the usual back-off."""
    assert Later(Reason.THROTTLED, f"TikTok error {code}, HTTP {status}") == read(answer(code, status=status), 8)


@pytest.mark.parametrize(
    ("after", "expected"), [("30", 30.0), ("9" * 400, 3600.0), ("soon", None), ("", None), ("-1", None)]
)
@pytest.mark.parametrize("body", [HTML, answer(40002).body], ids=["gateway", "TikTok"])
def test_c15_too_many_requests(after: str, expected: float | None, body: bytes) -> None:
    """HTTP 429 is a throttle, whoever says it, and waits as long as it asks, an hour at most."""
    verdict = read(Reply(429, {"retry-after": after}, body), 8)
    assert isinstance(verdict, Later)

    assert (Reason.THROTTLED, expected) == (verdict.reason, verdict.wait)


@pytest.mark.parametrize("code", [40102, 40104, 40105])
def test_c16_dead_token(code: int) -> None:
    """A token that is missing, expired or wrong halts the lane; no event is to blame."""
    assert Halt(Reason.UNAUTHORIZED, f"TikTok error {code}, HTTP 200") == read(answer(code), 8)


@pytest.mark.parametrize(
    "code", [40001, 40003, 40113, 40117, 40118, 40125, 40130, 40063, 40101, 40006, 40051, 41001, 40400]
)
def test_c16_account(code: int) -> None:
    """A permission, a partner, a version or a path that is wrong halts the lane."""
    assert Halt(Reason.MISCONFIGURED, f"TikTok error {code}, HTTP 200") == read(answer(code), 8)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Invalid value for event_source_id: not a valid string.", True),
        ("event_source is not supported", True),
        ("Invalid value for test_event_code: not valid.", True),
        ("Invalid value for partner_name", True),
        ("Invalid value for event_id: 'test_event_code'", False),
        ("Invalid value for lead_event_source: not a valid string.", False),
        ("Invalid value for event_id: 'event_source_id'", False),
        ("Invalid value for event_id", False),
    ],
)
@pytest.mark.parametrize("code", [40000, 40002, 40999])
def test_c16_wrong_event_source(code: int, message: str, expected: bool) -> None:
    """A wrong parameter that is the account's halts the lane; a field of an event, or a value, cannot."""
    assert expected == (Halt(Reason.MISCONFIGURED, f"TikTok error {code}, HTTP 200") == read(answer(code, message), 8))


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("The access_token is not there", Reason.UNAUTHORIZED),
        ("Access token is incorrect", Reason.UNAUTHORIZED),
        ("Tokens of this kind are not accepted", Reason.UNAUTHORIZED),
        ("No permission", Reason.MISCONFIGURED),
        (None, Reason.MISCONFIGURED),
    ],
)
@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("code", [40103, 40110, 40199])
def test_c16_unlisted_codes_of_the_caller(code: int, status: int, message: str | None, expected: Reason) -> None:
    """A code from 40101 to 40199 that no table has is about the caller: it halts and blames no event."""
    assert Halt(expected, f"TikTok error {code}, HTTP {status}") == read(answer(code, message, status=status), 8)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (302, (Halt, Reason.MISCONFIGURED)),
        (401, (Halt, Reason.UNAUTHORIZED)),
        (403, (Halt, Reason.MISCONFIGURED)),
        (404, (Halt, Reason.MISCONFIGURED)),
        (408, (Later, Reason.OUTAGE)),
        (413, (Doubt, None)),
        (400, (Doubt, None)),
        (200, (Doubt, None)),
    ],
)
@pytest.mark.parametrize("code", [40002, 40999])
def test_status_beside_an_unlisted_code(code: int, status: int, expected: tuple[type[Verdict], Reason | None]) -> None:
    """Where no table has the code, a status that never speaks of an event decides."""
    verdict = read(answer(code, status=status), 8)

    assert expected == kind(verdict)
    assert (status == 413) == (isinstance(verdict, Doubt) and verdict.refusal.reason is Reason.OVERSIZE)


@pytest.mark.parametrize(
    ("code", "expected"), [(40105, Reason.UNAUTHORIZED), (40003, Reason.MISCONFIGURED), (40100, Reason.THROTTLED)]
)
def test_listed_code_beside_a_status(code: int, expected: Reason) -> None:
    """A code that a table has decides, whatever the status."""
    assert {expected} == {kind(read(answer(code, status=status), 8))[1] for status in (200, 302, 401, 404, 413)}


def test_c16_blocked() -> None:
    """A block halts the lane for a quarter of an hour."""
    assert Halt(Reason.BLOCKED, "TikTok error 41000, HTTP 200", 900.0) == read(answer(41000), 8)


@pytest.mark.parametrize(
    "reply",
    [
        NoReply("no answer within 15 s"),
        Reply(500, {}, b""),
        Reply(502, {}, HTML),
        Reply(503, {}, b"{"),
        Reply(408, {}, HTML),
        Reply(200, {}, HTML),
        Reply(200, {}, b"{}"),
        Reply(200, {}, b"[0]"),
        answer("0"),
        answer(None),
        answer(code=False),
        answer([0]),
        answer(50000),
        answer(50002),
        answer(51010),
        answer(51012),
        answer(52001),
        answer(53999),
        answer(60001),
        answer(40002, status=500),
        answer(40105, status=503),
    ],
)
def test_c17_outage(reply: Reply | NoReply) -> None:
    """No answer, one without TikTok's JSON, or the platform's own fault blames nobody: the same bytes later."""
    verdict = read(reply, 8)

    assert (Later, Reason.OUTAGE) == kind(verdict)
    assert getattr(verdict, "blame", 0) is None


def test_part_of_a_request() -> None:
    """A partial success is split: copies are dropped by their ids, and the event that was not taken stands alone."""
    refusal = blame(read(answer(20001), 8))

    assert (Reason.UNCONFIRMED, "20001", ID) == (refusal.reason, refusal.code, refusal.trace_id)
    assert Doubt(refusal, (3,)) == read(answer(20001, "data.3.event_id: invalid"), 8)


@pytest.mark.parametrize("message", ["no", "data.0.event_id: invalid"])
@pytest.mark.parametrize("status", [200, 400])
def test_part_of_one_event(status: int, message: str) -> None:
    """A partial success of one event ends the asking: it is unconfirmed, and not sent for ever."""
    verdict = read(answer(20001, message, status=status), 1)

    assert Mixed({0: blame(read(answer(20001, status=status), 8))}) == verdict


@pytest.mark.parametrize(
    ("code", "expected"),
    [(40000, Reason.REJECTED), (40062, Reason.REJECTED), (40061, Reason.OVERSIZE), (40999, Reason.REJECTED)],
)
def test_events_to_blame(code: int, expected: Reason) -> None:
    """Any other code of the forties doubts the events: a wrong value, raw data, too many of them."""
    refusal = blame(read(answer(code), 8))

    assert (expected, str(code), 200, ID) == (refusal.reason, refusal.code, refusal.http_status, refusal.trace_id)


def test_too_large() -> None:
    """A request that a gateway finds too large is split; one event alone that is, is refused as oversize."""
    assert Reason.OVERSIZE is blame(read(Reply(413, {}, HTML), 8)).reason


@pytest.mark.parametrize("code", [1, -1, 20002, 39999, 54000, 60000, 10**12])
def test_unknown_codes(code: int) -> None:
    """A code that no table knows is tried again, with somebody to blame when patience ends."""
    verdict = read(answer(code), 8)

    assert (Later, Reason.UNKNOWN_ANSWER) == kind(verdict)
    assert (Reason.REJECTED, str(code)) == (blame(verdict).reason, blame(verdict).code)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (301, (Halt, Reason.MISCONFIGURED)),
        (401, (Halt, Reason.UNAUTHORIZED)),
        (403, (Halt, Reason.MISCONFIGURED)),
        (404, (Halt, Reason.MISCONFIGURED)),
        (400, (Later, Reason.UNKNOWN_ANSWER)),
        (418, (Later, Reason.UNKNOWN_ANSWER)),
    ],
)
def test_statuses_without_a_code(status: int, expected: tuple[type[Verdict], Reason]) -> None:
    """Without a code of TikTok's the HTTP status says what to do."""
    assert expected == kind(read(Reply(status, {}, HTML), 8))


@pytest.mark.parametrize("given", ["jane@example.com", "Jane O'Brien", "A" * 65, "A1\n", "", 7, None])
def test_request_id_that_is_none(given: object) -> None:
    """What does not look like a request id is not passed on as one: it may quote the event."""
    assert "" == blame(read(answer(40002, request_id=given), 8)).trace_id


def test_headers_ask_for_nothing() -> None:
    """TikTok documents no usage header, so no header slows the lane."""
    assert Advice() == tiktok().advice(Reply(200, {"x-ratelimit-remaining": "0"}, b""))
