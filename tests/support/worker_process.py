"""The worker as production runs it: `python -m pipeline run`, a child process with settings, files and signals.

Invariant: it never outlives its test. Leaving the `with` block kills it, and the kernel does when the tests die.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from java_server import free_ports
from prometheus_client.parser import text_string_to_metric_families

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 40.0
END_SECONDS = 30.0
LOOK_SECONDS = 0.02
LINES_SHOWN = 25

# The name of a metric with its labels in order: ("capi_events_skipped_total", "meta", "tombstone").
Series = tuple[str, ...]


class WorkerError(AssertionError):
    """The worker did not do what the test waited for; the message ends with its last lines."""


class WorkerProcess:
    """One worker. Everything it prints, on both streams, goes to `<folder>/<name>.log`.

    `program` is what Python runs: the worker as it is, unless a test has a broken one to show.
    """

    def __init__(
        self, name: str, folder: Path, settings: Mapping[str, str], program: Sequence[str] = ("-m", "pipeline")
    ) -> None:
        self.name = name
        self._port = free_ports(1)[0]
        self._log = folder / f"{name}.log"
        self._environment = {
            **plain_environment(),
            "CAPI_HTTP_HOST": "127.0.0.1",
            "CAPI_HTTP_PORT": str(self._port),
            "CAPI_LOG_FORMAT": "json",
            **settings,
        }
        tied = ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*tied, sys.executable, *program, "run"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
                cwd=folder,
                # Ctrl-C is for the tests, which end their workers in order.
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    # -- what it says ----------------------------------------------------------------------------------------------

    @property
    def output(self) -> str:
        """Everything it has printed, as it is."""
        return self._log.read_text(errors="replace")

    @property
    def logs(self) -> Sequence[Mapping[str, Any]]:
        """The whole lines of its log. Raises WorkerError when it printed something that is no JSON object."""
        whole = self.output.rpartition("\n")[0]
        try:
            return [dict(json.loads(line)) for line in whole.splitlines()]
        except ValueError:
            raise self.failed("printed something that is no line of its log") from None

    def told(self, event: str) -> Sequence[Mapping[str, Any]]:
        """Return the log lines of one event."""
        return [line for line in self.logs if line["event"] == event]

    def readyz(self) -> Mapping[str, Any]:
        """Return what `/readyz` says, or nothing while nobody answers."""
        try:
            return dict(json.loads(self._get("/readyz")))
        except OSError:
            return {}

    def metrics(self) -> Mapping[Series, float]:
        """Return every series by the name and the labels' values in the order exposed; none while nobody answers."""
        try:
            exposed = self.exposition()
        except OSError:
            return {}
        return {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(exposed)
            for sample in family.samples
        }

    def exposition(self) -> str:
        """Return `/metrics` as it is."""
        return self._get("/metrics")

    def total(self, metric: str, *labels: str) -> float:
        """Return the sum of a metric's series whose labels' values include all of `labels`."""
        return sum(
            value for (name, *values), value in self.metrics().items() if name == metric and set(labels) <= set(values)
        )

    # -- waiting ---------------------------------------------------------------------------------------------------

    def wait_ready(self, timeout: float = READY_SECONDS) -> Self:
        """Wait until it calls itself ready."""
        self.wait_until(lambda: self.readyz().get("ready") is True, timeout, "calls itself ready")
        return self

    def wait_for(self, reason: str, timeout: float = READY_SECONDS) -> None:
        """Wait until `/readyz` lists `reason`."""
        self.wait_until(lambda: reason in self.readyz().get("reasons", ()), timeout, f"is unready for {reason}")

    def wait_until(self, fact: Callable[[], bool], timeout: float, what: str) -> None:
        """Wait for `fact`. Raises WorkerError when the worker ends first, or after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while not fact():
            if not self.running:
                raise self.failed(f"ended with exit code {self._process.returncode} before it {what}")
            if time.monotonic() > deadline:
                raise self.failed(f"ran for {timeout:.0f} s, and not once could it be said that it {what}")
            time.sleep(LOOK_SECONDS)

    # -- its end ---------------------------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    def signal(self, number: signal.Signals) -> None:
        """Send a signal: SIGTERM asks it to end, SIGSTOP freezes it, SIGCONT lets it go on."""
        self._process.send_signal(number)

    def exit_code(self, timeout: float = END_SECONDS) -> int:
        """Wait for its end and return the exit code. Raises WorkerError after `timeout` seconds."""
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise self.failed(f"did not end within {timeout:.0f} s") from None

    def terminate(self, timeout: float = END_SECONDS) -> int:
        """Ask it to end, and return its exit code."""
        self.signal(signal.SIGTERM)
        return self.exit_code(timeout)

    def kill(self) -> None:
        """End it as a crash of the machine would. Does nothing if it has ended."""
        if self.running:
            self._process.kill()
        self._process.wait()

    def failed(self, what: str) -> WorkerError:
        """Return an error that says what is wrong and shows how the worker is and what it printed last."""
        shown = "\n".join(f"  | {line}" for line in self.output.splitlines()[-LINES_SHOWN:])
        return WorkerError(f"{self.name} {what}; readyz {dict(self.readyz())}; it printed last:\n{shown}")

    def _get(self, path: str) -> str:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}{path}", timeout=5) as answer:
                return bytes(answer.read()).decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.read().decode()


def command(settings: Mapping[str, str], *arguments: str) -> tuple[int, str]:
    """Run another command of the program to its end; return its exit code and all that it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**plain_environment(), **settings},
        timeout=END_SECONDS,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def plain_environment() -> dict[str, str]:
    """Return our environment without settings of a worker, able to import the package beside these tests."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("CAPI_")}
    return {**plain, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
