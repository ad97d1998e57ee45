"""Google's verdict on a whole call."""

from __future__ import annotations

import orjson
import pytest
from google_calls import DESTINATION, EVENT, NOW, body, call, changed, digest, order, request, violations

from pipeline.sandbox.contract import Failure
from pipeline.sandbox.controls import Access, Controls, Rejection
from pipeline.sandbox.google import INGEST, METADATA, STATUS, TOKEN, Google
from pipeline.sandbox.google_outcome import GoogleKnobs

HEADERS = {"Content-Type": "application/json"}


def google(**controls: object) -> Google:
    """Return Google's side with these controls."""
    return Google(Controls(**controls), GoogleKnobs())  # type: ignore[arg-type]


def test_taken() -> None:
    """A valid request is answered with a request id and nothing else."""
    verdict = google().judge(call(request(EVENT, order("ORD-2"))), NOW)

    assert (200, "ok", ["requestId"]) == (verdict.reply.status, verdict.label, list(body(verdict)))
    assert ("1234567890", ["ORD-1", "ORD-2"]) == (verdict.dataset, [seen.event_id for seen in verdict.accepted])


def test_request_ids_differ() -> None:
    """Two requests have two ids."""
    ids = [body(google().judge(call(request(EVENT), number=number), NOW))["requestId"] for number in (1, 2)]

    assert ids[0] != ids[1]


def test_atomic() -> None:
    """One bad event refuses the whole request, and every bad event is named."""
    raw = changed(EVENT, "userData.userIdentifiers.0.emailAddress", "dana@example.com")
    verdict = google().judge(call(request(raw, EVENT, order("ORD-3", currency="euro"))), NOW)

    assert (400, 3, []) == (verdict.reply.status, verdict.received, list(verdict.accepted))
    assert [
        ("events.events[0].user_data.user_identifiers[0]", "INVALID_HEX_ENCODING"),
        ("events.events[2].currency", "INVALID_CURRENCY_CODE"),
    ] == violations(verdict)


def test_no_value_is_repeated() -> None:
    """An error names places and never repeats what was sent, be it a value or the name of a field."""
    event = changed(changed(EVENT, "userData.userIdentifiers.0.emailAddress", "dana@example.com"), "secret7", "x")
    event = changed(changed(event, "currency", "doubloon"), "adIdentifiers.gclid", "not a click")
    verdict = google().judge(call(request(event, encoding="HEX", other8="y")), NOW)

    assert 5 == len(violations(verdict))
    assert [] == [
        word
        for word in ("dana", "secret7", "doubloon", "not a click", "other8", "ORD-1")
        if word in str(verdict.reply.body)
    ]


def test_error_shape() -> None:
    """An error has code, message, status and the details ErrorInfo, RequestInfo and BadRequest."""
    error = body(google().judge(call({}), NOW))["error"]
    assert isinstance(error, dict)
    kinds = [detail["@type"].rpartition(".")[2] for detail in error["details"]]

    assert (400, "INVALID_ARGUMENT") == (error["code"], error["status"])
    assert ["ErrorInfo", "RequestInfo", "BadRequest"] == kinds
    assert error["details"][1]["requestId"].startswith("t-")


@pytest.mark.parametrize(
    ("token", "status", "label"),
    [
        ("Bearer good", 200, "ok"),
        ("Bearer other", 401, "401"),
        ("Bearer old", 401, "401/ACCESS_TOKEN_EXPIRED"),
        ("Bearer gone", 401, "401"),
        ("Bearer ", 401, "401/CREDENTIALS_MISSING"),
        ("Basic good", 401, "401/CREDENTIALS_MISSING"),
    ],
)
@pytest.mark.parametrize("route", [INGEST, STATUS])
def test_tokens(token: str, status: int, label: str, route: str) -> None:
    """Both endpoints want a bearer token that is known, in the Authorization header."""
    access = Access(frozenset(["good"]), frozenset(["old"]), frozenset(["gone"]))
    side = google(access=access)
    name = str(body(side.judge(call(request(EVENT)), NOW))["requestId"])
    method = "GET" if route == STATUS else "POST"
    headers = {**HEADERS, "Authorization": token}
    asked = call(request(EVENT), headers=headers, route=route, method=method, query={"requestId": name})
    verdict = side.judge(asked, NOW)

    assert (status, label) == (verdict.reply.status, verdict.label)


