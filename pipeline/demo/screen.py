"""What the demo shows: phases in plain words, live figures on a terminal, tables at the end."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pipeline.demo import tables
from pipeline.demo.arrivals import Arrival
from pipeline.demo.balance import Letter
from pipeline.demo.flaws import PLATFORMS
from pipeline.demo.gauges import Gauge, Sandbox
from pipeline.demo.reckoning import Evidence, Placed

PHASES = 7
# Lines are no longer than this, also on a wider terminal; and as long as this when the output is a file or a pipe.
_WIDTH = 100
_INDENT = 5


class Screen:
    """Writes to standard output: with colors and live figures on a terminal, plain lines elsewhere."""

    def __init__(self) -> None:
        self._console = Console(highlight=False)
        if not self._console.is_terminal or self._console.width > _WIDTH:
            self._console.width = _WIDTH
        self._phase = 0

    def phase(self, title: str, explanation: str) -> None:
        """Begin the next phase: a title, and what it is in plain words."""
        self._phase += 1
        self._console.print(Text(f"\n{self._phase}/{PHASES}  {title}", style="bold"))
        self.say(explanation)

    def say(self, text: str) -> None:
        """Say something about the running phase."""
        self._console.print(Padding(Text(text), (0, 0, 0, _INDENT)))

    @contextmanager
    def progress(self, records: int) -> Iterator[Progress]:
        """Show live figures while the context lasts; nothing when this is no terminal."""
        if not self._console.is_terminal:
            yield Progress(None, records)
            return
        with Live(console=self._console, refresh_per_second=12, transient=True) as live:
            yield Progress(live, records)

    def outcome(self, placed: Sequence[Placed], evidence: Evidence) -> None:
        """Show what became of the records at each platform, and where the offsets stand."""
        self._console.print()
        self._console.print(tables.outcomes(placed, evidence))
        self._console.print(Padding(tables.stories(placed), (0, 0, 0, _INDENT)))
        self._console.print()
        self._console.print(tables.offsets(evidence))

    def showcase(self, arrivals: Mapping[str, Arrival]) -> None:
        """Show what each platform got of the one with everything."""
        self._console.print()
        self._console.print(tables.showcase(arrivals))

    def letter(self, letter: Letter, story: str) -> None:
        """Show what a dead letter says about itself."""
        topic, partition, offset = letter.origin
        self.say(f"One of the dead letters ({story}, {topic}[{partition}]@{offset}) says in its headers:")
        for name, value in letter.headers:
            if name.endswith((".reason", ".message", ".destination", ".event.id", ".code", ".subcode")):
                self.say(f"  {name} = {(value or b'').decode()}")

    def verdict(self, faults: Sequence[str], records: int, evidence: Evidence) -> None:
        """Say that it balances, and what that means, or everything that does not."""
        if faults:
            self._console.print(Text(f"\nIt does not balance ({len(faults)} findings):", style="bold red"))
            for fault in faults:
                self._console.print(Text(f"  - {fault}"))
            self.say("Run it again with --keep and the same --seed to read the logs of its processes.")
            return
        self._console.print(Text("\nIt balances:", style="bold green"))
        for line in (
            tables.sums(records, evidence),
            f"each platform holds exactly its own of the {len(evidence.arrivals)} events: ids, names, times, values",
            f"the {len(evidence.letters)} dead letters are their records byte for byte, each with its right reason",
            f"for each of the {len(evidence.receipts)} events that Google took a receipt is kept, for the last word",
            "the one with everything reached all five, each in its own words",
            "every offset is committed up to the end, and the worker ended with exit code 0",
        ):
            self._console.print(Text(f"  - {line}"))

    def next_steps(self) -> None:
        """Say what to try next: each command on a line of its own, never broken, so that it can be copied."""
        command = f"{_relative(sys.executable)} -m pipeline"
        self._console.print(Text("\nWhat to try next", style="bold"))
        steps = (
            ("demo --keep", "the same, with its logs and dead letters kept"),
            ("demo --events 2000 --seed 7", "a larger and different day"),
            ("sandbox", "a stand-in for the platforms: docs/sandbox.md"),
            ("publish --sample order --dry-run", "check an event of your own: docs/contract.md"),
            ("check", "what keeps it from running: docs/settings.md"),
            ("run", "deliver for real: docs/destinations.md"),
        )
        for words, what in steps:
            self._console.print(Text(f"  {command} {words}"), soft_wrap=True)
            self.say(what)

    def failure(self, text: str) -> None:
        """Say what broke."""
        self._console.print(Text(f"\nThe demo could not finish: {text}", style="bold red"))


class Progress:
    """Figures that change while events are delivered."""

    def __init__(self, live: Live | None, records: int) -> None:
        self._live = live
        self._records = records

    def show(self, worker: Gauge, sandbox: Sandbox) -> None:
        """Show these figures instead of the last ones."""
        if self._live is None:
            return
        table = Table.grid(padding=(0, 3))
        table.add_row("    consumed", *PLATFORMS, "skipped", "buried", "requests")
        table.add_row(
            f"    {worker.consumed}/{self._records}",
            *(Text(str(worker.accepted[platform]), style="green") for platform in PLATFORMS),
            Text(str(worker.skipped.total()), style="yellow"),
            Text(str(worker.dead_lettered.total()), style="red"),
            str(sandbox.requests),
        )
        self._live.update(table)


def _relative(path: str) -> str:
    """Return the shorter way to write a path from here."""
    return min(path, os.path.relpath(path), key=len)
