"""The two issuers of access tokens: Google's OAuth endpoint for service accounts, and the metadata server of GKE.

Invariant: the number of tokens remembered is bounded; one that is forgotten is no longer let in.
"""

from __future__ import annotations

from typing import Literal

import orjson

from pipeline.sandbox.contract import Call, Failure, Reply, Verdict
from pipeline.sandbox.controls import Access, TokenState
from pipeline.sandbox.google_jwt import SCOPE, assertion_flaw
from pipeline.sandbox.google_outcome import GoogleKnobs
from pipeline.sandbox.google_reply import http_status

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
FLAVOR = {"Metadata-Flavor": "Google"}
PREFIX = "ya29.sandbox-"
LIMIT = 1000

# Error words of the OAuth endpoint by HTTP code; a refused credential is a 400 there.
WORDS = {
    400: "invalid_grant",
    401: "invalid_grant",
    429: "rate_limit_exceeded",
    500: "internal_failure",
    503: "temporarily_unavailable",
}


class Tokens:
    """Issues tokens and knows their state."""

    def __init__(self, access: Access, knobs: GoogleKnobs) -> None:
        self._access = access
        self._knobs = knobs
        self._issued: dict[str, tuple[float, bool]] = {}
        self._number = 0

    def state(self, token: str, now: float) -> TokenState | Literal["out of scope"]:
        """Say what is known of a token: of one issued here, or of those that were let in from the start."""
        named = self._access.token_state(token)
        if named in ("missing", "expired", "revoked"):
            return named
        if token in self._issued:
            ends, in_scope = self._issued[token]
            if now >= ends:
                return "expired"
            return "valid" if in_scope else "out of scope"
        return "unknown" if token.startswith(PREFIX) else named

    def exchange(self, call: Call, now: float) -> Verdict:
        """Answer `POST /token`: a form with the grant type and a signed assertion."""
        if call.method != "POST" or call.form is None:
            return _refused(400, "invalid_request", "send a form with POST")
        if call.form.get("grant_type") != GRANT:
            return _refused(400, "unsupported_grant_type", "the grant type must be that of RFC 7523")
        wrong = assertion_flaw(call.form.get("assertion", ""), self._knobs.key, now)
        if wrong is not None:
            return _refused(400, "invalid_scope" if wrong.startswith("scope") else "invalid_grant", wrong)
        return Verdict(Reply(200, self._issue(now, in_scope=True)))

    def metadata(self, call: Call, now: float) -> Verdict:
        """Answer the metadata server's token address; a token for other scopes is issued, and let in nowhere."""
        if call.headers.get("Metadata-Flavor") != "Google":
            return _plain(403, "Missing required header Metadata-Flavor: Google")
        account = call.path.get("account", "")
        if call.method != "GET" or (account != "default" and "@" not in account):
            return _plain(404, "Not found")
        in_scope = SCOPE in call.query.get("scopes", "").split(",")
        return Verdict(Reply(200, self._issue(now, in_scope=in_scope), FLAVOR))

    def _issue(self, now: float, *, in_scope: bool) -> bytes:
        self._number += 1
        token = f"{PREFIX}{self._number}"
        self._issued[token] = (now + self._knobs.token_s, in_scope)
        if len(self._issued) > LIMIT:
            del self._issued[next(iter(self._issued))]
        return orjson.dumps({"access_token": token, "expires_in": self._knobs.token_s, "token_type": "Bearer"})


def exchange_failed(failure: Failure) -> Reply:
    """Return the OAuth endpoint's error answer for an injected failure."""
    word = WORDS.get(failure.code, "server_error")
    body = {"error": word, "error_description": failure.message or "The request was refused."}
    status = 400 if word == "invalid_grant" else http_status(failure.code)
    headers = {} if failure.retry_after is None else {"Retry-After": str(failure.retry_after)}
    return Reply(failure.status or status, orjson.dumps(body), headers)


def metadata_failed(failure: Failure) -> Reply:
    """Return the metadata server's error answer for an injected failure."""
    return Reply(failure.status or http_status(failure.code), b"Error\n", FLAVOR, "text/plain; charset=utf-8")


def _refused(status: int, word: str, description: str) -> Verdict:
    body = orjson.dumps({"error": word, "error_description": description})
    return Verdict(Reply(status, body), label=f"{status}/{word}")


def _plain(status: int, text: str) -> Verdict:
    return Verdict(Reply(status, f"{text}\n".encode(), FLAVOR, "text/plain; charset=utf-8"), label=f"{status}/metadata")
