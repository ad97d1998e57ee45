"""What the demo publishes, and what must become of it: at one destination, at every platform, and the whole trade.

Invariant: every expectation is known before the worker runs, so the demo compares set with set, not sum with sum.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pipeline.core.contract import Kind
from pipeline.core.model import Headers
from pipeline.core.reason import Reason
from pipeline.demo.flaws import Outcome

# The story of the one with everything.
SHOWCASE: Final = "the one with everything"


@dataclass(frozen=True, slots=True)
class Expected:
    """What must become of a record at one destination.

    `reason` is that of a skip or a dead letter; the rest is what the platform must see of an event, or would have.
    `worth` is as `worth` writes it; `destination` is what a dead letter must name (None: whatever it names).
    """

    outcome: Outcome
    reason: Reason | None = None
    event_id: str = ""
    event_name: str = ""
    event_time: int = 0
    worth: str = ""
    destination: str | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """A record as one destination sees it; `story` says in a few words what it is."""

    kind: Kind
    key: bytes
    value: bytes | None = field(repr=False)
    headers: Headers
    story: str
    expected: Expected


@dataclass(frozen=True, slots=True)
class Entry:
    """A record of the trade, and what must become of it at each platform."""

    kind: Kind
    key: bytes
    value: bytes | None = field(repr=False)
    headers: Headers
    story: str
    outlook: Mapping[str, Expected]

    def at(self, platform: str) -> Sample:
        """Return the record as `platform` sees it."""
        return Sample(self.kind, self.key, self.value, self.headers, self.story, self.outlook[platform])


@dataclass(frozen=True, slots=True)
class Trade:
    """The records of the day, and those to publish once it is settled: orders taken back, and exact copies."""

    day: Sequence[Entry]
    later: Sequence[Entry]

    @property
    def records(self) -> int:
        """How many records there are in all."""
        return len(self.day) + len(self.later)

    @property
    def showcase(self) -> Entry:
        """The one with everything."""
        return next(entry for entry in self.day if entry.story == SHOWCASE)

    def refused_ids(self, platform: str) -> list[str]:
        """Return the ids of the events that only `platform` refuses, as it is told them."""
        outlooks = (entry.outlook[platform] for entry in self.day)
        return [expected.event_id for expected in outlooks if expected.reason is Reason.REJECTED]
