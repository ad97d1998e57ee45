"""Snapchat's replies: which of them blame an event, which blame the account, and which only ask to wait.

Sources: the models of Snapchat's own SDK, its page on verifying a set-up, and answers seen in the field (read 2026-11);
docs/platforms/snapchat.md says what was decided where they are silent.
Snapchat speaks of the whole request, and of single events only when it is asked to validate; it publishes no codes.
No text of Snapchat's is passed on: it may quote the event.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pipeline.core.model import Accepted, Blamed, Doubt, Halt, Later, Mixed, NoReply, Refusal, Reply, Verdict
from pipeline.core.reason import Reason
from pipeline.platforms.reading import BARRED, by_status, formed, json_object, object_of, objects_of, text_of

# A token that is no good comes as HTTP 400 like a bad event; only the words tell. These two mean nothing else: the name
# of the field, in quotes or not (with `=` it is in an address, which may be the event's own), and a text that says of a
# token that it is no good and says nothing besides.
_ACCESS_TOKEN: Final = re.compile(r"access[ _-]?tokens?(?!s|=)", re.IGNORECASE).search
_NO_GOOD: Final = r"(?:invalid|not[ _]valid|expired|revoked|unknown|missing)"
_BAD_TOKEN: Final = re.compile(
    rf"\W*(?:unauthorized\W+)?(?:the )?(?:{_NO_GOOD}[ _])?token(?: '[^']*')?(?:[ _](?:is|was|has been))?"
    rf"(?:[ _]{_NO_GOOD})?\W*",
    re.IGNORECASE,
).fullmatch
# Words about who asks, at the very start: no event is to blame for them.
_BARRED_CALLER: Final = re.compile(
    r"\W*(?:unauthori[sz]ed|not authori[sz]ed|authentication|permission denied|access denied|forbidden)\b",
    re.IGNORECASE,
).match
# Any other token may be the event's own: its click id, say. Nobody is singled out before Snapchat was asked.
_TOKEN: Final = re.compile(r"(?<![0-9A-Za-z])token(?![0-9A-Za-z])", re.IGNORECASE).search
# Snapchat's words for a request are in capitals; an answer of somebody else's has none of them.
_WORD: Final = re.compile("[A-Z][A-Z_]{1,39}").fullmatch
# A code is the one text of Snapchat's that is passed on, so it has to look like one.
_CODE: Final = re.compile("[A-Za-z][0-9A-Za-z_-]{0,39}|[0-9]{1,6}").fullmatch
_POSITION: Final = re.compile("[0-9]{1,5}").fullmatch


def read(reply: Reply | NoReply, count: int) -> Verdict:
    """Return the verdict on a batch of `count` events. Total: any bytes give one."""
    if isinstance(reply, NoReply):
        return Later(Reason.OUTAGE, reply.cause)
    if not 200 <= reply.status < 300:
        # Snapchat sends no header that says for how long a throttle holds.
        detail = f"Snapchat answered HTTP {reply.status}"
        verdict = by_status(reply, "Snapchat", detail)
        if verdict is not None:
            return verdict
        if reply.status in BARRED:
            return Halt(Reason.MISCONFIGURED, detail)
    return _read_answer(reply, json_object(reply.body), count)


def suspects(reply: Reply | NoReply, count: int) -> Sequence[int]:
    """Return the positions that the answer to a validation blames. Total: any bytes give some or none."""
    if isinstance(reply, NoReply):
        return ()
    return tuple(sorted(_named(reply, json_object(reply.body), count)))


def _read_answer(reply: Reply, answer: Mapping[str, object], count: int) -> Verdict:
    taken = reply.status < 300
    word = formed(_WORD, answer.get("status"))
    named = _named(reply, answer, count)
    if taken and word == "VALID":
        return Mixed(named) if named else Accepted()
    if any(_ACCESS_TOKEN(text) or _BAD_TOKEN(text) or _BARRED_CALLER(text) for text in _texts(answer)):
        return Halt(Reason.UNAUTHORIZED, f"Snapchat answered HTTP {reply.status} and spoke of the token")
    if named:
        return Blamed(named)
    refusal = _refusal(reply, answer)
    if word == "INVALID":
        # `event` is thought to be the position of the culprit; nobody is buried on a thought.
        hinted = None if _TOKEN(text_of(answer.get("reason"))) else _position(answer.get("event"), count)
        return Doubt(refusal, () if hinted is None else (hinted,))
    detail = f"HTTP {reply.status} without an answer in Snapchat's form"
    # Who is not Snapchat knows nothing of events.
    return Later(Reason.OUTAGE, detail) if taken or not word else Later(Reason.UNKNOWN_ANSWER, detail, blame=refusal)


def _texts(answer: Mapping[str, object]) -> Iterator[str]:
    """Yield what is said of the request as a whole."""
    errors = object_of(answer.get("errors"))
    lists = (errors.get("codes"), errors.get("error_msgs"))
    told = [
        answer.get("reason"),
        answer.get("debug_message"),
        *(one for two in lists if isinstance(two, list) for one in two),
    ]
    return (text for text in map(text_of, told) if text)


def _named(reply: Reply, answer: Mapping[str, object], count: int) -> dict[int, Refusal]:
    """Return whom an answer blames by position: in `event_logs`, or in `error_records` as version 2 did."""
    named: dict[int, Refusal] = {}
    for log in objects_of(answer.get("event_logs")):
        position = _position(log.get("event"), count)
        if log.get("status") == "INVALID" and position is not None:
            named[position] = _refusal(reply, log)
    for record in objects_of(answer.get("error_records")):
        indexes = record.get("record_indexes")
        for index in indexes if isinstance(indexes, list) else ():
            position = _position(index, count)
            if position is not None:
                named[position] = _refusal(reply, record)
    return named


def _refusal(reply: Reply, answer: Mapping[str, object]) -> Refusal:
    """Return the refusal of what an answer, or a part of one, speaks of."""
    code = _code(answer)
    about = f"code {code}, HTTP {reply.status}" if code else f"HTTP {reply.status}"
    return Refusal(Reason.REJECTED, f"Snapchat refused the event ({about})", code=code, http_status=reply.status)


def _code(answer: Mapping[str, object]) -> str:
    codes = object_of(answer.get("errors")).get("codes")
    first = codes[0] if isinstance(codes, list) and codes else None
    return formed(_CODE, str(first) if type(first) is int else first)


def _position(value: object, count: int) -> int | None:
    if isinstance(value, str) and _POSITION(value):
        value = int(value)
    return value if type(value) is int and 0 <= value < count else None
