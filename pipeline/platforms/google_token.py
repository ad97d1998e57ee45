"""Google's access tokens: signed for with a service account's key, or asked of the metadata server on Google Cloud.

Sources: RFC 7523 and google-auth's `service_account` and `compute_engine` (2.62), whose requests these equal.
No secret and no text of the token endpoint is ever passed on.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

import orjson

from pipeline.core.model import Halt, Later, NoReply, Reply, Request
from pipeline.core.reason import Reason
from pipeline.platforms.base import Grant, Token
from pipeline.platforms.common import web_address
from pipeline.platforms.google_options import GoogleOptions
from pipeline.platforms.reading import formed, json_object

SCOPE: Final = "https://www.googleapis.com/auth/datamanager"
TOKEN_URL: Final = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address, not a secret
# The longest that Google grants.
LIFETIME: Final = 3600
_GRANT_TYPE: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_METADATA_PATH: Final = "/computeMetadata/v1/instance/service-accounts/default/token"
_RETRIED: Final = frozenset({"internal_failure", "server_error", "temporarily_unavailable"})
_TOKEN: Final = re.compile("[!-~]{1,8192}").fullmatch
_ERROR: Final = re.compile("[a-z_]{3,40}").fullmatch
# A longer life is not believed.
_LONGEST: Final = 86_400.0


def grant_of(options: GoogleOptions) -> Grant:
    """Return how a destination with these options gets its tokens."""
    if options.credentials == "metadata_server":
        return MetadataGrant(options.metadata_url)
    return ServiceAccountGrant(options.token_url)


class ServiceAccountGrant:
    """A token for an assertion that the secret `service_account`, a key file's JSON, signs."""

    def __init__(self, token_url: str | None = None) -> None:
        self._token_url = token_url

    def request(self, secrets: Mapping[str, str], *, unix: float) -> Request | Halt:
        """Write the POST of RFC 7523, or say that the secret is no key file. The assertion holds for an hour."""
        key = json_object(secrets.get("service_account", "").encode(errors="replace"))
        email, pem, url = (key.get(name) for name in ("client_email", "private_key", "token_uri"))
        url = self._token_url or url or TOKEN_URL
        if not isinstance(email, str) or not isinstance(pem, str) or not isinstance(url, str) or not web_address(url):
            return Halt(
                Reason.UNAUTHORIZED, "the secret service_account is not the JSON of a service account's key file"
            )
        now = int(unix)
        header = {"alg": "RS256", "typ": "JWT"}
        if isinstance(key.get("private_key_id"), str):
            header["kid"] = str(key["private_key_id"])
        claims = {"iss": email, "scope": SCOPE, "aud": url, "iat": now, "exp": now + LIFETIME}
        message = _base64(orjson.dumps(header)) + b"." + _base64(orjson.dumps(claims))
        signature = _signature(pem, message)
        if signature is None:
            return Halt(Reason.UNAUTHORIZED, "the private_key in the secret service_account is no RSA key in PEM form")
        form = {"grant_type": _GRANT_TYPE, "assertion": (message + b"." + _base64(signature)).decode()}
        return Request(url, {"Content-Type": "application/x-www-form-urlencoded"}, urlencode(form).encode())

    def read(self, reply: Reply | NoReply) -> Token | Later | Halt:
        """Read the token, or why there is none."""
        return read_token(reply)


class MetadataGrant:
    """A token of the service account that the machine runs as: no key lies anywhere."""

    def __init__(self, metadata_url: str) -> None:
        self._url = f"{metadata_url.rstrip('/')}{_METADATA_PATH}?{urlencode({'scopes': SCOPE})}"

    def request(self, secrets: Mapping[str, str], *, unix: float) -> Request | Halt:  # noqa: ARG002 - nothing is signed
        """Write the GET to the metadata server; its header keeps strangers' redirects out."""
        return Request(self._url, {"Metadata-Flavor": "Google"}, method="GET")

    def read(self, reply: Reply | NoReply) -> Token | Later | Halt:
        """Read the token, or why there is none."""
        return read_token(reply)


def read_token(reply: Reply | NoReply) -> Token | Later | Halt:
    """Read an answer of a token endpoint. Total: any bytes give one of the three."""
    if isinstance(reply, NoReply):
        return Later(Reason.OUTAGE, f"token: {reply.cause}")
    answer = json_object(reply.body)
    error = answer.get("error")
    word = formed(_ERROR, error)
    detail = f"token: HTTP {reply.status}{f', {word}' if word else ''}"
    if reply.status == 200 and error is None:
        value, seconds = answer.get("access_token"), answer.get("expires_in")
        if isinstance(value, str) and _TOKEN(value) and isinstance(seconds, int | float) and 0 < seconds <= _LONGEST:
            return Token(value, float(seconds))
        return Later(Reason.OUTAGE, f"{detail} without a token")
    if reply.status == 429:
        return Later(Reason.THROTTLED, detail)
    if reply.status == 408 or not 300 <= reply.status < 500 or word in _RETRIED:
        return Later(Reason.OUTAGE, detail)
    return Halt(Reason.UNAUTHORIZED, detail)


def _base64(raw: bytes) -> bytes:
    return urlsafe_b64encode(raw).rstrip(b"=")


def _signature(pem: str, message: bytes) -> bytes | None:
    """Sign by RS256, or return None where the key is none: what exactly is wrong with it is nobody's to read."""
    # Imported here: it takes longer than the rest of the command line together, and few destinations need it.
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - see above
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415 - see above
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415 - see above
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 - see above
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415 - see above

    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return key.sign(message, PKCS1v15(), SHA256()) if isinstance(key, RSAPrivateKey) else None
