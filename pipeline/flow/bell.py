"""A bell: wakes everyone who waits for any change. Whoever wakes looks again; a ring nobody heard is no loss."""

from __future__ import annotations

import asyncio


class Bell:
    """Belongs to one event loop."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake everyone who waits now."""
        self._rung.set()
        self._rung = asyncio.Event()

    async def wait(self, seconds: float | None) -> None:
        """Wait for the next ring, at most `seconds` (None: without limit)."""
        try:
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        except TimeoutError:
            return
