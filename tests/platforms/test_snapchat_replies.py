"""What Snapchat answers, and whom it blames: an event, the account, or nobody."""

from __future__ import annotations

import orjson
import pytest
from snapchat_events import snapchat

from pipeline.core.model import Accepted, Advice, Blamed, Doubt, Halt, Later, Mixed, NoReply, Refusal, Reply, Verdict
from pipeline.core.reason import Reason
from pipeline.platforms.snapchat_replies import read, suspects

HTML = b"<html><body>502 Bad Gateway</body></html>"


def answer(status: int, word: object, reason: object = "no", **more: object) -> Reply:
    """Return an answer in Snapchat's form."""
    return Reply(status, {}, orjson.dumps({"status": word, "reason": reason, **more}))


def validated(*words: object, status: int = 400) -> Reply:
    """Return the answer to a validation: one word for each event."""
    logs = [{"event": index, "status": word, "errors": {"codes": ["PII"]}} for index, word in enumerate(words)]
    return answer(status, "VALID" if set(words) == {"VALID"} else "INVALID", test_event=True, event_logs=logs)


def refused(status: int = 400, code: str = "") -> Refusal:
    """Return what is said of an event that Snapchat refused."""
    about = f"code {code}, HTTP {status}" if code else f"HTTP {status}"
    return Refusal(Reason.REJECTED, f"Snapchat refused the event ({about})", code=code, http_status=status)


@pytest.mark.parametrize("status", [200, 202])
def test_accepted(status: int) -> None:
    """Success and the word VALID together are acceptance."""
    assert Accepted() == read(answer(status, "VALID", "Events have been processed successfully."), 8)


def test_accepted_whatever_is_said() -> None:
    """The reason of a success is not read."""
    assert Accepted() == read(answer(200, "VALID", "token accepted"), 8)


def test_valid_and_yet_refused() -> None:
    """The word VALID in a refusal is an answer that nobody knows: no acceptance, and tried again."""
    detail = "HTTP 400 without an answer in Snapchat's form"

    assert Later(Reason.UNKNOWN_ANSWER, detail, blame=refused()) == read(answer(400, "VALID"), 8)


@pytest.mark.parametrize("status", [200, 400, 422])
def test_12_invalid_is_no_success(status: int) -> None:
    """The word INVALID refuses the whole request, also in a success; nobody is named, so the culprit is searched."""
    assert Doubt(refused(status)) == read(answer(status, "INVALID", "jane@example.com is not hashed"), 8)


@pytest.mark.parametrize(
    ("event", "expected"),
    [(1, (1,)), ("1", (1,)), (0, (0,)), (3, ()), (-1, ()), (True, ()), (1.0, ()), ("e-1", ()), ("²", ()), (None, ())],
)
def test_13_event_is_a_hint(event: object, expected: tuple[int, ...]) -> None:
    """Event 1 of three is asked alone first, and the others go again; what is no position of the batch is no hint."""
    assert Doubt(refused(), expected) == read(answer(400, "INVALID", event=event), 3)


def test_14_a_validation_names_the_culprit() -> None:
    """When the refusal names nobody, the validation of the same batch does: index 2 is asked alone, the others go."""
    assert Doubt(refused()) == read(answer(400, "INVALID"), 3)
    assert (2,) == tuple(suspects(validated("VALID", "VALID", "INVALID"), 3))


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (validated("INVALID", "VALID", "INVALID", status=200), (0, 2)),
        (validated("VALID", "VALID", "VALID", status=200), ()),
        (answer(400, "INVALID", event_logs=[]), ()),
        (answer(400, "INVALID", event_logs={"event": 1, "status": "INVALID"}), ()),
        (answer(400, "INVALID", event_logs=[{"event": 9, "status": "INVALID"}, None, {"status": "INVALID"}]), ()),
        (
            answer(400, "INVALID", event_logs=[{"event": 2, "status": "INVALID"}, {"event": 1, "status": "INVALID"}]),
            (1, 2),
        ),
        (answer(401, "INVALID", "token"), ()),
        (Reply(502, {}, HTML), ()),
        (NoReply("ServerDisconnectedError"), ()),
    ],
)
def test_14_suspects(reply: Reply | NoReply, expected: tuple[int, ...]) -> None:
    """A validation blames the positions that it calls INVALID, in order; any other answer blames nobody."""
    assert expected == tuple(suspects(reply, 3))


