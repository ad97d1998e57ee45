"""Snapchat's match keys: which field of the event becomes which key of `user_data`, by which rule.

Sources: Conversions API v3, "parameters" and "best practices", as far as they could be read, Snapchat's own SDK, and
code that runs in production elsewhere (read 2026-11); `docs/normalization.md` and `docs/platforms/snapchat.md` say what
was decided where they are silent.
Snapchat takes hashes in lists, but for the external id, and everything else as single values.
"""

from __future__ import annotations

from typing import Final

from pipeline.core.identify import MatchTable
from pipeline.core.match_key import Form, Local, MatchKey, Plain
from pipeline.core.normalize import network, person, place
from pipeline.core.normalize.email import email
from pipeline.core.normalize.phone import phone
from pipeline.platforms.external_ids import ExternalIds, rule_of

_CUSTOMER: Final = (
    MatchKey("em", "customer.emails", Plain(email)),
    MatchKey("ph", "customer.phones", Local(phone)),
    MatchKey("fn", "customer.first_name", Plain(person.name)),
    MatchKey("ln", "customer.last_name", Plain(person.name)),
    MatchKey("ge", "customer.gender", Plain(person.gender), remember=256),
    MatchKey("ct", "customer.city", Plain(place.city), remember=8_192),
    MatchKey("st", "customer.region", Local(place.region), remember=4_096),
    MatchKey("zp", "customer.postal_code", Local(place.postal_code), remember=8_192),
    MatchKey("country", "customer.country", Plain(place.country), remember=1_024),
)
_VISIT: Final = (
    MatchKey("client_ip_address", "touch.client_ipv6", Plain(network.client_ip), Form.CLEAR),
    MatchKey("client_ip_address", "touch.client_ip", Plain(network.client_ip), Form.CLEAR),
    MatchKey("client_user_agent", "touch.user_agent", Plain(network.user_agent), Form.CLEAR),
    MatchKey("sc_click_id", "touch.sc_click_id", Plain(network.opaque_id_in_clear), Form.CLEAR),
    MatchKey("sc_cookie1", "touch.sc_cookie1", Plain(network.opaque_id_in_clear), Form.CLEAR),
)
_DEVICE: Final = (
    MatchKey("madid", "app.advertising_id", Plain(network.device_id), Form.CLEAR),
    MatchKey("idfv", "app.vendor_id", Plain(network.device_id), Form.CLEAR),
)
_LEAD: Final = (MatchKey("lead_id", "snap_lead_id", Plain(network.opaque_id_in_clear), Form.CLEAR),)


def _customer(external_ids: ExternalIds) -> tuple[MatchKey, ...]:
    return (*_CUSTOMER, MatchKey("external_id", "customer.external_ids", rule_of(external_ids), Form.HASHED))


def match_table(external_ids: ExternalIds = "as-written", *, device: bool, lead: bool) -> MatchTable:
    """Compile the table with or without the device's own ids, for leads or for anything else.

    Make each once per destination.
    """
    return MatchTable((*_customer(external_ids), *_VISIT, *(_DEVICE if device else ()), *(_LEAD if lead else ())))


SNAPCHAT_KEYS: Final = (*_customer("as-written"), *_VISIT, *_DEVICE, *_LEAD)
"""Every row that is ever read, with the default transform of external ids."""

# using-the-api page: one of these, or both of the others; `madid` is read in the app only,
# and only where tracking was allowed.
STRONG: Final = frozenset({"em", "ph", "madid"})
STRONG_TOGETHER: Final = frozenset({"client_ip_address", "client_user_agent"})

# Our estimate, as Snapchat publishes no figures: what its match rule names first, then what names a click or a browser,
# then what only narrows the search. The keys of a visit make 10; those of a device or a lead ad stand in for a cookie.
WEIGHTS: Final = {
    "em": 3.0,
    "ph": 2.5,
    "madid": 2.5,
    "lead_id": 2.5,
    "sc_click_id": 1.5,
    "external_id": 0.8,
    "sc_cookie1": 0.8,
    "client_ip_address": 0.4,
    "client_user_agent": 0.3,
    "idfv": 0.5,
    "fn": 0.1,
    "ln": 0.1,
    "ge": 0.1,
    "ct": 0.1,
    "st": 0.1,
    "zp": 0.1,
    "country": 0.1,
}
