"""The judgment of one destination: what was published, against what platform, Kafka and worker say became of it.

Pure. A demo that only adds up sums would not notice one event lost and another sent twice; this compares sets.
Invariant: no sentence holds a key or a value of a record, only its position and what it was made to be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pipeline.core.model import Headers
from pipeline.demo.trade import Sample

Partition = tuple[str, int]
Position = tuple[str, int, int]
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Published:
    """A sample, and where Kafka put it: topic, partition, offset."""

    sample: Sample
    position: Position


@dataclass(frozen=True, slots=True)
class Seen:
    """An event that the platform accepted, as its journal has it; `worth` is None where only the journal was read."""

    event_id: str
    event_name: str
    event_time: int
    worth: str | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter as it lies in Kafka: where its record came from, whom it was for, and all that it holds.

    `destination` is empty where the record was refused before any was chosen.
    """

    origin: Position
    reason: str
    key: bytes | None = field(repr=False)
    value: bytes | None = field(repr=False)
    headers: Headers = field(repr=False)
    destination: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """What became of the records: by the worker's metrics, the platform's journal, and Kafka."""

    consumed: int
    skipped: Mapping[str, int]
    accepted: Sequence[Seen]
    letters: Sequence[Letter]
    committed: Mapping[Partition, int]
    ends: Mapping[Partition, int]
    requests: int


def balance(published: Sequence[Published], account: Account) -> list[str]:
    """Return everything that does not balance, a sentence each; empty when every record is where it should be."""
    return [
        *_sums(len(published), account),
        *_accepted(published, account.accepted),
        *_skipped(published, account.skipped),
        *_buried(published, account.letters),
        *offsets(account.committed, account.ends),
    ]


def _sums(published: int, account: Account) -> Iterator[str]:
    if account.consumed != published:
        yield f"{published} records were published, and the worker consumed {account.consumed}"
    accepted, skipped, letters = len(account.accepted), sum(account.skipped.values()), len(account.letters)
    if account.consumed != accepted + skipped + letters:
        yield (
            f"{account.consumed} consumed is not {accepted} accepted + {skipped} skipped + {letters} dead-lettered "
            f"(= {accepted + skipped + letters})"
        )


def _accepted(published: Iterable[Published], accepted: Sequence[Seen]) -> Iterator[str]:
    expected = (item.sample.expected for item in published if _meant(item, "accepted"))
    wanted = {Seen(one.event_id, one.event_name, one.event_time): one.worth for one in expected}
    found = Counter(replace(seen, worth=None) for seen in accepted)
    yield from _listed("should have been accepted and was not", map(_words, wanted.keys() - found.keys()))
    yield from _listed("was accepted and should not have been", map(_words, found.keys() - wanted.keys()))
    twice = (_words(seen) for seen, count in found.items() if count > 1)
    yield from _listed("was accepted more than once", twice)
    known = (seen for seen in accepted if seen.worth is not None)
    changed = (_words(seen) for seen in known if seen.worth != wanted.get(replace(seen, worth=None), seen.worth))
    yield from _listed("was accepted with another value", changed)


def _skipped(published: Iterable[Published], skipped: Mapping[str, int]) -> Iterator[str]:
    wanted = Counter(str(item.sample.expected.reason) for item in published if _meant(item, "skipped"))
    for reason in sorted(wanted.keys() | skipped.keys()):
        if wanted[reason] != skipped.get(reason, 0):
            yield f"skipped as {reason}: expected {wanted[reason]}, the worker counted {skipped.get(reason, 0)}"


def _buried(published: Sequence[Published], letters: Sequence[Letter]) -> Iterator[str]:
    by_position = {item.position: item for item in published}
    wanted = {item.position for item in published if _meant(item, "dead-lettered")}
    found = Counter(letter.origin for letter in letters)
    missing = (f"{_place(position)} ({by_position[position].sample.story})" for position in wanted - found.keys())
    yield from _listed("should be a dead letter and is not", missing)
    yield from _listed("is a dead letter and should not be", map(_place, found.keys() - wanted))
    yield from _listed(
        "is a dead letter more than once", (_place(place) for place, count in found.items() if count > 1)
    )
    for letter in letters:
        if letter.origin in wanted:
            yield from _letter(by_position[letter.origin].sample, letter)


def _letter(sample: Sample, letter: Letter) -> Iterator[str]:
    where = f"the dead letter of {_place(letter.origin)} ({sample.story})"
    if letter.reason != sample.expected.reason:
        yield f"{where} says {letter.reason or 'no reason'}; expected {sample.expected.reason}"
    meant_for = sample.expected.destination
    if meant_for is not None and letter.destination != meant_for:
        yield f"{where} names {letter.destination or 'no destination'}; expected {meant_for or 'none'}"
    for part, sent, kept in (("key", sample.key, letter.key), ("value", sample.value, letter.value)):
        if sent != kept:
            yield f"{where} does not hold the record's {part} byte for byte"
    if list(letter.headers[: len(sample.headers)]) != list(sample.headers):
        yield f"{where} does not begin with the record's own headers"


def offsets(committed: Mapping[Partition, int], ends: Mapping[Partition, int]) -> Iterator[str]:
    """Yield a sentence for each partition that is not committed up to its end."""
    for topic, partition in sorted(ends.keys() | committed.keys()):
        end, reached = ends.get((topic, partition), 0), committed.get((topic, partition), 0)
        if reached != end:
            yield f"{topic}[{partition}] is committed up to {reached}, and ends at {end}"


def _meant(item: Published, outcome: str) -> bool:
    return item.sample.expected.outcome == outcome


def _place(position: Position) -> str:
    topic, partition, offset = position
    return f"{topic}[{partition}]@{offset}"


def _words(seen: Seen) -> str:
    return f"{seen.event_name} {seen.event_id} at {seen.event_time}"


def _listed(what: str, items: Iterable[str]) -> Iterator[str]:
    """Say `what` of the first few items, and of how many more."""
    names = sorted(items)
    for name in names[:_SHOWN]:
        yield f"{name} {what}"
    if len(names) > _SHOWN:
        yield f"({len(names) - _SHOWN} more: {what})"
