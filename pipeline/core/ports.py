"""What the road needs from the world. Each docstring is a contract; real things and fakes pass the same tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeVar

from pipeline.core.avro.schema import SchemaText
from pipeline.core.decode import Reader, SchemaRef
from pipeline.core.model import DeadLetter, Headers, NoReply, Record, Refusal, Reply, Request
from pipeline.core.pace import Share
from pipeline.core.signals import Signal

Partition = tuple[str, int]
Clock = Callable[[], float]
Chance = Callable[[], float]
T = TypeVar("T")


class SourceBroken(Exception):  # noqa: N818 - the word is the state, not a mistake
    """The consumer cannot go on, and its position is not to be trusted: end the process without committing."""


@dataclass(frozen=True, slots=True)
class CommitResult:
    """What Kafka said of one partition's commit; `error` is None when it was taken."""

    partition: Partition
    offset: int
    error: str | None = None
    fenced: bool = False


class Rebalance(Protocol):
    """Who hears of assignments. Called by the source from inside `take` and `close`, on the owner thread."""

    def assigned(self, partitions: Sequence[Partition], share: Share) -> None:
        """Begin on these partitions. `share` says which of all partitions are ours now, these included."""

    def revoked(self, partitions: Sequence[Partition], share: Share) -> None:
        """Give these up in order: what is done may still be committed before this returns, nothing after."""

    def lost(self, partitions: Sequence[Partition], share: Share) -> None:
        """They are somebody else's already: forget them, commit nothing."""

    def committed(self, results: Sequence[CommitResult]) -> None:
        """Hear what became of an asynchronous commit."""


class Source(Protocol):
    """The consumer. Only the owner thread calls it, ever."""

    def open(self, rebalance: Rebalance) -> None:
        """Join the group and subscribe."""

    def take(self, most: int, timeout: float) -> list[Record]:
        """Return up to `most` records, waiting at most `timeout` seconds; rebalances are served meanwhile.

        Raises SourceBroken when records may have been destroyed or the position is lost.
        """

    def pause(self) -> None:
        """Fetch nothing for any partition, also newly assigned ones, until `resume`. It drops the prefetch: rare."""

    def resume(self) -> None:
        """Fetch again, from where `take` stopped."""

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Ask Kafka to store offsets; returns at once, the result comes to `committed`. One request at a time."""

    def commit_now(self, offsets: Mapping[Partition, int]) -> Sequence[CommitResult]:
        """Store offsets and wait for the answer: only while giving up partitions and at the end."""

    def lag(self, watermarks: Mapping[Partition, int]) -> Mapping[Partition, int]:
        """Return how many records lie behind each watermark, as far as the last fetch knows. Asks no broker."""

    def close(self) -> None:
        """Leave the group. Everything that is to be committed must have been committed before."""


@dataclass(frozen=True, slots=True)
class Burial:
    """What became of one dead letter: `error` is None once Kafka has it on all in-sync replicas."""

    letter: DeadLetter
    error: str | None = None


class DeadLetters(Protocol):
    """The way to the dead-letter topic. Only the owner thread calls it."""

    def bury(self, letter: DeadLetter) -> None:
        """Hand a letter over; returns at once. Never drops: each letter comes back from `reports`."""

    def reports(self, timeout: float) -> list[Burial]:
        """Return what became of letters handed over, waiting at most `timeout` seconds for the first."""


class Posting(NamedTuple):
    """What is written to a topic: a record of ours; `partition` is None where the key decides."""

    key: bytes | None
    value: bytes | None
    headers: Headers
    partition: int | None = None


@dataclass(frozen=True, slots=True)
class Posted(Generic[T]):
    """What became of one thing that was handed to an outbox: `error` is None once Kafka has it on all replicas."""

    item: T
    error: str | None = None


class Outbox(Protocol[T]):
    """The way to a topic of ours. One thread calls it."""

    def send(self, item: T) -> None:
        """Hand something over; returns at once. Never drops: each comes back from `reports`."""

    def reports(self, timeout: float) -> list[Posted[T]]:
        """Return what became of things handed over, waiting at most `timeout` seconds for the first."""


Place = tuple[str, int, int]


class Archive(Protocol):
    """Records by their coordinates, long after they were read. One thread calls it."""

    def fetch(self, places: Iterable[Place], timeout: float) -> Mapping[Place, Record | None]:
        """Return the records at `places` (topic, partition, offset); None for one that Kafka does not have any more.

        What is missing in the answer was not reached within `timeout` seconds, or Kafka did not answer.
        """


class Http(Protocol):
    """The way to a platform."""

    async def send(self, request: Request, *, within: float) -> Reply | NoReply:
        """Send and read the whole answer within that many seconds. Never raises for what the network does."""


class RegistryDown(Exception):  # noqa: N818 - the word is the state, not a mistake
    """The registry gave no answer that can be used. An outage: ask again, no event is to blame."""


class Registry(Protocol):
    """A schema registry."""

    async def schema(self, key: int | str) -> SchemaText | None:
        """Return the schema with this id or GUID, None if the registry knows none. Raises RegistryDown."""


class Secrets(Protocol):
    """Secret values by name, as they are now: files may be rotated at any time."""

    def values(self, names: Mapping[str, str]) -> Mapping[str, str] | str:
        """Return the revealed values under the same keys, or why the first that cannot be used cannot."""


class Schemas(Protocol):
    """Compiled readers by schema reference. `reader` is called by the owner thread, fetching happens elsewhere."""

    def reader(self, topic: str, ref: SchemaRef | None) -> Reader | Refusal | None:
        """Return the reader for a record of `topic`, a refusal, or None when it has to be fetched first."""

    def fetch(self, topic: str, ref: SchemaRef | None) -> None:
        """Begin to fetch what `reader` did not have; returns at once. Fetching twice is fetching once."""

    @property
    def down(self) -> str | None:
        """Why the registry does not answer, or None when the last call did."""


class Teller(Protocol):
    """Where the road says what happened."""

    def tell(self, signal: Signal) -> None:
        """Log it and count it. Cheap, thread-safe, never raises."""
