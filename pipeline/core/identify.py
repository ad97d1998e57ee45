"""Match keys: the customer part of an event, in the words and hashes of one platform.

A platform owns a table of `MatchKey`s; this module reads the fields, applies the rules, hashes, and puts the result
in the order of the table.
Invariants: the same event gives the same keys in the same order with the same values; nothing empty is hashed;
a value that already is a hash is not hashed again; raw values are remembered only where the table says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from hashlib import sha256
from operator import attrgetter
from typing import Final, TypeVar

from pipeline.core.match_key import Dated, Form, Local, MatchKey, Numeric, Paired, Plain
from pipeline.core.normalize.digest import HASH_LENGTH, ready_hash, ready_or_built_hash
from pipeline.core.normalize.text import is_empty

Value = str | int | list[str | int]
Section = Mapping[str, object]
Ground = TypeVar("Ground")


@dataclass(slots=True)
class Identified:
    """`keys` in table order; `dropped`: names of keys for which some value was there and unusable."""

    keys: dict[str, Value]
    dropped: tuple[str, ...]


@dataclass(slots=True)
class _Setting:
    """What rules may ask beside the raw value; `section` is the one that is being read."""

    country: str | None
    today: date
    section: Section


_Seal = Callable[[object, _Setting], str | int | None]
_Row = tuple[str, str, _Seal, bool, bool]

_HASHED: Final = (Form.HASHED_LIST, Form.HASHED)
_LISTED: Final = (Form.HASHED_LIST, Form.CLEAR_LIST)


@dataclass(frozen=True, slots=True)
class MatchTable:
    """A platform's table, checked and compiled once per destination.

    Raises ValueError if two rows of one name differ in form.
    """

    keys: Sequence[MatchKey]
    sections: tuple[tuple[str, tuple[_Row, ...]], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Group the rows by section, in table order."""
        forms: dict[str, Form] = {}
        sections: list[tuple[str, list[_Row]]] = []
        for key in self.keys:
            alternative = key.name in forms
            if forms.setdefault(key.name, key.form) is not key.form:
                raise ValueError(f"match key {key.name}: its rows have different forms; give them one form")
            section, _, source = key.source.rpartition(".")
            if not sections or sections[-1][0] != section:
                sections.append((section, []))
            sections[-1][1].append((key.name, source, _seal(key), key.form in _LISTED, alternative))
        object.__setattr__(self, "sections", tuple((name, tuple(rows)) for name, rows in sections))


def identify(body: Section, table: MatchTable, country: str | None, today: date) -> Identified:
    """Give the match keys of one event.

    `body` is the decoded event; `country` the customer's, as `normalize.place.country` gives it; `today` the day of
    the event in UTC, not of the worker, so that a replay sends the same bytes.
    Lists are without doubles and sorted; of a list where the platform wants one value, the first usable is taken.
    Raises KeyError for a field the contract does not have, and TypeError, with the name of the key and never the
    value, for a field that has not the type of the contract.
    """
    keys: dict[str, Value] = {}
    dropped: list[str] = []
    setting = _Setting(country, today, body)
    for name, rows in table.sections:
        section = body[name] if name else body
        if section is None:
            continue
        if not isinstance(section, Mapping):
            raise TypeError(f"section {name}: expected a record, found {type(section).__name__}")
        setting.section = section
        _read(rows, setting, keys, dropped)
    return Identified(keys, tuple(dict.fromkeys(dropped)))


def _read(rows: tuple[_Row, ...], setting: _Setting, keys: dict[str, Value], dropped: list[str]) -> None:
    """Read one section; this loop and the functions it calls are the hot path of step 4."""
    section = setting.section
    for row in rows:
        name, source, seal, listed, alternative = row
        raw = section[source]
        if raw is None or (alternative and name in keys):
            continue
        if isinstance(raw, list):
            if len(raw) != 1:
                _read_many(raw, row, setting, keys, dropped)
                continue
            raw = raw[0]
        value = seal(raw, setting)
        if value is not None:
            keys[name] = [value] if listed else value
        elif not (isinstance(raw, str) and is_empty(raw)):
            dropped.append(name)


