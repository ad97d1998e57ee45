"""The ledger against a naive model, over any order of assignments, records, settlements and revocations.

Invariants:
the watermark never passes an offset that is open;
the watermark never moves back within an assignment;
it is the first open offset, or the one after the last taken;
an ended page changes no more, whatever settles on it;
`open_records` and `open_bytes` are what taking and settling say they are.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from pipeline.core.ledger import Ledger, LedgerError, Page

TOPIC = "orders"


@dataclass(eq=False)
class Model:
    """One assignment as anyone would write it down: offset -> open shares and bytes, settled ones included."""

    page: Page
    partition: int
    taken: dict[int, list[int]] = field(default_factory=dict)
    ended: bool = False
    highest: int = -1

    @property
    def open(self) -> list[int]:
        """Offsets that are not settled."""
        return [offset for offset, (shares, _) in self.taken.items() if shares]


class LedgerMachine(RuleBasedStateMachine):
    """Drives a ledger and the models side by side."""

    shares = Bundle("shares")

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger()
        self.models: dict[int, Model] = {}

    @rule(partition=st.integers(0, 2))
    def assign(self, partition: int) -> None:
        """Open a page; an older one of the partition ends."""
        self._end(partition)
        self.models[partition] = Model(self.ledger.open_page(TOPIC, partition), partition)

    @rule(partition=st.integers(0, 2))
    def revoke(self, partition: int) -> None:
        """End the page of a partition, ours or not."""
        self.ledger.end_page(TOPIC, partition)
        self._end(partition)

    @rule(
        target=shares,
        partition=st.integers(0, 2),
        gap=st.integers(0, 3),
        count=st.integers(0, 3),
        size=st.integers(0, 99),
    )
    def take(self, partition: int, gap: int, count: int, size: int) -> tuple[Model, int] | None:
        """Take the next record, perhaps after a hole."""
        model = self.models.get(partition)
        if model is None:
            return None
        offset = max(model.taken, default=-1) + 1 + gap
        model.page.take(offset, shares=count, size=size)
        model.taken[offset] = [count, size]
        return model, offset

    @rule(share=shares)
    def settle(self, share: tuple[Model, int] | None) -> None:
        """Settle a share of any record there ever was; too many are refused, late ones ignored."""
        if share is None:
            return
        model, offset = share
        if model.ended or model.taken[offset][0]:
            model.page.settle(offset)
            model.taken[offset][0] -= not model.ended
        else:
            with pytest.raises(LedgerError):
                model.page.settle(offset)

    @rule(share=consumes(shares))
    def take_again(self, share: tuple[Model, int] | None) -> None:
        """An offset that was taken is refused, and the refusal changes nothing."""
        if share is not None and not share[0].ended:
            with pytest.raises(LedgerError):
                share[0].page.take(share[1], shares=1, size=1)

    @invariant()
    def watermarks_are_the_models(self) -> None:
        """No watermark passes an open offset or moves back."""
        for model in self.models.values():
            after_last = max(model.taken) + 1 if model.taken else None
            expected = min(model.open, default=after_last)
            actual = model.page.watermark()
            assert expected == actual
            assert model.highest <= (actual if actual is not None else model.highest)
            model.highest = model.highest if actual is None else actual

    @invariant()
    def figures_are_the_models(self) -> None:
        """What is in flight is what the models say, over all partitions and on each page."""
        models = list(self.models.values())
        assert sum(len(model.open) for model in models) == self.ledger.open_records
        assert sum(model.taken[offset][1] for model in models for offset in model.open) == self.ledger.open_bytes
        assert all(len(model.open) == model.page.open_records for model in models)
        assert {model.page for model in models} == set(self.ledger.pages())

    def _end(self, partition: int) -> None:
        model = self.models.pop(partition, None)
        if model is not None:
            model.ended = True


LedgerMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestLedgerModel = LedgerMachine.TestCase
