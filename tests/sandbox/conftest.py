"""What the sandbox's tests start from: one valid event, ways to spoil it, and a running sandbox."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import AsyncGenerator, Awaitable, Callable

import orjson
import pytest
import pytest_asyncio
from aiohttp import ClientResponse, ClientSession

from pipeline.sandbox.contract import Call
from pipeline.sandbox.server import Sandbox, running_sandbox

NOW = 1_800_000_000.0

Event = dict[str, object]
Change = Callable[[str, object], Event]
Post = Callable[..., Awaitable[ClientResponse]]


def digest(text: str) -> str:
    """Return the SHA-256 of a text in lower-case hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


VALID: Event = {
    "event_name": "Purchase",
    "event_time": int(NOW) - 60,
    "event_id": "order-1",
    "action_source": "website",
    "event_source_url": "https://shop.example/thanks",
    "user_data": {
        "em": [digest("a@example.com")],
        "client_ip_address": "203.0.113.7",
        "client_user_agent": "Mozilla/5.0",
    },
    "custom_data": {"value": 12.5, "currency": "EUR"},
}


@pytest.fixture
def now() -> float:
    """Return the time at which the tests take place."""
    return NOW


@pytest.fixture
def event() -> Event:
    """Return a valid website purchase."""
    return copy.deepcopy(VALID)


@pytest.fixture
def change(event: Event) -> Change:
    """Return a function that sets one dotted place of the valid event, or deletes it when given `...`."""

    def set_place(place: str, value: object) -> Event:
        *outer, last = place.split(".")
        target = event
        for name in outer:
            inner = target.setdefault(name, {})
            assert isinstance(inner, dict)
            target = inner
        if value is ...:
            target.pop(last, None)
        else:
            target[last] = value
        return event

    return set_place


@pytest.fixture
def make_call() -> Callable[..., Call]:
    """Return a builder of calls to Meta; keyword arguments replace its parts."""

    def build(document: object = None, **parts: object) -> Call:
        usual: dict[str, object] = {
            "number": 1,
            "method": "POST",
            "path": {"version": "v26.0", "dataset": "123"},
            "query": {},
            "headers": {"Content-Type": "application/json", "Authorization": "Bearer good"},
            "body": orjson.dumps(document),
        }
        return Call(**{**usual, **parts})  # type: ignore[arg-type]

    return build


@pytest_asyncio.fixture
async def sandbox() -> AsyncGenerator[Sandbox]:
    """Run a sandbox without faults, at the time of the tests."""
    async with running_sandbox(now=lambda: NOW) as running:
        yield running


@pytest_asyncio.fixture
async def client() -> AsyncGenerator[ClientSession]:
    """Return an HTTP session."""
    async with ClientSession() as session:
        yield session


@pytest.fixture
def post(client: ClientSession) -> Post:
    """Return a function that posts events to a sandbox as a sender would."""

    async def send(sandbox: Sandbox, events: object, **more: object) -> ClientResponse:
        response = await client.post(
            f"{sandbox.url}/v26.0/123/events",
            json={"data": events, **more},
            headers={"Authorization": "Bearer good"},
        )
        await response.read()
        return response

    return send
