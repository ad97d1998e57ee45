"""The fault proxy, as real clients and real servers on loopback see it."""

from __future__ import annotations

import errno
import gc
import http.client
import queue
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from fault_proxy import CutRequest, Delay, Drip, FaultProxy, HalfOpen, NetworkFault, Refused, ResetReply
from java_server import free_ports
from typing_extensions import override

from pipeline.core.model import NoReply, Reply, Request
from pipeline.edge.http import HttpSender

PATIENCE = 5.0  # seconds for what must happen
SHORT = 0.1  # seconds for what must not
LARGE = random.Random(7).randbytes(1_000_000)


class Echo(BaseHTTPRequestHandler):
    """Keeps connections alive, and answers a POST with its own body."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = PATIENCE
    server: EchoServer

    def do_POST(self) -> None:
        """Remember the body, as far as it comes, and send it back."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.bodies.put(body)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class EchoServer(ThreadingHTTPServer):
    """A tiny HTTP server that remembers the bodies it got."""

    daemon_threads = False
    request_queue_size = 32

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Echo)
        self.bodies: queue.Queue[bytes] = queue.Queue()

    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """Bear clients that are cut off."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Both ends of one connection through the proxy, in the hands of the test."""

    proxy: FaultProxy
    client: socket.socket
    upstream: socket.socket

    def pass_up(self, data: bytes) -> None:
        """Send bytes up, and wait until they are there."""
        self.client.sendall(data)
        assert data == read(self.upstream, len(data))

    def pass_down(self, data: bytes) -> None:
        """Send bytes down, and wait until they are there."""
        self.upstream.sendall(data)
        assert data == read(self.client, len(data))


@pytest.fixture
def server() -> Iterator[EchoServer]:
    """Run a server on a thread."""
    with EchoServer() as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture
def proxy(server: EchoServer) -> Iterator[FaultProxy]:
    """Run a proxy before the server."""
    with FaultProxy(server.server_port) as made:
        yield made


