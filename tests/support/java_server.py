"""One server that runs on Java as a child process: started, watched until it is ready, stopped by its process id.

No server outlives its tests: the kernel ends the child when this process dies, however it dies (where the
`setpriv` program exists, that is on Linux), and a folder whose owner is gone is removed by the next run.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from java_artifacts import Java

POLL_SECONDS = 0.01
STOP_SECONDS = 10.0
LINES_SHOWN = 40
SCRATCH = "capi-test-"

# Quick to start rather than fast in the long run: on two cores Kafka takes 1.25 s, against 1.6 to 1.9 s with the
# JVM's defaults, and Apicurio 2.7 s against 5.4 s.
JVM_OPTIONS = ("-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true")


class ServerFailedError(RuntimeError):
    """A server ended or did not get ready in time; the message ends with the last lines of its log."""


def scratch_directory() -> Path:
    """Make a folder that belongs to this process, and remove those whose process is gone."""
    parent = Path(tempfile.gettempdir())
    for folder in parent.glob(f"{SCRATCH}*"):
        owner = re.match(rf"{SCRATCH}(\d+)-", folder.name)
        if owner and not _alive(int(owner.group(1))):
            shutil.rmtree(folder, ignore_errors=True)  # another run may be removing it too
    return Path(tempfile.mkdtemp(prefix=f"{SCRATCH}{os.getpid()}-"))


def free_ports(count: int) -> list[int]:
    """Return distinct loopback ports that nothing listens on, all below the range of outgoing connections.

    A port of that range could be taken by any client's own connection while a server restarts, even by a
    client that is trying to reach the very port.
    """
    span = Path("/proc/sys/net/ipv4/ip_local_port_range")
    lowest_outgoing = int(span.read_text(encoding="ascii").split()[0]) if span.exists() else 49152
    candidates = list(range(10_000, max(lowest_outgoing, 20_000)))
    random.shuffle(candidates)
    free: list[int] = []
    for port in candidates:
        if len(free) == count:
            break
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            free.append(port)
    return free


def train_archive(archive: Path, run: Callable[[Path], None]) -> None:
    """Make a class-data archive (JEP 350) once: `run` gets the path that the JVM must write to when it ends.

    With it a server starts in half the time. A JVM that cannot write one leaves no file, and starts without.
    """
    if archive.exists():
        return
    with tempfile.TemporaryDirectory(prefix=".train-", dir=archive.parent) as scratch:
        written = Path(scratch) / archive.name
        run(written)
        if written.exists():
            written.rename(archive)


class JavaServer:
    """A child process with a log file. It can be started again after it was stopped or has died."""

    def __init__(self, name: str, java: Java, log: Path) -> None:
        self.name = name
        self._java = java
        self._log = log
        self._log_start = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id of the JVM itself. Raises ServerFailedError if it was not started."""
        if self._process is None:
            raise ServerFailedError(f"{self.name} is not running: start it first")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    def launch(self, arguments: Sequence[str]) -> None:
        """Start the JVM with these arguments and return at once."""
        if self.running:
            raise ServerFailedError(f"{self.name} already runs as process {self.pid}: stop it first")
        tied = ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []
        command = [*tied, self._java.executable, *JVM_OPTIONS, *arguments]
        with self._log.open("ab") as log:
            self._log_start = log.tell()
            # Its own session: Ctrl-C reaches the tests, which then stop the server in their own order.
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def wait_until(self, ready: Callable[[], bool], timeout: float) -> None:
        """Wait at most `timeout` seconds for `ready`. Raises ServerFailedError, and then nothing runs any more."""
        deadline = time.monotonic() + timeout
        while not ready():
            if not self.running:
                status = self._process.returncode if self._process else None
                raise ServerFailedError(f"{self.name} ended with exit status {status}:\n{self._tail()}")
            if time.monotonic() > deadline:
                self.stop()
                raise ServerFailedError(f"{self.name} was not ready within {timeout:.0f} s:\n{self._tail()}")
            time.sleep(POLL_SECONDS)

    def output(self) -> str:
        """What the server has written since it was last launched."""
        with self._log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    def stop(self, patience: float = STOP_SECONDS) -> None:
        """End the process: SIGTERM, and SIGKILL after `patience` seconds. Does nothing if it is gone already."""
        process = self._process
        if process is None:
            return
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            sys.stderr.write(f"{self.name} did not end within {patience:.0f} s and was killed:\n{self._tail()}\n")
            process.kill()
            process.wait()
        self._process = None

    def kill(self) -> None:
        """End the process at once, as a crash would. Does nothing if it is gone already."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _tail(self) -> str:
        lines = self.output().splitlines()[-LINES_SHOWN:]
        return "\n".join([f"last lines of {self._log}:", *(f"  {line}" for line in lines)])


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
