"""Ten thousand records, good ones and mishaps, and where each of them ended."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from worker_process import WorkerProcess
from worker_scene import CONTRACT, DESTINATION, ENCODERS, Scene

from pipeline.demo.balance import Account, Seen, balance
from pipeline.demo.maker import TradeMaker
from pipeline.demo.people import MARKETS
from pipeline.demo.trade import Sample

RECORDS = 10_000


@pytest.fixture
def mixed(bootstrap_servers: str, tmp_path: Path) -> Iterator[Scene]:
    """A scene with orders, leads and activities, whose platform wants every store but one."""
    with Scene(bootstrap_servers, tmp_path, partitions={"order": 4, "lead": 2, "activity": 2}) as made:
        made.rule = {"stores": sorted({market.country.lower() for market in MARKETS})}
        made.limit(events_per_request=250)
        yield made


def test_every_record_is_accounted_for(mixed: Scene) -> None:
    """Every record is accepted, skipped or buried as it should be, all is committed, and the metrics add up."""
    trade = TradeMaker(CONTRACT, ENCODERS, seed=7, now=time.time()).make(RECORDS)
    for event_id in trade.refused_ids("meta"):
        mixed.sandbox.refuse(event_id)
    worker = mixed.start().wait_ready()
    for entries in (trade.day, trade.later):
        mixed.publish_all([of_any_destination(entry.at("meta")) for entry in entries])
        mixed.wait_settled(worker)

    assert [] == balance(mixed.published, account(mixed, worker))
    letters, kept = mixed.till.dead_letters(), mixed.sandbox.kept()
    assert len(kept) == worker.total("capi_events_accepted_total", DESTINATION)
    assert Counter(letter.reason for letter in letters) == by_reason(worker, "capi_events_dead_lettered_total")
    assert by_reason(worker, "capi_events_refused_total") == by_reason(worker, "capi_events_dead_lettered_total")
    assert 0 == worker.terminate()
    assert not [line for line in worker.logs if line["level"] in ("error", "critical")]


def of_any_destination(sample: Sample) -> Sample:
    """Return a record whose dead letter may name any destination: this scene's has a name of its own."""
    return replace(sample, expected=replace(sample.expected, destination=None))


def account(scene: Scene, worker: WorkerProcess) -> Account:
    """Gather what the worker, the platform and Kafka say became of the records."""
    return Account(
        consumed=int(worker.total("capi_records_consumed_total")),
        skipped=by_reason(worker, "capi_events_skipped_total"),
        accepted=[Seen(one.event_id, one.event_name, one.event_time) for one in scene.sandbox.kept()],
        letters=scene.till.dead_letters(),
        committed=scene.till.committed(),
        ends=scene.till.ends(),
        requests=scene.sandbox.requests(),
    )


def by_reason(worker: WorkerProcess, metric: str) -> Counter[str]:
    """Return a metric with the labels destination and reason by its reason."""
    counts: Counter[str] = Counter()
    for (name, *labels), value in worker.metrics().items():
        if name == metric:
            counts[labels[1]] += int(value)
    return counts
