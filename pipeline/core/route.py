"""Which destinations an event goes to: the rule first, then consent."""

from __future__ import annotations

from pipeline.core.consent import place_of, refused_by_consent
from pipeline.core.destination import Destination, Rule
from pipeline.core.model import Event
from pipeline.core.reason import Reason

_EVERYTHING = Rule()


def skipped_by(event: Event, destination: Destination) -> Reason | None:
    """Return why `destination` does not get `event`, or None when it does."""
    if destination.rule != _EVERYTHING and not _wants(destination.rule, event):
        return Reason.NOT_ROUTED
    return refused_by_consent(event.body, destination.unknown_consent)


def _wants(rule: Rule, event: Event) -> bool:
    body = event.body
    return (
        (not rule.kinds or event.kind in rule.kinds)
        and (not rule.events or event.name in rule.events)
        and (not rule.stores or body["store"] in rule.stores)
        and (not rule.brands or body["brand"] in rule.brands)
        and (not rule.customer_types or body["customer"]["type"] in rule.customer_types)
        and (not rule.countries or (place_of(body) or "").upper() in rule.countries)
    )
