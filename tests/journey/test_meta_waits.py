"""Meta's conformance cases in which the lane waits or halts and no event is to blame, over the whole way."""

from __future__ import annotations

import pytest
from leaping_loop import leaping
from meta_events import DAY, NOW
from meta_journey import TOKEN, deliveries, journey

from pipeline.core.reason import Reason
from pipeline.core.signals import LaneHalted, LaneResumed, LaneWaiting
from pipeline.flow.line import HALT_SECONDS
from pipeline.sandbox.config import SandboxConfig
from pipeline.sandbox.contract import Failure
from pipeline.sandbox.faults import Close, Effect, Reset, Silence, Status, Token, Unavailable


@pytest.mark.parametrize(
    ("code", "subcode", "seconds"),
    [(4, 1504022, 60), (17, 2446079, 90), (613, 1487742, 90), (80004, 2446079, 120)],
)
@leaping(NOW)
async def test_c41_throttle(code: int, subcode: int, seconds: int) -> None:
    """A throttle refuses nothing: the lane waits as long as the headers say, then sends the same bytes."""
    async with journey() as way:
        way.sandbox.controls.usage.replace({"regain_minutes": 2, "reset_seconds": 90})
        way.sandbox.faults.add(Failure(code, subcode), count=1)
        way.offer(deliveries(way.page, 3))
        await way.until(3)

        assert ([seconds], [], 3) == (way.pauses, way.refused, len(way.accepted))
        assert way.bodies[0] == way.bodies[1]
        assert [Reason.THROTTLED] == [signal.reason for signal in way.teller.of(LaneWaiting)]


@leaping(NOW)
async def test_c41_throttle_silences_the_lane() -> None:
    """What comes in during a throttle waits too: the platform spoke to the account, not to a batch."""
    async with journey() as way:
        way.sandbox.controls.usage.replace({"regain_minutes": 2})
        way.sandbox.faults.add(Failure(80004), count=1)
        way.offer(deliveries(way.page, 1))
        await way.until_true(lambda: way.lane.status.state == "waiting")
        way.offer(deliveries(way.page, 1, first=1))
        await way.until(2)

        assert ([120], ["e-0"]) == (way.pauses[:1], way.batches[1])


@pytest.mark.parametrize("subcode", [None, 460, 463, 467])
@leaping(NOW)
async def test_c42_dead_token(subcode: int | None) -> None:
    """A dead token halts the lane and calls for a person, once; nothing is refused and nothing committed."""
    async with journey() as way:
        way.sandbox.faults.add(Token(subcode))
        way.offer(deliveries(way.page, 3))
        await way.until_true(lambda: len(way.tap.requests) >= 3)

        assert ("halted", Reason.UNAUTHORIZED) == (way.lane.status.state, way.lane.status.reason)
        assert ([], [], 0) == (way.accepted, way.refused, way.page.watermark())
        assert ([Reason.UNAUTHORIZED], [HALT_SECONDS] * 2) == (
            [signal.reason for signal in way.teller.of(LaneHalted)],
            way.pauses[:2],
        )


@leaping(NOW)
async def test_c42_rotated_token() -> None:
    """A rotated token is tried at once, without a restart, and the same events go."""
    async with journey(SandboxConfig(tokens=["new"], expired_tokens=[TOKEN])) as way:
        way.offer(deliveries(way.page, 3))
        await way.until_true(lambda: way.lane.status.state == "halted")
        way.secrets.rotate("meta_token", "new")
        way.lane.secrets_changed()
        await way.until(3)

        assert ([0], 3, 3) == (way.pauses, len(way.accepted), way.page.watermark())
        assert ("running", 1) == (way.lane.status.state, len(way.teller.of(LaneResumed)))


@leaping(NOW)
async def test_c43_unknown_dataset() -> None:
    """A dataset that is not there halts the lane in the same way, and it goes on when it is."""
    async with journey(SandboxConfig(datasets=["999"])) as way:
        way.offer(deliveries(way.page, 3))
        await way.until_true(lambda: way.lane.status.state == "halted")
        halted = (way.lane.status.reason, way.refused, way.page.watermark())
        way.sandbox.controls.access.replace({"datasets": ["123"]})
        await way.until(3)

        assert ((Reason.MISCONFIGURED, [], 0), 3) == (halted, way.page.watermark())


@pytest.mark.parametrize(
    "effect",
    [
        Status(500),
        Status(502),
        Failure(1),
        Failure(2, status=503),
        Failure(9999, transient=True),
        Unavailable(),
        Silence(stored=True),
        Silence(stored=False),
        Close(stored=True),
        Reset(stored=True),
    ],
    ids=repr,
)
@leaping(NOW)
async def test_c44_outage(effect: Effect) -> None:
    """An outage of any kind blames nobody: the same bytes go again, and no event counts twice."""
    async with journey() as way:
        way.sandbox.faults.add(effect, count=2)
        way.offer(deliveries(way.page, 4))
        await way.until(4)

        assert (4, {}, 4) == (len(way.accepted), way.reasons, len(way.sandbox.journal.event_ids))
        assert (3, 1) == (len(way.bodies), len(set(way.bodies)))


@leaping(NOW + 7 * DAY - 1800 - 60 - 30)
async def test_c47_ages_while_it_waits() -> None:
    """An event that gets too old during a throttle is refused as expired; the rest is sent without it."""
    async with journey() as way:
        way.sandbox.controls.usage.replace({"regain_minutes": 2})
        way.sandbox.faults.add(Failure(80004), count=1)
        old = deliveries(way.page, 1)
        young = deliveries(way.page, 2, {"occurred_at": "2025-11-21T08:05:00Z"}, first=1)
        way.offer([*old, *young])
        await way.until(3)

        assert ([["e-0", "e-1", "e-2"], ["e-1", "e-2"]], {"e-0": Reason.EXPIRED}) == (way.batches, way.reasons)
        assert ["e-1", "e-2"] == way.sandbox.journal.event_ids


@leaping(NOW)
async def test_c49_malformed_usage() -> None:
    """Usage headers that are no JSON change nothing."""
    async with journey() as way:
        way.sandbox.controls.usage.replace({"malformed": True})
        way.offer(deliveries(way.page, 3))
        await way.until(3)

        assert (1, 3) == (len(way.batches), len(way.accepted))
