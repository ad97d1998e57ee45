"""docs/explain.md: its examples are what the command prints, and its tables what is in the lines."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path
from typing import Any

import pytest
from contract_events import document
from everywhere import targets

from pipeline.commands.event_file import EventReader
from pipeline.commands.explain import explain_command
from pipeline.commands.explain_lines import lines
from pipeline.edge.schema_files import KINDS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "explain.md").read_text(encoding="utf-8")
TYPES: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "number": (int, float),
    "object": (dict,),
    "list": (list,),
    "null": (type(None),),
}


def table(name: str) -> dict[str, str]:
    """Return the types of the fields in one of the page's tables."""
    (text,) = re.findall(rf"<!-- fields: {name} -->\n(.*?)<!-- end -->", PAGE, re.DOTALL)
    return dict(re.findall(r"^\| `(\w+)` \| ([a-z ]+) \|", text, re.MULTILINE))


def all_lines() -> list[dict[str, Any]]:
    """Return lines of all kinds of events: timely and old, allowed and not, wanted and not; and of what is no event."""
    given = [document(kind, change) for kind in KINDS for change in ({}, {"consent.ad_user_data": "DENIED"})]
    texts = [*(json.dumps(one).encode() for one in given), b"{", b"{}"]
    asked = [*targets(), *targets("{stores: [nowhere]}")]
    found: list[dict[str, Any]] = []
    for age in (0.0, 1e8):
        found += map(json.loads, lines(texts, EventReader(), asked, lambda event, age=age: event.time + age))  # type: ignore[misc]
    return found


def test_examples_are_what_is_printed() -> None:
    """Every example of the page is what its command prints today: `python tools/explain_examples.py` mends it."""
    render = runpy.run_path(str(ROOT / "tools" / "explain_examples.py"))["render"]

    assert render(PAGE) == PAGE
    assert [2, 0] == [PAGE.count("```console\n$ "), PAGE.count("Error")]


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