@pytest.mark.parametrize("status", [200, 400])
def test_an_answer_that_names_culprits(status: int) -> None:
    """A refusal that speaks of each event, as in mode `test`, names the culprits at once, each with its own code."""
    expected = Blamed({0: refused(status, "PII"), 2: refused(status, "PII")})

    assert expected == read(validated("INVALID", "VALID", "INVALID", status=status), 3)


@pytest.mark.parametrize("word", ["INVALID", "FAILED"])
def test_records_of_version_2(word: str) -> None:
    """Positions in the form of version 2 are exact and name the culprits; those outside of the batch do not."""
    records = [{"reason": "bad", "record_indexes": [0, 7, None]}, {"record_indexes": [2]}, {"record_indexes": 1}, None]

    assert Blamed({0: refused(), 2: refused()}) == read(answer(400, word, error_records=records), 3)


def test_success_that_blames_an_event() -> None:
    """A success that still calls one event INVALID loses it not in silence: it alone is refused."""
    logs = [{"event": 1, "status": "INVALID"}]

    assert Mixed({1: refused(200)}) == read(answer(200, "VALID", event_logs=logs), 3)


@pytest.mark.parametrize(
    "reason",
    [
        "invalid token",
        "Unauthorized access",
        "Authentication failed",
        "Permission denied for this asset",
        "Invalid access_token.",
        "Access token is expired",
        "Unauthorized: TOKEN revoked",
        "The token 'abc' is unknown",
        "'access_token' is invalid",
        'Parameter "access_token" is missing',
        "Access tokens of this organization were revoked",
        "AccessToken invalid",
        f"{'x' * 5000} access token",
    ],
)
@pytest.mark.parametrize("status", [200, 400])
def test_15_token(status: int, reason: str) -> None:
    """A refusal that speaks of the token halts the lane, whatever else it says; no event is to blame."""
    expected = Halt(Reason.UNAUTHORIZED, f"Snapchat answered HTTP {status} and spoke of the token")

    assert expected == read(answer(status, "INVALID", reason, event=1), 3)


@pytest.mark.parametrize(
    "body",
    [
        {"status": "INVALID", "reason": "Request failed", "errors": {"codes": ["INVALID_TOKEN"]}},
        {"status": "INVALID", "reason": "Request failed", "errors": {"error_msgs": ["no", "Invalid access token"]}},
        {"status": "INVALID", "debug_message": "invalid access token", "event": 1},
        {"request_status": "ERROR", "debug_message": "invalid access token", "error_code": "E1008"},
    ],
)
@pytest.mark.parametrize("status", [200, 400])
def test_15_token_wherever_it_is_said(status: int, body: dict[str, object]) -> None:
    """Codes, messages and the text for debugging speak of the token as the reason does."""
    expected = Halt(Reason.UNAUTHORIZED, f"Snapchat answered HTTP {status} and spoke of the token")

    assert expected == read(Reply(status, {}, orjson.dumps(body)), 3)


@pytest.mark.parametrize(
    "reason",
    [
        "Unrecognized event type 'token'",
        "Field sc_click_id is not a valid token",
        "sc_click_id: invalid token",
        "'sc_click_id' is not a valid token",
        "Invalid token for sc_click_id",
        "event 0: search_string has an invalid token",
        "event_source_url is bad: https://shop.example/?access_token=1",
        'search_string "my token" is too long',
        "tokens and tokenizers",
        f"{'x' * 90} token",
        None,
        ["token"],
    ],
)
def test_15_not_the_token(reason: object) -> None:
    """A token that may be an event's own, or another word, does not halt the lane."""
    assert Doubt(refused()) == read(answer(400, "INVALID", reason), 3)


def test_15_a_token_of_somebodys() -> None:
    """Where it is open whose token is meant, a hint is not followed: Snapchat is asked about each event first."""
    assert Doubt(refused()) == read(answer(400, "INVALID", "sc_click_id is not a valid token", event=1), 3)
    assert (1,) == tuple(suspects(validated("VALID", "INVALID", "VALID"), 3))


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, Reason.UNAUTHORIZED),
        (403, Reason.MISCONFIGURED),
        (404, Reason.MISCONFIGURED),
        (405, Reason.MISCONFIGURED),
        (402, Reason.MISCONFIGURED),
        (407, Reason.MISCONFIGURED),
        (451, Reason.MISCONFIGURED),
        (301, Reason.MISCONFIGURED),
        (308, Reason.MISCONFIGURED),
    ],
)
@pytest.mark.parametrize("body", [HTML, answer(400, "INVALID", event=0).body], ids=["gateway", "Snapchat"])
def test_account(status: int, reason: Reason, body: bytes) -> None:
    """A token, an organization, an asset or a path that is wrong halts the lane, whoever says it."""
    verdict = read(Reply(status, {}, body), 3)
    assert isinstance(verdict, Halt)

    assert reason is verdict.reason


