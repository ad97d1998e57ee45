"""The demo's play in six phases: Kafka, the platform, the worker, a day of trade, some of it again, the balance."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import orjson

from pipeline.core.avro.encode import Encoder
from pipeline.core.reason import Reason
from pipeline.demo import gauges
from pipeline.demo.balance import Account, Letter, Published, balance
from pipeline.demo.processes import Process
from pipeline.demo.screen import Progress, Screen
from pipeline.demo.stage import Stage
from pipeline.demo.till import Till
from pipeline.demo.trade import Sample, Trade, TradeMaker
from pipeline.demo.workplace import DEAD_LETTERS, DESTINATION, GROUP, PARTITIONS, TOPICS
from pipeline.edge.schema_files import load_contract, schema_texts

# Without any progress for this long something is wrong.
PATIENCE_SECONDS = 20.0
_LOOK_SECONDS = 0.1


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


def play(options: Options, screen: Screen) -> bool:
    """Play the demo and tell whether everything balances.

    Raises ProcessError, TillError, OSError or KafkaException when it cannot be played to its end.
    """
    trade = _make_trade(options)
    with Stage(keep=options.keep) as stage:
        if options.keep:
            screen.say(f"Logs and files of this run stay in {stage.place.folder}")
        servers = _show_kafka(stage, screen)
        sandbox_port = _show_platform(stage, screen, options, trade)
        worker, worker_port = _show_worker(stage, screen, options, servers, sandbox_port)
        with closing(Till(servers, group=GROUP, topics=TOPICS, dead_letters=DEAD_LETTERS)) as till:
            running = Running(worker, worker_port, sandbox_port, till)
            published = _show_trade(running, screen, trade)
            good = _show_balance(running, screen, published, stage.place.folder)
    screen.next_steps()
    return good


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


def _show_platform(stage: Stage, screen: Screen, options: Options, trade: Trade) -> int:
    screen.phase(
        "The ad platform",
        "Starting the sandbox: it judges requests as the documentation of Meta's Conversions API says, and keeps "
        "a journal of the events that it accepted. It shares no code with the sender.",
    )
    port = stage.start_sandbox(options.sandbox_port, trade.refused_ids)
    count = len(trade.refused_ids)
    screen.say(
        f"It listens on http://127.0.0.1:{port} with a token made up for this run. It refuses {count} of the events "
        "for reasons of its own, and does not say which event of a request it means."
    )
    return port


def _show_worker(
    stage: Stage, screen: Screen, options: Options, servers: str, sandbox_port: int
) -> tuple[Process, int]:
    screen.phase(
        "The worker",
        "Starting `capi-pipeline run`, the program that production runs: set up by environment variables, a "
        f"destinations file with one destination ({DESTINATION}), and a folder with one secret, the token.",
    )
    worker, port = stage.start_worker(servers, sandbox_port, options.worker_port)
    screen.say(f"It has joined its consumer group; probes and metrics are on http://127.0.0.1:{port}/metrics.")
    return worker, port


def _show_trade(running: Running, screen: Screen, trade: Trade) -> list[Published]:
    mishaps = sum(sample.expected.outcome != "accepted" for sample in trade.day)
    screen.phase(
        "A day of trade",
        f"Publishing {len(trade.day)} orders and leads of one shop in 12 countries. {mishaps} of them must not reach "
        "the platform: broken bytes, refused consent, events too old, refunds and more. Waiting until the worker "
        "has delivered, skipped or dead-lettered every one of them, and has committed its offsets.",
    )
    with screen.progress(trade.records) as progress:
        published = running.till.publish(trade.day)
        _wait_until_settled(running, progress)
    screen.say(_figures(running))
    screen.phase(
        "Some of it again",
        f"Publishing {len(trade.repeats)} of the accepted records once more, byte for byte, as producers do after a "
        "time-out. The platform must not get them twice.",
    )
    with screen.progress(trade.records) as progress:
        published += running.till.publish(trade.repeats)
        _wait_until_settled(running, progress)
    screen.say(_figures(running))
    return published


def _show_balance(running: Running, screen: Screen, published: Sequence[Published], folder: Path) -> bool:
    screen.phase(
        "The balance",
        "Stopping the worker with SIGTERM, as Kubernetes does, and holding what was published against the "
        "platform's journal, the dead-letter topic, the worker's metrics and the committed offsets.",
    )
    worker, platform = gauges.read_worker(running.worker_port), gauges.read_sandbox(running.sandbox_port)
    exit_code = running.worker.stop()
    account = Account(
        consumed=worker.consumed,
        skipped=worker.skipped,
        accepted=gauges.read_journal(running.sandbox_port),
        letters=running.till.dead_letters(),
        committed=running.till.committed(),
        ends=running.till.ends(),
        requests=platform.requests,
    )
    faults = balance(published, account)
    if exit_code:
        faults.append(str(running.worker.failed(f"ended with exit code {exit_code} after SIGTERM")))
    _write_letters(folder / "dead-letters.ndjson", account.letters)
    screen.outcome(published, account)
    _show_letter(screen, published, account.letters)
    screen.verdict(faults, len(published), account)
    return not faults


def _wait_until_settled(running: Running, progress: Progress) -> None:
    """Wait until all that was published is committed. Raises ProcessError when the worker ends or stands still."""
    last: object = None
    moved_at = time.monotonic()
    while True:
        running.worker.check_alive()
        committed, worker = running.till.committed(), gauges.read_worker(running.worker_port)
        platform = gauges.read_sandbox(running.sandbox_port)
        progress.show(worker, platform)
        if committed == running.till.ends():
            return
        if (committed, worker, platform) != last:
            last, moved_at = (committed, worker, platform), time.monotonic()
        if time.monotonic() - moved_at > PATIENCE_SECONDS:
            raise running.worker.failed(f"made no progress for {PATIENCE_SECONDS:.0f} s")
        time.sleep(_LOOK_SECONDS)


def _figures(running: Running) -> str:
    worker, platform = gauges.read_worker(running.worker_port), gauges.read_sandbox(running.sandbox_port)
    return (
        f"So far {worker.consumed} consumed, {platform.accepted} accepted, {sum(worker.skipped.values())} skipped, "
        f"{sum(worker.dead_lettered.values())} dead-lettered, in {platform.requests} requests "
        f"({platform.refused} of them refused)."
    )


def _show_letter(screen: Screen, published: Sequence[Published], letters: Sequence[Letter]) -> None:
    samples: dict[object, Sample] = {item.position: item.sample for item in published}
    for letter in letters:
        if letter.reason == Reason.REJECTED and letter.origin in samples:
            screen.letter(letter, samples[letter.origin].story)
            return


def _write_letters(path: Path, letters: Sequence[Letter]) -> None:
    """Write what the dead letters say of themselves; the records stay in Kafka."""
    lines = [{name: (value or b"").decode(errors="replace") for name, value in letter.headers} for letter in letters]
    path.write_bytes(b"".join(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in lines))
