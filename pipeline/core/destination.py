"""A destination: one account on one platform, with its rule, limits, consent policy and mode.

Values only; `pipeline.config.destinations` reads them from the destinations file, and `core.route` and `core.consent`
make of a rule and a policy what events are held against.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Mode = Literal["live", "test", "off"]
Purpose = Literal["ad_user_data", "ad_personalization"]
Treatment = Literal["send", "skip"]

# What is done without a recorded choice, by place; the most specific place decides. See `ConsentPolicy.unknown`.
UNKNOWN_CONSENT: Final[Mapping[str, Treatment]] = {
    "EEA": "skip",
    "GB": "skip",
    "CH": "skip",
    "nowhere": "skip",
    "*": "send",
}


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of the traffic, in percent: from `start` up to and without `end`."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Rule:
    """Which events a destination wants; an empty set wants all of that kind of thing, and no `share` all traffic."""

    kinds: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset()
    stores: frozenset[str] = frozenset()
    brands: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()
    customer_types: frozenset[str] = frozenset()
    share: Slice | None = None


@dataclass(frozen=True, slots=True)
class ConsentPolicy:
    """What counts as consent.

    Every one of `purposes` must be granted. `unknown` says what is done where a choice is not recorded: by region
    (`US-CA`), country (`US`), the group `EEA`, `nowhere` for a place that is not known, and `*` for all others; what it
    does not name is skipped. A grant that was recorded more than `expires_after_days` before the event counts as not
    recorded; None never expires.
    """

    purposes: frozenset[Purpose] = frozenset({"ad_user_data"})
    unknown: Mapping[str, Treatment] = field(default_factory=lambda: dict(UNKNOWN_CONSENT))
    expires_after_days: int | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """How much at once and how fast: events and bytes per request, requests per second, requests in parallel.

    `linger_seconds` is how long the first event of a batch waits for company.
    After `halt_after_refusals` single events refused in a row for one cause the lane halts; 0 never halts.
    """

    events_per_request: int
    bytes_per_request: int
    requests_per_second: float
    linger_seconds: float = 1.0
    concurrency: int = 4
    timeout_seconds: float = 15.0
    halt_after_refusals: int = 20


@dataclass(frozen=True, slots=True)
class Destination:
    """One account on one platform.

    `secrets` maps what the platform needs (`token`) to the name of a secret, never to its value.
    `options` is the platform's own typed options (`pipeline.platforms.meta.MetaOptions` for Meta).
    """

    name: str
    platform: str
    account: str
    mode: Mode
    rule: Rule
    consent: ConsentPolicy
    limits: Limits
    secrets: Mapping[str, str]
    options: object = field(default=None)
