"""The memory of what was accepted lately."""

from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st
from toy import delivery

from pipeline.core.model import Delivery
from pipeline.core.recent import Recent


def seen(recent: Recent, given: Delivery) -> bool:
    """Whether a delivery is a copy of what was accepted."""
    return [given] == recent.copies([given])


def test_knows_a_copy() -> None:
    """The same id with the same bytes was seen, once it was accepted."""
    recent = Recent()
    before = seen(recent, delivery("a"))
    recent.accepted([delivery("a")])

    assert (False, True) == (before, seen(recent, delivery("a")))


def test_other_bytes_are_no_copy() -> None:
    """The same id with other bytes goes to the platform."""
    recent = Recent()
    recent.accepted([delivery("a")])

    assert not seen(recent, delivery("a", value=b"changed"))


@given(count=st.integers(0, 60), half=st.integers(1, 10))
def test_bounded(count: int, half: int) -> None:
    """It remembers at least half of its size, the latest ones, and never more than its size."""
    recent = Recent(2 * half)
    for number in range(count):
        recent.accepted([delivery(str(number))])
    known = [number for number in range(count) if seen(recent, delivery(str(number)))]

    assert min(count, half) <= len(known) <= 2 * half
    assert list(range(count))[count - len(known) :] == known


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from("xy")), max_size=40), st.integers(1, 4))
def test_remembers_the_last_bytes_of_an_id(accepted: list[tuple[str, str]], half: int) -> None:
    """Only what was accepted last under an id is a copy of it, and the latest acceptances are remembered."""
    recent, last = Recent(2 * half), dict[str, str]()
    for event_id, text in accepted:
        recent.accepted([delivery(event_id, value=text.encode())])
        last[event_id] = text
    known = {pair for pair in product("abcde", "xy") if seen(recent, delivery(pair[0], value=pair[1].encode()))}

    assert known <= set(last.items())
    assert {(event_id, last[event_id]) for event_id, _ in accepted[-half:]} <= known
