"""Which requests go wrong, and how: pure rules over path, time and chance.

Invariant: with the same seed, the same rules and the same requests, the same faults happen.
Invariant: at most one answer fault acts on a request; latencies add up with it and with each other.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from random import Random

from pipeline.sandbox.contract import Failure


@dataclass(frozen=True, slots=True)
class Latency:
    """Wait `seconds`, and up to `jitter` seconds more, before the request is judged."""

    seconds: float = 0.0
    jitter: float = 0.0


@dataclass(frozen=True, slots=True)
class Status:
    """Answer with an HTTP status and an HTML page, as a proxy in between does; nothing is stored."""

    status: int = 502
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class Silence:
    """Never answer; the connection closes after `seconds`, or when the sender gives up."""

    stored: bool = True
    seconds: float = 3600.0


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection without an answer."""

    stored: bool = True


@dataclass(frozen=True, slots=True)
class Reset:
    """Send the head and half of the answer, then reset the connection."""

    stored: bool = True


@dataclass(frozen=True, slots=True)
class Drip:
    """Spread the body of the answer over `seconds`."""

    seconds: float = 5.0


@dataclass(frozen=True, slots=True)
class ShortCount:
    """Answer success, but keep and report `missing` events fewer (the last ones of the request)."""

    missing: int = 1


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Answer 200 with the text `Service Unavailable`; nothing is stored."""


@dataclass(frozen=True, slots=True)
class Token:
    """Refuse every token, as the platform does with a revoked one; Meta's other subcodes: 460, 463, 467."""

    subcode: int | None = None


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Throttle what exceeds `per_second` requests (bursts up to one second's worth).

    The answer is the platform's usual throttle, or the given code and subcode.
    """

    per_second: float = 10.0
    code: int | None = None
    subcode: int | None = None


Effect = Latency | Status | Failure | Silence | Close | Reset | Drip | ShortCount | Unavailable | Token | RateLimit

KINDS: dict[str, type[Effect]] = {
    "latency": Latency,
    "status": Status,
    "error": Failure,
    "silence": Silence,
    "close": Close,
    "reset": Reset,
    "drip": Drip,
    "short_count": ShortCount,
    "unavailable": Unavailable,
    "token": Token,
    "rate_limit": RateLimit,
}
NAMES = {effect: kind for kind, effect in KINDS.items()}


@dataclass(slots=True)
class Bucket:
    """The token bucket of a rate limit. Invariant: 0 <= level <= capacity."""

    capacity: float
    level: float
    filled_at: float

    def take(self, per_second: float, now: float) -> bool:
        """Take one request's worth if there is enough."""
        self.level = min(self.capacity, self.level + max(0.0, now - self.filled_at) * per_second)
        self.filled_at = max(now, self.filled_at)
        if self.level < 1.0:
            return False
        self.level -= 1.0
        return True

    def percent_used(self) -> int:
        """Say how much of the limit is used up, 0..100."""
        return round(100 * (1 - self.level / self.capacity))


@dataclass(slots=True)
class Fault:
    """One rule: an effect, how likely it is, for how many requests, and for which paths.

    `count` is the number of requests still to hit (None: until cleared); `in_path` is a part of the URL path.
    """

    effect: Effect
    probability: float = 1.0
    count: int | None = None
    in_path: str = ""
    hits: int = 0
    bucket: Bucket | None = field(default=None, repr=False)

    @property
    def kind(self) -> str:
        """The name of the effect, as in the admin endpoint and the statistics."""
        return NAMES[type(self.effect)]

    def describe(self) -> dict[str, object]:
        """Return the rule as plain JSON values."""
        effect = {key: value for key, value in dataclasses.asdict(self.effect).items() if value is not None}
        return {
            "kind": self.kind,
            **effect,
            "probability": self.probability,
            "count": self.count,
            "in_path": self.in_path,
            "hits": self.hits,
        }


@dataclass(frozen=True, slots=True)
class Decision:
    """What happens to one request; `used_percent` is set where a rate limit watches it."""

    latency_s: float = 0.0
    effect: Effect | None = None
    kind: str = ""
    used_percent: int | None = None


class FaultBook:
    """The rules in force, asked once per request, in the order in which they were added."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._rules: list[Fault] = []

    @property
    def rules(self) -> tuple[Fault, ...]:
        """The rules in force; those whose count is used up are gone."""
        return tuple(self._rules)

    def add(self, effect: Effect, *, probability: float = 1.0, count: int | None = None, in_path: str = "") -> None:
        """Put one more rule in force; raises ValueError for a probability outside (0, 1] or a count below 1."""
        if not 0.0 < probability <= 1.0:
            raise ValueError(f"fault: probability must be above 0 and at most 1, not {probability}")
        if count is not None and count < 1:
            raise ValueError(f"fault: count must be at least 1, not {count}")
        if isinstance(effect, RateLimit) and effect.per_second <= 0:
            raise ValueError(f"fault: per_second must be above 0, not {effect.per_second}")
        self._rules.append(Fault(effect, probability, count, in_path))

    def clear(self, kind: str | None = None) -> None:
        """End all rules, or those of one kind."""
        self._rules = [rule for rule in self._rules if kind is not None and rule.kind != kind]

    def decide(self, path: str, now: float) -> Decision:
        """Decide what happens to a request for `path` at `now` (Unix seconds)."""
        if not self._rules:
            return CALM
        latency = 0.0
        used: int | None = None
        chosen: Fault | None = None
        for rule in self._rules:
            if rule.in_path not in path:
                continue
            if isinstance(rule.effect, RateLimit):
                over, used = self._over_limit(rule, rule.effect, now)
                chosen = chosen or (rule if over else None)
            elif isinstance(rule.effect, Latency):
                latency += self._wait(rule, rule.effect)
            elif chosen is None and self._strikes(rule):
                chosen = rule
        if chosen is not None:
            self._spend(chosen)
        self._rules = [rule for rule in self._rules if rule.count != 0]
        return Decision(latency, chosen.effect if chosen else None, chosen.kind if chosen else "", used)

    def _strikes(self, rule: Fault) -> bool:
        return rule.probability >= 1.0 or self._chance.random() < rule.probability

    def _wait(self, rule: Fault, effect: Latency) -> float:
        if not self._strikes(rule):
            return 0.0
        self._spend(rule)
        return effect.seconds + (self._chance.uniform(0.0, effect.jitter) if effect.jitter else 0.0)

    @staticmethod
    def _spend(rule: Fault) -> None:
        rule.hits += 1
        if rule.count is not None:
            rule.count -= 1

    @staticmethod
    def _over_limit(rule: Fault, effect: RateLimit, now: float) -> tuple[bool, int]:
        if rule.bucket is None:
            capacity = max(1.0, effect.per_second)
            rule.bucket = Bucket(capacity, capacity, now)
        taken = rule.bucket.take(effect.per_second, now)
        return not taken, rule.bucket.percent_used()


CALM = Decision()
