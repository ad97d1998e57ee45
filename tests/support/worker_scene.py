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
from lanes import META, Lane
from sandbox_thread import Kept, SandboxThread
from worker_process import READY_SECONDS, WorkerProcess

from pipeline.core.avro.encode import Encoder
from pipeline.core.contract import Kind
from pipeline.core.reason import Reason
from pipeline.demo.balance import Letter, Partition, Position, Published
from pipeline.demo.shop import Draft, Shop
from pipeline.demo.till import Till
from pipeline.demo.trade import Expected, Sample
from pipeline.edge.schema_files import load_contract, schema_texts
from pipeline.sandbox.config import SandboxConfig

DESTINATION = META.destination
DATASET = META.account
SECRET = META.secret_name
SETTLE_SECONDS = 60.0
DAY_SECONDS = 86_400.0
# An age limit is applied so much early.
MARGIN_SECONDS = 1800.0
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
    """Topics (one of orders with four partitions, unless told), one group, and platforms. It kills its workers.

    `lanes` are the destinations; what is published is judged by the first of them, unless another is named.
    """

    def __init__(
        self,
        servers: str,
        folder: Path,
        *,
        partitions: Mapping[Kind, int] = ORDERS,
        lanes: Sequence[Lane] = (META,),
    ) -> None:
        name = f"journey-{uuid.uuid4().hex[:12]}"
        self.servers, self.folder, self.partitions = servers, folder, partitions
        self.topics: dict[Kind, str] = {kind: f"{name}.{kind}s" for kind in partitions}
        self.rule: Mapping[str, object] = {}
        self.program: Sequence[str] = ("-m", "pipeline")
        self.group, self.dead_letters = name, f"{name}.dead-letters"
        self.lanes, self.lane = lanes, lanes[0]
        self.secrets = {lane.platform: lane.new_secret() for lane in lanes}
        # What nobody may say: of every secret that there ever was.
        self.hidden = [text for secret in self.secrets.values() for text in secret.hidden]
        self.published: list[Published] = []
        self._drafts: dict[bytes, Draft] = {}
        self.admin = AdminClient({"bootstrap.servers": servers})
        self.shop = Shop(Random(1), time.time(), CONTRACT.schemas)
        self._stack = ExitStack()
        (folder / "secrets").mkdir()
        for lane in lanes:
            self.write_secret(lane.secret_name, self.secrets[lane.platform].written)
        # Where a platform decides later: what it gave receipts for, and what is to be sent again.
        self.follow_ups = [f"{name}.receipts", f"{name}.replay"] if any(lane.grants for lane in lanes) else []
        self.settings = self._settings(name)

    def __enter__(self) -> Self:
        keys = [self.secrets[lane.platform].known for lane in self.lanes if lane.grants]
        config = SandboxConfig(tokens=self._tokens, google_public_key=keys[0] if keys else None)
        self.sandbox = self._stack.enter_context(SandboxThread(self.folder / "journal.ndjson", config))
        self.limit()
        for kind, count in self.partitions.items():
            self.create_topic(self.topics[kind], count)
        # When a letter is there is what the broker says, not the worker.
        self.create_topic(self.dead_letters, 2, {"message.timestamp.type": "LogAppendTime"})
        for topic in self.follow_ups:
            self.create_topic(topic, 1)
        till = Till(self.servers, group=self.group, topics=self.topics, dead_letters=self.dead_letters)
        self.till = self._stack.enter_context(closing(till))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        # On a broker that is not ours nothing stays behind; one that is missing by now is none to delete.
        for done in self.admin.delete_topics([*self.topics.values(), self.dead_letters, *self.follow_ups]).values():
            done.exception()

    # -- arranging -------------------------------------------------------------------------------------------------

    @property
    def platform_url(self) -> str:
        """Where workers find the platform."""
        return self.sandbox.url

    @property
    def token(self) -> str:
        """What the platform of the first lane knows the worker by."""
        return self.secrets[self.lane.platform].known

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

    def revoke_secret(self) -> None:
        """Let the first platform know the secret no more, but its successor, which is not on disk yet."""
        lane, old = self.lane, self.token
        self.secrets[lane.platform] = lane.new_secret()
        self.hidden += self.secrets[lane.platform].hidden
        if lane.grants:
            self.sandbox.trust(self.token)
            self.sandbox.let_in(self._tokens, revoked=self.sandbox.issued())
        else:
            self.sandbox.let_in(self._tokens, revoked=[] if lane.unknown else [old])

    def rotate_secret(self) -> None:
        """Put on disk what the first platform knows the worker by."""
        self.write_secret(self.lane.secret_name, self.secrets[self.lane.platform].written)

    def limit(self, **limits: float) -> None:
        """Write the destinations file with these limits beside the usual ones."""
        entries = [lane.entry(self.platform_url, self.rule, {**LIMITS, **limits}) for lane in self.lanes]
        text = json.dumps({"version": 1, "destinations": entries}, indent=1)
        (self.folder / "destinations.yaml").write_text(text, encoding="utf-8")

    def start(self, name: str = "worker", **changes: str) -> WorkerProcess:
        """Start a worker with the scene's settings and these changes, and do not wait for it."""
        return self._stack.enter_context(WorkerProcess(name, self.folder, {**self.settings, **changes}, self.program))

    def draft(self) -> Draft:
        """Make up one good order that every lane takes."""
        while True:
            draft = self.shop.order()
            if all(lane.takes(draft) for lane in self.lanes):
                return draft

    def draft_on_the_web(self) -> Draft:
        """Make up one order of the website: all of these may share a request, everywhere."""
        while True:
            draft = self.draft()
            if draft.event["action_source"] == "WEBSITE":
                return draft

    def aged(self, seconds: float) -> Sample:
        """Make an order of the website, without a click, that the worker may send for so many seconds from now."""
        draft = self.draft_on_the_web()
        oldest = time.time() - self.lane.most_days * DAY_SECONDS + MARGIN_SECONDS
        draft.event["occurred_at"] = int((oldest + seconds) * 1000)
        draft.event["consent"]["recorded_at"] = None
        draft.event["touch"]["gclid"] = None
        return self.sample(draft)

    def samples(self, count: int) -> list[Sample]:
        """Make good orders, each with an id of its own."""
        return [self.sample(self.draft()) for _ in range(count)]

    def sample(self, draft: Draft) -> Sample:
        """Make the record of a good order."""
        key = draft.id.encode()
        self._drafts[key] = draft
        return Sample(
            kind="order",
            key=key,
            value=ENCODERS["order"].encode(draft.event),
            headers=(("traceparent", b"00-journey"),),
            story="a good order",
            expected=self.lane.expected(draft),
        )

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
        worker.wait_until(lambda: len(self.kept()) >= least, SETTLE_SECONDS, f"delivered {least} events")

    def wait_settled(self, worker: WorkerProcess, timeout: float = SETTLE_SECONDS) -> None:
        """Wait until the group has committed the end of every partition."""
        ends = self.till.ends()
        worker.wait_until(lambda: self.till.committed() == ends, timeout, f"committed {ends}")

    # -- judging ---------------------------------------------------------------------------------------------------

    def kept(self, lane: Lane | None = None) -> list[Kept]:
        """Return what a lane's platform has accepted, duplicates included."""
        platform = (lane or self.lane).platform
        return [one for one in self.sandbox.kept() if one.platform == platform]

    def published_to(self, lane: Lane) -> list[Published]:
        """Return what was published, with what must become of it at `lane`: for another than the first all is good."""
        if lane is self.lane:
            return self.published
        return [
            replace(one, sample=replace(one.sample, expected=lane.expected(self._drafts[one.sample.key])))
            for one in self.published
        ]

    def faults(self) -> list[str]:
        """Return everything that is not as it should be once all is settled. Duplicates are no fault."""
        kept = {one.event_id for one in self.kept()}
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
        kept = {one.event_id for one in self.kept()}
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
        kept = self.kept()
        return len(kept) - len({one.event_id for one in kept})

    def _meant(self, outcome: str) -> list[Published]:
        return [one for one in self.published if one.sample.expected.outcome == outcome]

    def _changing(self) -> list[str]:
        versions: dict[str, set[tuple[str, int]]] = defaultdict(set)
        for one in self.kept():
            versions[one.event_id].add((one.sha256, one.event_time))
        return [event_id for event_id, seen in versions.items() if len(seen) > 1]

    @property
    def _tokens(self) -> list[str]:
        return [self.secrets[lane.platform].known for lane in self.lanes if not lane.grants]

    def _settings(self, name: str) -> dict[str, str]:
        names = ("CAPI_RECEIPTS_TOPIC", "CAPI_REPLAY_TOPIC")
        return {
            **dict(zip(names, self.follow_ups, strict=False)),
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
