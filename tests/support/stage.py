"""One lane on a virtual loop, with everything around it fake: the scene of the lane's tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Self

from fakes import FakeHttp, FakeSecrets, FakeTeller
from toy import LIMITS, Toy, accept, delivery, destination, ids, shaped
from virtual_loop import VirtualLoop

from pipeline.core.destination import Limits
from pipeline.core.ledger import Page
from pipeline.core.model import NoReply, Reply, Request
from pipeline.core.reason import Reason
from pipeline.flow.clocks import Clocks
from pipeline.flow.lane import Lane, Outcomes
from pipeline.flow.line import World


class Stage:
    """A lane to the toy platform. Chance is 1, so a back-off takes its longest: 0.5 s, 1 s, 2 s ..."""

    def __init__(
        self,
        answer: Callable[[Request], Reply | NoReply] = accept,
        *,
        limits: Limits = LIMITS,
        seconds: float = 0.0,
        platform: type[Toy] = Toy,
    ) -> None:
        self.loop = VirtualLoop()
        self.http = FakeHttp(answer, seconds=seconds)
        self.secrets = FakeSecrets({"toy-token": "t1"})
        self.teller = FakeTeller()
        self.page = Page("orders", 0, 1)
        self.outcomes: list[Outcomes] = []
        world = World(self.http, self.secrets, self.teller, Clocks(self.loop.now, self.loop.time), lambda: 1.0)
        self.lane = Lane(platform(destination(limits=limits)), world, self.outcomes.append)
        self._running = self.loop.create_task(self.lane.run())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._running.cancel()
        self.loop.run_for(0)
        self.loop.close()

    def offer(self, *names: str, page: Page | None = None, expires_in: float | None = None, group: str = "") -> None:
        """Offer events of these ids, of the stage's own partition unless another `page` is given."""
        form = replace(shaped(), group=group)
        if expires_in is not None:
            form = replace(form, expires_at=self.loop.now() + expires_in)
        forms = [replace(form, payload=name.encode()) for name in names]
        self.lane.offer([delivery(n, page=page or self.page, form=f) for n, f in zip(names, forms, strict=True)])

    def pass_seconds(self, seconds: float) -> None:
        """Let time pass; a lane that broke breaks the test."""
        self.loop.run_for(seconds)
        if self._running.done():
            self._running.result()

    @property
    def sent(self) -> list[str]:
        """The requests so far: the ids in each, joined."""
        return ["".join(ids(request)) for request in self.http.requests]

    @property
    def accepted(self) -> list[str]:
        """Ids of the accepted events, in the order of the reports."""
        return [item.event_id for report in self.outcomes for item in report.accepted]

    @property
    def refused(self) -> dict[str, Reason]:
        """Ids of the refused events, with the reason."""
        return {item.event_id: refusal.reason for report in self.outcomes for item, refusal in report.refused}

    @property
    def duplicates(self) -> list[str]:
        """Ids of the events that were skipped as copies."""
        return [item.event_id for report in self.outcomes for item in report.duplicates]
