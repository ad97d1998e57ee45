"""YAML with places: plain values, and the line of every one of them.

The dialect is YAML 1.2's core: `no` is a word and not false (it is also Norway), `010` is no octal number, and a key
that stands twice is a fault, where YAML 1.1 readers keep the last one in silence.
Aliases and tags are faults too: they make one place mean another.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import yaml

from pipeline.config.faults import Fault

Path = tuple[str | int, ...]
_TAG: Final = "tag:yaml.org,2002:"
_TAGS: Final = frozenset(_TAG + name for name in ("null", "bool", "int", "float", "str", "seq", "map"))


class _Loader(yaml.SafeLoader):
    """The safe loader with YAML 1.2's words for truth and numbers."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rules if tag.removeprefix(_TAG) == "null"]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for _name, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(0|[1-9][0-9]*)", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
):
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(f"^(?:{_pattern})$"), list(_first))


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says, the line of each place in it, and what is wrong with its form."""

    value: object
    lines: dict[Path, int]
    faults: tuple[Fault, ...]

    def where(self, path: Path) -> str:
        """Name a place: `line 12, destinations[1].limits.linger_seconds`."""
        known = path
        while known and known not in self.lines:
            known = known[:-1]
        line = f"line {self.lines[known]}, " if known in self.lines else ""
        return line + (spell(path) or "the file")


def spell(path: Path) -> str:
    """Write a path as people do: `destinations[1].name`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".")


def parse(text: str) -> Document:
    """Read one YAML document; a text that is no YAML gives a document with a fault and the value None."""
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        walk = _Walk()
        if node:
            walk.visit(node, ())
        value: object = loader.construct_document(node) if node and walk.plain else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "the file"
        return Document(None, {}, (Fault(where, f"is not YAML: {error.problem}", "mend the line"),))
    except (yaml.YAMLError, ValueError, RecursionError):
        return Document(None, {}, (Fault("the file", "is not YAML text", "write it again in UTF-8"),))
    return Document(value, walk.lines, tuple(walk.faults))


class _Walk:
    """A walk over the nodes: the line of each place, what cannot be taken, and whether the rest may become values."""

    def __init__(self) -> None:
        self.lines: dict[Path, int] = {}
        self.faults: list[Fault] = []
        self.plain = True
        self._seen: set[int] = set()

    def visit(self, node: yaml.Node, path: Path) -> None:
        line = node.start_mark.line + 1
        self.lines.setdefault(path, line)
        if id(node) in self._seen or node.tag not in _TAGS:
            self.plain = False
            problem = "is an alias" if id(node) in self._seen else "has a tag"
            self.faults.append(Fault(f"line {line}, {spell(path) or 'the file'}", problem, "write the value itself"))
            return
        self._seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self.visit(item, (*path, index))
        elif isinstance(node, yaml.MappingNode):
            self._keys(node, path)

    def _keys(self, node: yaml.MappingNode, path: Path) -> None:
        seen: set[str] = set()
        for key, item in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode) or key.tag != _TAG + "str":
                self.plain = False
                where = f"line {line}, {spell(path) or 'the file'}"
                self.faults.append(Fault(where, "a key is not a word", "put it in quotes"))
                continue
            inner = (*path, key.value)
            if key.value in seen:
                self.faults.append(Fault(f"line {line}, {spell(inner)}", "stands twice", "keep one of them"))
            seen.add(key.value)
            self.lines[inner] = line
            self.visit(item, inner)
