"""Why Snapchat refuses an event, and the words it says it in.

Snapchat publishes the cases and no codes, so the codes here are the sandbox's own.
Invariant: no text built here holds a value or an unknown key from an event, only the place of a known field.
Invariant: no text speaks of a token, for that word tells a sender that its access is refused and no event is to blame.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Check = Callable[[object], str | None]


class Code(enum.StrEnum):
    """The kinds of flaws."""

    REQUIRED_FIELD = "required_field"
    INVALID_FIELD = "invalid_field"
    UNKNOWN_FIELD = "unknown_field"
    EVENT_TYPE = "event_type"
    TIMESTAMP = "timestamp"
    PURCHASE = "purchase"
    IP_ADDRESS = "ip_address"
    UNHASHED_PII = "unhashed_pii"
    INSUFFICIENT_PII = "insufficient_pii"
    REJECTED = "rejected"


REASONS: Mapping[Code, str] = {
    Code.REQUIRED_FIELD: "A required field is missing.",
    Code.INVALID_FIELD: "A field is not valid.",
    Code.UNKNOWN_FIELD: "A field is not known.",
    Code.EVENT_TYPE: "Unrecognized event type.",
    Code.TIMESTAMP: "The timestamp is not valid or out of range.",
    Code.PURCHASE: "A purchase lacks its value or currency.",
    Code.IP_ADDRESS: "The IP address is not valid.",
    Code.UNHASHED_PII: "PII is not hashed.",
    Code.INSUFFICIENT_PII: "Insufficient PII.",
    Code.REJECTED: "The event cannot be processed.",
}


@dataclass(frozen=True, slots=True)
class Flaw:
    """One reason against one event: its kind, the place within the event, and what is wrong there.

    `sender_fault` names a mistake that only a sender's bug can make.
    """

    code: Code
    place: str
    note: str
    sender_fault: str | None = None

    @property
    def message(self) -> str:
        """The place and what is wrong there, for a person."""
        return f"{self.place}: {self.note}"


def check_fields(
    given: Mapping[str, object], known: Mapping[str, Check], place: str, codes: Mapping[str, Code]
) -> Flaw | None:
    """Return the first field of an object that is unknown or wrong, or None.

    `codes` holds the kinds of flaws of those fields that have one of their own.
    """
    for key, value in given.items():
        check = known.get(key)
        if check is None:
            return Flaw(Code.UNKNOWN_FIELD, place, "holds a field that Snapchat does not describe")
        wrong = check(value)
        if wrong is not None:
            return Flaw(codes.get(key, Code.INVALID_FIELD), f"{place}.{key}", wrong)
    return None


def kind(wanted: type, name: str) -> Check:
    """Build the check of a JSON type."""
    return lambda value: None if type(value) is wanted else f"must be {name}"


def strings(value: object) -> str | None:
    """Accept a list of strings."""
    if type(value) is list and all(type(one) is str for one in value):
        return None
    return "must be a list of strings"