def test_unauthenticated() -> None:
    """A refused token is UNAUTHENTICATED and says so in a header."""
    verdict = google(access=Access(revoked=frozenset(["good"]))).judge(call(request(EVENT)), NOW)
    error = body(verdict)["error"]
    assert isinstance(error, dict)

    assert "UNAUTHENTICATED" == error["status"]
    assert "invalid_token" in verdict.reply.headers["WWW-Authenticate"]


def test_query_token() -> None:
    """A token in the URL is not taken."""
    verdict = google().judge(call(request(EVENT), headers=HEADERS, query={"access_token": "good"}), NOW)

    assert 401 == verdict.reply.status


@pytest.mark.parametrize(("route", "method"), [(INGEST, "GET"), (INGEST, "PUT"), (STATUS, "POST")])
def test_methods(route: str, method: str) -> None:
    """Events are sent with POST and a status is asked for with GET; anything else is NOT_FOUND."""
    verdict = google().judge(call(request(EVENT), route=route, method=method, query={"requestId": "x"}), NOW)

    assert (404, "404") == (verdict.reply.status, verdict.label)


def test_unknown_account() -> None:
    """An account that the caller cannot reach is PERMISSION_DENIED."""
    side = google(access=Access(datasets=frozenset(["5555555555"])))
    verdict = side.judge(call(request(EVENT)), NOW)

    assert (403, "403") == (verdict.reply.status, verdict.label)
    assert "PERMISSION_DENIED" in str(body(verdict))


@pytest.mark.parametrize(
    "parts",
    [
        {"body": b"{"},
        {"body": b""},
        {"body": b"[]"},
        {"headers": {"Content-Type": "text/plain", "Authorization": "Bearer good"}},
        {"form": {"events": "[]"}, "headers": {"Authorization": "Bearer good"}},
    ],
)
def test_not_json(parts: dict[str, object]) -> None:
    """A body that is not a JSON object, or is not called JSON, is refused without any place."""
    verdict = google().judge(call(request(EVENT), **parts), NOW)

    assert (400, "400", []) == (verdict.reply.status, verdict.label, violations(verdict))


def test_sender_fault() -> None:
    """The hash of nothing is flagged in the verdict."""
    event = changed(EVENT, "userData.userIdentifiers.0.emailAddress", digest(""))

    assert "hash_of_empty" == google().judge(call(request(event)), NOW).sender_fault


def test_rejections() -> None:
    """Events that only Google refuses take their request with them; all are named, and no rule is given."""
    side = google(rejections=[Rejection("poison-*")])
    verdict = side.judge(call(request(order("poison-1"), EVENT, order("poison-2"))), NOW)

    assert [("events.events[0]", "INVALID_EVENT"), ("events.events[2]", "INVALID_EVENT")] == violations(verdict)
    assert "poison" not in str(verdict.reply.body)
    assert "ok" == side.judge(call(request(EVENT)), NOW).label


def test_refused_events_count_an_attempt() -> None:
    """The events of a refused request are known again when they are sent again."""
    refused = google(rejections=[Rejection("poison")]).judge(call(request(EVENT, order("poison"))), NOW)
    taken = google().judge(call(request(EVENT)), NOW)

    assert taken.accepted[0].key == refused.refused[0]


