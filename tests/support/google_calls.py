"""What the tests of Google's sandbox send: a valid event, a request, a call, and a service account's assertion."""

from __future__ import annotations

import base64
import copy
import hashlib
from collections.abc import Mapping

import orjson

from pipeline.sandbox.contract import Call, Verdict
from pipeline.sandbox.google import INGEST

NOW = 1_795_262_400.0  # 2026-11-21T12:00:00Z
SCOPE = "https://www.googleapis.com/auth/datamanager"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"

# A key pair made for these tests by OpenSSL; the private exponent opens nothing.
PUBLIC_KEY = """\
-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC2HgC0VZJvIFeRUYV0m2dnK3Ro
E17Pir5MTj8moM6fC87L74RqGmBSm+LOdOxmRbz6c0bbFfiQ2HC9diC9OE7udH4V
E8bG8eO4xduEyb5qUy/OYO0Uep/AE8b6xDwxutt98DhNFVO9/+h8dNer21ol4gCt
pj5f+Kn6ZStW2+RifQIDAQAB
-----END PUBLIC KEY-----
"""
_MODULUS = (
    "b61e00b455926f2057915185749b67672b7468135ecf8abe4c4e3f26a0ce9f0bcecbef846a1a60529be2ce74ec6645bcfa73"
    "46db15f890d870bd7620bd384eee747e1513c6c6f1e3b8c5db84c9be6a532fce60ed147a9fc013c6fac43c31badb7df0384d"
    "1553bdffe87c74d7abdb5a25e200ada63e5ff8a9fa652b56dbe4627d"
)
_PRIVATE = (
    "643a36e1088742a966080ff986a7504d3359293e1fdbd0dbd25aedde7079c68655155f885c6c8fbe671477d359971fa255a3"
    "c3c7275c593b053100261c7d34d2910d2518efc81766a993eeefd39bb851201970f427277a33547539d0c95478a41c271f59"
    "9cf44c1eb5ce5450df62c875fee4083481b93eb14ec3b045382e12f1"
)

Event = dict[str, object]


def digest(text: str) -> str:
    """Return the SHA-256 of a text in lower-case hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


EVENT: Event = {
    "eventTimestamp": "2026-11-21T11:59:00.250Z",
    "eventSource": "WEB",
    "transactionId": "ORD-1",
    "conversionValue": 49.9,
    "currency": "EUR",
    "adIdentifiers": {"gclid": "Cj0KCQ_test-1"},
    "userData": {
        "userIdentifiers": [
            {"emailAddress": digest("alexz@example.com")},
            {
                "address": {
                    "givenName": digest("dana"),
                    "familyName": digest("quinn"),
                    "regionCode": "US",
                    "postalCode": "94045",
                }
            },
        ]
    },
    "consent": {"adUserData": "CONSENT_GRANTED", "adPersonalization": "CONSENT_DENIED"},
}
DESTINATION: Event = {
    "operatingAccount": {"accountType": "GOOGLE_ADS", "accountId": "1234567890"},
    "loginAccount": {"accountType": "GOOGLE_ADS", "accountId": "1112223334"},
    "productDestinationId": "987654321",
}


def changed(document: Mapping[str, object], place: str, value: object) -> Event:
    """Return a copy with one dotted place set, or deleted when given `...`; digits count in lists."""
    copied = copy.deepcopy(dict(document))
    *outer, last = place.split(".")
    target: object = copied
    for name in outer:
        target = target[int(name)] if isinstance(target, list) else target.setdefault(name, {})  # type: ignore[attr-defined]
    if value is ...:
        del target[int(last) if isinstance(target, list) else last]  # type: ignore[attr-defined]
    else:
        target[int(last) if isinstance(target, list) else last] = value  # type: ignore[index]
    return copied


def order(name: str, **changes: object) -> Event:
    """Return the valid event under another transaction id."""
    return {**copy.deepcopy(EVENT), "transactionId": name, **changes}


def request(*events: object, **more: object) -> Event:
    """Return a valid request with these events."""
    return {"destinations": [DESTINATION], "events": list(events), "encoding": "HEX", **more}


def call(document: object = None, **parts: object) -> Call:
    """Return a call of `events:ingest`; keyword arguments replace its parts."""
    usual: dict[str, object] = {
        "number": 1,
        "method": "POST",
        "path": {},
        "query": {},
        "headers": {"Content-Type": "application/json", "Authorization": "Bearer good"},
        "body": orjson.dumps(document),
        "route": INGEST,
    }
    return Call(**{**usual, **parts})  # type: ignore[arg-type]


def body(verdict: Verdict) -> dict[str, object]:
    """Return the JSON of a verdict's reply."""
    document: dict[str, object] = orjson.loads(verdict.reply.body)
    return document


def violations(verdict: Verdict) -> list[tuple[str, str]]:
    """Return the place and the reason of every field violation in a verdict's reply."""
    details = orjson.loads(verdict.reply.body)["error"]["details"]
    return [
        (violation["field"], violation["reason"])
        for detail in details
        for violation in detail.get("fieldViolations", ())
    ]


def assertion(*, header: Event | None = None, signature: bytes | None = None, **claims: object) -> str:
    """Return a signed assertion; keyword arguments replace claims, header fields or the signature."""
    usual: Event = {
        "iss": "worker@project.iam.gserviceaccount.com",
        "scope": SCOPE,
        "aud": "http://127.0.0.1:8090/token",
        "iat": int(NOW),
        "exp": int(NOW) + 3600,
    }
    parts = ({"alg": "RS256", "typ": "JWT", "kid": "k1", **(header or {})}, {**usual, **claims})
    signed = ".".join(_packed(orjson.dumps(part)) for part in parts)
    return f"{signed}.{_packed(_signature(signed.encode()) if signature is None else signature)}"


def form(**changes: str) -> dict[str, str]:
    """Return the form with which a service account asks for a token."""
    return {"grant_type": GRANT, "assertion": assertion(), **changes}


def _packed(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _signature(signed: bytes) -> bytes:
    info = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(signed).digest()
    padded = b"\x00\x01" + b"\xff" * (128 - 3 - len(info)) + b"\x00" + info
    return pow(int.from_bytes(padded), int(_PRIVATE, 16), int(_MODULUS, 16)).to_bytes(128)
