"""The way to a platform, against a real server on loopback."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager

import pytest
import pytest_asyncio
from aiohttp import web
from contracts import HttpContract

from pipeline.core.model import NoReply, Reply, Request
from pipeline.core.ports import Http
from pipeline.edge.http import MOST_REPLY_BYTES, HttpSender

TOKEN = {"Authorization": "Bearer hush"}


class Platform:
    """A server that answers by path and remembers what it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.ends = asyncio.Event()

    def sender(self) -> AbstractAsyncContextManager[Http]:
        """Return the real sender."""
        return HttpSender()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer by path."""
        self.asked.append((request.path, dict(request.headers)))
        match request.path:
            case "/echo":
                return web.Response(
                    status=201, body=await request.read(), headers={"X-Token": request.headers["X-Token"]}
                )
            case "/slow":
                await self.ends.wait()
            case "/moved":
                return web.Response(status=307, headers={"Location": f"{self.url}/echo"})
            case "/cookie":
                return web.Response(headers={"Set-Cookie": "a=b; Path=/"})
            case "/packed":
                return web.Response(body=gzip.compress(b"plain"), headers={"Content-Encoding": "gzip"})
            case "/large":
                return web.Response(body=b"x" * (MOST_REPLY_BYTES + int(request.query.get("more", 0))))
            case "/broken":
                return await self._break(request)
            case path:
                raise LookupError(path)
        return web.Response()

    async def _break(self, request: web.Request) -> web.StreamResponse:
        """Begin an answer and hang up in the middle."""
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport is not None
        request.transport.abort()
        return response


@pytest_asyncio.fixture
async def kit() -> AsyncGenerator[Platform]:
    """Run a platform on loopback."""
    platform = Platform()
    app = web.Application()
    app.router.add_post("/{path}", platform.answer)
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    platform.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield platform
    platform.ends.set()
    await runner.cleanup()


class TestHttpSender(HttpContract):
    """`HttpSender` is a way to a platform."""


async def sent(url: str, within: float = 5.0) -> Reply | NoReply:
    """Send one request with a token."""
    async with HttpSender() as http:
        return await http.send(Request(url, TOKEN, b"{}"), within=within)


@pytest.mark.asyncio
async def test_follows_no_redirect(kit: Platform) -> None:
    """A redirect is an answer: the token does not follow it."""
    reply = await sent(f"{kit.url}/moved")

    assert isinstance(reply, Reply)
    assert (307, ["/moved"]) == (reply.status, [path for path, _ in kit.asked])


@pytest.mark.asyncio
async def test_keeps_no_cookies(kit: Platform) -> None:
    """What a platform asks to remember is forgotten."""
    async with HttpSender() as http:
        for _ in range(2):
            await http.send(Request(f"{kit.url}/cookie", TOKEN, b""), within=5.0)

    assert [False, False] == ["Cookie" in headers for _, headers in kit.asked]


@pytest.mark.asyncio
async def test_unpacks(kit: Platform) -> None:
    """A compressed answer is read as what it says."""
    reply = await sent(f"{kit.url}/packed")

    assert isinstance(reply, Reply)
    assert b"plain" == reply.body


@pytest.mark.asyncio
@pytest.mark.parametrize(("more", "answered"), [(0, True), (1, False)])
async def test_bounds_the_answer(kit: Platform, more: int, answered: bool) -> None:
    """An answer beyond the bound is no answer: memory is bounded."""
    reply = await sent(f"{kit.url}/large?more={more}")

    assert answered is isinstance(reply, Reply)


@pytest.mark.asyncio
async def test_half_an_answer_is_none(kit: Platform) -> None:
    """A connection that breaks within the answer leaves no answer: it may or may not have been taken."""
    assert NoReply("ClientPayloadError") == await sent(f"{kit.url}/broken")


@pytest.mark.asyncio
@pytest.mark.parametrize("url", ["http://127.0.0.1:1/hush", "http://no-such-host.invalid/hush", "nonsense://hush"])
async def test_shows_no_address(url: str) -> None:
    """Whatever goes wrong comes back as a value, and says neither address nor token."""
    reply = await sent(url)

    assert isinstance(reply, NoReply)
    assert "hush" not in reply.cause


@pytest.mark.asyncio
async def test_outside_of_its_context() -> None:
    """Used before it is open it says so: that is a bug of ours."""
    with pytest.raises(RuntimeError, match="outside of its context"):
        await HttpSender().send(Request("http://127.0.0.1:1", {}, b""), within=1.0)
