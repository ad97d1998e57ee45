"""What would become of an event at one destination: asked as the worker asks, by the same functions, and never sent.

What the worker only knows on the way (a duplicate, the platform's answer) is not said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pipeline.core.consent import SKIPPED, Decision
from pipeline.core.destination import Destination
from pipeline.core.explanation import Row, explain_keys
from pipeline.core.model import Event, Refusal, Shaped, Skipped
from pipeline.core.quality import improvements
from pipeline.core.reason import Reason
from pipeline.flow.clocks import Moment
from pipeline.flow.prepare import Way
from pipeline.platforms import PLATFORMS, open_platform
from pipeline.platforms.base import PlatformKind
from pipeline.platforms.common import country_of, day_of

Outcome = Literal["send", "skip", "refuse"]

# Why a platform skips what rule and consent let pass.
SKIPPED_BY_PLATFORM: Final[Mapping[Reason, str]] = {
    Reason.NO_PLATFORM_EVENT: "the platform has no event for this",
    Reason.LIMITED_USE: "the customer limited the use of the data, and the platform cannot be told so for this event",
    Reason.NOT_SET_UP: "the destination has no account for the place where it happened",
    Reason.NO_REMAINING_VALUE: "the event does not say what is left of the order's value",
}


@dataclass(frozen=True, slots=True)
class Account:
    """What becomes of an event: `reason` and `detail` where it is not sent, `shaped` where it is.

    `consent` is None where the destination's rule does not want the event: then nobody asks.
    """

    outcome: Outcome
    consent: Decision | None
    reason: Reason | None = None
    detail: str | None = None
    shaped: Shaped | None = None


@dataclass(frozen=True, slots=True)
class Improvement:
    """A match key that would raise the estimate by `gain`, and the fields that it could come from."""

    key: str
    gain: float
    sources: tuple[str, ...]


class Target:
    """A destination made ready to be asked, as the worker makes it ready at its start."""

    def __init__(self, destination: Destination) -> None:
        self.destination = destination
        self.name = destination.name
        self.mode = destination.mode
        self.kind: PlatformKind = PLATFORMS[destination.platform]
        self.way = Way(open_platform(destination))

    def account(self, event: Event, now: float) -> Account:
        """Return what would become of `event` at `now` (Unix seconds); the destination's mode is not looked at."""
        consent, found = self.way.outcome(event, Moment(now, now))
        match found:
            case Shaped():
                return Account("send", consent, shaped=found)
            case Refusal():
                return Account("refuse", consent, found.reason, found.detail)
            case Skipped():
                return Account("skip", consent, found.reason, self._why(event, consent, found.reason))

    def rows(self, event: Event) -> tuple[Row, ...]:
        """Return how each match key of this platform came about."""
        table = self.way.platform.keys(event)
        return explain_keys(event.body, table, country_of(event), day_of(event))

    def improvements(self, event: Event, rows: Sequence[Row], keys: Sequence[str]) -> list[Improvement]:
        """Return what would raise the estimate beyond `keys`, the best first.

        Only keys that the platform reads of such an event are named, from sections that the event has.
        """
        sources: dict[str, tuple[str, ...]] = {}
        for row in rows:
            if _has_section(event, row.source):
                sources[row.key] = (*sources.get(row.key, ()), row.source)
        sent = {row.key for row in rows if row.outcome == "sent"}
        for whole, parts in self.kind.composed.items():
            lacking = [part for part in parts if part not in sent]
            if lacking and all(part in sources for part in parts):
                sources[whole] = tuple(source for part in lacking for source in sources[part])
        gains = improvements(keys, self.kind.weights, self.kind.one_of)
        return [Improvement(key, gain, sources[key]) for key, gain in gains if key in sources]

    def left_out(self, row: Row, keys: Sequence[str]) -> bool:
        """Whether a key with a usable value is not among `keys`, those that the platform sends of this event."""
        if row.outcome != "sent" or row.key in keys:
            return False
        return not any(row.key in parts for whole, parts in self.kind.composed.items() if whole in keys)

    def _why(self, event: Event, consent: Decision | None, reason: Reason) -> str:
        if consent is None:
            return "; ".join(self.way.route.objections(event))
        if consent in SKIPPED:
            return self.way.route.consent.words(event.body)
        return SKIPPED_BY_PLATFORM.get(reason, "the platform takes no such event")


def _has_section(event: Event, source: str) -> bool:
    section, _, _ = source.rpartition(".")
    body: Mapping[str, object] = event.body
    return not section or body[section] is not None
