"""docs/explain.md: its examples are what the command prints, and its tables what is in the lines."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from contract_events import document
from everywhere import targets

from pipeline.cli import main
from pipeline.commands.event_file import EventReader
from pipeline.commands.explain import explain_command
from pipeline.commands.explain_lines import lines
from pipeline.config.environment import variables
from pipeline.edge.schema_files import KINDS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "explain.md").read_text(encoding="utf-8")
EXAMPLES: list[tuple[str, str]] = re.findall(r"```console\n\$ (.*)\n(.*?)```", PAGE, re.DOTALL)
TYPES: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "number": (int, float),
    "object": (dict,),
    "list": (list,),
    "null": (type(None),),
}


def printed(command: str, folder: Path) -> str:
    """Return what a command of the page prints, with the page's destinations file."""
    (destinations,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    (folder / "destinations.yaml").write_text(destinations)
    piped = re.match(r"jq -c \. (\S+) \| ", command)
    given = json.dumps(json.loads((ROOT / piped[1]).read_bytes())) if piped else ""
    name, *args = shlex.split(command.removeprefix(piped[0] if piped else ""))
    assert "capi-pipeline" == name
    environ: dict[str, str | None] = dict.fromkeys(variables())
    environ["CAPI_DESTINATIONS_FILE"] = str(folder / "destinations.yaml")
    return CliRunner().invoke(main, args, input=given, env=environ).stdout


def table(name: str) -> dict[str, str]:
    """Return the types of the fields in one of the page's tables."""
    (text,) = re.findall(rf"<!-- fields: {name} -->\n(.*?)<!-- end -->", PAGE, re.DOTALL)
    return dict(re.findall(r"^\| `(\w+)` \| ([a-z ]+) \|", text, re.MULTILINE))


def all_lines() -> list[dict[str, Any]]:
    """Return the lines of events of all kinds, timely and old, with and without consent, and of what is no event."""
    given = [document(kind, change) for kind in KINDS for change in ({}, {"consent.ad_user_data": "DENIED"})]
    texts = [*(json.dumps(one).encode() for one in given), b"{", b"{}"]
    found: list[dict[str, Any]] = []
    for age in (0.0, 1e8):
        found += map(json.loads, lines(texts, EventReader(), targets(), lambda event, age=age: event.time + age))  # type: ignore[misc]
    return found


@pytest.mark.parametrize(("command", "output"), EXAMPLES, ids=["page", "lines"])
def test_examples_are_what_is_printed(
    command: str, output: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every example of the page is what its command prints today."""
    monkeypatch.chdir(ROOT)

    assert output == printed(command, tmp_path)


@pytest.mark.parametrize(("name", "has_destination"), [("line", True), ("no event", False)])
def test_fields_are_listed(name: str, *, has_destination: bool) -> None:
    """Every line has the fields of the table, all of them, in its order, and of its types."""
    listed = table(name)
    found = [one for one in all_lines() if ("destination" in one) is has_destination]
    wrong = [
        (field, value)
        for one in found
        for field, value in one.items()
        if not isinstance(value, tuple(kind for word in listed[field].split(" or ") for kind in TYPES[word]))
    ]

    assert {"send", "skip", "refuse"} if has_destination else {"refuse"} == {one["outcome"] for one in found}
    assert [list(listed)] * len(found) == [list(one) for one in found]
    assert [] == wrong


def test_null_means_null() -> None:
    """A field that may be null is null somewhere, and not everywhere."""
    found = [one for one in all_lines() if "destination" in one]
    nullable = {field for field, words in table("line").items() if "null" in words}

    assert nullable == {field for field in table("line") if any(one[field] is None for one in found)}
    assert nullable == {field for field in nullable if any(one[field] is not None for one in found)}


def test_every_option_is_listed() -> None:
    """The options of the page are those of the command."""
    options = {name for one in explain_command.params for name in one.opts if name.startswith("--")}

    assert options == set(re.findall(r"^\| `(--[a-z]+)", PAGE, re.MULTILINE))
