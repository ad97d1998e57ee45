"""Google's errors, to whatever request of ours: what they say, and whether an event can be to blame at all.

Sources: Data Manager API, "understand errors" and "limits"; google.rpc error details (read 2026-11).
Status, reason and position decide, never texts, and no text of Google's is passed on: it may quote the event.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pipeline.core.model import Halt, Later, Refusal, Reply
from pipeline.core.reason import Reason
from pipeline.platforms.reading import (
    BARRED,
    formed,
    halted,
    is_outage,
    longest,
    object_of,
    objects_of,
    retry_after,
    text_of,
)

# The account, the conversion action or the contract is wrong, whatever path the answer names.
CONFIGURATION: Final = frozenset(
    "INVALID_DESTINATION INVALID_CONVERSION_ACTION_ID INVALID_CONVERSION_ACTION_TYPE "
    "DESTINATION_ACCOUNT_TYPE_MISMATCH OPERATING_ACCOUNT_LOGIN_ACCOUNT_MISMATCH "
    "DESTINATION_ACCOUNT_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS "
    "DESTINATION_ACCOUNT_ENHANCED_CONVERSIONS_TERMS_NOT_SIGNED NOT_ALLOWLISTED TERMS_AND_CONDITIONS_NOT_SIGNED "
    "EVENT_SOURCE_AND_DESTINATION_MISMATCH TOO_MANY_DESTINATIONS DUPLICATE_DESTINATION_REFERENCE SERVICE_DISABLED "
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT".split()
)
_DATA_POLICY: Final = "_DATA_POLICY_PROHIBITS"
_TERMS: Final = "_TERMS_NOT_SIGNED"
# A new conversion action takes events after some hours.
TOO_NEW: Final = "CONVERSION_ACTION_TOO_RECENTLY_CREATED"
TOO_NEW_SECONDS: Final = 1800.0
# The hour of the daily reset is documented nowhere, so it is asked for; a request in a quarter of an hour is little.
DAY_SPENT_SECONDS: Final = 900.0
_DAY_QUOTA: Final = "PerDay"

_TRANSIENT: Final = frozenset({"ABORTED", "INTERNAL", "UNKNOWN", "UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED"})
_ACCOUNT: Final = frozenset({"PERMISSION_DENIED", "NOT_FOUND", "FAILED_PRECONDITION", "UNIMPLEMENTED"})

# Paths of events carry a doubled prefix: `events.events[1].user_data`. What follows the index may be anything.
_INDEX: Final = re.compile(r"(?:^|\.)events\[([0-9]+)\]")
_STEP: Final = re.compile(r"\[[0-9]+\]")
# The fields of an event that we send, as paths call them: only these words of a path are passed on.
_FIELDS: Final = frozenset(
    "transaction_id event_timestamp event_source conversion_value currency ad_identifiers gclid wbraid gbraid "
    "session_attributes lead_id user_data user_identifiers email_address phone_number address given_name family_name "
    "region_code postal_code consent ad_user_data ad_personalization event_device_info ip_address user_agent "
    "user_properties customer_type cart_data merchant_id merchant_feed_label merchant_feed_language_code "
    "transaction_discount coupon_codes items merchant_product_id quantity unit_price".split()
)
_CODE: Final = re.compile("[A-Z][A-Z0-9_]{2,127}").fullmatch
_REQUEST_ID: Final = re.compile("[0-9A-Za-z._:/+=-]{1,128}").fullmatch
_DURATION: Final = re.compile(r"([0-9]{1,6})(?:\.[0-9]{1,9})?s")


@dataclass(frozen=True, slots=True)
class Violation:
    """One field that Google complains of: the event's position, the field within it in our words, and the reason."""

    index: int | None
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Fault:
    """An error in Google's form. What has not the form of a code or an id is empty."""

    http_status: int
    status: str
    reason: str
    quota: str
    request_id: str
    wait: float | None
    violations: Sequence[Violation]

    @property
    def is_googles(self) -> bool:
        """Whether it has the form of an error of Google's; a proxy or a gateway in between has one of its own."""
        return bool(self.status or self.violations)

    @property
    def code(self) -> str:
        """The status, or where there is none the HTTP status."""
        return self.status or str(self.http_status)

    @property
    def detail(self) -> str:
        """What it is, for people."""
        if not self.is_googles:
            return f"HTTP {self.http_status} without an answer in Google's form"
        reason = f" {self.reason}" if self.reason else ""
        return f"Google error {self.code}{reason}, HTTP {self.http_status}"

    def refusal(self, reason: Reason, title: str, subcode: str = "") -> Refusal:
        """Return a refusal that carries the codes and the id of the request."""
        subcode = subcode or self.reason
        return Refusal(
            reason,
            f"{title} ({self.code}{f'/{subcode}' if subcode else ''})",
            code=self.code,
            subcode=subcode,
            http_status=self.http_status,
            trace_id=self.request_id,
        )


