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
    """It ends with exit code 0 and the sums of 120 records at five platforms."""
    done, _ = journey
    sums = re.search(r"120 records x 5 platforms = (\d+) accepted \+ (\d+) skipped \+ (\d+) dead-lettered", done.stdout)

    assert 0 == done.returncode, done.stdout + done.stderr
    assert sums is not None
    assert 120 * 5 == sum(map(int, sums.groups()))


def test_it_shows_every_outcome(journey: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    """Its table names every reason with a number for each platform, and none that was not expected."""
    done, _ = journey
    rows = re.findall(r"^ +(?:skipped|dead-lettered) +(\w+)((?: +(?:\d+|-)){5}) *$", done.stdout, re.MULTILINE)

    assert 14 == len(rows), done.stdout
    assert ", not " not in done.stdout


def test_it_shows_the_one_with_everything(journey: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    """All five platforms got it; Google alone has another id for it, and another hash of the e-mail."""
    done, _ = journey
    rows = dict(
        re.findall(r"^ +(meta|google|tiktok|pinterest|snapchat) +(.*133\.95 USD.*?) *$", done.stdout, re.MULTILINE)
    )
    hashes = {platform: row.split()[-1] for platform, row in rows.items()}

    assert 5 == len(rows), done.stdout
    assert ["google"] == [platform for platform in rows if hashes[platform] != hashes["meta"]]
    assert ["google"] == [platform for platform, row in rows.items() if ":web" not in row]


def test_one_platform_down_holds_back_no_other(journey: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    """While TikTok was down the four others got theirs, and records stayed uncommitted for it."""
    done, _ = journey
    told = re.search(r"four others got what was theirs \((\d+)\s+events\), and\s+(\d+)\s+records", done.stdout)

    assert told is not None, done.stdout
    assert all(int(count) for count in told.groups())


def test_it_fits_100_columns(journey: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    """No line is wider than 100 columns, but for commands, which are never broken."""
    done, _ = journey
    wide = [line for line in done.stdout.splitlines() if len(line.rstrip()) > 100 and " -m pipeline " not in line]

    assert [] == wide


def test_it_says_no_secret(journey: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    """It prints no token, no key, no customer's address, and nothing on standard error."""
    done, _ = journey

    assert "" == done.stderr
    assert not re.search(r"demo-\w+-[0-9a-f]{48}|PRIVATE|@(?i:example\.|gmail)", done.stdout)


def test_it_leaves_nothing(journey: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    """It removes the folder that it worked in."""
    _, folder = journey

    assert [] == list(folder.glob("capi-demo-*"))


def test_too_few() -> None:
    """Too few events for one of each kind are refused with exit code 2."""
    result = CliRunner().invoke(demo, ["--events", "10"])

    assert (2, True) == (result.exit_code, "80<=x<=5000" in result.output)
