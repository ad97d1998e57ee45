"""`docs/contract.md` says what the schemas say, and its examples work."""

from __future__ import annotations

import json
import re
import runpy
from typing import Any

import pytest
from avro_events import CONTRACT

from pipeline.core.avro.jsonform import from_json
from pipeline.core.contract import Kind
from pipeline.core.decode import event_names
from pipeline.edge.schema_files import KINDS, sample, schema_folder

ROOT = schema_folder().parent
PAGE = (ROOT / "docs" / "contract.md").read_text(encoding="utf-8")
EXAMPLES: list[dict[str, Any]] = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]


def test_tables_are_current() -> None:
    """Every field table is what the schemas say; `python tools/contract_tables.py` rewrites them."""
    render = runpy.run_path(str(ROOT / "tools" / "contract_tables.py"))["render"]

    assert render(PAGE) == PAGE


def test_every_record_has_table() -> None:
    """No record of the contract is left out of the page."""
    records = runpy.run_path(str(ROOT / "tools" / "contract_tables.py"))["records"]()

    assert set(records) == set(re.findall(r"<!-- fields: (\w+) -->", PAGE))


@pytest.mark.parametrize("kind", KINDS)
def test_examples_are_the_samples(kind: Kind) -> None:
    """The minimal events of the page are the minimal samples, and have no fault."""
    example = next(one for one in EXAMPLES if f"{kind}_id" in one)

    assert json.loads(sample(kind, minimal=True)) == example
    assert () == from_json(example, CONTRACT.schemas[kind]).faults


@pytest.mark.parametrize("kind", KINDS)
def test_every_event_name_is_listed(kind: Kind) -> None:
    """The table of event ids has one row for each state, and the id that is derived."""
    for state, name in event_names(CONTRACT.schemas[kind], kind).items():
        assert f"| `{kind.capitalize()}`, `{state}` | `{name}` | `{name}:<{kind}_id>` |" in PAGE
