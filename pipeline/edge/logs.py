"""The logs: JSON lines for machines, columns for people, and a last net against what must never be shown.

Fields come from signals and are known by name: any other field is dropped and its name reported.
Text is masked where it looks like a token, an e-mail address, a phone number or a hash.
Messages of libraries go the same way; of an exception only its type and place are told, never its text.

Invariant: nothing is written except through `redact`.
"""

from __future__ import annotations

import dataclasses
import logging
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Final, Literal, TextIO, cast

import orjson
import structlog
from typing_extensions import override

from pipeline.core import signals
from pipeline.core.masking import mask
from pipeline.core.signals import Signal
from pipeline.edge.wording import QUIET_SECONDS

Format = Literal["auto", "json", "console"]
# Beside the fields of signals: those of every line, those of libraries' lines, and what telemetry adds.
_OWN: Final = frozenset("event level timestamp logger message exception dropped_fields suppressed counts".split())
_DEPTH: Final = 4


def _signal_fields() -> Iterator[str]:
    for kind in vars(signals).values():
        if isinstance(kind, type) and issubclass(kind, Signal) and kind is not Signal:
            names = {field.name for field in dataclasses.fields(cast("type[signals.Assigned]", kind))}
            yield from names - kind.quiet


ALLOWED: Final = _OWN | frozenset(_signal_fields())


def redact(_logger: object, _method: str, line: MutableMapping[str, object]) -> Mapping[str, object]:
    """Keep the known fields, mask their text, and name what was dropped; a processor of structlog."""
    kept = {name: _masked(value, _DEPTH) for name, value in line.items() if name in ALLOWED}
    dropped = sorted(mask(name) for name in line if name not in ALLOWED)
    if dropped:
        kept["dropped_fields"] = dropped
    return kept


def _masked(value: object, depth: int) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return mask(str(value))
    if depth and isinstance(value, Mapping):
        return {mask(str(key)): _masked(inner, depth - 1) for key, inner in value.items()}
    if depth and isinstance(value, list | tuple | set | frozenset):
        return [_masked(item, depth - 1) for item in value]
    return f"[{type(value).__name__}]"


def open_log(form: Format, stream: TextIO, *, colors: bool = True) -> structlog.typing.FilteringBoundLogger:
    """Return a logger that writes to `stream`; which levels are told is telemetry's to decide."""
    console = form == "console" or (form == "auto" and stream.isatty())
    render: structlog.typing.Processor
    if console:
        render = structlog.dev.ConsoleRenderer(colors=colors and stream.isatty(), exception_formatter=_no_exception)
    else:
        render = _to_json
    processors: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        redact,
        render,
    ]
    log = structlog.wrap_logger(
        structlog.WriteLogger(stream),
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
        cache_logger_on_first_use=True,
    )
    return cast("structlog.typing.FilteringBoundLogger", log)


def _to_json(_logger: object, _method: str, line: MutableMapping[str, object]) -> str:
    first = {name: line[name] for name in ("timestamp", "level", "event") if name in line}
    return orjson.dumps({**first, **line}).decode()


def _no_exception(_stream: TextIO, _info: object) -> None:
    """Show nothing: an exception's text may hold what it failed on."""


class LibraryLogs(logging.Handler):
    """Takes what libraries log through the standard library, from `warning` up, into our log.

    Of lines that begin with the same word one is told every ten seconds: a client without brokers has a lot to say.
    """

    def __init__(self, log: structlog.typing.FilteringBoundLogger, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(logging.WARNING)
        self._log = log
        self._clock = clock
        # library, level and first word -> when a line like it may be told again
        self._quiet: dict[tuple[str, int, str], float] = {}

    @override
    def emit(self, record: logging.LogRecord) -> None:
        """Write one line: the library's name, its masked message, and the exception's type and place."""
        text = record.getMessage()
        key, now = (record.name, record.levelno, text.partition(" ")[0]), self._clock()
        if now < self._quiet.get(key, now):
            return
        self._quiet[key] = now + QUIET_SECONDS
        fields: dict[str, object] = {"logger": record.name, "message": text}
        if record.exc_info and record.exc_info[1]:
            fields["exception"] = describe(record.exc_info[1])
        self._log.log(record.levelno, "library", **fields)


def describe(error: BaseException) -> str:
    """Say what kind of exception it is and where it was raised; its text may hold what it failed on."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return type(error).__name__ + place
