"""Snapchat's verdict on a whole call, and its answers over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from aiohttp import ClientSession

from pipeline.sandbox.config import SandboxConfig
from pipeline.sandbox.contract import Call, Failure, Verdict
from pipeline.sandbox.controls import Access, Controls, Rejection
from pipeline.sandbox.faults import RateLimit, ShortCount, Token
from pipeline.sandbox.server import Sandbox, running_sandbox
from pipeline.sandbox.snapchat import Snapchat
from pipeline.sandbox.snapchat_event import WARNINGS
from pipeline.sandbox.snapchat_flaw import REASONS, Code

Event = dict[str, object]
MakeCall = Callable[..., Call]

PIXEL = "6abc82ca-4a3a-4391-98ba-0317a8471234"
HASH = "542d240129883c019e106e3b1b2d3f3cb3537c43c425364de8e951d5a3083345"
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
JSON = {"Content-Type": "application/json"}
DAY = 86_400
DOCS = (Path(__file__).parents[2] / "docs" / "sandbox" / "snapchat.md").read_text()
VALIDATE = {"dataset": PIXEL, "validate": "validate"}


@pytest.fixture
def event(now: float) -> Event:
    """Return a valid web purchase."""
    return {
        "event_name": "PURCHASE",
        "event_time": int(now) - 60,
        "event_id": "order-1",
        "action_source": "WEB",
        "event_source_url": "https://shop.example/thanks",
        "user_data": {"em": [HASH]},
        "custom_data": {"value": 12.5, "currency": "EUR"},
    }


@pytest.fixture
def make_call() -> MakeCall:
    """Return a builder of calls to Snapchat; keyword arguments replace its parts."""

    def build(document: object = None, **parts: object) -> Call:
        usual: dict[str, object] = {
            "number": 1,
            "method": "POST",
            "path": {"dataset": PIXEL},
            "query": {"access_token": "good"},
            "headers": JSON,
            "body": orjson.dumps(document),
        }
        return Call(**{**usual, **parts})  # type: ignore[arg-type]

    return build


def app_event(event: Event) -> Event:
    """Turn a web event into an app event."""
    app_data = {"advertiser_tracking_enabled": 0, "extinfo": ["a2", *[""] * 15]}
    return {**event, "action_source": "MOBILE_APP", "app_data": app_data}


def body(verdict: Verdict) -> dict[str, object]:
    """Return the document of a verdict's reply."""
    document: dict[str, object] = orjson.loads(verdict.reply.body)
    return document


def test_taken(make_call: MakeCall, event: Event, now: float) -> None:
    """A valid request gets one verdict for all of its events, and no count."""
    verdict = Snapchat(Controls()).judge(make_call({"data": [event, event]}), now)

    assert (200, "ok", 2) == (verdict.reply.status, verdict.label, verdict.taken)
    assert {"status": "VALID", "reason": "Events have been processed successfully."} == body(verdict)


@pytest.mark.parametrize("path", [{"dataset": PIXEL}, VALIDATE])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_methods(make_call: MakeCall, event: Event, method: str, path: dict[str, str], now: float) -> None:
    """Events are sent and validated with POST only."""
    verdict = Snapchat(Controls()).judge(make_call({"data": [event]}, method=method, path=path), now)

    assert (405, "INVALID") == (verdict.reply.status, body(verdict)["status"])


@pytest.mark.parametrize("path", [{"dataset": PIXEL}, VALIDATE])
@pytest.mark.parametrize(
    ("token", "status"), [("good", 200), ("other", 400), ("old", 401), ("gone", 401), ("", 401), (None, 401)]
)
def test_tokens(
    make_call: MakeCall, event: Event, token: str | None, status: int, path: dict[str, str], now: float
) -> None:
    """A missing, expired or revoked token is 401, an unknown one is 400, and the reason speaks of a token."""
    access = Access(frozenset(["good"]), frozenset(["old"]), frozenset(["gone"]))
    query = {} if token is None else {"access_token": token}
    verdict = Snapchat(Controls(access)).judge(make_call({"data": [event]}, query=query, path=path), now)

    assert status == verdict.reply.status
    assert ("token" in str(body(verdict)["reason"])) is (status != 200)


@pytest.mark.parametrize("code", Code)
def test_reasons_without_tokens(code: Code) -> None:
    """No reason against an event speaks of a token, which would blame the access instead."""
    assert "token" not in REASONS[code].lower()


