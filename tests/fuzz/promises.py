"""What holds for every target: it ends soon, is silent, and what it says of customer data is not customer data."""

from __future__ import annotations

import logging
import re
import signal
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import FrameType

from typing_extensions import override

Target = Callable[[bytes], None]

# More processor time than this for one input is a finding: on a busy machine the clock on the wall proves nothing.
MOST_SECONDS = 1.0
# Shorter pieces of an input show up in any text by chance.
PIECE = 8
_DOC = re.compile(rb'"doc": "(?:[^"\\]|\\.)*"')
_ROOT = Path(__file__).resolve().parents[2]


class BrokenPromiseError(AssertionError):
    """The code under test did what it must never do; the message says what, and never holds the input."""


def promise(kept: object, what: str) -> None:
    """Raise BrokenPromiseError with `what` unless `kept` is true."""
    if not kept:
        raise BrokenPromiseError(what)


def tells_nothing(said: str, given: bytes, public: str = "") -> None:
    """Raise BrokenPromiseError when `said` holds a piece of `given` that is neither a text of our own nor `public`."""
    text, known = said.encode(), public.encode()
    for at in range(len(text) - PIECE + 1):
        piece = text[at : at + PIECE]
        if piece in given and piece not in known and piece not in _own_words():
            raise BrokenPromiseError("a message holds a piece of the input")


def guarded(target: Target) -> Target:
    """Return `target` with a limit on its time, and an error for what it logged. Call it inside of `watched`."""

    def run(data: bytes) -> None:
        signal.setitimer(signal.ITIMER_VIRTUAL, MOST_SECONDS)
        try:
            target(data)
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
        promise(not _LISTENER.heard, "something was logged")

    return run


@contextmanager
def watched() -> Iterator[None]:
    """Hear everything that is logged, make every warning an error, and let the limit on time interrupt."""
    root, level, _LISTENER.heard = logging.getLogger(), logging.getLogger().level, 0
    before = signal.signal(signal.SIGVTALRM, _late)
    root.addHandler(_LISTENER)
    root.setLevel(logging.NOTSET)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            yield
    finally:
        root.setLevel(level)
        root.removeHandler(_LISTENER)
        signal.signal(signal.SIGVTALRM, before)


@cache
def _own_words() -> bytes:
    """What messages are made of: the sources that make them, and the names in schemas, without their examples."""
    core = _ROOT / "pipeline" / "core"
    sources = [*core.glob("*.py"), *(core / "avro").glob("*.py"), *(_ROOT / "pipeline" / "platforms").glob("*.py")]
    schemas = [_DOC.sub(b"", path.read_bytes()) for path in (_ROOT / "schemas").rglob("*.avsc")]
    return b"\n".join([*(path.read_bytes() for path in sources), *schemas])


class _Listener(logging.Handler):
    """Remembers that something was logged, whatever the code under test does about errors in a handler."""

    heard = 0

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self.heard += 1


_LISTENER = _Listener()


def _late(_number: int, _frame: FrameType | None) -> None:
    raise BrokenPromiseError(f"one input took more than {MOST_SECONDS} s of processor time")
