"""JSON and command line words to faults."""

from __future__ import annotations

from random import Random

import pytest

from pipeline.sandbox.contract import Failure
from pipeline.sandbox.fault_input import add_fault, fault_words
from pipeline.sandbox.faults import KINDS, Effect, FaultBook, Latency, Reset, Silence, Status


@pytest.mark.parametrize(
    ("document", "effect"),
    [
        ({"kind": "latency", "seconds": 1, "jitter": 0.5}, Latency(1, 0.5)),
        ({"kind": "status", "status": 429, "retry_after": 2}, Status(429, 2)),
        ({"kind": "error", "code": 80004, "subcode": None}, Failure(80004)),
        (
            {"kind": "error", "code": 2, "transient": False, "error_data": "x"},
            Failure(2, transient=False, error_data="x"),
        ),
        ({"kind": "silence", "stored": False}, Silence(stored=False)),
        ({"kind": "reset", "stored": True}, Reset()),
    ],
)
def test_effects(document: dict[str, object], effect: Effect) -> None:
    """A document names a kind and the fields that differ from the usual."""
    book = FaultBook(Random(0))
    add_fault(book, document)

    assert [effect] == [rule.effect for rule in book.rules]


def test_rule_fields() -> None:
    """Probability, count and path part go with every kind."""
    book = FaultBook(Random(0))
    add_fault(book, {"kind": "close", "probability": 0.5, "count": 3, "in_path": "/1/"})
    rule = book.rules[0]

    assert (0.5, 3, "/1/") == (rule.probability, rule.count, rule.in_path)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_described_rules_can_be_added(kind: str) -> None:
    """What the sandbox says of a rule can be sent back to it, but for the hits."""
    book = FaultBook(Random(0))
    add_fault(book, {"kind": kind, **({"code": 4} if kind == "error" else {})})
    told = book.rules[0].describe()
    del told["hits"]
    add_fault(book, told)

    assert book.rules[0] == book.rules[1]


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ([], "one of latency"),
        ({}, "one of latency"),
        ({"kind": "earthquake"}, "one of latency"),
        ({"kind": "status", "code": 4}, "it takes status, retry_after, probability"),
        ({"kind": "status", "status": "500"}, "must be of type int"),
        ({"kind": "status", "status": True}, "must be of type int"),
        ({"kind": "latency", "seconds": -1}, "must be of type float"),
        ({"kind": "close", "stored": 1}, "must be of type bool"),
        ({"kind": "error"}, "needs a code"),
        ({"kind": "error", "code": 4, "error_data": 1}, "must be of type str"),
        ({"kind": "close", "count": 1.5}, "count an integer"),
        ({"kind": "close", "probability": "1"}, "probability must be a number"),
        ({"kind": "close", "in_path": 1}, "in_path a string"),
    ],
)
def test_refused(document: object, complaint: str) -> None:
    """A document that makes no sense is refused with what to write instead."""
    book = FaultBook(Random(0))
    with pytest.raises(ValueError, match=complaint):
        add_fault(book, document)

    assert () == book.rules


@pytest.mark.parametrize(
    ("text", "document"),
    [
        ("close", {"kind": "close"}),
        ("status status=503 count=2", {"kind": "status", "status": 503, "count": 2}),
        ("silence stored=false seconds=0.5", {"kind": "silence", "stored": False, "seconds": 0.5}),
        ("error code=4 message=slow", {"kind": "error", "code": 4, "message": "slow"}),
        ("", {"kind": ""}),
    ],
)
def test_words(text: str, document: dict[str, object]) -> None:
    """On the command line a fault is its kind and then name=value."""
    assert document == fault_words(text)


def test_refused_words() -> None:
    """A word without an equals sign is refused."""
    with pytest.raises(ValueError, match="name=value"):
        fault_words("status 503")
