"""How each match key of an event came about: `core.identify` in slow motion, for people.

The same table and the same rules are walked, and every step is kept: what was there, the rule's result before any
hash, and what is sent of it. The road itself never comes here.
Invariant: what a row says is sent is what `identify` gives under that key, and what it calls unusable is dropped there.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, cast

from pipeline.core.identify import MatchTable, Section, Value
from pipeline.core.match_key import Dated, Form, Local, MatchKey, Numeric, Paired, Plain, Rule
from pipeline.core.normalize.digest import HASH_LENGTH, digest, ready_hash, ready_or_built_hash
from pipeline.core.normalize.text import is_empty

Becomes = Literal["hashed", "passed on", "clear", "blank", "unusable"]
Outcome = Literal["sent", "beaten", "unusable", "blank", "absent"]

_HASHED: Final = (Form.HASHED_LIST, Form.HASHED)
_LISTED: Final = (Form.HASHED_LIST, Form.CLEAR_LIST)


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of a field under a rule.

    `normalized` is the rule's result before any hash: None where there is none, and where the value was a hash already
    (`passed on`). `sent` is what the platform gets of it.
    """

    raw: object
    normalized: str | int | None
    becomes: Becomes
    sent: str | int | None


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a platform's table, read for one event.

    `beaten` says that an alternative, the field `beaten_by`, had given the key before; then nothing was read.
    """

    key: str
    source: str
    form: Form
    rule: str
    rule_says: str
    found: str
    outcome: Outcome
    readings: tuple[Reading, ...] = ()
    sent: Value | None = None
    beaten_by: str = ""


@dataclass(frozen=True, slots=True)
class _Ground:
    """What rules may ask beside the raw value."""

    country: str | None
    today: date
    section: Section


def explain_keys(body: Section, table: MatchTable, country: str | None, today: date) -> tuple[Row, ...]:
    """Return every row of `table` for one event, in table order; the arguments are those of `identify`.

    Raises KeyError for a field the contract does not have.
    """
    rows: list[Row] = []
    winners: dict[str, str] = {}
    for key in table.keys:
        row = _row(key, body, _Ground(country, today, _section(body, key.source)), winners)
        if row.outcome == "sent":
            winners[row.key] = row.source
        rows.append(row)
    return tuple(rows)


def _section(body: Section, source: str) -> Section:
    """Return the record that holds a field; empty where the event does not have it."""
    name, _, _ = source.rpartition(".")
    section = body[name] if name else body
    return cast("Section", section) if section is not None else {}


def _row(key: MatchKey, body: Section, ground: _Ground, winners: Mapping[str, str]) -> Row:
    name, _, last = key.source.rpartition(".")
    missing = bool(name) and body[name] is None
    raw = None if missing else ground.section[last]
    raws = raw if isinstance(raw, list) else [] if raw is None else [raw]
    rule, says = _described(key.rule)

    def row(outcome: Outcome, readings: Sequence[Reading] = (), sent: Value | None = None, by: str = "") -> Row:
        return Row(key.name, key.source, key.form, rule, says, _found(raw), outcome, tuple(readings), sent, by)

    if not raws:
        return row("absent")
    if key.name in winners:
        return row("beaten", by=winners[key.name])
    readings = [_read(one, key, ground) for one in raws]
    values = [reading.sent for reading in readings if reading.sent is not None]
    if values:
        return row("sent", readings, sorted(set(values), key=str) if key.form in _LISTED else values[0])
    blank = all(reading.becomes == "blank" for reading in readings)
    return row("blank" if blank else "unusable", readings)


def _read(raw: object, key: MatchKey, ground: _Ground) -> Reading:
    hashed = key.form in _HASHED and not isinstance(key.rule, Numeric)
    if hashed and isinstance(raw, str) and len(raw) >= HASH_LENGTH:
        kept = (ready_or_built_hash if key.built else ready_hash)(raw)
        if kept is not None:
            return Reading(raw, None, "passed on", kept) if kept else Reading(raw, None, "unusable", None)
    normalized = _normalized(raw, key.rule, ground)
    if normalized is None or normalized == "":
        return Reading(raw, None, "blank" if isinstance(raw, str) and is_empty(raw) else "unusable", None)
    if hashed:
        return Reading(raw, normalized, "hashed", digest(str(normalized)))
    return Reading(raw, normalized, "clear", normalized)


def _normalized(raw: object, rule: Rule, ground: _Ground) -> str | int | None:
    """Apply a rule to what decoding made sure is of its type."""
    match rule:
        case Plain(plain):
            return plain(cast("str", raw))
        case Local(local):
            return local(cast("str", raw), ground.country)
        case Paired(paired, companion):
            return paired(cast("str", raw), cast("int | None", ground.section[companion]))
        case Dated(dated):
            return dated(cast("date", raw), ground.today)
        case Numeric(number):
            return number(cast("str", raw))


def _described(rule: Rule) -> tuple[str, str]:
    """Return a rule's name and the first line of what it says of itself."""
    function = rule.rule
    lines = (inspect.getdoc(function) or "").splitlines()
    return getattr(function, "__name__", type(function).__name__), lines[0] if lines else ""


def _found(raw: object) -> str:
    """Say what is in a field, without its value."""
    match raw:
        case None:
            return "absent"
        case []:
            return "an empty list"
        case [one]:
            return f"a list of one: {_found(one)}"
        case list():
            return f"a list of {len(raw)}"
        case date():
            return "a date"
        case str() if not raw:
            return "empty text"
        case str() if is_empty(raw):
            return "blank text, or a word for nothing"
        case str() if ready_or_built_hash(raw) is not None:
            return "a hash already"
        case _:
            return f"text of {len(str(raw))} character{'s' * (len(str(raw)) != 1)}"
