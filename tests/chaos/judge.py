"""The judge of a run: what was produced, held against what the platform, the dead letters and the commits say of it.

Pure. It compares sets, never counts: one record lost and another sent twice do not make up for each other.
Every produced record must end accepted, dead-lettered with the right reason, or skipped for a reason that its making
explains, and no commit may pass it before that.
Invariant: no sentence holds a key, a value or a header of a record, only positions, offsets and event ids.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Final, TypeVar

from pipeline.demo.balance import Published
from pipeline.demo.trade import Sample

Partition = tuple[str, int]
Position = tuple[str, int, int]  # topic, partition, offset

# In seconds. Kafka's timestamps are whole milliseconds, and the platform's journal has a clock of its own.
SLACK: Final = 0.005
_SHOWN = 3

_Item = TypeVar("_Item")
_Name = TypeVar("_Name", str, Position)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """An event that the platform accepted: one line of the sandbox's journal. `received_at` is in Unix seconds."""

    event_id: str
    event_name: str
    event_time: int
    sha256: str
    received_at: float


@dataclass(frozen=True, slots=True)
class Burial:
    """A dead letter as it lies in Kafka. `landed_at` is its append time at the broker, in Unix seconds."""

    origin: Position
    reason: str
    key: bytes | None = field(repr=False)
    value: bytes | None = field(repr=False)
    headers: Sequence[tuple[str, bytes | None]] = field(repr=False)
    landed_at: float


@dataclass(frozen=True, slots=True)
class Committed:
    """One commit of a partition's offset. `at` is in Unix seconds."""

    at: float
    partition: Partition
    offset: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known of a run.

    `commits` are in log order; `ends` has the end offset of every source partition.
    `complete` is false in mid-run or with work left over: then nothing is called lost or uncommitted.
    In mid-run it is gathered commits first and produced records last, so that what happens meanwhile is no fault.
    """

    produced: Sequence[Published]
    accepted: Sequence[Acceptance]
    buried: Sequence[Burial]
    commits: Sequence[Committed]
    ends: Mapping[Partition, int]
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is wrong, each kind in ascending order but `rewound`, which is in log order; and two figures.

    lost: expected to be accepted or dead-lettered, and found in neither place.
    leaked: event ids that the platform has and should not: refused, skipped, or never produced.
    misburied: a dead letter that should be none, or has the wrong reason.
    altered: a dead letter whose key, value or leading headers are not the record's, byte for byte.
    changed: event ids that the platform saw with two bytes, names or times, or not with the expected name and time.
    overcommitted: a record, and the offset of the first commit that passed it, while it was not settled.
    rewound: commits lower than an earlier one of their partition.
    uncommitted: partitions whose last commit is not their end.
    duplicates: acceptances beyond the first of each event id.
    letters_twice: dead letters beyond the first of each origin.
    """

    lost: Sequence[Position]
    leaked: Sequence[str]
    misburied: Sequence[Position]
    altered: Sequence[Position]
    changed: Sequence[str]
    overcommitted: Sequence[tuple[Position, int]]
    rewound: Sequence[Committed]
    uncommitted: Sequence[Partition]
    duplicates: int
    letters_twice: int

    @property
    def faults(self) -> list[str]:
        """One sentence for each kind of fault there is; empty when all is well. Delivery twice is no fault."""
        return [
            *_said("neither accepted nor dead-lettered", self.lost, _place),
            *_said("accepted by the platform and should not be", self.leaked, str),
            *_said("dead-lettered and should not be, or not for this reason", self.misburied, _place),
            *_said("dead-lettered other than produced", self.altered, _place),
            *_said("seen by the platform in two versions, or not as expected", self.changed, str),
            *_said("committed before it was settled", self.overcommitted, _passed),
            *_said("committed lower than before", self.rewound, _commit),
            *_said("not committed to the end", self.uncommitted, _partition),
        ]


def judge(evidence: Evidence) -> Judgement:
    """Return all that is wrong with a run. Raises ValueError when two produced records claim one position."""
    samples = {item.position: item.sample for item in evidence.produced}
    if not samples:
        raise ValueError("nothing was produced: there is nothing to judge")
    if len(samples) != len(evidence.produced):
        raise ValueError("two produced records claim one position: one of them would go unjudged")
    meant = _meant(samples.values())
    settled = _settled(samples, meant.keys(), evidence)
    event_ids = {one.event_id for one in evidence.accepted}
    origins = {letter.origin for letter in evidence.buried}
    return Judgement(
        lost=sorted(place for place, at in settled.items() if at == inf) if evidence.complete else [],
        leaked=sorted(event_ids - meant.keys()),
        misburied=sorted({letter.origin for letter in evidence.buried if _misburied(letter, samples)}),
        altered=sorted({letter.origin for letter in evidence.buried if _altered(letter, samples)}),
        changed=_changed(evidence.accepted, meant),
        overcommitted=_overcommitted(evidence.commits, settled),
        rewound=_rewound(evidence.commits),
        uncommitted=_uncommitted(evidence) if evidence.complete else [],
        duplicates=len(evidence.accepted) - len(event_ids),
        letters_twice=len(evidence.buried) - len(origins),
    )


