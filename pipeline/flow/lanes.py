"""The bridge between the two threads: the owner thread's side of all lanes.

Deliveries cross to the event loop by `call_soon_threadsafe`, once per batch of records;
outcomes cross back by a plain queue.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import ParamSpec

from pipeline.core.model import Delivery
from pipeline.core.pace import Share
from pipeline.core.status import LaneStatus
from pipeline.flow.lane import Lane, Outcomes
from pipeline.flow.line import World
from pipeline.platforms.base import Platform

P = ParamSpec("P")


class Lanes:
    """All lanes of the worker. Made on the loop's thread; its methods are the owner thread's, `run` is the loop's."""

    def __init__(self, platforms: Sequence[Platform], world: World, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._outcomes: SimpleQueue[Outcomes] = SimpleQueue()
        # Done, with the error, when something that was asked of a lane broke it.
        self._broken: asyncio.Future[None] = loop.create_future()
        self.lanes = {platform.destination.name: Lane(platform, world, self._outcomes.put) for platform in platforms}

    async def run(self) -> None:
        """Run every lane until cancelled; the first that breaks ends them all. On the event loop."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch())
            for lane in self.lanes.values():
                tasks.create_task(lane.run())

    def offer(self, destination: str, deliveries: Sequence[Delivery]) -> None:
        """Hand deliveries to their lane."""
        self._soon(self.lanes[destination].offer, deliveries)

    def share(self, share: Share) -> None:
        """Say which partitions are ours, and with them which part of every destination's rate."""
        for lane in self.lanes.values():
            self._soon(lane.share, share)

    def status(self) -> Mapping[str, LaneStatus]:
        """Return how each lane is."""
        return {name: lane.status for name, lane in self.lanes.items()}

    def drain(self) -> None:
        """Let every lane send what it has without waiting for company."""
        for lane in self.lanes.values():
            self._soon(lane.drain)

    def release(self) -> Future[None]:
        """Begin to let go of the pages that are closing; the future is done when no request is out for any."""
        return asyncio.run_coroutine_threadsafe(self._release(), self._loop)

    def outcomes(self, timeout: float = 0.0) -> list[Outcomes]:
        """Return what the lanes reported, waiting at most `timeout` seconds for the first."""
        found: list[Outcomes] = []
        try:
            found.append(self._outcomes.get(timeout=timeout) if timeout else self._outcomes.get_nowait())
            while True:
                found.append(self._outcomes.get_nowait())
        except Empty:
            return found

    async def _release(self) -> None:
        await asyncio.gather(*(lane.release() for lane in self.lanes.values()))

    async def _watch(self) -> None:
        await self._broken

    def _soon(self, call: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        """Call something of a lane on the loop. What it raises breaks `run`: the loop itself would only log it."""

        def guarded() -> None:
            try:
                call(*args, **kwargs)
            except Exception as error:  # noqa: BLE001 - whatever it is, deliveries may be lost from sight
                if not self._broken.done():
                    self._broken.set_exception(error)

        self._loop.call_soon_threadsafe(guarded)
