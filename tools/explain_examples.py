# ruff: noqa: INP001 - a script, not a package
"""Writes what `capi-pipeline explain` prints into docs/explain.md, below the commands that stand there.

`python tools/explain_examples.py` rewrites the examples; a test fails when one is not what the command prints.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from contextlib import chdir
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from click.testing import CliRunner  # noqa: E402

from pipeline.cli import main  # noqa: E402

PAGE: Final = ROOT / "docs" / "explain.md"
_EXAMPLE: Final = re.compile(r"(```console\n\$ (?P<command>[^\n]+)\n).*?(```)", re.DOTALL)
_DESTINATIONS: Final = re.compile(r"```yaml\n(.*?)```", re.DOTALL)
_PIPED: Final = re.compile(r"jq -c \. (\S+) \| ")


def render(text: str) -> str:
    """Return the page with every example as its command prints it today; its first YAML is the destinations file."""
    found = _DESTINATIONS.search(text)
    if found is None:
        raise ValueError("the page has no destinations file")
    destinations = found[1]
    return _EXAMPLE.sub(lambda example: f"{example[1]}{_printed(example['command'], destinations)}{example[3]}", text)


def _printed(command: str, destinations: str) -> str:
    """Return what a command prints when it runs in the repository, with these destinations and no other setting."""
    piped = _PIPED.match(command)
    given = re.sub(r"\n\s*", "", (ROOT / piped[1]).read_text(encoding="utf-8")) if piped else ""
    _, *arguments = _PIPED.sub("", command).split()
    environ: dict[str, str | None] = dict.fromkeys(name for name in os.environ if name.startswith("CAPI_"))
    with tempfile.TemporaryDirectory() as folder, chdir(ROOT):
        file = Path(folder, "destinations.yaml")
        file.write_text(destinations, encoding="utf-8")
        environ["CAPI_DESTINATIONS_FILE"] = str(file)
        return CliRunner().invoke(main, arguments, input=given, env=environ, catch_exceptions=False).stdout


if __name__ == "__main__":
    PAGE.write_text(render(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
