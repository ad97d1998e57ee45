"""What all signals are: a level by consequence, and which fields only the metrics want.

The level is the consequence for a person, and never how surprising the code found it:
`debug` once per batch, `info` for the course of life, `warning` when something is unexpected and nothing is lost,
`error` when a human is needed.
"""

from __future__ import annotations

from typing import ClassVar, Literal

Level = Literal["debug", "info", "warning", "error", "critical"]
Partition = tuple[str, int]
RequestOutcome = Literal["accepted", "mixed", "blamed", "doubt", "inquiry", "later", "halt"]
LaneState = Literal["running", "waiting", "halted"]
# How the answer to a question about a receipt was read, and what is to become of its events.
StatusOutcome = Literal["pending", "final", "later", "halt"]
Fate = Literal["done", "counted", "bury", "again", "unplaced", "unknown", "gone"]


class Signal:
    """Something that happened: `usual` is its level, `quiet` names the fields that only metrics want.

    Of signals that agree in the fields of `alike` one is logged every ten seconds, with the number of the others.
    """

    __slots__ = ()
    usual: ClassVar[Level] = "debug"
    quiet: ClassVar[frozenset[str]] = frozenset()
    alike: ClassVar[tuple[str, ...]] = ()
