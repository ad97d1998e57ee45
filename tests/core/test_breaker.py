"""The circuit breaker: when it opens, what it lets through, and when it closes."""

from __future__ import annotations

import pytest
from virtual_loop import EPOCH

from pipeline.core.breaker import LEAST_CALLS, OPEN_SECONDS, WINDOW_SECONDS, Breaker, State


def after(calls: str, *, apart: float = 0.1) -> Breaker:
    """Return a breaker after these calls: `.` succeeded, `x` failed; the last one happened at EPOCH."""
    breaker = Breaker()
    for number, call in enumerate(calls, 1 - len(calls)):
        (breaker.failed if call == "x" else breaker.succeeded)(now=EPOCH + number * apart)
    return breaker


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        ("", State.CLOSED),
        ("x" * (LEAST_CALLS - 1), State.CLOSED),
        ("x" * LEAST_CALLS, State.OPEN),
        ("." * 10 + "x" * 10, State.OPEN),
        ("." * 11 + "x" * 9, State.CLOSED),
        ("." * 11 + "x" * 11, State.OPEN),
        ("x" * 10 + "." * 10, State.CLOSED),
    ],
)
def test_opens_at_half(calls: str, expected: State) -> None:
    """It opens at a failure when half of at least twenty calls failed."""
    assert expected is after(calls).state


def test_forgets_old_calls() -> None:
    """Calls older than the window no longer count."""
    assert after("x" * LEAST_CALLS, apart=WINDOW_SECONDS / (LEAST_CALLS - 1)).state is State.CLOSED
    assert after("x" * LEAST_CALLS, apart=WINDOW_SECONDS / LEAST_CALLS).state is State.OPEN


def test_open_waits() -> None:
    """An open breaker says how long it stays so, and then lets a request go."""
    breaker = after("x" * LEAST_CALLS)

    assert OPEN_SECONDS == breaker.wait(now=EPOCH)
    assert breaker.wait(now=EPOCH + OPEN_SECONDS) == 0.0


def probed() -> Breaker:
    """Return a breaker whose probe is out."""
    breaker = Breaker()
    breaker.trip(now=EPOCH, seconds=OPEN_SECONDS)
    breaker.go()
    return breaker


def test_one_probe() -> None:
    """While the probe is out nothing else goes, and nobody knows for how long."""
    assert (State.HALF_OPEN, None) == (probed().state, probed().wait(now=EPOCH + 100))


def test_probe_succeeds() -> None:
    """A probe that is answered closes it, and the failures of before are forgotten."""
    breaker = probed()
    breaker.succeeded(now=EPOCH)
    for _ in range(LEAST_CALLS - 2):
        breaker.failed(now=EPOCH)

    assert State.CLOSED is breaker.state
    assert breaker.wait(now=EPOCH) == 0.0


def test_probe_fails() -> None:
    """A probe that fails opens it again, for the usual time."""
    breaker = probed()
    breaker.failed(now=EPOCH + 7)

    assert (State.OPEN, OPEN_SECONDS) == (breaker.state, breaker.wait(now=EPOCH + 7))


def test_closed_goes_on() -> None:
    """Sending through a closed breaker leaves it closed."""
    breaker = Breaker()
    breaker.go()

    assert State.CLOSED is breaker.state


def test_shorter_trip_never_cuts_longer() -> None:
    """Of two trips the later end counts."""
    breaker = Breaker()
    breaker.trip(now=EPOCH, seconds=60)
    breaker.trip(now=EPOCH + 1, seconds=5)

    assert 59.0 == breaker.wait(now=EPOCH + 1)


def test_trip_of_a_probe_counts_anew() -> None:
    """A probe that is told to wait opens it for that long, whatever was said before."""
    breaker = probed()
    breaker.trip(now=EPOCH + 5, seconds=1)

    assert 1.0 == breaker.wait(now=EPOCH + 5)


def test_retries_now() -> None:
    """When the cause may be mended the probe goes at once."""
    breaker = Breaker()
    breaker.trip(now=EPOCH, seconds=60)
    breaker.retry_now(now=EPOCH + 1)

    assert breaker.wait(now=EPOCH + 1) == 0.0


def test_retry_sends_no_second_probe() -> None:
    """While a probe is out there is nothing to hurry."""
    breaker = probed()
    breaker.retry_now(now=EPOCH)

    assert breaker.wait(now=EPOCH) is None


def test_late_failure_leaves_open() -> None:
    """An answer to a request from before it opened changes nothing."""
    breaker = after("x" * LEAST_CALLS)
    breaker.failed(now=EPOCH + 1)

    assert OPEN_SECONDS - 1 == breaker.wait(now=EPOCH + 1)


def test_late_success_leaves_open() -> None:
    """A platform that asked for silence gets it, though what was sent before is accepted meanwhile."""
    breaker = Breaker()
    breaker.trip(now=EPOCH, seconds=60)
    breaker.succeeded(now=EPOCH + 1)

    assert (State.OPEN, 59.0) == (breaker.state, breaker.wait(now=EPOCH + 1))
