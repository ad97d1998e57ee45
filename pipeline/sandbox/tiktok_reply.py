"""TikTok's answers: one JSON shape for success and error, nearly always with HTTP 200.

Invariant: an answer carries codes, texts and places, never a value that the sender sent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import orjson

from pipeline.sandbox.contract import Call, Failure, Reply

OK = 0
PARTIAL_OK = 20001

MESSAGES: Mapping[int, str] = {
    PARTIAL_OK: "Partial success",
    40000: "Invalid parameters",
    40001: "No permission",
    40002: "Parameter error",
    40006: "This version is not supported",
    40016: "The request is under flow control",
    40050: "Duplicated request",
    40051: "This interface is offline",
    40061: "Invalid batch size",
    40062: "Personal data must be hashed",
    40063: "Invalid partner name",
    40100: "Requests are too frequent",
    40102: "The access token has expired",
    40104: "The access token is empty",
    40105: "The access token is not valid",
    40132: "The frequency is limited",
    40400: "There is no such interface",
    41000: "The request is blocked",
    50000: "System error",
    50002: "Service error",
    51010: "Internal service timed out",
    60001: "The system is under maintenance",
    61000: "Too many requests",
}


def success(call: Call) -> Reply:
    """Return the answer to a request whose events were all taken."""
    return Reply(200, orjson.dumps({**_body(call, OK, "OK"), "data": {}}))


def partial(call: Call) -> Reply:
    """Return the answer to a request some of whose events were taken; it does not say which."""
    return Reply(200, orjson.dumps({**_body(call, PARTIAL_OK, MESSAGES[PARTIAL_OK]), "data": {}}))


def failed(call: Call, failure: Failure) -> Reply:
    """Return the error answer for a failure: HTTP 200 unless it says otherwise, and only code and text in words."""
    message = failure.message or MESSAGES.get(failure.code, "An error occurred")
    headers = {} if failure.retry_after is None else {"Retry-After": str(failure.retry_after)}
    return Reply(failure.status or 200, orjson.dumps(_body(call, failure.code, message)), headers)


def _body(call: Call, code: int, message: str) -> dict[str, object]:
    return {"code": code, "message": message, "request_id": request_id(call)}


def request_id(call: Call) -> str:
    """Return the id of a request: the same for the same request number."""
    return hashlib.sha256(f"tiktok request {call.number}".encode()).hexdigest()[:32].upper()
