"""TikTok's rules for `user`: what is hashed, what is clear, and what is enough to match a person.

Invariant: the verdict depends on the event and its source alone.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping

from pipeline.sandbox.forms import WORTHLESS
from pipeline.sandbox.tiktok_flaw import PII_NOT_HASHED, Flaw
from pipeline.sandbox.tiktok_value import Check, clear, click_id, fields, one_of, one_or_many, shape

_SHA256 = re.compile(r"[0-9a-f]{64}").fullmatch
_COUNTRY = re.compile(r"[a-z]{2}").fullmatch
_LOCALE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*").fullmatch
_letters_and_digits = shape(re.compile(r"[a-z0-9]+").fullmatch, "lower-case letters and digits only")

# Addresses that no customer has on the internet. The ranges for documentation are not here: they stand in for
# customers in samples and tests.
_INTERNAL_NETWORKS = """
    0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.168.0.0/16 224.0.0.0/3
    ::/128 ::1/128 ::ffff:0:0/96 fc00::/7 fe80::/10 ff00::/8
"""
INTERNAL = tuple(ipaddress.ip_network(network) for network in _INTERNAL_NETWORKS.split())

ATT_STATUS = frozenset(("AUTHORIZED", "DENIED", "NOT_DETERMINED", "RESTRICTED", "NOT_APPLICABLE"))
APP_ONLY = ("idfa", "gaid", "idfv", "att_status")
MATCH_KEYS = ("email", "phone", "external_id", "ttclid", "ttp", "idfa", "gaid", "idfv")
CRM_MATCH_KEYS = ("email", "phone")


def hashed(value: object) -> Flaw | None:
    """Accept 64 lower-case hexadecimal digits that are not the hash of nothing."""
    if type(value) is not str:
        return Flaw("not a valid string")
    if not _SHA256(value):
        return Flaw("not a SHA-256 of 64 lower-case hexadecimal digits", PII_NOT_HASHED)
    fault = WORTHLESS.get(value)
    return Flaw(f"it is the {fault.replace('_', ' ')}", sender_fault=fault) if fault else None


def public_ip(value: object) -> Flaw | None:
    """Accept a public IPv4 or IPv6 address, without port, zone or spaces."""
    if type(value) is not str or "%" in value:
        return Flaw("not a valid IP address")
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return Flaw("not a valid IP address")
    return Flaw("not a public IP address") if any(address in network for network in INTERNAL) else None


def place(value: object) -> Flaw | None:
    """Accept a city or a state in clear: lower-case letters and digits only."""
    return clear(value) or _letters_and_digits(value)


USER: Mapping[str, Check] = {
    **dict.fromkeys(("email", "phone", "external_id"), one_or_many(hashed)),
    **dict.fromkeys(("first_name", "last_name", "zip_code", "idfa", "gaid"), hashed),
    **dict.fromkeys(("city", "state"), place),
    "country": shape(_COUNTRY, "a country code of two lower-case letters"),
    "ip": public_ip,
    **dict.fromkeys(("user_agent", "idfv"), clear),
    "locale": shape(_LOCALE, "a BCP 47 language tag"),
    **dict.fromkeys(("ttclid", "ttp"), click_id),
    "att_status": one_of(ATT_STATUS),
}
user = fields(USER)


def check_match(source: str, given: Mapping[str, object], *, has_lead_id: bool) -> Flaw | None:
    """Return why a valid `user` does not fit its event source or matches nobody, or None."""
    if source != "app":
        for name in APP_ONLY:
            if name in given:
                return Flaw("only app events have it", place=("user", name))
    if has_lead_id or any(name in given for name in (CRM_MATCH_KEYS if source == "crm" else MATCH_KEYS)):
        return None
    if source != "crm" and "ip" in given and "user_agent" in given:
        return None
    return Flaw("nothing in it matches a person", place=("user",))
