"""Steps 6 and 10 of the road: the sender stage of one destination.

A lane lives on the event loop. Deliveries come in by `offer`, outcomes go out by `report`, and between the two each
delivery is in exactly one place: the queue, or a batch that one task carries until every delivery in it has an outcome.
When and how a batch is sent is the `Line`'s business; what its verdict means for each delivery is decided here.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pipeline.core import signals
from pipeline.core.batch import Queue
from pipeline.core.model import Accepted, Blamed, Delivery, Doubt, Halt, Mixed, Refusal
from pipeline.core.pace import Share
from pipeline.core.reason import Reason
from pipeline.core.recent import Recent
from pipeline.core.split import Split
from pipeline.core.status import LaneStatus
from pipeline.core.streak import Streak
from pipeline.flow.bell import Bell
from pipeline.flow.line import Carried, Line, World
from pipeline.flow.prepare import too_old
from pipeline.platforms.base import Platform

# A halted lane probes with so few events: if they are all refused, so would be the rest.
PROBE_EVENTS: Final = 25
_NOBODY: Final = Refusal(Reason.REJECTED, "the platform refused the request and named no event of it")


@dataclass(slots=True)
class Outcomes:
    """What a lane reports to the owner thread: each delivery in it has its final outcome."""

    destination: str
    platform: str
    accepted: Sequence[Delivery] = ()
    refused: Sequence[tuple[Delivery, Refusal]] = ()
    duplicates: Sequence[Delivery] = ()
    # What the platform's final word on the accepted can be asked by, if acceptance is not that word.
    receipt: str = ""


class Lane:
    """One destination's sender stage. Everything here runs on the event loop."""

    def __init__(self, platform: Platform, world: World, report: Callable[[Outcomes], None]) -> None:
        self.name = platform.destination.name
        self._platform_name = platform.destination.platform
        self._limits = platform.destination.limits
        self._clocks = world.clocks
        self._steady = world.clocks.steady
        self._teller = world.teller
        self._report = report
        self._bell = Bell()
        self._line = Line(platform, world, self._bell, self._sift)
        self._queue = Queue(self._limits)
        self._recent = Recent()
        self._streak = Streak(self._limits.halt_after_refusals)
        self._carried: set[Carried] = set()
        self._hurry = False

    # -- what the owner thread asks for, by way of the loop --------------------------------------------------------

    def offer(self, deliveries: Sequence[Delivery]) -> None:
        """Take deliveries on. A copy of what was accepted lately is reported as a duplicate, but for a replay."""
        copies = {item for item in self._recent.copies(deliveries) if not item.replayed}
        if copies:
            self._report(Outcomes(self.name, self._platform_name, duplicates=list(copies)))
            deliveries = [item for item in deliveries if item not in copies]
        self._queue.add(deliveries, now=self._steady(), unix=self._clocks.moment().latest)
        self._bell.ring()

    def share(self, share: Share) -> None:
        """Send in the slots of these partitions from now on."""
        self._line.share(share)
        self._bell.ring()

    def drain(self) -> None:
        """Send what is queued without waiting for company: the worker is about to end."""
        self._hurry = True
        self._bell.ring()

    async def release(self) -> None:
        """Return when no request is out for a partition that is being given up; none is begun meanwhile."""
        self._queue.discard_closing()
        self._rest_if_idle()
        self._bell.ring()
        while any(carried.sending and _closing(carried) for carried in self._carried):
            await self._bell.wait(None)

    def secrets_changed(self) -> None:
        """Try again at once: a secret was rotated, and that may be what the lane was waiting for."""
        self._line.retry_now()
        self._rest_if_idle()
        self._bell.ring()

    @property
    def status(self) -> LaneStatus:
        """How the lane is, for readiness."""
        return self._line.status

    # -- the lane's own task ---------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Form batches and carry them, a few at a time, until cancelled. A fault in a batch is a fault of the lane."""
        self._line.begin()
        async with asyncio.TaskGroup() as tasks:
            while True:
                batch = self._next_batch()
                if batch:
                    carried = Carried(batch)
                    self._carried.add(carried)
                    tasks.create_task(self._carry(carried))
                else:
                    await self._bell.wait(self._rest())

    @property
    def _hands_full(self) -> bool:
        at_once = self._limits.concurrency if self._line.halted is None else 1
        return len(self._carried) >= at_once

    def _next_batch(self) -> list[Delivery]:
        if self._hands_full:
            return []
        most = None if self._line.halted is None else PROBE_EVENTS
        return self._queue.take(now=self._steady(), most=most, hurry=self._hurry)

    def _rest(self) -> float | None:
        """Return how long there is nothing to begin; None until something rings."""
        due = self._queue.due_at()
        return None if due is None or self._hands_full else max(0.0, due - self._steady())

    def _rest_if_idle(self) -> None:
        if not self._carried and not len(self._queue):
            self._line.rest()

    async def _carry(self, carried: Carried) -> None:
        try:
            verdict = await self._ask(carried)
            if isinstance(verdict, Doubt):
                await self._search(carried, verdict)
            elif verdict is not None:
                self._conclude(carried, verdict)
        finally:
            self._carried.discard(carried)
            self._rest_if_idle()
            self._bell.ring()

    async def _ask(self, carried: Carried) -> Accepted | Mixed | Doubt | None:
        """Ask until the platform speaks of everything that is left, without those that it names as the culprits."""
        while isinstance(verdict := await self._line.ask(carried), Blamed):
            named = _by_position(carried, verdict.refused)
            if not named:
                return Doubt(next(iter(verdict.refused.values()), _NOBODY))
            if len(named) == len(carried.deliveries) and self._hopeless(named):
                return None
            self._refuse(named)
        return verdict

    async def _search(self, carried: Carried, doubt: Doubt) -> None:
        """Find the culprits of a refused batch, deliver the others; give up when configuration is to blame."""
        if len(carried.deliveries) > 1 and not doubt.suspects:
            doubt = replace(doubt, suspects=tuple(await self._line.inquire(carried)))
        self._note_single(carried, doubt)
        split = Split(carried.deliveries, doubt)
        while not self._streak.hopeless and (group := split.next_group()) is not None:
            carried.deliveries = group
            verdict = await self._ask(carried)
            if verdict is None:
                split.dropped()
            elif isinstance(verdict, Doubt):
                self._note_single(carried, verdict)
                split.doubted(verdict)
            else:
                self._conclude(carried, verdict)
                split.was_accepted()
        # Halted and still nothing accepted: the cause stands, however few events this probe had.
        if self._streak.hopeless or self._line.halted is Reason.ALL_REJECTED:
            self._give_back(split.undecided())
        else:
            self._refuse([(item, refusal) for item, refusal in split.refused if not item.done])

    def _hopeless(self, refused: Sequence[tuple[Delivery, Refusal]]) -> bool:
        """Whether so many were refused by now, and nothing accepted, that it is configuration; then the lane halts.

        `refused` is a whole batch, each event by name. None of them is blamed then: they wait for a person.
        """
        for _, refusal in refused:
            self._streak.refused(refusal)
        if not self._streak.hopeless and self._line.halted is not Reason.ALL_REJECTED:
            return False
        self._give_back([item for item, _ in refused])
        return True

    def _give_back(self, undecided: Sequence[Delivery]) -> None:
        self._line.halt(Halt(Reason.ALL_REJECTED, self._streak.detail))
        # At the tail: a block of bad events must not be all that the probes ever ask for.
        ours = [item for item in undecided if not item.done and not item.page.closing]
        self._queue.add(ours, now=self._steady(), unix=self._clocks.moment().latest)
        self._streak.begin_again()

    def _note_single(self, carried: Carried, doubt: Doubt) -> None:
        if len(carried.deliveries) == 1:
            self._streak.refused(doubt.refusal)

    def _conclude(self, carried: Carried, verdict: Accepted | Mixed) -> None:
        if isinstance(verdict, Accepted):
            self._accept(carried.deliveries, verdict)
            return
        refused = _by_position(carried, verdict.refused)
        accepted = [item for index, item in enumerate(carried.deliveries) if index not in verdict.refused]
        # Of what was not confirmed, nobody knows that it was refused: it may not be sent again.
        certain = all(refusal.reason is not Reason.UNCONFIRMED for _, refusal in refused)
        if not accepted and certain and self._hopeless(refused):
            return
        self._accept(accepted, Accepted(warnings=verdict.warnings))
        self._refuse(refused)

    def _sift(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Leave out what has an outcome, what is not ours any more, and what the platform would find too old."""
        now = self._clocks.moment().earliest
        ours = [item for item in deliveries if not item.done and not item.page.closing]
        expired = [item for item in ours if item.shaped.expires_at <= now]
        if not expired:
            return ours
        self._refuse([(item, too_old(item.shaped, now=now)) for item in expired])
        return [item for item in ours if not item.done]

    def _accept(self, deliveries: Sequence[Delivery], accepted: Accepted) -> None:
        if deliveries:
            for item in deliveries:
                item.done = True
            self._recent.accepted(deliveries)
            self._streak.begin_again()
            self._report(Outcomes(self.name, self._platform_name, accepted=deliveries, receipt=accepted.receipt))
            self._tell_accepted(deliveries, accepted.warnings)

    def _refuse(self, refused: Sequence[tuple[Delivery, Refusal]]) -> None:
        if refused:
            for item, _ in refused:
                item.done = True
            self._report(Outcomes(self.name, self._platform_name, refused=refused))

    def _tell_accepted(self, deliveries: Sequence[Delivery], warnings: Mapping[str, int]) -> None:
        now = self._clocks.wall()
        produced = [item.record.timestamp_ms for item in deliveries]
        self._teller.tell(
            signals.BatchAccepted(
                destination=self.name,
                platform=self._platform_name,
                events=len(deliveries),
                at=now,
                occurred_lags=[now - item.event_time for item in deliveries],
                produced_lags=[now - ms / 1000 for ms in produced if ms is not None],
                match_keys=Counter([(item.producer, item.shaped.match_keys) for item in deliveries]),
                dropped_keys=Counter(
                    [(item.producer, item.shaped.dropped) for item in deliveries if item.shaped.dropped]
                ),
                notes=Counter([note for item in deliveries for note in item.shaped.notes]),
                warnings=warnings,
            )
        )


def _by_position(carried: Carried, refused: Mapping[int, Refusal]) -> list[tuple[Delivery, Refusal]]:
    return [(item, refused[index]) for index, item in enumerate(carried.deliveries) if index in refused]


def _closing(carried: Carried) -> bool:
    return any(item.page.closing for item in carried.deliveries)
