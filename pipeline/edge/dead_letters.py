"""The way to the dead-letter topic: implements `ports.DeadLetters` over an outbox."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pipeline.core.letter import Undertaker, letter_headers
from pipeline.core.model import DeadLetter
from pipeline.core.ports import Burial, Posting
from pipeline.edge.outbox import KafkaOutbox


def letter_outbox(
    config: Mapping[str, object], topic: str, undertaker: Undertaker, clock: Callable[[], float]
) -> KafkaOutbox[DeadLetter]:
    """Return an outbox that writes letters to `topic`; `clock` gives Unix seconds for the headers."""

    def write(letter: DeadLetter) -> Posting:
        record = letter.record
        return Posting(record.key, record.value, letter_headers(letter, undertaker=undertaker, now=clock()))

    return KafkaOutbox(config, topic, write)


class KafkaDeadLetters:
    """Only the owner thread calls it. `clock` gives Unix seconds for the headers."""

    def __init__(
        self, config: Mapping[str, object], topic: str, undertaker: Undertaker, clock: Callable[[], float]
    ) -> None:
        self._outbox = letter_outbox(config, topic, undertaker, clock)

    def bury(self, letter: DeadLetter) -> None:
        """Hand a letter to the producer; what becomes of it, also a refusal on the spot, comes from `reports`."""
        self._outbox.send(letter)

    def reports(self, timeout: float) -> list[Burial]:
        """Return what became of letters since the last call, waiting at most `timeout` seconds for the first."""
        return [Burial(posted.item, posted.error) for posted in self._outbox.reports(timeout)]
