"""Watches worker processes from outside: how much memory they ever had."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from worker_process import WorkerProcess

LOOK_SECONDS: Final = 0.25


class Watch:
    """Use as a context manager; a thread looks at every worker four times a second."""

    def __init__(self) -> None:
        self.peak_megabytes = 0.0
        self._workers: list[WorkerProcess] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look_on, name="watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def over(self, worker: WorkerProcess) -> None:
        """Look at this one too, until it ends."""
        self._workers.append(worker)

    def _look_on(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            for worker in list(self._workers):
                if not worker.running:
                    continue
                with suppress(OSError, StopIteration):
                    self.peak_megabytes = max(self.peak_megabytes, _peak_megabytes(worker.pid))


def _peak_megabytes(pid: int) -> float:
    """Return the high-water mark of a process's resident memory."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
    kilobytes = next(line for line in lines if line.startswith("VmHWM:")).split()[1]
    return int(kilobytes) / 1024
