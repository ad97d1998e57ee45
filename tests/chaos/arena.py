"""One chaos run: a scene on the cluster, with the network's faults in between, everybody watched, and the judgement.

All that is random comes from one seed. All that workers say is kept, and searched for what must never be said.
"""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Final, Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
from evidence import gather, patiently
from fault_proxy import FaultProxy
from inner import MUTANT_VARIABLE, ORDERS_VARIABLE, Orders
from judge import Judgement, Partition, judge
from kafka_cluster import KafkaCluster
from lanes import META, Lane
from typing_extensions import override
from watch import Watch
from worker_process import END_SECONDS, WorkerError, WorkerProcess, command
from worker_scene import SETTLE_SECONDS, Scene

from pipeline.core.contract import Body
from pipeline.core.reason import Reason
from pipeline.demo.shop import Draft
from pipeline.demo.trade import Expected

LAUNCHER = Path(__file__).with_name("launch.py")
PARTITIONS: Final = 6
# The platform takes longer than the time between two commits: a faster one would hide what is committed too early.
SLOW: Final[Mapping[str, object]] = {"seconds": 0.25, "jitter": 0.25}
CANARY: Final = "canary"
CANARY_PHONE: Final = "+4477009009"
CANARY_ADDRESS: Final = "198.51.100.77"
_SETTLED: Final = re.compile(r'"timestamp":"([^"]+)","level":"[a-z]+","event":"(?:batch_accepted|buried)"')
_SAID: Final = re.compile(
    rf"{CANARY}|4477009009|{re.escape(CANARY_ADDRESS)}|(?<![0-9a-f])[0-9a-f]{{64}}(?![0-9a-f])", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Report:
    """What a run showed: at the first lane, and what was wrong `elsewhere`, where there are more.

    Seconds are from the end of a fault to the first event settled after it.
    """

    records: int
    letters: int
    judgement: Judgement
    elsewhere: Sequence[str]
    leaks: Sequence[str]
    kills: int
    recovery_seconds: Sequence[float]
    peak_megabytes: float
    figures: Mapping[str, float]

    @property
    def faults(self) -> list[str]:
        """Everything that must not be."""
        return [*self.judgement.faults, *self.elsewhere, *self.leaks]


class Arena(Scene):
    """A scene of one topic with six partitions; workers are slowed, watched, and broken by `mutant` if there is one.

    Whoever is judged is the first of `lanes`; all of them send.
    """

    def __init__(
        self,
        cluster: KafkaCluster,
        folder: Path,
        *,
        seed: int,
        mutant: str = "",
        lanes: Sequence[Lane] = (META,),
    ) -> None:
        super().__init__(cluster.servers, folder, partitions={"order": PARTITIONS}, lanes=lanes)
        self.cluster = cluster
        self.chance = Random(seed)
        self.orders = Orders(folder / "orders")
        self.program = (str(LAUNCHER),)
        # Whether workers know the platform by its name, so that it has to be resolved.
        self.by_name = False
        self.kills = 0
        # Further figures of a scenario, for the table.
        self.figures: dict[str, float] = {}
        self.watch = Watch()
        self.workers: list[WorkerProcess] = []
        self.proxy: FaultProxy | None = None
        self._planted = 0
        self._healed_at: list[float] = []
        self._said: list[str] = []
        self._seed = seed
        self.settings |= {
            "CAPI_LOG_LEVEL": "debug",
            # What is buried here is buried on purpose; that the budget holds is shown elsewhere.
            "CAPI_DEAD_LETTERS_BUDGET_RATIO": "0.95",
            "CAPI_SECRET_UNUSED": f"EAA{CANARY}environment",
            ORDERS_VARIABLE: str(self.orders.folder),
            MUTANT_VARIABLE: mutant,
        }

    @override
    def __enter__(self) -> Self:
        self.cluster.heal()
        super().__enter__()
        self.proxy = self._stack.enter_context(FaultProxy(self.sandbox.port, seed=self._seed))
        self._stack.enter_context(self.watch)
        self.limit()
        self.slow_down()
        return self

    @override
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self.workers:
            worker.kill()
        try:
            self.cluster.heal()
        finally:
            super().__exit__(kind, error, trace)

    @property
    @override
    def platform_url(self) -> str:
        if self.proxy is None:
            return self.sandbox.url
        return self.proxy.url.replace("127.0.0.1", "localhost") if self.by_name else self.proxy.url

    @property
    def network(self) -> FaultProxy:
        """The way from the workers to the platform."""
        if self.proxy is None:
            raise RuntimeError("the arena is not open")
        return self.proxy

    # -- arranging -------------------------------------------------------------------------------------------------

    def slow_down(self, **latency: object) -> None:
        """Let the platform take its time over every answer, longer than the time between two commits."""
        self.sandbox.add_fault("latency", **{**SLOW, **latency})

    def speed_up(self) -> None:
        """End every fault of the platform, its slowness too."""
        self.sandbox.clear_faults()

    @override
    def start(self, name: str = "worker", **changes: str) -> WorkerProcess:
        worker = super().start(f"{name}-{len(self.workers)}", **changes)
        self.workers.append(worker)
        self.watch.over(worker)
        return worker

    def static(self, number: int = 0) -> dict[str, str]:
        """Return settings of static membership: who comes back under it need not wait for the killed one's session."""
        return {"CAPI_KAFKA_GROUP_INSTANCE_ID": f"{self.group}-{number}"}

    @override
    def draft(self) -> Draft:
        """Make up one good order whose customer is all canaries."""
        draft = super().draft()
        self._planted += 1
        _plant(draft.event, self._planted)
        return draft

    def publish_mixed(self, count: int, *, broken: int) -> None:
        """Publish good orders with so many unreadable records evenly among them."""
        samples = self.samples(count)
        for index in range(0, count, count // broken):
            samples[index] = replace(samples[index], value=b"\xff" * 24, expected=doomed(Reason.UNDECODABLE))
        self.publish_all(samples)

    def publish_refused(self, count: int, *, among: int) -> None:
        """Publish orders of which the platform refuses `count`, evenly spread, and nobody else could tell."""
        samples = self.samples(among)
        for index in range(0, among // count * count, among // count):
            event_id = samples[index].expected.event_id
            self.sandbox.refuse(event_id)
            samples[index] = replace(samples[index], expected=doomed(Reason.REJECTED, event_id))
        self.publish_all(samples)

    # -- acting ----------------------------------------------------------------------------------------------------

    def kill(self, worker: WorkerProcess) -> None:
        """End a worker as a crash of its machine would."""
        self.hear(worker)
        self.kills += 1
        worker.kill()

    def settle(self, worker: WorkerProcess, timeout: float = SETTLE_SECONDS) -> None:
        """Wait until everything is committed, with patience for brokers that do not answer just now."""
        ends = patiently(self.till.ends)
        worker.wait_until(lambda: self._asked(self.till.committed) == ends, timeout, f"committed {ends}")
        self.hear(worker)

    def healed(self) -> None:
        """Note that a fault is over now: from here the recovery is timed."""
        self._healed_at.append(time.time())

    def hear(self, worker: WorkerProcess) -> None:
        """Keep what a worker says besides its log, for the search."""
        if worker.running:
            with suppress(OSError):
                self._said += [worker.exposition(), str(worker.readyz())]

    def wait_delivered(self, worker: WorkerProcess, least: int) -> None:
        """Wait until this worker has had so many events accepted; what others sent before does not count."""
        name = self.lane.destination
        worker.wait_until(
            lambda: worker.total("capi_events_accepted_total", name) >= least,
            SETTLE_SECONDS,
            f"delivered {least} events",
        )

    def abandoned(self, worker: WorkerProcess) -> float:
        """Return how many records a worker has left open when it gave partitions up."""
        return worker.total("capi_records_abandoned_total")

    def set_topic(self, topic: str, name: str, value: str) -> None:
        """Change one configuration of a topic."""
        entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
        for done in self.admin.incremental_alter_configs([resource]).values():
            done.result()

    # -- judging ---------------------------------------------------------------------------------------------------

    def end(self) -> None:
        """Let every worker end in order, so that what it would still do wrong is done before the judgement."""
        for worker in self.workers:
            self.hear(worker)
            if worker.running:
                worker.signal(signal.SIGCONT)
                worker.signal(signal.SIGTERM)
        for worker in self.workers:
            with suppress(WorkerError):
                worker.exit_code(END_SECONDS)

    def report(self, *, complete: bool = True) -> Report:
        """Judge everything that was published up to now."""
        found = gather(self, complete=complete)
        judgements = {platform: judge(evidence) for platform, evidence in found.items()}
        letters = found[self.lane.platform].buried
        said = [
            *self._said,
            *(worker.output for worker in self.workers),
            *(str(letter.headers) for evidence in found.values() for letter in evidence.buried),
            command(self.settings, "config")[1],
        ]
        return Report(
            records=len(self.published),
            letters=len(letters),
            judgement=judgements.pop(self.lane.platform),
            elsewhere=[f"{name}: {fault}" for name, one in judgements.items() for fault in one.faults],
            leaks=self._leaks(said),
            kills=self.kills,
            recovery_seconds=_recovery(self._healed_at, self._settled_at()),
            peak_megabytes=self.watch.peak_megabytes,
            figures=self.figures,
        )

    def _settled_at(self) -> list[float]:
        """Return when workers told of something accepted or buried: the platform also has what a killed one sent."""
        told = (match.group(1) for worker in self.workers for match in _SETTLED.finditer(worker.output))
        return [datetime.fromisoformat(moment).timestamp() for moment in told]

    @staticmethod
    def _asked(ask: Callable[[], dict[Partition, int]]) -> dict[Partition, int] | None:
        """Return what Kafka answers, or nothing while it has no answer."""
        try:
            return ask()
        except KafkaException:
            return None

    def _leaks(self, said: Iterable[str]) -> list[str]:
        said = list(said)
        if not any('"event":"' in text for text in said):
            return ["nobody said anything that could have been searched"]
        lines = self.network.request_lines
        found = {match.group(0)[:12] for text in (*said, *lines) for match in _SAID.finditer(text)}
        # Where the platform wants the token in the URL, that is where it is; it is nowhere else.
        open_to_all = said if any(lane.token_in_url for lane in self.lanes) else [*said, *lines]
        if any(text in one for text in self.hidden for one in open_to_all):
            found.add("a secret")
        return [f"somebody said what nobody may say: {', '.join(sorted(found))}"] if found else []


def doomed(reason: Reason, event_id: str = "") -> Expected:
    """Return what is expected of a record that must end in the dead letters for `reason`."""
    return Expected("dead-lettered", reason, event_id)


def _plant(order: Body, number: int) -> None:
    customer = order["customer"]
    customer["emails"] = [f"{CANARY}.{number}@{CANARY}-inbox.example"]
    customer["phones"] = [f"{CANARY_PHONE}{number % 100:02}"]
    customer["first_name"], customer["last_name"] = f"{CANARY}first", f"{CANARY}last"
    customer["external_ids"] = [f"{CANARY}-external-{number}"]
    customer["city"], customer["postal_code"] = f"{CANARY}town", f"{CANARY}{number % 100}"
    touch = order["touch"]
    if touch.get("client_ip"):
        touch["client_ip"], touch["user_agent"] = CANARY_ADDRESS, f"{CANARY}Agent/7.7"
    if touch.get("fbclid"):
        touch["fbclid"] = f"IwAR{CANARY}{number}"


def _recovery(healed: Sequence[float], settled: Sequence[float]) -> list[float]:
    """Return how long after each healing the first event was settled; where nothing was left to do it is left out."""
    firsts = [min((at for at in settled if at >= moment), default=None) for moment in healed]
    return [first - moment for first, moment in zip(firsts, healed, strict=True) if first is not None]
