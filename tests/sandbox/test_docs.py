"""The sandbox's documentation names everything that can be turned, asked and read."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from pipeline.sandbox.command import sandbox
from pipeline.sandbox.config import SandboxConfig
from pipeline.sandbox.controls import FIGURES
from pipeline.sandbox.faults import KINDS
from pipeline.sandbox.forms import WORTHLESS
from pipeline.sandbox.meta_flaw import TEXTS
from pipeline.sandbox.server import create_app
from pipeline.sandbox.stats import Stats

FOLDER = Path(__file__).parents[2] / "docs"
DOCS = "\n".join(path.read_text() for path in (FOLDER / "sandbox.md", *sorted((FOLDER / "sandbox").glob("*.md"))))


@pytest.mark.parametrize("option", [option for param in sandbox.params for option in param.opts])
def test_options(option: str) -> None:
    """Every option of the command is described."""
    assert f"`{option}`" in DOCS


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_faults(kind: str) -> None:
    """Every kind of fault has a row that names its fields."""
    row = next(line for line in DOCS.splitlines() if line.startswith(f"| `{kind}` |"))

    assert [] == [field.name for field in dataclasses.fields(KINDS[kind]) if f"`{field.name}`" not in row]


def test_endpoints() -> None:
    """Every endpoint that is not a platform's is described."""
    routes = [
        f"{route.method} {route.resource.canonical}"
        for route in create_app(SandboxConfig()).router.routes()
        if route.resource is not None and route.method not in ("*", "HEAD")
    ]

    assert [] == [route for route in routes if f"`{route}`" not in DOCS]


@pytest.mark.parametrize("word", [*Stats().snapshot(), *FIGURES, *WORTHLESS.values(), *map(str, TEXTS)])
def test_words(word: str) -> None:
    """Every figure, every sender fault and every subcode is named."""
    assert word in DOCS
