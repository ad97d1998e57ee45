"""What the contract demands beyond Avro's types: one list for reading, publishing and explaining."""

from __future__ import annotations

from typing import Final

from pipeline.core.contract import Lead, Order
from pipeline.core.currency import currency

# Milliseconds of 1973-03-03 and of the year 5138: seconds lie below, microseconds above.
EARLIEST_MS: Final = 100_000_000_000
LATEST_MS: Final = 100_000_000_000_000


def broken_rule(body: Order | Lead, own_id: object) -> tuple[str, str] | None:
    """Return the field and the rule that it breaks, or None. `own_id` is the order's or the lead's id.

    Never holds a value. Called once per event.
    """
    if not isinstance(own_id, str) or not own_id or own_id.isspace():
        return "order_id" if "order_id" in body else "lead_id", "is empty"
    if not EARLIEST_MS < body["occurred_at"] < LATEST_MS:
        if body["occurred_at"] <= EARLIEST_MS:
            return "occurred_at", "is too small for milliseconds since 1970; was it sent in seconds?"
        return "occurred_at", "is too large for milliseconds since 1970; was it sent in microseconds?"
    if body["value"] is not None:
        if body["currency"] is None:
            return "currency", "is missing, and value is there"
        if currency(body["currency"]) is None:
            return "currency", "is not an ISO 4217 code"
    return None
