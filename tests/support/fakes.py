"""In-memory implementations of the ports. They pass the contracts that the real ones pass: `contracts.py`."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Generic, TypeVar

from virtual_loop import EPOCH

from pipeline.core.decode import Reader, SchemaRef
from pipeline.core.model import DeadLetter, Headers, NoReply, Record, Refusal, Reply, Request
from pipeline.core.pace import Share
from pipeline.core.ports import Burial, CommitResult, Partition, Place, Posted, Rebalance, SourceBroken
from pipeline.core.signals import Signal

S = TypeVar("S", bound=Signal)
T = TypeVar("T")


class ManualClock:
    """Unix seconds that pass when told."""

    def __init__(self, now: float = EPOCH) -> None:
        self.now = now

    def __call__(self) -> float:
        """Return the time."""
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


class FakeKafka:
    """One topic and what one group committed; `commits` is every offset that was stored, in order."""

    def __init__(self, topic: str = "orders", partitions: int = 1) -> None:
        self.topic = topic
        self.logs: dict[Partition, list[Record]] = {(topic, number): [] for number in range(partitions)}
        self.committed: dict[Partition, int] = {}
        self.commits: list[tuple[Partition, int]] = []

    def produce(
        self, value: bytes | None, *, partition: int = 0, key: bytes | None = None, headers: Headers = ()
    ) -> Record:
        """Append a record and return it."""
        log = self.logs[self.topic, partition]
        record = Record(self.topic, partition, len(log), key, value, headers, int(EPOCH * 1000))
        log.append(record)
        return record

    def store(self, partition: Partition, offset: int) -> None:
        """Commit an offset."""
        self.committed[partition] = offset
        self.commits.append((partition, offset))


class FakeSource:
    """A consumer of `FakeKafka`. What Kafka would tell it (`give`, `revoke`, `lose`) is served by the next `take`.

    `idle` is called with the seconds that a real consumer would wait. A `commit_error` is a code and whether it
    means that the partition is somebody else's; with `commit_silent` Kafka takes commits and their results never come.
    `asked` is every commit that was asked for, taken or not; `strays` are those for partitions that are not ours.
    """

    def __init__(self, kafka: FakeKafka, idle: Callable[[float], None] = lambda _: None) -> None:
        self.kafka = kafka
        self.paused = False
        self.closed = False
        self.commit_error: tuple[str, bool] | None = None
        self.commit_silent = False
        self.asked: list[Mapping[Partition, int]] = []
        self.strays: list[Partition] = []
        self.broken: str | None = None
        self._idle = idle
        self._positions: dict[Partition, int] = {}
        self._news: deque[Callable[[Rebalance], None]] = deque()
        self._hears: Rebalance | None = None

    # -- what Kafka does -------------------------------------------------------------------------------------------

    @property
    def owned(self) -> frozenset[Partition]:
        """The partitions that are ours now."""
        return frozenset(self._positions)

    def give(self, *partitions: Partition) -> None:
        """Assign partitions, from where the group has committed."""

        def serve(hears: Rebalance) -> None:
            self._positions |= {name: self.kafka.committed.get(name, 0) for name in partitions}
            hears.assigned(partitions, self._share())

        self._news.append(serve)

    def revoke(self, *partitions: Partition) -> None:
        """Take partitions away in order: they are ours until the worker has answered."""

        def serve(hears: Rebalance) -> None:
            hears.revoked(partitions, self._share(without=partitions))
            self._drop(partitions)

        self._news.append(serve)

    def lose(self, *partitions: Partition) -> None:
        """Take partitions away without asking."""

        def serve(hears: Rebalance) -> None:
            self._drop(partitions)
            hears.lost(partitions, self._share())

        self._news.append(serve)

    # -- the port --------------------------------------------------------------------------------------------------

    def open(self, rebalance: Rebalance) -> None:
        """Join: every partition is assigned by the first `take`."""
        self._hears = rebalance
        self.give(*self.kafka.logs)

    def take(self, most: int, timeout: float) -> list[Record]:
        """Serve what Kafka has to tell, then return what is there, or wait."""
        self._idle(0.0)
        while self._news and self._hears is not None:
            self._news.popleft()(self._hears)
        if self.broken is not None:
            raise SourceBroken(self.broken)
        records = self._fetch(most)
        if not records:
            self._idle(timeout)
        return records

    def pause(self) -> None:
        """Fetch nothing."""
        self.paused = True

    def resume(self) -> None:
        """Fetch again."""
        self.paused = False

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Store offsets; the next `take` tells the result."""
        results = self.commit_now(offsets)
        if not self.commit_silent:
            self._news.append(lambda hears: hears.committed(results))

    def commit_now(self, offsets: Mapping[Partition, int]) -> Sequence[CommitResult]:
        """Store offsets and return what became of each."""
        self.asked.append(dict(offsets))
        self.strays += [partition for partition in offsets if partition not in self._positions]
        return [self._commit(partition, offset) for partition, offset in offsets.items()]

    def lag(self, watermarks: Mapping[Partition, int]) -> Mapping[Partition, int]:
        """Return how many records lie behind each watermark."""
        return {name: len(self.kafka.logs[name]) - mark for name, mark in watermarks.items()}

    def close(self) -> None:
        """Leave; what is still ours is revoked first."""
        if self._hears is not None and self._positions:
            self._hears.revoked(tuple(self._positions), self._share(without=tuple(self._positions)))
        self._positions.clear()
        self.closed = True

    def _fetch(self, most: int) -> list[Record]:
        if self.paused:
            return []
        records: list[Record] = []
        for name, position in self._positions.items():
            fetched = self.kafka.logs[name][position : position + most - len(records)]
            self._positions[name] = position + len(fetched)
            records += fetched
        return records

    def _commit(self, partition: Partition, offset: int) -> CommitResult:
        if partition not in self._positions:
            return CommitResult(partition, offset, "_STATE", fenced=True)
        if self.commit_error is not None:
            code, fenced = self.commit_error
            return CommitResult(partition, offset, code, fenced)
        self.kafka.store(partition, offset)
        return CommitResult(partition, offset)

    def _drop(self, partitions: Sequence[Partition]) -> None:
        for name in partitions:
            self._positions.pop(name, None)

    def _share(self, without: Sequence[Partition] = ()) -> Share:
        ours = self._positions.keys() - set(without)
        return Share(
            tuple(number for number, name in enumerate(sorted(self.kafka.logs)) if name in ours), len(self.kafka.logs)
        )


