"""Match keys: the customer part of an event, in the words and hashes of one platform.

A platform owns a table of `MatchKey`s; this module reads the fields, applies the rules, hashes, and puts the result
in the order of the table.
Where several platforms want the same field by the same rule, the first one's work is kept in the event's `seals`.
Invariants: the same event gives the same keys in the same order with the same values; nothing empty is hashed;
a value that already is a hash is not hashed again; raw values are remembered only where the table says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache, partial
from hashlib import sha256
from itertools import count
from operator import attrgetter
from typing import Final, TypeVar

from pipeline.core.match_key import Dated, Form, Local, MatchKey, Numeric, Paired, Plain, Rule
from pipeline.core.model import Seals
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
    seals: Seals | None


_Seal = Callable[[object, _Setting], str | int | None]
_Ready = Callable[[str], str | None]
_NUMBERS: Final = count(1)
# What no rule returns: nobody has asked for this field by this rule yet.
_NEW: Final = ""
_Row = tuple[str, str, _Seal, bool, bool, int]

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
            seal = _seal(key.rule, hashed=key.form in _HASHED, remember=key.remember, built=key.built)
            token = _token(key.source, key.rule, hashed=key.form in _HASHED)
            sections[-1][1].append((key.name, source, seal, key.form in _LISTED, alternative, token))
        object.__setattr__(self, "sections", tuple((name, tuple(rows)) for name, rows in sections))


def identify(
    body: Section, table: MatchTable, country: str | None, today: date, seals: Seals | None = None
) -> Identified:
    """Give the match keys of one event.

    `body` is the decoded event; `country` the customer's, as `normalize.place.country` gives it; `today` the day of
    the event in UTC, not of the worker, so that a replay sends the same bytes; `seals` what other tables made of this
    very event with the same `country` and `today`, and what this one adds.
    Lists are without doubles and sorted; of a list where the platform wants one value, the first usable is taken.
    Raises KeyError for a field the contract does not have, and TypeError, with the name of the key and never the
    value, for a field that has not the type of the contract.
    """
    keys: dict[str, Value] = {}
    dropped: list[str] = []
    setting = _Setting(country, today, body, seals)
    for name, rows in table.sections:
        section = body[name] if name else body
        if section is None:
            continue
        if section.__class__ is not dict and not isinstance(section, Mapping):
            raise TypeError(f"section {name}: expected a record, found {type(section).__name__}")
        setting.section = section
        _read(rows, setting, keys, dropped)
    return Identified(keys, tuple(dict.fromkeys(dropped)) if dropped else ())


def _read(rows: tuple[_Row, ...], setting: _Setting, keys: dict[str, Value], dropped: list[str]) -> None:
    """Read one section; this loop and the functions it calls are the hot path of step 4."""
    section, seals = setting.section, setting.seals
    for name, source, seal, listed, alternative, token in rows:
        raw = section[source]
        if raw is None or (alternative and name in keys):
            continue
        value = _NEW if seals is None else seals.get(token, _NEW)
        if value is _NEW:
            if isinstance(raw, list):
                if len(raw) != 1:
                    many = [(one, _sealed(name, seal, one, setting)) for one in raw]
                    usable = [sealed for _, sealed in many if sealed is not None]
                    if usable:
                        keys[name] = sorted(set(usable), key=str) if listed else usable[0]
                    dropped += [name for one, sealed in many if sealed is None and _says(one)]
                    continue
                raw = raw[0]
            value = _sealed(name, seal, raw, setting, token)
        if value is not None:
            keys[name] = [value] if listed else value
        elif _says(raw):
            dropped.append(name)


def _sealed(name: str, seal: _Seal, raw: object, setting: _Setting, token: int | None = None) -> str | int | None:
    """Apply a rule, and keep what it gives under `token` for the next table that asks."""
    try:
        value = seal(raw, setting)
    except _WrongTypeError as error:
        raise TypeError(f"match key {name}: {error}; the event breaks its contract") from None
    # Of what may be a hash already, tables differ in what they take for one.
    maybe_hash = token is not None and token < 0 and isinstance(raw, str) and len(raw) >= HASH_LENGTH
    if token is not None and setting.seals is not None and not maybe_hash:
        setting.seals[token] = value
    return value


def _says(raw: object) -> bool:
    """Whether a value says something, so that it is missed if it is of no use."""
    if isinstance(raw, list):
        raw = raw[0]
    return not (isinstance(raw, str) and is_empty(raw))


@lru_cache(maxsize=512)
def _seal(rule: Rule, *, hashed: bool, remember: int, built: bool) -> _Seal:
    """Compile a rule: raw value to what is sent. Equal rules of several tables are one and share what they remember."""
    ready = ready_or_built_hash if built else ready_hash
    match rule:
        case Plain(plain):
            anew = _plain(plain, ready, hashed=hashed)
            return _remembering(anew, plain, remember, hashed=hashed) if remember else anew
        case Local(local):
            return _grounded(local, attrgetter("country"), ready, remember, hashed=hashed)
        case Paired(paired, companion):
            ground = partial(_companion, companion)
            return _grounded(paired, ground, ready, remember, hashed=hashed)
        case Dated(dated):
            return _dated(dated, remember, hashed=hashed)
        case Numeric(number):
            return lambda raw, _: number(_text(raw))


@lru_cache(maxsize=4096)
def _token(source: str, rule: Rule, *, hashed: bool) -> int:  # noqa: ARG001 - the key of the cache
    """Return a number for what one field becomes under one rule, whichever table asks: negative if it is hashed."""
    number = next(_NUMBERS)
    return -number if hashed else number


def _plain(rule: Callable[[str], str | None], ready: _Ready, *, hashed: bool) -> _Seal:
    def seal(raw: object, _: _Setting) -> str | None:
        if not isinstance(raw, str):
            raise _WrongTypeError("text", raw)
        if hashed and len(raw) >= HASH_LENGTH and (kept := ready(raw)) is not None:
            return kept or None
        text = rule(raw)
        if not text:
            return None
        return sha256(text.encode()).hexdigest() if hashed else text

    return seal


def _remembering(anew: _Seal, rule: Callable[[str], str | None], remember: int, *, hashed: bool) -> _Seal:
    finish = _finish(hashed=hashed)
    remembered = lru_cache(maxsize=remember)(lambda raw: finish(rule(raw)))

    def seal(raw: object, setting: _Setting) -> str | int | None:
        # Longer text is no city and no region, or is a hash: it must not fill a memory counted in entries.
        if isinstance(raw, str) and len(raw) < HASH_LENGTH:
            return remembered(raw)
        return anew(raw, setting)

    return seal


def _grounded(
    rule: Callable[[str, Ground], str | None],
    ground: Callable[[_Setting], Ground],
    ready: _Ready,
    remember: int,
    *,
    hashed: bool,
) -> _Seal:
    finish = _finish(hashed=hashed)

    def anew(raw: str, on: Ground) -> str | None:
        return finish(rule(raw, on))

    quick = lru_cache(maxsize=remember)(anew) if remember else anew

    def seal(raw: object, setting: _Setting) -> str | None:
        if not isinstance(raw, str):
            raise _WrongTypeError("text", raw)
        if len(raw) < HASH_LENGTH:
            return quick(raw, ground(setting))
        kept = ready(raw) if hashed else None
        return anew(raw, ground(setting)) if kept is None else kept or None

    return seal


def _dated(rule: Callable[[date, date], str | None], remember: int, *, hashed: bool) -> _Seal:
    finish = _finish(hashed=hashed)

    def anew(raw: date, today: date) -> str | None:
        return finish(rule(raw, today))

    quick = lru_cache(maxsize=remember)(anew) if remember else anew

    def seal(raw: object, setting: _Setting) -> str | None:
        if not isinstance(raw, date):
            raise _WrongTypeError("a date", raw)
        return quick(raw, setting.today)

    return seal


def _finish(*, hashed: bool) -> Callable[[str | None], str | None]:
    if hashed:
        return lambda text: sha256(text.encode()).hexdigest() if text else None
    return lambda text: text or None


def _companion(field: str, setting: _Setting) -> int | None:
    raw = setting.section[field]
    if raw is not None and not isinstance(raw, int):
        raise _WrongTypeError("an integer", raw)
    return raw


def _text(raw: object) -> str:
    if not isinstance(raw, str):
        raise _WrongTypeError("text", raw)
    return raw


class _WrongTypeError(Exception):
    """A field has not the type of the contract. The text never holds the value."""

    def __init__(self, wanted: str, raw: object) -> None:
        super().__init__(f"expected {wanted}, found {type(raw).__name__}")
