"""The whole road on a virtual loop and fake ports, in one thread: the scene of the worker's tests.

The worker runs as it is. Where its source or its lanes would wait, the loop runs for that long instead,
so the two sides take turns and every run is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Self

from avro_events import READERS, avsc, encode, full_order
from fakes import FakeDeadLetters, FakeHttp, FakeKafka, FakeOutbox, FakeSchemas, FakeSecrets, FakeSource, FakeTeller
from toy import LIMITS, Toy, accept, destination, ids
from typing_extensions import override
from virtual_loop import EPOCH, VirtualLoop

from pipeline.core.budget import Allowance, Budget
from pipeline.core.destination import Limits
from pipeline.core.ledger import Ledger
from pipeline.core.model import Headers, NoReply, Reply, Request
from pipeline.core.ports import Partition
from pipeline.core.status import Status
from pipeline.flow.clocks import Clocks
from pipeline.flow.filing import Files, Filing
from pipeline.flow.graveyard import Graveyard
from pipeline.flow.intake import Bounds, Inlet, Intake
from pipeline.flow.lane import Outcomes
from pipeline.flow.lanes import Lanes
from pipeline.flow.line import World
from pipeline.flow.prepare import Preparer
from pipeline.flow.worker import Parts, Tempo, Worker

FIRST: Partition = ("orders", 0)
SECOND: Partition = ("orders", 1)
BOUNDS = Bounds(turn_seconds=0.1)
TEMPO = Tempo(turn=0.1)
UNREADABLE = b"\x02"


@cache
def order(event_id: str, at: float = EPOCH) -> bytes:
    """Return an order with this event id, as its producer wrote it, that happened at that Unix second."""
    body = full_order() | {"event_id": event_id, "occurred_at": int(at * 1000)}
    return encode(body, avsc("order"))


class _SteppedLanes(Lanes):
    """Lanes whose loop runs while the owner thread would wait."""

    def __init__(self, platforms: Sequence[Toy], world: World, loop: VirtualLoop) -> None:
        super().__init__(platforms, world, loop)
        self._stepped = loop

    @override
    def outcomes(self, timeout: float = 0.0) -> list[Outcomes]:
        """Let the loop run, then look."""
        self._stepped.run_for(timeout)
        return super().outcomes()


@dataclass
class Look:
    """What was to be seen at one moment: offsets committed, events sent and dead letters in Kafka by id or offset."""

    committed: Mapping[Partition, int] = field(default_factory=dict)
    sent: Sequence[str] = ()
    buried: Sequence[int] = ()
    paused: bool = False
    in_flight: int = 0


class Road:
    """A worker on one topic. `at` and `look_at` arrange the run before `run` begins."""

    def __init__(
        self,
        answer: Callable[[Request], Reply | NoReply] = accept,
        *,
        seconds: float = 0.0,
        partitions: int = 1,
        bounds: Bounds = BOUNDS,
        tempo: Tempo = TEMPO,
        limits: Limits = LIMITS,
        allowance: Allowance | None = None,
        destinations: Sequence[str] = ("toy",),
    ) -> None:
        self.loop = VirtualLoop()
        # Seconds by which somebody has set the worker's wall clock ahead (or, negative, back).
        self.clock_ahead = 0.0
        self.http = FakeHttp(answer, seconds=seconds)
        self.secrets = FakeSecrets({"toy-token": "t1"})
        self.teller = FakeTeller()
        self.kafka = FakeKafka(partitions=partitions)
        self.source = FakeSource(self.kafka, self.loop.run_for)
        self.dead_letters = FakeDeadLetters()
        self.receipts: FakeOutbox[Filing] = FakeOutbox()
        self.schemas = FakeSchemas({"orders": READERS["order"]})
        self.status = Status("test", "0")
        self.ledger = Ledger()
        platforms = [Toy(replace(destination(limits=limits), name=name)) for name in destinations]
        clocks = Clocks(lambda: self.loop.now() + self.clock_ahead, self.loop.time)
        world = World(self.http, self.secrets, self.teller, clocks, lambda: 1.0)
        self.lanes = _SteppedLanes(platforms, world, self.loop)
        graveyard = Graveyard(
            self.dead_letters, Budget(allowance or Allowance()), self.teller, self.loop.time, lambda: 1.0
        )
        files = Files(self.receipts, "group", self.teller, clocks, lambda: 1.0)
        preparer = Preparer(platforms, self.schemas, self.ledger)
        inlet = Inlet(self.source, preparer, self.schemas, self.ledger, graveyard, self.teller, clocks, files)
        parts = Parts(
            source=self.source,
            intake=Intake(inlet, bounds),
            graveyard=graveyard,
            lanes=self.lanes,
            ledger=self.ledger,
            teller=self.teller,
            status=self.status,
            steady=self.loop.time,
            files=files,
        )
        self.worker = Worker(parts, tempo)
        self._running = self.loop.create_task(self.lanes.run())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._running.cancel()
        self.loop.run_for(0)
        self.loop.close()

    def produce(self, *event_ids: str, partition: int = 0, headers: Headers = ()) -> None:
        """Append orders with these event ids."""
        for event_id in event_ids:
            self.kafka.produce(order(event_id), partition=partition, key=event_id.encode(), headers=headers)

    def at(self, seconds: float, act: Callable[[], object]) -> None:
        """Do something at that time of the run."""
        self.loop.call_at(seconds, act)

    def look_at(self, seconds: float) -> Look:
        """Return what will be seen at that time."""
        look = Look()

        def see() -> None:
            look.committed = dict(self.kafka.committed)
            look.sent, look.buried = self.sent, self.buried
            look.paused, look.in_flight = self.source.paused, self.ledger.open_records

        self.at(seconds, see)
        return look

    def run(self, seconds: float) -> None:
        """Run the worker, ask it to stop after that time, and return when it has."""
        self.at(seconds, self.worker.stop)
        self.worker.run()
        if self._running.done():
            self._running.result()

    def crash(self, seconds: float) -> None:
        """Break the consumer at that time; `run` raises it."""

        def break_it() -> None:
            self.source.broken = "the consumer broke"

        self.at(seconds, break_it)

    @property
    def sent(self) -> list[str]:
        """Ids sent so far, in order, repeated ones too."""
        return [event_id for request in self.http.requests for event_id in ids(request)]

    @property
    def buried(self) -> list[int]:
        """Offsets of the dead letters that Kafka has."""
        return [letter.record.offset for letter in self.dead_letters.topic]

    @property
    def committed(self) -> int | None:
        """What is committed of the first partition."""
        return self.kafka.committed.get(FIRST)
