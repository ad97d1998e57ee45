"""What journeys share: a scene on the broker of the suite."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import arena
import pytest
from inner import MUTANT_VARIABLE
from lanes import LANES, Lane
from worker_scene import Scene


@pytest.fixture
def scene(bootstrap_servers: str, tmp_path: Path) -> Iterator[Scene]:
    """Topics, a platform and files of the test's own; no worker yet."""
    with Scene(bootstrap_servers, tmp_path) as made:
        yield made


@pytest.fixture(params=LANES, ids=lambda lane: lane.platform)
def lane(request: pytest.FixtureRequest) -> Lane:
    """Each of the five platforms."""
    given: Lane = request.param
    return given


@pytest.fixture
def way(bootstrap_servers: str, tmp_path: Path, lane: Lane) -> Iterator[Scene]:
    """A scene with one destination, on this platform."""
    with Scene(bootstrap_servers, tmp_path, lanes=[lane]) as made:
        _break(made)
        yield made


@pytest.fixture
def crowd(bootstrap_servers: str, tmp_path: Path, lane: Lane) -> Iterator[Scene]:
    """A scene whose workers serve all platforms; it is judged by this one."""
    with Scene(bootstrap_servers, tmp_path, lanes=[lane, *(other for other in LANES if other is not lane)]) as made:
        _break(made)
        yield made


def _break(scene: Scene) -> None:
    """Let the workers of a scene be broken, if the environment names a mutant: see `break_vows.py`."""
    if os.environ.get(MUTANT_VARIABLE):
        scene.program = (str(arena.LAUNCHER),)
        # Else many a sin would end at the budget, and not at the judge.
        scene.settings["CAPI_DEAD_LETTERS_BUDGET_RATIO"] = "0.95"
