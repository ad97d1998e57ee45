"""The way to the dead-letter topic: implements `ports.DeadLetters` with an idempotent producer, acks=all.

A letter counts as buried on its own delivery report and on nothing else: `flush()` returns 0 for failures too.
A producer that broke for good (a fatal error) raises from `poll` and so ends the process; its letters come again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from pipeline.core.letter import Undertaker, letter_headers
from pipeline.core.model import DeadLetter
from pipeline.core.ports import Burial


class KafkaDeadLetters:
    """Only the owner thread calls it. `clock` gives Unix seconds for the headers."""

    def __init__(
        self, config: Mapping[str, object], topic: str, undertaker: Undertaker, clock: Callable[[], float]
    ) -> None:
        self._topic = topic
        self._undertaker = undertaker
        self._clock = clock
        self._burials: list[Burial] = []
        self._producer = Producer(dict(config), logger=logging.getLogger("librdkafka"))

    def bury(self, letter: DeadLetter) -> None:
        """Hand a letter to the producer; what becomes of it, also a refusal on the spot, comes from `reports`."""
        record = letter.record

        def report(error: KafkaError | None, _: Message) -> None:
            self._burials.append(Burial(letter, None if error is None else _say(error)))

        try:
            self._producer.produce(
                self._topic,
                value=record.value,
                key=record.key,
                headers=[*letter_headers(letter, undertaker=self._undertaker, now=self._clock())],
                on_delivery=report,
            )
        except KafkaException as error:
            self._burials.append(Burial(letter, _say(error.args[0])))
        except BufferError:
            self._burials.append(Burial(letter, "the producer's queue is full"))

    def reports(self, timeout: float) -> list[Burial]:
        """Return what became of letters since the last call, waiting at most `timeout` seconds for the first."""
        self._producer.poll(0.0 if self._burials else timeout)
        burials, self._burials = self._burials, []
        return burials


def _say(error: KafkaError) -> str:
    return f"{error.name()}: {error.str()}"
