"""The whole way of Meta's deliveries on loopback: a real lane, the real HTTP sender, and the sandbox at the other end.

The clock is that of the event loop (see `leaping_loop`), for the lane and the sandbox alike.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise

import orjson
from avro_events import record
from fakes import FakeSecrets, FakeTeller
from meta_events import Changes, meta, order

from pipeline.core.destination import Limits
from pipeline.core.ledger import Page
from pipeline.core.model import Delivery, NoReply, Refusal, Reply, Request, Shaped
from pipeline.edge.http import HttpSender
from pipeline.flow.clocks import Clocks
from pipeline.flow.lane import Lane, Outcomes
from pipeline.flow.line import World
from pipeline.platforms.meta import DEFAULTS, MetaOptions
from pipeline.sandbox.config import SandboxConfig
from pipeline.sandbox.server import Sandbox, running_sandbox

TOKEN = "EAAB-token"
LIMITS = replace(DEFAULTS, linger_seconds=0.1, concurrency=1)
# Longer than anything that a test waits for.
PATIENCE_S = 1200.0


class Tap:
    """Passes requests on, and remembers each of them with the time at which it went."""

    def __init__(self, sender: HttpSender) -> None:
        self._sender = sender
        self.requests: list[tuple[float, Request]] = []

    async def send(self, request: Request, *, within: float) -> Reply | NoReply:
        """Send, as the sender does."""
        self.requests.append((asyncio.get_running_loop().time(), request))
        return await self._sender.send(request, within=within)


@dataclass(slots=True)
class Journey:
    """One lane under way. What it reports is settled at once, but for refusals: those wait for `bury`."""

    lane: Lane
    page: Page
    sandbox: Sandbox
    tap: Tap
    secrets: FakeSecrets
    teller: FakeTeller
    accepted: list[str] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    refused: list[tuple[Delivery, Refusal]] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    def report(self, outcomes: Outcomes) -> None:
        """Hear of outcomes."""
        for item in (*outcomes.accepted, *outcomes.duplicates):
            self.page.settle(item.record.offset)
        self.accepted += [item.event_id for item in outcomes.accepted]
        self.duplicates += [item.event_id for item in outcomes.duplicates]
        self.refused += outcomes.refused
        self.news.set()

    def bury(self) -> None:
        """Let Kafka acknowledge the dead letters."""
        for item, _ in self.refused:
            self.page.settle(item.record.offset)

    @property
    def reasons(self) -> dict[str, str]:
        """Why each refused event was refused."""
        return {item.event_id: refusal.reason for item, refusal in self.refused}

    @property
    def bodies(self) -> list[bytes]:
        """The body of every request, in order."""
        return [request.body for _, request in self.tap.requests]

    @property
    def batches(self) -> list[list[str]]:
        """The event ids of every request, in order."""
        return [[event["event_id"] for event in orjson.loads(body)["data"]] for body in self.bodies]

    @property
    def pauses(self) -> list[int]:
        """The whole seconds between one request and the next."""
        times = [time for time, _ in self.tap.requests]
        return [int(later - earlier) for earlier, later in pairwise(times)]

    def offer(self, deliveries: Sequence[Delivery]) -> None:
        """Hand deliveries to the lane; their records enter the ledger."""
        for item in deliveries:
            self.page.take(item.record.offset, shares=1, size=1)
        self.lane.offer(deliveries)

    async def until(self, outcomes: int) -> None:
        """Wait until so many deliveries have their outcome."""
        await self.until_true(lambda: len(self.accepted) + len(self.duplicates) + len(self.refused) >= outcomes)

    async def until_true(self, fact: Callable[[], bool]) -> None:
        """Wait until `fact`, looking every second of the loop's clock and after every report."""
        async with asyncio.timeout(PATIENCE_S):
            while not fact():
                if self.task is not None and self.task.done():
                    await self.task
                self.news.clear()
                try:
                    async with asyncio.timeout(1.0):
                        await self.news.wait()
                except TimeoutError:
                    continue


def deliveries(page: Page, count: int, changes: Changes | None = None, *, first: int = 0) -> list[Delivery]:
    """Return deliveries of orders `e-0`, `e-1` ... with the offsets of the same numbers."""
    platform, found = meta(), []
    template = order(dict(changes or {}))
    for number in range(first, first + count):
        event = replace(template, id=f"e-{number}")
        shaped = platform.shape(event)
        assert isinstance(shaped, Shaped), shaped
        source = replace(record(b""), offset=number)
        found.append(Delivery("meta-123", source, page, event.name, event.id, event.time, event.schema_id, shaped))
    return found


def spoil(delivery: Delivery, old: bytes, new: bytes) -> None:
    """Change what is sent of a delivery, as a bug in the sender or a rule that only the platform knows would."""
    assert old in delivery.shaped.payload
    delivery.shaped = replace(delivery.shaped, payload=delivery.shaped.payload.replace(old, new), expires_at=1e12)


@asynccontextmanager
async def journey(
    config: SandboxConfig | None = None,
    *,
    account: str = "123",
    limits: Limits = LIMITS,
    token: str = TOKEN,
    at: Sandbox | None = None,
) -> AsyncGenerator[Journey]:
    """Run a lane to a sandbox of its own, or to the one given."""
    clock = asyncio.get_running_loop().time
    if at is None:
        async with (
            running_sandbox(config, now=clock) as sandbox,
            journey(account=account, limits=limits, token=token, at=sandbox) as under_way,
        ):
            yield under_way
        return
    async with HttpSender() as sender:
        tap, secrets, teller = Tap(sender), FakeSecrets({"meta_token": token}), FakeTeller()
        platform = meta(MetaOptions(base_url=at.url), account=account, limits=limits)
        world = World(http=tap, secrets=secrets, teller=teller, clocks=Clocks(clock, clock), chance=lambda: 0.5)
        reports: list[Callable[[Outcomes], None]] = []
        lane = Lane(platform, world, lambda outcomes: reports[0](outcomes))  # noqa: PLW0108 - filled below
        under_way = Journey(lane, Page("orders", 0, 1), at, tap, secrets, teller)
        reports.append(under_way.report)
        under_way.task = asyncio.create_task(lane.run())
        try:
            yield under_way
        finally:
            under_way.task.cancel()
            await asyncio.wait([under_way.task])
