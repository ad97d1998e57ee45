"""`python -m bench.profile_prepare`: where the owner thread's time goes, without Kafka and without HTTP.

Records lie in memory and go through `Preparer.prepare` with the real readers, the real platform and a real ledger.
First plain times, which are true; then the profiler's list, whose figures are inflated by the profiler's own cost and
good only for comparing one function with another.
"""

from __future__ import annotations

import asyncio
import cProfile
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import CodeType
from typing import Final

import click

from bench.lanes import FIVE, META, destinations
from bench.orders import Orders
from pipeline.config.destinations import read_destinations
from pipeline.core.decode import Reader, decode, schema_ref
from pipeline.core.ledger import Ledger
from pipeline.core.model import Event, Record
from pipeline.core.signals import Signal
from pipeline.edge.readers import Readers
from pipeline.edge.schema_files import load_contract
from pipeline.flow.clocks import Moment
from pipeline.flow.prepare import Preparer
from pipeline.platforms import PLATFORMS, open_platform

TOPIC: Final = "bench.backlog"
PARTITIONS: Final = 4
TAKE: Final = 500
REPEATS: Final = 20
Work = Callable[[], object]


class _Silence:
    """A teller that tells nobody: no schema is fetched here, so there is nothing to tell."""

    def tell(self, signal: Signal) -> None:
        """Hear it, and keep it."""


class Bench:
    """The records, and what the owner thread would have to prepare them with."""

    def __init__(self, events: int, platforms: Sequence[str]) -> None:
        self.now = time.time()
        orders = Orders(seed=1, now=self.now)
        self.records = [
            Record(TOPIC, number % PARTITIONS, number // PARTITIONS, b"key", orders.encoded(f"e-{number}"), (), None)
            for number in range(events)
        ]
        self.readers = Readers(
            load_contract(), {TOPIC: "order"}, None, asyncio.new_event_loop(), _Silence(), random.random
        )
        text = destinations(platforms, url="http://127.0.0.1", linger=1.0)
        self.platforms = [open_platform(one) for one in read_destinations(text, PLATFORMS, production=False)]

    def decode(self) -> list[Event]:
        """Decode every record."""
        reader = self.readers.reader(TOPIC, schema_ref(self.records[0]))
        if not isinstance(reader, Reader):
            raise TypeError("the bundled schema cannot be read")
        found = [decode(record, reader) for record in self.records]
        return [event for event in found if isinstance(event, Event)]

    def shape(self, events: Sequence[Event]) -> None:
        """Put every event into the platform's words."""
        for event in events:
            event.seals = {}
            for platform in self.platforms:
                platform.shape(event)

    def prepare(self) -> None:
        """Take every record as the owner thread does, on a fresh ledger."""
        ledger = Ledger()
        for partition in range(PARTITIONS):
            ledger.open_page(TOPIC, partition)
        preparer = Preparer(self.platforms, self.readers, ledger)
        ready = 0
        for start in range(0, len(self.records), TAKE):
            prepared = preparer.prepare(self.records[start : start + TAKE], now=Moment(self.now, self.now))
            ready += sum(map(len, prepared.deliveries.values()))
        due = len(self.records) * len(self.platforms)
        if ready != due:
            raise RuntimeError(f"only {ready} of {due} deliveries were made")


@click.command()
@click.option("--events", default=5_000, show_default=True, type=click.IntRange(500), help="Records to prepare.")
@click.option("--top", default=30, show_default=True, type=click.IntRange(1), help="Functions to list.")
@click.option("--five", is_flag=True, help="All five platforms instead of Meta alone.")
def main(events: int, top: int, *, five: bool) -> None:
    """Time the owner thread's work on records in memory, and profile it."""
    bench = Bench(events, FIVE if five else META)
    decoded = bench.decode()
    click.echo(f"{events} records, best of {REPEATS}, microseconds an event")
    for name, work in (
        ("prepare, all of it", bench.prepare),
        ("  decode", bench.decode),
        ("  shape", lambda: bench.shape(decoded)),
    ):
        click.echo(f"{name:24}{_best(work) / events * 1e6:8.2f}")
    click.echo("\nthe profiler's list (inflated), microseconds and calls an event")
    _profile(bench.prepare, events, top)


def _best(work: Work) -> float:
    """Return the least CPU seconds of this thread that `work` took."""
    times: list[float] = []
    for _ in range(REPEATS):
        began = time.thread_time()
        work()
        times.append(time.thread_time() - began)
    return min(times)


def _profile(work: Work, events: int, top: int) -> None:
    profile = cProfile.Profile()
    profile.runcall(work)
    click.echo(f"{'own':>8}{'whole':>8}{'calls':>8}  function")
    for entry in sorted(profile.getstats(), key=lambda found: -found.inlinetime)[:top]:
        own, whole = entry.inlinetime / events * 1e6, entry.totaltime / events * 1e6
        click.echo(f"{own:8.2f}{whole:8.2f}{entry.callcount / events:8.2f}  {_named(entry.code)}")


def _named(code: CodeType | str) -> str:
    """Return where a function stands: built-in ones are named by a text."""
    if isinstance(code, str):
        return code
    return f"{Path(code.co_filename).name}:{code.co_firstlineno} {code.co_qualname}"


if __name__ == "__main__":
    main()
