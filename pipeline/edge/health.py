"""The endpoints for probes and metrics: `/livez`, `/readyz`, `/metrics`.

What alive and ready mean is decided in `pipeline.core.status`; here it is only served.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import orjson
from aiohttp import web

from pipeline.core.status import Status, is_alive, unready_reasons

METRICS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_JSON: Final = {"Content-Type": "application/json", "Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class Health:
    """What the endpoints need: the status, the metrics' text, and how long the owner thread may be silent.

    `clock` is the one that `status.beat_at` was read from, in seconds.
    """

    status: Status
    expose: Callable[[], bytes]
    stuck_after_seconds: float
    clock: Callable[[], float] = time.monotonic

    def app(self) -> web.Application:
        """Return the endpoints as an application."""
        app = web.Application()
        app.router.add_get("/livez", self._livez)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._metrics)
        return app

    async def _livez(self, _: web.Request) -> web.Response:
        now = self.clock()
        beat = self.status.beat_at
        silent = None if beat is None else round(now - beat, 3)
        alive = is_alive(self.status, now=now, stuck_after_seconds=self.stuck_after_seconds)
        return _answer(alive, {"alive": alive, "silent_seconds": silent, "bound_seconds": self.stuck_after_seconds})

    async def _readyz(self, _: web.Request) -> web.Response:
        status = self.status
        reasons = unready_reasons(status)
        body: dict[str, object] = {
            "ready": not reasons,
            "reasons": reasons,
            "worker": status.worker,
            "version": status.version,
            "partitions": status.partitions,
            "holds": sorted(status.holds),
            "lanes": {name: {"state": lane.state, "reason": lane.reason} for name, lane in status.lanes.items()},
        }
        return _answer(not reasons, body)

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=self.expose(), headers={"Content-Type": METRICS_TYPE})


class Endpoints:
    """The endpoints on a socket; `port` is the one that was bound, also when a free one was asked for."""

    def __init__(self, runner: web.AppRunner, port: int) -> None:
        self._runner = runner
        self.port = port

    async def close(self) -> None:
        """Stop serving."""
        await self._runner.cleanup()


async def serve(health: Health, host: str, port: int) -> Endpoints:
    """Serve the endpoints on `host:port`; port 0 takes a free one.

    Raises `OSError` when the address cannot be bound.
    """
    runner = web.AppRunner(health.app(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    try:
        await site.start()
    except OSError:
        await runner.cleanup()
        raise
    return Endpoints(runner, int(runner.addresses[0][1]))


def _answer(good: bool, body: dict[str, object]) -> web.Response:  # noqa: FBT001 - the answer itself
    return web.Response(status=200 if good else 503, body=orjson.dumps(body), headers=_JSON)
