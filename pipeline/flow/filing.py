"""Step 10's acceptances that are not the final word: their receipt is in Kafka before they settle.

The vow is here: once a delivery with a receipt is settled, a restart still knows what to ask the platform about.
A receipt that Kafka did not take is tried again for as long as one of its partitions is ours; meanwhile the worker
holds. What was not filed comes again with its partition, is sent again, and gets a receipt of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.core.ledger import Page
from pipeline.core.model import Delivery
from pipeline.core.ports import Chance, Clock, Outbox, Posting, Teller
from pipeline.core.receipt import Receipt, receipt_of, receipt_posting
from pipeline.core.signals import Filed, FilingFailed
from pipeline.flow.clocks import Clocks
from pipeline.flow.courier import Courier


@dataclass(slots=True, eq=False)
class Filing:
    """A receipt, and the deliveries that settle when Kafka has it."""

    receipt: Receipt
    deliveries: Sequence[Delivery]


def filing_posting(filing: Filing) -> Posting:
    """Return how a filing is written to the topic of the receipts."""
    return receipt_posting(filing.receipt)


class Files:
    """The receipts of the owner thread that are under way to Kafka. `group` is the worker's consumer group."""

    def __init__(self, outbox: Outbox[Filing], group: str, teller: Teller, clocks: Clocks, chance: Chance) -> None:
        self._group = group
        self._teller = teller
        self._wall: Clock = clocks.wall
        self._courier = Courier(outbox, _wanted, clocks.steady, chance)

    @property
    def trouble(self) -> str | None:
        """Why Kafka did not take the last receipt, or None once it takes them."""
        return self._courier.trouble

    def file(self, receipt: str, deliveries: Sequence[Delivery]) -> None:
        """Send the receipt of accepted deliveries on its way; they settle when Kafka has it."""
        written = receipt_of(deliveries, id_=receipt, sent_at=self._wall(), group=self._group)
        self._courier.send([Filing(written, deliveries)])

    def settle(self) -> None:
        """Settle what Kafka has acknowledged; try failed receipts again in time."""
        taken, failed = self._courier.collect(0.0)
        for filing in taken:
            for delivery in filing.deliveries:
                delivery.page.settle(delivery.record.offset)
            self._teller.tell(Filed(filing.receipt.destination, len(filing.deliveries)))
        if failed:
            self._teller.tell(FilingFailed(self.trouble or "", failed))

    def done_with(self, pages: Iterable[Page]) -> bool:
        """Whether no receipt with a delivery of these pages is under way."""
        ours = set(pages)
        return not any(delivery.page in ours for filing in self._courier.pending for delivery in filing.deliveries)

    def forget_ended(self) -> None:
        """Forget receipts whose partitions are no longer ours: their new owner sends the events again."""
        self._courier.forget()


def _wanted(filing: Filing) -> bool:
    return not all(delivery.page.ended for delivery in filing.deliveries)
