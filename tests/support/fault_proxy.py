"""A TCP proxy on a thread of its own that plays the network's faults between real clients and a real HTTP server.

It forwards bytes and knows little of HTTP: an exchange begins with the first bytes of a client after bytes of a reply.
So a server that answers before it has the whole request makes the rest of that request look like another one.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import threading
import time
from collections.abc import Coroutine, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, TypeVar

from java_server import free_ports

LOOPBACK = "127.0.0.1"
CHUNK_BYTES = 64 * 1024
BACKLOG = 128
CALL_SECONDS = 10.0
TICK_SECONDS = 0.05
# SO_LINGER for zero seconds: `close` sends a RST instead of a FIN, and drops what is unsent.
LINGER_NOT = struct.pack("ii", 1, 0)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Delay:
    """Every chunk towards the client comes so many seconds later, in order."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Refused:
    """The port is closed, and connections that exist are reset. It has no probability but 1."""


@dataclass(frozen=True, slots=True)
class CutRequest:
    """When so many bytes of a request were forwarded both sides get a FIN, and nothing passes any more."""

    after_bytes: int


@dataclass(frozen=True, slots=True)
class ResetReply:
    """When so many bytes of a reply were sent to the client it gets a RST; the upstream has had the request."""

    after_bytes: int


@dataclass(frozen=True, slots=True)
class HalfOpen:
    """Whatever either side sends is thrown away, an end of the connection included."""


@dataclass(frozen=True, slots=True)
class Drip:
    """Replies come so slowly. Raises ValueError for a rate that is not above zero."""

    bytes_per_second: float

    def __post_init__(self) -> None:
        if self.bytes_per_second <= 0:
            raise ValueError("a drip needs a rate above zero; HalfOpen is the fault that sends nothing")


ExchangeFault = Delay | CutRequest | ResetReply | Drip
NetworkFault = ExchangeFault | Refused | HalfOpen


class FaultProxy:
    """Forwards a loopback port to another one while its context lasts, and lets that go wrong when it is told to.

    Chance is drawn once for every exchange (`HalfOpen`: for every connection) that passes under a fault, in the order
    of arrival, from one generator: the same seed strikes alike. A client whose upstream does not listen is reset,
    because what was accepted cannot be refused. Calls return when the fault is in force.
    """

    def __init__(self, upstream_port: int, *, seed: int = 1) -> None:
        self.port = free_ports(1)[0]
        self._weather = _Weather(upstream_port, random.Random(seed))
        self._open: dict[_Connection, asyncio.Task[None]] = {}
        self._listener: socket.socket | None = None
        self._changing = asyncio.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self.heal()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def url(self) -> str:
        """The address for clients, without a slash at its end."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def connections(self) -> int:
        """How many connections were accepted."""
        return self._weather.connections

    @property
    def struck(self) -> int:
        """How many exchanges or connections a fault did something to; those that find the port closed do not count."""
        return self._weather.struck

    @property
    def request_lines(self) -> frozenset[str]:
        """The distinct first lines of all requests, those that went nowhere included."""
        return frozenset(self._weather.request_lines)

    @property
    def requests(self) -> list[float]:
        """When the first bytes of every request came, in Unix seconds, those that went nowhere included."""
        return list(self._weather.requests)

    def suffer(self, fault: NetworkFault, *, probability: float = 1.0) -> None:
        """End the fault in force as `heal` does, and let this one strike old and new connections from now on.

        Raises ValueError for a probability that is none, or that the fault cannot have.
        """
        if not 0 <= probability <= 1:
            raise ValueError(f"a probability lies between 0 and 1, and {probability} does not")
        if isinstance(fault, Refused) and probability != 1:
            raise ValueError("a port is closed for everybody or for nobody")
        self._call(self._change(_Spell(fault, probability)))

    def heal(self) -> None:
        """Let everything pass, what was held back at once, and reset the connections that swallowed something.

        Raises OSError if the port was closed and somebody else has taken it.
        """
        self._call(self._change(_Spell()))

    def close(self) -> None:
        """Close the port and every connection, and end the thread. Does nothing the second time."""
        if self._loop.is_closed():
            return
        self._call(self._shut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, change: Coroutine[object, object, T]) -> T:
        return asyncio.run_coroutine_threadsafe(change, self._loop).result(CALL_SECONDS)

    async def _change(self, spell: _Spell) -> None:
        async with self._changing:
            self._weather.turn(spell)
            await self._reset(connection for connection in self._open if connection.muted)
            if isinstance(spell.fault, Refused):
                self._stop_listening()
                self._weather.struck += len(self._open)
                await self._reset(self._open)
                return
            for connection in self._open:
                if self._weather.mutes():
                    connection.mute()
            if self._listener is None:
                self._listen()

    async def _shut(self) -> None:
        self._stop_listening()
        await self._end(list(self._open.values()))

    async def _reset(self, connections: Iterable[_Connection]) -> None:
        doomed = list(connections)
        for connection in doomed:
            connection.reset_on_close()
        await self._end([self._open[connection] for connection in doomed])

    async def _end(self, tasks: list[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _listen(self) -> None:
        self._listener = socket.create_server((LOOPBACK, self.port), backlog=BACKLOG)
        self._listener.settimeout(0)
        self._loop.add_reader(self._listener, self._accept, self._listener)

    def _stop_listening(self) -> None:
        if self._listener is not None:
            self._loop.remove_reader(self._listener)
            self._listener.close()
            self._listener = None

    def _accept(self, listener: socket.socket) -> None:
        connection = _Connection(listener.accept()[0], self._weather)
        self._weather.connections += 1
        if self._weather.mutes():
            connection.mute()
        task = self._loop.create_task(connection.run())
        self._open[connection] = task
        task.add_done_callback(lambda _: self._forget(connection))

    def _forget(self, connection: _Connection) -> None:
        # Here and not at the end of `run`, because a task that is cancelled early does not even begin.
        del self._open[connection]
        connection.close()


@dataclass(slots=True)
class _Spell:
    """One fault, or none, for the time that it is in force."""

    fault: NetworkFault | None = None
    probability: float = 1.0
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def lasts(self, seconds: float) -> bool:
        """Wait so long, or until it is over, and return whether it is still in force."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.over.wait()
        return not self.over.is_set()