def nobodys_fault(fault: Fault) -> Later | Halt | None:
    """Return what to do where no event is to blame, or None."""
    reasons = {fault.reason, *(violation.reason for violation in fault.violations)} - {""}
    if fault.http_status == 429 or fault.status == "RESOURCE_EXHAUSTED":
        if _DAY_QUOTA in fault.quota:
            return Halt(Reason.QUOTA_SPENT, f"{fault.detail}: the day's quota of the project", DAY_SPENT_SECONDS)
        return Later(Reason.THROTTLED, fault.detail, fault.wait)
    if fault.http_status == 401 or fault.status == "UNAUTHENTICATED":
        return Halt(Reason.UNAUTHORIZED, fault.detail)
    if TOO_NEW in reasons:
        return Halt(Reason.MISCONFIGURED, f"{fault.detail}: {TOO_NEW}", TOO_NEW_SECONDS)
    wrong = sorted(reason for reason in reasons if is_configuration(reason))
    if wrong:
        return Halt(Reason.MISCONFIGURED, f"{fault.detail}: {', '.join(wrong)}")
    halt = halted(fault.http_status, fault.detail)
    if halt is not None:
        return halt
    if fault.status in _ACCOUNT or fault.http_status in BARRED:
        return Halt(Reason.MISCONFIGURED, fault.detail)
    if is_outage(fault.http_status) or fault.http_status == 409 or fault.status in _TRANSIENT:
        return Later(Reason.OUTAGE, fault.detail, fault.wait)
    # Who is not Google knows nothing of events, but only of how large a request may be.
    if not fault.is_googles and fault.http_status != 413:
        return Later(Reason.OUTAGE, fault.detail, fault.wait)
    return None


def is_configuration(reason: str) -> bool:
    """Whether this reason of an error speaks of the account, the conversion action or a contract."""
    return reason in CONFIGURATION or reason.endswith(_TERMS) or _DATA_POLICY in reason


def fault_of(reply: Reply, answer: Mapping[str, object]) -> Fault:
    """Read an error answer; whatever is missing or has not its form is empty."""
    error = object_of(answer.get("error"))
    details = list(objects_of(error.get("details")))
    metadata = [object_of(detail.get("metadata")) for detail in details]
    ids = [*(detail.get("requestId") for detail in details), *(one.get("requestId") for one in metadata)]
    return Fault(
        http_status=reply.status,
        status=formed(_CODE, error.get("status")),
        reason=_first(formed(_CODE, detail.get("reason")) for detail in details),
        quota=_first(text_of(one.get("quota_limit")) for one in metadata),
        request_id=_first(formed(_REQUEST_ID, one) for one in ids),
        wait=_wait(reply, details),
        violations=[
            _violation(one)
            for detail in details
            for one in objects_of(detail.get("fieldViolations"))
            if one.get("field")
        ],
    )


def _violation(given: Mapping[str, object]) -> Violation:
    field = text_of(given.get("field"))
    found = _INDEX.search(field)
    reason = formed(_CODE, given.get("reason"))
    if found is None:
        return Violation(None, "", reason)
    path = field[found.end() :].removeprefix(".")
    known = all(word in _FIELDS for word in _STEP.sub("", path).split("."))
    return Violation(int(found[1][:9]), path if known else "", reason)


def _wait(reply: Reply, details: Sequence[Mapping[str, object]]) -> float | None:
    """Return the longest wait that a header or google.rpc.RetryInfo asks for, in seconds."""
    asked = [_DURATION.fullmatch(text_of(detail.get("retryDelay"))) for detail in details]
    waits = (float(found[1]) for found in asked if found is not None)
    return longest([*waits, retry_after(reply) or 0.0])


def code_of(value: object) -> str:
    """Return a code of Google's if the value has the form of one, else the empty text."""
    return formed(_CODE, value)


def request_id_of(value: object) -> str:
    """Return the id of a request if the value has the form of one, else the empty text."""
    return formed(_REQUEST_ID, value)


def _first(values: Iterator[str]) -> str:
    return next((value for value in values if value), "")
