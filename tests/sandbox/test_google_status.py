"""What becomes of Google's events after they were accepted."""

from __future__ import annotations

from collections import Counter

import orjson
import pytest
from google_calls import DESTINATION, EVENT, NOW, body, call, changed, order, request, violations

from pipeline.sandbox.contract import Verdict
from pipeline.sandbox.controls import Controls
from pipeline.sandbox.google import STATUS, Google
from pipeline.sandbox.google_outcome import GoogleKnobs, Outcome, outcome_from, outcome_words
from pipeline.sandbox.google_status import Batch, Batches

DAY = 86_400
RECENT = "PROCESSING_ERROR_REASON_TOO_RECENT_CLICK"
DENIED = {"adUserData": "CONSENT_DENIED"}
GRANTED = {"adUserData": "CONSENT_GRANTED"}


def ask(side: Google, verdict: Verdict, now: float = NOW) -> dict[str, object]:
    """Return the status of the only destination of a request that was accepted."""
    asked = call(route=STATUS, method="GET", query={"requestId": str(body(verdict)["requestId"])})
    answer = orjson.loads(side.judge(asked, now).reply.body)
    (status,) = answer["requestStatusPerDestination"]
    found: dict[str, object] = status
    return found


def counts(status: dict[str, object]) -> list[tuple[str, str, list[int] | None]]:
    """Return reason, count and indices of a status's errors."""
    info = status.get("errorInfo", {"errorCounts": []})
    assert isinstance(info, dict)
    return [(one["reason"], one["recordCount"], one.get("recordIndices")) for one in info["errorCounts"]]


def test_success() -> None:
    """Without any outcome told in advance, a request is a success at once."""
    side = Google(Controls(), GoogleKnobs())
    status = ask(side, side.judge(call(request(EVENT, order("ORD-2"))), NOW))

    assert ("SUCCESS", {"recordCount": "2"}, []) == (
        status["requestStatus"],
        status["eventsIngestionStatus"],
        counts(status),
    )


def test_destination_is_told() -> None:
    """A status names account and conversion action, and nothing that is free text."""
    side = Google(Controls(), GoogleKnobs())
    named = [{**DESTINATION, "reference": "main"}]
    status = ask(side, side.judge(call(request(EVENT, destinations=named)), NOW))
    told = {name: DESTINATION[name] for name in ("operatingAccount", "productDestinationId")}

    assert told == status["destination"]


def test_processing() -> None:
    """Until the outcome is known the status is PROCESSING and has no errors."""
    side = Google(Controls(), GoogleKnobs([Outcome("*", RECENT)], processing_s=1800))
    verdict = side.judge(call(request(EVENT)), NOW)
    early, late = ask(side, verdict, NOW + 1799), ask(side, verdict, NOW + 1800)

    assert (["PROCESSING", "FAILED"], []) == ([early["requestStatus"], late["requestStatus"]], counts(early))


@pytest.mark.parametrize(("indices", "told"), [(True, [1, 2]), (False, None)])
def test_late_failure(indices: object, told: list[int] | None) -> None:
    """An event that fails later is not kept; the status has reason and count, and its index if asked."""
    side = Google(Controls(), GoogleKnobs([Outcome("late-*", RECENT, bool(indices))]))
    verdict = side.judge(call(request(EVENT, order("late-1"), order("late-2"))), NOW)
    status = ask(side, verdict)

    assert (200, ["ORD-1"], 1, 2) == (
        verdict.reply.status,
        [seen.event_id for seen in verdict.accepted],
        verdict.taken,
        len(verdict.refused),
    )
    assert ("PARTIAL_SUCCESS", [(RECENT, "2", told)]) == (status["requestStatus"], counts(status))


