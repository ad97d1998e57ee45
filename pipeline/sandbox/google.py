"""Google's side of the wire: the Data Manager API, version 1, and the two issuers of its tokens.

Sources: the Data Manager API's reference and guides; docs/sandbox/google.md lists what is assumed beyond them.
Invariant: a request is taken whole or refused whole; what becomes of its events is told later, by request id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import orjson

from pipeline.sandbox import google_reply
from pipeline.sandbox.contract import Call, Failure, Reply, Sighting, Verdict
from pipeline.sandbox.controls import Controls
from pipeline.sandbox.google_event import Event, warnings
from pipeline.sandbox.google_outcome import GoogleKnobs, Late, own_reason
from pipeline.sandbox.google_request import (
    Document,
    account_of,
    destination_flaws,
    destinations_of,
    document_of,
    event_path,
    events_of,
    pairs,
    request_flaws,
    sighting,
)
from pipeline.sandbox.google_shape import REQUIRED, Flaw
from pipeline.sandbox.google_status import KEPT_S, LOST, Batch, Batches, status_of
from pipeline.sandbox.google_token import Tokens, exchange_failed, metadata_failed

INGEST = "/v1/events:ingest"
STATUS = "/v1/requestStatus:retrieve"
TOKEN = "/token"  # noqa: S105  # a path, not a secret
METADATA = "/computeMetadata/v1/instance/service-accounts/{account}/token"

TOKEN_FAILURES: Mapping[str, Failure] = {
    "missing": Failure(401, detail="CREDENTIALS_MISSING"),
    "unknown": Failure(401),
    "expired": Failure(401, detail="ACCESS_TOKEN_EXPIRED"),
    "revoked": Failure(401),
    "out of scope": Failure(403, detail="ACCESS_TOKEN_SCOPE_INSUFFICIENT"),
}
NOT_FOUND = Failure(404)
UNKNOWN_ACCOUNT = Failure(403)
INVALID = Failure(400)


class Google:
    """Judges calls by Google's rules, under the given controls and knobs."""

    name = "google"
    denial = TOKEN_FAILURES["revoked"]
    throttle = Failure(429)
    routes = (INGEST, STATUS, TOKEN, METADATA)

    def __init__(self, controls: Controls, knobs: GoogleKnobs) -> None:
        self._controls = controls
        self._knobs = knobs
        self._tokens = Tokens(controls.access, knobs)
        self._batches = Batches()

    def judge(self, call: Call, now: float) -> Verdict:
        """Judge one call: a request for a token, for a status, or to take events."""
        if call.route == TOKEN:
            return self._tokens.exchange(call, now)
        if call.route == METADATA:
            return self._tokens.metadata(call, now)
        if call.method != ("GET" if call.route == STATUS else "POST"):
            return _refused(call, NOT_FOUND)
        refusal = self._token_refusal(call, now)
        if refusal is not None:
            return _refused(call, refusal)
        return self._status(call, now) if call.route == STATUS else self._ingest(call, now)

    def failure(self, call: Call, failure: Failure) -> Reply:
        """Return the error answer for an injected failure, in the shape of the endpoint that was called."""
        if call.route == TOKEN:
            return exchange_failed(failure)
        if call.route == METADATA:
            return metadata_failed(failure)
        return google_reply.failed(call, failure)

    def shortened(self, call: Call, verdict: Verdict, missing: int) -> Verdict:
        """Return the verdict of a success that kept `missing` events fewer.

        The answer has no count: only the status tells that the last events failed inside Google.
        """
        batch = self._batches.find(google_reply.request_id(call))
        document = document_of(call)
        if batch is None or isinstance(document, Failure) or missing < 1:
            return verdict
        kept = [pair for pair in pairs(document) if pair not in batch.failures]
        batch.failures |= dict.fromkeys(kept[-missing:], LOST)
        return replace(
            verdict,
            taken=max(0, len(kept) - missing),
            accepted=verdict.accepted[:-missing],
            refused=[*verdict.refused, *(event.key for event in verdict.accepted[-missing:])],
        )

    def _token_refusal(self, call: Call, now: float) -> Failure | None:
        scheme, _, token = call.headers.get("Authorization", "").partition(" ")
        return TOKEN_FAILURES.get(self._tokens.state(token.strip() if scheme == "Bearer" else "", now))

    def _status(self, call: Call, now: float) -> Verdict:
        name = call.query.get("requestId")
        if not name:
            return _invalid(call, [Flaw("request_id", REQUIRED, "is required")])
        batch = self._batches.find(name)
        if batch is None:
            return _invalid(call, [Flaw("request_id", "INVALID_REQUEST_ID", "names no request")])
        if not self._knows(batch.accounts):
            return _refused(call, UNKNOWN_ACCOUNT)
        if now - batch.at > KEPT_S:
            return _invalid(call, [Flaw("request_id", "REQUEST_TOO_OLD", "names a request that is no longer kept")])
        return Verdict(Reply(200, orjson.dumps(status_of(batch, now, self._knobs.processing_s))))

    def _ingest(self, call: Call, now: float) -> Verdict:
        document = document_of(call)
        if isinstance(document, Failure):
            return _refused(call, document)
        wrong = destination_flaws(document)
        if not wrong and not self._knows([account_of(one) for one in destinations_of(document)]):
            return _refused(call, UNKNOWN_ACCOUNT)
        wrong += request_flaws(document, now, with_events=not self._controls.fast)
        if not wrong and not self._controls.fast:
            wrong = self._rejected(document)
        return _invalid(call, wrong, document) if wrong else self._taken(call, document, now)

    def _taken(self, call: Call, document: Document, now: float) -> Verdict:
        batch = self._batch(document, now)
        if document.get("validateOnly") is not True:
            self._batches.remember(google_reply.request_id(call), batch)
        kept, failed = self._sightings(document, batch)
        events = () if self._controls.fast else events_of(document)
        ignored = [flaw for index, event in enumerate(events) for flaw in warnings(event, event_path(index))]
        return Verdict(
            google_reply.succeeded(call, ignored),
            dataset=batch.accounts[0],
            received=len(_list(document)),
            taken=batch.counts.total() - len(batch.failures),
            accepted=kept,
            refused=[event.key for event in failed],
            test_event_code="test" if document.get("validateOnly") is True else None,
        )

    def _batch(self, document: Document, now: float) -> Batch:
        """Decide what becomes of each event at each of its destinations."""
        destinations = destinations_of(document)
        names = ("operatingAccount", "productDestinationId")
        batch = Batch(
            now,
            [account_of(one) for one in destinations],
            [{name: one[name] for name in names} for one in destinations],
            Counter(),
        )
        if self._controls.fast:
            batch.counts.update(dict.fromkeys(range(len(destinations)), len(_list(document))))
            return batch
        batch.counts.update(number for _, number in pairs(document))
        if document.get("validateOnly") is True:
            return batch
        late = [self._late(event, document, now) for event in events_of(document)]
        for index, number in pairs(document):
            reason = late[index]
            if reason is not None:
                batch.failures[index, number] = reason
        return batch

    def _late(self, event: Event, document: Document, now: float) -> Late | None:
        return self._knobs.strike(event) or own_reason(event, document.get("consent"), now)

    def _sightings(self, document: Document, batch: Batch) -> tuple[list[Sighting], list[Sighting]]:
        """Return the events that are kept and those that fail later, once per destination."""
        kept: list[Sighting] = []
        failed: list[Sighting] = []
        if not self._controls.fast:
            events, destinations = events_of(document), destinations_of(document)
            for index, number in pairs(document):
                seen = sighting(destinations[number], events[index])
                (failed if (index, number) in batch.failures else kept).append(seen)
        return kept, failed

    def _rejected(self, document: Document) -> list[Flaw]:
        return [
            Flaw(event_path(index), "INVALID_EVENT", "cannot be accepted")
            for index, event in enumerate(events_of(document))
            if any(rule.matches(event.get("transactionId"), self.name) for rule in self._controls.rejections)
        ]

    def _knows(self, accounts: Sequence[str]) -> bool:
        return all(self._controls.access.knows(account) for account in accounts)


def _refused(call: Call, failure: Failure) -> Verdict:
    label = failure.label if failure.detail is None else f"{failure.code}/{failure.detail}"
    return Verdict(google_reply.failed(call, failure), label=label)


def _invalid(call: Call, flaws: Sequence[Flaw], document: Document | None = None) -> Verdict:
    destinations = destinations_of(document or {})
    known = [sighting(one, event).key for one in destinations[:1] for event in events_of(document or {})]
    return Verdict(
        google_reply.failed(call, INVALID, flaws),
        label=f"{INVALID.code}/{flaws[0].reason}",
        dataset=account_of(destinations[0]) if destinations else "",
        received=len(_list(document or {})),
        refused=known,
        sender_fault=next((flaw.sender_fault for flaw in flaws if flaw.sender_fault), None),
    )


def _list(document: Document) -> Sequence[object]:
    events = document.get("events")
    return events if isinstance(events, list) else ()
