"""The signed assertion with which a service account asks for a token (RFC 7523), and its RS256 signature (RFC 8017).

Invariant: what is wrong is said without the assertion.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

SCOPE = "https://www.googleapis.com/auth/datamanager"
MAX_LIFE_S = 3600
MAX_SKEW_S = 300  # our assumption

# DER of the DigestInfo that precedes a SHA-256 in an RS256 signature (RFC 8017, 9.2).
_SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
_SEQUENCE, _INTEGER, _BIT_STRING = 0x30, 0x02, 0x03


@dataclass(frozen=True, slots=True)
class RsaKey:
    """A public RSA key."""

    modulus: int
    exponent: int

    def verifies(self, signature: bytes, signed: bytes) -> bool:
        """Say whether an RS256 signature fits what was signed."""
        size = (self.modulus.bit_length() + 7) // 8
        if len(signature) != size:
            return False
        tail = b"\x00" + _SHA256_INFO + hashlib.sha256(signed).digest()
        expected = b"\x00\x01".ljust(size - len(tail), b"\xff") + tail
        found = pow(int.from_bytes(signature), self.exponent, self.modulus).to_bytes(size)
        return hmac.compare_digest(expected, found)


def rsa_key(pem: str) -> RsaKey:
    """Read a public key from PEM (`BEGIN PUBLIC KEY`); raises ValueError for anything else."""
    lines = [line.strip() for line in pem.strip().splitlines()]
    if not lines or lines[0] != "-----BEGIN PUBLIC KEY-----" or lines[-1] != "-----END PUBLIC KEY-----":
        raise ValueError("key: expected a PEM file that begins with -----BEGIN PUBLIC KEY-----")
    try:
        info, _ = _der(base64.b64decode("".join(lines[1:-1]), validate=True), _SEQUENCE)
        _, rest = _der(info, _SEQUENCE)
        bits, _ = _der(rest, _BIT_STRING)
        numbers, _ = _der(bits[1:], _SEQUENCE)
        modulus, rest = _der(numbers, _INTEGER)
        exponent, _ = _der(rest, _INTEGER)
    except (binascii.Error, IndexError) as fault:
        raise ValueError("key: the PEM file holds no RSA public key") from fault
    return RsaKey(int.from_bytes(modulus), int.from_bytes(exponent))


def assertion_flaw(assertion: str, key: RsaKey | None, now: float) -> str | None:
    """Return what is wrong with an assertion at `now` (Unix seconds), or None."""
    parts = assertion.split(".")
    if len(parts) != 3:
        return "the assertion must have three parts: header, claims and signature"
    try:
        header, claims, signature = _json(parts[0]), _json(parts[1]), _unpadded(parts[2])
    except (TypeError, ValueError):
        return "the assertion must be JSON in unpadded base64url"
    if header.get("alg") != "RS256" or header.get("typ") != "JWT":
        return "the header must say alg RS256 and typ JWT"
    wrong = _claims_flaw(claims, now)
    if wrong is not None:
        return wrong
    if key is not None and not key.verifies(signature, assertion.rpartition(".")[0].encode()):
        return "the signature does not fit"
    return None


def _claims_flaw(claims: Mapping[str, object], now: float) -> str | None:
    issuer, audience, scope = claims.get("iss"), claims.get("aud"), claims.get("scope")
    issued, ends = claims.get("iat"), claims.get("exp")
    if not isinstance(issuer, str) or "@" not in issuer:
        return "iss must be the service account's e-mail address"
    if not isinstance(audience, str) or not audience.endswith("/token"):
        return "aud must be the address of the token endpoint"
    if scope != SCOPE:
        return "scope must be the datamanager scope"
    if type(issued) is not int or type(ends) is not int:
        return "iat and exp must be integers"
    if not 0 < ends - issued <= MAX_LIFE_S:
        return "exp must be at most an hour after iat"
    if issued > now + MAX_SKEW_S or ends <= now:
        return "the assertion is not valid now"
    return None


def _json(part: str) -> Mapping[str, object]:
    document = orjson.loads(_unpadded(part))
    if not isinstance(document, dict):
        raise TypeError
    return document


def _unpadded(part: str) -> bytes:
    if not part.isascii() or not part.replace("-", "").replace("_", "").isalnum():
        raise ValueError
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _der(data: bytes, tag: int) -> tuple[bytes, bytes]:
    """Split one DER element of the wanted tag into its content and what follows; raises IndexError without one."""
    if data[0] != tag:
        raise IndexError
    size, start = data[1], 2
    if size >= 0x80:
        start = 2 + size - 0x80
        size = int.from_bytes(data[2:start])
    if len(data) < start + size:
        raise IndexError
    return data[start : start + size], data[start + size :]
