"""`python -m bench`: runs the contenders in turn, measures the latency, and prints what was found.

The contenders alternate, so that what the machine does meanwhile falls on all of them alike.
"""

from __future__ import annotations

import os
import platform
import time

import click

from bench.latency import Latency, measure
from bench.orders import Orders
from bench.race import NAMES, race
from bench.report import Conditions, Report, Round
from bench.stage import BACKLOG, Broker, Stage
from bench.topic import MOCK_BYTES, PARTITIONS, fill

SEED = 20_261_121
# What Kafka keeps beside a record's value, at least: key, lengths, and the share of a batch's header.
RECORD_BYTES = 70


@click.command()
@click.option("--events", default=20_000, show_default=True, type=click.IntRange(2_000), help="Orders in the backlog.")
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1, 20), help="Runs of each contender.")
@click.option(
    "--rate", default=500, show_default=True, type=click.IntRange(10, 5_000), help="Orders a second, latency."
)
@click.option("--seconds", default=15.0, show_default=True, type=click.FloatRange(0, 600), help="How long; 0 skips it.")
@click.option("--broker", default="real", show_default=True, type=click.Choice(["real", "embedded"]), help="Kafka.")
@click.option(
    "--worker-setting", "words", multiple=True, metavar="CAPI_NAME=VALUE", help="For the worker (repeatable)."
)
def main(events: int, rounds: int, rate: int, seconds: float, broker: Broker, words: tuple[str, ...]) -> None:
    """Measure what an event costs: a bare loop, the worker, and the vendor's SDK, side by side."""
    orders = Orders(seed=SEED, now=time.time())
    values = [orders.encoded(f"bench-{number:07d}") for number in range(events)]
    size = sum(map(len, values))
    room = size + RECORD_BYTES * events
    if broker == "embedded" and room > MOCK_BYTES * PARTITIONS:
        raise click.UsageError(
            f"{events} orders are about {room / 1e6:.0f} MB, and the embedded Kafka keeps "
            f"{MOCK_BYTES * PARTITIONS / 1e6:.0f} MB: use fewer, or --broker real"
        )
    settings = dict(word.split("=", 1) for word in words)
    with Stage(settings) as stage:
        stage.start_kafka(broker)
        fill(stage.servers, BACKLOG, values)
        del values
        found = _race(stage, events, rounds)
        latency = _latency(stage, rate, seconds)
    machine = f"{platform.machine()} {platform.system()}, {os.cpu_count()} cores"
    conditions = Conditions(events, size / events, broker, rounds, rate, machine, platform.python_version(), settings)
    report = Report(conditions, found, latency)
    click.echo(report.table())
    click.echo(report.line())


def _race(stage: Stage, events: int, rounds: int) -> list[Round]:
    sink = stage.start_sink()
    found: list[Round] = []
    for number in range(rounds):
        results = {}
        for name in NAMES:
            click.echo(f"round {number + 1} of {rounds}: {name}", err=True)
            results[name] = race(stage, sink, name, f"bench.{name}.{number}", events)
        found.append(results)
    return found


def _latency(stage: Stage, rate: int, seconds: float) -> Latency | None:
    if not seconds:
        return None
    click.echo(f"latency: {rate} orders a second for {seconds:g} s", err=True)
    return measure(stage, per_second=rate, seconds=seconds, seed=SEED + 1)


if __name__ == "__main__":
    main()
