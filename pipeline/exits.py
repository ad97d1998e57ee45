"""How the commands end: one table for the code, its documentation and its tests."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Final


class Exit(IntEnum):
    """The exit code of a command."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    FOUND = 3


MEANING: Final[Mapping[Exit, str]] = {
    Exit.OK: "Done. For `run`: it was asked to stop, and what was open is settled or comes again.",
    Exit.FAILURE: "It could not be done: a broken world or a bug; the log says which.",
    Exit.USAGE: "The command line or the configuration is wrong; every fault is printed.",
    Exit.FOUND: "`check` found problems, or `topics plan` found something to do.",
}
