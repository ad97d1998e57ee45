"""What browser, app and platform hand out: addresses, user agents, cookies, click ids, device and lead ids.

None of these is hashed.
Cookies and click ids are case-sensitive and leave exactly as they came, or not at all.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address
from typing import Final

from pipeline.core.normalize.text import clean, is_empty

# What Meta's Parameter Builder appends to values it has touched (facebook/capi-param-builder).
_SUFFIX: Final = r"\.(?:[0-9A-Za-z_-]{2}|[0-9A-Za-z_-]{8})"

_OCTET: Final = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4: Final = re.compile(rf"{_OCTET}\.{_OCTET}\.{_OCTET}\.{_OCTET}").fullmatch
_IPV6: Final = re.compile(r"[0-9a-fA-F:.]{2,45}").fullmatch
_BUILT: Final = re.compile(rf"(.+){_SUFFIX}").fullmatch
# ::/8 holds the unspecified and the loopback address, fc00::/7 the private, fe80::/9 the link-local and old
# site-local, ff00::/8 the multicast ones (RFC 4291, RFC 4193).
_IPV6_LOCAL: Final = frozenset({0x00, 0xFC, 0xFD, 0xFE, 0xFF})

_FBC: Final = re.compile(rf"fb\.[0-9]{{1,2}}\.[0-9]{{13}}\.[!-\-/-~]+(?:{_SUFFIX})?").fullmatch
_FBP: Final = re.compile(rf"fb\.[0-9]{{1,2}}\.[0-9]{{13}}\.[0-9]+(?:{_SUFFIX})?").fullmatch
_CLICK_ID: Final = re.compile(r"[!-\-/-~]+").fullmatch
# Thirteen digits: from 2001 to 2286.
_FIRST_MS, _LAST_MS = 10**12, 10**13 - 1

_UUID: Final = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").fullmatch
_NO_DEVICE: Final = "00000000-0000-0000-0000-000000000000"
_LEAD_ID: Final = re.compile("[1-9][0-9]{14,16}").fullmatch
_DIGITS: Final = re.compile("[1-9][0-9]{0,18}").fullmatch
_TOKEN: Final = re.compile("[!-~]+").fullmatch
# base64url, as landing pages have always shown them.
_GOOGLE_CLICK: Final = re.compile("[0-9A-Za-z_-]+").fullmatch
_SHA256: Final = re.compile("[0-9a-fA-F]{64}").fullmatch
_LANGUAGE: Final = re.compile("[A-Za-z]{2,8}(?:-[0-9A-Za-z]{1,8}){0,7}").fullmatch


# The platforms of one event ask for the same address one after the other.
@lru_cache(maxsize=16)
def client_ip(raw: str) -> str | None:
    """Return the visitor's public IPv4 or IPv6 address, as written; the first hop of an `X-Forwarded-For` list.

    None with a port, brackets or a zone, and for addresses that name nobody outside their own network: private
    (RFC 1918, RFC 4193), shared (RFC 6598), loopback, link-local, multicast, unspecified, reserved.
    Ranges for documentation pass.
    """
    text = clean(raw)
    if "," in text:
        text = text.partition(",")[0].rstrip()
    return text if _is_public(text) else None


def client_ip_or_built(raw: str) -> str | None:
    """As `client_ip`; an address with the suffix of Meta's Parameter Builder is returned unchanged."""
    address = client_ip(raw)
    if address is not None:
        return address
    text = clean(raw).partition(",")[0].rstrip()
    built = _BUILT(text)
    return text if built is not None and _is_public(built[1]) else None


def user_agent(raw: str) -> str | None:
    """Return the `User-Agent` header as the browser sent it, trimmed; a SHA-256 of it says nothing and is left out."""
    text = raw.strip()
    return None if is_empty(text) or _SHA256(text) else text


