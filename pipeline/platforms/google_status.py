"""Google's final word: `GET /v1/requestStatus:retrieve`, some half an hour to a day after a request was accepted.

Sources: Data Manager API, "diagnostics", and the release notes of v1.9, which brought the positions (read 2026-11).
What each reason means for an event is a table of docs/platforms/google.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final as Constant
from urllib.parse import urlencode

from pipeline.core.destination import Destination
from pipeline.core.model import Halt, Later, NoReply, Refusal, Reply, Request
from pipeline.core.reason import Reason
from pipeline.platforms.follow import Again, Bury, Counted, Done, Fate, Final, Pending
from pipeline.platforms.google_faults import Fault, code_of, fault_of, nobodys_fault
from pipeline.platforms.google_options import GoogleOptions
from pipeline.platforms.options import options_of
from pipeline.platforms.reading import json_object, object_of, objects_of

FIRST_POLL: Constant = 1800.0
GROWTH: Constant = 1.3
LONGEST_WAIT: Constant = 3600.0
GIVE_UP: Constant = 86_400.0

# The text of the Google Ads API, the older sibling; this API gives no number.
CLICK_SECONDS: Constant = 6 * 3600.0
FAULT_SECONDS: Constant = 3600.0
_PREFIXES: Constant = ("PROCESSING_ERROR_REASON_", "PROCESSING_ERROR_", "PROCESSING_WARNING_REASON_")

# Patterns of reasons without their prefix. Whatever matches nothing is buried, and a person is called.
AGAIN: Constant[Mapping[str, float]] = {
    "TOO_RECENT_CLICK": CLICK_SECONDS,
    "DESTINATION_TOO_RECENTLY_CREATED": CLICK_SECONDS,
    "INTERNAL_ERROR": FAULT_SECONDS,
}
DONE: Constant = ("DUPLICATE_TRANSACTION_ID", "DUPLICATE_GCLID")
COUNTED: Constant = ("CLICK_NOT_FOUND", "INVALID_CLICK", "USER_ID_NOT_FOUND*", "DENIED_CONSENT")
EXPIRED: Constant = ("EVENT_TOO_OLD", "EXPIRED_CLICK")
REFUSED: Constant = (
    "CONVERSION_PRECEDES_CLICK",
    "INVALID_GCLID",
    "INVALID_GBRAID",
    "INVALID_WBRAID",
    "INVALID_AD_IDENTIFIERS",
    "INVALID_EVENT",
    "INVALID_FORMAT",
    "INVALID_CUSTOM_VARIABLE",
)

# A request that Google does not know, or knows no more: what became of its events will not be said.
UNKNOWN_REQUESTS: Constant = frozenset({"INVALID_REQUEST_ID", "REQUEST_TOO_OLD"})
_DECIDED: Constant = frozenset({"SUCCESS", "PARTIAL_SUCCESS", "FAILED", "FAILURE"})
# Of two fates of one event the graver one counts.
_GRAVITY: Constant = (Done, Counted, Again, Bury)


class GoogleFollowing:
    """The final word on the batches of one Google Ads account."""

    def __init__(self, destination: Destination) -> None:
        options = options_of(destination, GoogleOptions)
        self._url = f"{options.base_url.rstrip('/')}/v1/requestStatus:retrieve"

    def status_request(self, receipt: str, secrets: Mapping[str, str]) -> Request:
        """Write one GET. The token goes into a header; the id of a request is no secret."""
        headers = {"Authorization": f"Bearer {secrets['token']}"}
        return Request(f"{self._url}?{urlencode({'requestId': receipt})}", headers, method="GET")

    def read_status(self, reply: Reply | NoReply, count: int) -> Pending | Final | Later | Halt:
        """Read the state of a batch of `count` events. Total: any bytes give an answer."""
        if isinstance(reply, NoReply):
            return Later(Reason.OUTAGE, reply.cause)
        answer = json_object(reply.body)
        if reply.status == 200:
            return _read_state(answer, count)
        return _read_fault(fault_of(reply, answer), count)

    def next_poll(self, sent_at: float, last: float | None, unix: float) -> float | None:
        """Return when to ask next: half an hour after sending, then ever more rarely, for a day (25 times in all).

        A batch that was never asked about is asked about once, however late.
        """
        if last is None:
            return max(sent_at + FIRST_POLL, unix)
        wait, due = FIRST_POLL, sent_at + FIRST_POLL
        while due <= last:
            wait = min(wait * GROWTH, LONGEST_WAIT)
            due += wait
        # From when it was asked, not from when it should have been: a worker that was away does not hurry after.
        due = max(due, last + wait)
        return max(due, unix) if due <= sent_at + GIVE_UP else None


def _read_fault(fault: Fault, count: int) -> Final | Later | Halt:
    reasons = {fault.reason, *(violation.reason for violation in fault.violations)}
    lost = sorted(reasons & UNKNOWN_REQUESTS)
    if lost:
        counts = {lost[0]: count}
        return Final(counts=counts, unplaced=counts, alarms=(lost[0],))
    waits = nobodys_fault(fault)
    return Later(Reason.UNKNOWN_ANSWER, fault.detail, fault.wait) if waits is None else waits


def _read_state(answer: Mapping[str, object], count: int) -> Pending | Final | Later:
    # A request of ours has one destination.
    states = list(objects_of(answer.get("requestStatusPerDestination")))
    if len(states) != 1:
        return Later(Reason.OUTAGE, "HTTP 200 without an answer in Google's form")
    state = states[0]
    word = state.get("requestStatus")
    if word not in _DECIDED:
        return Pending()
    errors = list(_counts(state, "errorInfo", "errorCounts"))
    warnings: dict[str, int] = {}
    for reason, number, _ in _counts(state, "warningInfo", "warningCounts"):
        warnings[reason] = warnings.get(reason, 0) + number
    if not errors and word != "SUCCESS":
        unnamed = {"UNNAMED": 0 if word == "PARTIAL_SUCCESS" else count}
        return Final(counts=unnamed, warnings=warnings, unplaced=unnamed, alarms=("UNNAMED",))
    return _decided(errors, warnings, count, trusted=_agrees(state, count))


def _decided(
    errors: Sequence[tuple[str, int, frozenset[int]]], warnings: Mapping[str, int], count: int, *, trusted: bool
) -> Final:
    """Give each event its fate; where positions are missing or wrong, nobody is singled out."""
    fates: dict[int, Fate] = {}
    counts: dict[str, int] = {}
    unplaced: dict[str, int] = {}
    alarms: dict[str, None] = {}
    for reason, number, indices in errors:
        counts[reason] = counts.get(reason, 0) + number
        if calls_a_person(reason):
            alarms[reason] = None
        places = frozenset(range(count)) if number == count else indices
        if not trusted or len(places) != number or not all(0 <= index < count for index in places):
            unplaced[reason] = unplaced.get(reason, 0) + number
            continue
        fate = fate_of(reason)
        for index in sorted(places):
            if index not in fates or _gravity(fates[index]) < _gravity(fate):
                fates[index] = fate
    return Final(fates, counts, warnings, unplaced, tuple(alarms))


def fate_of(reason: str) -> Fate:
    """Return what is to become of an event for a reason of Google's without its prefix."""
    if reason in AGAIN:
        return Again(AGAIN[reason])
    if reason in DONE:
        return Done()
    if _among(reason, COUNTED):
        return Counted()
    word = Reason.EXPIRED if reason in EXPIRED else Reason.REJECTED
    return Bury(Refusal(word, f"Google took the event, and refused it later ({reason})", code=reason, http_status=200))


