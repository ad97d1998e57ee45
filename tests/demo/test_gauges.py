"""What the demo reads over HTTP, from a real server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typing_extensions import override

from pipeline.demo.gauges import is_ready
from pipeline.demo.processes import ProcessError
from pipeline.demo.stage import Stage
from pipeline.demo.workplace import free_port


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
