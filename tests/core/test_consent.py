"""Consent decides first."""

from __future__ import annotations

from typing import cast

import pytest
from avro_events import full_order

from pipeline.core.consent import ASK_FIRST, place_of, refused_by_consent
from pipeline.core.contract import Body, ConsentChoice
from pipeline.core.destination import UnknownConsent
from pipeline.core.reason import Reason


def body(choice: ConsentChoice = "UNKNOWN", *, region: str | None = None, home: str | None = None) -> Body:
    """Return an order of a customer who chose `choice` in `region` and lives in `home`."""
    order = full_order()
    order["consent"] |= {"ad_user_data": choice, "region": region}
    order["customer"]["country"] = home
    return cast("Body", order)


@pytest.mark.parametrize("policy", ["skip-in-eea", "skip", "send"])
@pytest.mark.parametrize(("choice", "expected"), [("GRANTED", None), ("DENIED", Reason.CONSENT_DENIED)])
def test_choice_decides(choice: ConsentChoice, policy: UnknownConsent, expected: Reason | None) -> None:
    """A recorded choice holds under every policy, wherever the customer is."""
    assert expected is refused_by_consent(body(choice, region="DE"), policy)


@pytest.mark.parametrize(
    ("policy", "region", "home", "allowed"),
    [
        ("send", "DE", None, True),
        ("skip", "US", "US", False),
        ("skip-in-eea", "US", None, True),
        ("skip-in-eea", None, "US", True),
        ("skip-in-eea", "US-CA", "DE", True),
        ("skip-in-eea", "DE-BY", "US", False),
        ("skip-in-eea", None, "ch", False),
        ("skip-in-eea", None, None, False),
        ("skip-in-eea", "nowhere", None, False),
    ],
)
def test_unknown_choice(policy: UnknownConsent, region: str | None, home: str | None, allowed: bool) -> None:
    """Without a choice the policy decides; in doubt about the place nothing is sent."""
    expected = None if allowed else Reason.CONSENT_UNKNOWN

    assert expected is refused_by_consent(body(region=region, home=home), policy)


def test_refused_personalization_alone_stops_nothing() -> None:
    """Who allows the use of data and no personalization is sent, with the flag."""
    order = body("GRANTED")
    order["consent"]["ad_personalization"] = "DENIED"

    assert refused_by_consent(order, "skip") is None


@pytest.mark.parametrize(
    ("region", "home", "expected"),
    [("GB-LND", "US", "gb"), (None, "Germany", "de"), ("XX", "FR", "fr"), (None, None, None), ("", "", None)],
)
def test_place(region: str | None, home: str | None, expected: str | None) -> None:
    """The place is where consent was asked, else where the customer lives, else not known."""
    assert expected == place_of(body(region=region, home=home))


def test_asks_first_in_thirty_two_countries() -> None:
    """The list is the 27 of the Union, the three others of the EEA, the United Kingdom and Switzerland."""
    assert 32 == len(ASK_FIRST)
    assert {"is", "li", "no", "gb", "ch"} < ASK_FIRST