def fbc(raw: str) -> str | None:
    """Return Meta's click cookie `fb.<index>.<13-digit ms>.<fbclid>`, with or without a Parameter Builder suffix."""
    text = raw.strip()
    return text if _FBC(text) else None


def fbc_from_click(fbclid: str, seen_at_ms: int | None) -> str | None:
    """Return the cookie that Meta's pixel would have set for this click id: `fb.1.<ms>.<fbclid>`.

    `seen_at_ms` is when the click id was first seen, Unix milliseconds; without it there is no cookie to build,
    because Meta takes a made-up time for a modified click.
    """
    click = fbclid.strip()
    if seen_at_ms is None or not _FIRST_MS <= seen_at_ms <= _LAST_MS or is_empty(click) or not _CLICK_ID(click):
        return None
    return f"fb.1.{seen_at_ms}.{click}"


def fbp(raw: str) -> str | None:
    """Return Meta's browser cookie `fb.<index>.<13-digit ms>.<digits>`, with or without a Parameter Builder suffix."""
    text = raw.strip()
    return text if _FBP(text) else None


def device_id(raw: str) -> str | None:
    """Return an advertising id (IDFA, GAID) as a lower-case UUID; the all-zero id of a refusal is left out."""
    text = clean(raw).lower()
    return text if _UUID(text) and text != _NO_DEVICE else None


def device_id_in_capitals(raw: str) -> str | None:
    """As `device_id`, in upper case, which is how iOS writes its ids (TikTok)."""
    text = device_id(raw)
    return None if text is None else text.upper()


def language_tag(raw: str) -> str | None:
    """Return a BCP 47 tag (`en-GB`) as written, trimmed; a list or a locale of another form is left out (TikTok)."""
    text = raw.strip()
    return None if is_empty(text) or not _LANGUAGE(text) else text


def lead_id(raw: str) -> int | None:
    """Return the id of a Meta lead as an integer: 15 to 17 digits (Conversions API, CRM integration)."""
    text = raw.strip()
    return int(text) if _LEAD_ID(text) else None


def numeric_id(raw: str) -> int | None:
    """Return an id of up to 19 digits as an integer (Facebook login id)."""
    text = raw.strip()
    return int(text) if _DIGITS(text) else None


def digits_id(raw: str) -> str | None:
    """Return an id of up to 19 digits as text (ids of pages and business accounts)."""
    text = raw.strip()
    return text if _DIGITS(text) else None


def google_click_id(raw: str) -> str | None:
    """Return Google's click id (gclid, wbraid, gbraid) untouched: letters, digits, `-` and `_`, not a sentinel."""
    text = raw.strip()
    return text if _GOOGLE_CLICK(text) and not is_empty(text) else None


def opaque_id(raw: str) -> str | None:
    """Return a platform's own id or click id untouched: printable ASCII without spaces, not a sentinel."""
    text = raw.strip()
    return None if is_empty(text) or not _TOKEN(text) else text


def opaque_id_in_clear(raw: str) -> str | None:
    """As `opaque_id`, and left out if it is a SHA-256: of a click id, a cookie or a lead's id only itself is of use."""
    text = opaque_id(raw)
    return None if text is None or _SHA256(text) else text


def _is_public(text: str) -> bool:
    found = _IPV4(text)
    if found is not None:
        return _is_public_ipv4(int(found[1]), int(found[2]))
    return ":" in text and _IPV6(text) is not None and _is_public_ipv6(text)


def _is_public_ipv4(first: int, second: int) -> bool:
    if first in (0, 10, 127) or first >= 224:
        return False
    return not (
        (first == 192 and second == 168)
        or (first == 172 and 16 <= second <= 31)
        or (first == 169 and second == 254)
        or (first == 100 and 64 <= second <= 127)
    )


def _is_public_ipv6(text: str) -> bool:
    try:
        packed = IPv6Address(text).packed
    except AddressValueError:
        return False
    return packed[0] not in _IPV6_LOCAL
