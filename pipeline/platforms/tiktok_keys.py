"""TikTok's match keys: which field of the event becomes which key of `user`, by which rule.

Sources: Events API 2.0, "parameters", as others copied it (read 2026-11); `docs/normalization.md` and
`docs/platforms/tiktok.md` say what was decided where it is silent.
TikTok takes place names clear, everything else that names a person hashed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from pipeline.core.identify import MatchTable
from pipeline.core.match_key import Form, Local, MatchKey, Plain
from pipeline.core.normalize import network, person, place
from pipeline.core.normalize.email import email
from pipeline.core.normalize.phone import phone_with_plus
from pipeline.platforms.external_ids import ExternalIds, rule_of

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
    MatchKey("ttclid", "touch.ttclid", Plain(network.opaque_id_in_clear), Form.CLEAR),
    MatchKey("ttp", "touch.ttp", Plain(network.opaque_id_in_clear), Form.CLEAR),
)
_VENDOR: Final = (MatchKey("idfv", "app.vendor_id", Plain(network.device_id_in_capitals), Form.CLEAR),)
_IOS: Final = (
    MatchKey("idfa", "app.advertising_id", Plain(network.device_id_in_capitals), Form.HASHED),
    *_VENDOR,
)
_ANDROID: Final = (MatchKey("gaid", "app.advertising_id", Plain(network.device_id), Form.HASHED),)
_LEAD: Final = (MatchKey("lead_id", "tiktok_lead_id", Plain(network.opaque_id_in_clear), Form.CLEAR),)

Beside = Literal["IOS", "ANDROID", "IOS untracked", "ANDROID untracked", "lead"]
# Who did not allow tracking keeps the advertising id.
BESIDE: Final[Mapping[Beside, tuple[MatchKey, ...]]] = {
    "IOS": _IOS,
    "ANDROID": _ANDROID,
    "IOS untracked": _VENDOR,
    "ANDROID untracked": (),
    "lead": _LEAD,
}


def _customer(external_ids: ExternalIds) -> tuple[MatchKey, ...]:
    return (*_CUSTOMER, MatchKey("external_id", "customer.external_ids", rule_of(external_ids)))


def match_table(external_ids: ExternalIds = "as-written", beside: Beside | None = None) -> MatchTable:
    """Compile the table for visits and stores, or with the keys beside those of one system's apps, or of CRM leads.

    Make each once per destination.
    """
    return MatchTable((*_customer(external_ids), *_VISIT, *(BESIDE[beside] if beside else ())))


TIKTOK_KEYS: Final = (*_customer("as-written"), *_VISIT, *_IOS, *_ANDROID, *_LEAD)
"""Every row that TikTok names and the event contract carries, with the default transform of external ids."""

# Any one of these finds a person, and so do an address of the network and a browser together.
STRONG: Final = frozenset({"email", "phone", "external_id", "ttclid", "ttp", "idfa", "idfv", "gaid"})
STRONG_TOGETHER: Final = frozenset({"ip", "user_agent"})
# postback-help page: what a lead from a CRM is matched by.
STRONG_IN_CRM: Final = frozenset({"email", "phone", "lead_id"})

# Our estimate of what each key adds to a match, as TikTok publishes no figures: the keys of a visit make 10, and those
# of a device or a lead stand in where there is no cookie.
WEIGHTS: Final = {
    "email": 2.5,
    "phone": 2.0,
    "ttclid": 2.0,
    "external_id": 1.0,
    "ttp": 1.0,
    "ip": 0.5,
    "user_agent": 0.3,
    "first_name": 0.2,
    "last_name": 0.2,
    "zip_code": 0.2,
    "locale": 0.1,
    "lead_id": 4.0,
    "idfa": 2.5,
    "gaid": 2.5,
    "idfv": 0.5,
}
