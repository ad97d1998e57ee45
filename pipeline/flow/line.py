"""Steps 7 to 9 of the road: one destination's line to its platform.

It decides when a request may go (breaker, pace, secrets), sends it, reads the reply, and waits out everything that is
not the events' fault: what it returns speaks of the events, and of nothing else.
A batch that has to wait is sent again with the same events, so that a retry is the same request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pipeline.core import signals
from pipeline.core.backoff import backoff
from pipeline.core.breaker import Breaker, State
from pipeline.core.model import (
    Accepted,
    Advice,
    Batch,
    Blamed,
    Delivery,
    Doubt,
    Halt,
    Later,
    Mixed,
    NoReply,
    Refusal,
    Reply,
    Verdict,
)
from pipeline.core.pace import Pace, Share
from pipeline.core.ports import Chance, Http, Secrets, Teller
from pipeline.core.reason import Reason
from pipeline.core.status import LaneStatus
from pipeline.flow.bell import Bell
from pipeline.flow.clocks import Clocks
from pipeline.flow.credentials import Credentials
from pipeline.platforms.base import Platform

# After so many attempts an answer that no table knows is held against the events.
PATIENCE: Final = 3
UNKNOWN_SECONDS: Final = 1.0
# A halted line asks again this often, in case the cause was mended elsewhere.
HALT_SECONDS: Final = 60.0
# A usage header's advice holds this long; the next answer brings newer advice.
ADVICE_SECONDS: Final = 60.0

_OUTCOMES: Final[Mapping[type[Verdict], signals.RequestOutcome]] = {
    Accepted: "accepted",
    Mixed: "mixed",
    Blamed: "blamed",
    Doubt: "doubt",
    Later: "later",
    Halt: "halt",
}


@dataclass(slots=True)
class World:
    """What a lane needs beside its platform: the wire, the secrets, time, chance, and where to tell."""

    http: Http
    secrets: Secrets
    teller: Teller
    clocks: Clocks
    chance: Chance


@dataclass(slots=True, eq=False)
class Carried:
    """A batch under way; `sending` while a request is out for it."""

    deliveries: Sequence[Delivery]
    sending: bool = field(default=False)

    @property
    def batch(self) -> Batch:
        """What a request is made of; a batch is of one group."""
        return Batch([item.shaped.payload for item in self.deliveries], self.deliveries[0].shaped.group)

    @property
    def given_up(self) -> bool:
        """True when none of it is ours any more."""
        return all(item.page.closing for item in self.deliveries)


class Line:
    """Belongs to the event loop. `sift` leaves out of a batch what must not be sent any more, before every attempt."""

    def __init__(
        self, platform: Platform, world: World, bell: Bell, sift: Callable[[Sequence[Delivery]], list[Delivery]]
    ) -> None:
        self._platform = platform
        self._destination = platform.destination
        self._world = world
        self._credentials = Credentials(platform, world.secrets, world.http, world.clocks)
        self._inquires = type(platform).inquiry is not Platform.inquiry
        self._bell = bell
        self._sift = sift
        self._steady = world.clocks.steady
        self._pace = Pace(self._destination.limits.requests_per_second)
        self._breaker = Breaker()
        # asyncio's lock is fair: a batch is not overtaken by those that came after it.
        self._turnstile = asyncio.Lock()
        # Since when the line waits or is halted; None while it delivers.
        self._stopped_at: float | None = None
        self._shown = State.CLOSED
        self._mended = False
        # Answers that spoke of the events, so far.
        self._answers = 0
        self._waits_for: Reason | None = None
        self.halted: Reason | None = None

    @property
    def status(self) -> LaneStatus:
        """How the line is, for readiness."""
        if self.halted is not None:
            return LaneStatus("halted", self.halted)
        return LaneStatus() if self._stopped_at is None else LaneStatus("waiting", self._waits_for)

    def share(self, share: Share) -> None:
        """Send in the slots of these partitions from now on."""
        self._pace.share(share)
        rate = self._pace.rate(now=self._steady())
        self._world.teller.tell(signals.RateChanged(self._destination.name, rate))

    def begin(self) -> None:
        """Halt at once when a secret is missing: nobody should have to wait for the first event to hear of it."""
        secrets = self._world.secrets.values(self._destination.secrets)
        if isinstance(secrets, str):
            self.halt(Halt(Reason.UNAUTHORIZED, secrets))

    def rest(self) -> None:
        """Note that nothing is left to send: whoever waits for nothing does not wait, and what was mended is over."""
        if self._mended:
            self.halted, self._mended = None, False
        self._tell_resumed()

    def retry_now(self) -> None:
        """Ask again at once if halted: the cause may be mended. A probe that is out may still fail for the old one."""
        if self.halted is not None:
            self._mended = True
            self._breaker.retry_now(now=self._steady())

    async def ask(self, carried: Carried) -> Accepted | Mixed | Blamed | Doubt | None:
        """Send a batch until the platform speaks of its events; None when nothing of it is left to send."""
        attempt, unknown = 0, 0
        while await self._permission(carried):
            attempt += 1
            verdict = await self._send(carried)
            match verdict:
                case Later(blame=blame):
                    unknown += blame is not None
                    if blame is not None and unknown >= PATIENCE:
                        return Doubt(blame)
                    await self._wait(carried, verdict, attempt)
                case Halt():
                    self.halt(verdict)
                case _:
                    return verdict
        return None

    async def inquire(self, carried: Carried) -> Sequence[int]:
        """Ask the platform which events of a refused batch are to blame; none when it cannot be asked, or says none.

        The positions are those in `carried.deliveries` as it is afterwards.
        """
        if not self._inquires or not await self._permission(carried):
            return ()
        carried.sending = True
        try:
            secrets = await self._credentials.values()
            request = None if isinstance(secrets, Later | Halt) else self._platform.inquiry(carried.batch, secrets)
            if request is None:
                self._breaker.succeeded(now=self._steady())
                return ()
            began = self._steady()
            reply = await self._world.http.send(request, within=self._destination.limits.timeout_seconds)
        finally:
            carried.sending = False
            self._bell.ring()
        now = self._steady()
        # Nothing is concluded from the lack of an answer: the events themselves are asked for one next.
        self._breaker.succeeded(now=now)
        self._tell(carried, "inquiry", reply, len(request.body), now - began)
        return self._platform.suspects(reply, len(carried.deliveries))

    def halt(self, halt: Halt) -> None:
        """Stop the line and call a person; nothing that it carries is settled."""
        now = self._steady()
        if self.halted is not halt.reason:
            self._world.teller.tell(signals.LaneHalted(self._destination.name, halt.reason, halt.detail))
        self.halted = halt.reason
        self._stopped_at = now if self._stopped_at is None else self._stopped_at
        self._breaker.trip(now=now, seconds=0.0 if self._mended else halt.wait or HALT_SECONDS)
        self._mended = False
        self._show_breaker()
        self._bell.ring()

    async def _permission(self, carried: Carried) -> bool:
        """Return True when a request may go, False when nothing of the batch is left to send; first come, first served.

        Nothing awaits between the sifting and the permission: a probe that is let out of the breaker is sent.
        """
        async with self._turnstile:
            return await self._turn(carried)

    async def _turn(self, carried: Carried) -> bool:
        paced_since: float | None = None
        while True:
            carried.deliveries = self._sift(carried.deliveries)
            if not carried.deliveries:
                self._pace.stand_down()
                return False
            now, unix = self._steady(), self._world.clocks.wall()
            wait = self._breaker.wait(now=now)
            if wait == 0:
                wait = self._pace.wait(now=now, unix=unix)
                paced_since = now if wait and paced_since is None else paced_since
            else:
                self._pace.stand_down()
            if wait == 0:
                self._breaker.go()
                self._pace.go(now=now, unix=unix)
                self._show_wait(paced_since, now)
                return True
            await self._bell.wait(wait)

    def _show_wait(self, since: float | None, now: float) -> None:
        if since is not None:
            self._world.teller.tell(signals.LimiterWaited(self._destination.name, now - since))
        self._show_breaker()

    def _show_breaker(self) -> None:
        if self._breaker.state is not self._shown:
            self._shown = self._breaker.state
            self._world.teller.tell(signals.BreakerMoved(self._destination.name, self._shown))

    async def _send(self, carried: Carried) -> Verdict:
        # From here on, also while a token is fetched: whoever gives the partitions up waits for this.
        carried.sending = True
        try:
            secrets = await self._credentials.values()
            if isinstance(secrets, Later | Halt):
                self._feel(secrets, carried, self._steady())
                return secrets
            return await self._exchange(carried, secrets)
        finally:
            carried.sending = False
            self._bell.ring()

    async def _exchange(self, carried: Carried, secrets: Mapping[str, str]) -> Verdict:
        request = self._platform.request(carried.batch, secrets)
        began = self._steady()
        reply = await self._world.http.send(request, within=self._destination.limits.timeout_seconds)
        verdict = self._platform.read(reply, len(carried.deliveries))
        if not isinstance(verdict, Later | Halt):
            self._credentials.taken()
        elif verdict.reason is Reason.UNAUTHORIZED and self._credentials.refused(secrets):
            verdict = Later(Reason.UNAUTHORIZED, f"{verdict.detail}; a new token is asked for")
        now = self._steady()
        if not isinstance(reply, NoReply):
            self._heed(self._platform.advice(reply), now)
        for item in carried.deliveries:
            item.attempts += 1
        self._feel(verdict, carried, now)
        self._show_breaker()
        self._tell(carried, _OUTCOMES[type(verdict)], reply, len(request.body), now - began)
        if isinstance(verdict, Doubt) and len(carried.deliveries) > 1:
            self._tell_refused(carried, verdict.refusal)
        return verdict

    def _heed(self, advice: Advice, now: float) -> None:
        if advice.factor < 1.0:
            self._pace.slow(advice.factor, until=now + ADVICE_SECONDS)
        if advice.pause_seconds:
            self._pace.pause(until=now + advice.pause_seconds)

    def _feel(self, verdict: Verdict, carried: Carried, now: float) -> None:
        """Let the breaker know. A refusal of events is an answer: the platform works."""
        if isinstance(verdict, Later):
            for item in carried.deliveries:
                item.first_failed_at = item.first_failed_at or self._world.clocks.wall()
            if verdict.reason is not Reason.THROTTLED:
                self._breaker.failed(now=now)
        elif not isinstance(verdict, Halt):
            self._breaker.succeeded(now=now)
            if self._breaker.state is not State.CLOSED:
                # An answer to a request from before it opened: what the line waits for is not over.
                return
            self._answers += 1
            # That events are refused one by one says nothing new where all are; any other halt it ends.
            if not isinstance(verdict, Doubt) or self.halted is not Reason.ALL_REJECTED:
                self.halted = None
            self._tell_resumed()

    def _tell_resumed(self) -> None:
        if self.halted is None and self._stopped_at is not None:
            self._world.teller.tell(signals.LaneResumed(self._destination.name, self._steady() - self._stopped_at))
            self._stopped_at = None

    async def _wait(self, carried: Carried, later: Later, attempt: int) -> None:
        now = self._steady()
        # Nobody is blamed within a moment: an answer that no table knows gets time to go away.
        least = UNKNOWN_SECONDS * attempt if later.blame is not None else 0.0
        asked = max(later.wait or 0.0, least)
        seconds = max(asked, backoff(attempt, chance=self._world.chance()))
        self._stopped_at = now if self._stopped_at is None else self._stopped_at
        self._waits_for = later.reason
        self._world.teller.tell(
            signals.LaneWaiting(self._destination.name, later.reason, later.detail, seconds, attempt)
        )
        if later.reason is Reason.THROTTLED:
            # The platform spoke to the account, not to this batch: the whole lane is silent.
            self._breaker.trip(now=now, seconds=seconds)
            self._show_breaker()
            self._bell.ring()
            return
        answers = self._answers
        while not carried.given_up:
            # Whatever another batch was answered shows that the outage is over: nobody sits out its back-off then.
            left = now + (asked if self._answers > answers else seconds) - self._steady()
            if left <= 0:
                return
            await self._bell.wait(left)

    def _tell(
        self,
        carried: Carried,
        outcome: signals.RequestOutcome,
        reply: Reply | NoReply,
        size: int,
        seconds: float,
    ) -> None:
        self._world.teller.tell(
            signals.RequestDone(
                destination=self._destination.name,
                platform=self._destination.platform,
                outcome=outcome,
                status=None if isinstance(reply, NoReply) else reply.status,
                events=len(carried.deliveries),
                size=size,
                seconds=seconds,
            )
        )

    def _tell_refused(self, carried: Carried, blame: Refusal) -> None:
        events = len(carried.deliveries)
        self._world.teller.tell(
            signals.BatchRefused(self._destination.name, blame.reason, events, blame.detail, blame.code, blame.trace_id)
        )
