"""Google's rules for who an event is about: hashed identifiers, click ids, devices and consent.

Invariant: what must be hashed is a SHA-256 in the encoding that the request names, and what must be clear is no hash.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Iterator, Mapping

from pipeline.sandbox.forms import WORTHLESS
from pipeline.sandbox.google_shape import FORMAT, Flaw, Rule, is_text, leaf, listed, one_of, record, text

MAX_IDENTIFIERS = 10
CLICK_IDS = ("gclid", "gbraid", "wbraid")
BAD_HASH = "INVALID_SHA256_FORMAT"
POSTAL_CODE = "INVALID_POSTAL_CODE"

_HEX = re.compile(r"[0-9a-f]+").fullmatch
_DIGEST = re.compile(r"[0-9A-Fa-f]{64}").fullmatch
_REGION = re.compile(r"[A-Z]{2}").fullmatch
_ZIP = re.compile(r"[0-9]{5}(?:-[0-9]{4})?").fullmatch
_CLICK_ID = re.compile(r"[A-Za-z0-9_-]+").fullmatch


def is_clear(value: object) -> bool:
    """Say whether a value is a string that is neither blank nor a SHA-256."""
    return is_text(value) and not _DIGEST(str(value))


def is_address(value: object) -> bool:
    """Say whether a value is an IP address without port and spaces."""
    try:
        ipaddress.ip_address(value if isinstance(value, str) else "")
    except ValueError:
        return False
    return True


def _hex(value: object) -> bytes | None:
    return bytes.fromhex(value) if isinstance(value, str) and _HEX(value) and len(value) % 2 == 0 else None


def _base64(value: object) -> bytes | None:
    try:
        return base64.b64decode(value if isinstance(value, str) else "?", validate=True)
    except binascii.Error:
        return None


ENCODINGS = {"HEX": _hex, "BASE64": _base64}


def hashed(encoding: str) -> Rule:
    """Build the rule of a SHA-256 in `HEX` (lower case) or `BASE64`."""
    decode = ENCODINGS[encoding]

    def check(value: object, path: str) -> Iterator[Flaw]:
        digest = decode(value)
        if digest is None:
            note = "must be lower-case hexadecimal" if encoding == "HEX" else "must be Base64 with padding"
            yield Flaw(path, f"INVALID_{encoding}_ENCODING", note)
        elif len(digest) != 32:
            yield Flaw(path, BAD_HASH, "must be a SHA-256")
        elif digest.hex() in WORTHLESS:
            fault = WORTHLESS[digest.hex()]
            yield Flaw(path, BAD_HASH, f"is the {fault.replace('_', ' ')}, which identifies nobody", fault)

    return check


def _address(digest: Rule) -> Rule:
    places = record(
        {
            "givenName": digest,
            "familyName": digest,
            "regionCode": leaf(
                lambda value: isinstance(value, str) and _REGION(value) is not None,
                "must be an upper-case ISO 3166 code of two letters, not hashed",
            ),
            "postalCode": leaf(
                lambda value: is_clear(value) and value == str(value).strip(),
                "must be clear text without spaces around it",
                POSTAL_CODE,
            ),
        },
        required=("givenName", "familyName", "regionCode", "postalCode"),
    )

    def check(value: object, path: str) -> Iterator[Flaw]:
        flaws = list(places(value, path))
        yield from flaws
        if not flaws and isinstance(value, dict) and value["regionCode"] == "US" and not _ZIP(value["postalCode"]):
            yield Flaw(f"{path}.postal_code", POSTAL_CODE, "must be 5 digits, or 5 and 4, in the United States")

    return check


def user_data(encoding: str) -> Rule:
    """Build the rule of `userData`; a fault in an e-mail or phone hash is placed at its identifier, as Google does."""
    digest = hashed(encoding)
    address = _address(digest)

    def identifier(value: object, path: str) -> Iterator[Flaw]:
        match value:
            case {"emailAddress": given, **others} if not others:
                yield from digest(given, path)
            case {"phoneNumber": given, **others} if not others:
                yield from digest(given, path)
            case {"address": given, **others} if not others:
                yield from address(given, f"{path}.address")
            case _:
                yield Flaw(path, FORMAT, "must hold exactly one of email_address, phone_number and address")

    identifiers = listed(identifier, MAX_IDENTIFIERS, "TOO_MANY_USER_IDENTIFIERS")
    return record({"userIdentifiers": identifiers}, required=("userIdentifiers",))


_IP = leaf(is_address, "must be an IP address without port and spaces")
_CLEAR = leaf(is_clear, "must be clear text, not a hash")
_NOT_OURS = leaf(lambda _: False, "belongs to another Google product", "INVALID_AD_IDENTIFIER_FOR_ACCOUNT")
_PIXELS = leaf(lambda value: isinstance(value, int) and not isinstance(value, bool) and value > 0, "must be an integer")
_CLICK = leaf(
    lambda value: is_clear(value) and _CLICK_ID(str(value)) is not None,
    "must be a click id as the landing page's address had it",
)
_DEVICE: Mapping[str, Rule] = {
    "ipAddress": _IP,
    "userAgent": _CLEAR,
    **dict.fromkeys(("category", "languageCode", "operatingSystem", "operatingSystemVersion"), text),
    **dict.fromkeys(("model", "brand", "browser", "browserVersion"), text),
    **dict.fromkeys(("screenHeight", "screenWidth"), _PIXELS),
}
device = record(_DEVICE)

_ad_identifiers = record(
    {
        **dict.fromkeys(CLICK_IDS, _CLICK),
        **dict.fromkeys(("sessionAttributes", "leadId"), _CLEAR),
        "landingPageDeviceInfo": device,
        **dict.fromkeys(("dclid", "matchId", "impressionId", "mobileDeviceId"), _NOT_OURS),
        **dict.fromkeys(("encryptedUserIds", "ppid", "visitorPpid"), _NOT_OURS),
    }
)


def ad_identifiers(value: object, path: str) -> Iterator[Flaw]:
    """Check `adIdentifiers`: fields of their form, and at most one click id."""
    yield from _ad_identifiers(value, path)
    if isinstance(value, dict) and sum(name in value for name in CLICK_IDS) > 1:
        yield Flaw(path, "INVALID_EVENT", "must hold one click id only: gclid, else wbraid, else gbraid")


_CONSENT = one_of("CONSENT_GRANTED CONSENT_DENIED CONSENT_STATUS_UNSPECIFIED")
consent = record({"adUserData": _CONSENT, "adPersonalization": _CONSENT})
