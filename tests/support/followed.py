"""The follower on a virtual loop and fake ports, in one thread: the scene of its tests.

Its platform is the toy, whose final word is plain: the body of a status has a fate and positions on each line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final as Constant
from typing import Self

from fakes import FakeArchive, FakeHttp, FakeKafka, FakeOutbox, FakeSecrets, FakeSource, FakeTeller
from toy import GrantedToy, Toy, destination
from virtual_loop import EPOCH, VirtualLoop

from pipeline.core.model import DeadLetter, Halt, Later, NoReply, Record, Refusal, Reply, Request
from pipeline.core.ports import Partition
from pipeline.core.reason import Reason
from pipeline.core.receipt import Receipt, Sent, receipt_posting
from pipeline.core.replay import Replay
from pipeline.flow.clocks import Clocks
from pipeline.flow.errands import Means
from pipeline.flow.follower import Closed, Follower, Manner, Tools
from pipeline.flow.inquiries import Followed, Inquiries
from pipeline.flow.line import World
from pipeline.platforms.follow import Again, Bury, Counted, Done, Fate, Final, Pending

FIRST: Constant[Partition] = ("receipts", 0)
GROUP: Constant = "capi.toy"
# The toy decides after this long at the earliest, is asked again as often, and not after a day.
POLL: Constant = 100.0
DAY: Constant = 86_400.0
WAIT: Constant = 6 * 3600.0
LATE: Constant = Refusal(Reason.REJECTED, "the toy refused it later", code="BAD_CLICK")
FATES: Constant[Mapping[str, Fate]] = {
    "bury": Bury(LATE),
    "again": Again(WAIT),
    "soon": Again(600.0),
    "counted": Counted(),
    "done": Done(),
}
MANNER: Constant = Manner(turn=1.0, commit=5.0)


class ToyFollowing:
    """Implements `platforms.follow.Following`."""

    def status_request(self, receipt: str, secrets: Mapping[str, str]) -> Request:
        """Write the id."""
        return Request(f"https://toy.example/status/{receipt}", {"authorization": secrets["token"]}, method="GET")

    def read_status(self, reply: Reply | NoReply, count: int) -> Pending | Final | Later | Halt:  # noqa: ARG002 - plain
        """Read the status of HTTP, then the lines."""
        if isinstance(reply, NoReply):
            return Later(Reason.OUTAGE, reply.cause)
        match reply.status:
            case 401:
                return Halt(Reason.UNAUTHORIZED, "the token is bad")
            case 409:
                return Later(Reason.UNKNOWN_ANSWER, "HTTP 409")
            case 200:
                return Pending() if reply.body == b"pending" else _final(reply.body.decode())
            case code:
                return Later(Reason.OUTAGE, f"HTTP {code}")

    def next_poll(self, sent_at: float, last: float | None, unix: float) -> float | None:
        """Ask every hundred seconds, for a day."""
        due = max((sent_at if last is None else last) + POLL, unix)
        return due if last is None or due <= sent_at + DAY else None


def _final(body: str) -> Final:
    fates: dict[int, Fate] = {}
    unplaced = {}
    alarms = []
    for line in body.splitlines():
        word, *positions = line.split()
        if word == "unplaced":
            unplaced["UNKNOWN"] = int(positions[0])
        elif word == "alarm":
            alarms.append(positions[0])
        else:
            fates |= {int(position): FATES[word] for position in positions}
    return Final(fates, {"BAD_CLICK": 1} if fates else unplaced, {}, unplaced, tuple(alarms))


def says(body: str) -> Callable[[Request], Reply]:
    """Return a platform whose final word, or `pending`, is this for every batch."""
    return lambda _: Reply(200, {}, body.encode())


class Watch:
    """A follower on one topic of receipts. `at` arranges the run before `run` begins.

    Another one made `after` it is what starts after a crash, or takes over: Kafka and the clock go on.
    """

    def __init__(
        self,
        answer: Callable[[Request], Reply | NoReply],
        *,
        after: Watch | None = None,
        seconds: float = 0.0,
        partitions: int = 1,
        manner: Manner = MANNER,
        platform: type[Toy] = Toy,
    ) -> None:
        self.loop: VirtualLoop = after.loop if after else VirtualLoop()
        self._owns_loop = after is None
        self.receipts: FakeKafka = after.receipts if after else FakeKafka("receipts", partitions)
        self.orders: FakeKafka = after.orders if after else FakeKafka("orders")
        self.http = FakeHttp(answer, seconds=seconds)
        self.secrets = FakeSecrets({"toy-token": "t1"})
        self.teller = FakeTeller()
        self.source = FakeSource(self.receipts, self.loop.run_for)
        self.archive = FakeArchive(self.receipts, self.orders)
        self.letters: FakeOutbox[DeadLetter] = FakeOutbox(idle=self.loop.run_for)
        self.replays: FakeOutbox[Replay] = FakeOutbox(idle=self.loop.run_for)
        self.closings: FakeOutbox[Closed] = FakeOutbox(
            lambda closed: self.receipts.produce(None, key=closed.key, partition=closed.partition)
        )
        clocks = Clocks(self.loop.now, self.loop.time)
        followed = [Followed(platform(destination()), ToyFollowing())]
        world = World(self.http, self.secrets, self.teller, clocks, lambda: 1.0)
        means = Means(self.archive, self.letters, self.replays, self.teller, clocks, lambda: 1.0)
        tools = Tools(self.source, means, self.closings, Inquiries(followed, world, self.loop), GROUP)
        self.follower = Follower(followed, tools, manner)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._owns_loop:
            self.loop.close()

    def file(
        self, name: str, count: int = 4, *, partition: int = 0, group: str = GROUP, destination: str = "toy"
    ) -> list[Record]:
        """Append records of the source and the receipt of their batch, sent now; return the records."""
        records = [
            self.orders.produce(f"{name}-{number}".encode(), key=b"k", headers=[("trace", b"\xff")])
            for number in range(count)
        ]
        events = tuple(Sent(one.topic, one.partition, one.offset, f"{name}-{i}") for i, one in enumerate(records))
        posting = receipt_posting(Receipt(destination, name, self.loop.now(), group, events))
        self.receipts.produce(posting.value, key=posting.key, partition=partition)
        return records

    def at(self, seconds: float, act: Callable[[], object]) -> None:
        """Do something at that time of the run."""
        self.loop.call_at(seconds, act)

    def run(self, until: float) -> None:
        """Follow until that time of the loop."""
        self.at(until, self.follower.stop)
        self.follower.run()

    def break_at(self, seconds: float) -> None:
        """Break the consumer at that time, as a crash does; `run` raises it."""

        def break_it() -> None:
            self.source.broken = "the consumer broke"

        self.at(seconds, break_it)

    @property
    def asked(self) -> list[str]:
        """The receipts that were asked about, in order."""
        return [request.url.rpartition("/")[2] for request in self.http.requests]

    @property
    def buried(self) -> list[bytes | None]:
        """The values of the records in the dead letters."""
        return [letter.record.value for letter in self.letters.topic]

    @property
    def sent_again(self) -> list[bytes | None]:
        """The values of the records on the replay topic."""
        return [replay.record.value for replay in self.replays.topic]

    @property
    def committed(self) -> int | None:
        """What is committed of the first partition."""
        return self.receipts.committed.get(FIRST)


__all__ = ["DAY", "EPOCH", "FIRST", "GROUP", "MANNER", "POLL", "WAIT", "GrantedToy", "Watch", "says"]
