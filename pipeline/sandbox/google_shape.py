"""The building blocks of Google's rules: what is wrong where, and rules that are put together from smaller ones.

A rule takes a value and its path and yields every flaw it finds.
Invariant: a flaw names a place, a reason and a rule in words, never the value that stood there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

REQUIRED = "REQUIRED_FIELD_MISSING"
FORMAT = "INVALID_FORMAT"
ENUM = "INVALID_ENUM_VALUE"
NUMBER = "INVALID_NUMBER_FORMAT"

_CAPITAL = re.compile(r"[A-Z]")


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing wrong with a request: its place in snake case, Google's reason, and the rule in words.

    `sender_fault` names a mistake that only a sender's bug can make.
    """

    path: str
    reason: str
    note: str
    sender_fault: str | None = None


Rule = Callable[[object, str], Iterator[Flaw]]


def member(path: str, name: str) -> str:
    """Return the path of a field of an object: names are camel case in JSON and snake case in paths."""
    snake = _CAPITAL.sub(lambda capital: f"_{capital[0].lower()}", name)
    return f"{path}.{snake}" if path else snake


def leaf(holds: Callable[[object], bool], note: str, reason: str = FORMAT) -> Rule:
    """Build the rule of a value that `holds` must be true for."""

    def check(value: object, path: str) -> Iterator[Flaw]:
        if not holds(value):
            yield Flaw(path, reason, note)

    return check


def record(fields: Mapping[str, Rule], required: Collection[str] = (), *, is_open: bool = False) -> Rule:
    """Build the rule of an object; fields that are not named are refused unless it `is_open`."""

    def check(value: object, path: str) -> Iterator[Flaw]:
        if not isinstance(value, dict):
            yield Flaw(path, FORMAT, "must be an object")
            return
        if not is_open and not value.keys() <= fields.keys():
            yield Flaw(path, FORMAT, "has a field that is not allowed here")
        for name in required:
            if name not in value:
                yield Flaw(member(path, name), REQUIRED, "is required")
        for name, rule in fields.items():
            if name in value:
                yield from rule(value[name], member(path, name))

    return check


def listed(rule: Rule, most: int | None = None, too_many: str = FORMAT, *, least: int = 1) -> Rule:
    """Build the rule of a list whose items keep `rule`: from `least` to `most` of them (None: any number)."""

    def check(value: object, path: str) -> Iterator[Flaw]:
        if not isinstance(value, list):
            yield Flaw(path, FORMAT, "must be a list")
        elif len(value) < least:
            yield Flaw(path, REQUIRED, "must not be empty")
        elif most is not None and len(value) > most:
            yield Flaw(path, too_many, f"must hold at most {most}")
        else:
            for index, item in enumerate(value):
                yield from rule(item, f"{path}[{index}]")

    return check


def one_of(words: str) -> Rule:
    """Build the rule of a closed list, given as words with spaces between."""
    allowed = frozenset(words.split())
    return leaf(lambda value: isinstance(value, str) and value in allowed, f"must be one of {words}", ENUM)


def is_text(value: object) -> bool:
    """Say whether a value is a string that is not blank."""
    return isinstance(value, str) and bool(value.strip())


def is_number(value: object) -> bool:
    """Say whether a value is a finite JSON number, zero or more."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0


text = leaf(is_text, "must be a non-empty string")
amount = leaf(is_number, "must be a number, zero or more", NUMBER)
flag = leaf(lambda value: isinstance(value, bool), "must be true or false")
anything = record({}, is_open=True)
