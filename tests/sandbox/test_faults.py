"""Which requests go wrong."""

from __future__ import annotations

from random import Random

import pytest

from pipeline.sandbox.contract import Failure
from pipeline.sandbox.faults import Decision, FaultBook, Latency, RateLimit, Status, Token, Unavailable

PATH = "/v26.0/123/events"


@pytest.fixture
def book() -> FaultBook:
    """Return an empty book of faults with a fixed seed."""
    return FaultBook(Random(7))


def test_calm(book: FaultBook) -> None:
    """Without rules nothing happens."""
    assert Decision() == book.decide(PATH, 0.0)


def test_count(book: FaultBook) -> None:
    """A rule with a count hits so many requests and is then gone."""
    book.add(Status(500), count=2)
    kinds = [book.decide(PATH, 0.0).kind for _ in range(3)]

    assert ["status", "status", ""] == kinds
    assert () == book.rules


def test_until_cleared(book: FaultBook) -> None:
    """A rule without a count stays until it is cleared."""
    book.add(Unavailable())
    before = [book.decide(PATH, 0.0).kind for _ in range(3)]
    book.clear()

    assert ["unavailable"] * 3 == before
    assert "" == book.decide(PATH, 0.0).kind


def test_clear_kind(book: FaultBook) -> None:
    """Rules can be cleared by kind."""
    book.add(Status(500))
    book.add(Token())
    book.clear("status")

    assert ["token"] == [rule.kind for rule in book.rules]


def test_probability(book: FaultBook) -> None:
    """A rule with a probability hits about that share of the requests."""
    book.add(Status(500), probability=0.3)
    hits = sum(book.decide(PATH, 0.0).kind == "status" for _ in range(2000))

    assert 500 < hits < 700


def test_seed() -> None:
    """The same seed and the same rules bring the same faults."""
    runs = []
    for _ in range(2):
        book = FaultBook(Random(3))
        book.add(Status(500), probability=0.5)
        book.add(Latency(0.1, jitter=1.0))
        runs.append([book.decide(PATH, 0.0) for _ in range(50)])

    assert runs[0] == runs[1]


def test_in_path(book: FaultBook) -> None:
    """A rule can be bound to a part of the path."""
    book.add(Token(463), in_path="/999/")

    assert ["", "token"] == [book.decide(path, 0.0).kind for path in (PATH, "/v26.0/999/events")]


def test_first_wins(book: FaultBook) -> None:
    """The rule that was added first answers, and only it is spent."""
    book.add(Failure(4), count=1)
    book.add(Status(500), count=1)

    assert [Failure(4), Status(500), None] == [book.decide(PATH, 0.0).effect for _ in range(3)]


def test_latencies_add_up(book: FaultBook) -> None:
    """Latencies add up with each other and with an answer fault."""
    book.add(Latency(1.0))
    book.add(Latency(0.5))
    book.add(Status(503))
    decision = book.decide(PATH, 0.0)

    assert (1.5, Status(503)) == (decision.latency_s, decision.effect)


def test_jitter(book: FaultBook) -> None:
    """Jitter is spread between nothing and its size, on top of the fixed part."""
    book.add(Latency(1.0, jitter=0.5))
    waits = [book.decide(PATH, 0.0).latency_s for _ in range(100)]

    assert 1.0 <= min(waits) < 1.1
    assert 1.4 < max(waits) <= 1.5


def test_rate_limit(book: FaultBook) -> None:
    """A rate limit lets one second's worth through at once and refills with time."""
    book.add(RateLimit(per_second=2.0))
    times = [0.0, 0.0, 0.0, 0.5, 0.5, 10.0, 10.0, 10.0]

    assert ["", "", "rate_limit", "", "rate_limit", "", "", "rate_limit"] == [
        book.decide(PATH, now).kind for now in times
    ]


def test_usage_follows_rate_limit(book: FaultBook) -> None:
    """The share used of a rate limit is known for the usage headers."""
    book.add(RateLimit(per_second=4.0))

    assert [25, 50, 75, 100] == [book.decide(PATH, 0.0).used_percent for _ in range(4)]


def test_clock_going_back(book: FaultBook) -> None:
    """A clock that goes back refills nothing and takes nothing."""
    book.add(RateLimit(per_second=1.0))

    assert ["", "rate_limit", "rate_limit", ""] == [book.decide(PATH, now).kind for now in (100.0, 50.0, 100.5, 101.0)]


@pytest.mark.parametrize(("probability", "count"), [(0.0, None), (1.1, None), (1.0, 0)])
def test_refused_rules(book: FaultBook, probability: float, count: int | None) -> None:
    """A probability outside (0, 1] and a count below 1 are refused."""
    with pytest.raises(ValueError, match=r"fault: (probability|count)"):
        book.add(Status(), probability=probability, count=count)


def test_rate_above_zero(book: FaultBook) -> None:
    """A rate limit must let something through."""
    with pytest.raises(ValueError, match="per_second"):
        book.add(RateLimit(per_second=0.0))
