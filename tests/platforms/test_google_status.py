"""Google's final word on an accepted request: when it is asked for, and what becomes of each event."""

from __future__ import annotations

from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
from google_answers import DAY, bad, error, info
from google_events import SECRETS, google
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.model import Halt, Later, NoReply, Reply
from pipeline.core.reason import Reason
from pipeline.platforms.follow import Again, Bury, Counted, Done, Final, Following, Pending
from pipeline.platforms.google import KIND
from pipeline.platforms.google_status import (
    AGAIN,
    CLICK_SECONDS,
    COUNTED,
    DONE,
    EXPIRED,
    GIVE_UP,
    REFUSED,
    UNKNOWN_REQUESTS,
    UNNAMED,
    calls_a_person,
    fate_of,
)

PREFIX = "PROCESSING_ERROR_REASON_"
MINUTE = 60.0
SENT = 1_795_262_400.0


def following() -> Following:
    """Return what asks for the final word."""
    assert KIND.follow is not None
    return KIND.follow(google().destination)


def entry(reason: str, count: int | None, indices: object = None) -> dict[str, Any]:
    """Return one entry of the counts of errors or warnings."""
    told: dict[str, Any] = {"reason": reason}
    if count is not None:
        told["recordCount"] = str(count)
    return told if indices is None else {**told, "recordIndices": indices}


def state(word: str, *errors: dict[str, Any], count: int = 4, warnings: list[dict[str, Any]] | None = None) -> Reply:
    """Return the state of a request to one destination."""
    told: dict[str, Any] = {"requestStatus": word, "eventsIngestionStatus": {"recordCount": str(count)}}
    if errors:
        told["errorInfo"] = {"errorCounts": [*errors]}
    if warnings:
        told["warningInfo"] = {"warningCounts": warnings}
    return Reply(200, {}, orjson.dumps({"requestStatusPerDestination": [told]}))


def final(reply: Reply, count: int = 4) -> Final:
    """Return the final word on a batch."""
    found = following().read_status(reply, count)
    assert isinstance(found, Final), found
    return found


def test_question() -> None:
    """The question names the request in the address and the token in a header."""
    written = following().status_request("a/b 1", SECRETS)
    address = urlsplit(written.url)

    assert ("GET", "/v1/requestStatus:retrieve") == (written.method, address.path)
    assert {"requestId": ["a/b 1"]} == parse_qs(address.query)
    assert f"Bearer {SECRETS['token']}" == written.headers["Authorization"]
    assert not [text for text in (written.url, repr(written)) if SECRETS["token"] in text]


def asked_at(*, late: float = 0.0) -> list[float]:
    """Return when a request is asked about, in minutes after it was sent; each time `late` seconds late."""
    times: list[float] = []
    last: float | None = None
    while (due := following().next_poll(SENT, last, SENT if last is None else last)) is not None:
        last = due + late
        times.append((last - SENT) / MINUTE)
    return times


def test_c25_when_it_is_asked() -> None:
    """The first question comes after 30 minutes, then 39, 50.7, and from then on 60: 25 in a day."""
    times = asked_at()
    waits = [round(later - earlier, 6) for earlier, later in pairwise([0.0, *times])]

    assert [30.0, 39.0, 50.7, *[60.0] * 22] == waits
    assert times[-1] <= GIVE_UP / MINUTE < times[-1] + 60.0


def test_c25_late_questions() -> None:
    """A worker that asks late waits as long from then on: it never asks sooner than a timely one."""
    assert all(late >= timely for late, timely in zip(asked_at(late=40.0), asked_at(), strict=False))
    assert len(asked_at(late=40.0)) <= len(asked_at())


def test_c25_after_a_pause() -> None:
    """What was never asked about is asked about once, however late; what was, is given up after a day."""
    ask = following().next_poll

    assert SENT + 3 * GIVE_UP == ask(SENT, None, SENT + 3 * GIVE_UP)
    assert SENT + 2 * GIVE_UP == ask(SENT, SENT + 1800.0, SENT + 2 * GIVE_UP)
    assert ask(SENT, SENT + GIVE_UP, SENT + GIVE_UP) is None


@given(st.floats(0.0, 3 * GIVE_UP), st.floats(0.0, 3 * GIVE_UP))
def test_c25_never_in_the_past(last: float, unix: float) -> None:
    """Whatever the clock says, the next question is neither overdue nor sooner than half an hour after the last."""
    due = following().next_poll(SENT, SENT + last, SENT + unix)

    assert due is None or due >= max(SENT + unix, SENT + last + 1800.0)


