"""The forms of value that TikTok's tables of fields are made of.

A check takes a value and returns what is wrong with it, or None; some functions here build checks.
Invariant: what is wrong is said without the value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import TypeGuard

from pipeline.sandbox.tiktok_flaw import Flaw

Check = Callable[[object], Flaw | None]

_SHA256 = re.compile(r"[0-9A-Fa-f]{64}").fullmatch
_UNBROKEN = re.compile(r"\S+").fullmatch


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def text(value: object) -> Flaw | None:
    """Accept a string that is not blank."""
    return None if type(value) is str and value.strip() else Flaw("not a valid string")


def clear(value: object) -> Flaw | None:
    """Accept a string that is not blank and not a hash: TikTok reads these fields itself."""
    if type(value) is str and _SHA256(value):
        return Flaw("hashed, but sent in clear")
    return text(value)


def click_id(value: object) -> Flaw | None:
    """Accept a click id or a cookie: in clear and without white space."""
    if type(value) is str and not _UNBROKEN(value):
        return Flaw("not a valid string")
    return clear(value)


def boolean(value: object) -> Flaw | None:
    """Accept true and false."""
    return None if type(value) is bool else Flaw("not a valid boolean")


def integer(value: object) -> Flaw | None:
    """Accept a JSON integer that is not negative."""
    return None if type(value) is int and value >= 0 else Flaw("not a valid integer, zero or more")


def number(value: object) -> Flaw | None:
    """Accept a JSON number."""
    return None if _is_number(value) else Flaw("not a valid number")


def amount(value: object) -> Flaw | None:
    """Accept a JSON number that is not negative."""
    return None if _is_number(value) and value >= 0 else Flaw("not a valid number, zero or more")


def positive(value: object) -> Flaw | None:
    """Accept a JSON number above zero."""
    return None if _is_number(value) and value > 0 else Flaw("not a valid number above zero")


def shape(match: Callable[[str], object], wanted: str) -> Check:
    """Build the check of a string that a pattern matches; `wanted` says what the pattern stands for."""

    def check(value: object) -> Flaw | None:
        return None if type(value) is str and match(value) else Flaw(f"not {wanted}")

    return check


def one_of(allowed: Collection[str]) -> Check:
    """Build the check of a closed list of strings."""

    def check(value: object) -> Flaw | None:
        return None if type(value) is str and value in allowed else Flaw("not one of the allowed values")

    return check


def list_of(item: Check) -> Check:
    """Build the check of a list that is not empty and whose items all pass."""

    def check(value: object) -> Flaw | None:
        if type(value) is not list or not value:
            return Flaw("not a valid list")
        return next((flaw for flaw in map(item, value) if flaw is not None), None)

    return check


def one_or_many(item: Check) -> Check:
    """Build the check of one value or a list of such values that is not empty."""
    many = list_of(item)

    def check(value: object) -> Flaw | None:
        return many(value) if type(value) is list else item(value)

    return check


def fields(checks: Mapping[str, Check], *, required: Collection[str] = (), known_only: bool = True) -> Check:
    """Build the check of an object by its fields; with `known_only` it may hold no others."""

    def check(value: object) -> Flaw | None:
        if type(value) is not dict:
            return Flaw("not a valid object")
        for name in required:
            if name not in value:
                return Flaw("missing", place=(name,))
        for name, one in value.items():
            known = checks.get(name)
            if known is None and known_only:
                return Flaw("it holds an unknown field")
            flaw = known(one) if known is not None else None
            if flaw is not None:
                return flaw.within(name)
        return None

    return check
