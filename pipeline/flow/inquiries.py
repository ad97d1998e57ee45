"""Asking a platform for its final word: the event loop's side of following.

What comes back speaks of the batch, or says why there is no answer yet; what to do about it is the follower's business.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from pipeline.core.model import Halt, Later
from pipeline.core.reason import Reason
from pipeline.flow.credentials import Credentials
from pipeline.flow.line import World
from pipeline.platforms.base import Platform
from pipeline.platforms.follow import Final, Following, Pending

Answer = Pending | Final | Later | Halt


@dataclass(frozen=True, slots=True)
class Followed:
    """A destination whose acceptances are followed, and how."""

    platform: Platform
    following: Following


@dataclass(slots=True)
class _Way:
    following: Following
    credentials: Credentials
    timeout: float


class Inquiries:
    """Made on the loop's thread; `ask` is the follower's thread's."""

    def __init__(self, followed: Sequence[Followed], world: World, loop: asyncio.AbstractEventLoop) -> None:
        self._http = world.http
        self._loop = loop
        self._ways = {
            each.platform.destination.name: _Way(
                each.following,
                Credentials(each.platform, world.secrets, world.http, world.clocks),
                each.platform.destination.limits.timeout_seconds,
            )
            for each in followed
        }

    def ask(self, destination: str, receipt: str, count: int) -> Future[Answer]:
        """Begin to ask about a batch of `count` events; the future has the answer, and never raises for the network."""
        return asyncio.run_coroutine_threadsafe(self._ask(self._ways[destination], receipt, count), self._loop)

    async def _ask(self, way: _Way, receipt: str, count: int) -> Answer:
        secrets = await way.credentials.values()
        if isinstance(secrets, Later | Halt):
            return secrets
        reply = await self._http.send(way.following.status_request(receipt, secrets), within=way.timeout)
        answer = way.following.read_status(reply, count)
        if not isinstance(answer, Later | Halt):
            way.credentials.taken()
        elif answer.reason is Reason.UNAUTHORIZED and way.credentials.refused(secrets):
            return Later(Reason.UNAUTHORIZED, f"{answer.detail}; a new token is asked for")
        return answer