class FakeDeadLetters:
    """The dead-letter topic: `topic` is what Kafka has.

    With `fails` every letter comes back with that error, with `silent` none comes back until it is False again.
    `idle` is called with the seconds that a real producer would wait. `strays` are letters of ended pages.
    """

    def __init__(self, most_bytes: int = 1_000_000, idle: Callable[[float], None] = lambda _: None) -> None:
        self.idle = idle
        self.topic: list[DeadLetter] = []
        self.strays: list[DeadLetter] = []
        self.tries = 0
        self.fails: str | None = None
        self.silent = False
        self._most_bytes = most_bytes
        self._under_way: list[DeadLetter] = []

    def bury(self, letter: DeadLetter) -> None:
        """Hand a letter over."""
        self.tries += 1
        self._under_way.append(letter)
        self.strays += [letter] if letter.page.ended else []

    def reports(self, timeout: float) -> list[Burial]:
        """Return what became of the letters, or wait."""
        if self.silent or not self._under_way:
            self.idle(timeout)
        if self.silent:
            return []
        letters, self._under_way = self._under_way, []
        burials = [Burial(letter, self._error(letter)) for letter in letters]
        self.topic += [burial.letter for burial in burials if burial.error is None]
        return burials

    def _error(self, letter: DeadLetter) -> str | None:
        return "MSG_SIZE_TOO_LARGE" if len(letter.record.value or b"") > self._most_bytes else self.fails


class FakeOutbox(Generic[T]):
    """A topic of ours: `topic` is what Kafka has. `fails` and `silent` as for `FakeDeadLetters`.

    `landed` is called with each thing that Kafka takes.
    """

    def __init__(
        self, landed: Callable[[T], object] = lambda _: None, idle: Callable[[float], None] = lambda _: None
    ) -> None:
        self.topic: list[T] = []
        self.tries = 0
        self.fails: str | None = None
        self.silent = False
        self._landed = landed
        self._idle = idle
        self._under_way: list[T] = []

    def send(self, item: T) -> None:
        """Hand a thing over."""
        self.tries += 1
        self._under_way.append(item)

    def reports(self, timeout: float) -> list[Posted[T]]:
        """Return what became of things, or wait."""
        if self.silent or not self._under_way:
            self._idle(timeout)
        if self.silent:
            return []
        items, self._under_way = self._under_way, []
        if self.fails is None:
            self.topic += items
            for item in items:
                self._landed(item)
        return [Posted(item, self.fails) for item in items]


