"""`python -m pipeline.demo.kafka_process`: the embedded Kafka as a process of its own.

Its first line of output is the address to give to clients; it runs until SIGTERM or SIGINT and then exits with 0.
"""

from __future__ import annotations

import signal

import click

from pipeline.demo.embedded_kafka import EmbeddedKafka
from pipeline.demo.mock_cluster import MockClusterMissingError


def topics_from(words: tuple[str, ...]) -> dict[str, int]:
    """Read `name=partitions` words. Raises click.BadParameter for anything else."""
    topics: dict[str, int] = {}
    for word in words:
        name, _, partitions = word.rpartition("=")
        if not name or not partitions.isdecimal() or not int(partitions):
            raise click.BadParameter(f"{word!r} is not NAME=PARTITIONS, for example capi.orders=3")
        topics[name] = int(partitions)
    return topics


@click.command()
@click.option("--topic", "words", multiple=True, metavar="NAME=PARTITIONS", help="A topic to create (repeatable).")
@click.option("--brokers", default=1, show_default=True, type=click.IntRange(1, 9), help="Number of brokers.")
def main(words: tuple[str, ...], brokers: int) -> None:
    """Run an embedded Kafka on loopback; what it holds is gone when it ends."""
    # Blocked, so that a signal that comes early waits for `sigwait` instead of killing us half-way.
    endings = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, endings)
    try:
        with EmbeddedKafka(topics_from(words), brokers) as kafka:
            click.echo(f"bootstrap servers: {kafka.bootstrap_servers}")
            signal.sigwait(endings)
    except MockClusterMissingError as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
