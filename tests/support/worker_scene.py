"""All that a worker needs around it: topics on a broker, the sandbox, files; and the judgment of what became of it.

Judged by sets: the sandbox's journal by event id, the dead-letter topic by coordinates, the group's committed offsets.
"""

from __future__ import annotations

import json
import time
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Self

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]
from sandbox_thread import SandboxThread
from worker_process import READY_SECONDS, WorkerProcess

from pipeline.core.avro.encode import Encoder
from pipeline.core.contract import Kind
from pipeline.core.reason import Reason
from pipeline.demo.balance import Letter, Partition, Position, Published
from pipeline.demo.shop import Draft, Shop
from pipeline.demo.till import Till
from pipeline.demo.trade import Expected, Sample
from pipeline.edge.schema_files import load_contract, schema_texts

DESTINATION = "meta-journey"
DATASET = "123456789012345"
SECRET = "meta_token"
SETTLE_SECONDS = 60.0
# Small enough that a journey has a middle: some batches are out while others wait.
LIMITS: Mapping[str, float] = {
    "events_per_request": 50,
    "requests_per_second": 200,
    "linger_seconds": 0.05,
    "timeout_seconds": 2,
}
ORDERS: Mapping[Kind, int] = {"order": 4}
CONTRACT = load_contract()
ENCODERS: Mapping[Kind, Encoder] = {kind: Encoder(text) for kind, text in schema_texts().items()}


