"""What goes wrong in real life: one row for each mishap, with what must become of a record that suffers it.

Invariant: the rows meant for the dead letters stay well below the worker's dead-letter budget (20 %), for any number
of events that the demo takes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, cast

from pipeline.core.contract import Lead, Order
from pipeline.core.reason import Reason

Event = Order | Lead
Outcome = Literal["accepted", "skipped", "dead-lettered"]

# The counts below are for this many events; they are scaled from there, and each row occurs at least once.
PER_EVENTS: Final = 400
# The destination does not want this store: its customers are the shop's own staff.
STAFF_STORE: Final = "staff"
# Still ahead when everything has started.
AHEAD_MS: Final = 4_000
_DAY_MS: Final = 86_400_000


def _untouched(_event: Event, _now_ms: int) -> None:
    """Leave the event as it is."""


def _same(value: bytes) -> bytes:
    return value


@dataclass(frozen=True, slots=True)
class Flaw:
    """One mishap: how often among 400 events, what must become of it, and how it comes about.

    `spoil` changes the event (it is told the time in Unix milliseconds), `mangle` its bytes.
    `needs` says which events it makes sense for; `most` bounds how often it happens however many events there are.
    """

    story: str
    count: int
    outcome: Outcome
    reason: Reason | None = None
    spoil: Callable[[Event, int], None] = _untouched
    mangle: Callable[[bytes], bytes | None] = _same
    needs: Literal["any", "order", "ask-first order"] = "order"
    most: int = 10_000


def _stranger(event: Event, _: int) -> None:
    """Leave nothing of the customer but a city and a country."""
    event["action_source"] = "PHONE"
    event["app"] = None
    for name in event["touch"]:
        event["touch"][name] = None  # type: ignore[literal-required]
    customer = event["customer"]
    customer.update({"emails": [], "phones": [], "external_ids": [], "first_name": None, "last_name": None})


def _aged(event: Event, now_ms: int) -> None:
    """Eight days: over Meta's seven, and by phone, because stores may report for longer."""
    event["action_source"] = "PHONE"
    event["occurred_at"] = now_ms - 8 * _DAY_MS


def _ahead(milliseconds: int) -> Callable[[Event, int], None]:
    def spoil(event: Event, now_ms: int) -> None:
        event["occurred_at"] = now_ms + milliseconds

    return spoil


def _no_currency(event: Event, _: int) -> None:
    event["currency"] = None


def _no_amount(event: Event, _: int) -> None:
    event["value"] = None


def _denied(event: Event, _: int) -> None:
    event["consent"]["ad_user_data"] = "DENIED"


def _unasked(event: Event, _: int) -> None:
    event["consent"].update({"ad_user_data": "UNKNOWN", "ad_personalization": "UNKNOWN", "recorded_at": None})


def _refunded(event: Event, _: int) -> None:
    cast("Order", event).update({"state": "REFUNDED", "event_id": None})


def _staff(event: Event, _: int) -> None:
    event["store"] = STAFF_STORE


BURIED: Final = (
    Flaw("bytes that are no Avro", 3, "dead-lettered", Reason.UNDECODABLE, mangle=lambda value: b"\xff" * 24 + value),
    Flaw("cut off on the way", 3, "dead-lettered", Reason.UNDECODABLE, mangle=lambda value: value[: len(value) // 2]),
    Flaw("JSON instead of Avro", 2, "dead-lettered", Reason.UNDECODABLE, mangle=lambda _: b'{"order_id": "A-1"}'),
    Flaw("nobody to match: a city and no more", 4, "dead-lettered", Reason.NO_MATCH_KEY, spoil=_stranger),
    Flaw("eight days old", 4, "dead-lettered", Reason.EXPIRED, spoil=_aged),
    Flaw("an amount without a currency", 2, "dead-lettered", Reason.INVALID_EVENT, spoil=_no_currency),
    Flaw("a purchase without an amount", 2, "dead-lettered", Reason.INVALID_EVENT, spoil=_no_amount),
    Flaw("from a clock three days ahead", 2, "dead-lettered", Reason.FUTURE, spoil=_ahead(3 * _DAY_MS)),
    # Finding each one takes some requests: this bounds them.
    Flaw("refused by the platform alone", 3, "dead-lettered", Reason.REJECTED, needs="any", most=6),
)
SKIPPED: Final = (
    Flaw("the customer said no", 16, "skipped", Reason.CONSENT_DENIED, spoil=_denied, needs="any"),
    Flaw(
        "nobody asked, where one must ask first",
        12,
        "skipped",
        Reason.CONSENT_UNKNOWN,
        spoil=_unasked,
        needs="ask-first order",
    ),
    Flaw("a refund, which Meta has no event for", 10, "skipped", Reason.NO_PLATFORM_EVENT, spoil=_refunded),
    Flaw("from the staff's store", 6, "skipped", Reason.NOT_ROUTED, spoil=_staff, needs="any"),
    Flaw("a tombstone: a key without a value", 3, "skipped", Reason.TOMBSTONE, mangle=lambda _: None),
)
HARMLESS: Final = (Flaw("some seconds early, held until due", 2, "accepted", spoil=_ahead(AHEAD_MS)),)
FLAWS: Final = (*BURIED, *SKIPPED, *HARMLESS)
# Sent again, byte for byte, after the first was accepted.
REPEATED: Final = Flaw("an accepted event, sent again", 5, "skipped", Reason.DUPLICATE)
GOOD: Final = Flaw("a good event", 0, "accepted", needs="any")


def times(flaw: Flaw, events: int) -> int:
    """Return how often `flaw` happens among `events`."""
    return min(flaw.most, max(1, flaw.count * events // PER_EVENTS))
