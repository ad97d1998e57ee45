"""Events for Google's tests, and what Google's code makes of them."""

from __future__ import annotations

from typing import Any

import orjson

from pipeline.core.destination import ConsentPolicy, Destination, Mode, Rule
from pipeline.core.model import Event, Refusal, Shaped, Skipped
from pipeline.core.reason import Reason
from pipeline.platforms.google import DEFAULTS, Google
from pipeline.platforms.google_options import GoogleOptions

ACCOUNT = "123-456-7890"
MANAGER = "111-222-3334"
ORDERS, LEADS, CARTS = "987654321", "987654322", "987654323"
ACTIONS = {"order_placed": ORDERS, "lead_submitted": LEADS, "add_to_cart": CARTS}
SECRETS = {"token": "ya29.token"}
# A person whom every key names, in the words of the reference page's own examples.
EVERYBODY = {
    "customer.emails": ["  ALEXZ@example.com ", "Cloudy.SanFrancisco+shopping@gmail.com"],
    "customer.phones": ["+1 (800) 555-0100"],
    "customer.first_name": " Mrs. Dana ",
    "customer.last_name": "Quinn, Jr., DDS",
    "customer.country": "us",
    "customer.postal_code": " 94045 ",
}
NOBODY = {
    "customer": {},
    "touch.gclid": None,
    "touch.client_ip": "203.0.113.7",
}


def options(**changes: Any) -> GoogleOptions:  # noqa: ANN401 - the options' own types check them
    """Return options with the actions of these tests."""
    return GoogleOptions(**{"conversion_actions": ACTIONS, **changes})


def google(given: GoogleOptions | None = None, *, mode: Mode = "live", account: str = ACCOUNT) -> Google:
    """Open a Google destination."""
    return Google(
        Destination(
            name=f"google-{account}",
            platform="google",
            account=account,
            mode=mode,
            rule=Rule(),
            consent=ConsentPolicy(),
            limits=DEFAULTS,
            secrets={"service_account": "google_key"},
            options=given or options(),
        )
    )


def shape(event: Event, **changes: Any) -> Shaped | Skipped | Refusal:  # noqa: ANN401 - see `options`
    """Put an event into Google's words."""
    return google(options(**changes)).shape(event)


def shaped(event: Event, **changes: Any) -> Shaped:  # noqa: ANN401 - see `options`
    """Put an event that is to be sent into Google's words."""
    found = shape(event, **changes)
    assert isinstance(found, Shaped), found
    return found


def sent(event: Event, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - see `options`
    """Return what would be sent of an event, read back as JSON."""
    document: dict[str, Any] = orjson.loads(shaped(event, **changes).payload)
    return document


def refusal(found: Shaped | Skipped | Refusal) -> tuple[Reason, str]:
    """Return reason and detail of a refusal."""
    assert isinstance(found, Refusal), found
    return found.reason, found.detail


def identifiers(event: Event, **changes: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - see `options`
    """Return the identifiers of the person that would be sent."""
    found: list[dict[str, Any]] = sent(event, **changes).get("userData", {}).get("userIdentifiers", [])
    return found
