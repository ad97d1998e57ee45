"""A destination: one account on one platform, with its rule, limits, consent policy and mode.

Values only; `pipeline.config.destinations` reads them from the destinations file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Mode = Literal["live", "test", "off"]
UnknownConsent = Literal["skip-in-eea", "skip", "send"]


@dataclass(frozen=True, slots=True)
class Rule:
    """Which events a destination wants; an empty set wants all of that kind of thing."""

    kinds: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset()
    stores: frozenset[str] = frozenset()
    brands: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()
    customer_types: frozenset[str] = frozenset()


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
    unknown_consent: UnknownConsent
    limits: Limits
    secrets: Mapping[str, str]
    options: object = field(default=None)
