"""Google's code against the sandbox over HTTP: a token, a batch with a culprit, the rest of it, the final word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from aiohttp import ClientSession
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from google_events import EVERYBODY, ORDERS, google, options, shaped
from google_keys import key_file, rsa_key
from meta_events import NOW, order

from pipeline.core.currency import MINOR_UNITS
from pipeline.core.model import Accepted, Batch, Blamed, Halt, Reply, Request
from pipeline.core.reason import Reason
from pipeline.platforms.base import Token
from pipeline.platforms.follow import Again, Bury, Final
from pipeline.platforms.google import Google
from pipeline.platforms.google_status import GoogleFollowing
from pipeline.sandbox.config import SandboxConfig
from pipeline.sandbox.forms import CURRENCIES
from pipeline.sandbox.google_outcome import Outcome
from pipeline.sandbox.server import Sandbox, running_sandbox

PREFIX = "PROCESSING_ERROR_REASON_"


async def asked(client: ClientSession, request: Request) -> Reply:
    """Send a request as the worker would."""
    async with client.request(request.method, request.url, headers=request.headers, data=request.body) as response:
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Reply(response.status, headers, await response.read())


def opened(sandbox: Sandbox, **changes: Any) -> Google:  # noqa: ANN401 - the options check them
    """Open a destination whose addresses are the sandbox's."""
    return google(options(base_url=sandbox.url, token_url=f"{sandbox.url}/token", metadata_url=sandbox.url, **changes))


async def granted(client: ClientSession, sender: Google, secrets: Mapping[str, str]) -> dict[str, str]:
    """Ask for a token, and return the secrets with it."""
    request = sender.grant().request(secrets, unix=NOW)
    assert isinstance(request, Request), request
    token = sender.grant().read(await asked(client, request))
    assert isinstance(token, Token), token
    return {**secrets, "token": token.value}


def payloads(*numbers: int, **changes: object) -> list[bytes]:
    """Return orders with these numbers."""
    return [shaped(order({**EVERYBODY, "order_id": f"ORD-{number}", **changes})).payload for number in numbers]


def test_currencies() -> None:
    """The sandbox knows the currencies that the worker sends, and no other."""
    assert set(MINOR_UNITS) == CURRENCIES


@pytest.mark.parametrize("place", ["WEBSITE", "STORE"])
@pytest.mark.asyncio
async def test_an_action_that_adds_to_a_tag(place: str) -> None:
    """What adds to a tag is taken from anywhere, and with an order's number that looks like a hash."""
    async with running_sandbox(SandboxConfig(), now=lambda: NOW) as sandbox, ClientSession() as client:
        sender = opened(sandbox, shape="webpage", credentials="metadata_server")
        secrets = await granted(client, sender, {})
        changes = {**EVERYBODY, "order_id": "5f" * 32, "event_id": None, "action_source": place}
        batch = Batch([shaped(order(changes), shape="webpage").payload], ORDERS)
        verdict = sender.read(await asked(client, sender.request(batch, secrets)), 1)

    assert isinstance(verdict, Accepted)


@pytest.mark.asyncio
async def test_c16_c28_journey() -> None:
    """A signed token is granted; a batch with a culprit is refused for it alone; the rest is taken, and followed."""
    public = rsa_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    config = SandboxConfig(google_public_key=public)
    async with running_sandbox(config, now=lambda: NOW) as sandbox, ClientSession() as client:
        sender = opened(sandbox)
        secrets = await granted(client, sender, key_file())
        good, culprit = payloads(1, 2, 3), payloads(4)[0].replace(b'"GBP"', b'"gbp"')
        refused = sender.read(
            await asked(client, sender.request(Batch([good[0], culprit, *good[1:]], "42"), secrets)), 4
        )
        sandbox.google.outcomes.append(Outcome("ORD-2", f"{PREFIX}TOO_RECENT_CLICK"))
        sandbox.google.outcomes.append(Outcome("ORD-3", f"{PREFIX}INVALID_GCLID"))
        taken = sender.read(await asked(client, sender.request(Batch(good, "42"), secrets)), 3)
        assert isinstance(taken, Accepted)
        following = GoogleFollowing(sender.destination)
        final = following.read_status(await asked(client, following.status_request(taken.receipt, secrets)), 3)
        again = sender.read(await asked(client, sender.request(Batch(good[:1], "42"), secrets)), 1)

    assert isinstance(refused, Blamed)
    assert {1: Reason.REJECTED} == {index: refusal.reason for index, refusal in refused.refused.items()}
    assert isinstance(final, Final)
    assert {1: Again, 2: Bury} == {index: type(fate) for index, fate in final.fates.items()}
    assert isinstance(again, Accepted)


@pytest.mark.asyncio
async def test_c21_wrong_key() -> None:
    """A key that Google does not know gives no token and stops the lane."""
    public = rsa_key(1).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    async with (
        running_sandbox(SandboxConfig(google_public_key=public), now=lambda: NOW) as sandbox,
        ClientSession() as client,
    ):
        grant = opened(sandbox).grant()
        request = grant.request(key_file(), unix=NOW)
        assert isinstance(request, Request)
        found = grant.read(await asked(client, request))

    assert isinstance(found, Halt)
    assert Reason.UNAUTHORIZED == found.reason


@pytest.mark.asyncio
async def test_c21_metadata_server() -> None:
    """The machine's own account gets a token that the API takes; one that the API does not know stops the lane."""
    async with running_sandbox(SandboxConfig(tokens=["other"]), now=lambda: NOW) as sandbox, ClientSession() as client:
        sender = opened(sandbox, credentials="metadata_server")
        secrets = await granted(client, sender, {})
        taken = sender.read(await asked(client, sender.request(Batch(payloads(1), "42"), secrets)), 1)
        unknown = sender.read(await asked(client, sender.request(Batch(payloads(1), "42"), {"token": "no"})), 1)

    assert isinstance(taken, Accepted)
    assert isinstance(unknown, Halt)
    assert Reason.UNAUTHORIZED == unknown.reason


@pytest.mark.asyncio
async def test_c24_restated() -> None:
    """A refund is taken as a new word on the order and not as its duplicate; the same refund again is one."""
    async with running_sandbox(now=lambda: NOW) as sandbox, ClientSession() as client:
        sender = opened(sandbox)
        refund = payloads(1, state="REFUNDED", event_id=None, remaining_value="20.00")
        for batch in (payloads(1), refund, refund):
            assert isinstance(
                sender.read(await asked(client, sender.request(Batch(batch, "42"), {"token": "good"})), 1), Accepted
            )
        duplicates = [entry.duplicate for entry in sandbox.journal.entries]

    assert [False, False, True] == duplicates


@pytest.mark.asyncio
async def test_c29_validated_only() -> None:
    """In mode test nothing is entered and nothing is followed, and a culprit is named all the same."""
    async with running_sandbox(now=lambda: NOW) as sandbox, ClientSession() as client:
        sender = google(options(base_url=sandbox.url), mode="test")
        bad = payloads(1)[0].replace(b'"GBP"', b'"gbp"')
        taken, refused = [
            sender.read(await asked(client, sender.request(Batch(batch, "42"), {"token": "good"})), 1)
            for batch in (payloads(1), [bad])
        ]

    assert Accepted() == taken
    assert isinstance(refused, Blamed)
