"""TikTok's verdict on a whole call, and the sandbox as a sender to TikTok sees it."""

from __future__ import annotations

from collections.abc import Callable

import orjson
import pytest
from aiohttp import ClientSession

from pipeline.sandbox.config import SandboxConfig
from pipeline.sandbox.contract import Call, Failure, Verdict
from pipeline.sandbox.controls import Access, Controls, Rejection
from pipeline.sandbox.faults import RateLimit, ShortCount, Token
from pipeline.sandbox.server import Sandbox, running_sandbox
from pipeline.sandbox.tiktok import TikTok

Event = dict[str, object]
MakeCall = Callable[..., Call]

HASH = "542d240129883c019e106e3b1b2d3f3cb3537c43c425364de8e951d5a3083345"
HASH_OF_EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
PIXEL = "C4TESTPIXEL"
HOURS_48 = 48 * 3600.0


@pytest.fixture
def event(now: float) -> Event:
    """Return a valid web purchase."""
    return {
        "event": "Purchase",
        "event_time": int(now) - 60,
        "event_id": "order-1",
        "user": {"email": HASH},
        "page": {"url": "https://shop.example/thanks"},
        "properties": {"value": 12.5, "currency": "EUR"},
    }


@pytest.fixture
def make_call() -> Callable[..., Call]:
    """Return a builder of calls to TikTok; keyword arguments replace its parts."""

    def build(document: object = None, **parts: object) -> Call:
        usual: dict[str, object] = {
            "number": 1,
            "method": "POST",
            "path": {},
            "query": {},
            "headers": {"Content-Type": "application/json", "Access-Token": "good"},
            "body": orjson.dumps(document),
        }
        return Call(**{**usual, **parts})  # type: ignore[arg-type]

    return build


def batch(*events: object, **more: object) -> dict[str, object]:
    """Return the body of a request with these events."""
    return {"event_source": "web", "event_source_id": PIXEL, "data": list(events), **more}


def answer(verdict: Verdict) -> dict[str, object]:
    """Return the body of a verdict's reply."""
    document: dict[str, object] = orjson.loads(verdict.reply.body)
    return document


def test_taken(make_call: MakeCall, event: Event, now: float) -> None:
    """A valid request is answered with code 0, and everything in it is kept."""
    verdict = TikTok(Controls()).judge(make_call(batch(event, {**event, "event_id": "order-2"})), now)
    body = answer(verdict)

    assert (200, "ok", PIXEL) == (verdict.reply.status, verdict.label, verdict.dataset)
    assert {"code": 0, "message": "OK", "request_id": body["request_id"], "data": {}} == body
    assert ["order-1", "order-2"] == [seen.event_id for seen in verdict.accepted]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("path", "method", "code"),
    [
        ("v1.3/event/track/", "POST", 0),
        ("v1.3/event/track/", "GET", 40400),
        ("v1.3/event/track/", "PUT", 40400),
        ("v1.3/event/track", "POST", 40400),
        ("v1.3/event/", "POST", 40400),
        ("v1.2/event/track/", "POST", 40006),
        ("v2.0/event/track/", "POST", 40006),
        ("v1.3/pixel/track/", "POST", 40051),
        ("v1.3/pixel/batch/", "POST", 40051),
        ("v1.2/offline/track/", "POST", 40051),
        ("v1.3/offline/batch/", "POST", 40051),
    ],
)
async def test_paths(sandbox: Sandbox, client: ClientSession, event: Event, path: str, method: str, code: int) -> None:
    """Events are posted to one path, with its slash at the end; the interfaces of version 1.0 are gone."""
    url = f"{sandbox.url}/open_api/{path}"
    async with client.request(method, url, json=batch(event), headers={"Access-Token": "good"}) as response:
        assert (200, code) == (response.status, (await response.json())["code"])


@pytest.mark.parametrize(
    ("token", "code"), [("good", 0), ("", 40104), ("other", 40105), ("gone", 40105), ("old", 40102)]
)
def test_tokens(make_call: MakeCall, event: Event, token: str, code: int, now: float) -> None:
    """A token that is missing, unknown, revoked or expired has a code of its own, with HTTP 200."""
    access = Access(frozenset(["good"]), frozenset(["old"]), frozenset(["gone"]))
    headers = {"Content-Type": "application/json", "Access-Token": token}
    verdict = TikTok(Controls(access)).judge(make_call(batch(event), headers=headers), now)

    assert (200, code) == (verdict.reply.status, answer(verdict)["code"])