def test_validate_only() -> None:
    """With validateOnly an event is checked, listed as a test and has no status."""
    side = google()
    verdict = side.judge(call(request(EVENT, validateOnly=True)), NOW)
    name = str(body(verdict)["requestId"])
    status = side.judge(call(route=STATUS, method="GET", query={"requestId": name}), NOW)

    assert ("ok", "test", 1) == (verdict.label, verdict.test_event_code, verdict.taken)
    assert [("request_id", "INVALID_REQUEST_ID")] == violations(status)
    assert 400 == side.judge(call(request({}, validateOnly=True)), NOW).reply.status


def test_warnings() -> None:
    """What is taken and partly ignored is told in fieldWarnings."""
    event = order("ORD-1", adIdentifiers={"gbraid": "Cx0"}, cartData={"merchantId": "7"})
    verdict = google().judge(call(request(EVENT, event)), NOW)
    warned = body(verdict)["fieldWarnings"]
    assert isinstance(warned, list)

    assert ["events.events[1].cart_data"] == [warning["field"] for warning in warned]
    assert warned[0]["reason"].startswith("WARNING_REASON_CART_DATA_NOT_SUPPORTED")
    assert 2 == len(verdict.accepted)


def test_several_destinations() -> None:
    """An event is kept once for each of its destinations."""
    two = [{**DESTINATION, "productDestinationId": name} for name in ("1", "2")]
    verdict = google().judge(call(request(EVENT, destinations=two)), NOW)

    assert (["1", "2"], 2) == ([seen.event_name for seen in verdict.accepted], verdict.taken)


def test_fast() -> None:
    """In fast mode events are counted and neither checked nor listed."""
    verdict = google(fast=True).judge(call(request({}, {})), NOW)

    assert ("ok", 2, 0) == (verdict.label, verdict.taken, len(verdict.accepted))


@pytest.mark.parametrize(
    ("failure", "status", "word"),
    [
        (Failure(429, retry_after=7), 429, "RESOURCE_EXHAUSTED"),
        (Failure(503), 503, "UNAVAILABLE"),
        (Failure(400, title="FAILED_PRECONDITION"), 400, "FAILED_PRECONDITION"),
        (Failure(403, detail="SERVICE_DISABLED"), 403, "PERMISSION_DENIED"),
        (Failure(500, status=502), 502, "INTERNAL"),
        (Failure(80004), 400, "UNKNOWN"),
    ],
)
def test_failures(failure: Failure, status: int, word: str) -> None:
    """An injected failure has its HTTP code, its status word, its reason and its wait."""
    reply = google().failure(call(), failure)
    error = orjson.loads(reply.body)["error"]

    assert (status, word) == (reply.status, error["status"])
    assert (failure.retry_after and str(failure.retry_after)) == reply.headers.get("Retry-After")
    assert failure.detail in (None, error["details"][0]["reason"])


@pytest.mark.parametrize("quota", [None, "IngestionMutateRequestsPerDayPerProject"])
def test_quota(quota: str | None) -> None:
    """A throttled sender is told which quota is used up: the one per minute, or the one that was asked for."""
    reply = google().failure(call(), Failure(429, error_data=quota))
    told = orjson.loads(reply.body)["error"]["details"][0]["metadata"]["quota_limit"]

    assert (quota or "IngestionMutateRequestsPerMinutePerProject") == told


@pytest.mark.parametrize(
    ("route", "code", "status", "text"),
    [
        (TOKEN, 401, 400, "invalid_grant"),
        (TOKEN, 503, 503, "temporarily_unavailable"),
        (TOKEN, 404, 404, "server_error"),
        (METADATA, 401, 401, "Error"),
        (METADATA, 503, 503, "Error"),
    ],
)
def test_failures_of_issuers(route: str, code: int, status: int, text: str) -> None:
    """An injected failure has the shape of the endpoint that was called."""
    reply = google().failure(call(route=route), Failure(code))

    assert (status, True) == (reply.status, text in reply.body.decode())


def test_faults_of_the_contract() -> None:
    """A revoked token is a 401 and too many requests are a 429."""
    assert (401, 429) == (Google.denial.code, Google.throttle.code)
