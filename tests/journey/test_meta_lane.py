"""Meta's conformance cases that need the whole way: lane, HTTP and the sandbox's judgment."""

from __future__ import annotations

from dataclasses import replace

import pytest
from leaping_loop import leaping
from meta_events import NOW
from meta_journey import LIMITS, TOKEN, deliveries, journey, spoil

from pipeline.core.reason import Reason
from pipeline.flow.line import PATIENCE
from pipeline.sandbox.config import SandboxConfig
from pipeline.sandbox.contract import Failure
from pipeline.sandbox.controls import Rejection
from pipeline.sandbox.faults import ShortCount

# An order by phone: so short that bytes never limit a batch here.
SMALL = {"action_source": "PHONE", "touch": {}, "items": [], "customer": {"emails": ["jane@example.com"]}}
TIME_NOW = b'"event_time":1763712000'
TIME_OLD = b'"event_time":1763000000'


@pytest.mark.parametrize(("most", "expected"), [(1000, [1000, 1]), (500, [500, 500, 1])])
@leaping(NOW)
async def test_c36_batches(most: int, expected: list[int]) -> None:
    """1001 events are as few requests as the limit allows, in their order."""
    async with journey(limits=replace(LIMITS, events_per_request=most)) as way:
        way.offer(deliveries(way.page, 1001, SMALL))
        await way.until(1001)

        assert expected == [len(batch) for batch in way.batches]
        assert [f"e-{number}" for number in range(1001)] == way.sandbox.journal.event_ids


@leaping(NOW)
async def test_c36_lanes_keep_apart() -> None:
    """Two lanes at one sandbox mix neither datasets nor tokens."""
    async with journey(account="111") as ours, journey(account="222", token="EAAC-other", at=ours.sandbox) as theirs:
        for way in (ours, theirs):
            way.offer(deliveries(way.page, 3))
        await ours.until(3)
        await theirs.until(3)

        assert [("111", 3), ("222", 3)] == [
            (account, sum(entry.dataset == account for entry in ours.sandbox.journal.entries))
            for account in ("111", "222")
        ]
        for way, account, token in ((ours, "111", TOKEN), (theirs, "222", "EAAC-other")):
            (_, request), *_ = way.tap.requests
            assert (f"/{account}/events", f"Bearer {token}") == (request.url[-11:], request.headers["Authorization"])


@leaping(NOW)
async def test_c38_all_received() -> None:
    """When every event was counted, the offsets may be committed."""
    async with journey() as way:
        way.offer(deliveries(way.page, 8))
        await way.until(8)

        assert (8, 8) == (len(way.accepted), way.page.watermark())


@leaping(NOW)
async def test_c38_fewer_received() -> None:
    """When fewer were counted, none is taken for accepted or sent again, and nothing is committed before its letter."""
    async with journey() as way:
        way.sandbox.faults.add(ShortCount(1), count=1)
        way.offer(deliveries(way.page, 8))
        await way.until(8)

        assert ([], {Reason.UNCONFIRMED}, 1) == (way.accepted, set(way.reasons.values()), len(way.batches))
        assert 0 == way.page.watermark()
        way.bury()
        assert 8 == way.page.watermark()


@leaping(NOW)
async def test_c39_one_old_event() -> None:
    """One old event among eight costs no other: seven are delivered, one is refused, offsets move after both."""
    async with journey() as way:
        batch = deliveries(way.page, 8)
        spoil(batch[3], TIME_NOW, TIME_OLD)
        way.offer(batch)
        await way.until(8)

        assert ({"e-3": Reason.EXPIRED}, 7) == (way.reasons, len(way.sandbox.journal.event_ids))
        assert len(way.batches) <= 2 * 3 + 2
        assert (3, "2804003") == (way.page.watermark(), way.refused[0][1].subcode)
        way.bury()
        assert 8 == way.page.watermark()