class FakeArchive:
    """Finds records in the logs of `FakeKafka`s; `gone` are places that retention removed, `away` answers nothing."""

    def __init__(self, *kafkas: FakeKafka) -> None:
        self.gone: set[Place] = set()
        self.away = False
        self._kafkas = kafkas

    def fetch(self, places: Iterable[Place], timeout: float) -> Mapping[Place, Record | None]:  # noqa: ARG002 - no wait
        """Return the records."""
        return {} if self.away else {place: self._find(place) for place in places}

    def _find(self, place: Place) -> Record | None:
        topic, partition, offset = place
        log = [record for kafka in self._kafkas for record in kafka.logs.get((topic, partition), ())]
        return None if place in self.gone or offset >= len(log) else log[offset]


class FakeHttp:
    """A platform that takes `seconds` over a request and then answers by a function. `requests` is all it was sent.

    `seconds_for` are the seconds for requests that hold certain texts.
    """

    def __init__(self, answer: Callable[[Request], Reply | NoReply], *, seconds: float = 0.0) -> None:
        self.answer = answer
        self.seconds = seconds
        self.seconds_for: Mapping[str, float] = {}
        self.requests: list[Request] = []

    async def send(self, request: Request, *, within: float) -> Reply | NoReply:
        """Send and wait for the answer."""
        self.requests.append(request)
        longer = [seconds for text, seconds in self.seconds_for.items() if text.encode() in request.body]
        try:
            async with asyncio.timeout(within):
                await asyncio.sleep(max(longer, default=self.seconds))
        except TimeoutError:
            return NoReply(f"no answer within {within:g} s")
        return self.answer(request)


class FakeSecrets:
    """Secret values by name; `rotate` sets one anew."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._secrets = dict(secrets)

    def rotate(self, name: str, value: str | None) -> None:
        """Set or (None) remove a secret."""
        self._secrets.pop(name, None)
        if value is not None:
            self._secrets[name] = value

    def values(self, names: Mapping[str, str]) -> Mapping[str, str] | str:
        """Return the values under the keys of `names`, or the first name that is missing."""
        missing = next((name for name in names.values() if name not in self._secrets), None)
        return missing or {key: self._secrets[name] for key, name in names.items()}


class FakeSchemas:
    """Readers of records that name no schema, by topic; all others arrive when told, or are refused by `arrive`."""

    def __init__(self, own: Mapping[str, Reader]) -> None:
        self._known: dict[tuple[str, SchemaRef | None], Reader | Refusal] = {(topic, None): own[topic] for topic in own}
        self.asked: list[tuple[str, SchemaRef | None]] = []
        self.down: str | None = None

    def reader(self, topic: str, ref: SchemaRef | None) -> Reader | Refusal | None:
        """Return what is known."""
        return self._known.get((topic, ref))

    def fetch(self, topic: str, ref: SchemaRef | None) -> None:
        """Ask the registry, once."""
        if (topic, ref) not in self.asked:
            self.asked.append((topic, ref))

    def arrive(self, topic: str, ref: SchemaRef | None, found: Reader | Refusal) -> None:
        """Let the registry answer."""
        self._known[topic, ref] = found
        self.down = None

    def forget(self, topic: str, ref: SchemaRef) -> None:
        """Forget an answer, as a refusal is forgotten after a while; asking again is a new question."""
        del self._known[topic, ref]
        self.asked.remove((topic, ref))


class FakeTeller:
    """Remembers everything it was told."""

    def __init__(self) -> None:
        self.told: list[Signal] = []

    def tell(self, signal: Signal) -> None:
        """Remember it."""
        self.told.append(signal)

    def of(self, kind: type[S]) -> list[S]:
        """Return the signals of one kind, oldest first."""
        return [signal for signal in self.told if isinstance(signal, kind)]