@pytest.mark.parametrize("place", ["bearer", "query", "body"])
def test_token_places(make_call: MakeCall, event: Event, place: str, now: float) -> None:
    """The token counts in the Access-Token header only."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": "Bearer good"} if place == "bearer" else {})
    query = {"access_token": "good"} if place == "query" else {}
    document = batch(event, **({"access_token": "good"} if place == "body" else {}))

    assert "40104" == TikTok(Controls()).judge(make_call(document, headers=headers, query=query), now).label


@pytest.mark.parametrize(
    ("source", "source_id", "code"),
    [
        ("web", "C4TESTPIXEL", 0),
        ("web", "7123456789", 40002),
        ("web", "C4-TEST", 40002),
        ("web", "", 40002),
        ("web", 7123456789, 40002),
        ("offline", "7123456789", 0),
        ("offline", "C4TESTPIXEL", 40002),
        ("crm", "7123456789", 0),
        ("crm", "C4TESTPIXEL", 40002),
        ("app", "7123456789", 0),
        ("app", "com.example.shop", 40002),
        ("website", "C4TESTPIXEL", 40002),
        (None, "C4TESTPIXEL", 40002),
    ],
)
def test_event_sources(
    make_call: MakeCall, event: Event, source: object, source_id: object, code: int, now: float
) -> None:
    """A Pixel code belongs to the web, and an id of digits to everything else."""
    plain = {name: value for name, value in event.items() if name != "page"}
    document = batch(plain, event_source=source, event_source_id=source_id)
    body = answer(TikTok(Controls()).judge(make_call(document), now))

    assert code == body["code"]
    assert (code != 0) is ("event_source" in str(body["message"]))


def test_unknown_source(make_call: MakeCall, event: Event, now: float) -> None:
    """An event source that does not exist, or that the token cannot reach, is a matter of permission."""
    controls = Controls(Access(datasets=frozenset(["C4OTHER"])))

    assert 40001 == answer(TikTok(controls).judge(make_call(batch(event)), now))["code"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"data": ...}, 40002),
        ({"event_source": ...}, 40002),
        ({"event_source_id": ...}, 40002),
        ({"data": None}, 40002),
        ({"data": {}}, 40002),
        ({"data": []}, 40061),
        ({"data": [1] * 1001}, 40061),
        ({"partner_name": "Acme"}, 40063),
        ({"test_event_code": ""}, 40002),
        ({"test_event_code": 1}, 40002),
        ({"pixel_code": "C4TESTPIXEL"}, 40002),
    ],
)
def test_envelope(make_call: MakeCall, event: Event, changes: dict[str, object], code: int, now: float) -> None:
    """The envelope has its three required fields, 1 to 1000 events, no partner that is not registered and no more."""
    document = {name: value for name, value in batch(event, **changes).items() if value is not ...}

    assert str(code) == TikTok(Controls()).judge(make_call(document), now).label


def test_thousand_events(make_call: MakeCall, event: Event, now: float) -> None:
    """A thousand events fit in one request."""
    events = [{**event, "event_id": str(number)} for number in range(1000)]

    assert 1000 == len(TikTok(Controls()).judge(make_call(batch(*events)), now).accepted)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[]", b"null", b'"{}"'])
def test_bodies(make_call: MakeCall, body: bytes, now: float) -> None:
    """A body that is no JSON object is a parameter error."""
    assert "40002" == TikTok(Controls()).judge(make_call(body=body), now).label


@pytest.mark.parametrize(
    ("content_type", "label"),
    [("application/json; charset=utf-8", "ok"), ("text/plain", "40002"), ("", "40002")],
)
def test_content_type(make_call: MakeCall, event: Event, content_type: str, label: str, now: float) -> None:
    """The body is declared as JSON."""
    headers = {"Content-Type": content_type, "Access-Token": "good"}

    assert label == TikTok(Controls()).judge(make_call(batch(event), headers=headers), now).label


@pytest.mark.parametrize(("size", "label"), [(1024 * 1024, "ok"), (1024 * 1024 + 1, "40061")])
def test_body_size(make_call: MakeCall, event: Event, size: int, label: str, now: float) -> None:
    """A request is, by our assumption, at most one mebibyte long."""
    body = orjson.dumps(batch(event)).ljust(size)

    assert label == TikTok(Controls()).judge(make_call(body=body), now).label


def test_atomic(make_call: MakeCall, event: Event, now: float) -> None:
    """One invalid event refuses the whole request, and the answer does not say which it was."""
    verdict = TikTok(Controls()).judge(make_call(batch(event, {**event, "event_id": 2}, event)), now)

    assert ("40002", [], 3) == (verdict.label, list(verdict.accepted), verdict.received)
    assert "Invalid value for event_id: not a valid string." == answer(verdict)["message"]


def test_error_shape(make_call: MakeCall, event: Event, now: float) -> None:
    """An error has a code, a message and a request id."""
    body = answer(TikTok(Controls()).judge(make_call(batch({**event, "event_time": 1})), now))

    assert {"code", "message", "request_id"} == body.keys()


def test_request_id(make_call: MakeCall, event: Event, now: float) -> None:
    """Every request has an id of its own."""
    tiktok = TikTok(Controls())
    ids = {answer(tiktok.judge(make_call(batch(event), number=number), now))["request_id"] for number in (1, 2, 2, 3)}

    assert 3 == len(ids)


def test_sender_fault(make_call: MakeCall, event: Event, now: float) -> None:
    """The hash of nothing is flagged in the verdict and in the message."""
    verdict = TikTok(Controls()).judge(make_call(batch({**event, "user": {"email": HASH_OF_EMPTY}})), now)

    assert "hash_of_empty" == verdict.sender_fault
    assert "[sandbox: hash_of_empty]" in str(answer(verdict)["message"])


@pytest.mark.parametrize("rule", [Rejection("poison-*"), Rejection("poison-7", 100, None)])
def test_rejections(make_call: MakeCall, event: Event, rule: Rejection, now: float) -> None:
    """An event that only the platform refuses takes its whole request with it, and nothing says which it was."""
    tiktok = TikTok(Controls(rejections=[rule]))
    verdict = tiktok.judge(make_call(batch(event, {**event, "event_id": "poison-7"})), now)
    body = answer(verdict)

    assert (200, 40002, []) == (verdict.reply.status, body["code"], list(verdict.accepted))
    assert not any(character.isdigit() for character in str(body["message"]))
    assert "poison" not in str(body)
    assert "ok" == tiktok.judge(make_call(batch(event)), now).label


def test_fast(make_call: MakeCall, now: float) -> None:
    """In fast mode events are counted and neither checked nor listed."""
    verdict = TikTok(Controls(fast=True)).judge(make_call(batch({}, {})), now)

    assert ("ok", 2, 0) == (verdict.label, verdict.taken, len(verdict.accepted))


def test_notices(make_call: MakeCall, event: Event, now: float) -> None:
    """What is taken and still worth knowing is in the verdict."""
    verdict = TikTok(Controls()).judge(make_call(batch({**event, "page": {}})), now)

    assert {"page_url_missing": 1} == verdict.notices


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({"event_time": 1_799_999_000}, True),
        ({"event_id": "order-2"}, False),
        ({"event": "CompletePayment"}, False),
    ],
)
def test_identity(make_call: MakeCall, event: Event, changes: dict[str, object], same: object, now: float) -> None:
    """An event is known again by its source's id, its name and its id, for 48 hours."""
    first, second = TikTok(Controls()).judge(make_call(batch(event, {**event, **changes})), now).accepted

    assert same is (first.key == second.key)
    assert HOURS_48 == first.window_s


