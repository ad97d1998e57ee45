"""A service account's key file for Google's tests."""

from __future__ import annotations

import json
from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pipeline.platforms.google_token import TOKEN_URL

EMAIL = "sender@project.iam.gserviceaccount.com"


@cache
def rsa_key(number: int = 0) -> rsa.RSAPrivateKey:  # noqa: ARG001 - the cache's key
    """Return one of several keys; making one takes a while."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    """Return a private key as key files hold it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def key_file(**changes: object) -> dict[str, str]:
    """Return the secrets with a key file."""
    given = {
        "type": "service_account",
        "private_key_id": "kid-1",
        "private_key": pem(rsa_key()),
        "client_email": EMAIL,
        "token_uri": TOKEN_URL,
    }
    return {"service_account": json.dumps({**given, **changes})}
