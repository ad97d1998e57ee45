"""Consent decides first."""

from __future__ import annotations

from typing import cast

import pytest
from avro_events import full_order

from pipeline.core.consent import DECISIONS, EEA, SKIPPED, ConsentGate, Decision, place_of
from pipeline.core.contract import Body, ConsentChoice
from pipeline.core.destination import UNKNOWN_CONSENT, ConsentPolicy, Treatment
from pipeline.core.normalize.place import country
from pipeline.core.reason import Reason

DEFAULT = ConsentPolicy()
BOTH = ConsentPolicy(frozenset({"ad_user_data", "ad_personalization"}))
DAY_MS = 86_400_000


def body(
    choice: ConsentChoice = "UNKNOWN",
    *,
    region: str | None = None,
    home: str | None = None,
    personalization: ConsentChoice = "UNKNOWN",
) -> Body:
    """Return an order of a customer who chose `choice` in `region` and lives in `home`."""
    order = full_order()
    order["consent"] |= {"ad_user_data": choice, "ad_personalization": personalization, "region": region}
    order["customer"]["country"] = home
    return cast("Body", order)


def laid_over(**places: Treatment) -> ConsentPolicy:
    """Return the default policy with other treatments for some places; `_` stands for `-`."""
    return ConsentPolicy(unknown={**UNKNOWN_CONSENT, **{name.replace("_", "-"): each for name, each in places.items()}})


@pytest.mark.parametrize("unknown", [{}, {"*": "send", "nowhere": "send"}, UNKNOWN_CONSENT])
@pytest.mark.parametrize(("choice", "expected"), [("GRANTED", "granted"), ("DENIED", "denied")])
def test_choice_decides(choice: ConsentChoice, unknown: dict[str, Treatment], expected: Decision) -> None:
    """A recorded choice holds under every policy, wherever the customer is."""
    assert expected == ConsentGate(ConsentPolicy(unknown=unknown)).decide(body(choice, region="DE"))


@pytest.mark.parametrize(
    ("policy", "region", "home", "sent"),
    [
        (DEFAULT, "US", None, True),
        (DEFAULT, None, "US", True),
        (DEFAULT, "US-CA", "DE", True),
        (DEFAULT, "DE-BY", "US", False),
        (DEFAULT, "NO", None, False),
        (DEFAULT, "GB", None, False),
        (DEFAULT, "UK", None, False),
        (DEFAULT, None, "ch", False),
        (DEFAULT, "RE", None, False),
        (DEFAULT, None, None, False),
        (DEFAULT, "nowhere", None, False),
        (laid_over(US_CA="skip"), "US-CA", None, False),
        (laid_over(US_CA="skip"), "us - ca", None, False),
        (laid_over(US_CA="skip"), "US-NY", None, True),
        (laid_over(US_CA="skip"), "US", None, True),
        (laid_over(US="skip", US_CA="send"), "US-CA", None, True),
        (laid_over(US="skip", US_CA="send"), "US-NY", None, False),
        (laid_over(DE="send"), "DE", None, True),
        (laid_over(DE="send"), "DE-BY", None, True),
        (laid_over(DE="send"), "FR", None, False),
        (laid_over(EEA="send"), "FR", None, True),
        (laid_over(EEA="send"), "GB", None, False),
        (laid_over(EEA="send", FR="skip"), "FR", None, False),
        (laid_over(nowhere="send"), None, None, True),
        (laid_over(nowhere="send"), "DE", None, False),
        (ConsentPolicy(unknown={**UNKNOWN_CONSENT, "*": "skip"}), "US", None, False),
        (ConsentPolicy(unknown={}), "US", None, False),
        (ConsentPolicy(unknown={"*": "send"}), "DE", None, True),
        (ConsentPolicy(unknown={"*": "send"}), None, None, False),
    ],
)
def test_unknown_choice(policy: ConsentPolicy, region: str | None, home: str | None, sent: bool) -> None:
    """Without a choice the most specific place of the policy decides; in doubt nothing is sent."""
    expected = "unknown_sent" if sent else "unknown_skipped"

    assert expected == ConsentGate(policy).decide(body(region=region, home=home))


def test_refused_personalization_alone_stops_nothing() -> None:
    """Who allows the use of data and no personalization is sent, with the flag."""
    assert "granted" == ConsentGate(DEFAULT).decide(body("GRANTED", personalization="DENIED"))


