"""How a signal reads in the log: its name, the fields that may be shown, and how often.

Invariant: of deliveries and letters only names, counts, positions, reasons and codes are taken.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from functools import cache
from threading import Lock
from typing import Final, cast

from pipeline.core import signals as say

QUIET_SECONDS: Final = 10.0


@cache
def event_name(kind: type[say.Signal]) -> str:
    """Return the name of a kind of signal in the logs: `lane_halted`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


def words_of(signal: say.Signal) -> dict[str, object]:
    """Return what a log line says of `signal`; partitions are written as `topic[partition]`."""
    words = {name: _plain(getattr(signal, name)) for name in _shown(type(signal))}
    match signal:
        case say.Buried(letter=letter):
            refusal, record = letter.refusal, letter.record
            words |= {
                "destination": letter.destination,
                "reason": refusal.reason,
                "detail": refusal.detail,
                "code": refusal.code,
                "http_status": refusal.http_status,
                "trace_id": refusal.trace_id,
                "partition": _plain((record.topic, record.partition)),
                "offset": record.offset,
                "attempts": letter.attempts,
            }
        case say.RecordsRead():
            words["deliveries"] = {name: len(made) for name, made in signal.deliveries.items()}
        case say.DeliveriesSettled():
            words["accepted"] = len(signal.accepted)
        case say.BatchAnswered():
            words["outcome"] = type(signal.verdict).__name__.lower()
        case say.CommitAnswered():
            words["failed"] = list(signal.failed)
            taken = {result.partition: result.offset for result in signal.results if result.error is None}
            words["committed"] = _plain(taken)
        case _:
            pass
    return words


@cache
def _shown(kind: type[say.Signal]) -> tuple[str, ...]:
    names = (field.name for field in dataclasses.fields(cast("type[say.Assigned]", kind)))
    return tuple(name for name in names if name not in kind.quiet)


def _plain(value: object) -> object:
    match value:
        case (str(topic), int(partition)):
            return f"{topic}[{partition}]"
        case Mapping():
            return {str(_plain(key)): inner for key, inner in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return value


class Muffler:
    """Lets one of many like signals through every ten seconds, and counts the others."""

    def __init__(self) -> None:
        self._lock = Lock()
        # what they have in common -> (when one was last let through, how many were not since)
        self._heard: dict[tuple[object, ...], tuple[float, int]] = {}

    def hear(self, signal: say.Signal, *, now: float) -> int | None:
        """Return how many like it were held back since the last one, or None to hold this one back too."""
        kind = type(signal)
        if not kind.alike:
            return 0
        key = (kind, *(getattr(signal, name) for name in kind.alike))
        with self._lock:
            last, held = self._heard.get(key, (None, 0))
            if last is not None and now - last < QUIET_SECONDS:
                self._heard[key] = (last, held + 1)
                return None
            self._heard[key] = (now, 0)
            return held
