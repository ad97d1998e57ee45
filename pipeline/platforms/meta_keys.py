"""Meta's match keys: which field of the event becomes which key of `user_data`, by which rule.

Source: Conversions API, "customer information parameters", as of 2026-09-12; where it is silent or contradicts
Meta's own libraries, `docs/normalization.md` says what was decided and why.
Meta takes hashes in lists and everything else as single values.
"""

from __future__ import annotations

from typing import Final, Literal

from pipeline.core.identify import MatchTable
from pipeline.core.match_key import Dated, Form, Local, MatchKey, Numeric, Paired, Plain
from pipeline.core.normalize import network, person, place
from pipeline.core.normalize.email import email
from pipeline.core.normalize.identifier import external_id, external_id_as_written
from pipeline.core.normalize.phone import phone

ExternalIds = Literal["folded", "as-written"]
"""What the pixel sends as `external_id`: without white space and in lower case, or as the shop wrote it."""

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
    rule = external_id if external_ids == "folded" else external_id_as_written
    return (*_CUSTOMER, MatchKey("external_id", "customer.external_ids", Plain(rule), built=True), _LOGIN)


def order_keys(external_ids: ExternalIds = "folded") -> MatchTable:
    """Compile Meta's table for orders. Make it once per destination."""
    return MatchTable((*_customer(external_ids), *_VISIT, *_APP, *_MESSAGING))


def lead_keys(external_ids: ExternalIds = "folded") -> MatchTable:
    """Compile Meta's table for leads: as for orders, and the id of the lead ad's lead."""
    return MatchTable((*_customer(external_ids), *_VISIT, *_APP, *_MESSAGING, *_LEAD))


META_KEYS: Final = (*_customer("folded"), *_VISIT, *_APP, *_MESSAGING, *_LEAD)
"""Every row that Meta's pages name and the event contract carries, with the default transform of external ids."""
