# ruff: noqa: INP001 - a script, not a package
"""Writes the field tables of `docs/contract.md` from the schemas, between `<!-- fields: name -->` and `<!-- end -->`.

`python tools/contract_tables.py` rewrites them; a test fails when one is not what the schemas say.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs" / "contract.md"
sys.path.insert(0, str(ROOT))

from pipeline.core.avro.schema import Array, Enum, Field, Primitive, Record, Type, Union  # noqa: E402
from pipeline.edge.schema_files import load_contract  # noqa: E402

_PLACE: Final = re.compile(r"(<!-- fields: (?P<name>\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_WORDS: Final = {
    "string": "text",
    "int": "whole number",
    "long": "whole number",
    "boolean": "true or false",
    "decimal": "amount",
    "date": "date",
    "timestamp-millis": "time",
}


def records() -> dict[str, Record]:
    """Return every record of the contract by its name, in the order of the files."""
    found: dict[str, Record] = {}

    def collect(node: Type) -> None:
        if isinstance(node, Record):
            found.setdefault(node.name.rpartition(".")[2], node)
            for entry in node.fields:
                collect(entry.type)
        elif isinstance(node, Union):
            for branch in node.branches:
                collect(branch)
        elif isinstance(node, Array):
            collect(node.items)

    for schema in load_contract().schemas.values():
        collect(schema)
    return found


def render(page: str) -> str:
    """Return `page` with every table made anew. Raises KeyError for a record that the schemas do not have."""
    known = records()
    return _PLACE.sub(lambda place: place[1] + _table(known[place["name"]]) + place[3], page)


def _table(record: Record) -> str:
    rows = [("field", "type", "left out", "personal data", "meaning"), ("---",) * 5]
    rows += [(f"`{each.name}`", _kind(each.type), _default(each), each.pii or "no", each.doc) for each in record.fields]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n" for row in rows)


def _kind(node: Type) -> str:
    match node:
        case Union():
            return f"{_kind(node.branches[-1])} or null"
        case Record():
            name = node.name.rpartition(".")[2]
            return f"[{name}](#{name.lower()})"
        case Array():
            return f"list of {_kind(node.items)}"
        case Enum():
            return ", ".join(f"`{symbol}`" for symbol in node.symbols)
        case Primitive():
            return _WORDS[node.logical or node.kind]
        case _:
            raise TypeError(f"the contract has no {type(node).__name__}")


def _default(entry: Field) -> str:
    if not entry.has_default:
        return "**required**"
    if isinstance(entry.type, Record):
        return "its defaults"
    return f"`{json.dumps(entry.default)}`" if not isinstance(entry.default, str) else f"`{entry.default}`"


if __name__ == "__main__":
    PAGE.write_text(render(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
