"""The endpoints under `/_sandbox/`: read the journal and the figures, turn the controls.

Invariant: no answer holds a token, and none holds customer data unless payloads were asked to be kept.
"""

from __future__ import annotations

import dataclasses

import orjson
from aiohttp import web

from pipeline.sandbox import page
from pipeline.sandbox.controls import rejection_from
from pipeline.sandbox.exchange import Room
from pipeline.sandbox.fault_input import add_fault
from pipeline.sandbox.google_outcome import GoogleKnobs, outcome_from

NDJSON = "application/x-ndjson"


class Admin:
    """Answers the requests of people and tests, not of senders."""

    def __init__(self, room: Room, google: GoogleKnobs) -> None:
        self._room = room
        self._google = google

    def routes(self) -> list[web.RouteDef]:
        """Return all routes."""
        return [
            web.get("/", self._page),
            web.get("/_sandbox/health", self._health),
            web.get("/_sandbox/stats", self._stats),
            web.get("/_sandbox/journal", self._journal),
            web.delete("/_sandbox/journal", self._reset),
            web.get("/_sandbox/payloads", self._payloads),
            web.get("/_sandbox/faults", self._faults),
            web.post("/_sandbox/faults", self._add_faults),
            web.delete("/_sandbox/faults", self._clear_faults),
            web.get("/_sandbox/rejections", self._rejections),
            web.post("/_sandbox/rejections", self._add_rejection),
            web.delete("/_sandbox/rejections", self._clear_rejections),
            web.get("/_sandbox/google/outcomes", self._outcomes),
            web.post("/_sandbox/google/outcomes", self._add_outcome),
            web.delete("/_sandbox/google/outcomes", self._clear_outcomes),
            web.post("/_sandbox/access", self._access),
            web.post("/_sandbox/usage", self._usage),
        ]

    async def _page(self, _: web.Request) -> web.Response:
        text = page.render(self._room.stats.snapshot(), [rule.describe() for rule in self._room.faults.rules])
        return web.Response(text=text, content_type="text/html")

    async def _health(self, _: web.Request) -> web.Response:
        return _json({"status": "ok"})

    async def _stats(self, _: web.Request) -> web.Response:
        journal = self._room.journal
        kept = {"journal_dropped": journal.dropped, "keys_forgotten": journal.forgotten}
        return _json({**self._room.stats.snapshot(), **kept})

    async def _journal(self, request: web.Request) -> web.Response:
        test = request.query.get("test") in ("1", "true")
        return web.Response(body=self._room.journal.lines(test=test), content_type=NDJSON)

    async def _reset(self, _: web.Request) -> web.Response:
        self._room.journal.clear()
        self._room.stats.clear()
        return _json({"status": "cleared"})

    async def _payloads(self, _: web.Request) -> web.Response:
        body = b"".join(payload + b"\n" for payload in self._room.journal.payloads)
        return web.Response(body=body, content_type=NDJSON)

    async def _faults(self, _: web.Request) -> web.Response:
        return _json([rule.describe() for rule in self._room.faults.rules])

    async def _add_faults(self, request: web.Request) -> web.Response:
        document = await _document(request)
        try:
            for one in document if isinstance(document, list) else [document]:
                add_fault(self._room.faults, one)
        except ValueError as fault:
            return _bad(fault)
        return await self._faults(request)

    async def _clear_faults(self, request: web.Request) -> web.Response:
        self._room.faults.clear(request.query.get("kind"))
        return await self._faults(request)

    async def _rejections(self, _: web.Request) -> web.Response:
        return _json([dataclasses.asdict(rule) for rule in self._room.controls.rejections])

    async def _add_rejection(self, request: web.Request) -> web.Response:
        try:
            self._room.controls.rejections.append(rejection_from(await _document(request)))
        except ValueError as fault:
            return _bad(fault)
        return await self._rejections(request)

    async def _clear_rejections(self, request: web.Request) -> web.Response:
        self._room.controls.rejections.clear()
        return await self._rejections(request)

    async def _outcomes(self, _: web.Request) -> web.Response:
        return _json([dataclasses.asdict(outcome) for outcome in self._google.outcomes])

    async def _add_outcome(self, request: web.Request) -> web.Response:
        try:
            self._google.outcomes.append(outcome_from(await _document(request)))
        except ValueError as fault:
            return _bad(fault)
        return await self._outcomes(request)

    async def _clear_outcomes(self, request: web.Request) -> web.Response:
        self._google.outcomes.clear()
        return await self._outcomes(request)

    async def _access(self, request: web.Request) -> web.Response:
        access = self._room.controls.access
        try:
            access.replace(await _document(request))
        except ValueError as fault:
            return _bad(fault)
        sizes = {"tokens": access.tokens, "expired": access.expired, "revoked": access.revoked}
        return _json({**{name: len(values) for name, values in sizes.items()}, "datasets": sorted(access.datasets)})

    async def _usage(self, request: web.Request) -> web.Response:
        try:
            self._room.controls.usage.replace(await _document(request))
        except ValueError as fault:
            return _bad(fault)
        return _json({"status": "set"})


async def _document(request: web.Request) -> object:
    document: object = None
    try:
        document = orjson.loads(await request.read())
    except orjson.JSONDecodeError:
        raise web.HTTPBadRequest(text="the body must be JSON\n") from None
    return document


def _json(value: object) -> web.Response:
    return web.Response(body=orjson.dumps(value), content_type="application/json")


def _bad(fault: ValueError) -> web.Response:
    return web.Response(status=400, text=f"{fault}\n")
