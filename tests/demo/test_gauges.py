"""What the demo reads over HTTP, from a real server."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typing_extensions import override

from pipeline.demo import gauges
from pipeline.demo.balance import Seen
from pipeline.demo.gauges import Gauge, is_ready
from pipeline.demo.processes import ProcessError
from pipeline.demo.stage import Stage
from pipeline.demo.workplace import free_port
from pipeline.sandbox.config import SandboxConfig
from pipeline.sandbox.contract import Reply, Sighting, Verdict
from pipeline.sandbox.faults import Status
from pipeline.sandbox.server import Sandbox, running_sandbox

SIGHTING = Sighting(
    "A-1", "Purchase", 1000, "", "key", 0.0, b'{"custom_data":{"value":5,"currency":"EUR"},"user_data":{}}'
)
METRICS = b"""\
# TYPE capi_records_consumed_total counter
capi_records_consumed_total{topic="a"} 3.0
capi_records_consumed_total{topic="b"} 2.0
# TYPE capi_events_accepted_total counter
capi_events_accepted_total{destination="meta",platform="meta"} 4.0
# TYPE capi_events_skipped_total counter
capi_events_skipped_total{destination="meta",reason="tombstone"} 1.0
capi_events_skipped_total{destination="google",reason="tombstone"} 1.0
# TYPE capi_events_dead_lettered_total counter
capi_events_dead_lettered_total{destination="none",reason="undecodable"} 2.0
capi_events_dead_lettered_total{destination="meta",reason="expired"} 1.0
"""


@contextmanager
def answering(status: int, body: bytes) -> Iterator[int]:
    """Answer every request the same, and give the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        @override
        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.005,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, b'{"ready": true, "worker": "demo"}', True),
        (503, b'{"ready": false, "worker": "demo"}', False),
        (200, b'{"ready": true, "worker": "meta"}', False),
        (200, b"[]", False),
        (200, b"<html>welcome</html>", False),
    ],
    ids=["own", "not ready", "stranger", "list", "page"],
)
def test_only_its_own_worker_is_ready(status: int, body: bytes, expected: bool) -> None:
    """Ready is what the worker of that name says; a stranger on the port does not count."""
    with answering(status, body) as port:
        assert expected is is_ready(port, "demo")


def test_nobody_is_not_ready() -> None:
    """A port that nobody listens on is not ready yet."""
    assert not is_ready(free_port(), "demo")


def test_stage_does_not_take_a_stranger_for_its_worker() -> None:
    """Another worker on the port keeps the demo's own from starting, and the demo says so."""
    with (
        answering(200, b'{"ready": true, "worker": "meta"}') as port,
        Stage(keep=False) as stage,
        pytest.raises(ProcessError, match="the worker ended with exit code"),
    ):
        stage.start_worker("127.0.0.1:1", 1, port)


def test_worker_by_destination() -> None:
    """The worker's counts are told by destination; what was refused for nobody in particular has none."""
    with answering(200, METRICS) as port:
        gauge = gauges.read_worker(port)

    assert gauge == Gauge(
        5,
        Counter({"meta": 4}),
        Counter({("meta", "tombstone"): 1, ("google", "tombstone"): 1}),
        Counter({("", "undecodable"): 2, ("meta", "expired"): 1}),
    )
    assert (8, 3) == (gauge.ended("meta"), gauge.ended("google"))


def port_of(sandbox: Sandbox) -> int:
    """Return the sandbox's port."""
    return int(sandbox.url.rpartition(":")[2])


@pytest.mark.asyncio
async def test_one_platform_fails_and_is_mended() -> None:
    """A platform is down by its paths, and up again."""
    async with running_sandbox() as sandbox:
        await asyncio.to_thread(gauges.let_fail, port_of(sandbox), "/open_api/")
        struck = [sandbox.faults.decide(path, 0.0).effect for path in ("/open_api/v1.3/event/track/", "/v3/1/events")]
        await asyncio.to_thread(gauges.mend, port_of(sandbox))

        assert [Status(503), None] == struck
        assert not sandbox.faults.rules


@pytest.mark.asyncio
async def test_one_platform_refuses() -> None:
    """An event is refused by the platform that was told to, and by no other."""
    async with running_sandbox() as sandbox:
        await asyncio.to_thread(gauges.let_refuse, port_of(sandbox), "tiktok", ["A-1"])
        rule = sandbox.controls.rejections[0]

        assert (True, False) == (rule.matches("A-1", "tiktok"), rule.matches("A-1", "meta"))


@pytest.mark.asyncio
async def test_unfit_for_the_sandbox() -> None:
    """What the sandbox does not take is an error that says so."""
    async with running_sandbox() as sandbox:
        with pytest.raises(OSError, match="the sandbox answered 400 to POST /_sandbox/rejections"):
            await asyncio.to_thread(gauges.let_refuse, port_of(sandbox), "tiktok", [""])


@pytest.mark.asyncio
async def test_arrivals() -> None:
    """Journal and payloads are read together."""
    async with running_sandbox(SandboxConfig(keep_payloads=True)) as sandbox:
        sandbox.journal.accept("meta", Verdict(Reply(200, b""), dataset="1", accepted=[SIGHTING]), 1, 0.0)
        found = await asyncio.to_thread(gauges.read_arrivals, port_of(sandbox))

    assert [("meta", "1", Seen("A-1", "Purchase", 1000, "5 EUR"))] == [
        (one.platform, one.account, one.seen) for one in found
    ]


@pytest.mark.asyncio
async def test_arrivals_need_payloads() -> None:
    """Where payloads are not kept, that is an error rather than an empty list."""
    async with running_sandbox(SandboxConfig(keep_payloads=False)) as sandbox:
        sandbox.journal.accept("meta", Verdict(Reply(200, b""), dataset="1", accepted=[SIGHTING]), 1, 0.0)
        with pytest.raises(ValueError, match="zip"):
            await asyncio.to_thread(gauges.read_arrivals, port_of(sandbox))
