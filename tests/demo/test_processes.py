"""The demo's processes: nothing may be left behind, however the demo ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.demo import leash
from pipeline.demo.processes import Process, ProcessError
from pipeline.demo.workplace import plain_environment

ENVIRONMENT = plain_environment(os.environ)
SLEEPER = "import os, time; print('ready', os.getpid(), flush=True); time.sleep(60)"


def start(folder: Path, code: str) -> Process:
    """Start Python with this program."""
    return Process("the test", ["-c", code], log=folder / "log", environment=ENVIRONMENT, folder=folder)


def gone(pid: int) -> bool:
    """Tell whether a process is gone within some seconds."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.01)
    return False


def test_stopped(tmp_path: Path) -> None:
    """Stopping ends the command and returns how it ended."""
    with start(tmp_path, SLEEPER) as process:
        pid = int(process.wait_for(r"ready (\d+)", 10)[1])

        assert 128 + signal.SIGTERM == process.stop()
    assert gone(pid)


def test_exit_code(tmp_path: Path) -> None:
    """A command that takes SIGTERM well ends with its own exit code."""
    code = (
        "import signal; signal.signal(signal.SIGTERM, lambda *_: exit(7)); print('ready', flush=True); signal.pause()"
    )
    with start(tmp_path, code) as process:
        process.wait_for("ready", 10)

        assert 7 == process.stop()


def test_ended_too_early(tmp_path: Path) -> None:
    """A command that ends before it is ready is an error that shows the end of its log."""
    failure = pytest.raises(ProcessError, match=r"(?s)the test ended with exit code 3.*no such port")
    with start(tmp_path, "print('no such port'); exit(3)") as process, failure:
        process.wait_for("ready", 10)


def test_not_ready(tmp_path: Path) -> None:
    """A command that says nothing is an error after the time it was given."""
    with start(tmp_path, SLEEPER) as process, pytest.raises(ProcessError, match="was not ready after 0 s"):
        process.wait_for("never said", 0.0)


def test_holder_killed() -> None:
    """When whoever holds the leash is killed, the command ends as well."""
    holder = (
        "import os, subprocess, sys\n"
        f"leash = subprocess.Popen([sys.executable, {leash.__file__!r}, sys.executable, '-c', {SLEEPER!r}],"
        " stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)\n"
        "print(leash.stdout.readline().split()[1].decode(), flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    killed = subprocess.run([sys.executable, "-c", holder], capture_output=True, text=True, timeout=30, check=False)

    assert -signal.SIGKILL == killed.returncode
    assert gone(int(killed.stdout))
