"""How a Google destination gets its access token."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.hashes import SHA256
from google_events import google, options
from google_keys import EMAIL, key_file, pem, rsa_key
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.model import Halt, Later, NoReply, Reply, Request
from pipeline.core.reason import Reason
from pipeline.platforms.base import Token
from pipeline.platforms.google_token import LIFETIME, SCOPE, TOKEN_URL, ServiceAccountGrant

UNIX = 1_795_262_400.75


def asked(secrets: dict[str, str], **changes: Any) -> Request:  # noqa: ANN401 - the options check them
    """Return the request for a token."""
    written = google(options(**changes)).grant().request(secrets, unix=UNIX)
    assert isinstance(written, Request), written
    return written


def decoded(part: str) -> dict[str, Any]:
    """Return a part of an assertion, read back."""
    document: dict[str, Any] = json.loads(urlsafe_b64decode(part + "=="))
    return document


def test_c21_assertion() -> None:
    """The assertion has the header and the claims of Google's own library, and the key's signature."""
    written = asked(key_file())
    form = parse_qs(written.body.decode(), strict_parsing=True)
    header, claims, signature = form["assertion"][0].split(".")
    rsa_key().public_key().verify(
        urlsafe_b64decode(signature + "=="), f"{header}.{claims}".encode(), padding.PKCS1v15(), SHA256()
    )

    assert {"alg": "RS256", "typ": "JWT", "kid": "kid-1"} == decoded(header)
    assert {
        "iss": EMAIL,
        "scope": SCOPE,
        "aud": TOKEN_URL,
        "iat": int(UNIX),
        "exp": int(UNIX) + LIFETIME,
    } == decoded(claims)
    assert ["urn:ietf:params:oauth:grant-type:jwt-bearer"] == form["grant_type"]
    assert ("POST", TOKEN_URL) == (written.method, written.url)
    assert "application/x-www-form-urlencoded" == written.headers["Content-Type"]


def test_token_url() -> None:
    """The key file names where tokens are given; the option wins, also as the audience."""
    elsewhere = asked(key_file(), token_url="http://127.0.0.1:9/token")
    _, claims, _ = parse_qs(elsewhere.body.decode())["assertion"][0].split(".")

    assert "http://127.0.0.1:9/token" == elsewhere.url == decoded(claims)["aud"]
    assert "https://other.example/token" == asked(key_file(token_uri="https://other.example/token")).url
    assert TOKEN_URL == asked(key_file(token_uri=None)).url


def test_key_without_an_id() -> None:
    """A key file that names no key id gets a header without one."""
    form = parse_qs(asked(key_file(private_key_id=None)).body.decode())

    assert "kid" not in decoded(form["assertion"][0].split(".")[0])


@pytest.mark.parametrize(
    "secrets",
    [
        {"service_account": "ya29.no-key-file"},
        {"service_account": ""},
        {},
        {"service_account": "[]"},
        {"service_account": "\udcff"},
        key_file(client_email=None),
        key_file(private_key=7),
        key_file(private_key="-----BEGIN PRIVATE KEY-----\nMIIEv"),
        key_file(private_key="\udcff"),
        key_file(private_key=pem(ec.generate_private_key(ec.SECP256R1()))),
        key_file(token_uri="oauth2"),
        key_file(token_uri=7),
    ],
)
def test_no_key_file(secrets: dict[str, str]) -> None:
    """A secret that is no key file stops the lane, and nothing of it is told."""
    halt = google().grant().request(secrets, unix=UNIX)
    assert isinstance(halt, Halt)

    assert Reason.UNAUTHORIZED == halt.reason
    assert not [text for text in ("ya29", EMAIL, "MIIE", "kid-1") if text in repr(halt)]


def test_nothing_is_shown() -> None:
    """Neither the request nor the token shows what it holds."""
    shown = repr(asked(key_file())) + repr(Token("ya29.secret", 3600.0)) + repr(ServiceAccountGrant())

    assert not [text for text in ("assertion", "ya29", EMAIL) if text in shown]


def test_metadata_server() -> None:
    """On Google Cloud the machine's own account is asked for a token of this scope, with the header that it wants."""
    written = asked({}, credentials="metadata_server", metadata_url="http://127.0.0.1:9/")
    address = urlsplit(written.url)

    assert ("GET", {"Metadata-Flavor": "Google"}, b"") == (written.method, written.headers, written.body)
    assert "/computeMetadata/v1/instance/service-accounts/default/token" == address.path
    assert {"scopes": [SCOPE]} == parse_qs(address.query)


