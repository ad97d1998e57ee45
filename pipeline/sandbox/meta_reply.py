"""Meta's answers: success, errors in the Graph API's shape, and the usage headers.

Invariant: an answer carries codes, texts and places, never a value that the sender sent.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

import orjson

from pipeline.sandbox.contract import Call, Failure, Reply
from pipeline.sandbox.controls import Usage

APP_LIMIT = frozenset((4, 32))
ACCOUNT_LIMIT = frozenset((17, 613))
BUSINESS_LIMIT = frozenset(range(80000, 80015))

# Where the HTTP status differs from 400. 401 for 190 was seen in live answers; the others are our assumption.
STATUS: Mapping[int, int] = {1: 500, 2: 503, 3: 403, 10: 403, 102: 401, 104: 401, 190: 401, 200: 403, 294: 403}
TRANSIENT = frozenset((1, 2, 4))
# Requests that name something which is not there: the Graph API gives them a type of their own.
UNSUPPORTED = frozenset(((100, 33), (100, 34)))

MESSAGES: Mapping[int, str] = {
    1: "An unknown error occurred",
    2: "Service temporarily unavailable",
    3: "(#3) Application does not have the capability to make this API call.",
    4: "(#4) Application request limit reached",
    10: "(#10) Application does not have permission for this action",
    17: "(#17) User request limit reached",
    32: "(#32) Page request limit reached",
    100: "Invalid parameter",
    102: "Session key invalid or no longer valid",
    104: "Incorrect signature",
    190: "Error validating access token",
    200: "(#200) Permissions error",
    368: "The action attempted has been deemed abusive or is otherwise disallowed",
    613: "(#613) Calls to this api have exceeded the rate limit.",
    2500: "Unknown path components",
}


def success(call: Call, events: int, usage: Usage, dataset: str) -> Reply:
    """Return the answer to a request whose events were all taken."""
    body = {"events_received": events, "messages": [], "fbtrace_id": trace_id(call)}
    return Reply(200, orjson.dumps(body), usage_headers(usage, dataset))


def failed(call: Call, failure: Failure, usage: Usage, dataset: str) -> Reply:
    """Return the error answer for a failure, with usage headers at 100 % when its code is a throttle."""
    code, subcode = failure.code, failure.subcode
    error: dict[str, object] = {
        "message": failure.message or MESSAGES.get(code, f"(#{code}) An error occurred"),
        "type": "GraphMethodException" if (code, subcode) in UNSUPPORTED else "OAuthException",
        "code": code,
    }
    optional: dict[str, object] = {
        "error_subcode": subcode,
        "is_transient": True if failure.transient is None and code in TRANSIENT else failure.transient,
        "error_user_title": failure.title,
        "error_user_msg": failure.detail,
        "error_data": failure.error_data,
    }
    error |= {key: value for key, value in optional.items() if value is not None}
    error["fbtrace_id"] = trace_id(call)
    headers = dict(usage_headers(usage, dataset, code))
    if failure.retry_after is not None:
        headers["Retry-After"] = str(failure.retry_after)
    if code == 190:
        headers["WWW-Authenticate"] = f'OAuth "Facebook Platform" "invalid_token" "{error["message"]}"'
    return Reply(failure.status or STATUS.get(code, 400), orjson.dumps({"error": error}), headers)


def trace_id(call: Call) -> str:
    """Return the trace id of a request: the same for the same request number."""
    digest = hashlib.sha256(f"trace {call.number}".encode()).digest()
    return "A" + base64.urlsafe_b64encode(digest)[:22].decode()


def usage_headers(usage: Usage, dataset: str, code: int = 0) -> Mapping[str, str]:
    """Return the three usage headers; the one that a throttling `code` belongs to says 100 % and how long."""
    if usage.malformed:
        return dict.fromkeys(("X-App-Usage", "X-Business-Use-Case-Usage", "X-Ad-Account-Usage"), "{not json")
    business = code in BUSINESS_LIMIT
    account = code in ACCOUNT_LIMIT
    return {
        "X-App-Usage": _json(
            {
                "call_count": 100 if code in APP_LIMIT else usage.load,
                "total_time": usage.total_time,
                "total_cputime": usage.total_cputime,
            }
        ),
        "X-Business-Use-Case-Usage": _json({dataset or "0": [_use_case(usage, throttled=business)]}),
        "X-Ad-Account-Usage": _json(
            {
                "acc_id_util_pct": 100 if account else usage.load,
                "reset_time_duration": usage.reset_seconds if account else 0,
                "ads_api_access_tier": "standard_access",
            }
        ),
    }


def _use_case(usage: Usage, *, throttled: bool) -> dict[str, object]:
    return {
        "type": "ads_management",
        "call_count": 100 if throttled else usage.load,
        "total_cputime": usage.total_cputime,
        "total_time": usage.total_time,
        "estimated_time_to_regain_access": usage.regain_minutes if throttled else 0,
        "ads_api_access_tier": "standard_access",
    }


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