@dataclass(slots=True)
class _Exchange:
    """What one request and its reply suffer under one spell; a new spell counts anew."""

    spell: _Spell
    fault: ExchangeFault | None
    request_bytes: int = 0
    reply_bytes: int = 0
    struck: bool = False


@dataclass(slots=True)
class _Weather:
    """What all connections share: the spell, chance, and the record of what passed."""

    upstream_port: int
    chance: random.Random
    spell: _Spell = field(default_factory=_Spell)
    connections: int = 0
    struck: int = 0
    request_lines: set[str] = field(default_factory=set)
    requests: list[float] = field(default_factory=list)

    def turn(self, spell: _Spell) -> None:
        """End one spell and begin another."""
        self.spell.over.set()
        self.spell = spell

    def mutes(self) -> bool:
        """Return whether the next connection is half-open; draws only under a fault that makes it so."""
        return isinstance(self.spell.fault, HalfOpen) and self._strikes()

    def exchange(self) -> _Exchange:
        """Begin an exchange; draws only under a fault that strikes exchanges."""
        fault = self.spell.fault
        if isinstance(fault, ExchangeFault) and self._strikes():
            return _Exchange(self.spell, fault)
        return _Exchange(self.spell, None)

    def strike(self, exchange: _Exchange) -> None:
        """Count an exchange that suffers, once."""
        self.struck += not exchange.struck
        exchange.struck = True

    def _strikes(self) -> bool:
        return self.chance.random() < self.spell.probability


class _StruckError(Exception):
    """A fault ended the connection, and has said to each side what it is to hear."""


