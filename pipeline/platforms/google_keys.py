"""Google's match keys: which field of the event identifies the customer or the click, by which rule.

Source: Data Manager API, "format user data" and the reference of `Event`, as of 2026-11; where it is silent or
contradicts its own utilities, `docs/platforms/google.md` says what was decided and why.
The names are those of Google's JSON. What is hashed stands in `userData`, click ids in `adIdentifiers`, the device in
`eventDeviceInfo`.
"""

from __future__ import annotations

from typing import Final

from pipeline.core.identify import MatchTable
from pipeline.core.match_key import Form, Local, MatchKey, Plain
from pipeline.core.normalize import network, person, place
from pipeline.core.normalize.email import email_without_gmail_aliases
from pipeline.core.normalize.phone import phone_with_plus

_CUSTOMER: Final = (
    MatchKey("emailAddress", "customer.emails", Plain(email_without_gmail_aliases)),
    MatchKey("phoneNumber", "customer.phones", Local(phone_with_plus)),
    MatchKey("givenName", "customer.first_name", Plain(person.name_without_titles), Form.HASHED),
    MatchKey("familyName", "customer.last_name", Plain(person.name_without_titles), Form.HASHED),
    MatchKey("regionCode", "customer.country", Plain(place.country_in_capitals), Form.CLEAR, remember=1_024),
    MatchKey("postalCode", "customer.postal_code", Local(place.postal_code_as_written), Form.CLEAR, remember=8_192),
)
_CLICK: Final = (
    MatchKey("gclid", "touch.gclid", Plain(network.google_click_id), Form.CLEAR),
    MatchKey("wbraid", "touch.wbraid", Plain(network.google_click_id), Form.CLEAR),
    MatchKey("gbraid", "touch.gbraid", Plain(network.google_click_id), Form.CLEAR),
    MatchKey("sessionAttributes", "touch.gad_session_attributes", Plain(network.opaque_id_in_clear), Form.CLEAR),
)
_DEVICE: Final = (MatchKey("userAgent", "touch.user_agent", Plain(network.user_agent), Form.CLEAR),)
_ADDRESS: Final = (
    MatchKey("ipAddress", "touch.client_ipv6", Plain(network.client_ip), Form.CLEAR),
    MatchKey("ipAddress", "touch.client_ip", Plain(network.client_ip), Form.CLEAR),
)
_LEAD: Final = (MatchKey("leadId", "google_lead_id", Plain(network.opaque_id_in_clear), Form.CLEAR),)

CLICK_IDS: Final = ("gclid", "wbraid", "gbraid")
"""One of them is sent, the first that is there: Google takes one, and calls the others unused."""

POSTAL_ADDRESS: Final = ("givenName", "familyName", "regionCode", "postalCode")
"""They are one identifier, `address`, and only together."""

GOOGLE_KEYS: Final = (*_CUSTOMER, *_CLICK, *_DEVICE, *_ADDRESS, *_LEAD)
"""Every row that is ever read."""

# Ours, not Google's: its pages say that a click id and hashed data go well together, and give no figures.
WEIGHTS: Final = {
    "gclid": 4.0,
    "wbraid": 3.0,
    "gbraid": 3.0,
    "emailAddress": 3.0,
    "phoneNumber": 2.0,
    "address": 1.0,
    "sessionAttributes": 0.5,
    "leadId": 0.5,
    "ipAddress": 0.25,
    "userAgent": 0.25,
}


def match_table(*, lead: bool, ip: bool) -> MatchTable:
    """Compile the table for leads or for anything else, with or without the visitor's IP address.

    Make each once per destination.
    """
    return MatchTable((*_CUSTOMER, *_CLICK, *_DEVICE, *(_ADDRESS if ip else ()), *(_LEAD if lead else ())))
