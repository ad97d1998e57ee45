"""TikTok's replies: which of them blame an event, which blame the account, and which only ask to wait.

Sources: the code names of TikTok's own SDK, and answers seen in the field, as docs/platforms/tiktok.md tells.
Nearly every error comes as HTTP 200 with a `code`, so the code decides and the HTTP status only where there is none.
No text of TikTok's is passed on: it may quote the event.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from pipeline.core.model import Accepted, Doubt, Halt, Later, Mixed, NoReply, Refusal, Reply, Verdict
from pipeline.core.reason import Reason
from pipeline.platforms.reading import MOST_WAIT, by_status, formed, json_object, read_bare, retry_after, text_of

_OK: Final = 0
_PARTIAL: Final = 20001
# TikTok has this very request already: delivered, and counted as a warning.
_DUPLICATED: Final = 40050
# 40016 is "flow control" by its name, which nobody documents.
_THROTTLES: Final = frozenset({40016, 40100, 40132, 61000})
# 60001 is maintenance; 50000 to 53999 are the servers, the pixel's and the event store's among them.
_SERVERS: Final = frozenset({60001, *range(50000, 54000)})
_TOKENS: Final = frozenset({40102, 40104, 40105})
_PERMISSIONS: Final = frozenset({40001, 40003, 40113, 40117, 40118, 40125, 40130})
# A partner name, which is never sent; a version, an interface or a path that is not there.
_REQUESTS: Final = frozenset({40063, 40101, 40006, 40051, 41001, 40400})
_BLOCKED: Final = 41000
_BLOCK_SECONDS: Final = 900.0
_EVENTS: Final = range(40000, 50000)
# Whoever asks: its token, or what it may do.
_CALLERS: Final = range(40100, 40200)
_TITLES: Final[Mapping[int, tuple[Reason, str]]] = {
    _PARTIAL: (Reason.UNCONFIRMED, "TikTok took a part of the request and did not say which"),
    40061: (Reason.OVERSIZE, "the request has too many events for TikTok"),
    40062: (Reason.REJECTED, "TikTok found customer data that is not hashed"),
}

# The field stands before any quote or colon, so that no event's value is taken for it; `lead_event_source` is none.
_ACCOUNT_FIELD: Final = re.compile(
    r"[^:'\"]{0,60}\b(?:event_source|event_source_id|test_event_code|partner_name)\b"
).match
# Only version 1 was ever seen to name the event: `Batch.0.properties.contents.0.content_id: ...`.
_INDEX: Final = re.compile(r"[^:'\"]{0,60}\b(?:batch|data)(?:\.|\[)([0-9]{1,4})\b", re.IGNORECASE).match

# A request id is the one text of TikTok's that is passed on, so it has to look like one.
_REQUEST_ID: Final = re.compile("[0-9A-Za-z_-]{1,64}").fullmatch


def read(reply: Reply | NoReply, count: int) -> Verdict:
    """Return the verdict on a batch of `count` events. Total: any bytes give one."""
    if isinstance(reply, NoReply):
        return Later(Reason.OUTAGE, reply.cause)
    answer = json_object(reply.body)
    code = answer.get("code")
    if type(code) is not int or reply.status >= 500:
        return read_bare(reply, "TikTok", _wait(reply))
    if code not in (_OK, _DUPLICATED):
        return _read_error(reply, code, answer, count)
    if reply.status != 200:
        return read_bare(reply, "TikTok", _wait(reply))
    return Accepted() if code == _OK else Accepted(warnings={str(code): count})


def _read_error(reply: Reply, code: int, answer: Mapping[str, object], count: int) -> Verdict:
    detail = f"TikTok error {code}, HTTP {reply.status}"
    if code in _THROTTLES or reply.status == 429:
        return Later(Reason.THROTTLED, detail, _wait(reply))
    if code in _SERVERS:
        return Later(Reason.OUTAGE, detail)
    if code in _TOKENS:
        return Halt(Reason.UNAUTHORIZED, detail)
    if code == _BLOCKED:
        return Halt(Reason.BLOCKED, detail, _BLOCK_SECONDS)
    message = text_of(answer.get("message"))
    if code in _PERMISSIONS | _REQUESTS or (code in _EVENTS and _ACCOUNT_FIELD(message)):
        return Halt(Reason.MISCONFIGURED, detail)
    verdict = None if code in _TITLES else _read_unlisted(reply, code, message, detail)
    if verdict is not None:
        return verdict
    reason, title = _TITLES.get(code, (Reason.REJECTED, "TikTok refused the event"))
    refusal = Refusal(
        reason,
        f"{title} ({detail})",
        code=str(code),
        http_status=reply.status,
        trace_id=formed(_REQUEST_ID, answer.get("request_id")),
    )
    if code == _PARTIAL and count == 1:
        # Whether it was the part that was taken, nobody knows, and to ask again would not tell.
        return Mixed({0: refusal})
    if code not in _EVENTS and code != _PARTIAL:
        return Later(Reason.UNKNOWN_ANSWER, detail, blame=refusal)
    return Doubt(refusal, _suspects(message, count))


def _read_unlisted(reply: Reply, code: int, message: str, detail: str) -> Verdict | None:
    """Return what the HTTP status says, or the code's range, where no table has the code; None if it blames events."""
    verdict = by_status(reply, "TikTok", detail) if reply.status >= 300 else None
    if verdict is None and code in _CALLERS:
        return Halt(Reason.UNAUTHORIZED if "token" in message.lower() else Reason.MISCONFIGURED, detail)
    return verdict


def _suspects(message: str, count: int) -> tuple[int, ...]:
    found = _INDEX(message)
    return (int(found[1]),) if found and int(found[1]) < count else ()


def _wait(reply: Reply) -> float | None:
    """Return the seconds that a gateway asks to wait; TikTok itself documents no such header."""
    after = retry_after(reply)
    return None if after is None else min(after, MOST_WAIT)
