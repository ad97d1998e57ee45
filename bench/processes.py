"""The bench's other processes: started from the repository's root, watched through their log, ended by their id.

Invariant: leaving the `with` block ends the process, and nothing else.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from bench.orders import ROOT

START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 20.0
_LOOK_SECONDS: Final = 0.02
_TAIL_LINES: Final = 12


class ProcessError(Exception):
    """A process did not do what it should; shows the end of its log."""


class Process:
    """A running Python command, called `name` in messages; its output goes to `log`."""

    def __init__(
        self, name: str, arguments: Sequence[str], *, log: Path, settings: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self._log = log
        # Settings of the caller's own worker must not reach ours.
        plain = {key: value for key, value in os.environ.items() if not key.startswith("CAPI_")}
        with log.open("wb") as output:
            self._child = subprocess.Popen(  # noqa: S603 - our own interpreter and our own arguments
                [sys.executable, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**plain, **(settings or {})},
                cwd=ROOT,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    def output(self) -> str:
        """Return what it printed so far."""
        return self._log.read_text(errors="replace")

    def wait_for(self, pattern: str, timeout: float = START_SECONDS) -> str:
        """Return the first group of the first match in what it prints. Raises ProcessError as `wait_until` does."""
        self.wait_until(lambda: re.search(pattern, self.output()) is not None, timeout)
        found = re.search(pattern, self.output())
        return found[1] if found else ""

    def wait_until(self, done: Callable[[], bool], timeout: float) -> None:
        """Wait for `done`. Raises ProcessError when the process ends first, or after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while not done():
            if self._child.poll() is not None:
                raise self._failed(f"ended with exit code {self._child.returncode}")
            if time.monotonic() > deadline:
                raise self._failed(f"was not done after {timeout:.0f} s")
            time.sleep(_LOOK_SECONDS)

    def wait(self, timeout: float) -> str:
        """Wait for its end and return what it printed. Raises ProcessError unless it ended well and in time."""
        try:
            code = self._child.wait(timeout)
        except subprocess.TimeoutExpired:
            raise self._failed(f"was not done after {timeout:.0f} s") from None
        if code:
            raise self._failed(f"ended with exit code {code}")
        return self.output()

    def stop(self) -> None:
        """Ask it to end (SIGTERM), and insist after a while. Harmless when repeated."""
        if self._child.poll() is None:
            self._child.terminate()
            try:
                self._child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()

    def _failed(self, what: str) -> ProcessError:
        tail = self.output().splitlines()[-_TAIL_LINES:]
        return ProcessError(
            "\n".join([f"the {self.name} {what}; the end of its log:", *(f"  | {line}" for line in tail)])
        )
