"""The whole demo, as a user runs it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.demo.command import demo
from pipeline.demo.workplace import plain_environment


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    """Run the demo once with 120 events, in a folder of temporary files of its own."""
    folder = tmp_path_factory.mktemp("demo")
    environment = {**plain_environment(os.environ), "TMPDIR": str(folder)}
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "demo", "--events", "120"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done, folder


def test_it_balances(journey: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    """It ends with exit code 0 and the sums of 120 records."""
    done, _ = journey

    assert 0 == done.returncode, done.stdout + done.stderr
    assert "120 published = 120 consumed = 98 accepted + 13 skipped + 9 dead-lettered" in done.stdout


def test_it_shows_every_outcome(journey: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    """Its table names every reason with as many records as expected."""
    done, _ = journey
    rows = re.findall(r"^ +(?:skipped|dead-lettered) +(\w+) +(\d+) +(\d+) ", done.stdout, re.MULTILINE)

    assert 12 == len(rows), done.stdout
    assert all(records == expected for _, records, expected in rows)


def test_it_says_no_secret(journey: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    """It prints no token, no customer's address, and nothing on standard error."""
    done, _ = journey

    assert "" == done.stderr
    assert not re.search(r"EAAdemo|@(?i:example\.)", done.stdout)


def test_it_leaves_nothing(journey: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    """It removes the folder that it worked in."""
    _, folder = journey

    assert [] == list(folder.glob("capi-demo-*"))


def test_too_few() -> None:
    """Too few events for one of each kind are refused with exit code 2."""
    result = CliRunner().invoke(demo, ["--events", "10"])

    assert (2, True) == (result.exit_code, "60<=x<=5000" in result.output)
