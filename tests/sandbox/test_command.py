"""The sandbox on the command line."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.sandbox.command import sandbox

ROOT = Path(__file__).parents[2]
WHO = {"lead_id": 17}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_lifecycle(number: signal.Signals, tmp_path: Path) -> None:
    """It says where it listens, takes events, writes its journal file and stops with exit code 0."""
    path = tmp_path / "journal"
    command = [sys.executable, "-m", "pipeline.sandbox.command", "--port", "0", "--journal-file", str(path)]
    event = {"event_name": "Lead", "event_time": int(time.time()), "action_source": "email", "user_data": WHO}
    body = json.dumps({"data": [event], "access_token": "t"}).encode()
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        url = line.split()[3]
        request = urllib.request.Request(f"{url}/v26.0/1/events", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as response:
            answer = json.load(response)
        process.send_signal(number)
        code = process.wait(10)

    assert (0, 1, 1) == (code, answer["events_received"], len(path.read_text().splitlines()))
    assert "send with any token and any account: meta at /{version}/{dataset}/events" in line
    assert "google at /v1/events:ingest" in line


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--fault", "status 500"], "name=value"),
        (["--fault", "earthquake"], "kind, one of"),
        (["--rate-limit", "0"], "--rate-limit"),
        (["--journal-file", "/nowhere/at/all"], "No such file"),
        (["--google-outcome", "late-*"], "PATTERN REASON"),
        (["--google-public-key", __file__], "PEM"),
    ],
)
def test_refused_options(options: list[str], complaint: str) -> None:
    """An option that makes no sense ends the command with a sentence."""
    result = CliRunner().invoke(sandbox, ["--port", "0", *options])

    assert 0 != result.exit_code
    assert complaint in result.output


def test_used_port_is_told() -> None:
    """A port that someone else has ends the command with one line: where, why, and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = CliRunner().invoke(sandbox, ["--port", str(port)])
    what = f"cannot listen on 127.0.0.1:{port} (address already in use)"

    assert (1, f"Error: {what}; free the port, or --port 0 takes a free one\n") == (result.exit_code, result.output)