@pytest.mark.parametrize("word", ["PROCESSING", "REQUEST_STATUS_UNKNOWN", "SOMETHING_NEW"])
def test_c25_pending(word: str) -> None:
    """Until Google has decided, nothing is decided, and no errors yet is no success."""
    assert Pending() == following().read_status(state(word), 4)


def test_c26_success() -> None:
    """A success concerns every event: nothing is left to do."""
    assert Final() == final(state("SUCCESS"))


def test_c26_too_recent_click() -> None:
    """A click that is too recent sends its own event again, six hours later, and no other."""
    found = final(state("PARTIAL_SUCCESS", entry(f"{PREFIX}TOO_RECENT_CLICK", 1, [2])))

    assert Final({2: Again(CLICK_SECONDS)}, {"TOO_RECENT_CLICK": 1}) == found
    assert CLICK_SECONDS == 6 * 60 * MINUTE


def test_c26_warnings_beside() -> None:
    """Warnings are counted and change no event's fate."""
    warned = [entry("PROCESSING_WARNING_REASON_INTERNAL_ERROR", 2, [0, 1])]

    assert Final(warnings={"INTERNAL_ERROR": 2}) == final(state("SUCCESS", warnings=warned))


@pytest.mark.parametrize("word", ["FAILED", "FAILURE"])
def test_c27_clicks_of_others(word: str) -> None:
    """Clicks that Google does not know are no fault: they are counted, nothing is buried and nobody called."""
    found = final(state(word, entry(f"{PREFIX}CLICK_NOT_FOUND", 4, [0, 1, 2, 3])))

    assert Final(dict.fromkeys(range(4), Counted()), {"CLICK_NOT_FOUND": 4}) == found


def test_c27_wrong_clicks() -> None:
    """Click ids that are none bury their events, with Google's code."""
    found = final(state("PARTIAL_SUCCESS", entry(f"{PREFIX}INVALID_GCLID", 2, [0, 3])))
    buried = {index: fate.refusal for index, fate in found.fates.items() if isinstance(fate, Bury)}

    assert {0, 3} == buried.keys()
    assert {(Reason.REJECTED, "INVALID_GCLID")} == {(refusal.reason, refusal.code) for refusal in buried.values()}
    assert () == found.alarms


@pytest.mark.parametrize("reason", ["NEVER_HEARD_OF", "PROCESSING_ERROR_OPERATING_ACCOUNT_MISMATCH_FOR_AD_IDENTIFIER"])
def test_c27_alarms(reason: str) -> None:
    """What no table knows, and what speaks of the account, buries its event and calls a person."""
    found = final(state("PARTIAL_SUCCESS", entry(reason, 1, [1])))

    assert isinstance(found.fates[1], Bury)
    assert (reason.removeprefix("PROCESSING_ERROR_"),) == found.alarms


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        *((reason, Again(seconds)) for reason, seconds in AGAIN.items()),
        *((reason, Done()) for reason in DONE),
        *((reason.replace("*", "_IN_ACCOUNT"), Counted()) for reason in COUNTED),
    ],
)
def test_c27_reasons_that_bury_nothing(reason: str, expected: object) -> None:
    """What waits, what is there already and what is to be expected goes into no dead letter and calls nobody."""
    assert (expected, False) == (fate_of(reason), calls_a_person(reason))


@pytest.mark.parametrize("reason", [*EXPIRED, *REFUSED])
def test_c27_reasons_that_bury(reason: str) -> None:
    """What can never be taken is buried; too old has the name that it has everywhere."""
    fate = fate_of(reason)
    assert isinstance(fate, Bury)

    assert (Reason.EXPIRED if reason in EXPIRED else Reason.REJECTED) == fate.refusal.reason
    assert not calls_a_person(reason)


TERMS = "DESTINATION_ACCOUNT_ENHANCED_CONVERSIONS_TERMS_NOT_SIGNED"


@pytest.mark.parametrize("reason", [TERMS, "SOME_OTHER_TERMS_NOT_SIGNED"])
def test_c27_contracts_that_were_not_signed(reason: str) -> None:
    """A contract that nobody signed calls a person by its whole name, however long that is."""
    found = final(state("FAILED", entry(f"{PREFIX}{reason}", 4)))

    assert ({reason: 4}, (reason,)) == (found.counts, found.alarms)


