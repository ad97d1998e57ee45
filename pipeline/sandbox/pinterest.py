"""Pinterest's side of the wire: `POST /v5/ad_accounts/{ad_account_id}/events`.

Sources: Pinterest's API description 5.23.0 and its pages on conversions and rate limits.
docs/sandbox/pinterest.md lists what is assumed where they are silent.
Invariant: a body that breaks the schema is refused whole; else every event is processed or failed by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.sandbox import pinterest_reply
from pipeline.sandbox.contract import Call, Failure, Reply, Verdict
from pipeline.sandbox.controls import Controls
from pipeline.sandbox.pinterest_event import Flaw, check_event, notices
from pipeline.sandbox.pinterest_reply import AUTHENTICATION, NOT_PERMITTED, PROCESSED, SOME_INVALID, THROTTLED, Row
from pipeline.sandbox.pinterest_request import (
    Event,
    events_of,
    identity,
    invalid,
    is_test,
    misdirected,
    sighting,
    token_of,
)
from pipeline.sandbox.pinterest_schema import check_events

# The one notice that the answer tells of; the others are for the figures only.
WARNED, WARNING = "event_name_not_in_spec", "The event_name is not a standard one"
REJECTED = "The event could not be processed"


@dataclass(frozen=True, slots=True)
class Finding:
    """What is made of one event. `status` is the HTTP status that its failure asks for."""

    event: Event
    flaw: Flaw | None = None
    notices: Sequence[str] = ()
    status: int = 422

    @property
    def sender_fault(self) -> str | None:
        """The mistake that only a bug in the sender can make, if it is one."""
        return None if self.flaw is None else self.flaw.sender_fault

    @property
    def row(self) -> Row:
        """The event's part of the answer."""
        if self.flaw is not None:
            return Row(error=self.flaw.message)
        return Row(warning=WARNING if WARNED in self.notices else "")


class Pinterest:
    """Judges calls by Pinterest's rules, under the given controls."""

    name = "pinterest"
    denial = Failure(AUTHENTICATION)
    throttle = Failure(THROTTLED)
    routes = ("/{version:v[0-9]+}/ad_accounts/{dataset}/events",)

    def __init__(self, controls: Controls) -> None:
        self._controls = controls

    def judge(self, call: Call, now: float) -> Verdict:
        """Judge one call: path and access first, then the schema of the body, then each event."""
        refusal = misdirected(call) or self._door(call)
        if refusal is not None:
            return self._refused(call, refusal)
        data = events_of(call)
        if isinstance(data, Failure):
            return self._refused(call, data)
        if self._controls.fast:
            return self._counted(call, len(data))
        wrong = check_events(data)
        if wrong is not None:
            return self._refused(call, invalid(wrong), data)
        return self._judged(call, [self._finding(event, now) for event in data if isinstance(event, dict)])

    def failure(self, call: Call, failure: Failure) -> Reply:  # noqa: ARG002  # the answer is the same for every call
        """Return Pinterest's error answer for an injected failure."""
        return pinterest_reply.failed(failure, self._controls.usage)

    def shortened(self, call: Call, verdict: Verdict, missing: int) -> Verdict:  # noqa: ARG002  # the verdict has all
        """Return the verdict of a success that kept, and lists, `missing` events fewer than were received."""
        kept = max(0, verdict.received - missing)
        return replace(
            verdict,
            reply=pinterest_reply.shortened(verdict.reply, kept),
            taken=kept,
            accepted=verdict.accepted[:kept],
            refused=[event.key for event in verdict.accepted[kept:]],
            notices={},
        )

    def _door(self, call: Call) -> Failure | None:
        if self._controls.access.token_state(token_of(call)) != "valid":
            return Failure(AUTHENTICATION)
        if not self._controls.access.knows(call.path["dataset"]):
            return Failure(NOT_PERMITTED)
        return None

    def _finding(self, event: Event, now: float) -> Finding:
        flaw = check_event(event, now)
        if flaw is not None:
            return Finding(event, flaw)
        for rule in self._controls.rejections:
            if rule.matches(event["event_id"], self.name):
                return Finding(event, Flaw(REJECTED), status=200 if rule.code == 200 else 422)
        return Finding(event, notices=notices(event, now))

    def _judged(self, call: Call, findings: Sequence[Finding]) -> Verdict:
        account = call.path["dataset"]
        good = [finding for finding in findings if finding.flaw is None]
        bad = [finding for finding in findings if finding.flaw is not None]
        status = max((finding.status for finding in bad), default=200)
        return Verdict(
            pinterest_reply.answered([finding.row for finding in findings], self._controls.usage, status=status),
            label=str(SOME_INVALID) if bad else "ok",
            dataset=account,
            received=len(findings),
            taken=len(good),
            accepted=[sighting(account, finding.event) for finding in good],
            refused=[identity(account, finding.event) for finding in bad],
            test_event_code=_test_code(call),
            notices=Counter(name for finding in findings for name in finding.notices),
            sender_fault=next((finding.sender_fault for finding in bad if finding.sender_fault), None),
        )

    def _counted(self, call: Call, events: int) -> Verdict:
        return Verdict(
            pinterest_reply.answered([PROCESSED] * events, self._controls.usage, status=200),
            dataset=call.path["dataset"],
            received=events,
            taken=events,
            test_event_code=_test_code(call),
        )

    def _refused(self, call: Call, failure: Failure, data: Sequence[object] = ()) -> Verdict:
        account = call.path["dataset"]
        known = (identity(account, event) for event in data)
        return Verdict(
            self.failure(call, failure),
            label=failure.label,
            dataset=account,
            received=len(data),
            refused=[key for key in known if key],
        )


def _test_code(call: Call) -> str | None:
    return "test" if is_test(call) else None
