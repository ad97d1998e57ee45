"""Workers that break the guarantee on purpose, each in one way that systems of this kind are known to break it.

A scenario that cannot tell a mutant from the real worker proves nothing. Each mutant changes one decision of the real
code and leaves the rest as it is; it lives in the worker's process only.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from confluent_kafka import TopicPartition

from pipeline import app, assembly
from pipeline.core.ledger import Ledger, Page
from pipeline.core.model import Accepted, Blamed, DeadLetter, Doubt, Halt, Later, Mixed, NoReply, Refusal, Reply
from pipeline.core.pace import Pace
from pipeline.core.reason import Reason
from pipeline.core.streak import Streak
from pipeline.edge.http import HttpSender
from pipeline.edge.kafka import KafkaSource, _result
from pipeline.edge.readers import Readers
from pipeline.edge.secrets import Secrets
from pipeline.flow.clocks import Clocks, Moment
from pipeline.flow.graveyard import Graveyard
from pipeline.flow.intake import Intake
from pipeline.flow.line import Carried, Line
from pipeline.flow.prepare import Preparer
from pipeline.flow.worker import Worker
from pipeline.platforms.google import Google
from pipeline.platforms.meta import Meta
from pipeline.platforms.pinterest import Pinterest
from pipeline.platforms.snapchat import Snapchat
from pipeline.platforms.tiktok import TikTok

PLATFORMS: Final = (Meta, Google, TikTok, Pinterest, Snapchat)


@dataclass(frozen=True, slots=True)
class Mutant:
    """A way to break the worker: what it does wrong, in a sentence, and how to make it so."""

    name: str
    sin: str
    break_it: Callable[[], None]


MUTANTS: Final[dict[str, Mutant]] = {}


def mutant(break_it: Callable[[], None]) -> Callable[[], None]:
    """Enter a function as a mutant: its name is the mutant's, its docstring the sin."""
    name = break_it.__name__
    MUTANTS[name] = Mutant(name, (break_it.__doc__ or "").strip(), break_it)
    return break_it


# -- offsets ------------------------------------------------------------------------------------------------------


@mutant
def commit_at_poll() -> None:
    """Commits what was read, whatever became of it."""
    Page.watermark = lambda self: self.next_offset


@mutant
def commit_highest() -> None:
    """Commits past the highest offset that is settled, not past the lowest that is not."""
    highest: dict[Page, int] = {}
    take, settle = Page.take, Page.settle

    def take_and_note(self: Page, offset: int, *, shares: int, size: int) -> int:
        highest.setdefault(self, offset)
        return take(self, offset, shares=shares, size=size)

    def settle_and_note(self: Page, offset: int) -> None:
        settle(self, offset)
        highest[self] = max(highest[self], offset + 1)

    Page.take = take_and_note
    Page.settle = settle_and_note
    Page.watermark = lambda self: highest.get(self)  # noqa: PLW0108 - a method binds, a bound method does not


@mutant
def commit_before_acceptance() -> None:
    """Settles a batch when it goes out, not when the platform has accepted it."""
    going: set[asyncio.Task[Any]] = set()

    async def ask(self: Line, carried: Carried) -> Accepted | None:
        if not await self._permission(carried):
            return None
        going.add(asyncio.create_task(self._send(Carried(carried.deliveries))))
        return Accepted()

    Line.ask = ask


@mutant
def commit_everything_when_leaving() -> None:
    """Giving up a partition, commits what was read instead of what is settled."""
    give_up, watermark = Worker._give_up, Page.watermark

    def give_up_badly(self: Worker, pages: Any, *, deadline: float) -> int:
        Page.watermark = lambda page: page.next_offset if page.closing else watermark(page)
        try:
            return give_up(self, pages, deadline=deadline)
        finally:
            Page.watermark = watermark

    Worker._give_up = give_up_badly


@mutant
def settle_after_revoke() -> None:
    """Keeps the pages of partitions it has given up, and commits what settles on them later."""

    def store(self: KafkaSource, offsets: Any) -> Any:
        return [TopicPartition(topic, partition, offset) for (topic, partition), offset in offsets.items()], []

    Page.end = lambda self: None
    Ledger.end_page = lambda self, topic, partition: None
    KafkaSource._store = store


@mutant
def go_on_after_a_callback_failed() -> None:
    """Lets an error leave a callback and carries on: the batch that was being fetched is gone."""
    take = KafkaSource.take

    def take_anyway(self: KafkaSource, most: int, timeout: float) -> Any:
        try:
            return take(self, most, timeout)
        except Exception:  # noqa: BLE001 - that is the sin
            return []

    def on_commit(self: KafkaSource, error: Any, partitions: Any) -> None:
        self._hear().committed([_result(place, place.error or error) for place in partitions])

    KafkaSource.take = take_anyway
    KafkaSource._on_commit = on_commit


