"""Meta's match keys: which field of the event becomes which key of `user_data`, by which rule.

Source: Conversions API, "customer information parameters", as of 2026-09-12; where it is silent or contradicts
Meta's own libraries, `docs/normalization.md` says what was decided and why.
Meta takes hashes in lists and everything else as single values.
"""

from __future__ import annotations

from typing import Final

from pipeline.core.identify import MatchTable
from pipeline.core.match_key import Dated, Form, Local, MatchKey, Numeric, Paired, Plain
from pipeline.core.normalize import network, person, place
from pipeline.core.normalize.email import email
from pipeline.core.normalize.phone import phone
from pipeline.platforms.external_ids import ExternalIds, rule_of

_CUSTOMER: Final = (
    MatchKey("em", "customer.emails", Plain(email), built=True),
    MatchKey("ph", "customer.phones", Local(phone), built=True),
    MatchKey("fn", "customer.first_name", Plain(person.name), built=True),
    MatchKey("ln", "customer.last_name", Plain(person.name), built=True),
    MatchKey("db", "customer.birth_date", Dated(person.birth_date), remember=8_192),
    MatchKey("ge", "customer.gender", Plain(person.gender), remember=256, built=True),
    MatchKey("ct", "customer.city", Plain(place.city), remember=8_192, built=True),
    MatchKey("st", "customer.region", Local(place.region), remember=4_096, built=True),
    MatchKey("zp", "customer.postal_code", Local(place.postal_code), remember=8_192, built=True),
    MatchKey("country", "customer.country", Plain(place.country), remember=1_024, built=True),
)
_LOGIN: Final = MatchKey("fb_login_id", "customer.facebook_login_id", Numeric(network.numeric_id), Form.CLEAR)

_VISIT: Final = (
    MatchKey("client_ip_address", "touch.client_ipv6", Plain(network.client_ip_or_built), Form.CLEAR),
    MatchKey("client_ip_address", "touch.client_ip", Plain(network.client_ip_or_built), Form.CLEAR),
    MatchKey("client_user_agent", "touch.user_agent", Plain(network.user_agent), Form.CLEAR),
    MatchKey("fbc", "touch.fbc", Plain(network.fbc), Form.CLEAR),
    MatchKey("fbc", "touch.fbclid", Paired(network.fbc_from_click, "fbclid_seen_at"), Form.CLEAR),
    MatchKey("fbp", "touch.fbp", Plain(network.fbp), Form.CLEAR),
)
_APP: Final = (
    MatchKey("madid", "app.advertising_id", Plain(network.device_id), Form.CLEAR),
    MatchKey("anon_id", "app.anonymous_id", Plain(network.opaque_id), Form.CLEAR),
)
_MESSAGING: Final = (
    MatchKey("page_id", "messaging.page_id", Plain(network.digits_id), Form.CLEAR),
    MatchKey("page_scoped_user_id", "messaging.page_scoped_user_id", Plain(network.digits_id), Form.CLEAR),
    MatchKey("ig_account_id", "messaging.instagram_account_id", Plain(network.digits_id), Form.CLEAR),
    MatchKey("ig_sid", "messaging.instagram_user_id", Plain(network.opaque_id), Form.CLEAR),
    MatchKey(
        "whatsapp_business_account_id",
        "messaging.whatsapp_business_account_id",
        Plain(network.digits_id),
        Form.CLEAR,
    ),
    MatchKey("ctwa_clid", "messaging.ctwa_clid", Plain(network.opaque_id), Form.CLEAR),
)
_LEAD: Final = (MatchKey("lead_id", "meta_lead_id", Numeric(network.lead_id), Form.CLEAR),)


def _customer(external_ids: ExternalIds) -> tuple[MatchKey, ...]:
    return (*_CUSTOMER, MatchKey("external_id", "customer.external_ids", rule_of(external_ids), built=True), _LOGIN)


def match_table(external_ids: ExternalIds = "folded", *, lead: bool) -> MatchTable:
    """Compile the table for leads, with the id of the lead ad's lead, or for anything else.

    Make each once per destination.
    """
    return MatchTable((*_customer(external_ids), *_VISIT, *_APP, *_MESSAGING, *(_LEAD if lead else ())))


META_KEYS: Final = (*_customer("folded"), *_VISIT, *_APP, *_MESSAGING, *_LEAD)
"""Every row that Meta's pages name and the event contract carries, with the default transform of external ids."""

# best-practices page: user_data with nothing beyond one of these sets is refused (subcode 2804050).
TOO_BROAD: Final = (
    frozenset({"ct", "country", "st", "zp", "ge", "client_user_agent"}),
    frozenset({"db", "client_user_agent"}),
    frozenset({"fn", "ge"}),
    frozenset({"ln", "ge"}),
)

# Our estimate, in the order in which Meta's best-practices page ranks customer information parameters.
WEIGHTS: Final = {
    "em": 3.0,
    "lead_id": 3.0,
    "ph": 2.0,
    "fbc": 2.0,
    "madid": 2.0,
    "external_id": 1.0,
    "fb_login_id": 1.0,
    "fbp": 0.5,
    "client_ip_address": 0.5,
    "client_user_agent": 0.2,
    "db": 0.4,
    "fn": 0.2,
    "ln": 0.2,
    "zp": 0.1,
    "ct": 0.1,
    "st": 0.1,
    "country": 0.1,
    "ge": 0.1,
}
