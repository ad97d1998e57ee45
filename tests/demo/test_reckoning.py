"""The balance of all platforms: it must notice what went astray, and at which platform."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
from demo_evidence import (
    ACCOUNTS,
    ARRIVED,
    BROKEN_LETTER,
    ENDS,
    EVIDENCE,
    GOOD,
    PLACED,
    POISON,
    POISON_LETTER,
    POISONED,
    REFUND,
    WORKER,
    arrived,
    seen,
)

from pipeline.demo.arrivals import Arrival
from pipeline.demo.reckoning import Evidence, meant, reckon


def without(platform: str, own_id: str) -> list[Arrival]:
    """Return all arrivals but one."""
    return [one for one in ARRIVED if (one.platform, one.seen.event_id) != (platform, own_id)]


CASES: dict[str, tuple[Evidence, str]] = {
    "lost at one": (
        replace(EVIDENCE, arrivals=without("snapchat", "good")),
        "snapchat: Purchase good at 1000 should have been accepted and was not",
    ),
    "twice at one": (
        replace(EVIDENCE, arrivals=[*ARRIVED, arrived("meta", "good")]),
        "meta: Purchase good at 1000 was accepted more than once",
    ),
    "at the wrong platform": (
        replace(EVIDENCE, arrivals=[*without("meta", "poison"), arrived(POISONED, "poison")]),
        "tiktok: Purchase poison at 1000 was accepted and should not have been",
    ),
    "at the wrong account": (
        replace(EVIDENCE, arrivals=[*without("meta", "good"), replace(arrived("meta", "good"), account="another")]),
        "meta: 1 events were accepted for an account that is not the demo's",
    ),
    "another value": (
        replace(
            EVIDENCE,
            arrivals=[
                *without("google", "good"),
                replace(arrived("google", "good"), seen=replace(seen("good"), worth="1 EUR")),
            ],
        ),
        "google: Purchase good at 1000 was accepted with another value",
    ),
    "poison for everybody": (
        replace(EVIDENCE, letters=[replace(POISON_LETTER, destination=""), BROKEN_LETTER]),
        "meta: orders[0]@1 is a dead letter and should not be",
    ),
    "poison for another": (
        replace(EVIDENCE, letters=[replace(POISON_LETTER, destination="meta"), BROKEN_LETTER]),
        "tiktok: orders[0]@1 (poison) should be a dead letter and is not",
    ),
    "wrong reason": (
        replace(EVIDENCE, letters=[replace(POISON_LETTER, reason="expired"), BROKEN_LETTER]),
        "tiktok: the dead letter of orders[0]@1 (poison) says expired; expected rejected",
    ),
    "broken for one": (
        replace(EVIDENCE, letters=[POISON_LETTER, replace(BROKEN_LETTER, destination="meta")]),
        "meta: the dead letter of orders[1]@0 (broken) names meta; expected none",
    ),
    "letter of a stranger": (
        replace(EVIDENCE, letters=[*EVIDENCE.letters, replace(POISON_LETTER, destination="another")]),
        "a dead letter names a destination that is not the demo's: another",
    ),
    "skipped at the wrong one": (
        replace(
            EVIDENCE,
            worker=replace(WORKER, skipped=WORKER.skipped - Counter({("google", "no_platform_event"): 1})),
        ),
        "google: skipped as no_platform_event: expected 1, the worker counted 0",
    ),
    "acceptances that the worker made up": (
        replace(EVIDENCE, worker=replace(WORKER, accepted=WORKER.accepted + Counter({"meta": 1}))),
        "meta: holds 2 events, and the worker counted 3 as accepted",
    ),
    "letters that the worker made up": (
        replace(
            EVIDENCE, worker=replace(WORKER, dead_lettered=WORKER.dead_lettered + Counter({("meta", "future"): 1}))
        ),
        "meta: 0 dead letters say future, and the worker counted 1",
    ),
    "no receipt": (
        replace(EVIDENCE, receipts=[GOOD]),
        "google: orders[0]@1 was accepted, and there is no receipt to ask for its final word",
    ),
    "receipt of what was not sent": (
        replace(EVIDENCE, receipts=[GOOD, POISON, REFUND]),
        "google: orders[1]@1 has a receipt and should not",
    ),
    "two receipts": (
        replace(EVIDENCE, receipts=[GOOD, GOOD, POISON]),
        "google: orders[0]@0 has more than one receipt",
    ),
    "not committed": (
        replace(EVIDENCE, committed={**ENDS, ("orders", 1): 1}),
        "orders[1] is committed up to 1, and ends at 2",
    ),
}


def test_balances() -> None:
    """Where every record is where it should be at every platform, nothing is found."""
    assert [] == reckon(PLACED, EVIDENCE, ACCOUNTS)


@pytest.mark.parametrize(("evidence", "finding"), CASES.values(), ids=CASES)
def test_finds(evidence: Evidence, finding: str) -> None:
    """Whatever goes astray is found, with the platform that it concerns."""
    assert finding in reckon(PLACED, evidence, ACCOUNTS)


@pytest.mark.parametrize("count", [lambda: EVIDENCE.counts(POISONED), lambda: meant(PLACED, POISONED)])
def test_counts(count: Callable[[], Counter[tuple[str, str]]]) -> None:
    """What happened and what was meant are counted alike; a record that nobody could read counts at each platform."""
    assert {
        ("accepted", ""): 1,
        ("skipped", "no_platform_event"): 1,
        ("dead-lettered", "rejected"): 1,
        ("dead-lettered", "undecodable"): 1,
    } == count()
