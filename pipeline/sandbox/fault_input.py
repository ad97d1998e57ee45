"""JSON to fault rules: what `POST /_sandbox/faults` and `--fault` accept.

Invariant: a document that says anything this file does not know is refused with the list of what it may say.
"""

from __future__ import annotations

import dataclasses

import orjson

from pipeline.sandbox.faults import KINDS, Effect, FaultBook

RULE_FIELDS = ("probability", "count", "in_path")


def add_fault(book: FaultBook, document: object) -> None:
    """Add the rule that a JSON object such as `{"kind": "status", "status": 503, "count": 2}` describes.

    Raises ValueError, with what to write instead, for an unknown kind, an unknown field or a wrong type.
    """
    kind = document.get("kind") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(f"fault: send a JSON object with a kind, one of {', '.join(KINDS)}")
    details = {key: value for key, value in document.items() if key != "kind" and key not in RULE_FIELDS}
    effect = _effect(kind, details)
    probability = document.get("probability", 1.0)
    count = document.get("count")
    in_path = document.get("in_path", "")
    if not _fits(probability, "float") or not _fits(count, "int | None") or not _fits(in_path, "str"):
        raise ValueError("fault: probability must be a number, count an integer or null, in_path a string")
    book.add(effect, probability=float(probability), count=count, in_path=in_path)


def _effect(kind: str, details: dict[str, object]) -> Effect:
    known = {field.name: str(field.type) for field in dataclasses.fields(KINDS[kind])}
    for name, value in details.items():
        if name not in known:
            allowed = ", ".join([*known, *RULE_FIELDS])
            raise ValueError(f"fault: {kind} has no {name!r}; it takes {allowed}")
        if not _fits(value, known[name]):
            raise ValueError(f"fault: {kind}.{name} must be of type {known[name]}")
    if kind == "error" and "code" not in details:
        raise ValueError("fault: error needs a code, for example 4, 17, 190 or 80004")
    build: type = KINDS[kind]
    effect: Effect = build(**details)
    return effect


def _fits(value: object, wanted: str) -> bool:
    """Say whether a JSON value is of the type that a field's annotation names; numbers must not be negative."""
    if value is None:
        return wanted.endswith("| None")
    match wanted.removesuffix(" | None"):
        case "float":
            return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
        case "int":
            return type(value) is int and value >= 0
        case "bool":
            return type(value) is bool
        case _:
            return type(value) is str


def fault_words(text: str) -> dict[str, object]:
    """Read a fault as typed on a command line: `status status=503 count=2`, a kind and then its fields.

    Raises ValueError for a word that is no `name=value`. What is neither a number, true, false nor null is a string.
    """
    words = text.split()
    document: dict[str, object] = {"kind": words[0] if words else ""}
    for word in words[1:]:
        name, equals, value = word.partition("=")
        if not equals:
            raise ValueError(f"fault: {word!r} must be written name=value")
        try:
            document[name] = orjson.loads(value)
        except orjson.JSONDecodeError:
            document[name] = value
    return document