@pytest.fixture
def client(proxy: FaultProxy) -> Iterator[http.client.HTTPConnection]:
    """Keep a connection alive that has had an exchange already."""
    with closing(connect(proxy)) as made:
        assert b"first" == post(made, b"first")
        yield made


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Connect a bare client and a bare upstream."""
    with socket.create_server(("127.0.0.1", 0)) as listener, FaultProxy(listener.getsockname()[1]) as proxy:
        listener.settimeout(PATIENCE)
        with socket.create_connection(("127.0.0.1", proxy.port), PATIENCE) as client:
            upstream, _ = listener.accept()
            with upstream:
                upstream.settimeout(PATIENCE)
                yield Pair(proxy, client, upstream)


def connect(proxy: FaultProxy, timeout: float = PATIENCE) -> http.client.HTTPConnection:
    """Return a client of the proxy; it connects with its first request, and never by itself again."""
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=timeout)
    connection.connect()
    connection.auto_open = 0
    return connection


def post(connection: http.client.HTTPConnection, body: bytes, path: str = "/") -> bytes:
    """Return what the server sends back."""
    connection.request("POST", path, body)
    return connection.getresponse().read()


def read(side: socket.socket, size: int) -> bytes:
    """Return so many bytes, or fewer if the other side ends."""
    data = b""
    while len(data) < size and (chunk := side.recv(size - len(data))):
        data += chunk
    return data


def hears_nothing(side: socket.socket) -> bool:
    """Return whether neither bytes nor an end come for a short time."""
    side.settimeout(SHORT)
    try:
        side.recv(1)
    except TimeoutError:
        return True
    finally:
        side.settimeout(PATIENCE)
    return False


def is_reset(side: socket.socket) -> bool:
    """Return whether the next thing that comes is a RST; a FIN is none."""
    try:
        side.recv(1)
    except ConnectionResetError as error:
        return error.errno == errno.ECONNRESET
    return False


def goes_well(client: http.client.HTTPConnection) -> bool:
    """Return whether one more exchange comes to its end."""
    try:
        check_echo(client, b"x")
    except OSError:
        return False
    return True


def survives(proxy: FaultProxy, timeout: float = PATIENCE) -> bool:
    """Return whether an exchange on a connection of its own comes to its end."""
    with closing(connect(proxy, timeout)) as client:
        return goes_well(client)


def check_echo(client: http.client.HTTPConnection, body: bytes) -> None:
    """Assert that the server sends it back."""
    assert body == post(client, body)


def took(action: Callable[[], object]) -> float:
    """Return the seconds that it takes."""
    began = time.monotonic()
    action()
    return time.monotonic() - began


def test_passes_everything_on(proxy: FaultProxy) -> None:
    """Without a fault every byte passes, both ways, and the record says what passed."""
    began = time.time()
    with closing(connect(proxy)) as connection:
        assert LARGE == post(connection, LARGE, "/v26.0/123/events")
        assert b"more" == post(connection, b"more", "/v26.0/123/events")
        assert b"else" == post(connection, b"else", "/else")

    assert {"POST /v26.0/123/events HTTP/1.1", "POST /else HTTP/1.1"} == proxy.request_lines
    assert (1, 0, 3) == (proxy.connections, proxy.struck, len(proxy.requests))
    times = [began, *proxy.requests, time.time()]
    assert sorted(times) == times


def test_a_first_line_may_come_in_pieces(pair: Pair) -> None:
    """A request is recorded once, however its first line is cut."""
    for piece in (b"GET /a", b"bc HTTP/1.1\r", b"\nHost: x\r\n\r\n"):
        pair.pass_up(piece)

    assert {"GET /abc HTTP/1.1"} == pair.proxy.request_lines
    assert 1 == len(pair.proxy.requests)


def test_the_end_of_a_client_passes_on(pair: Pair) -> None:
    """A client that sends no more still gets its answer."""
    pair.client.shutdown(socket.SHUT_WR)

    assert b"" == pair.upstream.recv(1)
    pair.pass_down(b"still here")


def test_the_end_of_an_upstream_passes_on(pair: Pair) -> None:
    """An upstream that answers no more still hears its client."""
    pair.upstream.shutdown(socket.SHUT_WR)

    assert b"" == pair.client.recv(1)
    pair.pass_up(b"still here")


def test_a_reset_passes_on(pair: Pair) -> None:
    """What resets the upstream's side resets the client's, after the bytes that came before it."""
    pair.client.sendall(b"unread")
    assert b"unread" == pair.upstream.recv(6, socket.MSG_PEEK)
    pair.upstream.sendall(b"answer")
    pair.upstream.close()

    assert b"answer" == read(pair.client, 6)
    assert is_reset(pair.client)


def test_an_early_answer_arrives(pair: Pair) -> None:
    """An upstream that answers and hangs up while the client still sends is heard, even late."""
    pair.proxy.suffer(Delay(SHORT))
    pair.pass_up(b"begins")
    pair.upstream.sendall(b"too large")
    pair.upstream.close()
    pair.client.sendall(LARGE)

    assert b"too large" == read(pair.client, 9)


def test_an_upstream_that_is_down_resets() -> None:
    """Where nothing listens behind the proxy, its clients are reset, some of them before their connect returns."""
    with (
        FaultProxy(free_ports(1)[0]) as proxy,
        pytest.raises(ConnectionResetError),
        socket.create_connection(("127.0.0.1", proxy.port), PATIENCE) as client,
    ):
        client.recv(1)


def test_delay_is_no_throttle(proxy: FaultProxy, client: http.client.HTTPConnection) -> None:
    """A delayed reply of many chunks comes whole, in order, and once so much later."""
    proxy.suffer(Delay(0.3))

    seconds = took(lambda: check_echo(client, LARGE))

    assert 0.3 <= seconds < 3
    assert 1 == proxy.struck


@pytest.mark.parametrize("fault", [Delay(60), Drip(0.1)], ids=repr)
def test_heal_lets_go_what_is_held(pair: Pair, fault: NetworkFault) -> None:
    """What a slow network holds back comes at once when it heals, and nothing is lost."""
    pair.proxy.suffer(fault)
    pair.upstream.sendall(b"held")
    assert hears_nothing(pair.client)

    pair.proxy.heal()

    assert b"held" == read(pair.client, 4)


def test_drip_takes_its_time(proxy: FaultProxy, client: http.client.HTTPConnection) -> None:
    """A reply comes no faster than its rate, and whole."""
    proxy.suffer(Drip(4000))

    seconds = took(lambda: check_echo(client, bytes(1000)))

    assert 0.25 <= seconds < 2
    assert 1 == proxy.struck


def test_refused(proxy: FaultProxy, client: http.client.HTTPConnection) -> None:
    """A closed port refuses whoever comes and resets who is there; healed, it is the same port."""
    proxy.suffer(Refused())

    with pytest.raises(ConnectionRefusedError):
        connect(proxy)
    assert is_reset(client.sock)
    assert 1 == proxy.struck
    proxy.heal()
    assert survives(proxy)


def test_cut_request_is_a_fin_to_both(pair: Pair) -> None:
    """The upstream gets so many bytes and an end; so does the client, even if it had more to send."""
    pair.proxy.suffer(CutRequest(70_000))

    pair.client.sendall(LARGE[:200_000])

    assert LARGE[:70_000] == read(pair.upstream, 200_000)
    assert b"" == pair.client.recv(1)
    pair.upstream.sendall(b"unheard")
    assert b"" == pair.client.recv(1)
    assert 1 == pair.proxy.struck


def test_cut_request_at_the_server(server: EchoServer, proxy: FaultProxy, client: http.client.HTTPConnection) -> None:
    """A server has part of a body, and the client is disconnected without an answer or a reset."""
    assert b"first" == server.bodies.get(timeout=PATIENCE)
    proxy.suffer(CutRequest(1000))

    with pytest.raises(http.client.RemoteDisconnected):
        post(client, LARGE[:2000])

    partial = server.bodies.get(timeout=PATIENCE)
    assert LARGE[: len(partial)] == partial
    assert 0 < len(partial) < 1000


@pytest.mark.parametrize("after_bytes", [0, 5])
def test_reset_reply_is_a_reset(pair: Pair, after_bytes: int) -> None:
    """The client gets so many bytes and then ECONNRESET, not an end; the upstream has had everything."""
    pair.proxy.suffer(ResetReply(after_bytes))
    pair.pass_up(b"whole request")

    pair.upstream.sendall(b"whole reply")

    assert b"whole reply"[:after_bytes] == read(pair.client, after_bytes)
    assert is_reset(pair.client)
    assert b"" == pair.upstream.recv(1)
    assert 1 == pair.proxy.struck


def test_reset_reply_at_the_server(server: EchoServer, proxy: FaultProxy, client: http.client.HTTPConnection) -> None:
    """A server has had a request whose client saw nothing but a reset."""
    assert b"first" == server.bodies.get(timeout=PATIENCE)
    proxy.suffer(ResetReply(0))

    with pytest.raises(ConnectionResetError) as caught:
        post(client, b"taken")

    # RemoteDisconnected, which is what http.client makes of a FIN, is a ConnectionResetError without a number.
    assert errno.ECONNRESET == caught.value.errno
    assert b"taken" == server.bodies.get(timeout=PATIENCE)


def test_half_open_hears_nothing(pair: Pair) -> None:
    """Neither bytes nor ends pass, either way, until the network comes back and resets both."""
    pair.proxy.suffer(HalfOpen())

    pair.client.sendall(b"lost")
    pair.upstream.sendall(b"lost too")

    assert hears_nothing(pair.upstream)
    assert hears_nothing(pair.client)
    pair.client.shutdown(socket.SHUT_WR)
    assert hears_nothing(pair.upstream)
    pair.proxy.heal()
    assert is_reset(pair.client)
    assert is_reset(pair.upstream)


def test_half_open_keeps_the_end_of_the_upstream(pair: Pair) -> None:
    """A client on a half-open connection does not learn that the upstream is gone."""
    pair.proxy.suffer(HalfOpen())

    pair.upstream.close()

    assert hears_nothing(pair.client)


def test_half_open_takes_new_connections(server: EchoServer, proxy: FaultProxy) -> None:
    """Whoever comes is let in and ignored, and is reset when the network heals."""
    proxy.suffer(HalfOpen())

    with closing(connect(proxy, SHORT)) as connection:
        with pytest.raises(TimeoutError):
            post(connection, b"lost")
        connection.sock.settimeout(PATIENCE)
        proxy.heal()
        assert is_reset(connection.sock)
    assert survives(proxy)
    assert [b"x"] == list(server.bodies.queue)
    assert (2, 1) == (proxy.connections, proxy.struck)


def test_a_new_fault_ends_the_one_before(pair: Pair) -> None:
    """A connection that a fault has muted is reset when another fault begins."""
    pair.proxy.suffer(HalfOpen())

    pair.proxy.suffer(Delay(0))

    assert is_reset(pair.client)


def test_counts_add_up_within_an_exchange(pair: Pair) -> None:
    """It is the sum of the chunks of a request, or of a reply, that a fault waits for."""
    pair.proxy.suffer(CutRequest(50))
    pair.pass_up(bytes(30))
    pair.proxy.suffer(ResetReply(50))
    pair.pass_down(bytes(30))

    pair.upstream.sendall(bytes(30))

    assert bytes(20) == read(pair.client, 20)
    assert is_reset(pair.client)


def test_counts_start_with_each_exchange(proxy: FaultProxy, client: http.client.HTTPConnection) -> None:
    """Exchanges that are each too short for a fault go well, whatever their sum."""
    for fault in (CutRequest(2000), ResetReply(2000)):
        proxy.suffer(fault)
        for _ in range(5):
            check_echo(client, bytes(1000))

    assert (1, 0) == (proxy.connections, proxy.struck)


def test_counts_start_with_each_fault(pair: Pair) -> None:
    """Bytes of the same exchange that passed before a fault was set do not count for it."""
    for _ in range(3):
        pair.proxy.suffer(CutRequest(50))
        pair.pass_up(bytes(30))
    for _ in range(3):
        pair.proxy.suffer(ResetReply(50))
        pair.pass_down(bytes(30))

    assert 0 == pair.proxy.struck


@pytest.mark.parametrize(
    ("fault", "timeout"), [(CutRequest(10), PATIENCE), (ResetReply(0), PATIENCE), (HalfOpen(), 0.3)], ids=repr
)
def test_the_same_seed_strikes_alike(server: EchoServer, fault: NetworkFault, timeout: float) -> None:
    """Chance repeats with its seed, differs with another one, and is counted when it strikes."""

    def fates(seed: int) -> list[bool]:
        with FaultProxy(server.server_port, seed=seed) as proxy:
            proxy.suffer(fault, probability=0.3)
            survived = [survives(proxy, timeout) for _ in range(6)]
            assert survived.count(False) == proxy.struck
            return survived

    first = fates(1)

    assert first == fates(1)
    assert first != fates(2)


def test_chance_is_drawn_for_each_exchange(proxy: FaultProxy, client: http.client.HTTPConnection) -> None:
    """Exchanges on one connection are struck or spared one by one."""
    proxy.suffer(Delay(0.02), probability=0.5)

    slow = [took(lambda: check_echo(client, b"x")) >= 0.02 for _ in range(20)]

    assert 0 < proxy.struck < 20
    assert slow.count(True) >= proxy.struck


def test_chance_is_drawn_for_each_open_connection(server: EchoServer) -> None:
    """Connections that exist are struck or spared one by one, alike for one seed."""

    def fates() -> list[bool]:
        with FaultProxy(server.server_port) as proxy:
            clients = [connect(proxy) for _ in range(8)]
            for client in clients:
                check_echo(client, b"x")
            proxy.suffer(HalfOpen(), probability=0.5)
            struck = proxy.struck
            proxy.heal()
            spared = [goes_well(client) for client in clients]
            for client in clients:
                client.close()
            assert struck == spared.count(False)
            return spared

    first = fates()

    assert {True, False} == set(first)
    assert first == fates()


def test_no_chance_is_no_fault(proxy: FaultProxy) -> None:
    """Probability 0 strikes nobody."""
    proxy.suffer(ResetReply(0), probability=0)

    assert [True] * 5 == [survives(proxy) for _ in range(5)]
    assert 0 == proxy.struck


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("fault", "within", "seen"),
    [
        (Refused(), PATIENCE, "ClientConnectorError"),
        (CutRequest(20), PATIENCE, "ServerDisconnectedError"),
        (ResetReply(0), PATIENCE, "ClientOSError"),
        (HalfOpen(), 0.2, "no answer within 0.2 s"),
        (Delay(10), 0.2, "no answer within 0.2 s"),
        (Drip(10), 0.2, "no answer within 0.2 s"),
    ],
    ids=repr,
)
async def test_the_sender_lives_through_it(proxy: FaultProxy, fault: NetworkFault, within: float, seen: str) -> None:
    """The real sender has no answer, on a kept connection or a new one, and has one when the network has healed."""
    request = Request(f"{proxy.url}/", {}, b"{}")
    async with HttpSender() as sender:
        assert isinstance(await sender.send(request, within=PATIENCE), Reply)
        proxy.suffer(fault)

        kept, new = [await sender.send(request, within=within) for _ in range(2)]

        assert isinstance(kept, NoReply)
        assert NoReply(seen) == new
        proxy.heal()
        assert isinstance(await sender.send(request, within=PATIENCE), Reply)


def test_refuses_nonsense(proxy: FaultProxy) -> None:
    """A fault that cannot be is an error, and changes nothing."""
    with pytest.raises(ValueError, match="between 0 and 1"):
        proxy.suffer(Delay(1), probability=1.5)
    with pytest.raises(ValueError, match="everybody"):
        proxy.suffer(Refused(), probability=0.5)
    with pytest.raises(ValueError, match="above zero"):
        Drip(0)
    assert survives(proxy)


@pytest.mark.parametrize("fault", [Delay(60), Refused(), CutRequest(5), ResetReply(5), HalfOpen(), Drip(1)], ids=repr)
def test_leaves_nothing_behind(caplog: pytest.LogCaptureFixture, fault: NetworkFault) -> None:
    """After its context no thread, socket or task is left, whatever was under way; to close again is harmless."""
    before = (set(threading.enumerate()), open_files())
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        FaultProxy(listener.getsockname()[1]) as proxy,
        socket.create_connection(("127.0.0.1", proxy.port)) as client,
        listener.accept()[0] as upstream,
    ):
        proxy.suffer(fault)
        with suppress(OSError):  # what the fault makes of it; other tests say what that is
            client.settimeout(SHORT)
            client.sendall(b"request")
            upstream.sendall(b"reply")
            client.recv(1)
            client.recv(10)
        proxy.close()
    proxy.close()
    gc.collect()

    assert before == (set(threading.enumerate()), open_files())
    assert [] == [record.message for record in caplog.records if record.name == "asyncio"]
    with pytest.raises(ConnectionRefusedError):
        connect(proxy)


def open_files() -> set[Path]:
    """Return the descriptors that this process has open."""
    return set(Path("/proc/self/fd").iterdir())