def _read_many(raws: list[object], row: _Row, setting: _Setting, keys: dict[str, Value], dropped: list[str]) -> None:
    name, _, seal, listed, _ = row
    values: list[str | int] = []
    for raw in raws:
        value = seal(raw, setting)
        if value is not None:
            values.append(value)
        elif not (isinstance(raw, str) and is_empty(raw)):
            dropped.append(name)
    if values:
        keys[name] = sorted(set(values), key=str) if listed else values[0]


@lru_cache(maxsize=512)
def _seal(key: MatchKey) -> _Seal:
    """Compile a row: raw value to what is sent. Equal rows of several tables share what they remember."""
    match key.rule:
        case Plain(rule):
            return _remembering(key, rule) if key.remember else _plain(key, rule)
        case Local(rule):
            return _grounded(key, rule, attrgetter("country"))
        case Paired(rule, companion):
            return _grounded(key, rule, lambda setting: _integer(key.name, setting.section[companion]))
        case Dated(rule):
            return _dated(key, rule)
        case Numeric(number):
            return lambda raw, _: number(_text(key.name, raw))


def _plain(key: MatchKey, rule: Callable[[str], str | None]) -> _Seal:
    name, hashed, ready = key.name, key.form in _HASHED, _ready(key)

    def seal(raw: object, _: _Setting) -> str | None:
        if not isinstance(raw, str):
            raise _wrong_type(name, "text", raw)
        if hashed and len(raw) >= HASH_LENGTH and (kept := ready(raw)) is not None:
            return kept
        text = rule(raw)
        if not text:
            return None
        return sha256(text.encode()).hexdigest() if hashed else text

    return seal


def _remembering(key: MatchKey, rule: Callable[[str], str | None]) -> _Seal:
    anew, finish = _plain(key, rule), _finish(key)
    remembered = lru_cache(maxsize=key.remember)(lambda raw: finish(rule(raw)))

    def seal(raw: object, setting: _Setting) -> str | int | None:
        # Longer text is no city and no region, or is a hash: it must not fill a memory counted in entries.
        if isinstance(raw, str) and len(raw) < HASH_LENGTH:
            return remembered(raw)
        return anew(raw, setting)

    return seal


def _grounded(key: MatchKey, rule: Callable[[str, Ground], str | None], ground: Callable[[_Setting], Ground]) -> _Seal:
    name, hashed, ready, finish = key.name, key.form in _HASHED, _ready(key), _finish(key)

    def anew(raw: str, on: Ground) -> str | None:
        return finish(rule(raw, on))

    quick = lru_cache(maxsize=key.remember)(anew) if key.remember else anew

    def seal(raw: object, setting: _Setting) -> str | None:
        if not isinstance(raw, str):
            raise _wrong_type(name, "text", raw)
        if len(raw) < HASH_LENGTH:
            return quick(raw, ground(setting))
        kept = ready(raw) if hashed else None
        return anew(raw, ground(setting)) if kept is None else kept

    return seal


def _dated(key: MatchKey, rule: Callable[[date, date], str | None]) -> _Seal:
    name, finish = key.name, _finish(key)

    def anew(raw: date, today: date) -> str | None:
        return finish(rule(raw, today))

    quick = lru_cache(maxsize=key.remember)(anew) if key.remember else anew

    def seal(raw: object, setting: _Setting) -> str | None:
        if not isinstance(raw, date):
            raise _wrong_type(name, "a date", raw)
        return quick(raw, setting.today)

    return seal


def _ready(key: MatchKey) -> Callable[[str], str | None]:
    return ready_or_built_hash if key.built else ready_hash


def _finish(key: MatchKey) -> Callable[[str | None], str | None]:
    if key.form in _HASHED:
        return lambda text: sha256(text.encode()).hexdigest() if text else None
    return lambda text: text or None


def _text(name: str, raw: object) -> str:
    if not isinstance(raw, str):
        raise _wrong_type(name, "text", raw)
    return raw


def _integer(name: str, raw: object) -> int | None:
    if raw is not None and not isinstance(raw, int):
        raise _wrong_type(name, "an integer", raw)
    return raw


def _wrong_type(name: str, wanted: str, raw: object) -> TypeError:
    return TypeError(f"match key {name}: expected {wanted}, found {type(raw).__name__}; the event breaks its contract")
