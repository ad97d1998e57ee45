"""Google's sandbox over HTTP: what a sender and a test see."""

from __future__ import annotations

import pytest
from aiohttp import ClientSession
from google_calls import EVENT, NOW, PUBLIC_KEY, SCOPE, Event, form, order, request

from pipeline.sandbox.config import SandboxConfig
from pipeline.sandbox.faults import RateLimit, ShortCount, Status, Token
from pipeline.sandbox.google_outcome import Outcome
from pipeline.sandbox.server import Sandbox, create_app, running_sandbox

RECENT = "PROCESSING_ERROR_REASON_TOO_RECENT_CLICK"


async def ingest(
    client: ClientSession, sandbox: Sandbox, *events: object, token: str = "good", **more: object
) -> tuple[int, Event]:
    """Post events as a sender would; return status and answer."""
    async with client.post(
        f"{sandbox.url}/v1/events:ingest", json=request(*events, **more), headers={"Authorization": f"Bearer {token}"}
    ) as response:
        return response.status, await response.json()


async def status_of(client: ClientSession, sandbox: Sandbox, name: object) -> str:
    """Return the status word of a request's only destination."""
    url = f"{sandbox.url}/v1/requestStatus:retrieve"
    async with client.get(url, params={"requestId": str(name)}, headers={"Authorization": "Bearer good"}) as response:
        (one,) = (await response.json())["requestStatusPerDestination"]
    return str(one["requestStatus"])


@pytest.fixture
def now() -> float:
    """Return the time at which these tests take place."""
    return NOW


@pytest.mark.asyncio
async def test_journey(client: ClientSession, now: float) -> None:
    """A token is exchanged, an order is taken with it, and its status is asked for."""
    config = SandboxConfig(tokens=["good"], google_token_s=60, google_public_key=PUBLIC_KEY)
    async with running_sandbox(config, now=lambda: now) as sandbox:
        async with client.post(f"{sandbox.url}/token", data=form()) as response:
            token = await response.json()
        code, answer = await ingest(client, sandbox, EVENT, token=token["access_token"])
        word = await status_of(client, sandbox, answer["requestId"])
        (entry,) = sandbox.journal.entries

    assert (60, 200, "SUCCESS") == (token["expires_in"], code, word)
    assert ("google", "1234567890", "ORD-1", "987654321", int(now) - 60) == (
        entry.platform,
        entry.dataset,
        entry.event_id,
        entry.event_name,
        entry.event_time,
    )


@pytest.mark.asyncio
async def test_metadata(client: ClientSession, sandbox: Sandbox) -> None:
    """The metadata server's address is the one of GKE."""
    url = f"{sandbox.url}/computeMetadata/v1/instance/service-accounts/default/token"
    async with client.get(url, params={"scopes": SCOPE}, headers={"Metadata-Flavor": "Google"}) as response:
        assert "ya29.sandbox-1" == (await response.json())["access_token"]


@pytest.mark.asyncio
async def test_restatement(client: ClientSession, now: float) -> None:
    """The same bytes again are a duplicate, however late; another value under the same id is a new event."""
    clock = [now]
    async with running_sandbox(now=lambda: clock[0]) as sandbox:
        for event, later in ((EVENT, 0), (EVENT, 30 * 86_400), (order("ORD-1", conversionValue=20), 60)):
            clock[0] = now + later
            await ingest(client, sandbox, event)
        duplicates = [entry.duplicate for entry in sandbox.journal.entries]

    assert ([False, True, False], 2, 1) == (duplicates, sandbox.stats.accepted, sandbox.stats.duplicates)