@pytest.mark.parametrize("language", ["en", "fr"])
@leaping(NOW)
async def test_c40_suspect_first(language: str) -> None:
    """The event that the answer points at is asked alone, and the rest at once: three requests in all."""
    async with journey() as way:
        way.sandbox.controls.language = "fr" if language == "fr" else "en"
        batch = deliveries(way.page, 8)
        spoil(batch[3], b'"client_user_agent":"', b'"client_user_agent":7,"x":"')
        way.offer(batch)
        await way.until(8)

        assert [8, 1, 7] == [len(ids) for ids in way.batches]
        assert (["e-3"], {"e-3": Reason.REJECTED}, 7) == (way.batches[1], way.reasons, len(way.accepted))


@leaping(NOW)
async def test_c45_unknown_code() -> None:
    """A code that no table knows is tried three times, and only then held against the events, one by one."""
    async with journey() as way:
        way.sandbox.controls.rejections.append(Rejection("e-0", code=9999, subcode=None))
        way.offer(deliveries(way.page, 4))
        await way.until(4)

        sizes = [len(batch) for batch in way.batches]
        assert [4] * PATIENCE + [2] * PATIENCE + [1] * PATIENCE == sizes[: 3 * PATIENCE]
        assert ({"e-0": Reason.REJECTED}, "9999", 3) == (way.reasons, way.refused[0][1].code, len(way.accepted))


@pytest.mark.parametrize(
    "failure",
    [
        Failure(100, 2804003, error_data='"\\"null\\""'),
        Failure(100, 2804003, title="Horodatage trop ancien", detail="Un évènement est trop ancien."),
        Failure(100, None, message="Invalid parameter"),
    ],
    ids=["error_data", "french", "no subcode"],
)
@leaping(NOW)
async def test_c46_forms_of_an_error(failure: Failure) -> None:
    """However an error is dressed, its code decides: the batch is halved, and whoever is taken later is delivered."""
    async with journey() as way:
        way.sandbox.faults.add(failure, count=1)
        way.offer(deliveries(way.page, 4))
        await way.until(4)

        assert ([4, 2, 1, 1], 4, {}) == ([len(batch) for batch in way.batches], len(way.accepted), way.reasons)


@leaping(NOW)
async def test_c50_delivered_twice() -> None:
    """An event that Kafka brings again is sent once; its copy is settled as a duplicate."""
    async with journey() as way:
        way.offer(deliveries(way.page, 2))
        await way.until(2)
        again = deliveries(way.page, 2, first=2)
        for item, source in zip(again, deliveries(way.page, 2), strict=True):
            item.event_id, item.shaped = source.event_id, source.shaped
        way.offer(again)
        await way.until(4)

        assert ([["e-0", "e-1"]], ["e-0", "e-1"], 4) == (way.batches, sorted(way.duplicates), way.page.watermark())


@leaping(NOW)
async def test_c50_same_id_other_bytes() -> None:
    """An event with the same id and another content is no copy: it goes, and Meta decides."""
    async with journey() as way:
        way.offer(deliveries(way.page, 1))
        await way.until(1)
        (other,) = deliveries(way.page, 1, {"value": "1.00"}, first=1)
        spoil(other, b'"e-1"', b'"e-0"')
        other.event_id, other.record.value = "e-0", b"another record"
        way.offer([other])
        await way.until(2)

        assert (2, [], ["e-0"]) == (len(way.batches), way.duplicates, way.sandbox.journal.event_ids)


@leaping(NOW)
async def test_poisons_among_many() -> None:
    """Three events that only the platform refuses, among 256, cost at most 2·k·log2(n) + 2 requests."""
    async with journey(SandboxConfig(rejections=[Rejection("e-17"), Rejection("e-18"), Rejection("e-200")])) as way:
        way.offer(deliveries(way.page, 256))
        await way.until(256)

        assert ({"e-17", "e-18", "e-200"}, 253) == (set(way.reasons), len(way.sandbox.journal.event_ids))
        assert len(way.batches) <= 2 * 3 * 8 + 2
