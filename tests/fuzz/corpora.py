"""Where the inputs of each target are kept: the committed ones, and what was found on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parents[1]
CORPUS: Final = HERE / "corpus"
WORK: Final = ROOT / ".cache" / "fuzz"
# What scripts put on the path, as pytest does.
SUPPORT: Final = ROOT / "tests" / "support"
NAMES: Final = ("decoder", "headers", "replies", "normalizing", "shaping", "schemas", "json_form")


def corpus(name: str) -> Sequence[bytes]:
    """Return the committed inputs of a target, in the order of their names."""
    return [path.read_bytes() for path in sorted((CORPUS / name).iterdir())]
