"""Steps 2 to 5 of the road: records become deliveries, dead letters or skips, and enter the ledger in order.

Pure but for the ledger it writes to; nothing here waits, so offsets are taken in the order in which they came.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.core.batch import ENVELOPE_BYTES
from pipeline.core.consent import DECISIONS, SKIPPED, Decision
from pipeline.core.decode import SchemaRef, decode, schema_ref
from pipeline.core.ledger import Ledger, Page
from pipeline.core.model import DeadLetter, Delivery, Event, Record, Refusal, Shaped, Skipped
from pipeline.core.ports import Schemas
from pipeline.core.reason import Reason
from pipeline.core.replay import Address, ReplayTopic
from pipeline.core.route import Route
from pipeline.flow.clocks import Moment
from pipeline.platforms.base import Platform

# Clocks drift; further ahead than this is a wrong time, not an early one.
FUTURE_SECONDS = 60.0
HEADERS_LOST = Refusal(
    Reason.UNDECODABLE, "the name of a header is not UTF-8; the dead letter has the value, not the headers"
)


STRANGERS = Refusal(
    Reason.MISADDRESSED, "some of the replay's destinations are not served by this worker; the others were"
)
# Whom a record is for; None where it does not say so, and is for everybody.
Addressees = frozenset[str] | None
_NOBODY = Skipped(Reason.NO_MATCH_KEY)
_NOT_ROUTED = Skipped(Reason.NOT_ROUTED)


@dataclass(slots=True)
class Prepared:
    """What became of a run of records. `unread` begins with the first whose schema has to be fetched (`missing`)."""

    deliveries: dict[str, list[Delivery]]
    letters: list[DeadLetter] = field(default_factory=list)
    skipped: Counter[tuple[str | None, Reason]] = field(default_factory=Counter)
    # What consent decided on the events that a destination wants.
    decisions: Counter[tuple[str, Decision]] = field(default_factory=Counter)
    # topic -> records and bytes
    taken: dict[str, tuple[int, int]] = field(default_factory=dict)
    # topic -> offsets that were not there
    holes: Counter[str] = field(default_factory=Counter)
    unread: Sequence[Record] = ()
    missing: tuple[str, SchemaRef | None] | None = None

    @property
    def size(self) -> int:
        """Deliveries, letters and skips together."""
        return sum(map(len, self.deliveries.values())) + len(self.letters) + self.skipped.total()


class Way:
    """All that is asked of one destination before an event is a delivery: its rule, consent, the platform, the time."""

    def __init__(self, platform: Platform) -> None:
        self.name = platform.destination.name
        self.platform = platform
        self.route = Route(platform.destination)
        self._most_bytes = platform.destination.limits.bytes_per_request

    def outcome(self, event: Event, now: Moment) -> tuple[Decision | None, Shaped | Skipped | Refusal]:
        """Return what consent decides on `event`, as `Route.decide`, and what becomes of it at that moment."""
        decision = self.route.decide(event)
        if decision is None:
            return None, _NOT_ROUTED
        skipped = SKIPPED.get(decision)
        if skipped is not None:
            return decision, skipped
        shaped = self.platform.shape(event)
        if type(shaped) is Shaped:
            return decision, _unfit(shaped, now, self._most_bytes) or shaped
        if type(shaped) is Refusal and shaped.reason is Reason.NO_MATCH_KEY and event.kind == "activity":
            # Most visitors are nobody that a platform knows: no fault of the producer, nothing that a person on call
            # could mend, as there is for an order.
            return decision, _NOBODY
        return decision, shaped


class Preparer:
    """Takes records into the ledger for a fixed set of destinations."""

    def __init__(
        self, platforms: Sequence[Platform], schemas: Schemas, ledger: Ledger, replays: ReplayTopic | None = None
    ) -> None:
        self._replays = replays
        self._ways = [Way(platform) for platform in platforms]
        # What one platform makes of a field is worth keeping only where there is another.
        self._several = len(self._ways) > 1
        self._schemas = schemas
        self._ledger = ledger

    def prepare(self, records: Sequence[Record], *, now: Moment) -> Prepared:
        """Take `records` in order, up to the first whose schema is not known yet."""
        out = Prepared({way.name: [] for way in self._ways})
        events: Counter[Addressees] = Counter()
        for index, record in enumerate(records):
            page = self._ledger.page(record.topic, record.partition)
            if page is None:
                # Revoked since it was fetched: the new owner reads it.
                continue
            if record.headers_lost:
                self._unreadable(record, page, HEADERS_LOST, out)
                continue
            address = self._address(record)
            if isinstance(address, Refusal):
                self._unreadable(record, page, address, out)
                continue
            reader = self._schemas.reader(*self.schema_of(record))
            if reader is None:
                out.unread, out.missing = records[index:], self.schema_of(record)
                break
            read = reader if isinstance(reader, Refusal) else decode(record, reader)
            if isinstance(read, Event):
                events[address] += 1
                self._deliver(record, page, read, out, now, address)
            else:
                self._unreadable(record, page, read, out, address)
        ours = [
            record
            for record in records[: len(records) - len(out.unread)]
            if self._ledger.page(record.topic, record.partition) is not None
        ]
        for topic in {record.topic for record in ours}:
            sizes = [record.size for record in ours if record.topic == topic]
            out.taken[topic] = (len(sizes), sum(sizes))
        self._count_granted(events, out)
        return out

    def can_read(self, record: Record) -> bool:
        """Whether the schema of `record` is known by now, or is known not to exist."""
        return self._schemas.reader(*self.schema_of(record)) is not None

    def schema_of(self, record: Record) -> tuple[str, SchemaRef | None]:
        """Return what the schema of `record` is known by: its topic, and what the record says."""
        return self._origin(record), schema_ref(record)

    def _origin(self, record: Record) -> str:
        """Return the topic that says what kind of event it is: for a replay that of its first life."""
        replay = None if self._replays is None else self._replays.address(record)
        return replay.topic if isinstance(replay, Address) else record.topic

    def _address(self, record: Record) -> Addressees | Refusal:
        """Return whom a record is for if it says so, which only replays do, or why it cannot be delivered."""
        address = None if self._replays is None else self._replays.address(record)
        if address is None or isinstance(address, Refusal):
            return address
        if address.destinations.isdisjoint(way.name for way in self._ways):
            return Refusal(Reason.MISADDRESSED, "the replay is for destinations that this worker does not serve")
        return address.destinations

    def _ways_to(self, addressees: Addressees) -> Sequence[Way]:
        return self._ways if addressees is None else [way for way in self._ways if way.name in addressees]

    def _unreadable(
        self, record: Record, page: Page, why: Refusal | Skipped, out: Prepared, addressees: Addressees = None
    ) -> None:
        if isinstance(why, Skipped):
            out.holes[record.topic] += page.take(record.offset, shares=0, size=0)
            out.skipped.update((way.name, why.reason) for way in self._ways_to(addressees))
            return
        out.holes[record.topic] += page.take(record.offset, shares=1, size=record.size)
        out.letters.append(DeadLetter(record, page, None, None, why))

    def _deliver(
        self, record: Record, page: Page, event: Event, out: Prepared, now: Moment, addressees: Addressees
    ) -> None:
        shares, size = 0, record.size
        ways = self._ways_to(addressees)
        if addressees is not None and len(ways) < len(addressees):
            shares += 1
            out.letters.append(DeadLetter(record, page, None, None, STRANGERS, event.id, event.schema_id))
        if self._several:
            event.seals = {}
        producer = event.body["producer"]
        for way in ways:
            name = way.name
            decision, found = way.outcome(event, now)
            if decision is not None and decision != "granted":
                out.decisions[name, decision] += 1
            if type(found) is Shaped:
                shares += 1
                size += len(found.payload)
                delivery = Delivery(
                    name, record, page, event.name, event.id, event.time, event.schema_id, found, producer
                )
                delivery.replayed = addressees is not None
                out.deliveries[name].append(delivery)
            elif type(found) is Skipped:
                out.skipped[name, found.reason] += 1
            elif type(found) is Refusal:
                shares += 1
                platform = way.platform.destination.platform
                letter = DeadLetter(record, page, name, platform, found, event.id, event.schema_id)
                out.letters.append(letter)
        out.holes[record.topic] += page.take(record.offset, shares=shares, size=size)

    def _count_granted(self, events_for: Mapping[Addressees, int], out: Prepared) -> None:
        """Count by batch what is usual: of the events that a destination wants, all that were not decided otherwise."""
        for way in self._ways:
            events = sum(number for names, number in events_for.items() if names is None or way.name in names)
            others = out.skipped[way.name, Reason.NOT_ROUTED] + sum(out.decisions[way.name, each] for each in DECISIONS)
            if events > others:
                out.decisions[way.name, "granted"] = events - others


def _unfit(shaped: Shaped, now: Moment, most_bytes: int) -> Refusal | None:
    """Return why an event that the platform could take is not to be sent now, or None."""
    if shaped.expires_at <= now.earliest:
        return too_old(shaped, now=now.earliest)
    if shaped.not_before > now.latest + FUTURE_SECONDS:
        ahead = shaped.not_before - now.latest
        return Refusal(
            Reason.FUTURE, f"the event lies {_roughly(ahead)} in the future; the limit is {FUTURE_SECONDS:.0f} s"
        )
    if len(shaped.payload) > most_bytes - ENVELOPE_BYTES:
        size = len(shaped.payload)
        return Refusal(Reason.OVERSIZE, f"the event alone is {size} bytes; a request may be {most_bytes}")
    return None


def too_old(shaped: Shaped, *, now: float) -> Refusal:
    """Return the refusal of an event that the platform would take no more."""
    return Refusal(Reason.EXPIRED, f"the platform's age limit passed {_roughly(now - shaped.expires_at)} ago")


def _roughly(seconds: float) -> str:
    """Return a time in words that many events have in common: refusals are told by detail, not one by one."""
    for size, word in ((86_400.0, "days"), (3_600.0, "hours"), (60.0, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {word}"
    return "less than two minutes"
