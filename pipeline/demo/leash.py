"""A leash: runs one command and ends it when whoever holds the other end of standard input is gone.

Started as a file, with nothing imported but the standard library, so that it costs a few milliseconds.
SIGTERM and SIGINT are passed on; the exit code is the command's own.
Invariant: the command never outlives its leash by more than `GRACE_SECONDS`, also when the holder was killed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from threading import Thread
from types import FrameType

GRACE_SECONDS = 5.0


class Leash:
    """One command on a leash."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._asked = False

    def run(self, command: Sequence[str]) -> int:
        """Run `command` to its end; its exit code, or 128 and the signal that ended it."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)
        child = self._child = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 - the holder chose it
        if self._asked:
            child.terminate()
        Thread(target=self._watch_holder, args=(child,), daemon=True).start()
        code = child.wait()
        return code if code >= 0 else 128 - code

    def _ask(self, _signal: int, _frame: FrameType | None) -> None:
        self._asked = True
        if self._child is not None:
            self._child.terminate()

    def _watch_holder(self, child: subprocess.Popen[bytes]) -> None:
        """Wait for the end of standard input: the holder let go, or is dead."""
        while os.read(sys.stdin.fileno(), 4096):
            pass
        child.terminate()
        with suppress(subprocess.TimeoutExpired):
            child.wait(GRACE_SECONDS)
            return
        child.kill()


if __name__ == "__main__":
    sys.exit(Leash().run(sys.argv[1:]))
