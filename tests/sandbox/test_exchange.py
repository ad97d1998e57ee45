"""What a fault does to a request, seen from the sender and from the judge."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Awaitable, Callable

import orjson
import pytest
from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout

from pipeline.sandbox.contract import Failure
from pipeline.sandbox.faults import (
    Close,
    Drip,
    Effect,
    Latency,
    RateLimit,
    Reset,
    ShortCount,
    Silence,
    Status,
    Token,
    Unavailable,
)
from pipeline.sandbox.server import Sandbox

Event = dict[str, object]
Post = Callable[..., Awaitable[ClientResponse]]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("effect", "status", "label"),
    [
        (Status(502), 502, "http 502"),
        (Status(429, retry_after=3), 429, "http 429"),
        (Unavailable(), 200, "unavailable"),
        (Failure(2), 503, "2"),
        (Failure(368), 400, "368"),
        (Token(), 401, "190/458"),
        (Token(463), 401, "190/463"),
    ],
)
async def test_nothing_stored(
    sandbox: Sandbox, post: Post, event: Event, effect: Effect, status: int, label: str
) -> None:
    """These faults answer in the platform's place, and nothing is stored."""
    sandbox.faults.add(effect, count=1)
    response = await post(sandbox, [event])

    assert (status, {label: 1}, []) == (response.status, sandbox.stats.refused, sandbox.journal.entries)


@pytest.mark.asyncio
async def test_proxy_page(sandbox: Sandbox, post: Post, event: Event) -> None:
    """An HTTP status comes as a proxy's HTML, with Retry-After where asked for."""
    sandbox.faults.add(Status(429, retry_after=7), count=1)
    response = await post(sandbox, [event])

    assert ("text/html", "7") == (response.content_type, response.headers["Retry-After"])


@pytest.mark.asyncio
@pytest.mark.parametrize("effect", [Close(), Reset(), Silence(seconds=0.01)])
async def test_stored_unanswered(sandbox: Sandbox, post: Post, event: Event, effect: Effect) -> None:
    """The platform keeps the event and the sender cannot know; the next try is a duplicate."""
    sandbox.faults.add(effect, count=1)
    with pytest.raises(ClientError):
        await post(sandbox, [event])
    await post(sandbox, [event])

    assert [False, True] == [entry.duplicate for entry in sandbox.journal.entries]


@pytest.mark.asyncio
@pytest.mark.parametrize("effect", [Close(stored=False), Reset(stored=False), Silence(stored=False, seconds=0.01)])
async def test_lost_unanswered(sandbox: Sandbox, post: Post, event: Event, effect: Effect) -> None:
    """The same faults can lose the event; the next try is then its second attempt and new."""
    sandbox.faults.add(effect, count=1)
    with pytest.raises(ClientError):
        await post(sandbox, [event])
    await post(sandbox, [event])

    assert [(2, False)] == [(entry.attempt, entry.duplicate) for entry in sandbox.journal.entries]


@pytest.mark.asyncio
async def test_silence_ends_with_the_sender(sandbox: Sandbox, client: ClientSession, event: Event) -> None:
    """A sender that gives up has still sent its events."""
    sandbox.faults.add(Silence(), count=1)
    with pytest.raises(TimeoutError):
        await client.post(
            f"{sandbox.url}/v26.0/123/events",
            json={"data": [event], "access_token": "good"},
            timeout=ClientTimeout(total=0.03),
        )

    assert ["order-1"] == sandbox.journal.event_ids


async def until_reset(url: str, body: bytes) -> bytes:
    """Post a body over a bare socket; return what arrives before the connection is reset."""
    host, port = url.removeprefix("http://").split(":")
    head = f"POST /v26.0/123/events HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
    loop = asyncio.get_running_loop()
    answer = b""
    with socket.socket() as connection:
        connection.setblocking(False)  # noqa: FBT003  # the standard library takes it by position only
        await loop.sock_connect(connection, (host, int(port)))
        await loop.sock_sendall(connection, head.encode() + b"Content-Type: application/json\r\n\r\n" + body)
        with contextlib.suppress(ConnectionResetError):
            while piece := await loop.sock_recv(connection, 4096):
                answer += piece
            pytest.fail("the connection ended without a reset")
    return answer


