"""`capi-pipeline demo`: the whole road on one machine, in a quarter of a minute, with nothing but this package."""

from __future__ import annotations

import signal
import sys
from types import FrameType

import click

from pipeline.demo.maker import FEWEST_EVENTS

# More would need longer than a demo should take, and more than the embedded Kafka keeps.
MOST_EVENTS = 5_000
_PORT = click.IntRange(0, 65_535)


@click.command()
@click.option(
    "--events", default=400, show_default=True, type=click.IntRange(FEWEST_EVENTS, MOST_EVENTS), help="Records."
)
@click.option("--seed", default=1, show_default=True, help="Another seed makes another day of trade.")
@click.option("--keep", is_flag=True, help="Keep the folder with logs, settings and what the dead letters say.")
@click.option(
    "--sandbox-port", default=0, type=_PORT, help="Port of the stand-in for the platforms; 0 takes a free one."
)
@click.option(
    "--worker-port", default=0, type=_PORT, help="Port of the worker's probes and metrics; 0 takes a free one."
)
def demo(*, events: int, seed: int, keep: bool, sandbox_port: int, worker_port: int) -> None:
    """See it work: Kafka, the worker and a stand-in for five ad platforms, on this machine only.

    Exit code 1 when a record is not where it should be.
    """
    from confluent_kafka import KafkaException  # noqa: PLC0415 - `--help` needs none of this

    from pipeline.demo.play import Options, play  # noqa: PLC0415
    from pipeline.demo.processes import ProcessError  # noqa: PLC0415
    from pipeline.demo.screen import Screen  # noqa: PLC0415
    from pipeline.demo.till import TillError  # noqa: PLC0415

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    screen = Screen()
    try:
        good = play(Options(events, seed, keep, sandbox_port, worker_port), screen)
    except (ProcessError, TillError, KafkaException, OSError) as error:
        screen.failure(str(error))
        sys.exit(1)
    sys.exit(0 if good else 1)


def _leave(number: int, _frame: FrameType | None) -> None:
    """Leave in order, as with Ctrl-C: what was started is stopped on the way out."""
    sys.exit(128 + number)
