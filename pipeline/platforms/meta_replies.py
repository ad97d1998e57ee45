"""Meta's replies: which of them blame an event, which blame the account, and which only ask to wait.

Sources: Graph API error reference, marketing-api rate limiting (read 2026-09), and subcodes seen in the field, each of
them named in docs/platforms/meta.md.
Codes decide, never texts: `error_user_msg` is localized, and a throttle may come as HTTP 400 of type OAuthException.
No text of Meta's is passed on: it may quote the event.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from pipeline.core.model import Accepted, Advice, Doubt, Halt, Later, Mixed, NoReply, Refusal, Reply, Verdict
from pipeline.core.reason import Reason
from pipeline.platforms.reading import formed, json_object, longest, read_bare, retry_after, text_of

_TRANSIENT: Final = frozenset({1, 2, 341, 5000, 21009})
_THROTTLES: Final = frozenset({4, 17, 32, 613, *range(80000, 80015)})
_BLOCKS: Final = frozenset({368, 1404078, 2859015})
_BLOCK_SECONDS: Final = 900.0
_TOKENS: Final = frozenset({102, 104, 190})
_PERMISSIONS: Final = frozenset({3, 10, 803, *range(200, 300)})
# The path of the request: no such version or edge, or a version that has ended.
_PATHS: Final = frozenset({2500, 2635})
# 613 without a subcode is no quota but a suspicion of abuse (marketing-api rate limiting): a long wait, and a person.
_ABUSE: Final = 613
# 100 is "invalid parameter": with these subcodes the parameter is the account, not an event.
_ACCOUNT_SUBCODES: Final = frozenset({33, 34, 2804118, 2804132})
_EVENT_CODES: Final = frozenset({100, 105})

_SUBCODES: Final[Mapping[int, tuple[Reason, str]]] = {
    2804003: (Reason.EXPIRED, "event_time is too old"),
    2804009: (Reason.REJECTED, "a Purchase without value or currency"),
    2804019: (Reason.REJECTED, "a field has the wrong form"),
    2804043: (Reason.REJECTED, "extinfo is wrong"),
    2804050: (Reason.NO_MATCH_KEY, "too little to match a person by"),
    2804063: (Reason.REJECTED, "messaging_channel is missing"),
    2804066: (Reason.REJECTED, "this event name is not allowed in business messaging"),
    2804087: (Reason.REJECTED, "ctwa_clid is wrong"),
    2804116: (Reason.REJECTED, "page_id is missing"),
}
# Only 2804019 was ever seen to name the event, as a JSONPath in a localized text.
_INDEX: Final = re.compile(r"\[['\"]?data['\"]?\]\[(\d{1,5})\]")

# A trace id is the one text of Meta's that is passed on, so it has to look like one.
_TRACE: Final = re.compile("[0-9A-Za-z/+_=-]{1,64}").fullmatch

_PAUSE_AT: Final = 90.0
_PAUSE_SECONDS: Final = 60.0
_SLOW_AT: Final = 75.0
_SLOW_FACTOR: Final = 0.5


def read(reply: Reply | NoReply, count: int) -> Verdict:
    """Return the verdict on a batch of `count` events. Total: any bytes give one."""
    if isinstance(reply, NoReply):
        return Later(Reason.OUTAGE, reply.cause)
    answer = json_object(reply.body)
    error = answer.get("error")
    if isinstance(error, dict):
        return _read_error(reply, error)
    if reply.status == 200 and error is None and "events_received" in answer:
        return _read_success(answer, count)
    return read_bare(reply, "Meta", _wait(reply))


def _read_success(answer: Mapping[str, object], count: int) -> Verdict:
    received = answer["events_received"]
    if type(received) is int and received == count:
        return Accepted()
    # Some were taken and nobody knows which; sending all again would count the others twice.
    refusal = Refusal(
        Reason.UNCONFIRMED,
        f"Meta confirmed {received if type(received) is int else 'no number'} of {count} events",
        http_status=200,
        trace_id=formed(_TRACE, answer.get("fbtrace_id")),
    )
    return Mixed(dict.fromkeys(range(count), refusal))


def _read_error(reply: Reply, error: Mapping[object, object]) -> Verdict:
    code, subcode = _number(error.get("code")), _number(error.get("error_subcode"))
    name = f"{code}/{subcode}" if subcode else f"{code}"
    detail = f"Meta error {name}, HTTP {reply.status}"
    if code in _THROTTLES or reply.status == 429:
        suspected = code == _ABUSE and not subcode
        return Later(Reason.THROTTLED, detail, _wait(reply) or (_BLOCK_SECONDS if suspected else None))
    if code in _TOKENS:
        return Halt(Reason.UNAUTHORIZED, detail)
    if code in _TRANSIENT or error.get("is_transient") is True:
        return Later(Reason.OUTAGE, detail)
    if not code:
        return read_bare(reply, "Meta", _wait(reply))
    if code in _BLOCKS:
        return Halt(Reason.BLOCKED, detail, _BLOCK_SECONDS)
    if code in _PERMISSIONS | _PATHS or (code == 100 and subcode in _ACCOUNT_SUBCODES):
        return Halt(Reason.MISCONFIGURED, detail)
    reason, title = _SUBCODES.get(subcode, (Reason.REJECTED, "Meta refused the event"))
    refusal = Refusal(
        reason,
        f"{title} ({detail})",
        code=str(code),
        subcode=str(subcode) if subcode else "",
        http_status=reply.status,
        trace_id=formed(_TRACE, error.get("fbtrace_id")),
    )
    if code in _EVENT_CODES:
        return Doubt(refusal, _suspects(error))
    if reply.status >= 500:
        return Later(Reason.OUTAGE, detail)
    return Later(Reason.UNKNOWN_ANSWER, detail, blame=refusal)


def _suspects(error: Mapping[object, object]) -> tuple[int, ...]:
    found = _INDEX.search(text_of(error.get("error_user_msg"))) or _INDEX.search(text_of(error.get("message")))
    return (int(found[1]),) if found else ()


def advice(reply: Reply) -> Advice:
    """Return what the usage headers ask for; 100 % is throttled (marketing-api rate limiting)."""
    used = max(_percents(reply.headers), default=0.0)
    if used >= _PAUSE_AT:
        return Advice(_SLOW_FACTOR, _PAUSE_SECONDS)
    return Advice(_SLOW_FACTOR) if used >= _SLOW_AT else Advice()


def _wait(reply: Reply) -> float | None:
    """Return the longest wait any header asks for, in seconds; the largest over all ids and entries counts."""
    waits = [minutes * 60.0 for minutes in _values(reply.headers, "estimated_time_to_regain_access")]
    waits += _values(reply.headers, "reset_time_duration")
    return longest([*waits, retry_after(reply) or 0.0])


def _percents(headers: Mapping[str, str]) -> Iterator[float]:
    for key in ("call_count", "total_time", "total_cputime", "acc_id_util_pct"):
        yield from _values(headers, key)


def _values(headers: Mapping[str, str], key: str) -> Iterator[float]:
    """Find a number by its key in any of the usage headers, which are JSON texts; malformed ones hold none."""
    for name in ("x-app-usage", "x-business-use-case-usage", "x-ad-account-usage"):
        usage = json_object(headers.get(name, ""))
        for entry in (usage, *(one for many in usage.values() if isinstance(many, list) for one in many)):
            value = entry.get(key) if isinstance(entry, dict) else None
            if isinstance(value, int | float) and value >= 0:
                yield float(value)


def _number(value: object) -> int:
    return value if type(value) is int and value >= 0 else 0
