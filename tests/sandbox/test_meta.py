"""Meta's verdict on a whole call."""

from __future__ import annotations

from collections.abc import Callable

import orjson
import pytest

from pipeline.sandbox.contract import Call, Failure, Verdict
from pipeline.sandbox.controls import Access, Controls, Rejection
from pipeline.sandbox.meta import Meta

Event = dict[str, object]
MakeCall = Callable[..., Call]

# RFC 2104 over SHA-256, key "app-secret", message "EAAB-token".
PROOF = "294c307ff2427ed2140908ec13f483ef7f7d7819a8fc32fb535cf6ada2327ab2"


def error(verdict: Verdict) -> dict[str, object]:
    """Return the error of a verdict's reply."""
    document: dict[str, dict[str, object]] = orjson.loads(verdict.reply.body)
    return document["error"]


def test_taken(make_call: MakeCall, event: Event, now: float) -> None:
    """A valid request is answered with the number of its events, no message and a trace id."""
    verdict = Meta(Controls()).judge(make_call({"data": [event, event]}), now)
    body = orjson.loads(verdict.reply.body)

    assert (200, 2, []) == (verdict.reply.status, body["events_received"], body["messages"])
    assert body["fbtrace_id"].startswith("A")


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ({"dataset": "123"}, 2500),
        ({"version": "v20.0", "dataset": "123"}, 2635),
        ({"version": "v99.0", "dataset": "123"}, 2500),
        ({"version": "v25.5", "dataset": "123"}, 2500),
    ],
)
def test_versions(make_call: MakeCall, event: Event, path: dict[str, str], code: int, now: float) -> None:
    """A path without a version, with an ended or an unknown one is refused."""
    verdict = Meta(Controls()).judge(make_call({"data": [event]}, path=path), now)

    assert (400, code) == (verdict.reply.status, error(verdict)["code"])


@pytest.mark.parametrize("version", ["v21.0", "v24.0", "v25.0", "v26.0"])
def test_living_versions(make_call: MakeCall, event: Event, version: str, now: float) -> None:
    """Every living version is served."""
    call = make_call({"data": [event]}, path={"version": version, "dataset": "123"})

    assert "ok" == Meta(Controls()).judge(call, now).label


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_methods(make_call: MakeCall, event: Event, method: str, now: float) -> None:
    """Events are sent with POST only."""
    verdict = Meta(Controls()).judge(make_call({"data": [event]}, method=method), now)

    assert "100" == verdict.label


@pytest.mark.parametrize(
    ("token", "status", "label"),
    [
        ("good", 200, "ok"),
        ("other", 401, "190"),
        ("old", 401, "190/463"),
        ("gone", 401, "190/458"),
        ("", 401, "104"),
    ],
)
def test_tokens(make_call: MakeCall, event: Event, token: str, status: int, label: str, now: float) -> None:
    """A wrong, expired or revoked token is HTTP 401 with code 190 and its subcode."""
    access = Access(frozenset(["good"]), frozenset(["old"]), frozenset(["gone"]))
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    verdict = Meta(Controls(access)).judge(make_call({"data": [event]}, headers=headers), now)

    assert (status, label) == (verdict.reply.status, verdict.label)


@pytest.mark.parametrize("place", ["header", "body", "query"])
def test_token_places(make_call: MakeCall, event: Event, place: str, now: float) -> None:
    """The token may stand in the Authorization header, the body or the query."""
    headers = {"Content-Type": "application/json"}
    document: dict[str, object] = {"data": [event]}
    if place == "header":
        headers["Authorization"] = "Bearer good"
    if place == "body":
        document["access_token"] = "good"
    query = {"access_token": "good"} if place == "query" else {}
    meta = Meta(Controls(Access(frozenset(["good"]))))

    assert "ok" == meta.judge(make_call(document, headers=headers, query=query), now).label


