"""The issuers of Google's tokens."""

from __future__ import annotations

import pytest
from google_calls import EVENT, NOW, PUBLIC_KEY, SCOPE, assertion, body, call, form, request

from pipeline.sandbox.contract import Verdict
from pipeline.sandbox.controls import Access, Controls
from pipeline.sandbox.google import METADATA, TOKEN, Google
from pipeline.sandbox.google_jwt import rsa_key
from pipeline.sandbox.google_outcome import GoogleKnobs
from pipeline.sandbox.google_token import LIMIT

FLAVOR = {"Metadata-Flavor": "Google"}
# What `openssl dgst -sha256 -sign` made of the text "a.b" with the tests' private key.
BY_OPENSSL = bytes.fromhex(
    "039189d0d1ff8b59b0226541e9f66103677a72d5f008ea26c7b562b7bfed49c3"
    "a08c2bdb6668b5684e4a50725208df4b877834c95c0371a6589106cb2756bb8a"
    "834a87396a17dab3dae7c15e388083f7a9d7a253644cb8e73f10a31cd3aa8514"
    "28d3031487d5eff08a15006afa1e2a38cc2af40a5850b92ac40a57da02864b26"
)


def exchange(side: Google, now: float = NOW, **fields: str) -> Verdict:
    """Return the answer to a service account that asks for a token."""
    return side.judge(call(route=TOKEN, form=form(**fields), body=b""), now)


def metadata(side: Google, **parts: object) -> Verdict:
    """Return the metadata server's answer; keyword arguments replace parts of the call."""
    usual: dict[str, object] = {
        "route": METADATA,
        "method": "GET",
        "path": {"account": "default"},
        "headers": FLAVOR,
        "query": {"scopes": SCOPE},
    }
    return side.judge(call(**{**usual, **parts}), NOW)


def send(side: Google, verdict: Verdict, now: float = NOW) -> int:
    """Send a valid event with the token that was issued; return the HTTP status."""
    token = body(verdict)["access_token"]
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    return side.judge(call(request(EVENT), headers=headers), now).reply.status


def test_exchange() -> None:
    """A service account gets a token of the sandbox, with its life, and events are taken with it."""
    side = Google(Controls(Access(frozenset(["good"]))), GoogleKnobs(token_s=1200))
    verdict = exchange(side)
    answer = body(verdict)

    assert {"access_token": "ya29.sandbox-1", "expires_in": 1200, "token_type": "Bearer"} == answer
    assert [200, 200, 401] == [send(side, verdict, NOW + later) for later in (0, 1199, 1200)]


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"grant_type": "refresh_token"}, "unsupported_grant_type"),
        ({"assertion": ""}, "invalid_grant"),
        ({"assertion": "a.b"}, "invalid_grant"),
        ({"assertion": "a.b.c"}, "invalid_grant"),
        ({"assertion": "é.b.c"}, "invalid_grant"),
        ({"assertion": assertion(signature=b"")}, "invalid_grant"),
        ({"assertion": assertion(header={"alg": "HS256"})}, "invalid_grant"),
        ({"assertion": assertion(header={"typ": None})}, "invalid_grant"),
        ({"assertion": assertion(iss="")}, "invalid_grant"),
        ({"assertion": assertion(aud="http://127.0.0.1:8090/")}, "invalid_grant"),
        ({"assertion": assertion(scope="https://www.googleapis.com/auth/adwords")}, "invalid_scope"),
        ({"assertion": assertion(exp=int(NOW) + 3601)}, "invalid_grant"),
        ({"assertion": assertion(exp=int(NOW) - 1)}, "invalid_grant"),
        ({"assertion": assertion(iat=NOW)}, "invalid_grant"),
        ({"assertion": assertion(iat=int(NOW) - 3600, exp=int(NOW))}, "invalid_grant"),
        ({"assertion": assertion(iat=int(NOW) + 301)}, "invalid_grant"),
    ],
)
def test_refused_assertions(fields: dict[str, str], word: str) -> None:
    """Grant type, header, claims and times of an assertion must be as RFC 7523 and Google want them."""
    verdict = exchange(Google(Controls(), GoogleKnobs()), **fields)

    assert (400, word, f"400/{word}") == (verdict.reply.status, body(verdict)["error"], verdict.label)


