"""Pinterest's answers: the status of each event, errors, and the rate-limit headers.

Invariant: an answer carries codes, texts and names of fields, never a value that the sender sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson

from pipeline.sandbox.contract import Failure, Reply
from pipeline.sandbox.controls import Usage

AUTHENTICATION = 2
THROTTLED = 8
NOT_PERMITTED = 29
SOME_INVALID = 953
INVALID_REQUEST = 4196
RAMPED_DOWN = 4197
# Pinterest names no codes for these; the HTTP status stands in.
NOT_FOUND = 404
METHOD_NOT_ALLOWED = 405

STATUS: Mapping[int, int] = {
    AUTHENTICATION: 401,
    THROTTLED: 429,
    NOT_PERMITTED: 403,
    SOME_INVALID: 422,
    RAMPED_DOWN: 503,
    NOT_FOUND: 404,
    METHOD_NOT_ALLOWED: 405,
}
MESSAGES: Mapping[int, str] = {
    AUTHENTICATION: "Authentication failed.",
    THROTTLED: "This request exceeded a rate limit.",
    NOT_PERMITTED: "You are not permitted to access that resource.",
    SOME_INVALID: "The action could not be processed properly due to some or all data provided being invalid.",
    INVALID_REQUEST: "The request was invalid.",
    RAMPED_DOWN: "The endpoint has been ramped down and is currently not accepting any traffic.",
    NOT_FOUND: "Not found.",
    METHOD_NOT_ALLOWED: "Method not allowed.",
}

CALLS_PER_SECOND = 100
LIMITS = '100, 100;w=1;name="safety_net_app_id_user_id", 5000;w=60;name="ads_conversions_ad_account_id"'


@dataclass(frozen=True, slots=True)
class Row:
    """What the answer says of one event: it failed if there is an `error`."""

    error: str = ""
    warning: str = ""


PROCESSED = Row()


def answered(rows: Sequence[Row], usage: Usage, *, status: int) -> Reply:
    """Return the answer that lists every event, wrapped into an error if `status` is not 200."""
    report: dict[str, object] = {
        "num_events_received": len(rows),
        "num_events_processed": sum(not row.error for row in rows),
        "events": [
            {
                "status": "failed" if row.error else "processed",
                "error_message": row.error,
                "warning_message": row.warning,
            }
            for row in rows
        ],
    }
    body = report if status == 200 else _error(SOME_INVALID, MESSAGES[SOME_INVALID]) | {"details": report}
    return Reply(status, orjson.dumps(body), usage_headers(usage))


def shortened(reply: Reply, kept: int) -> Reply:
    """Return a success whose list, and count of processed events, end after `kept` events."""
    report = orjson.loads(reply.body)
    report |= {"num_events_processed": kept, "events": report["events"][:kept]}
    return Reply(reply.status, orjson.dumps(report), reply.headers)


def failed(failure: Failure, usage: Usage) -> Reply:
    """Return the answer that refuses a whole request; `details` of code 953 are empty, for nothing was looked at."""
    body = _error(failure.code, failure.message or MESSAGES.get(failure.code, "An unexpected error occurred."))
    if failure.code == SOME_INVALID:
        body["details"] = {}
    headers = dict(usage_headers(usage, throttled=failure.code == THROTTLED))
    if failure.retry_after is not None:
        headers["Retry-After"] = str(failure.retry_after)
    return Reply(failure.status or STATUS.get(failure.code, 400), orjson.dumps(body), headers)


def usage_headers(usage: Usage, *, throttled: bool = False) -> Mapping[str, str]:
    """Return the rate-limit headers; the limit is a structured list, and the reset is in seconds from now."""
    if usage.malformed:
        return dict.fromkeys(("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"), ";;not a number")
    remaining = 0 if throttled else CALLS_PER_SECOND * max(0, 100 - usage.load) // 100
    return {
        "x-ratelimit-limit": LIMITS,
        "x-ratelimit-remaining": str(remaining),
        "x-ratelimit-reset": str(usage.reset_seconds if throttled else 1),
    }


def _error(code: int, message: str) -> dict[str, object]:
    return {"code": code, "message": message}
