"""What goes wrong in real life: one row for each mishap, with what must become of a record that suffers it.

A mishap often concerns some platforms only; what the others make of the event, `foresight` knows.
Invariant: the rows meant for the dead letters stay well below the worker's dead-letter budget (20 %), for any number
of events that the demo takes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, cast

from pipeline.core.contract import Activity, Lead, Order
from pipeline.core.reason import Reason

Event = Order | Lead | Activity
Outcome = Literal["accepted", "skipped", "dead-lettered"]

PLATFORMS: Final = ("meta", "google", "tiktok", "pinterest", "snapchat")
# The counts below are for this many events; they are scaled from there, and each row occurs at least once.
PER_EVENTS: Final = 400
# No destination wants this store: its customers are the shop's own staff.
STAFF_STORE: Final = "staff"
# Still ahead when everything has been published.
AHEAD_MS: Final = 2_500
_DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a record; `whole` says that it was refused before any platform was chosen."""

    outcome: Outcome
    reason: Reason | None = None
    whole: bool = False


ACCEPTED: Final = Fate("accepted")


def _buried(reason: Reason, *platforms: str, whole: bool = False) -> Mapping[str, Fate]:
    return dict.fromkeys(platforms or PLATFORMS, Fate("dead-lettered", reason, whole))


def _skipped(reason: Reason) -> Mapping[str, Fate]:
    return dict.fromkeys(PLATFORMS, Fate("skipped", reason))


def _untouched(_event: Event, _now_ms: int) -> None:
    """Leave the event as it is."""


def _same(value: bytes) -> bytes:
    return value


@dataclass(frozen=True, slots=True)
class Flaw:
    """One mishap: how often among 400 events, what must become of it at which platform, and how it comes about.

    `spoil` changes the event (it is told the time in Unix milliseconds), `mangle` its bytes.
    `needs` says which events it makes sense for; `most` bounds how often it happens however many events there are.
    """

    story: str
    count: int
    fates: Mapping[str, Fate] = field(default_factory=dict)
    spoil: Callable[[Event, int], None] = _untouched
    mangle: Callable[[bytes], bytes | None] = _same
    needs: Literal["any", "order", "ask-first order"] = "order"
    most: int = 10_000


def _stranger(event: Event, _: int) -> None:
    """Leave nothing of the customer but a city and a country."""
    _by_phone(event)
    customer = event["customer"]
    customer.update({"emails": [], "phones": [], "external_ids": [], "first_name": None, "last_name": None})


def _only_a_phone(event: Event, _: int) -> None:
    _by_phone(event)
    # Of the range that is kept for fiction, with its country code, so that it is one wherever the customer is.
    event["customer"].update({"emails": [], "phones": ["+44 7700 900123"]})


def _by_phone(event: Event) -> None:
    """Let it have happened by phone: no trace of a visit is left, and no place in which it may be reported longer."""
    event["action_source"] = "PHONE"
    event["app"] = None
    for name in event["touch"]:
        event["touch"][name] = None  # type: ignore[literal-required]


def _aged(days: int) -> Callable[[Event, int], None]:
    def spoil(event: Event, now_ms: int) -> None:
        _by_phone(event)
        event["occurred_at"] = now_ms - days * _DAY_MS

    return spoil


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


def _staff(event: Event, _: int) -> None:
    event["store"] = STAFF_STORE


def _refunded(event: Event, now_ms: int) -> None:
    """Pay back the shipping."""
    order = cast("Order", event)
    order.update({"state": "REFUNDED", "event_id": None, "occurred_at": now_ms - 1000})
    value, back = order["value"], order["shipping"]
    order["value"], order["remaining_value"] = back, value - back if value is not None and back is not None else None


def _refunded_without_rest(event: Event, now_ms: int) -> None:
    _refunded(event, now_ms)
    cast("Order", event)["remaining_value"] = None


def _cancelled(event: Event, now_ms: int) -> None:
    cast("Order", event).update({"state": "CANCELLED", "event_id": None, "occurred_at": now_ms - 1000})


_UNREADABLE: Final = _buried(Reason.UNDECODABLE, whole=True)
BURIED: Final = (
    Flaw("bytes that are no Avro", 2, _UNREADABLE, mangle=lambda value: b"\xff" * 24 + value),
    Flaw("cut off on the way", 2, _UNREADABLE, mangle=lambda value: value[: len(value) // 2]),
    Flaw("JSON instead of Avro", 2, _UNREADABLE, mangle=lambda _: b'{"order_id": "A-1"}'),
    Flaw("an amount without a currency", 2, _buried(Reason.INVALID_EVENT, whole=True), spoil=_no_currency),
    Flaw(
        "a purchase without an amount",
        2,
        _buried(Reason.INVALID_EVENT, "meta", "tiktok", "snapchat"),
        spoil=_no_amount,
    ),
    Flaw("a city and no more", 3, _buried(Reason.NO_MATCH_KEY), spoil=_stranger),
    Flaw("a phone, no e-mail", 3, _buried(Reason.NO_MATCH_KEY, "pinterest"), spoil=_only_a_phone),
    Flaw("8 days old", 3, _buried(Reason.EXPIRED, "meta", "pinterest"), spoil=_aged(8)),
    Flaw("30 days old", 2, _buried(Reason.EXPIRED, "meta", "pinterest", "tiktok"), spoil=_aged(30)),
    Flaw("70 days old", 2, _buried(Reason.EXPIRED), spoil=_aged(70)),
    Flaw("from a clock 3 days ahead", 2, _buried(Reason.FUTURE), spoil=_ahead(3 * _DAY_MS)),
    # Finding each one takes some requests: this bounds them.
    *(Flaw("refused by this one alone", 2, _buried(Reason.REJECTED, platform), most=3) for platform in PLATFORMS),
)
SKIPPED: Final = (
    Flaw("the customer said no", 14, _skipped(Reason.CONSENT_DENIED), spoil=_denied, needs="any"),
    Flaw(
        "nobody asked, where one must",
        10,
        _skipped(Reason.CONSENT_UNKNOWN),
        spoil=_unasked,
        needs="ask-first order",
    ),
    Flaw("from the staff's store", 6, _skipped(Reason.NOT_ROUTED), spoil=_staff, needs="any"),
    Flaw("a key without a value", 3, _skipped(Reason.TOMBSTONE), mangle=lambda _: None),
)
HARMLESS: Final = (Flaw("early, held until due", 2, spoil=_ahead(AHEAD_MS)),)
FLAWS: Final = (*BURIED, *SKIPPED, *HARMLESS)
GOOD: Final = Flaw("a good event", 0, needs="any")
# What happens to good orders later; what becomes of it is a matter of what each platform takes back.
TAKEN_BACK: Final = (
    Flaw("a refund", 5, spoil=_refunded),
    Flaw("a refund of unknown rest", 3, spoil=_refunded_without_rest),
    Flaw("a cancellation", 4, spoil=_cancelled),
)
# Sent again, byte for byte, after the first was accepted.
REPEATED: Final = Flaw("sent again, byte for byte", 5, _skipped(Reason.DUPLICATE))


def times(flaw: Flaw, events: int) -> int:
    """Return how often `flaw` happens among `events`."""
    return min(flaw.most, max(1, flaw.count * events // PER_EVENTS))
