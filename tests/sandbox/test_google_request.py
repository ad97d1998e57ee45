"""Google's rules for the envelope and the destinations, and who is who among the events."""

from __future__ import annotations

import pytest
from google_calls import DESTINATION, EVENT, NOW, changed, order, request

from pipeline.sandbox.google_request import destination_flaws, pairs, request_flaws, sighting

ACCOUNT = "destinations.0.operatingAccount"
PLACE = "destinations[0].operating_account"


def flaws(document: dict[str, object]) -> list[tuple[str, str]]:
    """Return place and reason of everything that is wrong with a request."""
    found = [*destination_flaws(document), *request_flaws(document, NOW, with_events=True)]
    return [(flaw.path, flaw.reason) for flaw in found]


def test_valid_request() -> None:
    """A complete request is taken."""
    assert [] == flaws(request(EVENT))


@pytest.mark.parametrize(
    ("place", "value", "path", "reason"),
    [
        ("destinations", ..., "destinations", "REQUIRED_FIELD_MISSING"),
        ("destinations", [], "destinations", "REQUIRED_FIELD_MISSING"),
        ("destinations", {}, "destinations", "INVALID_FORMAT"),
        ("destinations", [DESTINATION] * 11, "destinations", "TOO_MANY_DESTINATIONS"),
        (ACCOUNT, ..., PLACE, "REQUIRED_FIELD_MISSING"),
        (ACCOUNT + ".accountId", "123-456-7890", PLACE + ".account_id", "INVALID_NUMBER_FORMAT"),
        (ACCOUNT + ".accountId", 1234567890, PLACE + ".account_id", "INVALID_NUMBER_FORMAT"),
        (ACCOUNT + ".accountId", "123456789", PLACE + ".account_id", "INVALID_NUMBER_FORMAT"),
        (ACCOUNT + ".accountType", "ADS", PLACE + ".account_type", "INVALID_ENUM_VALUE"),
        (ACCOUNT + ".accountType", ..., PLACE + ".account_type", "REQUIRED_FIELD_MISSING"),
        (ACCOUNT + ".product", "GOOGLE_ADS", PLACE, "INVALID_FORMAT"),
        (
            "destinations.0.loginAccount.accountId",
            "AW-123",
            "destinations[0].login_account.account_id",
            "INVALID_NUMBER_FORMAT",
        ),
        ("destinations.0.linkedAccount", {}, "destinations[0]", "INVALID_FORMAT"),
        (
            "destinations.0.productDestinationId",
            ...,
            "destinations[0].product_destination_id",
            "REQUIRED_FIELD_MISSING",
        ),
        (
            "destinations.0.productDestinationId",
            "customers/1/conversionActions/2",
            "destinations[0].product_destination_id",
            "INVALID_CONVERSION_ACTION_ID",
        ),
        ("events", ..., "events", "REQUIRED_FIELD_MISSING"),
        ("events", [], "events", "REQUIRED_FIELD_MISSING"),
        ("events", {}, "events", "REQUIRED_FIELD_MISSING"),
        ("encoding", ..., "encoding", "REQUIRED_FIELD_MISSING"),
        ("encoding", "hex", "encoding", "INVALID_ENUM_VALUE"),
        ("consent", {"adUserData": "YES"}, "consent.ad_user_data", "INVALID_ENUM_VALUE"),
        ("validateOnly", "true", "validate_only", "INVALID_FORMAT"),
        ("encryptionInfo", {}, "", "INVALID_FORMAT"),
        ("login_customer_id", "1", "", "INVALID_FORMAT"),
    ],
)
def test_wrong_requests(place: str, value: object, path: str, reason: str) -> None:
    """What is wrong with the envelope or a destination is named without the doubled prefix of events."""
    assert [(path, reason)] == flaws(changed(request(EVENT), place, value))


def test_encoding_without_user_data() -> None:
    """Only user data needs an encoding."""
    document = changed(request(changed(EVENT, "userData", ...)), "encoding", ...)

    assert [] == flaws(document)


def test_event_limit() -> None:
    """A request holds at most 2,000 events."""
    assert [] == flaws(request(*[EVENT] * 2000))
    assert [("events", "TOO_MANY_EVENTS")] == flaws(request(*[EVENT] * 2001))


def test_references_differ() -> None:
    """Two destinations of a request cannot have one reference."""
    twice = [{**DESTINATION, "reference": "main"}] * 2

    assert [("destinations", "DUPLICATE_DESTINATION_REFERENCE")] == flaws(request(EVENT, destinations=twice))


def test_pairs() -> None:
    """An event goes to the destinations that it names; one that names none, or an empty list, goes to all."""
    destinations = [{**DESTINATION, "reference": name} for name in ("a", "b")]
    events = [order("1"), order("2", destinationReferences=["b"]), order("3", destinationReferences=[])]

    assert [(0, 0), (0, 1), (1, 1), (2, 0), (2, 1)] == list(pairs(request(*events, destinations=destinations)))


@pytest.mark.parametrize(
    ("event", "action", "same"),
    [
        (order("ORD-1"), "987654321", True),
        (order("ORD-2"), "987654321", False),
        (order("ORD-1", conversionValue=20), "987654321", False),
        (order("ORD-1"), "555", False),
    ],
)
def test_identity(event: dict[str, object], action: str, same: object) -> None:
    """The same bytes at the same conversion action are the same event; other bytes restate it."""
    destination = {**DESTINATION, "productDestinationId": action}

    assert same is (sighting(DESTINATION, EVENT).key == sighting(destination, event).key)


def test_sighting() -> None:
    """The journal keeps the transaction id as event id, the conversion action as name, and the time in seconds."""
    seen = sighting(DESTINATION, EVENT)

    assert ("ORD-1", "987654321", int(NOW) - 60) == (seen.event_id, seen.event_name, seen.event_time)
