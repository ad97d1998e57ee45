"""Consent decides first: whether an event may go to an advertising platform at all.

What counts is the customer's choice on the use of data for advertising (`ad_user_data`).
A refused personalization alone does not stop an event: platforms that can take it as a flag get the flag.
Nothing is parked for later sending: an event that may not go now is settled as skipped.
"""

from __future__ import annotations

from pipeline.core.contract import Body
from pipeline.core.destination import UnknownConsent
from pipeline.core.normalize.place import country
from pipeline.core.reason import Reason

# ISO 3166-1 alpha-2 in lower case: the European Economic Area, the United Kingdom and Switzerland.
ASK_FIRST = frozenset(
    "at be bg hr cy cz dk ee fi fr de gr hu ie it lv lt lu mt nl pl pt ro sk si es se is li no gb ch".split()
)


def refused_by_consent(body: Body, policy: UnknownConsent) -> Reason | None:
    """Return why the event may not go, or None when it may.

    Under `skip-in-eea` an unknown choice goes only where the place is known and asks for no prior consent.
    """
    choice = body["consent"]["ad_user_data"]
    if choice == "GRANTED":
        return None
    if choice == "DENIED":
        return Reason.CONSENT_DENIED
    if policy == "send":
        return None
    place = None if policy == "skip" else place_of(body)
    return Reason.CONSENT_UNKNOWN if place is None or place in ASK_FIRST else None


def place_of(body: Body) -> str | None:
    """Return the country whose rules apply, alpha-2 in lower case: where consent was asked, else where they live."""
    region = body["consent"]["region"]
    asked = country(region.partition("-")[0]) if region else None
    if asked is not None:
        return asked
    home = body["customer"]["country"]
    return country(home) if home else None
