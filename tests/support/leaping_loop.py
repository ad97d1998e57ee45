"""An event loop for tests over real sockets whose clock leaps: nobody waits, and timeouts and back-offs still pass.

The clock stands still while there is anything to do.
When nothing is ready, the sockets get a moment of real time; only after it the clock moves on towards the next timer,
a few seconds at a time, so that a slow machine does not let a request time out that is being answered.
(`virtual_loop` has no such moment: it is for code without sockets.)
"""

from __future__ import annotations

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, ParamSpec

# Real seconds that sockets get before the clock moves, and the most that it then moves.
GRACE = 0.003
LEAP = 5.0

P = ParamSpec("P")


class _Leaping(selectors.BaseSelector):
    """Waits a moment for file descriptors, and counts the seconds that it should have waited."""

    def __init__(self, time: float) -> None:
        self._real = selectors.DefaultSelector()
        self.time = time

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0:
            return self._real.select(timeout)
        events = self._real.select(min(timeout, GRACE))
        if not events:
            self.time += min(timeout, LEAP)
        return events

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:  # noqa: ANN401
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:  # noqa: ANN401 - the standard library's signature
        return self._real.unregister(fileobj)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()


class LeapingLoop(asyncio.SelectorEventLoop):
    """Its `time` is a wall clock in Unix seconds that begins at `began`."""

    def __init__(self, began: float) -> None:
        self._leaping = _Leaping(began)
        super().__init__(self._leaping)
        # A timer is due within this of its time; Unix seconds as floats have steps of a quarter of it.
        self._clock_resolution = 1e-6

    def time(self) -> float:
        """Return the Unix seconds of this loop."""
        return self._leaping.time


def leaping(began: float) -> Callable[[Callable[P, Coroutine[object, object, None]]], Callable[P, None]]:
    """Run an asynchronous test on a loop of its own whose clock begins at `began`, in Unix seconds."""

    def decorate(test: Callable[P, Coroutine[object, object, None]]) -> Callable[P, None]:
        @functools.wraps(test)
        def run(*args: P.args, **kwargs: P.kwargs) -> None:
            with asyncio.Runner(loop_factory=lambda: LeapingLoop(began)) as runner:
                runner.run(test(*args, **kwargs))

        return run

    return decorate
