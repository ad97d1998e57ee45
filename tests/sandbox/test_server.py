"""The sandbox over HTTP: what a sender and a test see."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import orjson
import pytest
from aiohttp import ClientResponse, ClientSession, FormData

from pipeline.sandbox.config import SandboxConfig
from pipeline.sandbox.server import Sandbox, create_app, running_sandbox

Event = dict[str, object]
Post = Callable[..., Awaitable[ClientResponse]]


async def get(client: ClientSession, url: str) -> bytes:
    """Return the body at a URL, which must be there."""
    async with client.get(url) as response:
        response.raise_for_status()
        return await response.read()


async def tell(client: ClientSession, url: str, document: object) -> tuple[int, str]:
    """Post a JSON document; return the status and the text of the answer."""
    async with client.post(url, json=document) as response:
        return response.status, await response.text()


@pytest.mark.asyncio
async def test_accepted(sandbox: Sandbox, post: Post, client: ClientSession, event: Event, now: float) -> None:
    """An accepted event is in the journal with its digest and without customer data."""
    response = await post(sandbox, [event])
    line = orjson.loads(await get(client, f"{sandbox.url}/_sandbox/journal"))

    assert 200 == response.status
    assert hashlib.sha256(orjson.dumps(event)).hexdigest() == line["sha256"]
    assert ("123", "order-1", "Purchase", now, False) == tuple(
        line[name] for name in ("dataset", "event_id", "event_name", "received_at", "duplicate")
    )
    assert "user_data" not in str(line)


@pytest.mark.asyncio
@pytest.mark.parametrize("multipart", [False, True])
async def test_forms(sandbox: Sandbox, client: ClientSession, event: Event, multipart: object) -> None:
    """Urlencoded and multipart forms are taken like JSON."""
    form = FormData(default_to_multipart=bool(multipart))
    form.add_field("data", orjson.dumps([event]).decode())
    form.add_field("access_token", "good")
    async with client.post(f"{sandbox.url}/v26.0/123/events", data=form) as response:
        assert 1 == (await response.json())["events_received"]
    assert ["order-1"] == sandbox.journal.event_ids


@pytest.mark.asyncio
async def test_refused(sandbox: Sandbox, post: Post, event: Event) -> None:
    """A refused request stores nothing, counts under its code, and its events count an attempt."""
    first = await post(sandbox, [event, {**event, "event_time": 1}])
    await post(sandbox, [event])

    assert (400, {"100/2804003": 1}) == (first.status, sandbox.stats.refused)
    assert [3] == [entry.attempt for entry in sandbox.journal.entries]


@pytest.mark.asyncio
async def test_duplicate(sandbox: Sandbox, post: Post, event: Event) -> None:
    """A duplicate counts as received for the sender and as a duplicate for the judge."""
    await post(sandbox, [event])
    again = await post(sandbox, [event])

    assert 1 == orjson.loads(await again.read())["events_received"]
    assert (1, 1) == (sandbox.stats.accepted, sandbox.stats.duplicates)


@pytest.mark.asyncio
async def test_test_event_code(sandbox: Sandbox, post: Post, client: ClientSession, event: Event) -> None:
    """A test event is listed apart."""
    await post(sandbox, [event], test_event_code="TEST1")
    apart = orjson.loads(await get(client, f"{sandbox.url}/_sandbox/journal?test=1"))

    assert ("TEST1", []) == (apart["test_event_code"], sandbox.journal.entries)
    assert (0, 1) == (sandbox.stats.accepted, sandbox.stats.test_events)


@pytest.mark.asyncio
async def test_stats(sandbox: Sandbox, post: Post, client: ClientSession, event: Event, now: float) -> None:
    """The figures tell requests, events, sizes and requests per second."""
    await post(sandbox, [event, {**event, "event_id": "order-2"}])
    stats = orjson.loads(await get(client, f"{sandbox.url}/_sandbox/stats"))

    assert (1, 2, {"2-10": 1}, [[int(now), 1]]) == tuple(
        stats[name] for name in ("requests", "accepted", "events_per_request", "requests_per_second")
    )


@pytest.mark.asyncio
async def test_sender_fault_is_counted(sandbox: Sandbox, post: Post, event: Event) -> None:
    """The hash of nothing is counted as a fault of the sender."""
    event["user_data"] = {"em": [hashlib.sha256(b"").hexdigest()]}
    await post(sandbox, [event])

    assert {"hash_of_empty": 1} == sandbox.stats.sender_faults


@pytest.mark.asyncio
async def test_notices(sandbox: Sandbox, post: Post, event: Event) -> None:
    """What is taken and still worth knowing is counted."""
    await post(sandbox, [{**event, "action_source": "email", "user_data": {"external_id": "u-1"}}])

    assert (1, {"external_id_not_hashed": 1}) == (sandbox.stats.accepted, sandbox.stats.notices)


@pytest.mark.asyncio
async def test_reset(sandbox: Sandbox, post: Post, client: ClientSession, event: Event) -> None:
    """A reset empties journal and figures, and makes every event new."""
    await post(sandbox, [event])
    async with client.delete(f"{sandbox.url}/_sandbox/journal") as response:
        response.raise_for_status()
    await post(sandbox, [event])

    assert (1, 1, 0) == (sandbox.stats.requests, sandbox.stats.accepted, sandbox.stats.duplicates)


@pytest.mark.asyncio
async def test_page(sandbox: Sandbox, post: Post, client: ClientSession, event: Event) -> None:
    """The page shows the figures, reloads itself and asks for nothing from elsewhere."""
    await post(sandbox, [{**event, "event_time": 1}])
    sandbox.faults.clear()
    page = (await get(client, f"{sandbox.url}/")).decode()

    assert 'http-equiv="refresh"' in page
    assert "100/2804003" in page
    assert "src=" not in page


@pytest.mark.asyncio
async def test_faults_endpoint(sandbox: Sandbox, client: ClientSession) -> None:
    """Faults are added one or many at a time, listed, and cleared."""
    url = f"{sandbox.url}/_sandbox/faults"
    status, _ = await tell(client, url, [{"kind": "status"}, {"kind": "close", "count": 2}])
    listed = orjson.loads(await get(client, url))
    async with client.delete(f"{url}?kind=status") as response:
        left = await response.json()

    assert (200, ["status", "close"], ["close"]) == (
        status,
        [rule["kind"] for rule in listed],
        [rule["kind"] for rule in left],
    )


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("endpoint", "document"),
    [
        ("faults", {"kind": "x"}),
        ("rejections", {}),
        ("access", {"tokens": 1}),
        ("usage", {"calls": 1}),
    ],
)
async def test_refused_documents(sandbox: Sandbox, client: ClientSession, endpoint: str, document: object) -> None:
    """A document that makes no sense is answered with 400 and a sentence."""
    status, text = await tell(client, f"{sandbox.url}/_sandbox/{endpoint}", document)

    assert (400, True) == (status, text.endswith("\n"))


@pytest.mark.asyncio
async def test_broken_document(sandbox: Sandbox, client: ClientSession) -> None:
    """A document that is not JSON is answered with 400."""
    async with client.post(f"{sandbox.url}/_sandbox/usage", data=b"{") as response:
        assert 400 == response.status


@pytest.mark.asyncio
async def test_rejections_endpoint(sandbox: Sandbox, post: Post, client: ClientSession, event: Event) -> None:
    """Rejections are added and cleared while the sandbox runs."""
    url = f"{sandbox.url}/_sandbox/rejections"
    await tell(client, url, {"event_id": "order-*", "subcode": 2804016})
    refused = await post(sandbox, [event])
    async with client.delete(url) as response:
        assert [] == await response.json()

    assert [400, 200] == [refused.status, (await post(sandbox, [event])).status]
    assert {"100/2804016": 1} == sandbox.stats.refused


@pytest.mark.asyncio
async def test_access_endpoint(sandbox: Sandbox, post: Post, client: ClientSession, event: Event) -> None:
    """A token is revoked while the sandbox runs, and no answer shows it."""
    _, text = await tell(client, f"{sandbox.url}/_sandbox/access", {"revoked": ["good"]})

    assert "good" not in text
    assert 401 == (await post(sandbox, [event])).status


@pytest.mark.asyncio
async def test_usage_endpoint(sandbox: Sandbox, post: Post, client: ClientSession, event: Event) -> None:
    """The usage figures are set while the sandbox runs."""
    await tell(client, f"{sandbox.url}/_sandbox/usage", {"call_count": 91})
    response = await post(sandbox, [event])

    assert 91 == orjson.loads(response.headers["X-App-Usage"])["call_count"]


@pytest.mark.asyncio
async def test_payloads(client: ClientSession, post: Post, event: Event, now: float) -> None:
    """Accepted events are kept whole when asked for."""
    async with running_sandbox(SandboxConfig(keep_payloads=True), now=lambda: now) as sandbox:
        await post(sandbox, [event])
        kept = orjson.loads(await get(client, f"{sandbox.url}/_sandbox/payloads"))

    assert event == kept


@pytest.mark.asyncio
async def test_config(post: Post, event: Event, now: float, tmp_path: Path) -> None:
    """Faults, usage and the journal file can be set before the start."""
    path = tmp_path / "journal"
    config = SandboxConfig(
        fault_documents=[{"kind": "status", "status": 503, "count": 1}], usage={"call_count": 80}, journal_path=path
    )
    async with running_sandbox(config, now=lambda: now) as sandbox:
        statuses = [(await post(sandbox, [event])).status for _ in range(2)]

    assert ([503, 200], 80, 1) == (statuses, sandbox.controls.usage.call_count, len(path.read_text().splitlines()))


@pytest.mark.asyncio
async def test_body_limit(post: Post, event: Event, now: float) -> None:
    """A request that is larger than the limit is answered with 413."""
    async with running_sandbox(SandboxConfig(max_body_bytes=10), now=lambda: now) as sandbox:
        response = await post(sandbox, [event])

    assert 413 == response.status


def test_senseless_config() -> None:
    """A fault that makes no sense is refused before the start."""
    with pytest.raises(ValueError, match="kind"):
        create_app(SandboxConfig(fault_documents=[{"kind": "x"}]))