@pytest.mark.parametrize("body", [HTML, answer(429, "INVALID", event=0).body], ids=["gateway", "Snapchat"])
def test_16_throttle(body: bytes) -> None:
    """A throttle blames nobody and waits by the usual back-off: Snapchat has no header that says for how long."""
    verdict = read(Reply(429, {"x-ratelimit-reset": "9"}, body), 8)

    assert Later(Reason.THROTTLED, "Snapchat answered HTTP 429") == verdict
    assert Advice() == snapchat().advice(Reply(429, {"x-ratelimit-reset": "9"}, body))


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 599, 100])
@pytest.mark.parametrize("body", [HTML, answer(500, "INVALID", event=0).body], ids=["gateway", "Snapchat"])
def test_outage(status: int, body: bytes) -> None:
    """An outage is no event's fault, also in Snapchat's form."""
    assert Later(Reason.OUTAGE, f"Snapchat answered HTTP {status}") == read(Reply(status, {}, body), 8)


@pytest.mark.parametrize("cause", ["no answer within 15 s", "ClientConnectorError"])
def test_no_answer(cause: str) -> None:
    """Without an answer the same bytes go again."""
    assert Later(Reason.OUTAGE, cause) == read(NoReply(cause), 8)


@pytest.mark.parametrize("body", [HTML, b"", b"[]", b'{"status":"valid"}', b'{"status":["VALID"]}', b"\xff", b"null"])
def test_success_in_no_known_form(body: bytes) -> None:
    """A success without the word is no acceptance, and nobody's fault either."""
    assert Later(Reason.OUTAGE, "HTTP 200 without an answer in Snapchat's form") == read(Reply(200, {}, body), 8)


@pytest.mark.parametrize(
    "body", [HTML, b'{"error":"no"}', b'{"status":400,"error":"Bad Request"}', b'{"status":"error"}', b"[]", b""]
)
@pytest.mark.parametrize("status", [400, 406, 410, 411, 412, 414, 415, 418, 421, 422, 426, 431])
def test_refusal_by_somebody_else(status: int, body: bytes) -> None:
    """A refusal that is not in Snapchat's form, as of a proxy, is nobody's fault, however often it comes."""
    detail = f"HTTP {status} without an answer in Snapchat's form"

    assert Later(Reason.OUTAGE, detail) == read(Reply(status, {}, body), 8)


@pytest.mark.parametrize("word", ["VALID", "SOMETHING_NEW"])
@pytest.mark.parametrize("status", [400, 418])
def test_refusal_in_no_known_words(status: int, word: str) -> None:
    """A refusal in words of Snapchat's that no table knows is tried again before any event is doubted."""
    detail = f"HTTP {status} without an answer in Snapchat's form"

    assert Later(Reason.UNKNOWN_ANSWER, detail, blame=refused(status)) == read(answer(status, word), 8)


def test_too_large() -> None:
    """A request that is too large is halved."""
    verdict = read(Reply(413, {}, HTML), 8)
    assert isinstance(verdict, Doubt)

    assert (Reason.OVERSIZE, ()) == (verdict.refusal.reason, verdict.suspects)


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (["required_field", "x"], "required_field"),
        ([4001], "4001"),
        (["4001"], "4001"),
        ([], ""),
        ("4001", ""),
        ([True], ""),
        ([None], ""),
        (["Jane O'Brien"], ""),
        (["jane@example.com"], ""),
        (["A" * 41], ""),
        (["447700900123"], ""),
    ],
)
def test_codes(codes: object, expected: str) -> None:
    """A code is passed on if it looks like one; any other text of Snapchat's may quote the event."""
    verdict = read(answer(400, "INVALID", "jane@example.com", errors={"codes": codes, "error_msgs": ["jane"]}), 8)

    assert Doubt(refused(400, expected)) == verdict


@pytest.mark.parametrize("errors", [None, [], "codes", {"codes": {}}])
def test_errors_of_another_form(errors: object) -> None:
    """Errors of another form have no code."""
    assert Doubt(refused()) == read(answer(400, "INVALID", errors=errors), 8)


def test_platform_reads_so() -> None:
    """The platform's own verdicts are these."""
    verdicts: list[Verdict] = [snapchat().read(answer(200, "VALID"), 8), read(answer(200, "VALID"), 8)]

    assert verdicts[0] == verdicts[1]
    assert (1,) == tuple(snapchat().suspects(validated("VALID", "INVALID"), 2))
