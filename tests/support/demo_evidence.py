"""Evidence of the demo in miniature: four records and what became of them at five platforms, all as it should be."""

from __future__ import annotations

from collections import Counter

from pipeline.core.reason import Reason
from pipeline.demo.arrivals import Arrival
from pipeline.demo.balance import Letter, Seen
from pipeline.demo.flaws import PLATFORMS
from pipeline.demo.gauges import Gauge
from pipeline.demo.reckoning import Evidence, Placed
from pipeline.demo.trade import Entry, Expected

ACCOUNTS = {platform: (f"{platform}-account",) for platform in PLATFORMS}
KEY, VALUE = b"A-1", b"bytes"
GOOD, POISON, BROKEN, REFUND = ("orders", 0, 0), ("orders", 0, 1), ("orders", 1, 0), ("orders", 1, 1)
POISONED = "tiktok"


def seen(own_id: str) -> Seen:
    """Return an event as a platform saw it."""
    return Seen(own_id, "Purchase", 1000, "9.9 EUR")


def accepted(own_id: str) -> Expected:
    """Expect that an event is accepted."""
    return Expected("accepted", None, own_id, "Purchase", 1000, "9.9 EUR")


def entry(story: str, outlook: dict[str, Expected]) -> Entry:
    """Return a record."""
    return Entry("order", KEY, VALUE, (), story, outlook)


def arrived(platform: str, own_id: str) -> Arrival:
    """Return an event that arrived."""
    return Arrival(platform, f"{platform}-account", seen(own_id), (), frozenset())


def everywhere(expected: Expected) -> dict[str, Expected]:
    """Expect the same at every platform."""
    return dict.fromkeys(PLATFORMS, expected)


BURIED = Expected("dead-lettered", Reason.REJECTED, "poison", destination=POISONED)
PLACED = [
    Placed(entry("good", everywhere(accepted("good"))), GOOD),
    Placed(entry("poison", {**everywhere(accepted("poison")), POISONED: BURIED}), POISON),
    Placed(entry("broken", everywhere(Expected("dead-lettered", Reason.UNDECODABLE, destination=""))), BROKEN),
    Placed(entry("refund", everywhere(Expected("skipped", Reason.NO_PLATFORM_EVENT))), REFUND),
]
POISON_LETTER = Letter(POISON, "rejected", KEY, VALUE, (), POISONED)
BROKEN_LETTER = Letter(BROKEN, "undecodable", KEY, VALUE, ())
ARRIVED = [
    arrived(platform, own_id)
    for platform in PLATFORMS
    for own_id in ("good", "poison")
    if (platform, own_id) != (POISONED, "poison")
]
WORKER = Gauge(
    consumed=4,
    accepted=Counter({platform: 1 if platform == POISONED else 2 for platform in PLATFORMS}),
    skipped=Counter({(platform, "no_platform_event"): 1 for platform in PLATFORMS}),
    dead_lettered=Counter({("", "undecodable"): 1, (POISONED, "rejected"): 1}),
)
ENDS = {("orders", 0): 2, ("orders", 1): 2}
EVIDENCE = Evidence(
    worker=WORKER,
    arrivals=ARRIVED,
    letters=[POISON_LETTER, BROKEN_LETTER],
    receipts=[GOOD, POISON],
    committed=ENDS,
    ends=ENDS,
    requests=9,
)
