"""Snapchat's answers: one verdict for a request, and one for each event of a validation.

Invariant: an answer carries codes, texts and places, never a value that the sender sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import orjson

from pipeline.sandbox.contract import Failure, Reply
from pipeline.sandbox.snapchat_flaw import REASONS, Flaw

PROCESSED = "Events have been processed successfully."
STATUS_REASONS: Mapping[int, str] = {
    401: "The access token is not valid.",
    403: "The access token has no permission for this asset.",
    404: "The asset does not exist.",
    405: "Events are sent with POST.",
    429: "Too many requests.",
}


def success() -> Reply:
    """Return the answer to a request whose events were all taken."""
    return Reply(200, orjson.dumps({"status": "VALID", "reason": PROCESSED}))


def refused(flaw: Flaw) -> Reply:
    """Return the answer to a request that holds a bad event. It says what is wrong, and not with which event."""
    return Reply(400, orjson.dumps(_invalid(REASONS[flaw.code], flaw.code, flaw.message)))


def validated(flaws: Sequence[Flaw | None], warnings: Sequence[Sequence[str]]) -> Reply:
    """Return the answer to a validation: what is wrong with each event, or None, and what it is warned of."""
    first = next(filter(None, flaws), None)
    logs = [_log(index, flaw, told) for index, (flaw, told) in enumerate(zip(flaws, warnings, strict=True))]
    body = {
        "status": "VALID" if first is None else "INVALID",
        "test_event": True,
        "reason": PROCESSED if first is None else REASONS[first.code],
        "event_logs": logs,
    }
    return Reply(200 if first is None else 400, orjson.dumps(body))


def failed(failure: Failure, *, is_validation: bool) -> Reply:
    """Return the answer to a request that is refused whatever its events are; the code is an HTTP status."""
    status = failure.status or (failure.code if 200 <= failure.code <= 599 else 400)
    reason = failure.message or STATUS_REASONS.get(failure.code, "The request cannot be processed.")
    body: dict[str, object]
    if is_validation:
        body = {"status": "INVALID", "test_event": True, "reason": reason, "event_logs": []}
    else:
        body = _invalid(reason, failure.label, failure.detail or reason)
        if failure.error_data is not None:
            body["event"] = int(failure.error_data) if failure.error_data.isdecimal() else failure.error_data
    headers = {} if failure.retry_after is None else {"Retry-After": str(failure.retry_after)}
    return Reply(status, orjson.dumps(body), headers)


def _invalid(reason: str, code: str, message: str) -> dict[str, object]:
    return {"status": "INVALID", "reason": reason, "errors": {"codes": [code], "error_msgs": [message]}}


def _log(index: int, flaw: Flaw | None, warnings: Sequence[str]) -> dict[str, object]:
    return {
        "event": index,
        "status": "VALID" if flaw is None else "INVALID",
        "errors": {
            "codes": [] if flaw is None else [flaw.code],
            "error_msgs": [] if flaw is None else [flaw.message],
        },
        "warnings": warnings,
    }
