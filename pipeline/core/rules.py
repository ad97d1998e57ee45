"""What the contract demands beyond Avro's types: one list for reading, publishing and explaining."""

from __future__ import annotations

import re
from typing import Final

from pipeline.core.contract import ID_FIELDS, Body
from pipeline.core.currency import currency

# Milliseconds of 1973-03-03 and of the year 5138: seconds lie below, microseconds above.
EARLIEST_MS: Final = 100_000_000_000
LATEST_MS: Final = 100_000_000_000_000
# Amounts that mean nothing without a currency; orders have the second, activities the third.
AMOUNTS: Final = ("value", "remaining_value", "predicted_value")

_CUSTOM_NAME: Final = re.compile(r"[A-Za-z0-9_ -]{1,40}").fullmatch


def broken_rule(body: Body, own_id: object) -> tuple[str, str] | None:
    """Return the field and the rule that it breaks, or None. `own_id` is that of the order, lead or activity.

    Never holds a value. Called once per event.
    """
    if not isinstance(own_id, str) or not own_id or own_id.isspace():
        return next(name for name in ID_FIELDS.values() if name in body), "is empty"
    if not EARLIEST_MS < body["occurred_at"] < LATEST_MS:
        if body["occurred_at"] <= EARLIEST_MS:
            return "occurred_at", "is too small for milliseconds since 1970; was it sent in seconds?"
        return "occurred_at", "is too large for milliseconds since 1970; was it sent in microseconds?"
    if body["value"] is not None or body.get("remaining_value") is not None or body.get("predicted_value") is not None:
        if body["currency"] is None:
            amount = next(name for name in AMOUNTS if body.get(name) is not None)
            return "currency", f"is missing, and {amount} is there"
        if currency(body["currency"]) is None:
            return "currency", "is not an ISO 4217 code"
    return _broken_name(body) if "custom_name" in body else None


def _broken_name(activity: Body) -> tuple[str, str] | None:
    if activity.get("name") != "CUSTOM":
        return None
    custom_name = activity.get("custom_name")
    if not isinstance(custom_name, str) or not custom_name or custom_name.isspace():
        return "custom_name", "is empty, and name is CUSTOM"
    if _CUSTOM_NAME(custom_name) is None:
        return "custom_name", "is longer than 40 characters or has others than A-Z, a-z, 0-9, space, - and _"
    return None