@pytest.mark.parametrize("word", [*Code, *WARNINGS])
def test_docs(word: str) -> None:
    """Every code and every warning is described."""
    assert f"`{word}`" in DOCS


@pytest.mark.parametrize(
    ("header", "label"), [("Bearer good", "ok"), ("bearer good", "ok"), ("Basic good", "401"), ("Bearer", "401")]
)
def test_bearer(make_call: MakeCall, event: Event, header: str, label: str, now: float) -> None:
    """The token may stand in the Authorization header instead of the query."""
    call = make_call({"data": [event]}, query={}, headers={**JSON, "Authorization": header})

    assert label == Snapchat(Controls(Access(frozenset(["good"])))).judge(call, now).label


def test_query_decides(make_call: MakeCall, event: Event, now: float) -> None:
    """A token in the query goes before one in the header."""
    call = make_call(
        {"data": [event]}, query={"access_token": "other"}, headers={**JSON, "Authorization": "Bearer good"}
    )

    assert "400" == Snapchat(Controls(Access(frozenset(["good"])))).judge(call, now).label


@pytest.mark.parametrize(
    ("asset", "label"),
    [
        (PIXEL, "ok"),
        (PIXEL[::-1].replace("-", "0"), "404"),
        ("123", "404"),
        (PIXEL + "0", "404"),
        ("7abc82ca-4a3a-4391-98ba-0317a8471234", "403"),
    ],
)
def test_assets(make_call: MakeCall, event: Event, asset: str, label: str, now: float) -> None:
    """An asset id that is no UUID is 404, one of somebody else is 403."""
    snapchat = Snapchat(Controls(Access(datasets=frozenset([PIXEL]))))

    assert label == snapchat.judge(make_call({"data": [event]}, path={"dataset": asset}), now).label


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
        {"data": [1] * 2001},
        {"data": [1], "access_token": "good"},
        {"data": [1], "partner_agent": "shop"},
        {"data": [1], "test_event_code": ""},
        {"data": [1], "test_event_code": None},
        {"data": [1], "test_event_code": 7},
    ],
)
def test_request_shape(make_call: MakeCall, document: object, now: float) -> None:
    """A body is an object of 1 to 2000 events and perhaps a test event code, and holds nothing else."""
    assert "400" == Snapchat(Controls()).judge(make_call(document), now).label


def test_two_thousand_events(make_call: MakeCall, event: Event, now: float) -> None:
    """Two thousand events fit in one request."""
    events = [{**event, "event_id": str(number)} for number in range(2000)]

    assert 2000 == len(Snapchat(Controls()).judge(make_call({"data": events}), now).accepted)


@pytest.mark.parametrize("content", [b"{", b"\xff", b""])
def test_broken_json(make_call: MakeCall, content: bytes, now: float) -> None:
    """A body that is not JSON is refused."""
    assert "400" == Snapchat(Controls()).judge(make_call(body=content), now).label


@pytest.mark.parametrize(
    ("content_type", "label"), [("application/json; charset=utf-8", "ok"), ("text/plain", "400"), ("", "400")]
)
def test_content_type(make_call: MakeCall, event: Event, content_type: str, label: str, now: float) -> None:
    """A body is sent as JSON."""
    call = make_call({"data": [event]}, headers={"Content-Type": content_type})

    assert label == Snapchat(Controls()).judge(call, now).label


@pytest.mark.parametrize(("size", "label"), [(2 * 1024 * 1024, "ok"), (2 * 1024 * 1024 + 1, "413")])
def test_body_size(make_call: MakeCall, event: Event, size: int, label: str, now: float) -> None:
    """A body may hold 2 MiB."""
    content = orjson.dumps({"data": [event]}).ljust(size)

    assert label == Snapchat(Controls()).judge(make_call(body=content), now).label


def test_one_asset(make_call: MakeCall, event: Event, now: float) -> None:
    """App events go to a Snap App ID and all others to a pixel, so they never share a request."""
    snapchat = Snapchat(Controls())

    assert "400" == snapchat.judge(make_call({"data": [event, app_event(event)]}), now).label
    assert "ok" == snapchat.judge(make_call({"data": [app_event(event)]}), now).label
    assert "ok" == snapchat.judge(make_call({"data": [event, {**event, "action_source": "OFFLINE"}]}), now).label


def test_atomic(make_call: MakeCall, event: Event, now: float) -> None:
    """One bad event refuses the whole request, and none of the others is kept."""
    verdict = Snapchat(Controls()).judge(make_call({"data": [event, {**event, "event_time": 1}]}), now)

    assert (400, "400/timestamp", [], 2) == (
        verdict.reply.status,
        verdict.label,
        list(verdict.accepted),
        verdict.received,
    )


