"""The probes' endpoints, asked over a socket."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from pipeline.core.reason import Reason
from pipeline.core.status import LaneStatus, Status
from pipeline.edge.health import Health, serve

Ask = tuple[int, dict[str, object]]


@pytest.fixture
def status() -> Status:
    """A worker that came round at second 100 and does its share."""
    return Status("meta", "1.0", joined=True, partitions=3, beat_at=100.0)


@pytest_asyncio.fixture
async def url(status: Status) -> AsyncIterator[str]:
    """The endpoints on a free port, at second 105, with a bound of ten seconds."""
    health = Health(status, lambda: b"capi_up 1\n", stuck_after_seconds=10.0, clock=lambda: 105.0)
    endpoints = await serve(health, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{endpoints.port}"
    await endpoints.close()


async def ask(url: str) -> Ask:
    """Return code and body."""
    async with aiohttp.ClientSession() as session, session.get(url) as reply:
        return reply.status, await reply.json()


@pytest.mark.asyncio
@pytest.mark.parametrize(("beat_at", "code"), [(100.0, 200), (95.0, 503), (None, 200)])
async def test_livez(url: str, status: Status, beat_at: float | None, code: int) -> None:
    """Alive is an owner thread that came round within the bound, or has yet to come round first."""
    status.beat_at = beat_at
    answered, body = await ask(url + "/livez")

    assert (code, code == 200) == (answered, body["alive"])


@pytest.mark.asyncio
async def test_readyz_when_ready(url: str, status: Status) -> None:
    """Ready says so, and lists a halted lane and back-pressure beside it."""
    status.holds = frozenset({Reason.BACKPRESSURE})
    status.lanes = {"a": LaneStatus(), "b": LaneStatus("halted", Reason.UNAUTHORIZED)}
    expected = {
        "ready": True,
        "reasons": [],
        "worker": "meta",
        "version": "1.0",
        "partitions": 3,
        "holds": ["backpressure"],
        "lanes": {"a": {"state": "running", "reason": None}, "b": {"state": "halted", "reason": "unauthorized"}},
    }

    assert (200, expected) == await ask(url + "/readyz")


@pytest.mark.asyncio
async def test_readyz_when_not(url: str, status: Status) -> None:
    """Not ready gives every reason."""
    status.joined, status.draining = False, True
    status.holds = frozenset({Reason.REGISTRY_DOWN})
    status.lanes = {"a": LaneStatus("halted", Reason.UNAUTHORIZED)}
    code, body = await ask(url + "/readyz")

    assert (503, ["not_joined", "draining", "registry_down", "all_lanes_halted"]) == (code, body["reasons"])


@pytest.mark.asyncio
async def test_metrics(url: str) -> None:
    """The metrics come as text in Prometheus' format."""
    async with aiohttp.ClientSession() as session, session.get(url + "/metrics") as reply:
        text, kind = await reply.text(), reply.headers["Content-Type"]

    assert ("capi_up 1\n", "text/plain; version=0.0.4; charset=utf-8") == (text, kind)


@pytest.mark.asyncio
async def test_a_taken_port_is_an_error(url: str, status: Status) -> None:
    """An address that is taken is told to the caller."""
    port = int(url.rsplit(":", 1)[1])

    with pytest.raises(OSError, match=str(port)):
        await serve(Health(status, bytes, 10.0), "127.0.0.1", port)
