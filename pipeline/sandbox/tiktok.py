"""TikTok's side of the wire: `POST /open_api/v1.3/event/track/`, which is Events API 2.0.

Sources: TikTok's help pages on events and deduplication, its SDK's codes, and senders that run in production;
its reference could not be read. docs/sandbox/tiktok.md lists what is assumed.
Invariant: a request is taken whole or refused whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pipeline.sandbox import tiktok_reply
from pipeline.sandbox.contract import Call, Failure, Reply, Verdict
from pipeline.sandbox.controls import Controls
from pipeline.sandbox.tiktok_event import check_event, notices
from pipeline.sandbox.tiktok_flaw import NO_PERMISSION, PARAM_ERROR, Flaw
from pipeline.sandbox.tiktok_request import Envelope, envelope, identity, sighting

VERSION = "v1.3"
RETIRED = frozenset(("pixel/track/", "pixel/batch/", "offline/track/", "offline/batch/"))

TOKEN_FAILURES: Mapping[str, Failure] = {
    "missing": Failure(40104),
    "unknown": Failure(40105),
    "expired": Failure(40102),
    "revoked": Failure(40105),
}
REJECTED = Failure(PARAM_ERROR, message="Parameter error: an event in this request cannot be accepted.")


class TikTok:
    """Judges calls by TikTok's rules, under the given controls."""

    name = "tiktok"
    denial = TOKEN_FAILURES["revoked"]
    throttle = Failure(40100)
    routes = (f"/open_api/{VERSION}/event/track/", "/open_api/{version}/{interface:.*}")

    def __init__(self, controls: Controls) -> None:
        self._controls = controls

    def judge(self, call: Call, now: float) -> Verdict:
        """Judge one call: path and token first, then the envelope and its account, then each event."""
        refusal = _misdirected(call) or self._door(call)
        if refusal is not None:
            return self._refused(call, refusal)
        given = envelope(call)
        if isinstance(given, Flaw):
            return self._refused(call, _failure_of(given))
        if not self._controls.access.knows(given.source_id):
            return self._refused(call, Failure(NO_PERMISSION), given)
        if self._controls.fast:
            return self._taken(call, given, ())
        flaw = _first_flaw(given, now)
        if flaw is not None:
            return self._refused(call, _failure_of(flaw), given, flaw.sender_fault)
        if self._rejects(given):
            return self._refused(call, REJECTED, given)
        return self._taken(call, given, given.data)

    def failure(self, call: Call, failure: Failure) -> Reply:
        """Return TikTok's error answer for an injected failure."""
        return tiktok_reply.failed(call, failure)

    def shortened(self, call: Call, verdict: Verdict, missing: int) -> Verdict:
        """Return the verdict that kept `missing` events fewer, answered as a partial success: TikTok counts none."""
        kept = max(0, verdict.received - missing)
        return replace(
            verdict,
            reply=tiktok_reply.partial(call),
            taken=kept,
            accepted=verdict.accepted[:kept],
            refused=[event.key for event in verdict.accepted[kept:]],
        )

    def _taken(self, call: Call, given: Envelope, events: Sequence[object]) -> Verdict:
        return Verdict(
            tiktok_reply.success(call),
            dataset=given.source_id,
            received=len(given.data),
            taken=len(given.data),
            accepted=[sighting(given.source_id, event) for event in events if isinstance(event, dict)],
            test_event_code=given.test_event_code,
            notices=notices(given.source, events),
        )

    def _refused(
        self, call: Call, failure: Failure, given: Envelope | None = None, sender_fault: str | None = None
    ) -> Verdict:
        reply = self.failure(call, failure)
        if given is None:
            return Verdict(reply, label=failure.label)
        known = (identity(given.source_id, event) for event in given.data if isinstance(event, dict))
        return Verdict(
            reply,
            label=failure.label,
            dataset=given.source_id,
            received=len(given.data),
            refused=[key for key in known if key],
            sender_fault=sender_fault,
        )

    def _door(self, call: Call) -> Failure | None:
        state = self._controls.access.token_state(call.headers.get("Access-Token"))
        return None if state == "valid" else TOKEN_FAILURES[state]

    def _rejects(self, given: Envelope) -> bool:
        return any(
            isinstance(event, dict) and rule.matches(event.get("event_id"), self.name)
            for rule in self._controls.rejections
            for event in given.data
        )


def _misdirected(call: Call) -> Failure | None:
    """Return why a call's path or method leads nowhere, if so; only a wrong path has parts."""
    interface = call.path.get("interface")
    if interface is None:
        return None if call.method == "POST" else Failure(40400)
    if interface in RETIRED:
        return Failure(40051)
    return Failure(40400 if call.path["version"] == VERSION else 40006)


def _failure_of(flaw: Flaw) -> Failure:
    return Failure(flaw.code, message=flaw.message)


def _first_flaw(given: Envelope, now: float) -> Flaw | None:
    flaws = (check_event(given.source, event, now) for event in given.data)
    return next((flaw for flaw in flaws if flaw is not None), None)
