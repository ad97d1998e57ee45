"""The secrets of one destination as requests need them: with an access token where the platform grants one for a time.

A token is shared by all requests of the lane, asked for once at a time, and renewed early: as long as the old one
holds, nobody waits for the new one.
Lives on the event loop. `now` is monotonic, in seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from pipeline.core.model import Halt, Later
from pipeline.core.ports import Clock, Http, Secrets
from pipeline.core.reason import Reason
from pipeline.flow.clocks import Clocks
from pipeline.platforms.base import Grant, Platform, Token

# google-auth renews as early: a token must not end while a request that carries it is on its way.
EARLY_SECONDS: Final = 225.0
# The key under which a platform finds it.
_KEY: Final = "token"


class Credentials:
    """What a destination's requests are signed with."""

    def __init__(self, platform: Platform, secrets: Secrets, http: Http, clocks: Clocks) -> None:
        self._destination = platform.destination
        self._grant = platform.grant()
        self._secrets = secrets
        self._http = http
        self._wall: Clock = clocks.wall
        self._steady: Clock = clocks.steady
        self._lock = asyncio.Lock()
        self._token: str | None = None
        self._ends_at = 0.0
        self._renew_at = 0.0
        # The secrets that the token was granted for: rotated ones need a new token.
        self._granted_for: Mapping[str, str] = {}
        # The last token was refused, and no later one was taken since.
        self._doubtful = False

    async def values(self) -> Mapping[str, str] | Later | Halt:
        """Return the secrets, and the token, or why there are none: what to do about it is the line's business."""
        secrets = self._secrets.values(self._destination.secrets)
        if isinstance(secrets, str):
            return Halt(Reason.UNAUTHORIZED, secrets)
        if self._grant is None:
            return secrets
        token = self._token_for(secrets)
        if token is None or (self._steady() >= self._renew_at and not self._lock.locked()):
            trouble = await self._renew(self._grant, secrets)
            token = self._token_for(secrets)
            if token is None:
                return trouble or Later(Reason.OUTAGE, "the token that was granted has ended already")
        return {**secrets, _KEY: token}

    def refused(self, used: Mapping[str, str]) -> bool:
        """Note that the platform did not know the token, and return True when another may help: once, for each."""
        if self._grant is None:
            return False
        if used.get(_KEY) != self._token:
            return True
        self._token = None
        first, self._doubtful = not self._doubtful, True
        return first

    def taken(self) -> None:
        """Note that the platform knew the token."""
        self._doubtful = False

    def _token_for(self, secrets: Mapping[str, str]) -> str | None:
        """Return the token while it holds, and if it was granted for these very secrets."""
        return self._token if secrets == self._granted_for and self._steady() < self._ends_at else None

    async def _renew(self, grant: Grant, secrets: Mapping[str, str]) -> Later | Halt | None:
        async with self._lock:
            if self._token_for(secrets) is not None and self._steady() < self._renew_at:
                # Whoever held the lock has just brought one.
                return None
            request = grant.request(secrets, unix=self._wall())
            if isinstance(request, Halt):
                return request
            asked_at = self._steady()
            answer = grant.read(await self._http.send(request, within=self._destination.limits.timeout_seconds))
            if not isinstance(answer, Token):
                return answer
            self._token, self._granted_for = answer.value, secrets
            self._ends_at = asked_at + answer.seconds
            # One that lasts shorter than that is renewed at half of its life.
            self._renew_at = self._ends_at - min(EARLY_SECONDS, answer.seconds / 2)
            return None