def test_no_index(make_call: MakeCall, event: Event, now: float) -> None:
    """A refusal says what is wrong and where in an event, and neither which event nor its value."""
    raw = {**event, "user_data": {"em": "a@example.com"}}
    first, second = (
        Snapchat(Controls()).judge(make_call({"data": events}), now) for events in ([raw, event], [event, raw])
    )

    assert first.reply == second.reply
    assert {
        "status": "INVALID",
        "reason": "PII is not hashed.",
        "errors": {
            "codes": ["unhashed_pii"],
            "error_msgs": ["user_data.em: must be a SHA-256 of 64 lower-case hexadecimal digits"],
        },
    } == body(first)


def test_validation(make_call: MakeCall, event: Event, now: float) -> None:
    """A validation tells for each event whether it is valid and what it is warned of, and keeps nothing."""
    nameless = {key: value for key, value in event.items() if key != "event_id"}
    call = make_call({"data": [event, {**event, "event_time": 1}, 7, nameless]}, path=VALIDATE)
    verdict = Snapchat(Controls()).judge(call, now)
    logs = body(verdict)["event_logs"]

    assert (400, "400/timestamp", 0, [], []) == (
        verdict.reply.status,
        verdict.label,
        verdict.taken,
        list(verdict.accepted),
        list(verdict.refused),
    )
    assert ("INVALID", True) == (body(verdict)["status"], body(verdict)["test_event"])
    assert isinstance(logs, list)
    assert [(0, "VALID", 0), (1, "INVALID", 0), (2, "INVALID", 0), (3, "VALID", 1)] == [
        (log["event"], log["status"], len(log["warnings"])) for log in logs
    ]
    assert {"codes": ["timestamp"], "error_msgs": ["event.event_time: is too old"]} == logs[1]["errors"]
    assert {"codes": [], "error_msgs": []} == logs[0]["errors"]


def test_valid_validation(make_call: MakeCall, event: Event, now: float) -> None:
    """A validation of valid events is VALID, and is a test."""
    verdict = Snapchat(Controls()).judge(make_call({"data": [event]}, path=VALIDATE), now)

    assert (200, "ok", "test") == (verdict.reply.status, verdict.label, verdict.test_event_code)
    assert "VALID" == body(verdict)["status"]


def test_refused_validation(make_call: MakeCall, now: float) -> None:
    """A validation that is refused as a whole judges no event."""
    verdict = Snapchat(Controls()).judge(make_call({"data": []}, path=VALIDATE), now)

    assert (400, "INVALID", []) == (verdict.reply.status, body(verdict)["status"], body(verdict)["event_logs"])


def test_sender_fault(make_call: MakeCall, event: Event, now: float) -> None:
    """The hash of nothing is flagged in the verdict, sent or validated."""
    document = {"data": [{**event, "user_data": {"ph": [EMPTY]}}]}
    snapchat = Snapchat(Controls())
    verdicts = [snapchat.judge(make_call(document, path=path), now) for path in ({"dataset": PIXEL}, VALIDATE)]

    assert ["hash_of_empty"] * 2 == [verdict.sender_fault for verdict in verdicts]


def test_rejections(make_call: MakeCall, event: Event, now: float) -> None:
    """An event that only the platform refuses takes its request with it, and a validation names it."""
    snapchat = Snapchat(Controls(rejections=[Rejection("poison-*")]))
    document = {"data": [event, {**event, "event_id": "poison-7"}]}
    sent = snapchat.judge(make_call(document), now)
    logs = body(snapchat.judge(make_call(document, path=VALIDATE), now))["event_logs"]

    assert (400, "400/rejected") == (sent.reply.status, sent.label)
    assert "event" not in body(sent)
    assert b"poison" not in sent.reply.body
    assert isinstance(logs, list)
    assert ["VALID", "INVALID"] == [log["status"] for log in logs]


def test_rejections_spare_others(make_call: MakeCall, event: Event, now: float) -> None:
    """A rule of rejection lets all other events pass."""
    snapchat = Snapchat(Controls(rejections=[Rejection("poison-*")]))

    assert "ok" == snapchat.judge(make_call({"data": [event]}), now).label


