"""Random faults for as long as asked for: members, brokers, the platform and the network, all from one seed.

Every second or so something happens. At most one broker is down at a time most of the while, now and then two, so that
there are stretches without a quorum; every fault is ended before the judgement.
"""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from statistics import median

from arena import Arena
from kafka_cluster import KafkaCluster
from play_platform import NETWORK_FAULTS
from worker_process import WorkerProcess

MOST_MEMBERS = 3
RECORDS_AT_ONCE = 80


class Monkey:
    """Shakes one arena; each of its `acts` is one thing that goes wrong or gets better."""

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self._chance = arena.chance
        self._members: list[WorkerProcess] = []
        self._stopped: list[WorkerProcess] = []
        self._down: list[int] = []
        self.done: Counter[str] = Counter()
        self.acts: list[tuple[Callable[[], bool], int]] = [
            (self.join, 5),
            (self.leave, 2),
            (self.kill, 2),
            (self.stop, 1),
            (self.go_on, 3),
            (self.break_a_broker, 1),
            (self.mend_the_brokers, 3),
            (self.trouble_the_platform, 3),
            (self.trouble_the_network, 2),
            (self.calm_down, 4),
            (self.revoke_the_token, 1),
        ]

    @property
    def brokers_down(self) -> bool:
        """Whether a broker is down, so that publishing might have to wait."""
        return bool(self._down)

    def act(self) -> None:
        """Do one thing, if it can be done now."""
        acts, weights = zip(*self.acts, strict=True)
        chosen = self._chance.choices(acts, weights)[0]
        if chosen():
            self.done[chosen.__name__] += 1

    def join(self) -> bool:
        """Start a member."""
        self._members = [one for one in self._members if one.running]
        if len(self._members) >= MOST_MEMBERS:
            return False
        self._members.append(self._arena.start("member", CAPI_STOP_REVOKE_DEADLINE_SECONDS="2"))
        return True

    def leave(self) -> bool:
        """Ask a member to stop."""
        return self._to_one(lambda one: one.signal(signal.SIGTERM))

    def kill(self) -> bool:
        """Kill a member."""
        return self._to_one(self._arena.kill)

    def stop(self) -> bool:
        """Freeze a member, perhaps for longer than its session."""

        def freeze(one: WorkerProcess) -> None:
            one.signal(signal.SIGSTOP)
            self._stopped.append(one)

        return self._to_one(freeze)

    def go_on(self) -> bool:
        """Thaw every member that was frozen."""
        thawed = [one for one in self._stopped if one.running]
        for one in thawed:
            one.signal(signal.SIGCONT)
        self._stopped.clear()
        return bool(thawed)

    def break_a_broker(self) -> bool:
        """Kill or freeze a broker; seldom a second one."""
        if len(self._down) >= (2 if self._chance.random() < 0.2 else 1):
            return False
        node = self._chance.choice([node for node in self._arena.cluster.node_ids if node not in self._down])
        cluster = self._arena.cluster
        self._chance.choice((cluster.kill, cluster.freeze))(node)
        self._down.append(node)
        return True

    def mend_the_brokers(self) -> bool:
        """Bring every broker back."""
        if not self._down:
            return False
        self._arena.cluster.heal()
        self._down.clear()
        self._arena.healed()
        return True

    def trouble_the_platform(self) -> bool:
        """Let the platform fail in one more way."""
        kind, words = self._chance.choice(
            [
                ("status", {"status": 503, "probability": 0.7}),
                ("status", {"status": 429, "retry_after": 1, "count": 5}),
                ("silence", {"stored": True, "probability": 0.2}),
                ("reset", {"stored": True, "probability": 0.3}),
                ("close", {"stored": False, "probability": 0.3}),
                ("unavailable", {"probability": 0.5}),
                ("error", {"code": 4, "count": 3}),
            ]
        )
        self._arena.sandbox.add_fault(str(kind), **dict(words))
        return True

    def trouble_the_network(self) -> bool:
        """Let the network fail in one way."""
        self._arena.network.suffer(self._chance.choice(NETWORK_FAULTS))
        return True

    def calm_down(self) -> bool:
        """End the troubles of platform and network."""
        self._arena.speed_up()
        self._arena.slow_down()
        self._arena.network.heal()
        self._arena.healed()
        return True

    def revoke_the_token(self) -> bool:
        """Let the token die, and put its successor on disk after a moment."""
        self._arena.revoke_secret()
        time.sleep(1)
        self._arena.rotate_secret()
        return True

    def end(self) -> WorkerProcess:
        """End every trouble and return a member that is there to finish."""
        self._arena.cluster.heal()
        self._arena.network.heal()
        self._arena.speed_up()
        self.go_on()
        return self._arena.start("last")

    def _to_one(self, act: Callable[[WorkerProcess], None]) -> bool:
        self._members = [one for one in self._members if one.running]
        if not self._members:
            return False
        act(self._chance.choice(self._members))
        return True


def soak(cluster: KafkaCluster, *, seconds: float, seed: int) -> int:
    """Shake everything for so long, then judge; return 0 when nothing was lost, else say where the logs are."""
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    faults: list[str] = []
    with Arena(cluster, folder, seed=seed) as arena:
        arena.limit(timeout_seconds=1.5)
        monkey = Monkey(arena)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if not monkey.brokers_down:
                arena.publish_mixed(RECORDS_AT_ONCE, broken=4)
            monkey.act()
            time.sleep(arena.chance.uniform(0.2, 1.5))
        try:
            arena.settle(monkey.end(), 180)
        except AssertionError as error:
            faults.append(str(error).splitlines()[0])
        arena.end()
        report = arena.report(complete=not faults)
    told = ", ".join(f"{name} {count}" for name, count in sorted(monkey.done.items()))
    recovered, judged = sorted(report.recovery_seconds) or [0.0], report.judgement
    figures = (
        f"{report.records} records, {len(judged.lost)} lost, {report.letters} dead letters, {judged.duplicates} copies "
        f"({report.kills} kills), peak {report.peak_megabytes:.0f} MB, "
        f"recovery median {median(recovered):.1f} s, longest {recovered[-1]:.1f} s"
    )
    faults = [*report.faults, *faults]
    if faults:
        faults.append(f"what the workers said is in {folder}")
    else:
        shutil.rmtree(folder)
    sys.stdout.write("\n".join([f"seed {seed}, {seconds:.0f} s: {told}", figures, *faults]) + "\n")
    return 1 if faults else 0