def widest_window(times: Iterable[float], seconds: float = 1.0) -> int:
    """Return how many of `times` lie at most in any window of `seconds`, whose end is not part of it."""
    ordered = sorted(times)
    return max((bisect_left(ordered, start + seconds) - index for index, start in enumerate(ordered)), default=0)


# -- what must become of the records, and when it did --------------------------------------------------------------


def _meant(samples: Iterable[Sample]) -> dict[str, set[tuple[str, int]]]:
    """Return the event ids that the platform may have, each with the names and times expected of it."""
    meant: defaultdict[str, set[tuple[str, int]]] = defaultdict(set)
    for expected in (sample.expected for sample in samples):
        if expected.outcome == "accepted":
            meant[expected.event_id].add((expected.event_name, expected.event_time))
    return dict(meant)


def _settled(samples: Mapping[Position, Sample], wanted: Container[str], evidence: Evidence) -> dict[Position, float]:
    """Return when each record was settled, in Unix seconds: always if it is skipped, and never if it is nowhere."""
    # An event without an id is nobody's.
    arrived = _earliest((one.event_id, one.received_at) for one in evidence.accepted if one.event_id)
    landed = _earliest((letter.origin, letter.landed_at) for letter in evidence.buried)
    # An acceptance that a good record explains tells nothing of a refused one with the same id.
    unexplained = {event_id: at for event_id, at in arrived.items() if event_id not in wanted}
    settled: dict[Position, float] = {}
    for position, sample in samples.items():
        expected = sample.expected
        accepted = arrived if expected.outcome == "accepted" else unexplained
        found = min(accepted.get(expected.event_id, inf), landed.get(position, inf))
        settled[position] = -inf if expected.outcome == "skipped" else found
    return settled


def _earliest(times: Iterable[tuple[_Name, float]]) -> dict[_Name, float]:
    earliest: dict[_Name, float] = {}
    for name, at in times:
        earliest[name] = min(at, earliest.get(name, inf))
    return earliest


# -- one kind of fault each ----------------------------------------------------------------------------------------


def _misburied(letter: Burial, samples: Mapping[Position, Sample]) -> bool:
    sample = samples.get(letter.origin)
    if sample is None or sample.expected.outcome != "dead-lettered":
        return True
    return letter.reason != sample.expected.reason


def _altered(letter: Burial, samples: Mapping[Position, Sample]) -> bool:
    sample = samples.get(letter.origin)
    if sample is None:
        return False
    leading = list(letter.headers[: len(sample.headers)])
    return (letter.key, letter.value, leading) != (sample.key, sample.value, list(sample.headers))


def _changed(accepted: Iterable[Acceptance], meant: Mapping[str, set[tuple[str, int]]]) -> list[str]:
    first: dict[str, tuple[str, str, int]] = {}
    changed: set[str] = set()
    for one in accepted:
        version = (one.sha256, one.event_name, one.event_time)
        if version != first.setdefault(one.event_id, version) or _unexpected(one, meant.get(one.event_id)):
            changed.add(one.event_id)
    return sorted(changed)


def _unexpected(one: Acceptance, meant: set[tuple[str, int]] | None) -> bool:
    """Whether this is not what was meant. An id that nobody meant is leaked instead; an empty name is not asked."""
    if meant is None or any(not name for name, _ in meant):
        return False
    return (one.event_name, one.event_time) not in meant


def _overcommitted(commits: Iterable[Committed], settled: Mapping[Position, float]) -> list[tuple[Position, int]]:
    """Return the records that a commit passed too early. A record is asked of once: by the first commit past it."""
    ahead: defaultdict[Partition, deque[Position]] = defaultdict(deque)
    for position in sorted(settled):
        ahead[position[:2]].append(position)
    found: list[tuple[Position, int]] = []
    for commit in commits:
        records = ahead[commit.partition]
        while records and records[0][2] < commit.offset:
            position = records.popleft()
            if settled[position] > commit.at + SLACK:
                found.append((position, commit.offset))
    return sorted(found)


def _rewound(commits: Iterable[Committed]) -> list[Committed]:
    highest: dict[Partition, int] = {}
    found: list[Committed] = []
    for commit in commits:
        before = highest.get(commit.partition, 0)
        if commit.offset < before:
            found.append(commit)
        highest[commit.partition] = max(before, commit.offset)
    return found


def _uncommitted(evidence: Evidence) -> list[Partition]:
    """Return the partitions that are not committed to their end; an empty one needs no commit."""
    last = {commit.partition: commit.offset for commit in evidence.commits}
    ends = evidence.ends
    return sorted(place for place in last.keys() | ends.keys() if last.get(place, 0) != ends.get(place, 0))


# -- words ---------------------------------------------------------------------------------------------------------


def _said(what: str, found: Sequence[_Item], name: Callable[[_Item], str]) -> list[str]:
    return [f"{len(found)} x {what}: {', '.join(map(name, found[:_SHOWN]))}"] if found else []


def _place(position: Position) -> str:
    topic, partition, offset = position
    return f"{topic}[{partition}]@{offset}"


def _partition(place: Partition) -> str:
    topic, partition = place
    return f"{topic}[{partition}]"


def _passed(record: tuple[Position, int]) -> str:
    position, offset = record
    return f"{_place(position)} by {offset}"


def _commit(commit: Committed) -> str:
    return f"{_partition(commit.partition)} to {commit.offset}"