@pytest.mark.asyncio
async def test_outcomes(client: ClientSession, now: float) -> None:
    """An event that fails later is not in the journal, and is there when it was sent again."""
    async with running_sandbox(now=lambda: now) as sandbox:
        url = f"{sandbox.url}/_sandbox/google/outcomes"
        async with client.post(url, json={"event_id": "ORD-*", "reason": RECENT, "count": 1}) as response:
            told = await response.json()
        words = []
        for _ in range(2):
            _, answer = await ingest(client, sandbox, EVENT)
            words.append((await status_of(client, sandbox, answer["requestId"]), len(sandbox.journal.entries)))
        attempts = [entry.attempt for entry in sandbox.journal.entries]

    assert [{"event_id": "ORD-*", "reason": RECENT, "indices": True, "count": 1}] == told
    assert ([("FAILED", 0), ("SUCCESS", 1)], [2]) == (words, attempts)


@pytest.mark.asyncio
async def test_outcomes_are_cleared(client: ClientSession, now: float) -> None:
    """Outcomes of the configuration are listed and cleared, and one that makes no sense is refused."""
    config = SandboxConfig(google_outcomes=[Outcome("a", RECENT)], google_processing_s=5)
    async with running_sandbox(config, now=lambda: now) as sandbox:
        url = f"{sandbox.url}/_sandbox/google/outcomes"
        async with client.get(url) as listed:
            before = len(await listed.json())
        async with client.post(url, json={"event_id": "a"}) as refused:
            code = refused.status
        async with client.delete(url) as cleared:
            after = await cleared.json()
        _, answer = await ingest(client, sandbox, order("a"))
        word = await status_of(client, sandbox, answer["requestId"])

    assert (1, 400, [], "PROCESSING") == (before, code, after, word)


@pytest.mark.asyncio
async def test_validate_only(client: ClientSession, now: float) -> None:
    """What is only validated is listed apart."""
    async with running_sandbox(now=lambda: now) as sandbox:
        code, _ = await ingest(client, sandbox, EVENT, validateOnly=True)

    assert (200, [], ["ORD-1"]) == (
        code,
        sandbox.journal.entries,
        [entry.event_id for entry in sandbox.journal.test_entries],
    )


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("effect", "code", "word"),
    [(Token(), 401, "UNAUTHENTICATED"), (RateLimit(per_second=1e-9), 429, "RESOURCE_EXHAUSTED")],
)
async def test_faults(client: ClientSession, now: float, effect: Token | RateLimit, code: int, word: str) -> None:
    """The faults that every platform knows come in Google's words, and store nothing."""
    async with running_sandbox(now=lambda: now) as sandbox:
        sandbox.faults.add(effect, in_path="events:ingest")
        answers = [await ingest(client, sandbox, EVENT) for _ in range(2)]
        async with client.post(f"{sandbox.url}/token", data=form()) as response:
            assert 200 == response.status
        stored = len(sandbox.journal.entries)

    error = answers[-1][1]["error"]
    assert isinstance(error, dict)
    assert (code, word, stored) == (answers[-1][0], error["status"], sum(one[0] == 200 for one in answers))


@pytest.mark.asyncio
async def test_short_count(client: ClientSession, now: float) -> None:
    """A success that kept fewer events is told by the status only."""
    async with running_sandbox(now=lambda: now) as sandbox:
        sandbox.faults.add(ShortCount(1), count=1)
        code, answer = await ingest(client, sandbox, EVENT, order("ORD-2"))
        word = await status_of(client, sandbox, answer["requestId"])

    assert (200, "PARTIAL_SUCCESS", ["ORD-1"]) == (code, word, sandbox.journal.event_ids)


@pytest.mark.asyncio
async def test_fault_of_a_proxy(client: ClientSession, now: float) -> None:
    """A fault bound to the token's path leaves the events alone."""
    async with running_sandbox(now=lambda: now) as sandbox:
        sandbox.faults.add(Status(503), in_path="/token")
        async with client.post(f"{sandbox.url}/token", data=form()) as response:
            code = response.status
        taken, _ = await ingest(client, sandbox, EVENT)

    assert (503, 200) == (code, taken)


def test_senseless_key() -> None:
    """A key that is none is refused before the start."""
    with pytest.raises(ValueError, match="key: "):
        create_app(SandboxConfig(google_public_key="x"))
