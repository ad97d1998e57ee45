"""Snapchat's side of the wire: `POST /v3/{asset}/events` and `POST /v3/{asset}/events/validate`.

Sources: Snapchat's Conversions API pages (get started, using the API, parameters, deduplication, verify set-up) and
the schema of its own SDK. docs/sandbox/snapchat.md lists what is assumed where they are silent.
Invariant: a request is taken whole or refused whole, and only a validation says which event is to blame.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from pipeline.sandbox import snapchat_reply
from pipeline.sandbox.contract import Call, Failure, Reply, Verdict
from pipeline.sandbox.controls import Controls
from pipeline.sandbox.snapchat_event import WARNINGS, check_event, warnings
from pipeline.sandbox.snapchat_flaw import Code, Flaw
from pipeline.sandbox.snapchat_request import Batch, batch_of, identity, sighting, token_of

TOKEN_FAILURES: Mapping[str, Failure] = {
    "missing": Failure(401, message="An access token is required."),
    "unknown": Failure(400, message="Invalid access token."),
    "expired": Failure(401, message="The access token has expired."),
    "revoked": Failure(401),
}

_ASSET = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}").fullmatch


class Snapchat:
    """Judges calls by Snapchat's rules, under the given controls."""

    name = "snapchat"
    denial = TOKEN_FAILURES["revoked"]
    throttle = Failure(429)
    routes = ("/v3/{dataset}/events", "/v3/{dataset}/events/{validate:validate}")

    def __init__(self, controls: Controls) -> None:
        self._controls = controls

    def judge(self, call: Call, now: float) -> Verdict:
        """Judge one call: method and access first, then the request, then each event."""
        batch = self._door(call) or batch_of(call)
        if isinstance(batch, Failure):
            return Verdict(self.failure(call, batch), label=batch.label, dataset=call.path["dataset"])
        if self._controls.fast:
            return self._counted(call, batch)
        flaws = [check_event(event, now) or self._rejected(event) for event in batch.data]
        if _is_validation(call):
            return _validated(call, batch, flaws, now)
        first = next(filter(None, flaws), None)
        return _taken(call, batch, now) if first is None else _refused(call, batch, first)

    def failure(self, call: Call, failure: Failure) -> Reply:
        """Return Snapchat's error answer for an injected failure, whose code is an HTTP status.

        Its `error_data` becomes the field `event`, the index of the bad event.
        """
        return snapchat_reply.failed(failure, is_validation=_is_validation(call))

    def shortened(self, call: Call, verdict: Verdict, missing: int) -> Verdict:  # noqa: ARG002  # the contract's
        """Return the verdict as it is: Snapchat's success counts no events, so it cannot report fewer."""
        return verdict

    def _door(self, call: Call) -> Failure | None:
        if call.method != "POST":
            return Failure(405)
        state = self._controls.access.token_state(token_of(call))
        if state != "valid":
            return TOKEN_FAILURES[state]
        asset = call.path["dataset"]
        if not _ASSET(asset):
            return Failure(404)
        return None if self._controls.access.knows(asset) else Failure(403)

    def _rejected(self, event: object) -> Flaw | None:
        event_id = event.get("event_id") if isinstance(event, dict) else None
        if any(rule.matches(event_id, self.name) for rule in self._controls.rejections):
            return Flaw(Code.REJECTED, "event", "cannot be processed")
        return None

    def _counted(self, call: Call, batch: Batch) -> Verdict:
        """Return the verdict of fast mode: no event is looked at."""
        received = len(batch.data)
        if _is_validation(call):
            reply = snapchat_reply.validated([None] * received, [()] * received)
            return Verdict(reply, dataset=call.path["dataset"], received=received)
        return Verdict(
            snapchat_reply.success(),
            dataset=call.path["dataset"],
            received=received,
            taken=received,
        )


def _is_validation(call: Call) -> bool:
    return "validate" in call.path


def _taken(call: Call, batch: Batch, now: float) -> Verdict:
    dataset = call.path["dataset"]
    events = [event for event in batch.data if isinstance(event, dict)]
    return Verdict(
        snapchat_reply.success(),
        dataset=dataset,
        received=len(events),
        taken=len(events),
        accepted=[sighting(dataset, event) for event in events],
        test_event_code=batch.test_event_code,
        notices=Counter(name for event in events for name in warnings(event, now)),
    )


def _refused(call: Call, batch: Batch, flaw: Flaw) -> Verdict:
    dataset = call.path["dataset"]
    known = (identity(dataset, event) for event in batch.data if isinstance(event, dict))
    return Verdict(
        snapchat_reply.refused(flaw),
        label=f"400/{flaw.code}",
        dataset=dataset,
        received=len(batch.data),
        refused=[key for key in known if key],
        sender_fault=flaw.sender_fault,
    )


def _validated(call: Call, batch: Batch, flaws: Sequence[Flaw | None], now: float) -> Verdict:
    """Return the verdict of a validation, which keeps nothing and counts as no attempt to deliver."""
    told = [
        [WARNINGS[name] for name in warnings(event, now)] if flaw is None and isinstance(event, dict) else []
        for event, flaw in zip(batch.data, flaws, strict=True)
    ]
    first = next(filter(None, flaws), None)
    return Verdict(
        snapchat_reply.validated(flaws, told),
        label="ok" if first is None else f"400/{first.code}",
        dataset=call.path["dataset"],
        received=len(batch.data),
        test_event_code=batch.test_event_code or "test",
        sender_fault=None if first is None else first.sender_fault,
    )