@pytest.mark.parametrize("dataset", ["999", "abc"])
def test_unknown_dataset(make_call: MakeCall, event: Event, dataset: str, now: float) -> None:
    """A dataset that does not exist, or that the token cannot reach, is 100/33."""
    call = make_call({"data": [event]}, path={"version": "v26.0", "dataset": dataset})
    verdict = Meta(Controls(Access(datasets=frozenset(["123"])))).judge(call, now)

    assert ("100/33", "GraphMethodException") == (verdict.label, error(verdict)["type"])


@pytest.mark.parametrize(("proof", "label"), [(PROOF, "ok"), (PROOF[::-1], "104"), (None, "104"), ("é", "104")])
def test_appsecret_proof(make_call: MakeCall, event: Event, proof: str | None, label: str, now: float) -> None:
    """Where an app demands it, the proof must be the HMAC of the token."""
    headers = {"Content-Type": "application/json", "Authorization": "Bearer EAAB-token"}
    document = {"data": [event], "appsecret_proof": proof}
    meta = Meta(Controls(Access(app_secret="app-secret")))

    assert label == meta.judge(make_call(document, headers=headers), now).label


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"data": None},
        {"data": {}},
        {"data": "[]"},
        {"data": []},
        {"data": [1] * 1001},
        {"data": [1], "partner_agent": "x"},
        {"data": [1], "partner_agent": "a" * 23},
    ],
)
def test_request_shape(make_call: MakeCall, document: object, now: float) -> None:
    """A body that is no object, data that is no list of 1 to 1000, or a wrong partner agent is code 100."""
    assert "100" == Meta(Controls()).judge(make_call(document), now).label


def test_thousand_events(make_call: MakeCall, event: Event, now: float) -> None:
    """A thousand events fit in one request."""
    events = [{**event, "event_id": str(number)} for number in range(1000)]

    assert 1000 == len(Meta(Controls()).judge(make_call({"data": events}), now).accepted)


@pytest.mark.parametrize("body", [b"{", b"\xff", b""])
def test_broken_json(make_call: MakeCall, body: bytes, now: float) -> None:
    """A body that is not JSON is code 100."""
    assert "100" == Meta(Controls()).judge(make_call(body=body), now).label


@pytest.mark.parametrize(
    ("field", "label"), [("[{}]", "100/2804019"), ("{", "100"), ("[]", "100"), ('["{"]', "100"), ("{}", "100")]
)
def test_form(make_call: MakeCall, field: str, label: str, now: float) -> None:
    """A form carries the events as one field of JSON text."""
    assert label == Meta(Controls()).judge(make_call(form={"data": field}, body=b""), now).label


def test_form_taken(make_call: MakeCall, event: Event, now: float) -> None:
    """A form with valid events and its token in a field is taken."""
    form = {"data": orjson.dumps([event]).decode(), "access_token": "good"}

    assert "ok" == Meta(Controls()).judge(make_call(form=form, headers={}), now).label


def test_form_packed_twice(make_call: MakeCall, event: Event, now: float) -> None:
    """Meta's own SDK packs every event of a form into a string once more, and that is taken too."""
    packed = orjson.dumps([orjson.dumps(event).decode()]).decode()
    verdict = Meta(Controls()).judge(make_call(form={"data": packed}, body=b""), now)

    assert ["order-1"] == [seen.event_id for seen in verdict.accepted]


def test_atomic(make_call: MakeCall, event: Event, now: float) -> None:
    """One invalid event refuses the whole request, and none of the others is kept."""
    old = {**event, "event_time": 1}
    verdict = Meta(Controls()).judge(make_call({"data": [event, old, event]}), now)

    assert ("100/2804003", [], 3) == (verdict.label, list(verdict.accepted), verdict.received)


def test_index(make_call: MakeCall, event: Event, now: float) -> None:
    """A schema fault names the place of the event in the text for people."""
    raw = {**event, "user_data": {"em": "a@example.com"}}
    fault = error(Meta(Controls()).judge(make_call({"data": [event, raw]}), now))

    assert "$['data'][1]['user_data']['em']" in str(fault["error_user_msg"])
    assert "a@example.com" not in str(fault)