class _Connection:
    """One client, its connection to the upstream, and what passes between them.

    Invariant: a muted connection tells neither side anything more; only a reset ends it, or both sides do.
    """

    def __init__(self, client: socket.socket, weather: _Weather) -> None:
        self.muted = False
        self._weather = weather
        self._client = client
        self._upstream = socket.socket()
        for side in (self._client, self._upstream):
            side.settimeout(0)
            # Without it a small piece may still be unsent when a reset drops it.
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._loop = asyncio.get_running_loop()
        self._exchange: _Exchange | None = None
        self._replied = True
        self._first_line: bytes | None = None
        self._arrivals: asyncio.Queue[tuple[float, bytes] | None] = asyncio.Queue()
        self._upstream_failure: OSError | None = None

    async def run(self) -> None:
        """Forward until both sides have ended or one was reset, which the other one is to hear on close."""
        try:
            if self.muted:
                await self._forward_requests()
                return
            await self._loop.sock_connect(self._upstream, (LOOPBACK, self._weather.upstream_port))
            async with asyncio.TaskGroup() as group:
                group.create_task(self._forward_requests())
                group.create_task(self._take_replies())
                group.create_task(self._forward_replies())
        except* _StruckError:
            pass
        except* OSError:
            self.reset_on_close()

    def mute(self) -> None:
        """Throw away from now on what either side sends, because a fault struck."""
        self.muted = True
        self._weather.struck += 1

    def reset_on_close(self) -> None:
        """Let both sides get a RST when the connection closes."""
        _reset_on_close(self._client)
        _reset_on_close(self._upstream)

    def close(self) -> None:
        """Close both sides; nothing may be running."""
        self._client.close()
        self._upstream.close()

    async def _forward_requests(self) -> None:
        while chunk := await self._loop.sock_recv(self._client, CHUNK_BYTES):
            self._record(chunk)
            if not self.muted:
                # An upstream that hangs up early may have answered; what it says decides how this ends.
                with suppress(OSError):
                    await self._forward_request(chunk)
        if not self.muted:
            _finish(self._upstream)

    def _record(self, chunk: bytes) -> None:
        if self._replied:
            self._replied = False
            self._exchange = None
            self._first_line = b""
            self._weather.requests.append(time.time())
        if self._first_line is not None:
            line, ended, _ = (self._first_line + chunk).partition(b"\r\n")
            self._first_line = None if ended else line
            if ended:
                self._weather.request_lines.add(line.decode("latin-1"))

    async def _forward_request(self, chunk: bytes) -> None:
        exchange = self._current()
        match exchange.fault:
            case CutRequest(after) if exchange.request_bytes + len(chunk) >= after:
                await self._loop.sock_sendall(self._upstream, chunk[: after - exchange.request_bytes])
                self._weather.strike(exchange)
                # To close now would reset a client that has sent more than was read.
                self.muted = True
                _finish(self._upstream)
                _finish(self._client)
            case _:
                exchange.request_bytes += len(chunk)
                await self._loop.sock_sendall(self._upstream, chunk)

    async def _take_replies(self) -> None:
        """Note when each chunk arrived, so that a delay does not add up over chunks."""
        try:
            while chunk := await self._loop.sock_recv(self._upstream, CHUNK_BYTES):
                self._arrivals.put_nowait((self._loop.time(), chunk))
        except OSError as failure:
            self._upstream_failure = failure
        self._arrivals.put_nowait(None)

    async def _forward_replies(self) -> None:
        while (arrival := await self._arrivals.get()) is not None:
            arrived, chunk = arrival
            while chunk and not self.muted:
                chunk = await self._forward_reply(chunk, arrived)
        if self.muted:
            return
        if self._upstream_failure is not None:
            raise self._upstream_failure
        _finish(self._client)

    async def _forward_reply(self, chunk: bytes, arrived: float) -> bytes:
        """Do the next thing with a chunk that is due; return what is left of it for another look at the weather."""
        exchange = self._current()
        size = len(chunk)
        match exchange.fault:
            case Delay(seconds) if arrived + seconds > self._loop.time():
                self._weather.strike(exchange)
                await exchange.spell.lasts(arrived + seconds - self._loop.time())
                return chunk
            case Drip(rate):
                self._weather.strike(exchange)
                size = min(size, max(1, int(rate * TICK_SECONDS)))
                if not await exchange.spell.lasts(size / rate):
                    return chunk
            case ResetReply(after) if exchange.reply_bytes + size >= after:
                await self._loop.sock_sendall(self._client, chunk[: after - exchange.reply_bytes])
                self._weather.strike(exchange)
                _reset_on_close(self._client)
                raise _StruckError
        # Before the bytes go: the client may answer them before this task goes on.
        self._replied = True
        exchange.reply_bytes += size
        await self._loop.sock_sendall(self._client, chunk[:size])
        return chunk[size:]

    def _current(self) -> _Exchange:
        if self._exchange is None or self._exchange.spell is not self._weather.spell:
            self._exchange = self._weather.exchange()
        return self._exchange


def _finish(side: socket.socket) -> None:
    """Send a FIN; a side that is gone needs none."""
    with suppress(OSError):
        side.shutdown(socket.SHUT_WR)


def _reset_on_close(side: socket.socket) -> None:
    side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
