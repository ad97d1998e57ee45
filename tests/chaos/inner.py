"""Faults inside of a worker that no signal and no network can bring: threads that hang, clocks that jump, names that
do not resolve, a callback that fails.

The test gives orders by writing files, the worker obeys them: `Orders` is the test's side, `obey` the worker's.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pipeline.edge.kafka import KafkaSource
from pipeline.flow.intake import Intake
from pipeline.flow.lane import Lane

MUTANT_VARIABLE: Final = "CHAOS_MUTANT"
ORDERS_VARIABLE: Final = "CHAOS_ORDERS"


@dataclass(frozen=True, slots=True)
class Orders:
    """The orders in a folder, one file each. Durations are in seconds."""

    folder: Path

    def stall_owner(self, seconds: float) -> None:
        """Let the owner thread hang once, for so long."""
        self._write("stall-owner", seconds)

    def stall_loop(self, seconds: float) -> None:
        """Let the event loop hang once, for so long."""
        self._write("stall-loop", seconds)

    def set_clock(self, ahead: float) -> None:
        """Set the wall clock so far ahead of the true time, or back if negative."""
        self._write("clock", ahead)

    def lose_names(self) -> None:
        """Let no name resolve any more."""
        self._write("no-names", 1)

    def find_names(self) -> None:
        """Let names resolve again."""
        (self.folder / "no-names").unlink(missing_ok=True)

    def fail_a_callback(self) -> None:
        """Let the next callback that hears of a commit fail."""
        self._write("fail-callback", 1)

    def done(self, name: str) -> bool:
        """Whether an order that is obeyed once was taken up."""
        return not (self.folder / name).exists()

    def _write(self, name: str, value: float) -> None:
        self.folder.mkdir(exist_ok=True)
        written = self.folder / f".{name}"
        written.write_text(str(value), encoding="ascii")
        written.replace(self.folder / name)


def obey(folder: Path) -> None:
    """Make this process obey the orders in `folder`. Call it before the worker begins."""
    _bend_time(folder / "clock")
    _lose_names(folder / "no-names")
    _before(Intake, "turn", lambda: _stall(folder / "stall-owner"))
    _before(Lane, "_next_batch", lambda: _stall(folder / "stall-loop"))
    _before(KafkaSource, "_hear", lambda: _fail(folder / "fail-callback"))


def _before(owner: type, name: str, act: Callable[[], None]) -> None:
    method = getattr(owner, name)

    def first(*args: Any, **kwargs: Any) -> Any:
        act()
        return method(*args, **kwargs)

    setattr(owner, name, first)


def _taken(order: Path) -> float | None:
    """Take an order up, once, whoever else may see it too."""
    if not order.exists():
        return None
    try:
        value = float(order.read_text(encoding="ascii"))
        order.unlink()
    except FileNotFoundError:
        return None
    return value


def _stall(order: Path) -> None:
    seconds = _taken(order)
    if seconds is not None:
        time.sleep(seconds)


def _fail(order: Path) -> None:
    if _taken(order) is not None:
        raise RuntimeError("the callback was told to fail")


def _bend_time(order: Path) -> None:
    true_time = time.time

    def bent() -> float:
        try:
            return true_time() + float(order.read_text(encoding="ascii"))
        except FileNotFoundError:
            return true_time()

    time.time = bent


def _lose_names(order: Path) -> None:
    find = socket.getaddrinfo

    def maybe(*args: Any, **kwargs: Any) -> Any:
        if order.exists():
            raise socket.gaierror(socket.EAI_AGAIN, "temporary failure in name resolution")
        return find(*args, **kwargs)

    socket.getaddrinfo = maybe


def ordered() -> Path | None:
    """Return the folder of the orders, if this worker is to obey any."""
    folder = os.environ.get(ORDERS_VARIABLE)
    return Path(folder) if folder else None
