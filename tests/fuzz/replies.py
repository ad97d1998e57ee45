"""Replies: any status, headers and body for a batch of any size give a verdict and an advice that the road can obey."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Final

import orjson
from draws import Draws
from meta_events import meta
from promises import promise, tells_nothing

from pipeline.core.model import Accepted, Doubt, Halt, Later, Mixed, NoReply, Refusal, Reply, Verdict
from pipeline.core.reason import Reason

META: Final = meta()
MOST_WAIT: Final = 3600.0
_STATUSES: Final = (200, 400, 401, 403, 404, 408, 413, 429, 500, 502, 503, 301, 204, 100, 0)
_CODES: Final = (
    *(0, 1, 2, 3, 4, 10, 17, 32, 33, 34, 100, 102, 104, 105, 190, 200, 299, 341, 368, 613, 803, 2500, 2635, 5000),
    *(21009, 80000, 80014, 1404078, 2859015, 2804003, 2804009, 2804019, 2804050, 2804118, 2804132, -1, 2**63),
)
_USAGE: Final = ("x-app-usage", "x-business-use-case-usage", "x-ad-account-usage", "retry-after", "content-type")
_MEASURES: Final = (
    *("call_count", "total_time", "total_cputime", "acc_id_util_pct"),
    *("estimated_time_to_regain_access", "reset_time_duration", "type"),
)
_NUMBERS: Final = (0, 74.9, 75, 89, 90, 100, 10**18, -1, -0.5, 1e308, None, True, "90", [90], {"call_count": 90})
_MESSAGES: Final = ("$['data'][3]['user_data']", "[data][0]", "['data'][99999]", 'data["data"][1]', "[data][\u0663]")
_NUMBER: Final = re.compile("-?[0-9]+")
_TRACE: Final = re.compile("[0-9A-Za-z/+_=-]{0,64}").fullmatch
_LATER: Final = frozenset({Reason.OUTAGE, Reason.THROTTLED, Reason.UNKNOWN_ANSWER})
_HALTS: Final = frozenset({Reason.UNAUTHORIZED, Reason.MISCONFIGURED, Reason.BLOCKED})
_REFUSALS: Final = frozenset(
    {Reason.EXPIRED, Reason.REJECTED, Reason.NO_MATCH_KEY, Reason.OVERSIZE, Reason.UNCONFIRMED}
)


def replies(data: bytes) -> None:
    """Read any reply to a batch of any size."""
    draws = Draws(data)
    count = 1 + draws.whole(999)
    status = draws.whole(65_535) if draws.chance(8) else draws.pick(_STATUSES)
    headers = _headers(draws)
    body = draws.rest() if draws.chance(4) else orjson.dumps(_answer(draws, count))
    reply = Reply(status, headers, body)
    verdict = META.read(reply, count)
    _obeyable(verdict, count)
    _confirmed(verdict, reply, count)
    given = body + b"\n" + "\n".join(headers.values()).encode(errors="surrogateescape")
    for said in _said(verdict):
        # Codes and counts are no customer's.
        tells_nothing(_NUMBER.sub("#", said), given)
    advice = META.advice(reply)
    promise(0.0 < advice.factor <= 1.0, "an advice that cannot be obeyed")
    promise(0.0 <= advice.pause_seconds <= MOST_WAIT, "an advice to be silent for ever")
    silent = META.read(NoReply("timeout"), count)
    promise(silent == Later(Reason.OUTAGE, "timeout"), "somebody is to blame for no answer")


def _headers(draws: Draws) -> Mapping[str, str]:
    headers: dict[str, str] = {}
    for _ in range(draws.whole(4)):
        name = draws.wild_text() if draws.chance(8) else draws.pick(_USAGE)
        match draws.whole(3):
            case 0:
                headers[name] = draws.wild_text()
            case 1:
                headers[name] = draws.pick(("0", "7", "999999", "-1", "1e3", "\u0663", "9" * 400, " 5", ""))
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


def _answer(draws: Draws, count: int) -> object:
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


def _obeyable(verdict: Verdict, count: int) -> None:
    match verdict:
        case Accepted():
            pass
        case Mixed(refused):
            promise(refused and refused.keys() <= set(range(count)), "a position outside of the batch is refused")
            _named(list(refused.values()))
        case Doubt(refusal, suspects):
            promise(all(type(index) is int and index >= 0 for index in suspects), "a suspect that is no position")
            _named([refusal])
        case Later(reason, detail, wait, blame):
            promise(reason in _LATER and detail, f"{reason} is no reason to wait")
            _bounded(wait)
            _named([] if blame is None else [blame])
        case Halt(reason, detail, wait):
            promise(reason in _HALTS and detail, f"{reason} is no reason to halt")
            _bounded(wait)
        case _:
            promise(kept=False, what="this is no verdict")


def _named(refusals: Sequence[Refusal]) -> None:
    for refusal in refusals:
        promise(refusal.reason in _REFUSALS and refusal.detail, f"{refusal.reason} is no reason to refuse")
        promise(_TRACE(refusal.trace_id), "a trace id that is none")
        promise(refusal.code.lstrip("-").isdigit() or not refusal.code, "a code that is no number")


def _bounded(wait: float | None) -> None:
    promise(wait is None or (math.isfinite(wait) and 0.0 <= wait <= MOST_WAIT), "a wait that does not end")


def _confirmed(verdict: Verdict, reply: Reply, count: int) -> None:
    """Acceptance needs a success that names the very number of events, as another JSON parser reads it."""
    if isinstance(verdict, (Accepted, Mixed)):
        promise(reply.status == 200, "taken as accepted, and it was no success")
    if isinstance(verdict, Accepted):
        answer = json.loads(reply.body)
        promise(answer["events_received"] == count and not answer.get("error"), "accepted without a confirmation")


def _said(verdict: Verdict) -> Sequence[str]:
    match verdict:
        case Mixed(refused):
            return [next(iter(refused.values())).detail]
        case Doubt(refusal):
            return [refusal.detail]
        case Later(_, detail, _, blame):
            return [detail] if blame is None else [detail, blame.detail]
        case Halt(_, detail):
            return [detail]
        case _:
            return []
