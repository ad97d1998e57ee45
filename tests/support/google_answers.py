"""Google's answers for tests, as its pages describe them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from pipeline.core.model import Reply

REQUEST_ID = "t-9aXk_2-7"
MINUTE = "IngestionMutateRequestsPerMinutePerProject"
DAY = "IngestionMutateRequestsPerDayPerProject"


def answer(status: int, document: object, **headers: str) -> Reply:
    """Return an answer with a JSON body."""
    return Reply(status, headers, orjson.dumps(document))


def error(http: int, status: str = "", *details: Mapping[str, Any], **headers: str) -> Reply:
    """Return an error in Google's form, with the id of the request."""
    told = {"code": http, "message": "jane@example.com is wrong", "status": status, "details": [*details]}
    told["details"].append({"@type": "type.googleapis.com/google.rpc.RequestInfo", "requestId": REQUEST_ID})
    return answer(http, {"error": told}, **headers)


def violations(*given: tuple[str, str]) -> dict[str, Any]:
    """Return google.rpc.BadRequest with violations by field and reason."""
    told = [{"field": field, "reason": reason, "description": "jane@example.com"} for field, reason in given]
    return {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": told}


def bad(*given: tuple[str, str]) -> Reply:
    """Return a refusal of a request that names fields."""
    return error(400, "INVALID_ARGUMENT", violations(*given))


def info(reason: str = "", **metadata: str) -> dict[str, Any]:
    """Return google.rpc.ErrorInfo."""
    return {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "metadata": metadata}
