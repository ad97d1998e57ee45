"""Google's synchronous answer to a batch: taken, or refused whole for the events that it names.

Sources: Data Manager API, "understand errors" and "limits" (read 2026-11).
One bad event refuses the whole request, and nothing of it is processed; the culprits are named by their position.
What every error of Google's has in common is read by `google_faults`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from pipeline.core.model import Accepted, Blamed, Doubt, Halt, Later, NoReply, Refusal, Reply, Verdict
from pipeline.core.reason import Reason
from pipeline.platforms.google_faults import Fault, Violation, code_of, fault_of, nobodys_fault, request_id_of
from pipeline.platforms.reading import json_object, objects_of

TOO_MANY: Final = "TOO_MANY_EVENTS"
NO_KEYS: Final = "NO_IDENTIFIERS_PROVIDED"


def read(reply: Reply | NoReply, count: int, *, tests: bool = False) -> Verdict:
    """Return the verdict on a batch of `count` events. Total: any bytes give one.

    `tests` says that the batch was only to be validated: then nothing is stored, and there is no receipt.
    """
    if isinstance(reply, NoReply):
        return Later(Reason.OUTAGE, reply.cause)
    answer = json_object(reply.body)
    if reply.status == 200:
        return _read_success(answer, tests=tests)
    fault = fault_of(reply, answer)
    waits = nobodys_fault(fault)
    if waits is not None:
        return waits
    if fault.violations:
        return _read_violations(fault, count)
    if fault.status == "INVALID_ARGUMENT":
        return Doubt(fault.refusal(Reason.REJECTED, "Google refused the request for an event that it did not name"))
    if reply.status == 413:
        return Doubt(fault.refusal(Reason.OVERSIZE, "the request is too large for Google"))
    blame = fault.refusal(Reason.REJECTED, "Google refused the request with an answer that is not known")
    return Later(Reason.UNKNOWN_ANSWER, fault.detail, fault.wait, blame=blame)


def _read_success(answer: Mapping[str, object], *, tests: bool) -> Verdict:
    receipt = request_id_of(answer.get("requestId"))
    if not receipt and not (tests and answer.get("error") is None):
        # Sending again is harmless: the transaction id tells Google that it has them.
        return Later(Reason.OUTAGE, "HTTP 200 without an answer in Google's form")
    warned = Counter(code_of(one.get("reason")) or "UNNAMED" for one in objects_of(answer.get("fieldWarnings")))
    return Accepted("" if tests else receipt, warned)


def _read_violations(fault: Fault, count: int) -> Verdict:
    reasons = [violation.reason for violation in fault.violations]
    if TOO_MANY in reasons:
        return Doubt(fault.refusal(Reason.OVERSIZE, "too many events in one request", TOO_MANY))
    if any(violation.index is None for violation in fault.violations):
        return Halt(Reason.MISCONFIGURED, f"{fault.detail}: the destination or the request, not an event")
    refused: dict[int, Refusal] = {}
    for violation in fault.violations:
        if violation.index is not None and violation.index < count:
            refused.setdefault(violation.index, _blamed(fault, violation))
    if not refused:
        return Doubt(fault.refusal(Reason.REJECTED, "Google named an event that the request did not have"))
    return Blamed(refused)


def _blamed(fault: Fault, violation: Violation) -> Refusal:
    reason = Reason.NO_MATCH_KEY if violation.reason == NO_KEYS else Reason.REJECTED
    place = f" at {violation.field}" if violation.field else ""
    return fault.refusal(reason, f"Google refused the event{place}", violation.reason)
