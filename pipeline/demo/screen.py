"""What the demo shows: phases in plain words, live figures on a terminal, tables at the end."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich import box
from rich.console import Console
from rich.live import Live
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pipeline.demo.balance import Account, Letter, Published
from pipeline.demo.gauges import Gauge, Sandbox

PHASES = 6
# Lines are no longer than this, also on a wider terminal; and as long as this when the output is a file or a pipe.
_WIDTH = 110
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

    def outcome(self, published: Sequence[Published], account: Account) -> None:
        """Show what became of the records, and where the offsets stand."""
        self._console.print()
        self._console.print(_outcomes(published, account))
        self._console.print(_offsets(account))

    def letter(self, letter: Letter, story: str) -> None:
        """Show what a dead letter says about itself."""
        topic, partition, offset = letter.origin
        self.say(f"One of the dead letters ({story}, {topic}[{partition}]@{offset}) says in its headers:")
        for name, value in letter.headers:
            if name.endswith((".reason", ".message", ".destination", ".event.id", ".code", ".subcode")):
                self.say(f"  {name} = {(value or b'').decode()}")

    def verdict(self, faults: Sequence[str], published: int, account: Account) -> None:
        """Say that it balances, and what that means, or everything that does not."""
        if faults:
            self._console.print(Text(f"\nIt does not balance ({len(faults)} findings):", style="bold red"))
            for fault in faults:
                self._console.print(Text(f"  - {fault}"))
            self.say("Run it again with --keep and the same --seed to read the logs of its processes.")
            return
        accepted, skipped, letters = len(account.accepted), sum(account.skipped.values()), len(account.letters)
        parts = f"{accepted} accepted + {skipped} skipped + {letters} dead-lettered"
        self._console.print(Text("\nIt balances:", style="bold green"))
        for line in (
            f"{published} published = {account.consumed} consumed = {parts}",
            f"the platform holds the {accepted} events that it should, with the shop's ids and times, none twice",
            f"the {letters} dead letters are their records byte for byte, each with the reason it should have",
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
            ("sandbox", "a stand-in for the platform: docs/sandbox.md"),
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

    def show(self, worker: Gauge, platform: Sandbox) -> None:
        """Show these figures instead of the last ones."""
        if self._live is None:
            return
        skipped, buried = sum(worker.skipped.values()), sum(worker.dead_lettered.values())
        table = Table.grid(padding=(0, 3))
        table.add_row("    consumed", "accepted", "skipped", "dead-lettered", "requests")
        table.add_row(
            f"    {worker.consumed} of {self._records}",
            Text(str(platform.accepted), style="green"),
            Text(str(skipped), style="yellow"),
            Text(str(buried), style="red"),
            str(platform.requests),
        )
        self._live.update(table)


def _outcomes(published: Sequence[Published], account: Account) -> Table:
    table = Table("outcome", "reason", title="What became of every record", box=box.SIMPLE_HEAD, title_justify="left")
    table.add_column("records", justify="right")
    table.add_column("expected", justify="right")
    table.add_column("what they were")
    rows = [("accepted", "", len(account.accepted))]
    rows += [("skipped", reason, count) for reason, count in _largest(account.skipped)]
    buried = Counter(letter.reason for letter in account.letters)
    rows += [("dead-lettered", reason, count) for reason, count in _largest(buried)]
    for outcome, reason, count in rows:
        meant = [
            item.sample
            for item in published
            if item.sample.expected.outcome == outcome and (item.sample.expected.reason or "") == reason
        ]
        stories = "; ".join(dict.fromkeys(sample.story for sample in meant))
        table.add_row(outcome, reason, str(count), str(len(meant)), stories)
    table.add_section()
    total = sum(count for _, _, count in rows)
    table.add_row("in all", "", str(total), str(len(published)), f"in {account.requests} requests to the platform")
    return table


def _offsets(account: Account) -> Table:
    table = Table("partition", title="Committed offsets", box=box.SIMPLE_HEAD, title_justify="left")
    table.add_column("committed", justify="right")
    table.add_column("end", justify="right")
    for (topic, partition), end in sorted(account.ends.items()):
        table.add_row(f"{topic}[{partition}]", str(account.committed.get((topic, partition), 0)), str(end))
    return table


def _largest(counts: Mapping[str, int]) -> Iterable[tuple[str, int]]:
    return sorted(((reason, count) for reason, count in counts.items() if count), key=lambda row: (-row[1], row[0]))


def _relative(path: str) -> str:
    """Return the shorter way to write a path from here."""
    return min(path, os.path.relpath(path), key=len)