@pytest.mark.parametrize(
    ("data", "personalization", "expected"),
    [
        ("GRANTED", "GRANTED", "granted"),
        ("GRANTED", "DENIED", "denied"),
        ("DENIED", "GRANTED", "denied"),
        ("UNKNOWN", "DENIED", "denied"),
        ("DENIED", "UNKNOWN", "denied"),
        ("GRANTED", "UNKNOWN", "unknown_skipped"),
        ("UNKNOWN", "GRANTED", "unknown_skipped"),
    ],
)
def test_every_named_purpose_is_needed(data: ConsentChoice, personalization: ConsentChoice, expected: Decision) -> None:
    """A refusal of any purpose is one of all, and what is not granted is not known."""
    assert expected == ConsentGate(BOTH).decide(body(data, region="DE", personalization=personalization))


@pytest.mark.parametrize(
    ("days", "age_ms", "region", "expected"),
    [
        (30, 30 * DAY_MS, "DE", "granted"),
        (30, 30 * DAY_MS + 1, "DE", "expired_skipped"),
        (30, 30 * DAY_MS + 1, "US", "unknown_sent"),
        (30, -365 * DAY_MS, "DE", "granted"),
        (30, None, "DE", "granted"),
        (None, 9_000 * DAY_MS, "DE", "granted"),
    ],
)
def test_a_grant_expires(days: int | None, age_ms: int | None, region: str, expected: Decision) -> None:
    """A grant that is too old for the policy is as none; one without a time, or after the event, is as good as new."""
    order = body("GRANTED", region=region)
    order["consent"]["recorded_at"] = None if age_ms is None else order["occurred_at"] - age_ms

    assert expected == ConsentGate(ConsentPolicy(expires_after_days=days)).decide(order)


def test_a_refusal_does_not_expire() -> None:
    """Who refused long ago is not sent, wherever that was."""
    order = body("DENIED", region="US")
    order["consent"]["recorded_at"] = 0

    assert "denied" == ConsentGate(ConsentPolicy(expires_after_days=1)).decide(order)


@pytest.mark.parametrize(
    ("policy", "order", "expected"),
    [
        (DEFAULT, body("GRANTED"), ""),
        (BOTH, body("GRANTED", personalization="DENIED"), "consent: `ad_personalization` was denied"),
        (
            BOTH,
            body("GRANTED", region="DE"),
            "consent: no choice on `ad_personalization` is recorded, and `unknown` says skip for the place",
        ),
        (
            DEFAULT,
            body(),
            "consent: no choice on `ad_user_data` is recorded, and `unknown` says skip for a place that is not known",
        ),
        (
            DEFAULT,
            body(region="US-CA"),
            "consent: no choice on `ad_user_data` is recorded, and `unknown` says send for the place",
        ),
        (
            ConsentPolicy(expires_after_days=1),
            body("GRANTED", home="DE") | {"occurred_at": 1_800_000_000_000},
            "consent: the recorded choice is too old, and `unknown` says skip for the place",
        ),
    ],
)
def test_decisions_have_words(policy: ConsentPolicy, order: Body, expected: str) -> None:
    """People are told which choice is missing or refused, and never where the customer is."""
    assert expected == ConsentGate(policy).words(order)


def test_every_decision_ends_somewhere() -> None:
    """What is not sent has a reason of its own."""
    assert {"granted", "unknown_sent"} == set(DECISIONS) - set(SKIPPED)
    assert {
        "denied": Reason.CONSENT_DENIED,
        "unknown_skipped": Reason.CONSENT_UNKNOWN,
        "expired_skipped": Reason.CONSENT_EXPIRED,
    } == {decision: skipped.reason for decision, skipped in SKIPPED.items()}


@pytest.mark.parametrize(
    ("region", "home", "expected"),
    [("GB-LND", "US", "gb"), (None, "Germany", "de"), ("XX", "FR", "fr"), (None, None, None), ("", "", None)],
)
def test_place(region: str | None, home: str | None, expected: str | None) -> None:
    """The place is where consent was asked, else where the customer lives, else not known."""
    assert expected == place_of(body(region=region, home=home))


def test_the_group_is_the_economic_area() -> None:
    """It is the 27 of the Union and the three others, with the seven codes of territories within it."""
    assert 30 + 7 == len(EEA)
    assert {"is", "li", "no"} < EEA
    assert EEA.isdisjoint({"gb", "ch", "us"})
    assert EEA == {country(code) for code in EEA}