@pytest.mark.parametrize("credentials", ["service_account", "metadata_server"])
def test_granted(credentials: str) -> None:
    """A token comes with its lifetime."""
    reply = Reply(200, {}, b'{"access_token":"ya29.a","expires_in":3599,"token_type":"Bearer"}')

    assert Token("ya29.a", 3599.0) == google(options(credentials=credentials)).grant().read(reply)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (NoReply("no answer within 30 s"), Later(Reason.OUTAGE, "token: no answer within 30 s")),
        (Reply(200, {}, b"{}"), Later(Reason.OUTAGE, "token: HTTP 200 without a token")),
        (Reply(200, {}, b"<html>"), Later(Reason.OUTAGE, "token: HTTP 200 without a token")),
        (
            Reply(200, {}, b'{"access_token":"a\\r\\nX: y","expires_in":1}'),
            Later(Reason.OUTAGE, "token: HTTP 200 without a token"),
        ),
        (
            Reply(200, {}, b'{"access_token":"a","expires_in":0}'),
            Later(Reason.OUTAGE, "token: HTTP 200 without a token"),
        ),
        (
            Reply(200, {}, b'{"access_token":"a","expires_in":"1"}'),
            Later(Reason.OUTAGE, "token: HTTP 200 without a token"),
        ),
        (
            Reply(200, {}, b'{"access_token":"a","expires_in":1,"error":"odd"}'),
            Later(Reason.OUTAGE, "token: HTTP 200, odd"),
        ),
        (Reply(429, {}, b"{}"), Later(Reason.THROTTLED, "token: HTTP 429")),
        (Reply(408, {}, b""), Later(Reason.OUTAGE, "token: HTTP 408")),
        (Reply(500, {}, b""), Later(Reason.OUTAGE, "token: HTTP 500")),
        (Reply(503, {}, b"<html>"), Later(Reason.OUTAGE, "token: HTTP 503")),
        (
            Reply(400, {}, b'{"error":"server_error"}'),
            Later(Reason.OUTAGE, "token: HTTP 400, server_error"),
        ),
        (
            Reply(400, {}, b'{"error":"temporarily_unavailable"}'),
            Later(Reason.OUTAGE, "token: HTTP 400, temporarily_unavailable"),
        ),
        (
            Reply(400, {}, b'{"error":"internal_failure"}'),
            Later(Reason.OUTAGE, "token: HTTP 400, internal_failure"),
        ),
        (
            Reply(400, {}, b'{"error":"invalid_grant","error_description":"sender@project"}'),
            Halt(Reason.UNAUTHORIZED, "token: HTTP 400, invalid_grant"),
        ),
        (Reply(401, {}, b'{"error":"jane@example.com"}'), Halt(Reason.UNAUTHORIZED, "token: HTTP 401")),
        (Reply(404, {}, b""), Halt(Reason.UNAUTHORIZED, "token: HTTP 404")),
        (Reply(302, {}, b""), Halt(Reason.UNAUTHORIZED, "token: HTTP 302")),
    ],
)
def test_c21_no_token(reply: Reply | NoReply, expected: Later | Halt) -> None:
    """An outage of the token endpoint is waited out; a refusal of it stops the lane, in codes and no text."""
    assert expected == google().grant().read(reply)


@given(
    status=st.integers(100, 599),
    answer=st.binary(max_size=60)
    | st.dictionaries(
        st.sampled_from(["access_token", "expires_in", "error"]), st.none() | st.integers() | st.floats() | st.text()
    ).map(lambda given: json.dumps(given).encode()),
)
def test_any_answer_is_read(status: int, answer: bytes) -> None:
    """Whatever the token endpoint answers, there is a token, a wait or a halt; a token needs HTTP 200."""
    found = google().grant().read(Reply(status, {}, answer))

    assert isinstance(found, (Token, Later, Halt))
    assert not isinstance(found, Token) or status == 200
