"""The road is written down in two places, and both must lead to code that is there."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

import pipeline.core

ROOT = Path(__file__).resolve().parents[2]
STEPS = [line for line in (pipeline.core.__doc__ or "").splitlines() if re.match(r"\| \d", line)]
ROWS = [line for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines() if re.match(r"\| \d", line)]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.split("|")[1].strip())
def test_modules_exist(step: str) -> None:
    """Each module that a step of the road names can be imported."""
    names = re.findall(r"`([a-z_.]+)`", step)

    assert names
    assert names == [name for name in names if importlib.import_module(f"pipeline.{name}")]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_files_exist(row: str) -> None:
    """Each file or folder that the README's road names is there."""
    places = re.findall(r"`([a-z_/.]+)`", row.split("|")[3])

    assert [] == [place for place in places if not (ROOT / "pipeline" / place).exists()]


def test_same_steps() -> None:
    """The README's road has the steps of the core's, in the same order."""
    assert [row.split("|")[1].strip() for row in STEPS] == [row.split("|")[1].strip() for row in ROWS]
