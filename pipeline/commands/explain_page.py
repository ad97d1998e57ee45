"""`capi-pipeline explain` for people: what is told of an event as a page of at most 100 columns, step by step.

Invariant: nothing is written that a terminal would obey; what cannot be printed is written as an escape.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

import click
import orjson

from pipeline.commands.account import Outcome
from pipeline.commands.explain_told import ToldDestination, ToldEvent, ToldKey, ToldReading

WIDTH: Final = 100
_LABEL: Final = 14
_COLOURS: Final[Mapping[Outcome, str]] = {"send": "green", "skip": "yellow", "refuse": "red"}
_SENDS: Final[Mapping[Outcome, str]] = {"send": "would be sent", "skip": "skipped", "refuse": "refused"}


def page(told: ToldEvent) -> Iterator[str]:
    """Yield the lines of one event's page."""
    yield _heading(f"{told.place}: {told.event or 'no event'}")
    if told.letter:
        yield _heading("dead letter", 1)
        for name, text in told.letter.items():
            yield from _pair(name, text, 2, label_width=20)
    if told.event is None:
        yield _heading("not decoded" if told.reason != "invalid_event" else "not valid", 1)
        yield from _pair("reason", str(told.reason), 2)
        for fault in told.faults:
            yield from _wrapped(fault, 2)
        return
    yield _heading("decoded", 1)
    yield from _decoded(told)
    yield _heading("validated", 1)
    yield from _wrapped("every rule of the contract holds", 2)
    for destination in told.destinations:
        yield ""
        yield from _destination(destination, told.now)


def _decoded(told: ToldEvent) -> Iterator[str]:
    yield from _pair("kind", f"{told.kind}, read with schema {told.schema_id}", 2)
    yield from _pair("event", f"{told.event}, id {told.event_id}", 2)
    if told.occurred_at is not None:
        yield from _pair("happened", _moment(told.occurred_at, told.now), 2)
    for path, value in _leaves(told.decoded, ""):
        yield from _pair(path, value, 2, label_width=32)


def _leaves(value: object, path: str) -> Iterator[tuple[str, str]]:
    """Yield what an event says, by the path of each field; what is not there is left out."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{index}]")
    elif value is not None:
        yield path, value if isinstance(value, str) else orjson.dumps(value).decode()


def _destination(told: ToldDestination, now: float) -> Iterator[str]:
    colour = _COLOURS[told.outcome]
    result = _SENDS[told.outcome] if told.reason is None else f"{_SENDS[told.outcome]}, {told.reason}"
    name = _printable(f"{told.destination} ({told.platform}, {told.mode}): ")
    yield click.style(name, bold=True) + click.style(result, fg=colour, bold=True)
    if told.consent is None:
        yield from _pair("routed", "no", 1)
        for objection in told.objections:
            yield from _wrapped(objection, 2)
        return
    yield from _pair("routed", "yes", 1)
    yield from _pair("consent", f"{told.consent}. {told.consent_says}".rstrip(". "), 1)
    if told.detail and told.detail != told.consent_says:
        yield from _pair(told.outcome, told.detail, 1)
    yield from _keys(told)
    yield from _payload(told, now)
    if told.warnings:
        yield _heading("warnings", 1)
        for warning in told.warnings:
            yield from _wrapped(warning, 2)
    yield from _quality(told)


def _keys(told: ToldDestination) -> Iterator[str]:
    if not told.keys:
        return
    yield _heading("match keys", 1)
    for key in told.keys:
        if key.outcome != "absent":
            yield from _key(key)
    absent = dict.fromkeys(f"{key.key} ({key.source})" for key in told.keys if key.outcome == "absent")
    if absent:
        yield from _pair("not there", ", ".join(absent), 2)


def _key(key: ToldKey) -> Iterator[str]:
    name = _printable(f"{'  ' * 2}{key.key}")
    yield click.style(name, bold=True) + _printable(f" from {key.source}: {key.found}")
    if key.remark:
        yield from _wrapped(key.remark, 3)
    for reading in key.readings:
        yield from _reading(key, reading)


def _reading(key: ToldKey, reading: ToldReading) -> Iterator[str]:
    yield from _pair("raw", _quoted(reading.raw), 3)
    if reading.becomes == "passed on":
        yield from _pair("rule", "none: it is a hash already", 3)
        yield from _pair("sent", str(reading.sent), 3)
        return
    yield from _pair("rule", f"{key.rule}: {key.rule_says}", 3)
    if reading.becomes in {"blank", "unusable"}:
        yield from _pair("sent", "nothing: " + ("there is no value" if reading.becomes == "blank" else "unusable"), 3)
        return
    yield from _pair("normalized", _quoted(reading.normalized), 3)
    how = "as it is now" if reading.becomes == "clear" else str(reading.sent)
    yield from _pair("sent" if reading.becomes == "clear" else "SHA-256", how, 3)


def _quoted(value: object) -> str:
    """Write a value so that white space around it can be seen."""
    return json.dumps(value, ensure_ascii=False)


def _payload(told: ToldDestination, now: float) -> Iterator[str]:
    payload = told.payload
    if payload is None:
        return
    yield _heading("payload", 1)
    group = f", in requests of group {payload.group}" if payload.group else ""
    yield from _wrapped(f"{payload.event_name}, {payload.size} bytes{group}", 2)
    for line in orjson.dumps(payload.content, option=orjson.OPT_INDENT_2).decode().splitlines():
        yield _printable(f"{'  ' * 2}{line}")
    yield from _pair("taken until", _moment(payload.expires_at, now), 2)


def _quality(told: ToldDestination) -> Iterator[str]:
    if told.payload is None and not told.improvements:
        return
    yield _heading("match quality", 1)
    if told.payload is not None:
        keys = ", ".join(told.payload.match_keys)
        yield from _wrapped(f"{told.payload.quality:g} of 10 (an estimate of ours), by {keys}", 2)
    for one in told.improvements:
        yield from _wrapped(f"+{one.gain:g} with {one.key}, from {' or '.join(one.sources)}", 2)


def _moment(unix: float, now: float) -> str:
    """Write a time, and how far it is from `now`."""
    try:
        text = datetime.fromtimestamp(unix, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    except (OverflowError, ValueError):
        text = f"{unix:.0f} s after 1970"
    distance = abs(unix - now)
    word = next(
        (f"{distance / seconds:.1f} {unit}" for unit, seconds in _UNITS.items() if distance >= seconds),
        f"{distance:.0f} seconds",
    )
    return f"{text} ({word} {'ago' if unix <= now else 'ahead'})"


_UNITS: Final = {"days": 86_400.0, "hours": 3600.0, "minutes": 60.0}


def _heading(text: str, depth: int = 0) -> str:
    return "  " * depth + click.style(_printable(text), bold=True)


def _pair(label: str, text: str, depth: int, *, label_width: int = _LABEL) -> Iterator[str]:
    """Write a label and a text behind it, with the lines that follow below the text."""
    indent = "  " * depth
    width = max(label_width, len(label) + 1)
    yield from textwrap.wrap(
        _printable(text) or '""',
        WIDTH,
        initial_indent=f"{indent}{_printable(label).ljust(width)}",
        subsequent_indent=indent + " " * width,
        break_on_hyphens=False,
    )


def _wrapped(text: str, depth: int) -> Iterator[str]:
    indent = "  " * depth
    yield from textwrap.wrap(_printable(text), WIDTH, initial_indent=indent, subsequent_indent=indent + "  ")


def _printable(text: str) -> str:
    """Write what cannot be printed as JSON would: line ends, controls, and marks that turn the direction."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    number = ord(char)
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
