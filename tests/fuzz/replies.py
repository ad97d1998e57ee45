"""Replies: any status, headers and body for a batch of any size give what the road can obey, on every platform."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import orjson
from draws import Draws
from google_events import google
from meta_events import meta
from pinterest_events import pinterest
from promises import promise, tells_nothing
from snapchat_events import snapchat
from tiktok_events import tiktok

from pipeline.core.model import Accepted, Blamed, Doubt, Halt, Later, Mixed, NoReply, Refusal, Reply, Verdict
from pipeline.core.reason import Reason
from pipeline.platforms.base import Platform, Token
from pipeline.platforms.follow import Again, Bury, Pending
from pipeline.platforms.follow import Final as Decided
from pipeline.platforms.google_status import GoogleFollowing

PLATFORMS: Final[Sequence[Platform]] = (meta(), tiktok(), pinterest(), snapchat(), google())
GRANT: Final = google().grant()
FOLLOWING: Final = GoogleFollowing(google().destination)
MOST_WAIT: Final = 3600.0
_STATUSES: Final = (200, 400, 401, 403, 404, 408, 413, 429, 500, 502, 503, 301, 204, 100, 0)
_CODES: Final = (
    *(0, 1, 2, 3, 4, 10, 17, 32, 33, 34, 100, 102, 104, 105, 190, 200, 299, 341, 368, 613, 803, 2500, 2635, 5000),
    *(21009, 80000, 80014, 1404078, 2859015, 2804003, 2804009, 2804019, 2804050, 2804118, 2804132, -1, 2**63, True),
)
_USAGE: Final = (
    *("x-app-usage", "x-business-use-case-usage", "x-ad-account-usage", "retry-after", "content-type"),
    *("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "x-pinterest-rid", "date"),
)
_MEASURES: Final = (
    *("call_count", "total_time", "total_cputime", "acc_id_util_pct"),
    *("estimated_time_to_regain_access", "reset_time_duration", "type"),
)
_DATE: Final = "Sat, 21 Nov 2026 12:00:00 GMT"
_NUMBERS: Final = (0, 74.9, 75, 89, 90, 100, 10**18, -1, -0.5, 1e308, None, True, "90", [90], {"call_count": 90})
_MESSAGES: Final = ("$['data'][3]['user_data']", "[data][0]", "['data'][99999]", 'data["data"][1]', "[data][\u0663]")
_TIKTOK_CODES: Final = (
    0,
    20001,
    40002,
    40050,
    40061,
    40062,
    40100,
    40102,
    40001,
    41000,
    40016,
    40110,
    50000,
    60001,
    7,
    -1,
)
_TIKTOK_MESSAGES: Final = ("data.3.user", "event_source_id", "Batch.9999.x", "data[0]: x", "'data.1'", "batch.\u0663")
_PINTEREST_MESSAGES: Final = (
    *(
        "Invalid em parameter.",
        "Invalid jane parameter.",
        "Invalid event_time parameter. Given timestamp is in the past",
    ),
    None,
)
_GOOGLE_WORDS: Final = (
    *("INVALID_ARGUMENT", "RESOURCE_EXHAUSTED", "UNAUTHENTICATED", "FAILED_PRECONDITION", "UNAVAILABLE", "NOT_FOUND"),
    *("TOO_MANY_EVENTS", "NO_IDENTIFIERS_PROVIDED", "INVALID_DESTINATION", "CONVERSION_ACTION_TOO_RECENTLY_CREATED"),
    *("PROCESSING_ERROR_REASON_INVALID_GCLID", "PROCESSING_ERROR_REASON_TOO_RECENT_CLICK", "INVALID_REQUEST_ID"),
)
# A longer life of a token, or a longer delay of an event that is sent again, is not believed.
LONGEST_TOKEN: Final = 86_400.0
_NUMBER: Final = re.compile("-?[0-9]+")
_VENDOR_CODES: Final[Mapping[str, re.Pattern[str]]] = {
    "google": re.compile(r"\b[A-Z][A-Z0-9_]{2,79}\b|, [a-z_]{3,40}(?= without a token|$)"),
    "snapchat": re.compile("code [A-Za-z][0-9A-Za-z_-]{0,39}, HTTP"),
}
# The forms of a refusal's code and of its trace id: nothing else of a platform's may be passed on.
_FORMS: Final[Mapping[str, tuple[re.Pattern[str], re.Pattern[str]]]] = {
    "meta": (re.compile("[0-9]{0,20}"), re.compile("[0-9A-Za-z/+_=-]{0,64}")),
    "tiktok": (re.compile("(-?[0-9]{1,20})?"), re.compile("[0-9A-Za-z_-]{0,64}")),
    "pinterest": (re.compile("(-?[0-9]{1,20})?"), re.compile("[0-9A-Za-z-]{0,64}")),
    "snapchat": (re.compile("([A-Za-z][0-9A-Za-z_-]{0,39}|[0-9]{1,6})?"), re.compile("")),
    "google": (re.compile("([A-Z][A-Z0-9_]{2,127}|[0-9]{3})?"), re.compile("[0-9A-Za-z._:/+=-]{0,128}")),
}
_LATER: Final = frozenset({Reason.OUTAGE, Reason.THROTTLED, Reason.UNKNOWN_ANSWER})
_HALTS: Final = frozenset({Reason.UNAUTHORIZED, Reason.MISCONFIGURED, Reason.BLOCKED, Reason.QUOTA_SPENT})
_REFUSALS: Final = frozenset(
    {Reason.EXPIRED, Reason.REJECTED, Reason.NO_MATCH_KEY, Reason.OVERSIZE, Reason.UNCONFIRMED}
)


def replies(data: bytes) -> None:
    """Read any reply to a batch of any size, to an inquiry about it, to a request for a token, and the final word."""
    draws = Draws(data)
    platform = draws.pick(PLATFORMS)
    name = platform.destination.platform
    count = 1 + draws.whole(999)
    status = draws.whole(65_535) if draws.chance(8) else draws.pick(_STATUSES)
    headers = _headers(draws)
    body = draws.rest() if draws.chance(4) else orjson.dumps(_ANSWERS[name](draws, count))
    reply = Reply(status, headers, body)
    verdict = platform.read(reply, count)
    _obeyable(name, verdict, count)
    _confirmed(name, verdict, reply, count)
    suspects = list(platform.suspects(reply, count))
    promise(suspects == sorted(set(range(count)) & set(suspects)), "a suspect that is not of the batch")
    given = body + b"\n" + "\n".join(headers.values()).encode(errors="surrogateescape")
    for said in _said(verdict):
        _tells_nothing(name, said, given)
    advice = platform.advice(reply)
    promise(0.0 < advice.factor <= 1.0, "an advice that cannot be obeyed")
    promise(0.0 <= advice.pause_seconds <= MOST_WAIT, "an advice to be silent for ever")
    silent = platform.read(NoReply("timeout"), count)
    promise(silent == Later(Reason.OUTAGE, "timeout"), "somebody is to blame for no answer")
    if name == "google":
        _token(reply, given)
        _final(reply, given, count)


def _token(reply: Reply, given: bytes) -> None:
    match GRANT.read(reply):
        case Token(value, seconds):
            promise(reply.status == 200 and value and 0.0 < seconds <= LONGEST_TOKEN, "a token that is none")
        case Later() | Halt() as found:
            _obeyable("google", found, 1)
            _tells_nothing("google", found.detail, given)
        case _:
            promise(kept=False, what="this is no answer about a token")


def _final(reply: Reply, given: bytes, count: int) -> None:
    match FOLLOWING.read_status(reply, count):
        case Pending():
            promise(reply.status == 200, "pending, and it was no success")
        case Decided() as final:
            promise(final.fates.keys() <= set(range(count)), "a fate outside of the batch")
            promise(all(number >= 0 for number in final.counts.values()), "fewer than none are counted")
            promise(final.unplaced.keys() <= final.counts.keys(), "a reason without its count")
            for fate in final.fates.values():
                promise(not isinstance(fate, Again) or 0.0 < fate.seconds <= LONGEST_TOKEN, "again, for ever")
                _named("google", [fate.refusal] if isinstance(fate, Bury) else [])
        case Later() | Halt() as found:
            _obeyable("google", found, count)
            _tells_nothing("google", found.detail, given)
        case _:
            promise(kept=False, what="this is no final word")


def _tells_nothing(name: str, said: str, given: bytes) -> None:
    """Codes and counts are no customer's, and neither is a word in the form of a vendor's code where codes stand."""
    form = _VENDOR_CODES.get(name)
    tells_nothing(_NUMBER.sub("#", said if form is None else form.sub("#", said)), given)


def _headers(draws: Draws) -> Mapping[str, str]:
    headers: dict[str, str] = {}
    for _ in range(draws.whole(4)):
        name = draws.wild_text() if draws.chance(8) else draws.pick(_USAGE)
        match draws.whole(3):
            case 0:
                headers[name] = draws.wild_text()
            case 1:
                headers[name] = draws.pick(
                    (
                        "0",
                        "7",
                        "999999",
                        "-1",
                        "1e3",
                        "\u0663",
                        "9" * 400,
                        " 5",
                        "",
                        "100, 100;w=1",
                        "1795262400",
                        _DATE,
                    )
                )
            case _:
                headers[name] = orjson.dumps(_usage(draws)).decode()
    return headers


def _usage(draws: Draws) -> object:
    """Numbers by their names, at the top or in lists by the id of an account, or something else at either place."""
    usage = _measured(draws)
    for _ in range(draws.whole(2)):
        usage[draws.text()] = draws.pick((_measured(draws), [_measured(draws)], [[]], [_measured(draws), None], 90))
    return [usage] if draws.chance(16) else usage


def _measured(draws: Draws) -> dict[str, object]:
    return {draws.pick(_MEASURES): draws.pick(_NUMBERS) for _ in range(draws.whole(3))}


def _meta(draws: Draws, count: int) -> object:
    answer: dict[str, object] = {}
    if draws.chance(2):
        answer["events_received"] = draws.pick((count, 0, count + 1, True, float(count), str(count), None))
    if draws.chance(3):
        answer["fbtrace_id"] = _value(draws)
    if not draws.chance(3):
        answer["error"] = {
            "code": _value(draws) if draws.chance(8) else draws.pick(_CODES),
            "error_subcode": _value(draws) if draws.chance(8) else draws.pick(_CODES),
            "is_transient": draws.pick((False, True, None, 1, "true")),
            "error_user_msg": draws.pick((*_MESSAGES, None, 7)) if draws.chance(2) else draws.text(),
            "message": draws.text(),
            "fbtrace_id": _value(draws),
        }
    elif draws.chance(4):
        answer["error"] = _value(draws)
    return [answer] if draws.chance(32) else answer


def _tiktok(draws: Draws, _count: int) -> object:
    return {
        "code": _value(draws) if draws.chance(8) else draws.pick(_TIKTOK_CODES),
        "message": draws.pick(_TIKTOK_MESSAGES) if draws.chance(2) else draws.text(),
        "request_id": _value(draws),
    }


def _pinterest(draws: Draws, count: int) -> object:
    answer = _report(draws, count) if draws.chance(2) else {}
    if draws.chance(2):
        answer["code"] = _value(draws) if draws.chance(4) else draws.pick((2, 8, 29, 953, 4196, 4197))
    if draws.chance(2):
        answer["details"] = _value(draws) if draws.chance(8) else _report(draws, count)
    return answer


def _report(draws: Draws, count: int) -> dict[str, object]:
    rows: list[object] = [
        {
            "status": draws.pick(("processed", "failed", "other", None)) if draws.chance(4) else "processed",
            "error_message": draws.pick(_PINTEREST_MESSAGES) if draws.chance(2) else draws.text(),
            "warning_message": _value(draws),
        }
        for _ in range(draws.pick((count, draws.whole(5))))
    ]
    if draws.chance(8):
        rows.append(_value(draws))
    numbers = (count, max(count - 1, 0), 0, True, None)
    return {
        "num_events_received": draws.pick(numbers),
        "num_events_processed": draws.pick(numbers),
        **({} if draws.chance(3) else {"events": rows}),
    }


def _snapchat(draws: Draws, count: int) -> object:
    positions = (0, count - 1, count, -1, "0", str(count), True, None, "\u0663")
    return {
        "status": draws.pick(("VALID", "INVALID", "FAILED", None, 1)),
        "reason": draws.pick(("bad token", "'token", "")) if draws.chance(2) else draws.text(),
        "event": draws.pick(positions),
        "errors": {"codes": [_value(draws)]} if draws.chance(2) else _value(draws),
        "event_logs": [
            {"event": draws.pick(positions), "status": draws.pick(("INVALID", "VALID", None)), "errors": _value(draws)}
            for _ in range(draws.whole(3))
        ],
        "error_records": [{"record_indexes": [draws.pick(positions), _value(draws)]}]
        if draws.chance(2)
        else _value(draws),
    }


def _google(draws: Draws, count: int) -> object:
    match draws.whole(3):
        case 0:
            return {"requestId": _value(draws), "fieldWarnings": [{"reason": _word(draws)}, _value(draws)]}
        case 1:
            return {"error": _google_error(draws)}
        case 2:
            number = draws.pick((86_400, 3600.5, -1, True, "60"))
            return {
                "access_token": draws.text(),
                "expires_in": number,
                **(
                    {"error": draws.pick(("internal_failure", "invalid_grant", 7, draws.text()))}
                    if draws.chance(2)
                    else {}
                ),
            }
        case _:
            return {"requestStatusPerDestination": [_google_state(draws, count)] * (1 + draws.chance(8))}


def _google_error(draws: Draws) -> object:
    fields = ("events.events[0].currency", "events[1]", "events[99999999999999999999]", "destinations[0]", "", None)
    violations = [{"field": draws.pick(fields), "reason": _word(draws)} for _ in range(draws.whole(3))]
    detail = {
        "reason": _word(draws),
        "requestId": _value(draws),
        "retryDelay": draws.pick(("30s", "1.5s", "999999s", "-1s", None)),
        "metadata": {"quota_limit": draws.pick(("PerDay", "PerMinute", 7))} if draws.chance(2) else _value(draws),
        "fieldViolations": violations,
    }
    return {"status": _word(draws), "details": [detail, _value(draws)]} if not draws.chance(8) else _value(draws)


def _google_state(draws: Draws, count: int) -> object:
    numbers = (0, 1, count, str(count), count + 1, -1, None, "x")
    entries = [
        {
            "reason": _word(draws),
            "recordCount": draws.pick(numbers),
            "recordIndices": [draws.pick((0, count - 1, count, -1, True, "0")) for _ in range(draws.whole(3))],
        }
        for _ in range(draws.whole(3))
    ]
    return {
        "requestStatus": draws.pick(("SUCCESS", "PARTIAL_SUCCESS", "FAILED", "PROCESSING", None)),
        "errorInfo": {"errorCounts": entries} if not draws.chance(8) else _value(draws),
        "warningInfo": {"warningCounts": entries} if draws.chance(2) else _value(draws),
        "eventsIngestionStatus": {"recordCount": draws.pick(numbers)} if draws.chance(2) else None,
    }


def _word(draws: Draws) -> object:
    return _value(draws) if draws.chance(4) else draws.pick(_GOOGLE_WORDS)


def _value(draws: Draws) -> object:
    match draws.whole(7):
        case 0:
            return None
        case 1:
            return draws.integer(8)
        case 2:
            return [draws.text()]
        case 3:
            return {draws.text(): draws.text()}
        case 4:
            return draws.integer(4) / 8
        case _:
            return draws.text()


def _obeyable(name: str, verdict: Verdict, count: int) -> None:
    match verdict:
        case Accepted():
            pass
        case Mixed(refused) | Blamed(refused):
            promise(refused and refused.keys() <= set(range(count)), "a position outside of the batch is refused")
            _named(name, list(refused.values()))
        case Doubt(refusal, suspects):
            promise(all(type(index) is int and index >= 0 for index in suspects), "a suspect that is no position")
            _named(name, [refusal])
        case Later(reason, detail, wait, blame):
            promise(reason in _LATER and detail, f"{reason} is no reason to wait")
            _bounded(wait)
            _named(name, [] if blame is None else [blame])
        case Halt(reason, detail, wait):
            promise(reason in _HALTS and detail, f"{reason} is no reason to halt")
            _bounded(wait)
        case _:
            promise(kept=False, what="this is no verdict")


def _named(name: str, refusals: Sequence[Refusal]) -> None:
    code, trace = _FORMS[name]
    for refusal in refusals:
        promise(refusal.reason in _REFUSALS and refusal.detail, f"{refusal.reason} is no reason to refuse")
        promise(code.fullmatch(refusal.code), "a code that is none")
        promise(trace.fullmatch(refusal.trace_id), "a trace id that is none")


def _bounded(wait: float | None) -> None:
    promise(wait is None or (math.isfinite(wait) and 0.0 <= wait <= MOST_WAIT), "a wait that does not end")


def _confirmed(name: str, verdict: Verdict, reply: Reply, count: int) -> None:
    """Acceptance needs a success that confirms the events, as another JSON parser reads it."""
    successes = range(200, 300) if name == "snapchat" else (200, 422) if name == "pinterest" else (200,)
    if isinstance(verdict, Mixed) and len(verdict.refused) < count:
        promise(reply.status in successes, "some taken as accepted, and it was no success")
    if isinstance(verdict, Accepted):
        promise(reply.status in successes and reply.status != 422, "taken as accepted, and it was no success")
        answer = json.loads(reply.body)
        promise(_CONFIRMS[name](answer, count), "accepted without a confirmation")


_CONFIRMS: Final[Mapping[str, Callable[[Mapping[str, object], int], object]]] = {
    "meta": lambda answer, count: answer["events_received"] == count and not answer.get("error"),
    "tiktok": lambda answer, _: answer["code"] in (0, 40050),
    "pinterest": lambda answer, count: "events" in answer or answer["num_events_received"] == count,
    "snapchat": lambda answer, _: answer["status"] == "VALID",
    "google": lambda answer, _: answer["requestId"],
}
_ANSWERS: Final[Mapping[str, Callable[[Draws, int], object]]] = {
    "meta": _meta,
    "tiktok": _tiktok,
    "pinterest": _pinterest,
    "snapchat": _snapchat,
    "google": _google,
}


def _said(verdict: Verdict) -> Sequence[str]:
    match verdict:
        case Mixed(refused) | Blamed(refused):
            return [next(iter(refused.values())).detail]
        case Doubt(refusal):
            return [refusal.detail]
        case Later(_, detail, _, blame):
            return [detail] if blame is None else [detail, blame.detail]
        case Halt(_, detail):
            return [detail]
        case _:
            return []
