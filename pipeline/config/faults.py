"""Faults of the configuration: all of them at once, each with its place and its fix.

A value that somebody typed is never repeated here unless it is a plain word or number,
because people paste tokens into the wrong line.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from typing_extensions import override


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: the place (a variable, a path in a file), the problem, and what to do."""

    where: str
    problem: str
    fix: str

    @override
    def __str__(self) -> str:
        return f"{self.where}: {self.problem}; {self.fix}"


class ConfigurationError(Exception):
    """The configuration cannot be used; `faults` holds everything that is wrong with it, never just the first."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.lines))

    @property
    def lines(self) -> tuple[str, ...]:
        """One line per fault, ready to print."""
        return tuple(str(fault) for fault in self.faults)


class SettingsError(ConfigurationError):
    """Faults of the environment variables."""


class DestinationsError(ConfigurationError):
    """Faults of the destinations file."""


def suggestion(word: str, known: Iterable[str]) -> str:
    """Name the known word that was probably meant, else list all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if near:
        return f"did you mean `{near[0]}`?"
    return "known are " + ", ".join(f"`{name}`" for name in names) if names else "there are none"
