"""Meta's side of the wire: `POST /v{N}.0/{dataset}/events`.

Sources: Meta's Conversions API pages (using the API, server event and customer information parameters, deduplication)
and the Graph API's error reference. docs/sandbox.md lists what is assumed where they are silent.
Invariant: a request is taken whole or refused whole.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence

from pipeline.sandbox import meta_reply
from pipeline.sandbox.contract import Call, Failure, Reply, Verdict
from pipeline.sandbox.controls import Controls
from pipeline.sandbox.meta_event import check_event
from pipeline.sandbox.meta_flaw import INVALID_PARAMETER, OTHER, Flaw, texts
from pipeline.sandbox.meta_request import events_of, identity, notices, parameters, sighting, token_of

VERSIONS = frozenset(f"v{number}.0" for number in range(21, 27))
ENDED = frozenset(f"v{number}.0" for number in range(1, 21))

TOKEN_FAILURES: Mapping[str, Failure] = {
    "missing": Failure(104, message="An access token is required to request this resource."),
    "unknown": Failure(190, message="Invalid OAuth access token - Cannot parse access token"),
    "expired": Failure(190, 463, message="Error validating access token: Session has expired."),
    "revoked": Failure(190, 458, message="Error validating access token: The user has not authorized application."),
}
UNKNOWN_DATASET = Failure(
    100,
    33,
    message="Unsupported post request. Object does not exist, cannot be loaded due to missing permissions, "
    "or does not support this operation",
)


class Meta:
    """Judges calls by Meta's rules, under the given controls."""

    name = "meta"
    denial = TOKEN_FAILURES["revoked"]
    throttle = Failure(80004, 2446079)
    routes = ("/{version:v[0-9]+[.][0-9]+}/{dataset}/events", "/{dataset:[0-9]+}/events")

    def __init__(self, controls: Controls) -> None:
        self._controls = controls

    def judge(self, call: Call, now: float) -> Verdict:
        """Judge one call: path and access first, then the request, then each event."""
        params = parameters(call)
        if isinstance(params, Failure):
            return self._refused(call, self._door(call, call.query) or params)
        refusal = self._door(call, params)
        if refusal is not None:
            return self._refused(call, refusal)
        data = events_of(params, is_form=call.form is not None)
        if isinstance(data, Failure):
            return self._refused(call, data)
        return self._judge_events(call, params, data, now)

    def failure(self, call: Call, failure: Failure) -> Reply:
        """Return Meta's error answer for an injected failure."""
        return meta_reply.failed(call, failure, self._controls.usage, call.path["dataset"])

    def shortened(self, call: Call, verdict: Verdict, missing: int) -> Verdict:
        """Return the verdict of a success that kept, and reports, `missing` events fewer."""
        kept = max(0, verdict.received - missing)
        return Verdict(
            self._success(call, kept),
            dataset=verdict.dataset,
            received=verdict.received,
            taken=kept,
            accepted=verdict.accepted[:kept],
            refused=[event.key for event in verdict.accepted[kept:]],
            test_event_code=verdict.test_event_code,
        )

    def _judge_events(self, call: Call, params: Mapping[str, object], data: Sequence[object], now: float) -> Verdict:
        if self._controls.fast:
            return self._taken(call, data, {})
        flaw = _first_flaw(data, now)
        if flaw is not None:
            return self._refused(call, self._failure_of(flaw), data, flaw.sender_fault)
        rejected = self._rejected(data)
        if rejected is not None:
            return self._refused(call, rejected, data)
        return self._taken(call, data, params)

    def _taken(self, call: Call, data: Sequence[object], params: Mapping[str, object]) -> Verdict:
        dataset = call.path["dataset"]
        code = params.get("test_event_code")
        events = () if self._controls.fast else data
        return Verdict(
            self._success(call, len(data)),
            dataset=dataset,
            received=len(data),
            taken=len(data),
            accepted=[sighting(dataset, event) for event in events if isinstance(event, dict)],
            test_event_code=code if isinstance(code, str) and code else None,
            notices=notices(events),
        )

    def _success(self, call: Call, events: int) -> Reply:
        return meta_reply.success(call, events, self._controls.usage, call.path["dataset"])

    def _refused(
        self, call: Call, failure: Failure, data: Sequence[object] = (), sender_fault: str | None = None
    ) -> Verdict:
        dataset = call.path["dataset"]
        known = (identity(dataset, event)[0] for event in data if isinstance(event, dict))
        return Verdict(
            self.failure(call, failure),
            label=failure.label,
            dataset=dataset,
            received=len(data),
            refused=[key for key in known if key],
            sender_fault=sender_fault,
        )

    def _door(self, call: Call, params: Mapping[str, object]) -> Failure | None:
        refusal = _misdirected(call)
        if refusal is not None:
            return refusal
        token = token_of(call, params)
        state = self._controls.access.token_state(token)
        if state != "valid":
            return TOKEN_FAILURES[state]
        if not self._controls.access.knows_dataset(call.path["dataset"]):
            return UNKNOWN_DATASET
        return self._proof(token or "", params.get("appsecret_proof"))

    def _proof(self, token: str, proof: object) -> Failure | None:
        secret = self._controls.access.app_secret
        if secret is None:
            return None
        expected = hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest()
        if isinstance(proof, str) and hmac.compare_digest(expected.encode(), proof.encode()):
            return None
        return Failure(104, message="Incorrect signature: appsecret_proof is missing or does not fit the token")

    def _rejected(self, data: Sequence[object]) -> Failure | None:
        for rule in self._controls.rejections:
            for event in data:
                if isinstance(event, dict) and rule.matches(event.get("event_id"), self.name):
                    title, detail = OTHER[self._controls.language]
                    return Failure(rule.code, rule.subcode, transient=False, title=title, detail=detail)
        return None

    def _failure_of(self, flaw: Flaw) -> Failure:
        title, detail = texts(flaw, self._controls.language)
        return Failure(INVALID_PARAMETER, flaw.subcode, transient=False, title=title, detail=detail)


def _misdirected(call: Call) -> Failure | None:
    """Return why a call's path or method leads nowhere, if so."""
    version = call.path.get("version")
    if version is None:
        return Failure(2500, message="Unversioned calls are not supported: start the path with a version")
    if version in ENDED:
        return Failure(2635, message="You are calling a deprecated version. Please update to the latest version")
    if version not in VERSIONS:
        return Failure(2500, message="Unknown path components: the version does not exist")
    if call.method != "POST":
        return Failure(100, message="Unsupported request: events are sent with POST")
    return None


def _first_flaw(data: Sequence[object], now: float) -> Flaw | None:
    for index, event in enumerate(data):
        flaw = check_event(event, now)
        if flaw is not None:
            return Flaw(flaw.subcode, ("data", index, *flaw.path), flaw.note, flaw.sender_fault)
    return None
