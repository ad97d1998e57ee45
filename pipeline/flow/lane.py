"""Steps 6 to 10 of the road: the sender stage of one destination.

A lane lives on the event loop. Deliveries come in by `offer`, outcomes go out by `report`, and between the two each
delivery is in exactly one place: the queue, or a batch that one task carries until every delivery in it has an outcome.
A batch that has to wait is carried on with the same events, so that a retry is the same request.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, assert_never

from pipeline.core import lane_signals, signals
from pipeline.core.backoff import backoff
from pipeline.core.batch import Queue
from pipeline.core.breaker import Breaker, State
from pipeline.core.model import (
    Accepted,
    Delivery,
    Doubt,
    Halt,
    Later,
    Mixed,
    NoReply,
    Refusal,
    Verdict,
)
from pipeline.core.pace import Pace
from pipeline.core.ports import Chance, Clock, Http, Secrets, Teller
from pipeline.core.reason import Reason
from pipeline.core.recent import Recent
from pipeline.core.split import Split
from pipeline.core.status import LaneStatus
from pipeline.core.streak import Streak
from pipeline.flow.bell import Bell
from pipeline.flow.prepare import too_old
from pipeline.platforms.base import Platform

# After so many attempts an answer that no table knows is held against the events.
PATIENCE = 3
# A lane that was halted asks again this often, with so few events, in case the cause was mended elsewhere.
HALT_SECONDS = 60.0
PROBE_EVENTS = 25
# A usage header's advice holds this long; the next answer brings newer advice.
ADVICE_SECONDS = 60.0

_WORDS: Final[Mapping[type[Verdict], signals.RequestOutcome]] = {
    Accepted: "accepted",
    Mixed: "mixed",
    Doubt: "doubt",
    Later: "later",
    Halt: "halt",
}


@dataclass(slots=True)
class Outcomes:
    """What a lane reports to the owner thread: each delivery in it has its final outcome."""

    destination: str
    platform: str
    accepted: Sequence[Delivery] = ()
    refused: Sequence[tuple[Delivery, Refusal]] = ()
    duplicates: Sequence[Delivery] = ()


@dataclass(slots=True)
class World:
    """What a lane needs beside its platform: the wire, the secrets, time, chance, and where to tell."""

    http: Http
    secrets: Secrets
    teller: Teller
    clock: Clock
    chance: Chance


@dataclass(slots=True, eq=False)
class _Carried:
    """A batch under way; `sending` while a request is out for it."""

    deliveries: Sequence[Delivery]
    sending: bool = field(default=False)


class Lane:
    """One destination's sender stage. Every method but the constructor runs on the event loop."""

    def __init__(self, platform: Platform, world: World, report: Callable[[Outcomes], None]) -> None:
        self.platform = platform
        self.name = platform.destination.name
        self._platform_name = platform.destination.platform
        self._limits = platform.destination.limits
        self._world = world
        self._report = report
        self._queue = Queue(self._limits)
        self._pace = Pace(self._limits.requests_per_second)
        self._breaker = Breaker()
        self._recent = Recent()
        self._streak = Streak(self._limits.halt_after_refusals)
        self._bell = Bell()
        self._carried: set[_Carried] = set()
        self._halted: Reason | None = None
        # Since when the lane waits or is halted.
        self._stopped_at: float | None = None
        self._hurry = False

    # -- from the owner thread, by way of the loop ----------------------------------------------------------------

    def offer(self, deliveries: Sequence[Delivery]) -> None:
        """Take deliveries on. A copy of what was accepted lately is reported as a duplicate at once."""
        copies = [delivery for delivery in deliveries if self._recent.seen(delivery)]
        if copies:
            self._report(Outcomes(self.name, self._platform_name, duplicates=copies))
            known = set(copies)
            deliveries = [delivery for delivery in deliveries if delivery not in known]
        self._queue.add(deliveries, now=self._world.clock())
        self._bell.ring()

    def share(self, share: float) -> None:
        """Send at this part of the destination's rate from now on."""
        self._pace.share(share)
        self._bell.ring()

    def drain(self) -> None:
        """Send what is queued without waiting for company: the worker is about to end."""
        self._hurry = True
        self._bell.ring()

    async def release(self) -> None:
        """Return when no request is out for a partition that is being given up; none is begun meanwhile."""
        self._queue.discard_closing()
        self._bell.ring()
        while any(carried.sending and _closing(carried.deliveries) for carried in self._carried):
            await self._bell.wait(None)

    def secrets_changed(self) -> None:
        """Try again at once: a secret was rotated, and that may be what the lane was waiting for."""
        if self._halted is not None:
            self._breaker.retry_now(now=self._world.clock())
            self._bell.ring()

    @property
    def status(self) -> LaneStatus:
        """How the lane is, for readiness."""
        if self._halted is not None:
            return LaneStatus("halted", self._halted)
        return LaneStatus() if self._breaker.state is State.CLOSED else LaneStatus("waiting", None)

    @property
    def waiting(self) -> int:
        """Deliveries that are in the lane and have no outcome."""
        return len(self._queue) + sum(len(carried.deliveries) for carried in self._carried)

    # -- the lane's own task ---------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Form batches and carry them, a few at a time, until cancelled. A fault in a batch is a fault of the lane."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                batch = self._next_batch()
                if batch:
                    carried = _Carried(batch)
                    self._carried.add(carried)
                    tasks.create_task(self._carry(carried))
                else:
                    await self._bell.wait(self._rest())

    def _next_batch(self) -> list[Delivery]:
        if len(self._carried) >= self._limits.concurrency or (self._halted is not None and self._carried):
            return []
        most = PROBE_EVENTS if self._halted is not None else None
        return self._queue.take(now=self._world.clock(), most=most, hurry=self._hurry)

    def _rest(self) -> float | None:
        due = self._queue.due_at()
        full_handed = len(self._carried) >= self._limits.concurrency or (self._halted is not None and self._carried)
        return None if due is None or full_handed else max(0.0, due - self._world.clock())

    async def _carry(self, carried: _Carried) -> None:
        try:
            verdict = await self._answer(carried)
            match verdict:
                case None:
                    pass
                case Accepted():
                    self._accept(carried.deliveries)
                case Mixed(refused):
                    self._accept([item for index, item in enumerate(carried.deliveries) if index not in refused])
                    self._refuse([(carried.deliveries[index], refusal) for index, refusal in refused.items()])
                case Doubt(refusal):
                    if len(carried.deliveries) == 1:
                        self._streak.refused(refusal)
                    await self._search(carried, verdict)
                case _:
                    assert_never(verdict)
        finally:
            self._carried.discard(carried)
            self._bell.ring()

    async def _search(self, carried: _Carried, doubt: Doubt) -> None:
        """Find the culprits of a refused batch, deliver the others; give up when configuration is to blame."""
        whole = carried.deliveries
        split = Split(whole, doubt)
        while not self._streak.hopeless and (group := split.next_group()) is not None:
            carried.deliveries = group
            verdict = await self._answer(carried)
            match verdict:
                case None:
                    split.dropped()
                case Accepted():
                    self._accept(carried.deliveries)
                    split.was_accepted()
                case Mixed(refused):
                    self._accept([item for index, item in enumerate(carried.deliveries) if index not in refused])
                    self._refuse([(carried.deliveries[index], refusal) for index, refusal in refused.items()])
                    split.was_accepted()
                case Doubt(refusal):
                    if len(carried.deliveries) == 1:
                        self._streak.refused(refusal)
                    split.doubted(verdict)
                case _:
                    assert_never(verdict)
        if self._streak.hopeless:
            self._halt(Halt(Reason.ALL_REJECTED, self._streak.detail))
            self._queue.put_back([item for item in split.undecided() if not item.done and not item.page.closing])
            self._streak.begin_again()
        else:
            self._refuse(split.refused)

    async def _answer(self, carried: _Carried) -> Accepted | Mixed | Doubt | None:
        """Send a batch until the platform speaks of its events; None when nothing of it is left to send."""
        attempt = 0
        while True:
            if not await self._permission(carried):
                return None
            attempt += 1
            verdict = await self._send(carried)
            match verdict:
                case Later(reason, detail, wait, blame):
                    if blame is not None and attempt >= PATIENCE:
                        return Doubt(blame)
                    await self._wait(carried, reason, detail, wait, attempt)
                case Halt():
                    self._halt(verdict)
                case _:
                    return verdict

    async def _permission(self, carried: _Carried) -> bool:
        """Return True when breaker and pace let a request go, False when nothing of the batch is left to send.

        Nothing awaits between the sifting and the permission: a probe that is let out of the breaker is sent.
        """
        while True:
            carried.deliveries = self._sift(carried.deliveries)
            if not carried.deliveries:
                return False
            now = self._world.clock()
            wait = self._breaker.wait(now=now)
            if wait == 0:
                wait = self._pace.wait(now=now)
            if wait == 0:
                self._breaker.go()
                self._pace.go(now=now)
                return True
            await self._bell.wait(wait)

    def _sift(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Leave out what has an outcome, what is not ours any more, and what the platform would find too old."""
        now = self._world.clock()
        ours = [item for item in deliveries if not item.done and not item.page.closing]
        expired = [item for item in ours if item.shaped.expires_at <= now]
        if expired:
            self._refuse([(item, too_old(item.shaped, now=now)) for item in expired])
        return [item for item in ours if not item.done]

    async def _send(self, carried: _Carried) -> Verdict:
        secrets = self._world.secrets.values(self.platform.destination.secrets)
        if isinstance(secrets, str):
            return Halt(Reason.UNAUTHORIZED, f"the secret {secrets!r} is missing")
        request = self.platform.request([item.shaped.payload for item in carried.deliveries], secrets)
        began = self._world.clock()
        carried.sending = True
        try:
            reply = await self._world.http.post(request, within=self._limits.timeout_seconds)
        finally:
            carried.sending = False
            self._bell.ring()
        verdict = self.platform.read(reply, len(carried.deliveries))
        now = self._world.clock()
        if not isinstance(reply, NoReply):
            advice = self.platform.advice(reply)
            if advice.factor < 1.0:
                self._pace.slow(advice.factor, until=now + ADVICE_SECONDS)
            if advice.pause_seconds:
                self._pace.pause(until=now + advice.pause_seconds)
        for item in carried.deliveries:
            item.attempts += 1
        self._feel(verdict, carried.deliveries, now)
        self._world.teller.tell(
            lane_signals.RequestDone(
                destination=self.name,
                platform=self._platform_name,
                outcome=_WORDS[type(verdict)],
                status=None if isinstance(reply, NoReply) else reply.status,
                events=len(carried.deliveries),
                size=len(request.body),
                seconds=now - began,
            )
        )
        if isinstance(verdict, Doubt) and len(carried.deliveries) > 1:
            blame = verdict.refusal
            self._world.teller.tell(
                lane_signals.BatchRefused(
                    self.name, blame.reason, len(carried.deliveries), blame.detail, blame.code, blame.trace_id
                )
            )
        return verdict

    def _feel(self, verdict: Verdict, deliveries: Sequence[Delivery], now: float) -> None:
        """Let the breaker know. A refusal of events is an answer: the platform works."""
        if isinstance(verdict, Later):
            for item in deliveries:
                item.first_failed_at = item.first_failed_at or now
            if verdict.reason is not Reason.THROTTLED:
                self._breaker.failed(now=now)
        elif not isinstance(verdict, Halt):
            self._breaker.succeeded(now=now)
            if not isinstance(verdict, Doubt):
                self._halted = None
            if self._halted is None and self._stopped_at is not None:
                self._world.teller.tell(lane_signals.LaneResumed(self.name, now - self._stopped_at))
                self._stopped_at = None

    async def _wait(self, carried: _Carried, reason: Reason, detail: str, wait: float | None, attempt: int) -> None:
        now = self._world.clock()
        seconds = max(wait or 0.0, backoff(attempt, chance=self._world.chance()))
        self._stopped_at = self._stopped_at or now
        self._world.teller.tell(lane_signals.LaneWaiting(self.name, reason, detail, seconds, attempt))
        if reason is Reason.THROTTLED:
            # The platform spoke to the account, not to this batch: the whole lane is silent.
            self._breaker.trip(now=now, seconds=seconds)
            self._bell.ring()
            return
        until = now + seconds
        while (left := until - self._world.clock()) > 0 and not _all_closing(carried.deliveries):
            await self._bell.wait(left)

    def _halt(self, halt: Halt) -> None:
        now = self._world.clock()
        if self._halted is not halt.reason:
            self._world.teller.tell(lane_signals.LaneHalted(self.name, halt.reason, halt.detail))
        self._halted = halt.reason
        self._stopped_at = self._stopped_at or now
        self._breaker.trip(now=now, seconds=halt.wait or HALT_SECONDS)
        self._bell.ring()

    def _accept(self, deliveries: Sequence[Delivery]) -> None:
        if deliveries:
            for item in deliveries:
                item.done = True
                self._recent.accepted(item)
            self._streak.accepted()
            self._report(Outcomes(self.name, self._platform_name, accepted=deliveries))
            self._tell_accepted(deliveries)

    def _tell_accepted(self, deliveries: Sequence[Delivery]) -> None:
        now = self._world.clock()
        produced = [item.record.timestamp_ms for item in deliveries]
        self._world.teller.tell(
            signals.BatchAccepted(
                destination=self.name,
                platform=self._platform_name,
                events=len(deliveries),
                at=now,
                occurred_lags=[now - item.event_time for item in deliveries],
                produced_lags=[now - ms / 1000 for ms in produced if ms is not None],
                match_keys=Counter([item.shaped.match_keys for item in deliveries]),
                dropped_keys=Counter([item.shaped.dropped for item in deliveries if item.shaped.dropped]),
            )
        )

    def _refuse(self, refused: Sequence[tuple[Delivery, Refusal]]) -> None:
        if refused:
            for item, _ in refused:
                item.done = True
            self._report(Outcomes(self.name, self._platform_name, refused=refused))


def _closing(deliveries: Sequence[Delivery]) -> bool:
    return any(item.page.closing for item in deliveries)


def _all_closing(deliveries: Sequence[Delivery]) -> bool:
    return all(item.page.closing for item in deliveries)