@pytest.mark.asyncio
async def test_reset_is_mid_answer(sandbox: Sandbox, event: Event) -> None:
    """A reset comes after the head of a success and before the end of its body."""
    sandbox.faults.add(Reset(), count=1)
    answer = await until_reset(sandbox.url, orjson.dumps({"data": [event], "access_token": "good"}))

    assert (True, True, False) == (b" 200 OK" in answer, b"events_received" in answer, b"fbtrace_id" in answer)


@pytest.mark.asyncio
async def test_drip(sandbox: Sandbox, post: Post, event: Event) -> None:
    """A dripping answer takes its time and is whole in the end."""
    sandbox.faults.add(Drip(0.02), count=1)
    start = time.monotonic()
    response = await post(sandbox, [event])

    assert 1 == orjson.loads(await response.read())["events_received"]
    assert 0.02 <= time.monotonic() - start


@pytest.mark.asyncio
async def test_latency(sandbox: Sandbox, post: Post, event: Event) -> None:
    """Latency delays the answer and changes nothing else."""
    sandbox.faults.add(Latency(0.02))
    start = time.monotonic()
    response = await post(sandbox, [event])

    assert (200, {"latency": 1}) == (response.status, sandbox.stats.faults)
    assert 0.02 <= time.monotonic() - start


@pytest.mark.asyncio
async def test_short_count(sandbox: Sandbox, post: Post, event: Event) -> None:
    """A short count keeps what it reports: the last events of the request are missing."""
    sandbox.faults.add(ShortCount(1), count=1)
    response = await post(sandbox, [event, {**event, "event_id": "order-2"}])

    assert (200, 1) == (response.status, orjson.loads(await response.read())["events_received"])
    assert ["order-1"] == sandbox.journal.event_ids


@pytest.mark.asyncio
async def test_short_count_of_a_refusal(sandbox: Sandbox, post: Post, event: Event) -> None:
    """A request that is refused anyway is not made a success by a short count."""
    sandbox.faults.add(ShortCount(1), count=1)
    response = await post(sandbox, [{**event, "event_time": 1}])

    assert (400, []) == (response.status, sandbox.journal.entries)


@pytest.mark.asyncio
async def test_rate_limit(sandbox: Sandbox, post: Post, event: Event) -> None:
    """Above the rate limit Meta's business throttle answers, and the usage headers rise before it."""
    sandbox.faults.add(RateLimit(per_second=2.0))
    answers = [await post(sandbox, [event]) for _ in range(3)]
    usage = [orjson.loads(answer.headers["X-App-Usage"])["call_count"] for answer in answers]

    assert ([200, 200, 400], [50, 100, 100]) == ([answer.status for answer in answers], usage)
    assert {"80004/2446079": 1} == sandbox.stats.refused


@pytest.mark.asyncio
async def test_rate_limit_with_a_code(sandbox: Sandbox, post: Post, event: Event) -> None:
    """A rate limit may answer with another of the platform's throttles."""
    sandbox.faults.add(RateLimit(per_second=1.0, code=4))
    await post(sandbox, [event])
    await post(sandbox, [event])

    assert {"4": 1} == sandbox.stats.refused


@pytest.mark.asyncio
async def test_usage_after_rate_limit(sandbox: Sandbox, post: Post, event: Event) -> None:
    """When a rate limit is lifted, the usage headers report the set figure again."""
    sandbox.faults.add(RateLimit(per_second=1.0))
    await post(sandbox, [event])
    sandbox.faults.clear()
    response = await post(sandbox, [event])

    assert 3 == orjson.loads(response.headers["X-App-Usage"])["call_count"]


@pytest.mark.asyncio
async def test_fault_for_one_dataset(sandbox: Sandbox, post: Post, event: Event) -> None:
    """A fault bound to another dataset's path spares this one."""
    sandbox.faults.add(Status(500), in_path="/999/")

    assert 200 == (await post(sandbox, [event])).status
