"""What was received before."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.sandbox.memory import Memory


def test_duplicate() -> None:
    """The second arrival within the window is a duplicate, and its attempt is counted."""
    memory = Memory()

    assert [(1, False), (2, True)] == [memory.accept("a", 10.0, now) for now in (0.0, 9.9)]


def test_window_counts_from_the_first() -> None:
    """The window runs from the first acceptance, not from the last duplicate."""
    memory = Memory()
    answers = [memory.accept("a", 10.0, now) for now in (0.0, 9.0, 10.0, 19.0)]

    assert [False, True, False, True] == [duplicate for _, duplicate in answers]


def test_refused_attempts() -> None:
    """A refused arrival counts as an attempt and does not make the next one a duplicate."""
    memory = Memory()
    memory.attempt("a")

    assert (2, False) == memory.accept("a", 10.0, 1.0)


def test_refused_after_accepted() -> None:
    """A refused arrival does not make the platform forget what it accepted."""
    memory = Memory()
    memory.accept("a", 10.0, 0.0)
    memory.attempt("a")

    assert (3, True) == memory.accept("a", 10.0, 1.0)


def test_no_window() -> None:
    """Without a window nothing is a duplicate."""
    memory = Memory()

    assert [(1, False), (2, False)] == [memory.accept("a", 0.0, 5.0) for _ in range(2)]


def test_clear() -> None:
    """After a reset everything is new."""
    memory = Memory(1)
    memory.accept("a", 10.0, 0.0)
    memory.accept("b", 10.0, 0.0)
    memory.clear()

    assert (0, (1, False)) == (memory.forgotten, memory.accept("b", 10.0, 0.0))


@given(st.lists(st.integers(0, 20)), st.integers(1, 10))
def test_limit(keys: list[int], limit: int) -> None:
    """It never remembers more than its limit, and says how often it forgot."""
    memory = Memory(limit)
    for key in keys:
        memory.accept(str(key), 10.0, 0.0)

    assert min(limit, len(set(keys))) == len(memory)
    assert (len(set(keys)) > limit) == (memory.forgotten > 0)