def test_identity_of_source(make_call: MakeCall, event: Event, now: float) -> None:
    """The same event at another event source is another event."""
    tiktok = TikTok(Controls())
    calls = [make_call(batch(event, event_source_id=source_id)) for source_id in ("C4ONE", "C4TWO")]

    assert 2 == len({tiktok.judge(call, now).accepted[0].key for call in calls})


def test_no_event_id(make_call: MakeCall, event: Event, now: float) -> None:
    """An event without an id is never a duplicate."""
    del event["event_id"]
    seen = TikTok(Controls()).judge(make_call(batch(event)), now).accepted[0]

    assert (None, 0.0) == (seen.event_id, seen.window_s)


@pytest.mark.parametrize(
    ("failure", "status", "retry_after"),
    [
        (Failure(40100), 200, None),
        (Failure(50002, status=500), 500, None),
        (Failure(61000, 7, retry_after=3), 200, "3"),
        (Failure(49999), 200, None),
    ],
)
def test_failure(make_call: MakeCall, failure: Failure, status: int, retry_after: str | None) -> None:
    """An injected failure has TikTok's shape, with HTTP 200 unless it says otherwise."""
    reply = TikTok(Controls()).failure(make_call(), failure)
    body = orjson.loads(reply.body)

    assert (status, retry_after) == (reply.status, reply.headers.get("Retry-After"))
    assert ({"code", "message", "request_id"}, failure.code) == (body.keys(), body["code"])


def test_failure_message(make_call: MakeCall) -> None:
    """An injected failure may bring a message of its own."""
    body = orjson.loads(TikTok(Controls()).failure(make_call(), Failure(40016, message="Slow down")).body)

    assert "Slow down" == body["message"]