@pytest.mark.parametrize("word", ["FAILED", "FAILURE"])
def test_c27_a_failure_that_names_some(word: str) -> None:
    """When all events failed and only some are spoken of, the others are not done: a person is called."""
    found = final(state(word, entry(f"{PREFIX}INVALID_GCLID", 1, [0]), entry(f"{PREFIX}CLICK_NOT_FOUND", 1, [2])))

    assert {0: Bury, 2: Counted} == {index: type(fate) for index, fate in found.fates.items()}
    assert {"INVALID_GCLID": 1, "CLICK_NOT_FOUND": 1, UNNAMED: 2} == found.counts
    assert ({UNNAMED: 2}, (UNNAMED,)) == (found.unplaced, found.alarms)


def test_c27_two_reasons_for_one_event_leave_the_others() -> None:
    """An event that two reasons concern is one event: three of four are still not spoken of."""
    told = (entry(f"{PREFIX}INVALID_GCLID", 1, [0]), entry(f"{PREFIX}CLICK_NOT_FOUND", 1, [0]))

    assert {UNNAMED: 3} == final(state("FAILED", *told)).unplaced


@pytest.mark.parametrize("indices", [None, [], [2], [2, 2], [2, 4], [2, -1], [2, True], [2, "3"], "2", [0, 1, 2]])
def test_c28_positions_that_do_not_add_up(indices: object) -> None:
    """Without as many positions as events nobody is singled out: the reason is counted for the whole request."""
    found = final(state("PARTIAL_SUCCESS", entry(f"{PREFIX}INVALID_GCLID", 2, indices)))

    assert Final({}, {"INVALID_GCLID": 2}, {}, {"INVALID_GCLID": 2}) == found


def test_c28_a_partial_list() -> None:
    """Of three events that failed Google lists one: it is not singled out, and the fourth is not done either."""
    found = final(state("FAILED", entry(f"{PREFIX}INVALID_GCLID", 3, [1])))

    assert Final({}, {"INVALID_GCLID": 3, UNNAMED: 1}, {}, {"INVALID_GCLID": 3, UNNAMED: 1}, (UNNAMED,)) == found


@pytest.mark.parametrize(
    ("indices", "expected"), [(None, 1), ([], 1), ("2", 1), ([2, "3"], 2), ([2, 2], 2), ([0, 0, 0, 0], 4)]
)
def test_c28_a_reason_without_a_number(indices: object, expected: int) -> None:
    """A reason without a number concerns as many as it lists, and one at least, also where there is only one event."""
    told = entry(f"{PREFIX}INVALID_GCLID", None, indices)

    assert Final({}, {"INVALID_GCLID": expected}, {}, {"INVALID_GCLID": expected}) == final(
        state("PARTIAL_SUCCESS", told)
    )
    assert {} == final(state("FAILED", told, count=1), 1).fates


@pytest.mark.parametrize("indices", [[2, 4], [2, 2], [2, "3"]])
def test_c28_more_positions_than_events(indices: object) -> None:
    """A list that is longer than its number is no list of it, whatever part of it could be read."""
    found = final(state("PARTIAL_SUCCESS", entry(f"{PREFIX}INVALID_GCLID", 1, indices)))

    assert ({}, {"INVALID_GCLID": 1}) == (found.fates, found.unplaced)


def test_c28_positions_without_a_number() -> None:
    """Positions alone are enough where each is one of the request's."""
    assert {1, 3} == final(state("PARTIAL_SUCCESS", entry(f"{PREFIX}INVALID_GCLID", None, [3, 1]))).fates.keys()


def test_c28_a_partial_success_without_reasons() -> None:
    """A partial success that names nobody lost one event at least, and calls a person."""
    assert Final({}, {UNNAMED: 1}, {}, {UNNAMED: 1}, (UNNAMED,)) == final(state("PARTIAL_SUCCESS"))


def test_c28_everybody_needs_no_positions() -> None:
    """A reason that concerns as many events as there are concerns each of them: that is no guess."""
    found = final(state("FAILED", entry(f"{PREFIX}TOO_RECENT_CLICK", 4)))

    assert dict.fromkeys(range(4), Again(CLICK_SECONDS)) == found.fates
    assert {} == found.unplaced


