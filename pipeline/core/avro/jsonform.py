"""The JSON form of the contract: what people write by hand, read into an event, and back.

Plain JSON, not Avro's own JSON encoding: a nullable field is its value or null, times are ISO 8601 with an offset or
milliseconds, amounts are texts or numbers, dates are ISO dates, and what is left out gets the schema's default.

Invariant: a fault names the field, the problem and the fix, and never the value, unless that is a field's name.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal, InvalidOperation
from typing import cast

from pipeline.core.avro.schema import Array, Enum, Primitive, Record, Type, Union, kind_of
from pipeline.core.contract import Body
from pipeline.core.rules import EARLIEST_MS, broken_rule

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DECIMAL = re.compile(r"-?\d{1,40}(\.\d{1,40})?([eE][+-]?\d{1,2})?", re.ASCII)
_EXACT = Context(prec=200)
_RANGES = {"int": 2**31, "long": 2**63}


@dataclass(frozen=True, slots=True)
class FieldFault:
    """One thing that is wrong with an event: the field's path (`items[0].unit_price`), the problem, the fix."""

    path: str
    problem: str
    fix: str

    @property
    def line(self) -> str:
        """The fault as one line, ready to print."""
        return f"{self.path}: {self.problem}; {self.fix}"


@dataclass(frozen=True, slots=True)
class Converted:
    """An event as the contract's types have it; to be used only where there are no `faults`."""

    event: Mapping[str, object]
    faults: tuple[FieldFault, ...]


def from_json(json: object, schema: Record) -> Converted:
    """Return the event in `json` (as a JSON parser gives it) with its defaults, and all of its faults."""
    reading = _Reading()
    event = reading.value(json, schema, "")
    if not reading.faults and isinstance(event, dict):
        broken = broken_rule(cast("Body", event), event[schema.fields[0].name])
        if broken is not None:
            reading.fault(broken[0], broken[1], "see docs/contract.md")
    return Converted(event if isinstance(event, dict) else {}, tuple(reading.faults))


def to_json(value: object, node: Type) -> object:
    """Return an event, or a part of it, in the JSON form: amounts as texts, times and dates as ISO 8601."""
    if isinstance(node, Union):
        return None if value is None else to_json(value, node.branches[-1])
    if isinstance(node, Record) and isinstance(value, dict):
        return {entry.name: to_json(value[entry.name], entry.type) for entry in node.fields}
    if isinstance(node, Array) and isinstance(value, list):
        return [to_json(item, node.items) for item in value]
    if isinstance(node, Primitive) and node.logical == "timestamp-millis" and isinstance(value, int):
        return _moment(value)
    if isinstance(value, date):
        return value.isoformat()
    return format(value, "f") if isinstance(value, Decimal) else value