def test_count_of_an_outcome() -> None:
    """An outcome with a count ends after so many events, so that a later try succeeds."""
    side = Google(Controls(), GoogleKnobs([Outcome("late", RECENT, count=1)]))
    words = [ask(side, side.judge(call(request(order("late"))), NOW))["requestStatus"] for _ in range(2)]

    assert ["FAILED", "SUCCESS"] == words


def test_outcomes_differ() -> None:
    """Each reason of a request has a count of its own."""
    other = "PROCESSING_ERROR_OPERATING_ACCOUNT_MISMATCH_FOR_AD_IDENTIFIER"
    side = Google(Controls(), GoogleKnobs([Outcome("a", RECENT), Outcome("b", other)]))
    status = ask(side, side.judge(call(request(order("a"), order("b"))), NOW))

    assert [(RECENT, "1", [0]), (other, "1", [1])] == counts(status)


@pytest.mark.parametrize(
    ("request_consent", "event_consent", "word"),
    [
        (None, DENIED, "FAILED"),
        (DENIED, ..., "FAILED"),
        (DENIED, GRANTED, "SUCCESS"),
        (GRANTED, DENIED, "FAILED"),
        (DENIED, {"adPersonalization": "CONSENT_GRANTED"}, "FAILED"),
        (None, {"adPersonalization": "CONSENT_DENIED"}, "SUCCESS"),
    ],
)
def test_denied_consent(request_consent: object, event_consent: object, word: str) -> None:
    """An event without consent to send user data fails later; the event's word goes before the request's."""
    side = Google(Controls(), GoogleKnobs())
    more = {} if request_consent is None else {"consent": request_consent}
    status = ask(side, side.judge(call(request(changed(EVENT, "consent", event_consent), **more)), NOW))

    assert word == status["requestStatus"]
    assert [reason for reason, *_ in counts(status)] in ([], ["PROCESSING_ERROR_REASON_DENIED_CONSENT"])


@pytest.mark.parametrize(
    ("age_s", "clicked", "word"),
    [
        (90 * DAY - 1, True, "SUCCESS"),
        (90 * DAY + 1, True, "FAILED"),
        (63 * DAY - 1, False, "SUCCESS"),
        (63 * DAY + 1, False, "FAILED"),
    ],
)
def test_age(age_s: int, clicked: object, word: str) -> None:
    """An event older than 90 days, or 63 without a click id, fails later."""
    event = EVENT if clicked else changed(EVENT, "adIdentifiers", ...)
    side = Google(Controls(), GoogleKnobs())
    status = ask(side, side.judge(call(request(event)), NOW - 60 + age_s), NOW + age_s)

    assert word == status["requestStatus"]
    assert [reason for reason, *_ in counts(status)] in ([], ["PROCESSING_ERROR_REASON_EVENT_TOO_OLD"])


def test_status_per_destination() -> None:
    """Each destination counts the events that it was sent, with their indices in the request."""
    two = [{**DESTINATION, "reference": name} for name in ("a", "b")]
    events = [order("ORD-1", destinationReferences=["a"]), order("late", destinationReferences=["b"])]
    side = Google(Controls(), GoogleKnobs([Outcome("late", RECENT)]))
    name = body(side.judge(call(request(*events, destinations=two)), NOW))["requestId"]
    asked = call(route=STATUS, method="GET", query={"requestId": str(name)})
    first, second = orjson.loads(side.judge(asked, NOW).reply.body)["requestStatusPerDestination"]

    assert ("SUCCESS", "1") == (first["requestStatus"], first["eventsIngestionStatus"]["recordCount"])
    assert ("FAILED", [(RECENT, "1", [1])]) == (second["requestStatus"], counts(second))