class Scene:
    """Topics (one of orders with four partitions, unless told), one platform, one group. It kills its workers."""

    def __init__(self, servers: str, folder: Path, *, partitions: Mapping[Kind, int] = ORDERS) -> None:
        name = f"journey-{uuid.uuid4().hex[:12]}"
        self.servers, self.folder, self.partitions = servers, folder, partitions
        self.topics: dict[Kind, str] = {kind: f"{name}.{kind}s" for kind in partitions}
        self.rule: Mapping[str, object] = {}
        self.program: Sequence[str] = ("-m", "pipeline")
        self.group, self.dead_letters = name, f"{name}.dead-letters"
        self.token = f"EAAjourney{uuid.uuid4().hex}"
        self.published: list[Published] = []
        self.admin = AdminClient({"bootstrap.servers": servers})
        self.shop = Shop(Random(1), time.time(), CONTRACT.schemas)
        self._stack = ExitStack()
        (folder / "secrets").mkdir()
        self.write_secret(SECRET, self.token)
        self.settings = self._settings(name)

    def __enter__(self) -> Self:
        self.sandbox = self._stack.enter_context(SandboxThread(self.folder / "journal.ndjson", self.token))
        self.limit()
        for kind, count in self.partitions.items():
            self.create_topic(self.topics[kind], count)
        # When a letter is there is what the broker says, not the worker.
        self.create_topic(self.dead_letters, 2, {"message.timestamp.type": "LogAppendTime"})
        till = Till(self.servers, group=self.group, topics=self.topics, dead_letters=self.dead_letters)
        self.till = self._stack.enter_context(closing(till))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        # On a broker that is not ours nothing stays behind; one that is missing by now is none to delete.
        for done in self.admin.delete_topics([*self.topics.values(), self.dead_letters]).values():
            done.exception()

    # -- arranging -------------------------------------------------------------------------------------------------

    @property
    def platform_url(self) -> str:
        """Where workers find the platform."""
        return self.sandbox.url

    def create_topic(self, name: str, partitions: int, config: Mapping[str, str] | None = None) -> None:
        """Create a topic, and wait until clients see all of it."""
        self.admin.create_topics([NewTopic(name, partitions, config=dict(config or {}))])[name].result()
        deadline = time.monotonic() + READY_SECONDS
        while len(self.admin.list_topics(name, timeout=10).topics[name].partitions) < partitions:
            assert time.monotonic() < deadline, f"{name} is not visible"
            time.sleep(0.01)

    def delete_topic(self, name: str) -> None:
        """Delete a topic, and wait until it is gone."""
        self.admin.delete_topics([name])[name].result()
        deadline = time.monotonic() + READY_SECONDS
        while name in self.admin.list_topics(timeout=10).topics:
            assert time.monotonic() < deadline, f"{name} is still there"
            time.sleep(0.01)

    def expire(self, first: Mapping[Partition, int]) -> None:
        """Let Kafka forget the records before these offsets, as retention does."""
        gone = [TopicPartition(topic, partition, offset) for (topic, partition), offset in first.items()]
        for done in self.admin.delete_records(gone).values():
            done.result()

    def write_secret(self, name: str, value: str) -> None:
        """Write a secret as Kubernetes rotates it: the file is another one at once."""
        written = self.folder / f".{name}"
        written.write_text(f"{value}\n", encoding="utf-8")
        written.replace(self.folder / "secrets" / name)

    def limit(self, **limits: float) -> None:
        """Write the destinations file with these limits beside the usual ones."""
        destination = {
            "name": DESTINATION,
            "platform": "meta",
            "account": DATASET,
            "mode": "live",
            "rule": self.rule,
            "limits": {**LIMITS, **limits},
            "secrets": {"token": SECRET},
            "options": {"base_url": self.platform_url},
        }
        text = json.dumps({"version": 1, "destinations": [destination]}, indent=1)
        (self.folder / "destinations.yaml").write_text(text, encoding="utf-8")

    def start(self, name: str = "worker", **changes: str) -> WorkerProcess:
        """Start a worker with the scene's settings and these changes, and do not wait for it."""
        return self._stack.enter_context(WorkerProcess(name, self.folder, {**self.settings, **changes}, self.program))

    def draft(self) -> Draft:
        """Make up one good order."""
        return self.shop.order()

    def samples(self, count: int) -> list[Sample]:
        """Make good orders, each with an id of its own."""
        drafts = [self.draft() for _ in range(count)]
        return [
            Sample(
                kind="order",
                key=draft.id.encode(),
                value=ENCODERS["order"].encode(draft.event),
                headers=(("traceparent", b"00-journey"),),
                story="a good order",
                expected=Expected("accepted", None, draft.event_id, "Purchase", draft.event_time),
            )
            for draft in drafts
        ]

    def publish(self, count: int) -> list[Published]:
        """Publish good orders."""
        return self.publish_all(self.samples(count))

    def publish_broken(self, count: int) -> list[Published]:
        """Publish bytes that are no Avro, for the dead letters."""
        doomed = Expected("dead-lettered", Reason.UNDECODABLE)
        samples = self.samples(count)
        return self.publish_all([replace(one, value=b"\xff" * 24, expected=doomed) for one in samples])

    def publish_all(self, samples: Sequence[Sample]) -> list[Published]:
        """Publish any records, and expect of them what they say."""
        published = self.till.publish(samples)
        self.published += published
        return published

    # -- waiting ---------------------------------------------------------------------------------------------------

    def wait_kept(self, worker: WorkerProcess, least: int) -> None:
        """Wait until the platform has accepted so many events."""
        worker.wait_until(lambda: len(self.sandbox.kept()) >= least, SETTLE_SECONDS, f"delivered {least} events")

    def wait_settled(self, worker: WorkerProcess, timeout: float = SETTLE_SECONDS) -> None:
        """Wait until the group has committed the end of every partition."""
        ends = self.till.ends()
        worker.wait_until(lambda: self.till.committed() == ends, timeout, f"committed {ends}")

    # -- judging ---------------------------------------------------------------------------------------------------

    def faults(self) -> list[str]:
        """Return everything that is not as it should be once all is settled. Duplicates are no fault."""
        kept = {one.event_id for one in self.sandbox.kept()}
        wanted = {one.sample.expected.event_id for one in self._meant("accepted")}
        letters = {letter.origin: letter for letter in self.till.dead_letters()}
        doomed = {one.position: one.sample for one in self._meant("dead-lettered")}
        committed, ends = self.till.committed(), self.till.ends()
        return [
            *_said("never reached the platform", wanted - kept),
            *_said("should not have reached the platform", kept - wanted),
            *_said("is no dead letter", doomed.keys() - letters.keys()),
            *_said("is a dead letter, and should not be", letters.keys() - doomed.keys()),
            *_said("was buried other than published", _changed(doomed, letters)),
            *_said("is not committed to its end", (place for place in ends if committed[place] != ends[place])),
            *_said("reached the platform with different bytes", self._changing()),
        ]

    def overcommitted(self) -> list[Position]:
        """Return the records below a committed offset that neither the platform nor the dead letters have."""
        # In this order: what settles meanwhile must not look like a fault.
        committed: Mapping[Partition, int] = self.till.committed()
        kept = {one.event_id for one in self.sandbox.kept()}
        buried = {letter.origin for letter in self.till.dead_letters()}
        return [
            one.position
            for one in self.published
            if one.position[2] < committed[one.position[:2]]
            and one.sample.expected.event_id not in kept
            and one.position not in buried
        ]

    def duplicates(self) -> int:
        """Return how many events reached the platform more often than once, with every copy."""
        kept = self.sandbox.kept()
        return len(kept) - len({one.event_id for one in kept})

    def _meant(self, outcome: str) -> list[Published]:
        return [one for one in self.published if one.sample.expected.outcome == outcome]

    def _changing(self) -> list[str]:
        versions: dict[str, set[tuple[str, int]]] = defaultdict(set)
        for one in self.sandbox.kept():
            versions[one.event_id].add((one.sha256, one.event_time))
        return [event_id for event_id, seen in versions.items() if len(seen) > 1]

    def _settings(self, name: str) -> dict[str, str]:
        return {
            "CAPI_ENVIRONMENT": "test",
            "CAPI_WORKER_NAME": name,
            "CAPI_GROUP": self.group,
            "CAPI_KAFKA_BOOTSTRAP_SERVERS": self.servers,
            "CAPI_KAFKA_SESSION_TIMEOUT_SECONDS": "6",
            "CAPI_SOURCE_TOPICS": ",".join(f"{topic}={kind}" for kind, topic in self.topics.items()),
            "CAPI_DEAD_LETTERS_TOPIC": self.dead_letters,
            "CAPI_DESTINATIONS_FILE": str(self.folder / "destinations.yaml"),
            "CAPI_SECRETS_DIR": str(self.folder / "secrets"),
            "CAPI_INTAKE_COMMIT_INTERVAL_SECONDS": "0.1",
        }


def _changed(published: Mapping[Position, Sample], letters: Mapping[Position, Letter]) -> list[Position]:
    return [
        place
        for place in published.keys() & letters.keys()
        if (published[place].key, published[place].value, published[place].expected.reason)
        != (letters[place].key, letters[place].value, letters[place].reason)
    ]


def _said(what: str, found: Iterable[object]) -> list[str]:
    names = sorted(map(str, found))
    return [f"{len(names)} x {what}: {', '.join(names[:3])}"] if names else []