@pytest.mark.parametrize(
    ("spoiled", "subcode"),
    [
        ({"event_time": 1}, 2804003),
        ({"custom_data": {}}, 2804009),
        ({"user_data": {"fn": "a" * 64}}, 2804050),
    ],
)
def test_no_index(make_call: MakeCall, event: Event, spoiled: dict[str, object], subcode: int, now: float) -> None:
    """The other subcodes give no place, so a sender has to search."""
    fault = error(Meta(Controls()).judge(make_call({"data": [event, {**event, **spoiled}]}), now))

    assert subcode == fault["error_subcode"]
    assert "$" not in str(fault)


def test_error_shape(make_call: MakeCall, event: Event, now: float) -> None:
    """An error about an event has Meta's eight fields."""
    fault = error(Meta(Controls()).judge(make_call({"data": [{**event, "event_time": 1}]}), now))
    fields = {"message", "type", "code", "error_subcode", "is_transient"}

    assert fields | {"error_user_title", "error_user_msg", "fbtrace_id"} == fault.keys()


@pytest.mark.parametrize("spoiled", [{"event_time": 1}, {"action_source": "web"}, {"event_time": 2**40}])
def test_language(make_call: MakeCall, event: Event, spoiled: dict[str, object], now: float) -> None:
    """The texts for people come in another language while the codes stay the same."""
    call = make_call({"data": [{**event, **spoiled}]})
    english, french = (error(Meta(Controls(language=name)).judge(call, now)) for name in ("en", "fr"))

    assert english["error_user_msg"] != french["error_user_msg"]
    assert english.get("error_subcode") == french.get("error_subcode")


def test_sender_fault(make_call: MakeCall, event: Event, now: float) -> None:
    """The hash of nothing is flagged in the verdict and in the title."""
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    verdict = Meta(Controls()).judge(make_call({"data": [{**event, "user_data": {"ph": [empty]}}]}), now)

    assert "hash_of_empty" == verdict.sender_fault
    assert "sandbox: hash_of_empty" in str(error(verdict)["error_user_title"])


@pytest.mark.parametrize("subcode", [2804008, 2804016, None])
def test_rejections(make_call: MakeCall, event: Event, subcode: int | None, now: float) -> None:
    """An event that only the platform refuses takes its whole request with it, and no place is given."""
    rules = [Rejection("poison-*", subcode=subcode)]
    events = [event, {**event, "event_id": "poison-7"}]
    fault = error(Meta(Controls(rejections=rules)).judge(make_call({"data": events}), now))

    assert (100, subcode) == (fault["code"], fault.get("error_subcode"))
    assert "poison" not in str(fault)


def test_rejections_spare_others(make_call: MakeCall, event: Event, now: float) -> None:
    """A rule of rejection lets all other events pass."""
    meta = Meta(Controls(rejections=[Rejection("poison-*")]))

    assert "ok" == meta.judge(make_call({"data": [event]}), now).label


def test_fast(make_call: MakeCall, now: float) -> None:
    """In fast mode events are counted and neither checked nor listed."""
    verdict = Meta(Controls(fast=True)).judge(make_call({"data": [{}, {}]}), now)

    assert ("ok", 2, 0) == (verdict.label, verdict.taken, len(verdict.accepted))


def test_failure_with_odd_fields(make_call: MakeCall) -> None:
    """An injected failure may carry the odd fields that real answers have."""
    failure = Failure(2, error_data='"null"', transient=False, status=400, retry_after=3)
    reply = Meta(Controls()).failure(make_call(), failure)
    fault = orjson.loads(reply.body)["error"]

    assert (400, "3", '"null"', False) == (
        reply.status,
        reply.headers["Retry-After"],
        fault["error_data"],
        fault["is_transient"],
    )


def test_notices(make_call: MakeCall, event: Event, now: float) -> None:
    """A raw external id and a lead without its CRM keys are taken and noted."""
    lead = {**event, "user_data": {"lead_id": 17, "external_id": "u-1", "client_user_agent": "x"}}
    verdict = Meta(Controls()).judge(make_call({"data": [lead]}), now)

    assert {"external_id_not_hashed": 1, "crm_keys_incomplete": 1} == verdict.notices
