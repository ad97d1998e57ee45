"""The search for the culprits of a request that was refused whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy import REJECTED, delivery

from pipeline.core.model import Delivery, Doubt
from pipeline.core.split import Split

Hint = Callable[[Sequence[Delivery]], tuple[int, ...]]


@dataclass
class Search:
    """A finished search: how many requests it took, the first included, and who was asked, refused, accepted."""

    requests: int = 1
    alone: set[str] = field(default_factory=set)
    accepted: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def search(batch: Sequence[Delivery], bad: set[str], hint: Hint = lambda _: ()) -> Search:
    """Search `batch` on a platform that refuses whatever has one of `bad` in it."""
    split, found = Split(batch, Doubt(REJECTED, hint(batch))), Search()
    found.alone |= {item.event_id for item in batch if len(batch) == 1}
    while (group := split.next_group()) is not None:
        assert len(group) > 0
        found.requests += 1
        found.alone |= {item.event_id for item in group if len(group) == 1}
        if bad & {item.event_id for item in group}:
            split.doubted(Doubt(REJECTED, hint(group)))
        else:
            found.accepted += [item.event_id for item in group]
            split.was_accepted()
    found.refused = [item.event_id for item, _ in split.refused]
    assert [item for item, _ in split.refused] == split.undecided()
    return found


@st.composite
def batches(draw: st.DrawFn) -> tuple[list[Delivery], set[str]]:
    """Draw a batch and its culprits, one at least."""
    size = draw(st.integers(1, 130))
    bad = draw(st.sets(st.integers(0, size - 1), min_size=1))
    return [delivery(str(number)) for number in range(size)], {str(number) for number in bad}


@given(batches())
def test_finds_exactly_the_culprits(drawn: tuple[list[Delivery], set[str]]) -> None:
    """Exactly the culprits are refused, each after it was asked alone, and all others are accepted once."""
    batch, bad = drawn
    found = search(batch, bad)

    assert sorted(bad) == sorted(found.refused)
    assert sorted({item.event_id for item in batch} - bad) == sorted(found.accepted)
    assert bad <= found.alone


@given(batches())
def test_bound_of_requests(drawn: tuple[list[Delivery], set[str]]) -> None:
    """With k culprits among n it takes at most 2 k log2(n) + 2 requests, the first included."""
    batch, bad = drawn

    assert search(batch, bad).requests <= 2 * len(bad) * log2(len(batch)) + 2


@given(batches(), st.data())
def test_wrong_hints_harm_nobody(drawn: tuple[list[Delivery], set[str]], data: st.DataObject) -> None:
    """Whatever positions the platform suspects, also such that do not exist, the same are refused and accepted."""
    batch, bad = drawn
    found = search(batch, bad, lambda _: tuple(data.draw(st.lists(st.integers(-2, 140), max_size=4))))

    assert sorted(bad) == sorted(found.refused)
    assert len(batch) - len(bad) == len(found.accepted)
    assert bad <= found.alone


@given(batches(), st.data())
def test_bound_holds_with_true_hints(drawn: tuple[list[Delivery], set[str]], data: st.DataObject) -> None:
    """Suspicions that name culprits only, all of them or some, keep the bound; all others are accepted once."""
    batch, bad = drawn

    def hint(group: Sequence[Delivery]) -> tuple[int, ...]:
        guilty = [index for index, item in enumerate(group) if item.event_id in bad]
        return tuple(index for index in guilty if data.draw(st.booleans()))

    found = search(batch, bad, hint)

    assert sorted(bad) == sorted(found.refused)
    assert sorted({item.event_id for item in batch} - bad) == sorted(found.accepted)
    assert found.requests <= 2 * len(bad) * log2(len(batch)) + 2


@given(size=st.integers(1, 40), answers=st.lists(st.tuples(st.integers(0, 2), st.integers(-1, 40)), max_size=60))
def test_any_answers_forget_nobody(size: int, answers: list[tuple[int, int]]) -> None:
    """Whatever comes of each request, each event is accepted, dropped or undecided at any time, once."""
    batch = [delivery(str(number)) for number in range(size)]
    split, over = Split(batch, Doubt(REJECTED)), list[Delivery]()
    for answer, suspect in answers:
        assert sorted(batch, key=id) == sorted([*over, *split.undecided()], key=id)
        group = split.next_group()
        assert sorted(batch, key=id) == sorted([*over, *split.undecided()], key=id)
        if group is None:
            break
        if answer == 0:
            split.doubted(Doubt(REJECTED, (suspect,)))
            continue
        over += group
        split.was_accepted() if answer == 1 else split.dropped()


def test_right_hint_is_cheap() -> None:
    """A right suspicion costs two more requests: the suspect, and all the others together."""
    batch = [delivery(str(number)) for number in range(100)]
    found = search(batch, {"42"}, lambda group: (42,) if len(group) == 100 else ())

    assert (3, ["42"]) == (found.requests, found.refused)


def test_spares_the_known_half() -> None:
    """When the first half of a refused group was accepted, the second is not asked as a whole."""
    batch = [delivery(name) for name in "abcdefgh"]
    found = search(batch, {"h"})

    assert (["a", "b", "c", "d", "e", "f", "g"], ["h"]) == (found.accepted, found.refused)
    assert 1 + len("abcd ef g h".split()) == found.requests


def test_blames_nobody_for_company() -> None:
    """Events that are refused together and accepted apart are all accepted."""
    split, alone = Split([delivery(name) for name in "abcd"], Doubt(REJECTED)), list[str]()
    while (group := split.next_group()) is not None:
        if len(group) > 1:
            split.doubted(Doubt(REJECTED))
        else:
            alone += [item.event_id for item in group]
            split.was_accepted()

    assert (["a", "b", "c", "d"], []) == (alone, split.refused)


@pytest.mark.parametrize("settled", [0, 1, 2, 3])
def test_given_up_search_forgets_nobody(settled: int) -> None:
    """At any point of a search, what was not accepted is undecided, once each."""
    split, accepted = Split([delivery(name) for name in "abcdefgh"], Doubt(REJECTED)), set[str]()
    for _ in range(settled):
        group = split.next_group() or ()
        if {"d"} & {item.event_id for item in group}:
            split.doubted(Doubt(REJECTED))
        else:
            accepted |= {item.event_id for item in group}
            split.was_accepted()

    assert sorted(set("abcdefgh") - accepted) == sorted(item.event_id for item in split.undecided())


def test_dropped_group_is_over() -> None:
    """A group that is ours no more is neither refused nor undecided."""
    split = Split([delivery("a"), delivery("b")], Doubt(REJECTED))
    split.next_group()
    split.dropped()

    assert ["b"] == [item.event_id for item in split.undecided()]


@given(batches(), st.integers(-2, 2))
def test_a_wrong_hint_is_followed_once(drawn: tuple[list[Delivery], set[str]], off: int) -> None:
    """A platform whose hints are off by something costs two requests more than one that gives none, at most."""
    batch, bad = drawn

    def hint(group: Sequence[Delivery]) -> tuple[int, ...]:
        return (next(index for index, item in enumerate(group) if item.event_id in bad) + off,)

    found = search(batch, bad, hint)
    assert sorted(bad) == sorted(found.refused)
    assert found.requests <= 2 * len(bad) * log2(len(batch)) + 4
