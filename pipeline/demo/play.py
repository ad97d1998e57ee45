"""The demo's play: Kafka, the platforms, the worker, a day of trade, the morning after, the balance, one order."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from pipeline.core.avro.encode import Encoder
from pipeline.core.reason import Reason
from pipeline.demo import gauges
from pipeline.demo.balance import Letter, Partition
from pipeline.demo.destinations import ACCOUNTS
from pipeline.demo.flaws import HARMLESS, PLATFORMS
from pipeline.demo.gauges import Gauge
from pipeline.demo.maker import TradeMaker
from pipeline.demo.processes import Process
from pipeline.demo.reckoning import Evidence, Placed, reckon
from pipeline.demo.screen import Progress, Screen
from pipeline.demo.showcase import faults_of
from pipeline.demo.stage import Stage
from pipeline.demo.till import Till
from pipeline.demo.trade import Entry, Trade
from pipeline.demo.workplace import DEAD_LETTERS, GROUP, PARTITIONS, RECEIPTS, TOPICS
from pipeline.edge.schema_files import load_contract, schema_texts

# Without any progress for this long something is wrong.
PATIENCE_SECONDS: Final = 20.0
# Without any for this long the others will get no more while one platform is down.
_QUIET_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 0.1
# The platform that is down for a part of the day, its name, and what its paths begin with.
DOWN: Final = "tiktok"
_DOWN_NAME: Final = "TikTok"
_DOWN_PATH: Final = "/open_api/"


@dataclass(frozen=True, slots=True)
class Options:
    """What the user may choose; ports of 0 are free ones."""

    events: int
    seed: int
    keep: bool
    sandbox_port: int = 0
    worker_port: int = 0


@dataclass(frozen=True, slots=True)
class Running:
    """What runs while events are delivered."""

    worker: Process
    worker_port: int
    sandbox_port: int
    till: Till


@dataclass(frozen=True, slots=True)
class Look:
    """How far everything is at one moment."""

    worker: Gauge
    sandbox: gauges.Sandbox
    committed: Mapping[Partition, int]
    ends: Mapping[Partition, int]

    @property
    def settled(self) -> bool:
        """Whether all that was published is committed."""
        return self.committed == self.ends

    @property
    def waiting(self) -> int:
        """How many records are not committed."""
        return sum(self.ends.values()) - sum(self.committed.values())

    def ended(self, platforms: Sequence[str]) -> int:
        """Return how many records came to an end at each of these platforms."""
        return min(map(self.worker.ended, platforms))


def play(options: Options, screen: Screen) -> bool:
    """Play the demo and tell whether everything balances.

    Raises ProcessError, TillError, OSError or KafkaException when it cannot be played to its end.
    """
    with Stage(keep=options.keep) as stage:
        if options.keep:
            screen.say(f"Logs and files of this run stay in {stage.place.folder}")
        servers = _show_kafka(stage, screen)
        sandbox_port = _show_platforms(stage, screen, options)
        worker, worker_port = _show_worker(stage, screen, options, servers, sandbox_port)
        with closing(Till(servers, group=GROUP, topics=TOPICS, dead_letters=DEAD_LETTERS)) as till:
            running = Running(worker, worker_port, sandbox_port, till)
            trade = _make_trade(options)
            placed, faults = _show_day(running, screen, trade)
            placed += _show_morning(running, screen, trade)
            evidence, unbalanced = _show_balance(running, screen, placed, stage.place.folder)
            faults += [*unbalanced, *_show_showcase(screen, trade.showcase, evidence)]
            screen.verdict(faults, len(placed), evidence)
    screen.next_steps()
    return not faults


def _make_trade(options: Options) -> Trade:
    encoders = {kind: Encoder(text) for kind, text in schema_texts().items()}
    return TradeMaker(load_contract(), encoders, seed=options.seed, now=time.time()).make(options.events)


# -- the phases ---------------------------------------------------------------------------------------------------


def _show_kafka(stage: Stage, screen: Screen) -> str:
    screen.phase("Kafka", "Starting a small Kafka in memory, on this machine only: no Java, no Docker, no disk.")
    servers = stage.start_kafka()
    topics = ", ".join(f"{topic} ({count} partitions)" for topic, count in PARTITIONS.items())
    screen.say(f"It listens on {servers} and holds {topics}.")
    return servers


def _show_platforms(stage: Stage, screen: Screen, options: Options) -> int:
    screen.phase(
        "Five ad platforms",
        "Starting the sandbox: it judges requests as the documentation of Meta, Google, TikTok, Pinterest and Snapchat "
        "says, and keeps what it accepted. It shares no code with the sender.",
    )
    port = stage.start_sandbox(options.sandbox_port)
    screen.say(f"It listens on http://127.0.0.1:{port}, with accounts, tokens and Google's key made up for this run.")
    return port


def _show_worker(
    stage: Stage, screen: Screen, options: Options, servers: str, sandbox_port: int
) -> tuple[Process, int]:
    screen.phase(
        "The worker",
        "Starting `capi-pipeline run`, the program that production runs: set up by environment variables, a "
        "destinations file with one destination on each platform, and a folder with their secrets. Pinterest's "
        "destination wants consent to personalized ads, too.",
    )
    worker, port = stage.start_worker(servers, sandbox_port, options.worker_port)
    screen.say(f"It has joined its consumer group; probes and metrics are on http://127.0.0.1:{port}/metrics.")
    return worker, port


def _show_day(running: Running, screen: Screen, trade: Trade) -> tuple[list[Placed], list[str]]:
    mishaps = len({entry.story for entry in trade.day}) - 2
    screen.phase(
        "A day of trade",
        f"Publishing {len(trade.day)} orders, leads and activities of one shop in 12 countries, with {mishaps} sorts "
        "of mishap among them: broken bytes, refused consent, events too old for some, and more. A few events are "
        f"refused by one platform alone. And {_DOWN_NAME} is down: it answers everything with 503.",
    )
    for platform in PLATFORMS:
        gauges.let_refuse(running.sandbox_port, platform, trade.refused_ids(platform))
    gauges.let_fail(running.sandbox_port, _DOWN_PATH)
    held = {flaw.story for flaw in HARMLESS}
    due = sum(entry.story not in held for entry in trade.day)
    others = [platform for platform in PLATFORMS if platform != DOWN]
    with screen.progress(trade.records) as progress:
        placed = _publish(running, trade.day)
        look = _watch(running, progress, lambda look: look.ended(others) >= due, _QUIET_SECONDS)
        gauges.mend(running.sandbox_port)
        _settle(running, progress)
    screen.say(
        f"While {_DOWN_NAME} was down the four others got what was theirs ({look.worker.accepted.total()} events), and "
        f"{look.waiting} records stayed uncommitted for it. Now it is up again, and has its own, too."
    )
    screen.say(_figures(running))
    return placed, list(_faults_of_the_outage(look, others, due))


def _show_morning(running: Running, screen: Screen, trade: Trade) -> list[Placed]:
    screen.phase(
        "The next morning",
        f"Publishing {len(trade.later)} more records: refunds and cancellations, which only Google can be told, as the "
        "order's new value; and some of the first records once more, byte for byte, as producers do after a time-out.",
    )
    with screen.progress(trade.records) as progress:
        placed = _publish(running, trade.later)
        _settle(running, progress)
    screen.say(_figures(running))
    return placed


def _show_balance(
    running: Running, screen: Screen, placed: Sequence[Placed], folder: Path
) -> tuple[Evidence, list[str]]:
    screen.phase(
        "The balance",
        "Stopping the worker with SIGTERM, as Kubernetes does, and holding every record times every platform against "
        "what each platform kept, the dead letters, the worker's metrics and the committed offsets. Google has the "
        "last word hours later: of each event that it took, a receipt must be kept to ask for it.",
    )
    worker, sandbox = gauges.read_worker(running.worker_port), gauges.read_sandbox(running.sandbox_port)
    exit_code = running.worker.stop()
    evidence = Evidence(
        worker=worker,
        arrivals=gauges.read_arrivals(running.sandbox_port),
        letters=running.till.dead_letters(),
        receipts=running.till.receipts(RECEIPTS),
        committed=running.till.committed(),
        ends=running.till.ends(),
        requests=sandbox.requests,
    )
    faults = reckon(placed, evidence, ACCOUNTS)
    if exit_code:
        faults.append(str(running.worker.failed(f"ended with exit code {exit_code} after SIGTERM")))
    _write_letters(folder / "dead-letters.ndjson", evidence.letters)
    screen.outcome(placed, evidence)
    _show_letter(screen, placed, evidence.letters)
    return evidence, faults


def _show_showcase(screen: Screen, entry: Entry, evidence: Evidence) -> Iterator[str]:
    screen.phase(
        "The one with everything",
        "One order of the day carried all that any platform can use. Each got it under its own name, with the match "
        "keys it takes and no others. All hash the same e-mail address; Google alone first leaves out what Gmail "
        "ignores (dots, and what follows a plus), so its hash is another one.",
    )
    arrivals = {
        one.platform: one for one in evidence.arrivals if one.seen.event_id == entry.outlook[one.platform].event_id
    }
    screen.showcase(arrivals)
    return faults_of(entry.outlook, arrivals)


# -- what they share ----------------------------------------------------------------------------------------------


def _publish(running: Running, entries: Sequence[Entry]) -> list[Placed]:
    return [Placed(entry, place) for entry, place in zip(entries, running.till.place(entries), strict=True)]


def _faults_of_the_outage(look: Look, others: Sequence[str], due: int) -> Iterator[str]:
    if look.ended(others) < due:
        yield f"{_DOWN_NAME} was down, and {due - look.ended(others)} records got stuck at another platform"
    if look.worker.accepted[DOWN]:
        yield f"{_DOWN_NAME} was down, and {look.worker.accepted[DOWN]} events count as accepted by it"


def _settle(running: Running, progress: Progress) -> None:
    """Wait until all that was published is committed. Raises ProcessError when the worker ends or stands still."""
    if not _watch(running, progress, lambda look: look.settled, PATIENCE_SECONDS).settled:
        raise running.worker.failed(f"made no progress for {PATIENCE_SECONDS:.0f} s")


def _watch(running: Running, progress: Progress, done: Callable[[Look], bool], quiet: float) -> Look:
    """Look until it is `done`, or until nothing has moved for `quiet` seconds; return the last look.

    Raises ProcessError when the worker ends.
    """
    last: object = None
    moved_at = time.monotonic()
    while True:
        look = _look(running)
        progress.show(look.worker, look.sandbox)
        # Requests alone are no progress: a platform that is down is asked again and again.
        if (look.worker, look.committed) != last:
            last, moved_at = (look.worker, look.committed), time.monotonic()
        if done(look) or time.monotonic() - moved_at > quiet:
            return look
        time.sleep(_LOOK_SECONDS)


def _look(running: Running) -> Look:
    running.worker.check_alive()
    try:
        worker = gauges.read_worker(running.worker_port)
    except OSError as error:
        raise running.worker.failed(f"does not tell its metrics ({error})") from error
    sandbox = gauges.read_sandbox(running.sandbox_port)
    return Look(worker, sandbox, running.till.committed(), running.till.ends())


def _figures(running: Running) -> str:
    worker, sandbox = gauges.read_worker(running.worker_port), gauges.read_sandbox(running.sandbox_port)
    return (
        f"So far {worker.consumed} consumed, {worker.accepted.total()} accepted, {worker.skipped.total()} skipped, "
        f"{worker.dead_lettered.total()} dead-lettered, in {sandbox.requests} requests ({sandbox.refused} of them "
        "refused)."
    )


def _show_letter(screen: Screen, placed: Sequence[Placed], letters: Sequence[Letter]) -> None:
    stories = {item.position: item.entry.story for item in placed}
    for letter in letters:
        if letter.reason == Reason.REJECTED and letter.origin in stories:
            screen.letter(letter, stories[letter.origin])
            return


def _write_letters(path: Path, letters: Sequence[Letter]) -> None:
    """Write what the dead letters say of themselves; the records stay in Kafka."""
    lines = [{name: (value or b"").decode(errors="replace") for name, value in letter.headers} for letter in letters]
    path.write_bytes(b"".join(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in lines))
