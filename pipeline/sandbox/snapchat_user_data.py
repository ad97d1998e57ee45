"""Snapchat's rules for `user_data`, from its parameters and best practices pages.

Every check takes a value and returns what is wrong with it, or None.
Invariant: what must be hashed is a hash, and what must be plain is none.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping

from pipeline.sandbox.forms import WORTHLESS, text
from pipeline.sandbox.snapchat_flaw import Check, Code, Flaw, check_fields

_SHA256 = re.compile(r"[0-9a-f]{64}").fullmatch
_ANY_SHA256 = re.compile(r"[0-9A-Fa-f]{64}").fullmatch
_LOWER_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch


def single_hash(value: object) -> str | None:
    """Accept 64 lower-case hexadecimal digits that are the hash of something."""
    if type(value) is not str or not _SHA256(value):
        return "must be a SHA-256 of 64 lower-case hexadecimal digits"
    return WORTHLESS.get(value)


def hashed(value: object) -> str | None:
    """Accept one hash, or a list of at least one."""
    if type(value) is not list:
        return single_hash(value)
    if not value:
        return "must not be an empty list"
    return next(filter(None, map(single_hash, value)), None)


def plain(value: object) -> str | None:
    """Accept a non-empty string that is not a hash."""
    if type(value) is str and _ANY_SHA256(value):
        return "must not be hashed"
    return text(value)


def plain_list(value: object) -> str | None:
    """Accept a list of at least one plain string."""
    if type(value) is list and value and all(plain(one) is None for one in value):
        return None
    return "must be a list of non-empty strings that are not hashed"


def client_ip(value: object) -> str | None:
    """Accept an IPv4 or IPv6 address, without port, zone and spaces."""
    try:
        valid = type(value) is str and "%" not in value and bool(ipaddress.ip_address(value))
    except ValueError:
        valid = False
    return None if valid else "must be an IPv4 or IPv6 address that is not hashed"


def device_id(value: object) -> str | None:
    """Accept a device's advertising id: a UUID in lower case with its hyphens, not hashed."""
    return None if type(value) is str and _LOWER_UUID(value) else "must be a lower-case UUID that is not hashed"


_PLAIN = """
    idfv client_user_agent sc_click_id sc_cookie1 subscription_id lead_id download_id partner_id
"""
HASHED = ("em", "ph", "fn", "ln", "ge", "ct", "st", "zp", "country")
DEVICE_IDS = ("madid", "mobile_ad_id")
CHECKS: Mapping[str, Check] = {
    **dict.fromkeys(HASHED, hashed),
    "external_id": single_hash,
    **dict.fromkeys(_PLAIN.split(), plain),
    "anon_id": plain_list,
    "client_ip_address": client_ip,
    **dict.fromkeys(DEVICE_IDS, device_id),
}
CODES: Mapping[str, Code] = {
    **dict.fromkeys((*HASHED, "external_id"), Code.UNHASHED_PII),
    "client_ip_address": Code.IP_ADDRESS,
}


def check_user_data(user_data: Mapping[str, object], *, is_app: bool) -> Flaw | None:
    """Return the first thing wrong with an event's `user_data`, or None. A device id matches app events only."""
    flaw = check_fields(user_data, CHECKS, "user_data", CODES)
    if flaw is not None and flaw.note in WORTHLESS.values():
        fault = flaw.note
        return Flaw(Code.INVALID_FIELD, flaw.place, f"is the {fault.replace('_', ' ')}, which identifies nobody", fault)
    if flaw is not None or _matches(frozenset(user_data), is_app=is_app):
        return flaw
    return Flaw(Code.INSUFFICIENT_PII, "user_data", "needs em, ph, or both client_ip_address and client_user_agent")


def _matches(keys: frozenset[str], *, is_app: bool) -> bool:
    return (
        not keys.isdisjoint(("em", "ph"))
        or keys >= {"client_ip_address", "client_user_agent"}
        or (is_app and not keys.isdisjoint(DEVICE_IDS))
    )
