"""`python -m bench.sink`: the leanest thing that answers like Meta's events edge, so that it holds no contender back.

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

    async def accept(self, request: web.Request) -> web.Response:
        """Take a batch and say how many events it held."""
        body = await request.read()
        events = body.count(b"event_name")
        arrivals = self._arrivals
        arrivals.events += events
        arrivals.requests += 1
        arrivals.bytes += len(body)
        arrivals.last_at = time.time()
        return _json({"events_received": events, "messages": [], "fbtrace_id": "bench"})

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
            web.post("/{version}/{dataset}/events", sink.accept),
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