@pytest.mark.parametrize(("method", "given"), [("GET", form()), ("POST", None)])
def test_exchange_wants_a_form(method: str, given: dict[str, str] | None) -> None:
    """A token is asked for with POST and a form."""
    verdict = Google(Controls(), GoogleKnobs()).judge(call(route=TOKEN, method=method, form=given), NOW)

    assert "invalid_request" == body(verdict)["error"]


def test_signature_of_openssl() -> None:
    """A signature that OpenSSL made is verified, and no other."""
    key = rsa_key(PUBLIC_KEY)

    assert [True, False, False, False, False] == [
        key.verifies(BY_OPENSSL, b"a.b"),
        key.verifies(BY_OPENSSL, b"a.c"),
        key.verifies(BY_OPENSSL[:-1] + b"\x00", b"a.b"),
        key.verifies(BY_OPENSSL[1:], b"a.b"),
        key.verifies(b"\x00" + BY_OPENSSL, b"a.b"),
    ]


@pytest.mark.parametrize(("signature", "status"), [(None, 200), (b"\x01" * 128, 400), (b"\x01", 400)])
def test_signature(signature: bytes | None, status: int) -> None:
    """With a public key the signature must fit; without one any signature will do."""
    signed = assertion(signature=signature)
    knobs = GoogleKnobs(key=rsa_key(PUBLIC_KEY))

    assert status == exchange(Google(Controls(), knobs), assertion=signed).reply.status
    assert 200 == exchange(Google(Controls(), GoogleKnobs()), assertion=signed).reply.status


@pytest.mark.parametrize(
    "pem",
    [
        "",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        "-----BEGIN PUBLIC KEY-----\n!\n-----END PUBLIC KEY-----",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----",
        "\n".join([*PUBLIC_KEY.splitlines()[:2], "-----END PUBLIC KEY-----"]),
    ],
)
def test_refused_keys(pem: str) -> None:
    """What is no public RSA key in PEM is refused."""
    with pytest.raises(ValueError, match="key: "):
        rsa_key(pem)


@pytest.mark.parametrize("account", ["default", "worker@project.iam.gserviceaccount.com"])
def test_metadata(account: str) -> None:
    """The metadata server gives a token with which events are taken."""
    side = Google(Controls(Access(frozenset(["good"]))), GoogleKnobs())
    verdict = metadata(side, path={"account": account})

    assert (200, "Google", 3600) == (
        verdict.reply.status,
        verdict.reply.headers["Metadata-Flavor"],
        body(verdict)["expires_in"],
    )
    assert 200 == send(side, verdict)


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ({"headers": {}}, 403),
        ({"headers": {"Metadata-Flavor": "google"}}, 403),
        ({"path": {"account": "other"}}, 404),
        ({"method": "POST"}, 404),
    ],
)
def test_refused_metadata(parts: dict[str, object], status: int) -> None:
    """The metadata server wants its header, GET and an account that exists."""
    assert status == metadata(Google(Controls(), GoogleKnobs()), **parts).reply.status


@pytest.mark.parametrize("query", [{}, {"scopes": "https://www.googleapis.com/auth/cloud-platform"}])
def test_scope(query: dict[str, str]) -> None:
    """A token that was not asked for the datamanager scope is issued, and refused with 403."""
    side = Google(Controls(), GoogleKnobs())

    assert 403 == send(side, metadata(side, query=query))


def test_revoked() -> None:
    """A token that is revoked is refused, and a new one is let in."""
    controls = Controls()
    side = Google(controls, GoogleKnobs())
    first = exchange(side)
    controls.access.replace({"revoked": ["ya29.sandbox-1"]})

    assert [401, 200] == [send(side, first), send(side, exchange(side))]


def test_foreign_tokens() -> None:
    """A token of an earlier run, or one that was forgotten, is refused even where every token is let in."""
    side = Google(Controls(), GoogleKnobs())
    first, *_, last = [exchange(side) for _ in range(LIMIT + 1)]

    assert [401, 200] == [send(side, first), send(side, last)]