@mutant
def jump_over_lost_offsets() -> None:
    """Where Kafka no longer has the records after the committed offset, goes on with what is there and says nothing."""
    init = KafkaSource.__init__

    def init_badly(self: KafkaSource, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **{**kwargs, "on_lost_offsets": "earliest"})

    KafkaSource.__init__ = init_badly


@mutant
def settled_by_the_first() -> None:
    """Takes a record for settled when the first of its destinations has it."""
    take, settle = Page.take, Page.settle

    def take_one(self: Page, offset: int, *, shares: int, size: int) -> int:
        return take(self, offset, shares=min(shares, 1), size=size)

    def settle_once(self: Page, offset: int) -> None:
        if offset in self._shares:
            settle(self, offset)

    Page.take = take_one
    Page.settle = settle_once


# -- dead letters -------------------------------------------------------------------------------------------------


@mutant
def dead_letter_not_awaited() -> None:
    """Settles a record when its dead letter is handed to the producer, not when Kafka has it."""

    def send(self: Graveyard, letter: DeadLetter) -> None:
        self._dead_letters.bury(letter)
        letter.page.settle(letter.record.offset)

    Graveyard._send = send
    Graveyard.settle = lambda self, timeout: self._dead_letters.reports(0.0) and None


@mutant
def dead_letter_on_one_replica() -> None:
    """Takes a dead letter for buried when one replica has it, not all that are in sync."""
    config = assembly.producer_config

    def hasty(kafka: Any, secrets: Any) -> Any:
        return {**config(kafka, secrets), "acks": 1, "enable.idempotence": False}

    assembly.producer_config = hasty


@mutant
def failed_dead_letter_swallowed() -> None:
    """Logs a dead letter that Kafka did not take, and goes on as if it had."""

    def shrug(self: Graveyard, failed: Any, now: float) -> None:
        for burial in failed:
            self._under_way.discard(burial.letter)
            burial.letter.page.settle(burial.letter.record.offset)

    Graveyard._note_failures = shrug


@mutant
def skip_what_cannot_be_read() -> None:
    """Passes over a record that does not decode."""

    def pass_over(self: Preparer, record: Any, page: Any, why: Any, out: Any, addressees: Any = None) -> None:
        page.take(record.offset, shares=0, size=0)

    Preparer._unreadable = pass_over


def _never_hold(cause: Reason) -> None:
    """Let the intake go on where it would hold for this cause."""
    reason_to_hold = Intake._reason_to_hold

    def go_on(self: Intake) -> Any:
        reason = reason_to_hold(self)
        return None if reason is cause else reason

    Intake._reason_to_hold = go_on


@mutant
def registry_outage_blames_records() -> None:
    """Dead-letters records whose schema cannot be asked for at the moment."""
    reader = Readers.reader

    def blame(self: Readers, topic: str, ref: Any) -> Any:
        found = reader(self, topic, ref)
        return Refusal(Reason.SCHEMA_UNKNOWN, "no answer") if found is None and self.down else found

    Readers.reader = blame
    _never_hold(Reason.REGISTRY_DOWN)


# -- the platform's answers ---------------------------------------------------------------------------------------


def _answering(change: Callable[[Any, Any, int], Any]) -> None:
    """Let every platform's reading of a reply pass through `change(verdict, reply, count)`."""
    for platform in PLATFORMS:

        def read_badly(self: Any, reply: Any, count: int, read: Any = platform.read) -> Any:
            return change(read(self, reply, count), reply, count)

        platform.read = read_badly


def _all_refused(count: int) -> Any:
    # For a reason that stops no lane, however many it hits.
    return Mixed(dict.fromkeys(range(count), Refusal(Reason.UNCONFIRMED, "given up")))


@mutant
def dead_letter_on_bad_token() -> None:
    """Takes a refused token for a refusal of the events, and dead-letters them."""
    _answering(lambda verdict, _, count: _all_refused(count) if isinstance(verdict, Halt) else verdict)


@mutant
def drop_on_throttle() -> None:
    """Drops a batch that was throttled."""

    def drop(verdict: Any, _: Any, __: int) -> Any:
        return Accepted() if isinstance(verdict, Later) and verdict.reason is Reason.THROTTLED else verdict

    _answering(drop)


@mutant
def dead_letter_after_three_tries() -> None:
    """Gives a batch up after three failed attempts, whosever fault they were."""
    send = Line._send

    async def give_up(self: Line, carried: Carried) -> Any:
        verdict = await send(self, carried)
        tired = isinstance(verdict, Later) and carried.deliveries[0].attempts >= 3
        return _all_refused(len(carried.deliveries)) if tired else verdict

    Line._send = give_up


