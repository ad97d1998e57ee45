"""An event loop whose clock jumps: where a real loop would wait, this one moves its time to the next timer.

Invariant: code that runs on it sees the order and the times of a real loop, and no test waits.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Mapping
from typing import Any

from typing_extensions import override

# Where its wall clock begins, in Unix seconds.
EPOCH = 1_800_000_000.0
# Sums of floating-point seconds differ by less than this.
_CLOSE = 1e-9

_Events = list[tuple[selectors.SelectorKey, int]]


class _Jumping(selectors.BaseSelector):
    """Looks at real file descriptors without waiting, and counts the seconds that it should have waited."""

    def __init__(self) -> None:
        self._real = selectors.DefaultSelector()
        self.time = 0.0
        self.until = 0.0
        self.reached = False

    @override
    def select(self, timeout: float | None = None) -> _Events:
        events = self._real.select(0)
        if not events and timeout != 0:
            self.reached = timeout is None or self.time + timeout > self.until + _CLOSE
            self.time = self.until if self.reached or timeout is None else self.time + timeout
        return events

    @override
    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    @override
    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    @override
    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    @override
    def close(self) -> None:
        self._real.close()


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs only inside `run_for`, from the thread of the test."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    @override
    def time(self) -> float:
        """Return the seconds that this loop has lived."""
        return self._jumping.time

    def now(self) -> float:
        """Return the wall clock that belongs to `time`, in Unix seconds."""
        return EPOCH + self._jumping.time

    def run_for(self, seconds: float) -> None:
        """Run all that happens within `seconds`, then stop with the clock exactly there and nothing ready."""
        self._jumping.until = self._jumping.time + seconds
        self._jumping.reached = False
        self.run_forever()

    def _run_once(self) -> None:
        super()._run_once()  # type: ignore[misc]  # the standard loop's own step, which typeshed does not show
        if self._jumping.reached:
            self.stop()
