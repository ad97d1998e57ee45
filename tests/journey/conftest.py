"""What journeys share: a scene on the broker of the suite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from worker_scene import Scene


@pytest.fixture
def scene(bootstrap_servers: str, tmp_path: Path) -> Iterator[Scene]:
    """Topics, a platform and files of the test's own; no worker yet."""
    with Scene(bootstrap_servers, tmp_path) as made:
        yield made
