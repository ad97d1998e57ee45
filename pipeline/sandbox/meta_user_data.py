"""Meta's rules for `user_data`, from its customer information parameters page.

Every check takes a value and returns what is wrong with it, or None.
Invariant: what is wrong is said without the value.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping

from pipeline.sandbox.forms import WORTHLESS, Check, text
from pipeline.sandbox.meta_flaw import SCHEMA, TOO_FEW_KEYS, Flaw

# Meta's parameter builder appends a two- or eight-character tag to values it has touched.
_TAG = r"(?:\.(?:[A-Za-z0-9_-]{8}|[A-Za-z0-9_-]{2}))?"
_SHA256 = re.compile(rf"([0-9a-f]{{64}}){_TAG}").fullmatch
_FBC = re.compile(r"fb\.[0-9]+\.[0-9]{13}\.[^\s.]\S*", re.ASCII).fullmatch
_FBP = re.compile(rf"fb\.[0-9]+\.[0-9]{{13}}\.[0-9]+{_TAG}").fullmatch
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}{_TAG}").fullmatch
_IP_TAG = re.compile(_TAG + r"\Z")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}").fullmatch


def hashed(value: object) -> str | None:
    """Accept 64 lower-case hexadecimal digits, or a list of such values."""
    for one in value if type(value) is list else (value,):
        match = _SHA256(one) if type(one) is str else None
        if match is None:
            return "must be a SHA-256 of 64 lower-case hexadecimal digits, or a list of them"
        if match[1] in WORTHLESS:
            return WORTHLESS[match[1]]
    return None


def external_id(value: object) -> str | None:
    """Accept a non-empty string or a list of them: hashing is recommended here, not required."""
    for one in value if type(value) is list else (value,):
        if type(one) is not str or not one.strip():
            return "must be a non-empty string, or a list of them"
        if one in WORTHLESS:
            return WORTHLESS[one]
    return None


def client_ip(value: object) -> str | None:
    """Accept a valid IPv4 or IPv6 address, without port or spaces."""
    if type(value) is not str:
        return "must be a string"
    if _IPV4(value):
        return None
    try:
        ipaddress.IPv6Address(_IP_TAG.sub("", value))
    except ValueError:
        return "must be a valid IPv4 or IPv6 address without port and spaces"
    return None


def integer(value: object) -> str | None:
    """Accept a JSON integer above zero, as lead and login ids are."""
    return None if type(value) is int and value > 0 else "must be an integer"


def digits(value: object) -> str | None:
    """Accept an id made of digits, as a string or an integer."""
    if type(value) is int:
        return None if value > 0 else "must be an id of digits"
    return None if type(value) is str and value.isascii() and value.isdigit() else "must be an id of digits"


def _shape(match: Callable[[str], object], rule: str) -> Check:
    def check(value: object) -> str | None:
        return None if type(value) is str and match(value) else rule

    return check


CHECKS: Mapping[str, Check] = {
    **dict.fromkeys(("em", "ph", "fn", "ln", "db", "ge", "ct", "st", "zp", "country"), hashed),
    **dict.fromkeys(("f5first", "f5last", "fi", "dobd", "dobm", "doby"), hashed),
    "external_id": external_id,
    "client_ip_address": client_ip,
    "client_user_agent": text,
    "fbc": _shape(_FBC, "must look like fb.<index>.<13-digit milliseconds>.<fbclid>"),
    "fbp": _shape(_FBP, "must look like fb.<index>.<13-digit milliseconds>.<digits>"),
    **dict.fromkeys(("subscription_id", "anon_id", "ctwa_clid", "ig_sid"), text),
    **dict.fromkeys(("fb_login_id", "lead_id"), integer),
    **dict.fromkeys(("page_id", "page_scoped_user_id", "ig_account_id"), digits),
    **dict.fromkeys(("instagram_business_account_id", "whatsapp_business_account_id"), digits),
    "madid": _shape(_UUID, "must be a device advertising id"),
}

# An event whose keys all lie within one of these sets cannot be matched (Meta's best practices page).
TOO_BROAD = (
    frozenset(("ct", "country", "st", "zp", "ge", "client_user_agent")),
    frozenset(("db", "client_user_agent")),
    frozenset(("fn", "ge")),
    frozenset(("ln", "ge")),
)
_BROAD = frozenset().union(*TOO_BROAD)


def check_user_data(user_data: Mapping[str, object]) -> Flaw | None:
    """Return the first thing wrong with an event's `user_data`, or None."""
    for key, value in user_data.items():
        check = CHECKS.get(key)
        wrong = check(value) if check is not None else "is not a customer information parameter"
        if wrong is not None:
            fault = wrong if wrong in WORTHLESS.values() else None
            note = f"is the {wrong.replace('_', ' ')}, which identifies nobody" if fault else wrong
            return Flaw(SCHEMA, ("user_data", key), note, sender_fault=fault)
    keys = user_data.keys()
    if keys <= _BROAD or not all(user_data.values()):
        usable = {key for key, value in user_data.items() if value}
        if any(usable <= broad for broad in TOO_BROAD):
            return Flaw(TOO_FEW_KEYS, ("user_data",), "holds too little to match a person")
    return None
