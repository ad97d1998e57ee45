"""Receipts on a real broker: what is written is read again, and a closed one is marked where its receipt is."""

from __future__ import annotations

import uuid
from contextlib import closing
from typing import TYPE_CHECKING

from kafka_contracts import ATTEMPTS, TURN_SECONDS
from toy import delivery

from pipeline.config.kafka_settings import KafkaSettings, consumer_config, producer_config
from pipeline.core.ledger import Page
from pipeline.core.ports import Outbox, Posted
from pipeline.core.receipt import read_receipt, receipt_of
from pipeline.edge.archive import KafkaArchive
from pipeline.edge.outbox import KafkaOutbox
from pipeline.edge.secrets import Secrets
from pipeline.flow.filing import Filing, filing_posting
from pipeline.flow.follower import Closed, closed_posting

if TYPE_CHECKING:
    from conftest import MakeTopic

SECONDS = 20.0


def reported(outbox: Outbox[Filing] | Outbox[Closed]) -> list[Posted[Filing] | Posted[Closed]]:
    """Wait for the first reports."""
    for _ in range(ATTEMPTS):
        posted = outbox.reports(TURN_SECONDS)
        if posted:
            return list(posted)
    raise AssertionError("no report came")


def test_a_receipt_and_its_end(bootstrap_servers: str, make_topic: MakeTopic) -> None:
    """The largest receipt is acknowledged and reads as it was; its end lands in the partition that is asked for."""
    topic = make_topic(3)
    settings, secrets = KafkaSettings(bootstrap_servers=bootstrap_servers), Secrets(None, {})
    page = Page("orders", 1, 1)
    batch = [delivery(uuid.uuid4().hex, page=page, offset=number) for number in range(2000)]
    filing = Filing(receipt_of(batch, id_="r1", sent_at=1.0, group="g"), batch)
    receipts = KafkaOutbox(producer_config(settings, secrets), topic, filing_posting)
    receipts.send(filing)
    filed = reported(receipts)
    ends = KafkaOutbox(producer_config(settings, secrets), topic, closed_posting)
    for partition in range(3):
        ends.send(Closed(b"r1", partition))
        assert [Posted(Closed(b"r1", partition))] == reported(ends)
    with closing(KafkaArchive(consumer_config(settings, f"archive-{topic}", secrets))) as archive:
        places = [(topic, partition, offset) for partition in range(3) for offset in range(2)]
        found = archive.fetch(places, 3.0)
    records = [record for record in found.values() if record is not None]

    assert [Posted(filing)] == filed
    assert [filing.receipt] == [read_receipt(record.value) for record in records if record.value is not None]
    assert {0, 1, 2} == {record.partition for record in records if record.value is None}
    assert {b"r1"} == {record.key for record in records}