async def send(client: ClientSession, sandbox: Sandbox, document: object) -> tuple[int, int]:
    """Post a request as a sender would; return the HTTP status and TikTok's code."""
    url = f"{sandbox.url}/open_api/v1.3/event/track/"
    async with client.post(url, json=document, headers={"Access-Token": "good"}) as response:
        return response.status, (await response.json())["code"]


@pytest.mark.asyncio
async def test_journal(sandbox: Sandbox, client: ClientSession, event: Event) -> None:
    """Over HTTP an event is taken, and taken again as a duplicate, without customer data in the journal."""
    answers = [await send(client, sandbox, batch(event)) for _ in range(2)]
    lines = [(line.platform, line.dataset, line.event_name, line.duplicate) for line in sandbox.journal.entries]

    assert [(200, 0), (200, 0)] == answers
    assert [("tiktok", PIXEL, "Purchase", False), ("tiktok", PIXEL, "Purchase", True)] == lines
    assert HASH.encode() not in sandbox.journal.lines()


@pytest.mark.asyncio
@pytest.mark.parametrize(("later", "duplicates"), [(HOURS_48 - 1, 1), (HOURS_48, 0)])
async def test_window(client: ClientSession, event: Event, later: float, duplicates: int, now: float) -> None:
    """After 48 hours the same event counts again."""
    clock = [now]
    async with running_sandbox(now=lambda: clock[0]) as sandbox:
        await send(client, sandbox, batch(event))
        clock[0] += later
        await send(client, sandbox, batch(event))

        assert duplicates == sandbox.stats.duplicates


@pytest.mark.asyncio
async def test_form(sandbox: Sandbox, client: ClientSession) -> None:
    """A form is not JSON."""
    url = f"{sandbox.url}/open_api/v1.3/event/track/"
    async with client.post(url, data={"data": "[]"}, headers={"Access-Token": "good"}) as response:
        assert (200, 40002) == (response.status, (await response.json())["code"])


@pytest.mark.asyncio
async def test_test_event_code(sandbox: Sandbox, client: ClientSession, event: Event) -> None:
    """Test events are listed apart and are no duplicates of live ones."""
    await send(client, sandbox, batch(event, test_event_code="TEST1"))
    await send(client, sandbox, batch(event))

    assert (["TEST1"], ["order-1"]) == (
        [line.test_event_code for line in sandbox.journal.test_entries],
        sandbox.journal.event_ids,
    )


@pytest.mark.asyncio
async def test_refused_attempt(sandbox: Sandbox, client: ClientSession, event: Event) -> None:
    """A refused request stores nothing, counts under its code, and its events count an attempt."""
    refused = await send(client, sandbox, batch(event, {**event, "event_time": 1}))
    await send(client, sandbox, batch(event))

    assert ((200, 40002), {"40002": 1}) == (refused, sandbox.stats.refused)
    assert [3] == [line.attempt for line in sandbox.journal.entries]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("effect", "code"), [(Token(), 40105), (Token(467), 40105), (RateLimit(0.001), 40100), (Failure(51010), 51010)]
)
async def test_faults(
    client: ClientSession, event: Event, effect: Token | RateLimit | Failure, code: int, now: float
) -> None:
    """Injected faults answer in TikTok's codes, and nothing is stored."""
    async with running_sandbox(now=lambda: now) as sandbox:
        sandbox.faults.add(effect)
        answers = [await send(client, sandbox, batch(event)) for _ in range(2)]

        assert (200, code) == answers[1]
        assert answers.count((200, 0)) == len(sandbox.journal.event_ids)


@pytest.mark.asyncio
async def test_short_count(sandbox: Sandbox, client: ClientSession, event: Event) -> None:
    """TikTok counts nothing in its answer, so events that it lost make the success a partial one."""
    lost = {**event, "event_id": "order-2"}
    sandbox.faults.add(ShortCount(1), count=1)
    short = await send(client, sandbox, batch(event, lost))
    await send(client, sandbox, batch(lost))

    assert (200, 20001) == short
    assert [("order-1", 1), ("order-2", 2)] == [(line.event_id, line.attempt) for line in sandbox.journal.entries]


@pytest.mark.asyncio
async def test_known_source(client: ClientSession, event: Event, now: float) -> None:
    """A sandbox with a list of datasets knows no other event source."""
    async with running_sandbox(SandboxConfig(datasets=[PIXEL], tokens=["good"]), now=lambda: now) as sandbox:
        codes = [
            await send(client, sandbox, batch(event, event_source_id=source_id)) for source_id in (PIXEL, "C4OTHER")
        ]

    assert [(200, 0), (200, 40001)] == codes
