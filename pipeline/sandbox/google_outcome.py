"""What becomes of accepted events later: the outcomes that are told in advance, and Google's own reasons.

Invariant: a reason is decided when the event arrives, so that an event that fails later is never journalled.
"""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass, field

from pipeline.sandbox.google_event import Event, seconds_of
from pipeline.sandbox.google_jwt import RsaKey
from pipeline.sandbox.google_user_data import CLICK_IDS

DAY_S = 86_400
MAX_AGE_S = 90 * DAY_S
MAX_AGE_WITHOUT_CLICK_S = 63 * DAY_S
PREFIX = "PROCESSING_ERROR_REASON_"
FIELDS = ("event_id", "reason", "indices", "count")

_REASON = re.compile(r"PROCESSING_ERROR_[A-Z0-9_]+").fullmatch


@dataclass(frozen=True, slots=True)
class Late:
    """Why an accepted event is not kept after all, and whether the status says which event it is."""

    reason: str
    indices: bool = True


@dataclass(slots=True)
class Outcome:
    """Events that fail later: a shell pattern over the transaction id, and why.

    `count` is the number of events still to fail (None: until cleared).
    """

    event_id: str
    reason: str
    indices: bool = True
    count: int | None = None


@dataclass(slots=True)
class GoogleKnobs:
    """What can be turned for Google alone.

    `processing_s`: seconds until a request's outcome is known. `token_s`: seconds that issued tokens live.
    `key`: the service account's public key (None: a signature must be there and is not verified).
    """

    outcomes: list[Outcome] = field(default_factory=list)
    processing_s: float = 0.0
    token_s: int = 3600
    key: RsaKey | None = field(default=None, repr=False)

    def strike(self, event: Event) -> Late | None:
        """Return the outcome told in advance for an event, and count it."""
        name = event.get("transactionId")
        for outcome in self.outcomes:
            if isinstance(name, str) and fnmatch.fnmatchcase(name, outcome.event_id):
                if outcome.count is not None:
                    outcome.count -= 1
                self.outcomes = [one for one in self.outcomes if one.count != 0]
                return Late(outcome.reason, outcome.indices)
        return None


def own_reason(event: Event, request_consent: object, now: float) -> Late | None:
    """Return why Google itself does not keep a valid event: consent was denied, or it is too old."""
    for consent in (event.get("consent"), request_consent):
        if isinstance(consent, dict) and "adUserData" in consent:
            if consent["adUserData"] == "CONSENT_DENIED":
                return Late(f"{PREFIX}DENIED_CONSENT")
            break
    ad_ids = event.get("adIdentifiers")
    clicked = isinstance(ad_ids, dict) and not ad_ids.keys().isdisjoint(CLICK_IDS)
    age = now - (seconds_of(event.get("eventTimestamp")) or 0.0)
    return Late(f"{PREFIX}EVENT_TOO_OLD") if age > (MAX_AGE_S if clicked else MAX_AGE_WITHOUT_CLICK_S) else None


def outcome_from(document: object) -> Outcome:
    """Read `{"event_id": PATTERN, "reason": "PROCESSING_ERROR_...", "indices": true, "count": null}`.

    Raises ValueError for anything else.
    """
    if not isinstance(document, dict) or not document.keys() <= set(FIELDS):
        raise ValueError("outcome: send a JSON object with event_id and reason, and perhaps indices and count")
    pattern, reason = document.get("event_id"), document.get("reason")
    indices, count = document.get("indices", True), document.get("count")
    if not isinstance(pattern, str) or not pattern:
        raise ValueError('outcome: event_id must be a pattern such as "late-*"')
    if not isinstance(reason, str) or not _REASON(reason):
        raise ValueError(f"outcome: reason must be a word such as {PREFIX}TOO_RECENT_CLICK")
    if indices is not True and indices is not False:
        raise ValueError("outcome: indices must be true or false")
    if count is not None and (type(count) is not int or count < 1):
        raise ValueError("outcome: count must be an integer of at least 1, or null")
    return Outcome(pattern, reason, indices, count)


def outcome_words(text: str) -> Outcome:
    """Read an outcome as typed on a command line, `PATTERN REASON`; raises ValueError for anything else."""
    words = text.split()
    if len(words) != 2:
        raise ValueError(f"outcome: write 'PATTERN REASON', as 'late-* {PREFIX}TOO_RECENT_CLICK'")
    return outcome_from(dict(zip(FIELDS, words, strict=False)))
