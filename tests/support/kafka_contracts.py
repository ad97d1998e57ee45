"""What every implementation of the Kafka ports must do, real or fake: one class a port.

A test module derives from a class and brings a fixture `kit`, the way to arrange the world around the implementation.
Waiting is bounded by attempts, so that fakes cost nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from toy import REJECTED

from pipeline.core.ledger import Page
from pipeline.core.model import DeadLetter, Headers, Record
from pipeline.core.pace import WHOLE, Share
from pipeline.core.ports import Burial, CommitResult, DeadLetters, Partition, Source

HEADERS: Headers = [("trace", b"\x00\xff"), ("trace", b"again"), ("empty", b""), ("none", None)]
ATTEMPTS = 200
TURN_SECONDS = 0.1


class SourceKit(Protocol):
    """A topic with two partitions and a group that nobody else is in."""

    topic: str

    def produce(self, partition: int, values: Sequence[bytes | None]) -> None:
        """Append records with the key `k` and `HEADERS`."""

    def source(self) -> Source:
        """Return a source of the group; it is closed at the end of the test."""

    def committed(self, partition: int) -> int | None:
        """Return what the group has committed, as Kafka knows it."""


@dataclass
class Heard:
    """A `Rebalance` that notes what it is told, and commits `on_revoke` while it gives up."""

    owned: dict[Partition, None] = field(default_factory=dict)
    joined: bool = False
    results: list[CommitResult] = field(default_factory=list)
    share: Share = WHOLE
    source: Source | None = None
    on_revoke: Mapping[Partition, int] = field(default_factory=dict)

    def assigned(self, partitions: Sequence[Partition], share: Share) -> None:
        """Note what is ours, and that we are a member."""
        self.joined = True
        self.owned |= dict.fromkeys(partitions)
        self.share = share

    def revoked(self, partitions: Sequence[Partition], share: Share) -> None:
        """Commit, and note what is not ours any more."""
        if self.source is not None and self.on_revoke:
            self.results += self.source.commit_now(self.on_revoke)
        self.lost(partitions, share)

    def lost(self, partitions: Sequence[Partition], share: Share) -> None:
        """Note what is not ours any more."""
        for name in partitions:
            del self.owned[name]
        self.share = share

    def committed(self, results: Sequence[CommitResult]) -> None:
        """Note what Kafka said."""
        self.results += results


def opened(source: Source, heard: Heard | None = None) -> Heard:
    """Open a source and wait until it owns both partitions, which hold nothing yet."""
    heard = heard or Heard()
    heard.source = source
    source.open(heard)
    for _ in range(ATTEMPTS):
        assert [] == source.take(1, TURN_SECONDS)
        if len(heard.owned) == 2:
            return heard
    raise AssertionError(f"only {heard.owned} assigned")


def taken(source: Source, count: int) -> list[Record]:
    """Take until `count` records came."""
    records: list[Record] = []
    for _ in range(ATTEMPTS):
        records += source.take(count - len(records), TURN_SECONDS)
        if len(records) >= count:
            break
    return records


class SourceContract:
    """What `ports.Source` promises."""

    def test_yields_records_byte_for_byte(self, kit: SourceKit) -> None:
        """Records come in the order of their offsets, with key, value and headers as they were produced."""
        source = kit.source()
        opened(source)
        kit.produce(0, [b"\x00\xff", None, b""])

        assert [
            (kit.topic, 0, 0, b"k", b"\x00\xff", HEADERS),
            (kit.topic, 0, 1, b"k", None, HEADERS),
            (kit.topic, 0, 2, b"k", b"", HEADERS),
        ] == [(r.topic, r.partition, r.offset, r.key, r.value, list(r.headers)) for r in taken(source, 3)]

    def test_assigns_from_inside_take(self, kit: SourceKit) -> None:
        """A source that is alone owns everything, and its share is one."""
        heard = opened(kit.source())

        assert {(kit.topic, 0), (kit.topic, 1)} == set(heard.owned)
        assert 1.0 == heard.share.part

    def test_takes_no_more_than_asked(self, kit: SourceKit) -> None:
        """One call returns at most as many records as asked for, and loses none."""
        source = kit.source()
        opened(source)
        kit.produce(0, [b"%d" % number for number in range(10)])
        batches = [source.take(3, TURN_SECONDS) for _ in range(20)]

        assert max(len(batch) for batch in batches) <= 3
        assert list(range(10)) == [record.offset for batch in batches for record in batch]

    def test_commit_is_heard_of(self, kit: SourceKit) -> None:
        """An asynchronous commit returns at once; its result comes from inside `take`, and Kafka has it."""
        source = kit.source()
        heard = opened(source)
        kit.produce(0, [b"1", b"2"])
        taken(source, 2)
        source.commit({(kit.topic, 0): 1})
        for _ in range(ATTEMPTS):
            source.take(1, TURN_SECONDS)
            if heard.results:
                break

        assert [CommitResult((kit.topic, 0), 1)] == heard.results
        assert 1 == kit.committed(0)

    def test_commit_now_answers(self, kit: SourceKit) -> None:
        """A commit that waits returns the result."""
        source = kit.source()
        opened(source)

        assert [CommitResult((kit.topic, 1), 7)] == list(source.commit_now({(kit.topic, 1): 7}))
        assert 7 == kit.committed(1)

    def test_refuses_commit_for_others(self, kit: SourceKit) -> None:
        """A commit for a partition that is not ours is refused as fenced, and the others are stored."""
        source = kit.source()
        opened(source)
        results = {result.partition: result for result in source.commit_now({(kit.topic, 9): 1, (kit.topic, 0): 1})}

        assert results[kit.topic, 9].fenced
        assert results[kit.topic, 9].error
        assert 1 == kit.committed(0)

    def test_pauses_and_resumes(self, kit: SourceKit) -> None:
        """A paused source yields nothing, then goes on where it stopped."""
        source = kit.source()
        opened(source)
        kit.produce(0, [b"1", b"2", b"3"])
        first = taken(source, 1)
        source.pause()
        while_paused = [record for _ in range(5) for record in source.take(10, TURN_SECONDS)]
        source.resume()

        assert [] == while_paused
        assert [0, 1, 2] == [record.offset for record in first + taken(source, 2)]

    def test_knows_the_lag(self, kit: SourceKit) -> None:
        """The lag is what lies behind the watermark, as far as the last fetch knows."""
        source = kit.source()
        opened(source)
        kit.produce(0, [b"1", b"2", b"3"])
        taken(source, 3)

        assert 2 == source.lag({(kit.topic, 0): 1})[kit.topic, 0]

    def test_gives_up_when_it_leaves(self, kit: SourceKit) -> None:
        """Leaving revokes everything; what is done may be committed meanwhile, and nothing afterwards."""
        source = kit.source()
        heard = opened(source, Heard(on_revoke={(kit.topic, 0): 5}))
        source.close()

        assert {} == heard.owned
        assert [CommitResult((kit.topic, 0), 5)] == heard.results
        assert 5 == kit.committed(0)

    def test_successor_begins_at_the_commit(self, kit: SourceKit) -> None:
        """Who comes after reads from the committed offset, and from the beginning where there is none."""
        first = kit.source()
        opened(first)
        kit.produce(0, [b"1", b"2"])
        kit.produce(1, [b"1"])
        first.commit_now({(kit.topic, 0): 1})
        first.close()
        second = kit.source()
        second.open(Heard())

        assert [(0, 1), (1, 0)] == sorted((record.partition, record.offset) for record in taken(second, 2))


class DeadLettersKit(Protocol):
    """A dead-letter topic that takes records of at most 10 000 bytes."""

    dead_letters: DeadLetters

    def in_topic(self, count: int) -> list[tuple[bytes | None, bytes | None]]:
        """Return key and value of the first `count` records of the topic."""


def a_letter(offset: int, value: bytes | None) -> DeadLetter:
    """Return the letter of a record that holds `value`."""
    origin = Record("orders", 0, offset, b"k", value, HEADERS, None)
    return DeadLetter(origin, Page("orders", 0, 1), "toy", "toy", REJECTED)


def reported(dead_letters: DeadLetters, count: int) -> list[Burial]:
    """Wait until `count` letters were reported."""
    burials: list[Burial] = []
    for _ in range(ATTEMPTS):
        burials += dead_letters.reports(TURN_SECONDS)
        if len(burials) >= count:
            break
    return burials


class DeadLettersContract:
    """What `ports.DeadLetters` promises."""

    def test_reports_each_letter_once(self, kit: DeadLettersKit) -> None:
        """Every letter comes back once, without an error, and then it is in the topic byte for byte."""
        letters = [a_letter(0, b"\x00\xff"), a_letter(1, None), a_letter(2, b"")]
        for one in letters:
            kit.dead_letters.bury(one)
        burials = reported(kit.dead_letters, 3)

        assert dict.fromkeys(letters) == {burial.letter: burial.error for burial in burials}
        assert [] == kit.dead_letters.reports(0.0)
        assert [(b"k", b"\x00\xff"), (b"k", None), (b"k", b"")] == kit.in_topic(3)

    def test_reports_what_was_not_taken(self, kit: DeadLettersKit) -> None:
        """A letter that Kafka does not take comes back with the error, and the next one is taken.

        They are not handed over together: Kafka refuses a batch as a whole, so a neighbor may come back with it.
        """
        bad, good = a_letter(0, Random(1).randbytes(20_000)), a_letter(1, b"fine")
        kit.dead_letters.bury(bad)
        (refused,) = reported(kit.dead_letters, 1)
        kit.dead_letters.bury(good)

        assert "MSG_SIZE_TOO_LARGE" in (refused.error or "")
        assert [Burial(good)] == reported(kit.dead_letters, 1)
        assert [(b"k", b"fine")] == kit.in_topic(1)

    def test_same_letter_again(self, kit: DeadLettersKit) -> None:
        """A letter may be handed over again, as a retry does, and is reported again."""
        one = a_letter(0, b"v")
        for _ in range(2):
            kit.dead_letters.bury(one)
            assert [Burial(one)] == reported(kit.dead_letters, 1)
