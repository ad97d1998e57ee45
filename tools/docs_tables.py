# ruff: noqa: INP001 - a script, not a package
"""Writes the tables of the documentation that are made from code, between `<!-- table: name -->` and `<!-- end -->`.

`python tools/docs_tables.py` rewrites them; a test fails when one is not what the code says.
"""

from __future__ import annotations

import dataclasses
import re
import sys
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from pydantic import BaseModel  # noqa: E402
from pydantic.fields import FieldInfo  # noqa: E402

from pipeline.config.destination_entry import ConsentEntry, Entry, File, LimitsEntry, RuleEntry  # noqa: E402
from pipeline.config.environment import example, shown, variables  # noqa: E402
from pipeline.config.kafka_properties import REFUSED  # noqa: E402
from pipeline.config.settings import Settings  # noqa: E402
from pipeline.edge.metrics import METRICS  # noqa: E402
from pipeline.exits import MEANING  # noqa: E402
from pipeline.platforms import PLATFORMS  # noqa: E402

PAGES: Final = ("docs/settings.md", "docs/destinations.md")
_PLACE: Final = re.compile(r"(<!-- table: (?P<name>[a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def settings_table(section: str | None) -> str:
    """One row per variable of a section of the settings; None means those without a section."""
    defaults = shown(Settings.model_validate({"kafka": {"bootstrap_servers": "unset:1"}}))
    rows = [
        (f"`{name}`", "required" if info.is_required() else _code(defaults[name]), _takes(info), _say(info))
        for name, (path, info) in variables().items()
        if (path[0] if len(path) > 1 else None) == section
    ]
    return _table(("variable", "default", "takes", "meaning"), rows)


def keys_table(model: type[BaseModel]) -> str:
    """One row per key of a part of the destinations file."""
    rows = [
        (f"`{name}`", "required" if info.is_required() else _default(info), _takes(info), _say(info))
        for name, info in model.model_fields.items()
    ]
    return _table(("key", "default", "takes", "meaning"), rows)


def defaults_table() -> str:
    """The limits that a platform's destinations have when they set none."""
    names = [field.name for field in dataclasses.fields(next(iter(PLATFORMS.values())).defaults)]
    rows = [(f"`{key}`", *(str(getattr(kind.defaults, key)) for kind in PLATFORMS.values())) for key in names]
    return _table(("limit", *PLATFORMS), rows)


def options_table() -> str:
    """The options of every platform."""
    rows = [
        (f"`{platform}`", f"`{field.name}`", _code(_plain_default(field)), _spell_type(hints[field.name]))
        for platform, kind in PLATFORMS.items()
        for hints in (typing.get_type_hints(kind.options),)
        for field in dataclasses.fields(kind.options)
    ]
    return _table(("platform", "option", "default", "takes"), rows)


def secrets_table() -> str:
    """What every platform needs secrets for."""
    rows = [
        (f"`{name}`", ", ".join(map(_code, kind.secrets)), ", ".join(map(_code, kind.optional_secrets)) or "none")
        for name, kind in PLATFORMS.items()
    ]
    return _table(("platform", "needs", "can use"), rows)


def metrics_table() -> str:
    """One row per metric."""
    rows = [(f"`{each.name}`", each.type, ", ".join(each.labels) or "none", each.help) for each in METRICS]
    return _table(("metric", "type", "labels", "meaning"), rows)


TABLES: Final[Mapping[str, Callable[[], str]]] = {
    "worker": lambda: settings_table(None),
    **{
        section.replace("_", "-"): lambda section=section: settings_table(section)  # type: ignore[misc]
        for section in ("kafka", "intake", "stop", "dead_letters", "receipts", "replay", "registry", "http", "log")
    },
    "refused-properties": lambda: _table(
        ("property", "reason"), [(f"`{name}`", reason) for name, reason in REFUSED.items()]
    ),
    "exits": lambda: _table(("code", "meaning"), [(str(int(code)), text) for code, text in MEANING.items()]),
    "file": lambda: keys_table(File),
    "entry": lambda: keys_table(Entry),
    "rule": lambda: keys_table(RuleEntry),
    "consent": lambda: keys_table(ConsentEntry),
    "limits": lambda: keys_table(LimitsEntry),
    "platform-limits": defaults_table,
    "options": options_table,
    "secrets": secrets_table,
    "metrics": metrics_table,
}


def render(page: str) -> str:
    """Return `page` with every table made anew. Raises KeyError for a table that nobody makes."""
    return _PLACE.sub(lambda place: place[1] + TABLES[place["name"]]() + place[3], page)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def _say(info: FieldInfo) -> str:
    return f"{info.description} Example: `{example(info)}`." if info.examples else str(info.description)


def _code(text: str | None) -> str:
    return f"`{text}`" if text else "none"


def _default(info: FieldInfo) -> str:
    value = info.default
    if isinstance(value, frozenset) and value:
        return ", ".join(f"`{each}`" for each in sorted(value))
    return "none" if not value or isinstance(value, BaseModel) else f"`{value}`"


def _plain_default(field: dataclasses.Field[object]) -> str | None:
    if field.default_factory is not dataclasses.MISSING:
        return str(field.default_factory() or "") or None
    value = field.default
    return None if value is None or value is dataclasses.MISSING else str(value)


def _takes(info: FieldInfo) -> str:
    kind = _spell_type(info.annotation)
    low = [f"from {item.ge}" for item in info.metadata if hasattr(item, "ge")]
    low += [f"above {item.gt:g}" for item in info.metadata if hasattr(item, "gt")]
    high = [f"to {item.le}" for item in info.metadata if hasattr(item, "le")]
    return " ".join([kind, *low, *high])


def _spell_type(kind: object) -> str:
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return _spell_type(inner[0])
    if origin is typing.Literal:
        return ", ".join(f"`{word}`" for word in inner)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_spell_type(each) for each in inner if each is not type(None))
    if isinstance(origin, type):
        is_map = issubclass(origin, Mapping)
        return "mapping" if is_map else f"list of {_spell_type(inner[0])}"
    words: dict[object, str] = {str: "text", int: "whole number", float: "number", bool: "true, false", Path: "path"}
    if kind in words:
        return words[kind]
    return "mapping" if isinstance(kind, type) and issubclass(kind, BaseModel) else "text"


def main() -> None:
    """Rewrite every page."""
    for name in PAGES:
        path = ROOT / name
        path.write_text(render(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