def test_c28_another_number_of_events() -> None:
    """If Google counts other events than were sent, its positions are not ours."""
    found = final(state("PARTIAL_SUCCESS", entry(f"{PREFIX}INVALID_GCLID", 1, [0]), count=5))

    assert ({}, {"INVALID_GCLID": 1}) == (found.fates, found.unplaced)


def test_c28_no_reasons() -> None:
    """A failure without any reason concerns the request, and calls a person."""
    assert Final({}, {"UNNAMED": 4}, {}, {"UNNAMED": 4}, ("UNNAMED",)) == final(state("FAILED"))


def test_two_reasons_for_one_event() -> None:
    """Of two reasons for one event the graver one decides, whichever comes first; both are counted."""
    told = (entry(f"{PREFIX}CLICK_NOT_FOUND", 1, [0]), entry(f"{PREFIX}INVALID_FORMAT", 1, [0]))

    for errors in (told, told[::-1]):
        found = final(state("PARTIAL_SUCCESS", *errors))

        assert isinstance(found.fates[0], Bury)
        assert {"CLICK_NOT_FOUND": 1, "INVALID_FORMAT": 1} == found.counts


@pytest.mark.parametrize("reason", sorted(UNKNOWN_REQUESTS))
def test_lost_requests(reason: str) -> None:
    """A request that Google does not know any more is never asked about again, and a person hears of it."""
    for reply in (error(400, "INVALID_ARGUMENT", info(reason)), bad(("request_id", reason))):
        found = final(reply)

        assert ({reason: 4}, (reason,)) == (found.unplaced, found.alarms)


@pytest.mark.parametrize(
    ("reply", "kind", "reason"),
    [
        (NoReply("no answer"), Later, Reason.OUTAGE),
        (error(503, "UNAVAILABLE"), Later, Reason.OUTAGE),
        (error(429, "RESOURCE_EXHAUSTED"), Later, Reason.THROTTLED),
        (error(429, "RESOURCE_EXHAUSTED", info("X_Y_Z", quota_limit=DAY)), Halt, Reason.QUOTA_SPENT),
        (error(401, "UNAUTHENTICATED"), Halt, Reason.UNAUTHORIZED),
        (error(403, "PERMISSION_DENIED"), Halt, Reason.MISCONFIGURED),
        (error(400, "INVALID_ARGUMENT"), Later, Reason.UNKNOWN_ANSWER),
        (Reply(400, {}, b"<html>"), Later, Reason.OUTAGE),
        (Reply(407, {}, b"<html>"), Halt, Reason.MISCONFIGURED),
        (Reply(200, {}, b"{}"), Later, Reason.OUTAGE),
        (Reply(200, {}, b'{"requestStatusPerDestination":[{},{}]}'), Later, Reason.OUTAGE),
    ],
)
def test_questions_that_fail(reply: Reply | NoReply, kind: type, reason: Reason) -> None:
    """A question that is not answered decides nothing."""
    found = following().read_status(reply, 4)
    assert isinstance(found, (Later, Halt))

    assert (kind, reason) == (type(found), found.reason)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)
ENTRY = st.fixed_dictionaries(
    {}, optional={"reason": st.sampled_from([*REFUSED, *AGAIN]) | JSON, "recordCount": JSON, "recordIndices": JSON}
)
STATE = st.fixed_dictionaries(
    {},
    optional={
        "requestStatus": st.sampled_from(["SUCCESS", "FAILED", "PARTIAL_SUCCESS"]) | JSON,
        "eventsIngestionStatus": JSON,
        "errorInfo": st.fixed_dictionaries({"errorCounts": st.lists(ENTRY, max_size=3) | JSON}) | JSON,
        "warningInfo": st.fixed_dictionaries({"warningCounts": st.lists(ENTRY, max_size=3) | JSON}) | JSON,
    },
)


@given(
    st.integers(100, 599),
    st.binary(max_size=40)
    | st.fixed_dictionaries({"requestStatusPerDestination": st.lists(STATE, max_size=2) | JSON}).map(orjson.dumps),
    st.integers(1, 5),
)
def test_any_answer_is_read(status: int, body: bytes, count: int) -> None:
    """Whatever Google answers is read, and no fate concerns an event that was not sent."""
    found = following().read_status(Reply(status, {}, body), count)

    assert isinstance(found, (Pending, Final, Later, Halt))
    assert not isinstance(found, Final) or found.fates.keys() <= set(range(count))
