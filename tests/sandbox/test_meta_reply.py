"""Meta's answers."""

from __future__ import annotations

from collections.abc import Callable

import orjson
import pytest

from pipeline.sandbox.contract import Call, Failure
from pipeline.sandbox.controls import Usage
from pipeline.sandbox.meta_reply import failed, success, trace_id, usage_headers

MakeCall = Callable[..., Call]
APP, BUSINESS, ACCOUNT = "X-App-Usage", "X-Business-Use-Case-Usage", "X-Ad-Account-Usage"


def test_usage(make_call: MakeCall) -> None:
    """A success reports the load in three headers of JSON."""
    headers = success(make_call(), 1, Usage(call_count=42), "123").headers
    business = orjson.loads(headers[BUSINESS])["123"][0]

    assert 42 == orjson.loads(headers[APP])["call_count"] == business["call_count"]
    assert 42 == orjson.loads(headers[ACCOUNT])["acc_id_util_pct"]
    assert 0 == business["estimated_time_to_regain_access"]


@pytest.mark.parametrize("code", [80000, 80003, 80004, 80014])
def test_business_throttle(code: int) -> None:
    """A business throttle is at 100 % and says in minutes when access comes back."""
    entry = orjson.loads(usage_headers(Usage(regain_minutes=2), "123", code)[BUSINESS])["123"][0]

    assert (100, 2) == (entry["call_count"], entry["estimated_time_to_regain_access"])


@pytest.mark.parametrize("code", [17, 613])
def test_account_throttle(code: int) -> None:
    """An account throttle is at 100 % and says in seconds when it resets."""
    account = orjson.loads(usage_headers(Usage(reset_seconds=90), "123", code)[ACCOUNT])

    assert (100, 90) == (account["acc_id_util_pct"], account["reset_time_duration"])


def test_app_throttle() -> None:
    """An app throttle is at 100 % in the app's header only."""
    headers = usage_headers(Usage(), "123", 4)

    assert 100 == orjson.loads(headers[APP])["call_count"]
    assert 100 > orjson.loads(headers[ACCOUNT])["acc_id_util_pct"]


def test_malformed() -> None:
    """Usage headers can be sent that are not JSON."""
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(usage_headers(Usage(malformed=True), "123")[APP])


@pytest.mark.parametrize(
    ("code", "status", "transient"),
    [(1, 500, True), (2, 503, True), (4, 400, True), (190, 401, None), (368, 400, None), (9999, 400, None)],
)
def test_failures(make_call: MakeCall, code: int, status: int, transient: object) -> None:
    """A code comes with the status and the hint that belong to it, also one that nobody knows."""
    reply = failed(make_call(), Failure(code), Usage(), "123")
    error = orjson.loads(reply.body)["error"]

    assert (status, code, transient) == (reply.status, error["code"], error.get("is_transient"))
    assert {"message", "type", "code", "fbtrace_id"} <= error.keys()


def test_trace_id(make_call: MakeCall) -> None:
    """Every request has a trace id of its own."""
    assert 3 == len({trace_id(make_call(number=number)) for number in (1, 2, 3, 3)})