@pytest.mark.parametrize(("path", "taken"), [({"dataset": PIXEL}, 2), (VALIDATE, 0)])
def test_fast(make_call: MakeCall, path: dict[str, str], taken: int, now: float) -> None:
    """In fast mode events are counted and neither checked nor listed."""
    verdict = Snapchat(Controls(fast=True)).judge(make_call({"data": [{}, {}]}, path=path), now)

    assert ("ok", 200, 2, taken, []) == (
        verdict.label,
        verdict.reply.status,
        verdict.received,
        verdict.taken,
        list(verdict.accepted),
    )


@pytest.mark.parametrize(
    ("outer", "inner", "expected"),
    [
        ({}, [None, None], None),
        ({"test_event_code": "T1"}, [None, None], "T1"),
        ({"test_event_code": "T1"}, ["T2", None], "T1"),
        ({}, ["T2", "T2"], "T2"),
    ],
)
def test_test_event_code(
    make_call: MakeCall, event: Event, outer: Event, inner: list[str | None], expected: str | None, now: float
) -> None:
    """A test event code stands beside the events or on each of them."""
    events = [event if code is None else {**event, "test_event_code": code} for code in inner]
    verdict = Snapchat(Controls()).judge(make_call({"data": events, **outer}), now)

    assert ("ok", expected) == (verdict.label, verdict.test_event_code)


def test_mixed_test_events(make_call: MakeCall, event: Event, now: float) -> None:
    """A request is a test or it is not."""
    document = {"data": [event, {**event, "test_event_code": "T1"}]}

    assert "400" == Snapchat(Controls()).judge(make_call(document), now).label


def test_notices(make_call: MakeCall, event: Event, now: float) -> None:
    """An event without an id and one more than 7 days old are taken and noted."""
    nameless = {key: value for key, value in event.items() if key != "event_id"}
    late = {**event, "event_time": int(now) - 8 * DAY}
    verdict = Snapchat(Controls()).judge(make_call({"data": [nameless, late]}), now)

    assert {"event_id_missing": 1, "older_than_7_days": 1} == verdict.notices


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (Failure(429), 429),
        (Failure(401), 401),
        (Failure(403), 403),
        (Failure(500), 500),
        (Failure(200), 200),
        (Failure(190, 458), 400),
        (Failure(190, status=503), 503),
    ],
)
@pytest.mark.parametrize("path", [{"dataset": PIXEL}, VALIDATE])
def test_failure(make_call: MakeCall, failure: Failure, status: int, path: dict[str, str]) -> None:
    """An injected failure is INVALID, with its code as the HTTP status if it can be one."""
    reply = Snapchat(Controls()).failure(make_call(path=path), failure)

    assert (status, "INVALID") == (reply.status, orjson.loads(reply.body)["status"])
    assert {} == reply.headers


def test_failure_with_odd_fields(make_call: MakeCall) -> None:
    """An injected failure may name a reason, a message, a wait and, as real answers may, an index."""
    failure = Failure(400, message="No.", detail="Not so.", retry_after=3, error_data="1")
    reply = Snapchat(Controls()).failure(make_call(), failure)

    assert {"Retry-After": "3"} == reply.headers
    assert {
        "status": "INVALID",
        "reason": "No.",
        "event": 1,
        "errors": {"codes": ["400"], "error_msgs": ["Not so."]},
    } == orjson.loads(reply.body)


def test_failure_with_odd_index(make_call: MakeCall) -> None:
    """An index that is no number is given as it is."""
    reply = Snapchat(Controls()).failure(make_call(), Failure(400, error_data="first"))

    assert "first" == orjson.loads(reply.body)["event"]


async def send(
    client: ClientSession, sandbox: Sandbox, events: object, *, to: str = "events", **more: object
) -> tuple[int, dict[str, object]]:
    """Post events as a sender would; return the status and the document."""
    url = f"{sandbox.url}/v3/{PIXEL}/{to}?access_token=good"
    async with client.post(url, json={"data": events, **more}) as response:
        return response.status, await response.json()


@pytest.mark.asyncio
async def test_accepted(sandbox: Sandbox, client: ClientSession, event: Event) -> None:
    """An accepted event is in the journal under its asset."""
    status, _ = await send(client, sandbox, [event])
    [entry] = sandbox.journal.entries

    assert (200, "snapchat", PIXEL, "order-1", "PURCHASE") == (
        status,
        entry.platform,
        entry.dataset,
        entry.event_id,
        entry.event_name,
    )