def _moment(milliseconds: int) -> str | int:
    """Return a time as ISO 8601, or as it is when no calendar has it."""
    try:
        moment = _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return milliseconds
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(slots=True)
class _Reading:
    """One event being read: every fault is kept, reading goes on."""

    faults: list[FieldFault] = field(default_factory=list)

    def fault(self, path: str, problem: str, fix: str) -> object:
        """Note a fault; return what stands in for the value."""
        self.faults.append(FieldFault(path or "(event)", problem, fix))
        return None

    def value(self, json: object, node: Type, path: str) -> object:
        match node:
            case Union():
                return None if json is None else self.value(json, node.branches[-1], path)
            case Record():
                return self._record(json, node, path)
            case Array():
                return self._array(json, node, path)
            case Enum():
                return self._enum(json, node, path)
            case Primitive():
                return self._primitive(json, node, path)
            case _:
                return self.fault(path, f"cannot be written as {kind_of(node)}", "leave it out")

    def _record(self, json: object, node: Record, path: str) -> object:
        if not isinstance(json, dict):
            return self.fault(path, f"is {_shown(json)}", "write an object: {...}")
        prefix = f"{path}." if path else ""
        names = [entry.name for entry in node.fields]
        for name in json:
            if name not in names:
                self.fault(f"{prefix}{name}"[:100], "is no field of the contract", _suggestion(str(name), names))
        event: dict[str, object] = {}
        for entry in node.fields:
            below = prefix + entry.name
            if entry.name in json:
                event[entry.name] = self.value(json[entry.name], entry.type, below)
            elif entry.has_default:
                event[entry.name] = self.value(entry.default, entry.type, below)
            else:
                self.fault(below, "is missing", f"add it. {entry.doc}")
        return event

    def _array(self, json: object, node: Array, path: str) -> object:
        if not isinstance(json, list):
            return self.fault(path, f"is {_shown(json)}", "write a list: [...]")
        return [self.value(item, node.items, f"{path}[{index}]") for index, item in enumerate(json)]

    def _enum(self, json: object, node: Enum, path: str) -> object:
        if json in node.symbols:
            return json
        if isinstance(json, str):
            return self.fault(path, "is none of the allowed words", _suggestion(json.upper(), node.symbols))
        return self.fault(path, f"is {_shown(json)}", "write one of " + ", ".join(node.symbols))

    def _primitive(self, json: object, node: Primitive, path: str) -> object:
        match node.logical or node.kind:
            case "timestamp-millis":
                return self._time(json, path)
            case "date":
                return self._date(json, path)
            case "decimal":
                return self._decimal(json, node, path)
            case "string":
                return self._text(json, path)
            case "boolean":
                if isinstance(json, bool):
                    return json
                return self.fault(path, f"is {_shown(json)}", "write true or false")
            case "int" | "long":
                most = _RANGES[node.kind]
                if isinstance(json, int) and not isinstance(json, bool) and -most <= json < most:
                    return json
                return self.fault(path, f"is no whole number below {most}", "write it without quotes and fraction")
            case _:
                return self.fault(path, f"cannot be written as {kind_of(node)}", "leave it out")

    def _text(self, json: object, path: str) -> object:
        if not isinstance(json, str):
            return self.fault(path, f"is {_shown(json)}", 'write a text: "..."')
        try:
            json.encode()
        except UnicodeEncodeError:
            return self.fault(path, "is no valid Unicode", "write it as UTF-8")
        return json

    def _time(self, json: object, path: str) -> object:
        how = "write ISO 8601 with an offset, like 2025-11-21T08:00:00Z, or milliseconds since 1970"
        if isinstance(json, int) and not isinstance(json, bool) and abs(json) < _RANGES["long"]:
            return json if json > EARLIEST_MS else self.fault(path, "is too small for milliseconds", how)
        if not isinstance(json, str):
            return self.fault(path, f"is {_shown(json)}", how)
        try:
            moment = datetime.fromisoformat(json)
            if moment.tzinfo is None:
                return self.fault(path, "has no offset from UTC", "add Z or +01:00")
            # Through UTC: the first and the last hours of the calendar are no time there, and raise.
            return (moment.astimezone(UTC) - _EPOCH) // timedelta(milliseconds=1)
        except (ValueError, OverflowError):
            return self.fault(path, "is no time", how)

    def _date(self, json: object, path: str) -> object:
        try:
            return date.fromisoformat(json) if isinstance(json, str) else self._no_date(path)
        except ValueError:
            return self._no_date(path)

    def _no_date(self, path: str) -> object:
        return self.fault(path, "is no date", "write an ISO date, like 1997-02-16")

    def _decimal(self, json: object, node: Primitive, path: str) -> object:
        text = json if isinstance(json, str) else repr(json)
        if isinstance(json, bool) or not isinstance(json, (str, int, float)) or not _DECIMAL.fullmatch(text):
            return self.fault(path, "is no amount", "write a text or a number, like 129.90")
        amount = Decimal(text)
        try:
            exact = amount.quantize(Decimal(1).scaleb(-node.scale), context=_EXACT)
        except InvalidOperation:
            return self.fault(path, "is too large", f"at most {node.precision - node.scale} digits before the point")
        if exact != amount:
            return self.fault(path, f"has more than {node.scale} decimals", "round it")
        if len(exact.as_tuple().digits) > node.precision:
            return self.fault(path, "is too large", f"at most {node.precision - node.scale} digits before the point")
        return exact


def _shown(json: object) -> str:
    """Name the type of a JSON value, in JSON's words."""
    if json is None:
        return "null"
    words = {
        bool: "true or false",
        int: "a number",
        float: "a number",
        str: "a text",
        list: "a list",
        dict: "an object",
    }
    return words.get(type(json), "not JSON")


def _suggestion(word: str, known: Iterable[str]) -> str:
    names = list(known)
    near = difflib.get_close_matches(word, names, n=1)
    return f"did you mean {near[0]}?" if near else "known are " + ", ".join(names)
