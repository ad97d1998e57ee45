"""When refusals are configuration."""

from __future__ import annotations

import dataclasses
from itertools import takewhile

from hypothesis import given
from hypothesis import strategies as st
from toy import REJECTED

from pipeline.core.model import Refusal
from pipeline.core.streak import Streak

OTHER = dataclasses.replace(REJECTED, subcode="7")


def test_hopeless_at_the_limit() -> None:
    """So many refusals in a row for one code are hopeless, one fewer is not."""
    streak = Streak(3)
    streak.refused(REJECTED)
    streak.refused(REJECTED)

    assert not streak.hopeless
    streak.refused(REJECTED)

    assert streak.hopeless


def test_acceptance_begins_again() -> None:
    """One acceptance shows that the account works: the count begins again."""
    streak = Streak(2)
    streak.refused(REJECTED)
    streak.begin_again()
    streak.refused(REJECTED)

    assert not streak.hopeless


def test_other_code_begins_again() -> None:
    """Refusals for different codes, or subcodes, are the events' own."""
    streak = Streak(2)
    for refusal in (REJECTED, OTHER, REJECTED, OTHER):
        streak.refused(refusal)

    assert not streak.hopeless


def test_zero_is_never_hopeless() -> None:
    """A limit of zero switches it off."""
    streak = Streak(0)
    for _ in range(100):
        streak.refused(REJECTED)

    assert not streak.hopeless


def test_says_why() -> None:
    """The detail names the number and the cause."""
    streak = Streak(1)
    streak.refused(REJECTED)

    assert streak.detail == "1 events in a row were refused one by one: the toy refused it"


@given(history=st.lists(st.sampled_from([REJECTED, REJECTED, OTHER, None]), max_size=12), most=st.integers(0, 4))
def test_counts_the_tail(history: list[Refusal | None], most: int) -> None:
    """It is hopeless when as many as the limit were refused for one code since the last acceptance (None)."""
    streak = Streak(most)
    for refusal in history:
        streak.begin_again() if refusal is None else streak.refused(refusal)
    tail = list(takewhile(lambda refusal: refusal is history[-1] and refusal is not None, reversed(history)))

    assert (0 < most <= len(tail)) is streak.hopeless
