"""How an answer travels: whole, in drips, half, or not at all.

Invariant: whatever happens on the wire, what the journal holds was decided before the first byte left.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct

from aiohttp import web

from pipeline.sandbox.contract import Reply

POLL_S = 0.1
DRIP_STEPS = 20
HTML = "text/html; charset=utf-8"


def whole(reply: Reply) -> web.Response:
    """Build the answer as it should be."""
    headers = {**reply.headers, "Content-Type": reply.content_type}
    return web.Response(status=reply.status, body=reply.body, headers=headers)


def proxy_page(status: int, retry_after: int | None) -> Reply:
    """Build the HTML page of a proxy that stands in the way."""
    body = f"<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>"
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Reply(status, body.encode(), headers, HTML)


def unavailable() -> Reply:
    """Build the answer that says success in its status and failure in its text."""
    return Reply(200, b"Service Unavailable", {}, "text/plain; charset=utf-8")


async def silence(request: web.Request, seconds: float, closing: asyncio.Event) -> web.StreamResponse:
    """Say nothing for `seconds`, or until the sender has gone or the sandbox stops; then close."""
    deadline = asyncio.get_running_loop().time() + seconds
    while request.transport is not None and not request.transport.is_closing() and not closing.is_set():
        left = deadline - asyncio.get_running_loop().time()
        if left <= 0:
            break
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(closing.wait(), min(POLL_S, left))
    return close(request)


def close(request: web.Request) -> web.StreamResponse:
    """Close the connection without an answer."""
    if request.transport is not None:
        request.transport.close()
    return web.Response()


async def drip(request: web.Request, reply: Reply, seconds: float) -> web.StreamResponse:
    """Send the head at once and the body in small pieces over `seconds`."""
    response = _stream(reply)
    await response.prepare(request)
    size = max(1, len(reply.body) // DRIP_STEPS)
    pieces = [reply.body[start : start + size] for start in range(0, len(reply.body), size)]
    for piece in pieces:
        await asyncio.sleep(seconds / len(pieces))
        await response.write(piece)
    await response.write_eof()
    return response


async def reset(request: web.Request, reply: Reply) -> web.StreamResponse:
    """Send the head and half of the body, then reset the connection."""
    response = _stream(reply)
    await response.prepare(request)
    await response.write(reply.body[: len(reply.body) // 2])
    if request.transport is not None:
        connection = request.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    return response


def _stream(reply: Reply) -> web.StreamResponse:
    headers = {**reply.headers, "Content-Type": reply.content_type}
    response = web.StreamResponse(status=reply.status, headers=headers)
    response.content_length = len(reply.body)
    return response
