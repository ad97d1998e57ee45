"""The memory of what was accepted lately."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from toy import delivery, shaped

from pipeline.core.recent import Recent


def test_knows_a_copy() -> None:
    """The same id with the same bytes was seen, once it was accepted."""
    recent = Recent()
    before = recent.seen(delivery("a"))
    recent.accepted(delivery("a"))

    assert (False, True) == (before, recent.seen(delivery("a")))


def test_other_bytes_are_no_copy() -> None:
    """The same id with other bytes goes to the platform."""
    recent = Recent()
    recent.accepted(delivery("a"))

    assert not recent.seen(delivery("a", form=shaped("changed")))


@given(count=st.integers(0, 60), half=st.integers(1, 10))
def test_bounded(count: int, half: int) -> None:
    """It remembers at least half of its size, the latest ones, and never more than its size."""
    recent = Recent(2 * half)
    for number in range(count):
        recent.accepted(delivery(str(number)))
    seen = [number for number in range(count) if recent.seen(delivery(str(number)))]

    assert min(count, half) <= len(seen) <= 2 * half
    assert list(range(count))[count - len(seen) :] == seen
