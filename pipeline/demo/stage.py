"""The demo's three processes: an embedded Kafka, the sandbox, and the worker that production runs too.

Invariant: leaving the `with` block stops all of them, the worker first, and removes the folder unless it is kept.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from pipeline.demo import gauges
from pipeline.demo.destinations import ACCOUNTS
from pipeline.demo.processes import Process
from pipeline.demo.workplace import PARTITIONS, Workplace, free_port, plain_environment

START_SECONDS = 20.0


class Stage:
    """Where the demo plays: a folder of its own, and the processes that were started."""

    def __init__(self, *, keep: bool) -> None:
        self._keep = keep
        self._environment = plain_environment(os.environ)
        self._stack = ExitStack()
        self.place = Workplace(Path(tempfile.mkdtemp(prefix="capi-demo-")))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self._stack.close()
        finally:
            if not self._keep:
                shutil.rmtree(self.place.folder, ignore_errors=True)

    def start_kafka(self) -> str:
        """Start the embedded Kafka with its topics, and return its address."""
        topics = [word for topic, count in PARTITIONS.items() for word in ("--topic", f"{topic}={count}")]
        kafka = self._start("kafka", "pipeline.demo.kafka_process", topics)
        return kafka.wait_for(r"bootstrap servers: (\S+)", START_SECONDS)[1]

    def start_sandbox(self, port: int) -> int:
        """Start the sandbox, which plays all platforms, and return its port; 0 takes a free one."""
        tokens = [word for token in self.place.keyring.tokens.values() for word in ("--token", token)]
        accounts = [word for ids in ACCOUNTS.values() for one in ids for word in ("--dataset", one)]
        key = str(self.place.public_key)
        arguments = ["sandbox", "--port", str(port), *tokens, *accounts, "--google-public-key", key, "--keep-payloads"]
        sandbox = self._start("sandbox", "pipeline", arguments)
        return int(sandbox.wait_for(r"listens on http://127\.0\.0\.1:(\d+)", START_SECONDS)[1])

    def start_worker(self, servers: str, sandbox_port: int, port: int) -> tuple[Process, int]:
        """Start the worker, wait until it calls itself ready, and return it with the port of its probes and metrics."""
        port = port or free_port()
        sandbox_url = f"http://127.0.0.1:{sandbox_port}"
        settings = self.place.furnish(servers=servers, sandbox_url=sandbox_url, port=port)
        self._environment |= settings
        worker = self._start("worker", "pipeline", ["run"])
        name = settings["CAPI_WORKER_NAME"]
        # A worker that ended has not become ready, whoever answers on its port.
        worker.wait_until(lambda: gauges.is_ready(port, name) and worker.exit_code is None, START_SECONDS)
        return worker, port

    def _start(self, name: str, module: str, arguments: Sequence[str]) -> Process:
        log = self.place.log(name)
        command = ["-m", module, *arguments]
        process = Process(f"the {name}", command, log=log, environment=self._environment, folder=self.place.folder)
        return self._stack.enter_context(process)
