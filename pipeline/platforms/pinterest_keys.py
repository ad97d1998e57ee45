"""Pinterest's match keys: which field of the event becomes which key of `user_data`, by which rule.

Source: the vendor's API description 5.23.0, `ConversionEventsUserData` (read 2026-11); where it is silent,
`docs/normalization.md` and `docs/platforms/pinterest.md` say what was decided and why.
Pinterest takes hashes in lists, and the visit's own facts clear.
"""

from __future__ import annotations

from typing import Final

from pipeline.core.identify import MatchTable
from pipeline.core.match_key import Dated, Form, Local, MatchKey, Plain
from pipeline.core.normalize import network, person, place
from pipeline.core.normalize.email import email
from pipeline.core.normalize.phone import phone
from pipeline.platforms.external_ids import ExternalIds, rule_of

_CUSTOMER: Final = (
    MatchKey("em", "customer.emails", Plain(email)),
    MatchKey("ph", "customer.phones", Local(phone)),
    MatchKey("fn", "customer.first_name", Plain(person.name_as_written)),
    MatchKey("ln", "customer.last_name", Plain(person.name_as_written)),
    MatchKey("db", "customer.birth_date", Dated(person.birth_date), remember=8_192),
    MatchKey("ge", "customer.gender", Plain(person.gender_or_neither), remember=256),
    MatchKey("ct", "customer.city", Plain(place.city), remember=8_192),
    MatchKey("st", "customer.region", Local(place.region), remember=4_096),
    MatchKey("zp", "customer.postal_code", Local(place.postal_code_digits), remember=8_192),
    MatchKey("country", "customer.country", Plain(place.country), remember=1_024),
)
_VISIT: Final = (
    MatchKey("client_ip_address", "touch.client_ipv6", Plain(network.client_ip), Form.CLEAR),
    MatchKey("client_ip_address", "touch.client_ip", Plain(network.client_ip), Form.CLEAR),
    MatchKey("client_user_agent", "touch.user_agent", Plain(network.user_agent), Form.CLEAR),
    MatchKey("click_id", "touch.epik", Plain(network.opaque_id), Form.CLEAR),
)
_APP: Final = (MatchKey("hashed_maids", "app.advertising_id", Plain(network.device_id)),)


def _customer(external_ids: ExternalIds) -> tuple[MatchKey, ...]:
    return (*_CUSTOMER, MatchKey("external_id", "customer.external_ids", rule_of(external_ids)))


def match_table(external_ids: ExternalIds = "as-written") -> MatchTable:
    """Compile Pinterest's table, the same for every event. Make it once per destination."""
    return MatchTable((*_customer(external_ids), *_VISIT, *_APP))


PINTEREST_KEYS: Final = (*_customer("as-written"), *_VISIT, *_APP)
"""Every row that Pinterest names and the event contract carries, with the default transform of external ids."""

# What `ConversionEventsUserData` requires: all keys of one of these sets.
ENOUGH: Final = (
    frozenset({"em"}),
    frozenset({"hashed_maids"}),
    frozenset({"client_ip_address", "client_user_agent"}),
)

# Our estimate: first what alone makes an event acceptable and the click id, then what Pinterest recommends for all
# events or for purchases. The keys of a visit make 10; those of a device stand in where there is no browser.
WEIGHTS: Final = {
    "em": 3.0,
    "hashed_maids": 3.0,
    "click_id": 2.0,
    "ph": 1.5,
    "external_id": 1.0,
    "client_ip_address": 0.6,
    "client_user_agent": 0.4,
    "fn": 0.3,
    "ln": 0.3,
    "db": 0.3,
    "zp": 0.2,
    "ct": 0.1,
    "st": 0.1,
    "country": 0.1,
    "ge": 0.1,
}
