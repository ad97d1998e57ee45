"""One request from arrival to answer: fault, verdict, journal, answer.

Invariant: an event is in the journal if and only if the platform keeps it, and before any byte of the answer leaves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from aiohttp import web

from pipeline.sandbox import wire
from pipeline.sandbox.contract import Call, Failure, Platform, Reply, Verdict
from pipeline.sandbox.controls import Controls
from pipeline.sandbox.faults import (
    NAMES,
    Close,
    Drip,
    Effect,
    FaultBook,
    Latency,
    RateLimit,
    Reset,
    ShortCount,
    Silence,
    Status,
    Token,
    Unavailable,
)
from pipeline.sandbox.journal import Journal
from pipeline.sandbox.stats import Stats

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


@dataclass(slots=True)
class Room:
    """What all requests of one sandbox share. `now` returns Unix seconds."""

    controls: Controls
    faults: FaultBook
    journal: Journal
    stats: Stats
    now: Callable[[], float]
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    requests: int = 0


class Exchange:
    """Answers one platform's requests."""

    def __init__(self, platform: Platform, room: Room) -> None:
        self._platform = platform
        self._room = room

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Take one request through all stages."""
        room = self._room
        try:
            call = await self._read(request)
        except ConnectionResetError:
            # The sender is gone before its request was whole: nothing arrived, and nobody reads the answer.
            return web.Response(status=400)
        room.stats.arrived(room.now())
        decision = room.faults.decide(request.path, room.now())
        if decision.kind:
            room.stats.faults[decision.kind] += 1
        room.controls.usage.limit_used = decision.used_percent
        if decision.latency_s > 0:
            room.stats.faults["latency"] += 1
            await asyncio.sleep(decision.latency_s)
        verdict = self._platform.judge(call, room.now())
        room.stats.received(verdict.received)
        return await self._deliver(request, call, verdict, decision.effect)

    async def _read(self, request: web.Request) -> Call:
        self._room.requests += 1
        number = self._room.requests
        form: dict[str, str] | None = None
        resource = request.match_info.route.resource
        if request.content_type in FORMS:
            fields = await request.post()
            form = {name: value for name, value in fields.items() if isinstance(value, str)}
        return Call(
            number=number,
            method=request.method,
            path=request.match_info,
            query=request.query,
            headers=request.headers,
            form=form,
            body=b"" if form is not None else await request.read(),
            route="" if resource is None else resource.canonical,
        )

    async def _deliver(
        self, request: web.Request, call: Call, verdict: Verdict, effect: Effect | None
    ) -> web.StreamResponse:
        match effect:
            case None | Latency():
                return wire.whole(self._keep(call, verdict, verdict.label))
            case Drip(seconds):
                return await wire.drip(request, self._keep(call, verdict, verdict.label), seconds)
            case ShortCount(missing):
                if verdict.label == "ok":
                    verdict = self._platform.shortened(call, verdict, missing)
                return wire.whole(self._keep(call, verdict, "short_count"))
            case Silence() | Close() | Reset():
                return await self._break_off(request, call, verdict, effect)
            case _:
                return wire.whole(self._refuse(call, verdict, effect))

    async def _break_off(
        self, request: web.Request, call: Call, verdict: Verdict, effect: Silence | Close | Reset
    ) -> web.StreamResponse:
        """Let the sender wonder: the events are stored or not, and no whole answer arrives."""
        label = NAMES[type(effect)]
        if effect.stored:
            self._keep(call, verdict, label)
        else:
            self._lose(verdict, label)
        match effect:
            case Silence(seconds=seconds):
                return await wire.silence(request, seconds, self._room.closing)
            case Close():
                return wire.close(request)
            case Reset():
                return await wire.reset(request, verdict.reply)

    def _refuse(
        self, call: Call, verdict: Verdict, effect: Status | Failure | Unavailable | Token | RateLimit
    ) -> Reply:
        """Return the answer of a fault that lets nothing through, whatever the request was worth."""
        match effect:
            case Status(status, retry_after):
                self._lose(verdict, f"http {status}")
                return wire.proxy_page(status, retry_after)
            case Unavailable():
                self._lose(verdict, "unavailable")
                return wire.unavailable()
            case Failure():
                failure = effect
            case Token(subcode):
                denial = self._platform.denial
                failure = denial if subcode is None else replace(denial, subcode=subcode)
            case RateLimit(code=None):
                failure = self._platform.throttle
            case _:
                failure = Failure(effect.code or 0, effect.subcode)
        self._lose(verdict, failure.label)
        return self._platform.failure(call, failure)

    def _keep(self, call: Call, verdict: Verdict, label: str) -> Reply:
        """Enter what the platform keeps; return the platform's answer."""
        room = self._room
        room.stats.answered(label)
        room.stats.notices.update(verdict.notices)
        if verdict.sender_fault is not None:
            room.stats.sender_faults[verdict.sender_fault] += 1
        duplicates = room.journal.accept(self._platform.name, verdict, call.number, room.now())
        room.journal.attempt(verdict.refused)
        if verdict.test_event_code:
            room.stats.test_events += verdict.taken
        else:
            room.stats.accepted += verdict.taken - duplicates
            room.stats.duplicates += duplicates
        return verdict.reply

    def _lose(self, verdict: Verdict, label: str) -> None:
        self._room.stats.answered(label)
        self._room.journal.attempt([*(event.key for event in verdict.accepted), *verdict.refused])
