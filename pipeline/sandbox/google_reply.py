"""Google's answers: success, and errors in the shape of google.rpc.Status.

Invariant: an answer carries codes, texts and places, never a value that the sender sent.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence

import orjson

from pipeline.sandbox.contract import Call, Failure, Reply
from pipeline.sandbox.google_shape import Flaw

DOMAIN = "datamanager.googleapis.com"
TYPE = "type.googleapis.com/google.rpc."
PER_MINUTE = "IngestionMutateRequestsPerMinutePerProject"

STATUS: Mapping[int, str] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
MESSAGES: Mapping[int, str] = {
    400: "There was a problem with the request.",
    401: "Request had invalid authentication credentials.",
    403: "The caller does not have permission.",
    404: "Requested entity was not found.",
    409: "The operation was aborted.",
    429: "Quota exceeded.",
    500: "Internal error encountered.",
    503: "The service is currently unavailable.",
    504: "Deadline expired before operation could complete.",
}


def request_id(call: Call) -> str:
    """Return the id of an accepted request: the same for the same request number."""
    return str(uuid.UUID(bytes=hashlib.sha256(f"request {call.number}".encode()).digest()[:16], version=4))


def succeeded(call: Call, warnings: Sequence[Flaw]) -> Reply:
    """Return the answer to a request that was taken, with what is ignored of it."""
    body: dict[str, object] = {"requestId": request_id(call)}
    if warnings:
        body["fieldWarnings"] = [_violation(flaw) for flaw in warnings]
    return Reply(200, orjson.dumps(body))


def failed(call: Call, failure: Failure, flaws: Sequence[Flaw] = ()) -> Reply:
    """Return the error answer for a failure.

    `code` is the HTTP code, `title` another status word, `detail` the reason and `error_data` the quota that is
    used up; code 429 says the one per minute unless told otherwise.
    """
    code = failure.code
    word = failure.title or STATUS.get(code, "UNKNOWN")
    error: dict[str, object] = {
        "code": code,
        "message": failure.message or MESSAGES.get(code, "An error occurred."),
        "status": word,
        "details": _details(call, failure, word, flaws),
    }
    headers = {} if failure.retry_after is None else {"Retry-After": str(failure.retry_after)}
    if code == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="https://accounts.google.com/", error="invalid_token"'
    return Reply(failure.status or http_status(code), orjson.dumps({"error": error}), headers)


def http_status(code: int) -> int:
    """Return the HTTP status of a code: itself, or 400 for a code of another platform."""
    return code if 400 <= code <= 599 else 400


def _details(call: Call, failure: Failure, word: str, flaws: Sequence[Flaw]) -> list[dict[str, object]]:
    number = "t-" + hashlib.sha256(f"trace {call.number}".encode()).hexdigest()[:22]
    metadata = {"requestId": number}
    if failure.error_data or failure.code == 429:
        metadata["quota_limit"] = failure.error_data or PER_MINUTE
    reason = failure.detail or ("RATE_LIMIT_EXCEEDED" if failure.code == 429 else word)
    details: list[dict[str, object]] = [
        {"@type": f"{TYPE}ErrorInfo", "reason": reason, "domain": DOMAIN, "metadata": metadata},
        {"@type": f"{TYPE}RequestInfo", "requestId": number},
    ]
    if flaws:
        details.append({"@type": f"{TYPE}BadRequest", "fieldViolations": [_violation(flaw) for flaw in flaws]})
    return details


def _violation(flaw: Flaw) -> dict[str, str]:
    return {"field": flaw.path, "description": f"The field {flaw.note}.", "reason": flaw.reason}
