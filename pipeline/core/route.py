"""Which events go to a destination: its rule first, compiled into the checks that it really has, then consent.

The road stops at the first check that fails; `routes explain` puts all that fail into words.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.core.consent import ConsentGate, Decision, place_of
from pipeline.core.destination import Destination, Rule, Slice
from pipeline.core.model import Event

_Read = Callable[[Event], str | None]


@dataclass(frozen=True, slots=True)
class Check:
    """One part of a rule: whether an event passes, and why one does not, in words without customer data."""

    passes: Callable[[Event], bool]
    words: Callable[[Event], str]


class Route:
    """The way to one destination, made ready once: what its rule leaves out costs nothing per event."""

    def __init__(self, destination: Destination) -> None:
        self.consent = ConsentGate(destination.consent)
        self._checks = _checks(destination.rule)
        self._tests = tuple(check.passes for check in self._checks)

    def decide(self, event: Event) -> Decision | None:
        """Return what consent decides on `event`, or None: the rule does not want it, and nobody asks for consent."""
        for passes in self._tests:
            if not passes(event):
                return None
        return self.consent.decide(event.body)

    def objections(self, event: Event) -> list[str]:
        """Return why `event` is not wanted, a sentence for each check that it fails; none when it is wanted."""
        return [check.words(event) for check in self._checks if not check.passes(event)]


def position(own_id: str) -> float:
    """Return where an id lies in the traffic, in percent from 0 up to and without 100.

    The same id lies at the same place for every destination, in every process, for ever.
    """
    # 32 bits: a fraction of more would round up to 100.
    return int.from_bytes(hashlib.sha256(own_id.encode()).digest()[:4]) * 100 / 2**32


def _checks(rule: Rule) -> tuple[Check, ...]:
    named = [
        (rule.kinds, _among("kind", _kind, rule.kinds)),
        (rule.events, _among("event", _name, rule.events)),
        (rule.stores, _among("store", _store, rule.stores)),
        (rule.brands, _among("brand", _brand, rule.brands)),
        (rule.customer_types, _among("customer type", _customer_type, rule.customer_types)),
        (rule.countries, _in_countries(rule.countries)),
    ]
    checks = [check for wanted, check in named if wanted]
    return tuple(checks) if rule.share is None else (*checks, _within(rule.share))


def _among(part: str, read: _Read, wanted: frozenset[str]) -> Check:
    def words(event: Event) -> str:
        found = read(event)
        named = "none" if found is None else f"`{found}`"
        return f"{part}: {named} is not among {', '.join(sorted(wanted))}"

    return Check(lambda event: read(event) in wanted, words)


def _in_countries(wanted: frozenset[str]) -> Check:
    codes = frozenset(code.lower() for code in wanted)
    # Where a customer is, is customer data: it is not repeated.
    words = f"country: the customer's country is not among {', '.join(sorted(wanted))}"
    return Check(lambda event: place_of(event.body) in codes, lambda _: words)


def _within(share: Slice) -> Check:
    start, end = share.start, share.end

    def words(event: Event) -> str:
        return f"share: the event lies at {position(event.own_id):.2f} %, outside of {start:g} % to {end:g} %"

    return Check(lambda event: start <= position(event.own_id) < end, words)


def _kind(event: Event) -> str | None:
    return event.kind


def _name(event: Event) -> str | None:
    return event.name


def _store(event: Event) -> str | None:
    return event.body["store"]


def _brand(event: Event) -> str | None:
    return event.body["brand"]


def _customer_type(event: Event) -> str | None:
    return event.body["customer"]["type"]