def calls_a_person(reason: str) -> bool:
    """Whether a reason speaks of the account's settings, or is in no table."""
    return reason not in AGAIN and not _among(reason, (*DONE, *COUNTED, *EXPIRED, *REFUSED))


def _among(reason: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(reason, pattern) for pattern in patterns)


def _gravity(fate: Fate) -> int:
    return _GRAVITY.index(type(fate))


def _agrees(state: Mapping[str, object], count: int) -> bool:
    """Whether Google counts as many events as were sent: else its positions are not ours."""
    told = object_of(state.get("eventsIngestionStatus")).get("recordCount")
    return told is None or _number(told) == count


def _counts(state: Mapping[str, object], section: str, name: str) -> Iterator[tuple[str, int, frozenset[int]]]:
    """Yield reason, number and positions of each entry; an entry without a number concerns as many as it lists."""
    for entry in objects_of(object_of(state.get(section)).get(name)):
        listed = entry.get("recordIndices")
        indices = [one for one in listed if type(one) is int] if isinstance(listed, list) else []
        told = _number(entry.get("recordCount"))
        yield _bare(code_of(entry.get("reason"))), len(set(indices)) if told is None else told, frozenset(indices)


def _bare(reason: str) -> str:
    for prefix in _PREFIXES:
        reason = reason.removeprefix(prefix)
    return reason or "UNNAMED"


def _number(value: object) -> int | None:
    """Read an int64, which proto3's JSON writes as text."""
    if type(value) is int and value >= 0:
        return value
    return int(value) if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 10 else None
