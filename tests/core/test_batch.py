"""The queue of a lane: batches by count, by bytes, by age, in order."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy import LIMITS, delivery, shaped
from virtual_loop import EPOCH

from pipeline.core.batch import ENVELOPE_BYTES, Queue
from pipeline.core.destination import Limits
from pipeline.core.ledger import Page
from pipeline.core.model import Delivery

ROOM = 100
SMALL = Limits(
    events_per_request=3, bytes_per_request=ENVELOPE_BYTES + ROOM, requests_per_second=1.0, linger_seconds=1.0
)


def several(count: int, *, size: int = 0) -> list[Delivery]:
    """Return deliveries with the ids 0, 1, 2 ..."""
    return [delivery(str(number), form=shaped(str(number), size=size)) for number in range(count)]


def names(batch: list[Delivery]) -> list[str]:
    """Return the ids in a batch."""
    return [item.event_id for item in batch]


def test_waits_for_company() -> None:
    """A batch that is not full waits until its first event is as old as the linger."""
    queue = Queue(SMALL)
    queue.add(several(2), now=EPOCH, unix=EPOCH)

    assert [] == queue.take(now=EPOCH + 0.999)
    assert ["0", "1"] == names(queue.take(now=EPOCH + 1.0))


def test_goes_when_full() -> None:
    """A full batch goes at once, and what is left over waits."""
    queue = Queue(SMALL)
    queue.add(several(4), now=EPOCH, unix=EPOCH)

    assert ["0", "1", "2"] == names(queue.take(now=EPOCH))
    assert [] == queue.take(now=EPOCH)


def test_goes_when_bytes_are_full() -> None:
    """A batch goes at once when its bytes are full, the comma of each event counted."""
    queue = Queue(SMALL)
    queue.add(several(2, size=ROOM // 2 - 1), now=EPOCH, unix=EPOCH)

    assert ["0", "1"] == names(queue.take(now=EPOCH))


def test_hurries() -> None:
    """In a hurry nothing waits for company."""
    queue = Queue(SMALL)
    queue.add(several(1), now=EPOCH, unix=EPOCH)

    assert ["0"] == names(queue.take(now=EPOCH, hurry=True))


def test_probe_is_small() -> None:
    """A cap on the events of a batch leaves the others queued."""
    queue = Queue(SMALL)
    queue.add(several(3), now=EPOCH, unix=EPOCH)

    assert ["0"] == names(queue.take(now=EPOCH, most=1))
    assert 2 == len(queue)


def test_holds_early_event() -> None:
    """An event of the near future is held until it is due, and others pass it."""
    queue = Queue(SMALL)
    queue.add([delivery("early", form=shaped("early", at=EPOCH + 30)), delivery("due")], now=EPOCH, unix=EPOCH)

    assert ["due"] == names(queue.take(now=EPOCH + 1))
    assert EPOCH + 30 == queue.due_at()
    assert ["early"] == names(queue.take(now=EPOCH + 30, hurry=True))


@pytest.mark.parametrize("hurry", [False, True])
def test_empty_queue_gives_nothing(hurry: bool) -> None:
    """An empty queue has no batch and no due time."""
    queue = Queue(SMALL)

    assert ([], None) == (queue.take(now=EPOCH, hurry=hurry), queue.due_at())


def test_discards_closing() -> None:
    """Deliveries of a partition that is given up leave the queue, early ones too; the others keep order and age."""
    gone, kept = Page("orders", 0, 1), Page("orders", 1, 2)
    queue = Queue(LIMITS)
    form = shaped("late", at=EPOCH + 9)
    queue.add(
        [delivery("x", page=gone), delivery("y", page=kept), delivery("z", page=gone, form=form)], now=EPOCH, unix=EPOCH
    )
    gone.closing = True

    assert 2 == queue.discard_closing()
    assert EPOCH + 1 == queue.due_at()
    assert ["y"] == names(queue.take(now=EPOCH + 1))
    assert queue.due_at() is None


@given(
    arrivals=st.lists(st.tuples(st.floats(0, 3), st.lists(st.integers(1, ROOM - 1), max_size=6)), max_size=12),
    events=st.integers(1, 5),
)
def test_bounds_order_and_age(arrivals: list[tuple[float, list[int]]], events: int) -> None:
    """However events arrive, no batch exceeds count or bytes, order is kept, and nothing waits beyond the linger."""
    queue = Queue(dataclasses.replace(SMALL, events_per_request=events))
    now, arrived, left = EPOCH, dict[str, float](), list[str]()
    for gap, sizes in arrivals:
        until = now + gap
        while (due := queue.due_at()) is not None and due <= until:
            now = max(now, due)
            left += _checked(queue.take(now=now), events, arrived, now)
        now = until
        new = [delivery(str(len(arrived) + i), form=shaped("", size=size)) for i, size in enumerate(sizes)]
        arrived |= {item.event_id: now for item in new}
        queue.add(new, now=now, unix=now)
    while len(queue):
        now = max(now, queue.due_at() or 0.0)
        left += _checked(queue.take(now=now), events, arrived, now)

    assert list(arrived) == left
    assert queue.due_at() is None


def _checked(batch: list[Delivery], events: int, arrived: dict[str, float], now: float) -> list[str]:
    """Return the ids of a batch after looking at its bounds."""
    assert 0 < len(batch) <= events
    assert sum(len(item.shaped.payload) + 1 for item in batch) <= ROOM
    assert all(now - arrived[item.event_id] <= SMALL.linger_seconds + 1e-6 for item in batch)
    return names(batch)