@pytest.mark.parametrize(
    ("query", "now", "reason"),
    [
        ({}, NOW, "REQUIRED_FIELD_MISSING"),
        ({"requestId": "none"}, NOW, "INVALID_REQUEST_ID"),
        (None, NOW + 50 * DAY, None),
        (None, NOW + 50 * DAY + 1, "REQUEST_TOO_OLD"),
    ],
)
def test_unknown_requests(query: dict[str, str] | None, now: float, reason: str | None) -> None:
    """A request that is not named, not known or older than 50 days has no status."""
    side = Google(Controls(), GoogleKnobs())
    name = str(body(side.judge(call(request(EVENT)), NOW))["requestId"])
    asked = call(route=STATUS, method="GET", query={"requestId": name} if query is None else query)
    verdict = side.judge(asked, now)

    assert ([] if reason is None else [("request_id", reason)]) == (
        violations(verdict) if verdict.label != "ok" else []
    )


def test_status_needs_the_account() -> None:
    """Who cannot reach the operating account does not learn the status."""
    controls = Controls()
    side = Google(controls, GoogleKnobs())
    name = str(body(side.judge(call(request(EVENT)), NOW))["requestId"])
    controls.access.replace({"datasets": ["5555555555"]})

    assert 403 == side.judge(call(route=STATUS, method="GET", query={"requestId": name}), NOW).reply.status


def test_requests_are_forgotten() -> None:
    """No more than the limit of requests is remembered, and the oldest goes first."""
    batches = Batches(limit=1)
    for name in ("a", "b"):
        batches.remember(name, Batch(NOW, [], [], Counter()))

    assert (True, False) == (batches.find("a") is None, batches.find("b") is None)


def test_validation_has_no_outcome() -> None:
    """What is only validated never fails later, and uses up no outcome."""
    knobs = GoogleKnobs([Outcome("*", RECENT, count=1)])
    verdict = Google(Controls(), knobs).judge(call(request(EVENT, validateOnly=True)), NOW)

    assert (1, 1) == (verdict.taken, len(knobs.outcomes))


def test_shortened_by_nothing() -> None:
    """A success that kept no event fewer stays what it is."""
    side = Google(Controls(), GoogleKnobs())
    sent = call(request(EVENT))
    full = side.judge(sent, NOW)

    assert full == side.shortened(sent, full, 0)


def test_shortened() -> None:
    """A success that kept fewer events tells so in the status alone: the last ones failed inside Google."""
    side = Google(Controls(), GoogleKnobs())
    sent = call(request(EVENT, order("ORD-2"), order("ORD-3")))
    full = side.judge(sent, NOW)
    short = side.shortened(sent, full, 2)

    assert (full.reply, ["ORD-1"], 1, 2) == (
        short.reply,
        [seen.event_id for seen in short.accepted],
        short.taken,
        len(short.refused),
    )
    assert [("PROCESSING_ERROR_REASON_INTERNAL_ERROR", "2", [1, 2])] == counts(ask(side, short))


def test_outcome_from() -> None:
    """An outcome is read from a document and from words."""
    document = {"event_id": "a*", "reason": RECENT, "indices": False, "count": 2}

    assert Outcome("a*", RECENT, indices=False, count=2) == outcome_from(document)
    assert Outcome("a*", RECENT) == outcome_words(f"a* {RECENT}")


@pytest.mark.parametrize(
    "document",
    [
        None,
        {},
        {"event_id": "a"},
        {"event_id": "", "reason": RECENT},
        {"event_id": "a", "reason": "TOO_RECENT_CLICK"},
        {"event_id": "a", "reason": RECENT, "indices": 1},
        {"event_id": "a", "reason": RECENT, "count": 0},
        {"event_id": "a", "reason": RECENT, "code": 1},
    ],
)
def test_refused_outcomes(document: object) -> None:
    """An outcome without a pattern or without one of Google's reasons is refused."""
    with pytest.raises(ValueError, match="outcome: "):
        outcome_from(document)


@pytest.mark.parametrize("text", ["", "a", f"a b {RECENT}", "a b"])
def test_refused_words(text: str) -> None:
    """On the command line an outcome is a pattern and a reason."""
    with pytest.raises(ValueError, match="outcome: "):
        outcome_words(text)
