"""The demo's processes: started on a leash, watched until they say that they are ready, stopped by their id.

Each one writes to a log file of its own.
Invariant: after `stop` returned, or after the demo died in any way, nothing of it runs on.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from pipeline.demo import leash

STOP_SECONDS = 15.0
_TAIL_LINES = 12
_LOOK_SECONDS = 0.02


class ProcessError(Exception):
    """A process of the demo did not do what it should; says which, and shows the end of its log."""


class Process:
    """A running command, called `name` in messages; leaving the `with` block stops it."""

    def __init__(
        self, name: str, arguments: Sequence[str], *, log: Path, environment: Mapping[str, str], folder: Path
    ) -> None:
        self.name = name
        self.log = log
        with log.open("wb") as output:
            self._leash = subprocess.Popen(  # noqa: S603 - our own interpreter and our own arguments
                [sys.executable, leash.__file__, sys.executable, *arguments],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                cwd=folder,
                # Ctrl-C is for the demo, which stops its processes in order.
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def wait_for(self, pattern: str, timeout: float) -> re.Match[str]:
        """Return the first match of `pattern` in what it printed. Raises ProcessError as `wait_until` does."""
        found: list[re.Match[str]] = []

        def printed() -> bool:
            found.extend(re.finditer(pattern, self.log.read_text(errors="replace")))
            return bool(found)

        self.wait_until(printed, timeout)
        return found[0]

    def wait_until(self, ready: Callable[[], bool], timeout: float) -> None:
        """Wait for `ready`. Raises ProcessError when the process ends first, or after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while not ready():
            self.check_alive()
            if time.monotonic() > deadline:
                raise self.failed(f"was not ready after {timeout:.0f} s")
            time.sleep(_LOOK_SECONDS)

    def check_alive(self) -> None:
        """Raise ProcessError if it has ended."""
        if self.exit_code is not None:
            raise self.failed(f"ended with exit code {self.exit_code}")

    @property
    def exit_code(self) -> int | None:
        """Its exit code, or None while it runs."""
        return self._leash.poll()

    def stop(self) -> int:
        """Ask it to end (SIGTERM), insist after a while, and return its exit code. Harmless when repeated."""
        if self._leash.poll() is None:
            self._leash.send_signal(signal.SIGTERM)
        try:
            return self._leash.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            return self._let_go()
        finally:
            self._close_input()

    def failed(self, what: str) -> ProcessError:
        """Return an error that says what went wrong and shows the end of the log."""
        tail = self.log.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
        shown = "\n".join(f"  | {line}" for line in tail) or "  | (it printed nothing)"
        return ProcessError(f"{self.name} {what}; the end of its log:\n{shown}")

    def _let_go(self) -> int:
        """Close the leash's input: it ends the command for good within its grace."""
        self._close_input()
        return self._leash.wait()

    def _close_input(self) -> None:
        if self._leash.stdin is not None:
            self._leash.stdin.close()
