"""Pinterest's replies: which of them blame an event, which blame the account, and which only ask to wait.

Sources: the vendor's API description 5.23.0, its page on rate limits, and answers seen in the field, as
docs/platforms/pinterest.md tells.
The HTTP status decides; within 200 and 422 Pinterest speaks of each event by itself.
No text of Pinterest's is passed on, as it may quote the event: of a message only the name of a known field is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from pipeline.core.model import Accepted, Advice, Doubt, Later, Mixed, NoReply, Refusal, Reply, Verdict
from pipeline.core.reason import Reason
from pipeline.platforms.reading import by_status, formed, json_object, longest, object_of, objects_of, text_of

_PROCESSED, _FAILED = "processed", "failed"
_REMARKED, _DISAGREE = "warning_message", "counters_disagree"
# The endpoint takes nothing for a while: asking every second would not bring it back.
_RAMPED_DOWN: Final = "4197"
_RAMPED_DOWN_SECONDS: Final = 60.0

# The one form of message that was seen: a field, and for a time that it is too old.
_MESSAGE: Final = re.compile(r"Invalid ([a-z_]{1,32}) parameter\b(\. Given timestamp is in the past\b)?").match
# What the API description calls the fields of an event; `event_timestamp` is what messages call its time.
_FIELDS: Final = frozenset(
    "event_name action_source event_time event_timestamp event_id event_source_url opt_out user_data custom_data "
    "app_id app_name app_version os_version language "
    "em ph fn ln db ge ct st zp country external_id hashed_maids client_ip_address client_user_agent click_id "
    "currency value content_ids contents num_items order_id search_string predicted_ltv opt_out_type "
    "id item_name item_category item_brand item_price quantity".split()
)

# A request id is the one text of Pinterest's that is passed on, so it has to look like one.
_REQUEST_ID: Final = re.compile("[0-9A-Za-z-]{1,64}").fullmatch

# The first number of a header that may be a structured list: `100, 100;w=1;name="..."`.
_FIRST: Final = re.compile(r"\s*([0-9]{1,15}(?:\.[0-9]{1,9})?)\s*(?:[,;]|$)").match
# No page gives the unit of the reset: as seconds from now this would be 31 years, so it is a time of the clock.
_EPOCH_FROM: Final = 1e9
_SLOW_BELOW: Final = 0.25
_SLOW_FACTOR: Final = 0.5
# The shortest window that the headers name is a second.
_SHORTEST_WINDOW: Final = 1.0


def read(reply: Reply | NoReply, count: int) -> Verdict:
    """Return the verdict on a batch of `count` events. Total: any bytes give one."""
    if isinstance(reply, NoReply):
        return Later(Reason.OUTAGE, reply.cause)
    answer = json_object(reply.body)
    code = _code(answer)
    if reply.status == 200 and ("events" in answer or "num_events_received" in answer):
        return _read_success(reply, answer, count)
    if reply.status == 422 and (code or "details" in answer):
        return _read_failure(reply, answer, code, count)
    return _read_error(reply, code)


def _read_success(reply: Reply, answer: Mapping[str, object], count: int) -> Verdict:
    if "events" not in answer and _counters(answer) == (count, count):
        return Accepted()
    events = _judged(answer, count)
    if events:
        refused, warnings = _refused(reply, events, ""), _warnings(answer, events)
        return Mixed(refused, warnings) if refused else Accepted(warnings=warnings)
    # Some were taken and nobody knows which; sending all again would count offline events twice.
    detail = f"Pinterest did not say what became of each of {count} events, HTTP 200"
    return Mixed(dict.fromkeys(range(count), _refusal(reply, Reason.UNCONFIRMED, detail)))


def _read_failure(reply: Reply, answer: Mapping[str, object], code: str, count: int) -> Verdict:
    details = object_of(answer.get("details"))
    events = _judged(details, count)
    refused = _refused(reply, events, code)
    if refused:
        return Mixed(refused, _warnings(details, events))
    detail = f"Pinterest refused the request and named no event for sure ({_said(reply, code)})"
    return Doubt(_refusal(reply, Reason.REJECTED, detail, code))


def _judged(report: Mapping[str, object], count: int) -> list[Mapping[str, object]]:
    """Return what a report says of each event; empty if it does not say of each of `count` what became of it."""
    rows = report.get("events")
    events = list(objects_of(rows))
    if not isinstance(rows, list) or not len(rows) == len(events) == count:
        return []
    return events if all(event.get("status") in (_PROCESSED, _FAILED) for event in events) else []


def _refused(reply: Reply, events: Sequence[Mapping[str, object]], code: str) -> dict[int, Refusal]:
    return {
        position: _blamed(reply, text_of(event.get("error_message")), code)
        for position, event in enumerate(events)
        if event["status"] == _FAILED
    }


def _warnings(report: Mapping[str, object], events: Sequence[Mapping[str, object]]) -> dict[str, int]:
    """Count what Pinterest remarks about events, and counters that say something else than the list, which is believed.

    A counter that is not there says nothing else.
    """
    processed = sum(event["status"] == _PROCESSED for event in events)
    remarked = sum(bool(text_of(event.get("warning_message"))) for event in events if event["status"] == _PROCESSED)
    told = zip(_counters(report), (len(events), processed), strict=True)
    counted = {_REMARKED: remarked, _DISAGREE: int(any(given not in (None, true) for given, true in told))}
    return {name: number for name, number in counted.items() if number}


def _counters(report: Mapping[str, object]) -> tuple[object, object]:
    return report.get("num_events_received"), report.get("num_events_processed")


def _blamed(reply: Reply, message: str, code: str) -> Refusal:
    found = _MESSAGE(message)
    named = found[1] if found and found[1] in _FIELDS else ""
    about = f": {named}" if named else ""
    if found and found[2]:
        return _refusal(reply, Reason.EXPIRED, f"Pinterest finds the event too old{about}", code, named)
    return _refusal(reply, Reason.REJECTED, f"Pinterest refused the event{about}", code, named)


def _refusal(reply: Reply, reason: Reason, detail: str, code: str = "", field: str = "") -> Refusal:
    trace = formed(_REQUEST_ID, reply.headers.get("x-pinterest-rid"))
    return Refusal(reason, detail, code, field, reply.status, trace)


def _read_error(reply: Reply, code: str) -> Verdict:
    detail = _said(reply, code)
    if reply.status == 413:
        return Doubt(_refusal(reply, Reason.OVERSIZE, "the request is too large for Pinterest", code))
    if reply.status == 400 and code:
        return Doubt(_refusal(reply, Reason.REJECTED, f"Pinterest refused the request ({detail})", code))
    wait = _wait(reply)
    verdict = by_status(reply, "Pinterest", detail, wait)
    if verdict is None:
        return Later(Reason.UNKNOWN_ANSWER, detail, blame=_refusal(reply, Reason.REJECTED, detail, code))
    if isinstance(verdict, Later) and verdict.reason is Reason.OUTAGE:
        return replace(verdict, wait=wait or (_RAMPED_DOWN_SECONDS if code == _RAMPED_DOWN else None))
    return verdict


def _said(reply: Reply, code: str) -> str:
    if code:
        return f"Pinterest error {code}, HTTP {reply.status}"
    return f"HTTP {reply.status} without an answer in Pinterest's form"


def advice(reply: Reply) -> Advice:
    """Return what the rate limit headers ask for; headers that cannot be read ask for nothing."""
    limit, left = _first(reply, "x-ratelimit-limit"), _first(reply, "x-ratelimit-remaining")
    if left == 0:
        return Advice(_SLOW_FACTOR, _wait(reply) or _SHORTEST_WINDOW)
    if limit and left is not None and left <= limit * _SLOW_BELOW:
        return Advice(_SLOW_FACTOR)
    return Advice()


def _wait(reply: Reply) -> float | None:
    """Return the longest wait that a header asks for, in seconds; None if none does."""
    return longest([_first(reply, "retry-after") or 0.0, _reset(reply)])


def _reset(reply: Reply) -> float:
    """Return the seconds until the limit is whole again; a time of the clock is read by the answer's own date."""
    reset = _first(reply, "x-ratelimit-reset") or 0.0
    if reset < _EPOCH_FROM:
        return reset
    try:
        sent = datetime.strptime(reply.headers.get("date", ""), "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
    except ValueError:
        return 0.0
    return reset - sent.timestamp()


def _first(reply: Reply, name: str) -> float | None:
    found = _FIRST(reply.headers.get(name, ""))
    return float(found[1]) if found else None


def _code(answer: Mapping[str, object]) -> str:
    code = answer.get("code")
    return str(code) if type(code) is int else ""
