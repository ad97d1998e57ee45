"""Which destinations an event goes to."""

from __future__ import annotations

from typing import cast

import pytest
from avro_events import full_order
from toy import destination

from pipeline.core.contract import Body, ConsentChoice
from pipeline.core.destination import Rule
from pipeline.core.model import Event
from pipeline.core.reason import Reason
from pipeline.core.route import skipped_by


def event(choice: ConsentChoice = "GRANTED") -> Event:
    """Return an order of a new German customer, placed in the store `web-de` of the brand `north`."""
    order = full_order() | {"store": "web-de", "brand": "north"}
    order["customer"] |= {"country": "DE", "type": "NEW"}
    order["consent"] |= {"ad_user_data": choice, "region": None}
    return Event("order", "order_placed", "1", 0.0, cast("Body", order), "bundled")


def rule(**parts: str) -> Rule:
    """Return a rule that wants one thing each."""
    return Rule(**{name: frozenset({wanted}) for name, wanted in parts.items()})


@pytest.mark.parametrize(
    "wanted",
    [
        rule(),
        rule(kinds="order"),
        rule(events="order_placed"),
        rule(stores="web-de"),
        rule(brands="north"),
        rule(customer_types="NEW"),
        rule(countries="DE"),
        rule(kinds="order", stores="web-de", countries="DE"),
    ],
)
def test_wanted(wanted: Rule) -> None:
    """An event that has everything the rule names goes."""
    assert skipped_by(event(), destination(rule=wanted)) is None


@pytest.mark.parametrize(
    "wanted",
    [
        rule(kinds="lead"),
        rule(events="order_refunded"),
        rule(stores="web-fr"),
        rule(brands="south"),
        rule(customer_types="RETURNING"),
        rule(countries="FR"),
        rule(kinds="order", stores="web-de", countries="FR"),
    ],
)
def test_not_wanted(wanted: Rule) -> None:
    """One thing that the rule names and the event has not keeps it away."""
    assert Reason.NOT_ROUTED is skipped_by(event(), destination(rule=wanted))


def test_rule_comes_first() -> None:
    """Where the rule does not want the event, nobody asks for consent."""
    assert Reason.NOT_ROUTED is skipped_by(event("DENIED"), destination(rule=rule(kinds="lead")))
    assert Reason.CONSENT_DENIED is skipped_by(event("DENIED"), destination(rule=rule(kinds="order")))


def test_unknown_place_is_in_no_country() -> None:
    """A rule about countries does not want an event from nowhere."""
    lost = event()
    lost.body["customer"]["country"] = None

    assert Reason.NOT_ROUTED is skipped_by(lost, destination(rule=rule(countries="DE")))
