"""Which events a destination wants, and why it does not want the others."""

from __future__ import annotations

from dataclasses import fields
from typing import cast

import pytest
from avro_events import full_order
from hypothesis import given
from hypothesis import strategies as st
from toy import destination

from pipeline.core.contract import Body, ConsentChoice
from pipeline.core.destination import Rule, Slice
from pipeline.core.model import Event
from pipeline.core.route import Route, position

ALL = Rule(
    frozenset({"order"}),
    frozenset({"order_placed"}),
    frozenset({"web-de", "web-at"}),
    frozenset({"north"}),
    frozenset({"DE"}),
    frozenset({"NEW"}),
    Slice(0, 100),
)
NONE = Rule(
    frozenset({"lead"}),
    frozenset({"order_refunded"}),
    frozenset({"web-fr", "web-at"}),
    frozenset({"south"}),
    frozenset({"FR", "AT"}),
    frozenset({"RETURNING"}),
    Slice(0, 5),
)
# The order `A-1` of these tests lies at 73.56 %.
OWN_ID = "A-1"


def event(choice: ConsentChoice = "GRANTED", own_id: str = OWN_ID, name: str = "order_placed") -> Event:
    """Return an order of a new German customer, placed in the store `web-de` of the brand `north`."""
    order = full_order() | {"order_id": own_id, "store": "web-de", "brand": "north"}
    order["customer"] |= {"country": "DE", "type": "NEW"}
    order["consent"] |= {"ad_user_data": choice, "region": None}
    return Event("order", name, "1", 0.0, cast("Body", order), "bundled")


def part(rule: Rule, name: str) -> Rule:
    """Return a rule that has nothing but this part of another."""
    return Rule(**{name: getattr(rule, name)})


def route(rule: Rule) -> Route:
    """Return the way to a destination with this rule."""
    return Route(destination(rule=rule))


def wants(rule: Rule, given: Event) -> bool:
    """Whether the rule wants the event."""
    return route(rule).decide(given) is not None


@pytest.mark.parametrize("rule", [Rule(), ALL, *(part(ALL, each.name) for each in fields(Rule))])
def test_wanted(rule: Rule) -> None:
    """An event that has everything the rule names goes."""
    assert wants(rule, event())
    assert [] == route(rule).objections(event())


@pytest.mark.parametrize("name", [each.name for each in fields(Rule)])
def test_not_wanted(name: str) -> None:
    """One thing that the rule names and the event has not keeps it away."""
    assert not wants(part(NONE, name), event())
    assert 1 == len(route(part(NONE, name)).objections(event()))


def test_all_objections_are_told() -> None:
    """Every part of the rule that fails is named with what is wanted, and the customer's country is not."""
    assert [
        "kind: `order` is not among lead",
        "event: `order_placed` is not among order_refunded",
        "store: `web-de` is not among web-at, web-fr",
        "brand: `north` is not among south",
        "customer type: `NEW` is not among RETURNING",
        "country: the customer's country is not among AT, FR",
        "share: the event lies at 73.56 %, outside of 0 % to 5 %",
    ] == route(NONE).objections(event())


def test_an_event_of_no_store_is_in_none() -> None:
    """What the event does not say is not among what the rule names."""
    homeless = event()
    homeless.body["store"] = None

    assert ["store: none is not among web-at, web-de"] == route(part(ALL, "stores")).objections(homeless)


def test_rule_comes_first() -> None:
    """Where the rule does not want the event, nobody asks for consent."""
    assert route(part(NONE, "kinds")).decide(event("DENIED")) is None
    assert "denied" == route(part(ALL, "kinds")).decide(event("DENIED"))


def test_unknown_place_is_in_no_country() -> None:
    """A rule about countries does not want an event from nowhere."""
    lost = event()
    lost.body["customer"]["country"] = None

    assert not wants(part(ALL, "countries"), lost)


@given(st.text(max_size=40), st.floats(0, 100, exclude_min=True, exclude_max=True))
def test_two_shares_make_a_whole(own_id: str, cut: float) -> None:
    """Of two shares that meet, exactly one wants an event, whichever it is."""
    both = [wants(Rule(share=Slice(*ends)), event(own_id=own_id)) for ends in ((0.0, cut), (cut, 100.0))]

    assert [False, True] == sorted(both)


def test_a_share_begins_with_its_first_percentage() -> None:
    """An event on the edge belongs to the share that begins there."""
    edge = position(OWN_ID)

    assert [False, True] == [wants(Rule(share=Slice(*ends)), event()) for ends in ((0.0, edge), (edge, 100.0))]


@pytest.mark.parametrize(("own_id", "expected"), [("A-1", 73.5573), ("A-1001", 4.3262), ("L-77", 77.9464)])
def test_positions_never_change(own_id: str, expected: float) -> None:
    """An id lies where it always lay: a canary keeps its events over releases, processes and machines."""
    assert expected == pytest.approx(position(own_id), abs=1e-4)


def test_a_share_is_as_large_as_it_says() -> None:
    """Of many ids in a row a twentieth lies in a twentieth of the traffic."""
    inside = sum(position(f"order-{number}") < 5 for number in range(20_000))

    assert 900 < inside < 1100


def test_a_refund_goes_where_its_order_went() -> None:
    """What lies in a share is the order, so that all its events reach the same destination."""
    half = Rule(share=Slice(0, 50))
    pairs = {
        (wants(half, event(own_id=own_id)), wants(half, event(own_id=own_id, name="order_refunded")))
        for own_id in map(str, range(50))
    }

    assert {(True, True), (False, False)} == pairs
