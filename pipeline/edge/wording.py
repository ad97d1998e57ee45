"""How a signal reads in the log: its name, the fields that may be shown, and how often."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from threading import Lock
from typing import Final, cast

from pipeline.core import signals as say

QUIET_SECONDS: Final = 10.0


_NAMES: Final[dict[type[say.Signal], str]] = {}
_SHOWN: Final[dict[type[say.Signal], tuple[str, ...]]] = {}


def event_name(kind: type[say.Signal]) -> str:
    """Return the name of a kind of signal in the logs: `lane_halted`."""
    name = _NAMES.get(kind)
    if name is None:
        name = _NAMES[kind] = re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()
    return name


def words_of(signal: say.Signal) -> dict[str, object]:
    """Return what a log line says of `signal`: its fields but the quiet ones, partitions as `topic[partition]`."""
    kind = type(signal)
    shown = _SHOWN.get(kind)
    if shown is None:
        names = (field.name for field in dataclasses.fields(cast("type[say.Assigned]", kind)))
        shown = _SHOWN[kind] = tuple(name for name in names if name not in kind.quiet)
    words = {name: _plain(getattr(signal, name)) for name in shown}
    if isinstance(signal, say.Skipped | say.ConsentDecided):
        words["counts"] = {f"{where or 'none'}:{what}": events for (where, what), events in signal.counts.items()}
    return words


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