@mutant
def silence_is_acceptance() -> None:
    """Takes a request without an answer for one that was accepted."""
    _answering(lambda verdict, reply, _: Accepted() if isinstance(reply, NoReply) else verdict)


@mutant
def any_200_is_acceptance() -> None:
    """Looks at the status of an answer and not into its body."""

    def believe(verdict: Any, reply: Any, _: int) -> Any:
        return Accepted() if isinstance(reply, Reply) and reply.status == 200 else verdict

    _answering(believe)


@mutant
def whole_batch_for_one() -> None:
    """Dead-letters a whole batch for the one event that the platform refused."""
    _answering(
        lambda verdict, _, count: _all_refused(count) if isinstance(verdict, Doubt | Blamed | Mixed) else verdict
    )


@mutant
def never_hopeless() -> None:
    """Goes on refusing one by one when everything is refused, and pours the topic into the dead letters."""
    Streak.hopeless = property(lambda self: False)


@mutant
def ignores_rotation() -> None:
    """Reads its secrets once, and never again."""
    values = Secrets.values
    known: dict[Any, Any] = {}

    def remembered(self: Secrets, names: Any) -> Any:
        key = tuple(sorted(names.items()))
        if key not in known:
            known[key] = values(self, names)
        return known[key]

    Secrets.values = remembered


@mutant
def no_time_limit() -> None:
    """Waits for an answer for as long as the connection stands."""
    send = HttpSender.send

    async def patiently(self: HttpSender, request: Any, *, within: float) -> Any:
        return await send(self, request, within=86_400.0)

    HttpSender.send = patiently


@mutant
def network_errors_are_raised() -> None:
    """Lets the errors of the network leave the sender, so that an outage crashes the worker."""
    send = HttpSender.send

    async def raising(self: HttpSender, request: Any, *, within: float) -> Any:
        reply = await send(self, request, within=within)
        if isinstance(reply, NoReply):
            raise OSError(reply.cause)
        return reply

    HttpSender.send = raising


@mutant
def tells_what_it_sends() -> None:
    """Prints what it is about to send: hashes, addresses and user agents of customers."""
    for platform in PLATFORMS:

        def aloud(self: Any, batch: Any, secrets: Any, request: Any = platform.request) -> Any:
            sys.stderr.write(f"sending {batch.payloads[0].decode()}\n")
            return request(self, batch, secrets)

        platform.request = aloud


@mutant
def tells_where_it_sends() -> None:
    """Prints the address and the headers of what it is about to send: wherever a platform wants it, the token."""
    send = HttpSender.send

    async def aloud(self: HttpSender, request: Any, *, within: float) -> Any:
        sys.stderr.write(f"{request.method} {request.url} {dict(request.headers)}\n")
        return await send(self, request, within=within)

    HttpSender.send = aloud


# -- identity, time, limits, the end ------------------------------------------------------------------------------


@mutant
def bytes_by_the_clock() -> None:
    """Writes the time of sending into the event, so that a copy is another event to the platform."""
    for platform in PLATFORMS:

        def shape_by_the_clock(self: Any, event: Any, shape: Any = platform.shape) -> Any:
            now = time.time()
            return shape(self, replace(event, time=now, body={**event.body, "occurred_at": int(now * 1000)}))

        platform.shape = shape_by_the_clock


@mutant
def waits_by_the_wall_clock() -> None:
    """Measures waits by a clock that people set."""
    init = Clocks.__init__

    def one_clock(self: Clocks, wall: Any, steady: Any) -> None:
        init(self, wall, wall)

    Clocks.__init__ = one_clock


@mutant
def age_by_one_clock() -> None:
    """Refuses events for their time on the word of a clock that may be wrong."""
    Clocks.moment = lambda self: Moment(self.wall(), self.wall())


@mutant
def never_too_old() -> None:
    """Asks for no event's age, and sends what the platform takes no more."""
    moment = Clocks.moment
    Clocks.moment = lambda self: Moment(0.0, moment(self).latest)


@mutant
def whole_rate_each() -> None:
    """Lets every replica send at the whole rate."""
    Pace.share = lambda self, share: None


@mutant
def takes_without_end() -> None:
    """Reads on however much is in flight."""
    _never_hold(Reason.BACKPRESSURE)


@mutant
def leaves_without_draining() -> None:
    """Asked to stop, gives up what it has in flight at once."""
    Worker._can_move = property(lambda self: False)
    give_up = Worker._give_up

    def at_once(self: Worker, pages: Any, *, deadline: float) -> int:
        return give_up(self, pages, deadline=0.0)

    Worker._give_up = at_once


@mutant
def stays_for_ever() -> None:
    """Has no hard end: what hangs while it drains keeps the process."""
    app._Room._end_within = lambda self, seconds: None
