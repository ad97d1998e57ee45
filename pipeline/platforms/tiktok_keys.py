"""TikTok's match keys: which field of the event becomes which key of `user`, by which rule.

Sources: Events API 2.0, "parameters", as others copied it (read 2026-11); `docs/normalization.md` and
`docs/platforms/tiktok.md` say what was decided where it is silent.
TikTok takes place names clear, everything else that names a person hashed.
"""

from __future__ import annotations

from typing import Final, Literal

from pipeline.core.identify import MatchTable
from pipeline.core.match_key import Form, Local, MatchKey, Plain
from pipeline.core.normalize import network, person, place
from pipeline.core.normalize.email import email
from pipeline.core.normalize.identifier import external_id, external_id_as_written
from pipeline.core.normalize.phone import phone_with_plus

ExternalIds = Literal["folded", "as-written"]
"""What the pixel sends as `external_id`: without white space and in lower case, or as the shop wrote it."""

_CUSTOMER: Final = (
    MatchKey("email", "customer.emails", Plain(email)),
    MatchKey("phone", "customer.phones", Local(phone_with_plus)),
    MatchKey("first_name", "customer.first_name", Plain(person.name), Form.HASHED),
    MatchKey("last_name", "customer.last_name", Plain(person.name), Form.HASHED),
    MatchKey("city", "customer.city", Plain(place.city_in_clear), Form.CLEAR, remember=8_192),
    MatchKey("state", "customer.region", Local(place.region_in_clear), Form.CLEAR, remember=4_096),
    MatchKey("zip_code", "customer.postal_code", Local(place.postal_code), Form.HASHED, remember=8_192),
    MatchKey("country", "customer.country", Plain(place.country), Form.CLEAR, remember=1_024),
)
_VISIT: Final = (
    MatchKey("ip", "touch.client_ipv6", Plain(network.client_ip), Form.CLEAR),
    MatchKey("ip", "touch.client_ip", Plain(network.client_ip), Form.CLEAR),
    MatchKey("user_agent", "touch.user_agent", Plain(network.user_agent), Form.CLEAR),
    MatchKey("locale", "touch.language", Plain(network.language_tag), Form.CLEAR),
    MatchKey("ttclid", "touch.ttclid", Plain(network.opaque_id), Form.CLEAR),
    MatchKey("ttp", "touch.ttp", Plain(network.opaque_id), Form.CLEAR),
)
_IOS: Final = (
    MatchKey("idfa", "app.advertising_id", Plain(network.device_id_in_capitals), Form.HASHED),
    MatchKey("idfv", "app.vendor_id", Plain(network.device_id_in_capitals), Form.CLEAR),
)
_ANDROID: Final = (MatchKey("gaid", "app.advertising_id", Plain(network.device_id), Form.HASHED),)
_LEAD: Final = (MatchKey("lead_id", "tiktok_lead_id", Plain(network.opaque_id), Form.CLEAR),)


def _customer(external_ids: ExternalIds) -> tuple[MatchKey, ...]:
    rule = external_id if external_ids == "folded" else external_id_as_written
    return (*_CUSTOMER, MatchKey("external_id", "customer.external_ids", Plain(rule)))


def visit_keys(external_ids: ExternalIds = "as-written") -> MatchTable:
    """Compile the table for events of the web and of stores. Make it once per destination."""
    return MatchTable((*_customer(external_ids), *_VISIT))


def ios_keys(external_ids: ExternalIds = "as-written") -> MatchTable:
    """Compile the table for events in an app on iOS: as for visits, and the device's ids."""
    return MatchTable((*_customer(external_ids), *_VISIT, *_IOS))


def android_keys(external_ids: ExternalIds = "as-written") -> MatchTable:
    """Compile the table for events in an app on Android: as for visits, and the device's advertising id."""
    return MatchTable((*_customer(external_ids), *_VISIT, *_ANDROID))


def lead_keys(external_ids: ExternalIds = "as-written") -> MatchTable:
    """Compile the table for leads from a CRM: as for visits, and TikTok's id of the lead, which stands outside `user`."""
    return MatchTable((*_customer(external_ids), *_VISIT, *_LEAD))


TIKTOK_KEYS: Final = (*_customer("as-written"), *_VISIT, *_IOS, *_ANDROID, *_LEAD)
"""Every row that TikTok names and the event contract carries, with the default transform of external ids."""

# A person is looked for by one of these; names, places, browser and language only narrow the search.
STRONG: Final = frozenset({"email", "phone", "external_id", "ip", "ttclid", "ttp", "idfa", "idfv", "gaid", "lead_id"})
# postback-help page: what a lead from a CRM is matched by.
STRONG_IN_CRM: Final = frozenset({"email", "phone", "lead_id"})

# Our estimate of what each key adds to a match; 10 in sum. TikTok publishes no figures.
WEIGHTS: Final = {
    "email": 2.0,
    "phone": 2.0,
    "ttclid": 1.5,
    "external_id": 1.0,
    "ttp": 1.0,
    "lead_id": 0.5,
    "idfa": 0.5,
    "gaid": 0.5,
    "ip": 0.4,
    "user_agent": 0.2,
    "first_name": 0.1,
    "last_name": 0.1,
    "zip_code": 0.1,
    "idfv": 0.05,
    "locale": 0.05,
}
