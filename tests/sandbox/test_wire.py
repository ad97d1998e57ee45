"""The sandbox stops quickly while faults hold connections open."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import ClientError, ClientResponse

from pipeline.sandbox.faults import Silence
from pipeline.sandbox.server import running_sandbox

Post = Callable[..., Awaitable[ClientResponse]]


@pytest.mark.asyncio
async def test_stop_during_silence(post: Post, event: dict[str, object], now: float) -> None:
    """A silence of an hour does not hold up the stop."""
    async with running_sandbox(now=lambda: now) as sandbox:
        sandbox.faults.add(Silence())
        sending = asyncio.create_task(post(sandbox, [event]))
        while not sandbox.journal.entries:  # noqa: ASYNC110  # the journal has no bell
            await asyncio.sleep(0)
        start = time.monotonic()

    assert time.monotonic() - start < 1.0
    with pytest.raises(ClientError):
        await sending
