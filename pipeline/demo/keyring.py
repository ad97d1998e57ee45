"""The secrets of one run: a token for each platform, and for Google a service account's key. Made up, used, forgotten.

Invariant: its repr shows none of them.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Final, Self

import orjson
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from pipeline.demo.flaws import PLATFORMS

# Google knows a worker by a key of its service account; for the others a token is enough.
WITH_TOKENS: Final = tuple(platform for platform in PLATFORMS if platform != "google")
_KEY_BITS: Final = 2048


@dataclass(frozen=True, slots=True)
class Keyring:
    """Tokens by platform; `service_account` is the JSON of a key file, `public_key` the PEM that verifies it."""

    tokens: dict[str, str] = field(repr=False)
    service_account: str = field(repr=False)
    public_key: str = field(repr=False)

    @classmethod
    def made_up(cls) -> Self:
        """Return new secrets."""
        key = generate_private_key(public_exponent=65_537, key_size=_KEY_BITS)
        account = {
            "type": "service_account",
            "client_email": "worker@demo.example",
            "private_key_id": secrets.token_hex(20),
            "private_key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        }
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        tokens = {platform: f"demo-{platform}-{secrets.token_hex(24)}" for platform in WITH_TOKENS}
        return cls(tokens, orjson.dumps(account).decode(), public)
