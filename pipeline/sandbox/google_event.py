"""Google's rules for one event.

Invariant: the flaws depend on the event, its request and the time alone, so the same bytes get the same answer.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime

from pipeline.sandbox.forms import CURRENCIES
from pipeline.sandbox.google_shape import (
    NUMBER,
    REQUIRED,
    Flaw,
    Rule,
    amount,
    anything,
    is_number,
    is_text,
    leaf,
    listed,
    member,
    one_of,
    record,
    text,
)
from pipeline.sandbox.google_user_data import CLICK_IDS, ad_identifiers, consent, device, is_clear, user_data

Event = Mapping[str, object]

MAX_AHEAD_S = 300  # our assumption: Google names no tolerance
# Not the source: an action that adds to a tag needs none, and what type an action has is not known here.
REQUIRED_FIELDS = ("eventTimestamp", "transactionId")
CART_WARNING = "WARNING_REASON_CART_DATA_NOT_SUPPORTED_WITH_GBRAID_OR_WBRAID"

_RFC3339 = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})"
).fullmatch
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+").search
_INT64 = re.compile(r"[1-9][0-9]{0,18}").fullmatch


def seconds_of(value: object) -> float | None:
    """Return the Unix seconds of an RFC 3339 time with Z or an offset, or None if it is none."""
    parts = _RFC3339(value) if isinstance(value, str) else None
    if parts is None:
        return None
    whole, fraction, zone = parts.groups()
    try:
        return datetime.fromisoformat(whole + zone.replace("Z", "+00:00")).timestamp() + float(fraction or 0)
    except ValueError:
        return None


def _timestamp(now: float) -> Rule:
    def check(value: object, path: str) -> Iterator[Flaw]:
        seconds = seconds_of(value)
        if seconds is None:
            yield Flaw(path, "EVENT_TIME_INVALID", "must be an RFC 3339 time with Z or an offset")
        elif seconds > now + MAX_AHEAD_S:
            yield Flaw(path, "EVENT_TIME_INVALID", "is in the future")

    return check


def _is_transaction(value: object) -> bool:
    return is_text(value) and value == str(value).strip() and not _EMAIL(str(value))


def _is_quantity(value: object) -> bool:
    return _INT64(str(value)) is not None and isinstance(value, int | str) and not isinstance(value, bool)


_item = record(
    {
        **dict.fromkeys(("merchantProductId", "itemId"), text),
        "quantity": leaf(_is_quantity, "must be a whole number above zero, or a string of one", NUMBER),
        **dict.fromkeys(("unitPrice", "conversionValue"), amount),
    },
    is_open=True,
)
_cart = record(
    {
        **dict.fromkeys(("merchantId", "merchantFeedLabel", "merchantFeedLanguageCode"), text),
        "transactionDiscount": amount,
        "couponCodes": listed(text),
        "items": listed(_item),
    }
)
_user_properties = record(
    {
        "customerType": one_of("NEW RETURNING REENGAGED"),
        "customerValueBucket": one_of("LOW MEDIUM HIGH"),
    }
)
FIELDS: Mapping[str, Rule] = {
    "eventSource": one_of("WEB APP IN_STORE PHONE MESSAGE OTHER"),
    "transactionId": leaf(_is_transaction, "must be our own id of the order: no e-mail address, no spaces"),
    "conversionValue": amount,
    "currency": leaf(
        lambda value: isinstance(value, str) and value in CURRENCIES,
        "must be an upper-case ISO 4217 code",
        "INVALID_CURRENCY_CODE",
    ),
    "conversionCount": leaf(lambda value: is_number(value) and value != 0, "must be a number above zero", NUMBER),
    "adIdentifiers": ad_identifiers,
    "consent": consent,
    "eventDeviceInfo": device,
    "cartData": _cart,
    "userProperties": _user_properties,
    "lastUpdatedTimestamp": leaf(lambda value: seconds_of(value) is not None, "must be an RFC 3339 time"),
    "callInfo": anything,
    "eventLocation": anything,
    "experimentalFields": listed(anything),
}


def event_rule(encoding: str, references: Collection[str], now: float) -> Rule:
    """Build the rule of an event in a request with this encoding and these destination references, at `now`."""
    reference = leaf(
        lambda value: isinstance(value, str) and value in references, "names no destination", "INVALID_DESTINATION"
    )
    known = listed(reference, least=0)
    variable = record(
        {"variable": text, "value": leaf(is_clear, "must be clear text, not a hash"), "destinationReferences": known},
        required=("variable", "value"),
    )
    fields = record(
        {
            **FIELDS,
            "eventTimestamp": _timestamp(now),
            "userData": user_data(encoding),
            "destinationReferences": known,
            "customVariables": listed(variable),
        },
        required=REQUIRED_FIELDS,
    )

    def check(event: object, path: str) -> Iterator[Flaw]:
        yield from fields(event, path)
        if isinstance(event, dict):
            yield from _value(event, path)
            yield from _identified(event, path)

    return check


def _value(event: Event, path: str) -> Iterator[Flaw]:
    for one, other in (("conversionValue", "currency"), ("currency", "conversionValue")):
        if one in event and other not in event:
            yield Flaw(member(path, other), REQUIRED, f"is required with {member('', one)}")


def _identified(event: Event, path: str) -> Iterator[Flaw]:
    ad_ids, device_info = _object(event, "adIdentifiers"), _object(event, "eventDeviceInfo")
    given = (
        event.get("userData"),
        device_info.get("ipAddress"),
        _object(ad_ids, "landingPageDeviceInfo").get("ipAddress"),
        *(ad_ids.get(name) for name in (*CLICK_IDS, "sessionAttributes")),
    )
    if not any(given):
        yield Flaw(path, "NO_IDENTIFIERS_PROVIDED", "needs a click id, an IP address, session attributes or user_data")


def warnings(event: Event, path: str) -> Iterator[Flaw]:
    """Yield what is taken although a part of it is ignored: a cart beside a gbraid or wbraid."""
    if "cartData" in event and not _object(event, "adIdentifiers").keys().isdisjoint(("gbraid", "wbraid")):
        yield Flaw(f"{path}.cart_data", CART_WARNING, "is ignored with gbraid and wbraid")


def _object(parent: Event, name: str) -> Mapping[str, object]:
    value = parent.get(name)
    return value if isinstance(value, dict) else {}
