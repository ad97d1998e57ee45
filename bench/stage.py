"""Where the bench plays: a folder, a Kafka, a sink, and the worker as production starts it.

Invariant: leaving the `with` block ends every process that was started here and removes the folder.
"""

from __future__ import annotations

import http.client
import shutil
import socket
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self

import orjson

from bench.contender import DATASET, TOKEN
from bench.lanes import META, SECRET, destinations
from bench.processes import Process
from bench.topic import PARTITIONS, create_topics

Broker = Literal["embedded", "real"]

BACKLOG: Final = "bench.backlog"
STREAM: Final = "bench.stream"
_LETTERS: Final = "bench.dead-letters"
_RECEIPTS: Final = "bench.receipts"
_REPLAY: Final = "bench.replay"
_LOOPBACK: Final = "127.0.0.1"
# The first start of a real broker fetches it.
FETCH_SECONDS: Final = 600.0


class Stage:
    """A folder of its own, and the processes that were started; `worker_settings` come on top of the bench's."""

    def __init__(self, worker_settings: Mapping[str, str]) -> None:
        self._stack = ExitStack()
        self._worker_settings = worker_settings
        self._folder = Path(tempfile.mkdtemp(prefix="capi-bench-"))
        self._started = 0
        self.servers = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start_kafka(self, broker: Broker) -> None:
        """Start a broker with the bench's topics."""
        topics = (BACKLOG, STREAM, _LETTERS, _RECEIPTS, _REPLAY)
        if broker == "real":
            kafka = self._stack.enter_context(self.process("broker", ["tests/support/kafka_broker.py"]))
            self.servers = kafka.wait_for(rf"({_LOOPBACK}:\d+)", FETCH_SECONDS)
            create_topics(self.servers, topics)
        else:
            words = [word for topic in topics for word in ("--topic", f"{topic}={PARTITIONS}")]
            kafka = self.process("embedded Kafka", ["-m", "pipeline.demo.kafka_process", *words])
            self.servers = self._stack.enter_context(kafka).wait_for(r"bootstrap servers: (\S+)")

    def start_sink(self) -> str:
        """Start the lean sink and return its address."""
        sink = self._stack.enter_context(self.process("sink", ["-m", "bench.sink"]))
        return f"http://{_LOOPBACK}:{sink.wait_for(r'listens on port ([0-9]+)')}"

    def start_sandbox(self) -> str:
        """Start the sandbox, which checks and journals every event, and return its address."""
        command = ["-m", "pipeline", "sandbox", "--port", "0", "--token", TOKEN, "--dataset", DATASET]
        return self._stack.enter_context(self.process("sandbox", command)).wait_for(r"listens on (http://\S+)")

    @contextmanager
    def worker(
        self, *, topic: str, group: str, url: str, linger: float, platforms: Sequence[str] = META
    ) -> Iterator[tuple[Process, str]]:
        """Run `python -m pipeline run` for the block; gives the process and the address of its metrics."""
        text = destinations(platforms, url=url, linger=linger)
        port = _free_port()
        settings = self._settings(topic=topic, group=group, destinations=text, port=port)
        with self.process("worker", ["-m", "pipeline", "run"], settings) as worker:
            yield worker, f"http://{_LOOPBACK}:{port}"

    def process(self, name: str, arguments: list[str], settings: Mapping[str, str] | None = None) -> Process:
        """Start a Python process with a log of its own. The caller ends it."""
        self._started += 1
        return Process(name, arguments, log=self._folder / f"{self._started}.log", settings=settings)

    def _settings(self, *, topic: str, group: str, destinations: str, port: int) -> dict[str, str]:
        place = self._folder / f"{group}.yaml"
        place.write_text(destinations, encoding="utf-8")
        return {
            "CAPI_WORKER_NAME": "bench",
            "CAPI_GROUP": group,
            "CAPI_KAFKA_BOOTSTRAP_SERVERS": self.servers,
            "CAPI_SOURCE_TOPICS": f"{topic}=order",
            "CAPI_DEAD_LETTERS_TOPIC": _LETTERS,
            "CAPI_RECEIPTS_TOPIC": _RECEIPTS,
            "CAPI_REPLAY_TOPIC": _REPLAY,
            "CAPI_DESTINATIONS_FILE": str(place),
            f"CAPI_SECRET_{SECRET.upper()}": TOKEN,
            "CAPI_HTTP_HOST": _LOOPBACK,
            "CAPI_HTTP_PORT": str(port),
            "CAPI_LOG_FORMAT": "json",
            **self._worker_settings,
        }


def get(url: str, *, method: str = "GET") -> bytes:
    """Return the body that a server on loopback answers. Raises OSError when it does not."""
    return _ask(url, method)[1]


def get_json(url: str) -> Any:  # noqa: ANN401 - JSON is what it is
    """Return what `get` does, read as JSON."""
    return orjson.loads(get(url))


def status(url: str) -> int:
    """Return the status with which a server on loopback answers. Raises OSError when it does not."""
    return _ask(url, "GET")[0]


def _ask(url: str, method: str) -> tuple[int, bytes]:
    place, _, path = url.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(place, timeout=30.0)
    try:
        connection.request(method, f"/{path}")
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _free_port() -> int:
    with socket.create_server((_LOOPBACK, 0)) as server:
        return int(server.getsockname()[1])
