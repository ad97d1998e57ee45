"""The scenarios by name, each with its fixed seed, the faults that it covers and the mutants that it must catch."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from arena import Arena

Play = Callable[[Arena], None]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A fault and the promise that holds through it.

    `number` is that of the fault in docs/chaos.md. `mutants` are caught by it, `short_mutants` in the short run too, if
    it is part of that. `play` raises AssertionError for what the judge cannot see.
    `any_lane` says that it may be played on any platform; `lanes` are the platforms on which the short run plays it
    beside Meta, on which everything is played unless told otherwise. `everybody`: all five lanes are in the worker.
    """

    name: str
    number: int
    promise: str
    play: Play
    mutants: tuple[str, ...]
    short: bool
    short_mutants: tuple[str, ...]
    any_lane: bool
    lanes: tuple[str, ...]
    everybody: bool

    @property
    def seed(self) -> int:
        """The seed of everything random in it: always the same for one name."""
        return zlib.crc32(self.name.encode())


SCENARIOS: Final[dict[str, Scenario]] = {}


def scenario(
    number: int,
    *mutants: str,
    short: tuple[str, ...] | None = None,
    lanes: tuple[str, ...] | None = None,
    everybody: bool = False,
) -> Callable[[Play], Play]:
    """Enter a function as a scenario: its name is the scenario's, its docstring the promise.

    `short` makes it part of the short run, with these of its mutants. `lanes` lets it be played on any platform, and
    makes it part of the short run on these. `everybody` lets the worker serve all platforms, one of which is judged.
    """

    def enter(play: Play) -> Play:
        name = play.__name__
        doc = (play.__doc__ or "").strip()
        SCENARIOS[name] = Scenario(
            name, number, doc, play, mutants, short is not None, short or (), lanes is not None, lanes or (), everybody
        )
        return play

    return enter
