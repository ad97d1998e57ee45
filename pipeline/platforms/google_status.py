"""Google's final word: `GET /v1/requestStatus:retrieve`, some half an hour to a day after a request was accepted.

Sources: Data Manager API, "diagnostics", and the release notes of v1.9, which brought the positions (read 2026-11).
What each reason means for an event is a table of docs/platforms/google.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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
_FAILED: Constant = frozenset({"FAILED", "FAILURE"})
_DECIDED: Constant = frozenset({"SUCCESS", "PARTIAL_SUCCESS"}) | _FAILED
# Where Google names no reason, or none that has the form of one.
UNNAMED: Constant = "UNNAMED"
# Of two fates of one event the graver one counts.
_GRAVITY: Constant = (Done, Counted, Again, Bury)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One count of Google's: a reason, how many events it concerns if that is told, and what it lists as positions."""

    reason: str
    told: int | None
    listed: Sequence[object]

    @property
    def number(self) -> int:
        """How many events it concerns: without a number as many as it lists, and one at least."""
        return (len(self.listed) or 1) if self.told is None else self.told

    def places(self, count: int) -> frozenset[int] | None:
        """Return the positions among `count` events, or None where they do not add up."""
        if self.told == count:
            return frozenset(range(count))
        found = frozenset(one for one in self.listed if type(one) is int and 0 <= one < count)
        return found if len(found) == len(self.listed) == self.number else None


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
    errors = list(_entries(state, "errorInfo", "errorCounts"))
    warnings = _counted(_entries(state, "warningInfo", "warningCounts"))
    fates, unplaced = _placed(errors, count, trusted=_agrees(state, count))
    counts = _counted(errors)
    alarms = [reason for reason in counts if calls_a_person(reason)]
    unnamed = _unnamed(str(word), count, told=len(fates) + sum(unplaced.values()))
    if unnamed:
        _add(counts, UNNAMED, unnamed)
        _add(unplaced, UNNAMED, unnamed)
        alarms.append(UNNAMED)
    return Final(fates, counts, warnings, unplaced, tuple(dict.fromkeys(alarms)))


def _placed(errors: Sequence[_Entry], count: int, *, trusted: bool) -> tuple[dict[int, Fate], dict[str, int]]:
    """Give events their fates, and count by reason those of whom nobody knows which: nobody is singled out."""
    fates: dict[int, Fate] = {}
    unplaced: dict[str, int] = {}
    for entry in errors:
        places = entry.places(count) if trusted else None
        if places is None:
            _add(unplaced, entry.reason, entry.number)
            continue
        fate = fate_of(entry.reason)
        for index in sorted(places):
            if index not in fates or _gravity(fates[index]) < _gravity(fate):
                fates[index] = fate
    return fates, unplaced


def _unnamed(word: str, count: int, *, told: int) -> int:
    """Return how many events failed of which no reason speaks: all the others, or of a partial success one at least."""
    if word in _FAILED:
        return max(0, count - told)
    return int(word == "PARTIAL_SUCCESS" and not told)


def _counted(entries: Iterable[_Entry]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for entry in entries:
        _add(counts, entry.reason, entry.number)
    return counts


def _add(numbers: dict[str, int], reason: str, number: int) -> None:
    numbers[reason] = numbers.get(reason, 0) + number


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


def _entries(state: Mapping[str, object], section: str, name: str) -> Iterator[_Entry]:
    for given in objects_of(object_of(state.get(section)).get(name)):
        listed = given.get("recordIndices")
        yield _Entry(
            reason=_bare(code_of(given.get("reason"))),
            told=_number(given.get("recordCount")),
            listed=listed if isinstance(listed, list) else [],
        )


def _bare(reason: str) -> str:
    for prefix in _PREFIXES:
        reason = reason.removeprefix(prefix)
    return reason or UNNAMED


def _number(value: object) -> int | None:
    """Read an int64, which proto3's JSON writes as text."""
    if type(value) is int and value >= 0:
        return value
    return int(value) if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 10 else None
