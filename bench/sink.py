"""`python -m bench.sink`: the leanest thing that answers as the platforms do, so that it holds no contender back.

It counts events by the one word that each of them has, in JSON and in the SDK's form alike, and reads nothing else.
`GET /arrivals` tells what came since the last `DELETE /arrivals`.
"""

from __future__ import annotations

import asyncio
import signal
import time
from dataclasses import asdict, dataclass

import orjson
from aiohttp import web

MOST_BYTES = 64 * 1024 * 1024


@dataclass(slots=True)
class Arrivals:
    """What arrived: events, requests, bytes of bodies, and the Unix time of the last whole request."""

    events: int = 0
    requests: int = 0
    bytes: int = 0
    last_at: float = 0.0


class Sink:
    """Accepts everything."""

    def __init__(self) -> None:
        self._arrivals = Arrivals()

    async def meta(self, request: web.Request) -> web.Response:
        """Take a batch for Meta and say how many events it held; version 3 is Snapchat's."""
        events = await self._count(request, b"event_name")
        if request.match_info["version"] == "v3":
            return _json({"status": "VALID", "reason": "Events have been processed successfully."})
        return _json({"events_received": events, "messages": [], "fbtrace_id": "bench"})

    async def google(self, request: web.Request) -> web.Response:
        """Take a batch for Google, under a request id."""
        await self._count(request, b'"eventTimestamp"')
        return _json({"requestId": f"bench-{self._arrivals.requests}"})

    async def grant(self, _: web.Request) -> web.Response:
        """Grant a token for an hour, as Google's metadata server does."""
        return _json({"access_token": "bench", "expires_in": 3600, "token_type": "Bearer"})

    async def tiktok(self, request: web.Request) -> web.Response:
        """Take a batch for TikTok."""
        await self._count(request, b'"event_time"')
        return _json({"code": 0, "message": "OK", "request_id": "bench", "data": {}})

    async def pinterest(self, request: web.Request) -> web.Response:
        """Take a batch for Pinterest, and say so of each event."""
        events = await self._count(request, b'"event_name"')
        row = {"status": "processed", "error_message": "", "warning_message": ""}
        return _json({"num_events_received": events, "num_events_processed": events, "events": [row] * events})

    async def _count(self, request: web.Request, word: bytes) -> int:
        body = await request.read()
        events = body.count(word)
        arrivals = self._arrivals
        arrivals.events += events
        arrivals.requests += 1
        arrivals.bytes += len(body)
        arrivals.last_at = time.time()
        return events

    async def tell(self, _: web.Request) -> web.Response:
        """Say what arrived."""
        return _json(asdict(self._arrivals))

    async def clear(self, _: web.Request) -> web.Response:
        """Begin to count anew."""
        self._arrivals = Arrivals()
        return _json({})


def _json(value: object) -> web.Response:
    return web.Response(body=orjson.dumps(value), content_type="application/json")


async def serve() -> None:
    """Listen on a free port of loopback, say which, and run until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    sink, app = Sink(), web.Application(client_max_size=MOST_BYTES)
    app.add_routes(
        [
            web.post("/{version}/{dataset}/events", sink.meta),
            web.post("/v1/events:ingest", sink.google),
            web.get("/computeMetadata/v1/instance/service-accounts/{account}/token", sink.grant),
            web.post("/open_api/v1.3/event/track/", sink.tiktok),
            web.post("/v5/ad_accounts/{account}/events", sink.pinterest),
            web.get("/arrivals", sink.tell),
            web.delete("/arrivals", sink.clear),
        ]
    )
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"sink listens on port {runner.addresses[0][1]}", flush=True)  # noqa: T201 - how the bench learns the port
    await stop.wait()
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve())