@pytest.mark.asyncio
async def test_recovery(sandbox: Sandbox, client: ClientSession, event: Event) -> None:
    """A sender finds the bad event of a refused request by a validation, which is no attempt to deliver."""
    events = [event, {**event, "event_id": "order-2", "event_time": 1}]
    refused, _ = await send(client, sandbox, events)
    _, told = await send(client, sandbox, events, to="events/validate")
    logs = told["event_logs"]
    assert isinstance(logs, list)
    good = [events[log["event"]] for log in logs if log["status"] == "VALID"]
    accepted, _ = await send(client, sandbox, good)

    assert ([400, 200], ["order-1"]) == ([refused, accepted], sandbox.journal.event_ids)
    assert [2] == [entry.attempt for entry in sandbox.journal.entries]
    assert {"400/timestamp": 2} == sandbox.stats.refused


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("second", "later_s", "duplicates"),
    [
        ({}, 0, 1),
        ({"event_name": "SIGN_UP"}, 0, 1),
        ({"event_id": "order-2"}, 0, 0),
        ({}, 48 * 3600 - 1, 1),
        ({}, 48 * 3600, 0),
    ],
)
async def test_duplicates(
    client: ClientSession, event: Event, second: Event, later_s: int, duplicates: int, now: float
) -> None:
    """An event is known again by its asset and id for 48 hours, whatever its name."""
    clock = [now]
    async with running_sandbox(now=lambda: clock[0]) as sandbox:
        await send(client, sandbox, [event])
        clock[0] += later_s
        status, _ = await send(client, sandbox, [{**event, **second}])

    assert (200, duplicates) == (status, sandbox.stats.duplicates)


@pytest.mark.asyncio
async def test_never_duplicates(sandbox: Sandbox, client: ClientSession, event: Event) -> None:
    """Events without an id are never duplicates."""
    del event["event_id"]
    await send(client, sandbox, [event, event])

    assert (2, 0) == (sandbox.stats.accepted, sandbox.stats.duplicates)


@pytest.mark.asyncio
async def test_tests_apart(sandbox: Sandbox, client: ClientSession, event: Event) -> None:
    """A test event is listed apart, and a validated one nowhere."""
    await send(client, sandbox, [event], test_event_code="T1")
    await send(client, sandbox, [event], to="events/validate")

    assert ([], ["T1"]) == (sandbox.journal.entries, [entry.test_event_code for entry in sandbox.journal.test_entries])
    assert (0, 1) == (sandbox.stats.accepted, sandbox.stats.test_events)


@pytest.mark.asyncio
async def test_injected(sandbox: Sandbox, client: ClientSession, event: Event) -> None:
    """The faults that ask the platform for its answer get Snapchat's."""
    sandbox.faults.add(Token(), count=1)
    sandbox.faults.add(Failure(200, error_data="0"), count=1)
    sandbox.faults.add(RateLimit(0.001))
    answers = [await send(client, sandbox, [event]) for _ in range(3)]

    assert [401, 200, 429] == [status for status, _ in answers]
    assert ["INVALID"] * 3 == [document["status"] for _, document in answers]
    assert [] == sandbox.journal.entries


@pytest.mark.asyncio
async def test_short_count(sandbox: Sandbox, client: ClientSession, event: Event) -> None:
    """An answer without a count cannot be short, so nothing is lost behind a promise."""
    sandbox.faults.add(ShortCount(1))
    _, document = await send(client, sandbox, [event])

    assert ("VALID", ["order-1"]) == (document["status"], sandbox.journal.event_ids)


@pytest.mark.asyncio
async def test_form(sandbox: Sandbox, client: ClientSession) -> None:
    """A form is refused."""
    url = f"{sandbox.url}/v3/{PIXEL}/events?access_token=good"
    async with client.post(url, data={"data": "[]"}) as response:
        assert 400 == response.status


@pytest.mark.asyncio
@pytest.mark.parametrize("path", ["v2/conversion", f"v3/{PIXEL}/conversion", f"v3/{PIXEL}/events/validate/logs"])
async def test_other_paths(sandbox: Sandbox, client: ClientSession, path: str) -> None:
    """Nothing but the two endpoints is there."""
    async with client.post(f"{sandbox.url}/{path}", json={}) as response:
        assert 404 == response.status


@pytest.mark.asyncio
async def test_config(client: ClientSession, event: Event, now: float) -> None:
    """Tokens, assets and rejections of the sandbox hold for Snapchat."""
    config = SandboxConfig(tokens=["good"], datasets=[PIXEL], rejections=[Rejection("order-*")])
    async with running_sandbox(config, now=lambda: now) as sandbox:
        await send(client, sandbox, [event])

    assert {"400/rejected": 1} == sandbox.stats.refused
