"""What a platform holds of an event, read from its own form."""

from __future__ import annotations

import pytest

from pipeline.demo.arrivals import Json, arrival
from pipeline.demo.balance import Seen

HASH = "ab" * 32
PAYLOADS: dict[str, tuple[Json, set[str]]] = {
    "meta": (
        {"user_data": {"em": [HASH], "fbp": "x"}, "custom_data": {"value": 9.9, "currency": "EUR"}},
        {"em", "fbp"},
    ),
    "google": (
        {
            "conversionValue": 9.9,
            "currency": "EUR",
            "userData": {"userIdentifiers": [{"emailAddress": HASH}, {"address": {"givenName": HASH}}]},
            "adIdentifiers": {"gclid": "x"},
            "eventDeviceInfo": {"userAgent": "x"},
        },
        {"emailAddress", "address", "gclid", "userAgent"},
    ),
    "tiktok": ({"user": {"email": [HASH]}, "properties": {"value": 9.9, "currency": "EUR"}}, {"email"}),
    "pinterest": ({"user_data": {"em": [HASH]}, "custom_data": {"value": "9.90", "currency": "EUR"}}, {"em"}),
    "snapchat": ({"user_data": {"em": HASH}, "custom_data": {"value": 9.9, "currency": "EUR"}}, {"em"}),
}


def line(platform: str) -> Json:
    """Return a line of the journal."""
    return {"platform": platform, "dataset": "1", "event_id": "A-1", "event_name": "Purchase", "event_time": 1000}


@pytest.mark.parametrize("platform", PAYLOADS)
def test_read(platform: str) -> None:
    """Value, currency, hashes and match keys are found wherever the platform keeps them."""
    payload, keys = PAYLOADS[platform]
    found = arrival(line(platform), payload)

    assert (platform, "1", Seen("A-1", "Purchase", 1000, "9.9 EUR")) == (found.platform, found.account, found.seen)
    assert ((HASH,), keys) == (found.emails, found.match_keys)


@pytest.mark.parametrize("platform", PAYLOADS)
def test_bare(platform: str) -> None:
    """An event without value and without an e-mail is read, too."""
    found = arrival(line(platform), {})

    assert ("", (), frozenset()) == (found.seen.worth, found.emails, found.match_keys)
