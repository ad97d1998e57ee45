"""The commands that need no module of their own: `run`, `check`, `config`, `topics`, `version`.

Whatever is heavy is imported where it is used: `config` should not wait for Kafka's client.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Iterable, Mapping
from importlib import metadata
from typing import TYPE_CHECKING, Final, NoReturn

import click

from pipeline import __version__
from pipeline.exits import Exit

if TYPE_CHECKING:
    from pipeline.commands.check import Finding
    from pipeline.commands.topics import Creation
    from pipeline.config.settings import Settings
    from pipeline.core.destination import Destination
    from pipeline.edge.admin import Admin

_PARTS_OF_BUILD: Final = ("confluent-kafka", "aiohttp", "fastavro", "orjson", "phonenumberslite")


@click.command()
def run() -> None:
    """Deliver events until told to stop (SIGTERM or Ctrl-C), then finish what is open and commit."""
    from pipeline.app import run as run_worker  # noqa: PLC0415
    from pipeline.config.faults import ConfigurationError  # noqa: PLC0415

    settings = _settings(os.environ)
    destinations = _destinations(settings)
    try:
        code = run_worker(settings, destinations)
    except ConfigurationError as error:
        _stop(error.lines)
    sys.exit(code)


@click.command()
@click.option("--offline", is_flag=True, help="Look only at what needs no network.")
@click.option("--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
def check(*, offline: bool, output: str) -> None:
    """Look for everything that would keep the worker from running, and say what to do.

    Exit code 3 when something was found.
    """
    from pipeline.commands.check import check as look  # noqa: PLC0415
    from pipeline.platforms import PLATFORMS  # noqa: PLC0415

    findings = list(look(os.environ, PLATFORMS, offline=offline))
    if output == "json":
        rows = [{"part": each.part, "good": each.good, "text": each.text, "fix": each.fix} for each in findings]
        click.echo(json.dumps(rows, indent=2))
    else:
        _print_findings(findings)
    sys.exit(Exit.OK if all(each.good for each in findings) else Exit.FOUND)


@click.command()
@click.option("--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
def config(*, output: str) -> None:
    """Show the effective settings and destinations. Secrets are shown by name only."""
    from pipeline.config.environment import shown  # noqa: PLC0415

    settings = _settings(os.environ)
    destinations = _destinations(settings)
    values = shown(settings)
    if output == "json":
        listed = [_described(each) for each in destinations]
        click.echo(json.dumps({"settings": values, "destinations": listed}, indent=2))
        return
    for name, value in values.items():
        mark = "" if os.environ.get(name, "").strip() else "  (default)"
        click.echo(f"{name}={'' if value is None else value}{mark}")
    for destination in destinations:
        click.echo(f"\n{destination.name}")
        for name, inner in _described(destination).items():
            click.echo(f"  {name}: {inner}")


@click.group()
def topics() -> None:
    """Plan or create the topics that the worker needs. Nothing that exists is changed."""


_ALL: Final = click.option("--all", "sources", is_flag=True, help="Source topics as well, for development.")


@topics.command("plan")
@_ALL
def topics_plan(*, sources: bool) -> None:
    """Show what `apply` would create. Exit code 3 when there is something to do."""
    _, creations = _plan(sources=sources)
    for creation in creations:
        click.echo(str(creation))
    if not creations:
        click.echo("nothing to do")
    sys.exit(Exit.FOUND if creations else Exit.OK)


@topics.command("apply")
@_ALL
def topics_apply(*, sources: bool) -> None:
    """Create what is missing."""
    from pipeline.commands.topics import apply  # noqa: PLC0415
    from pipeline.edge.admin import KafkaRefusedError  # noqa: PLC0415

    admin, creations = _plan(sources=sources)
    try:
        for creation, created in apply(admin, creations):
            click.echo(f"{'created' if created else 'was there already:'} {creation.name}")
    except KafkaRefusedError as error:
        _fail(f"Kafka refused: {error}")
    if not creations:
        click.echo("nothing to do")


@click.command()
def version() -> None:
    """Show the versions of this build."""
    click.echo(f"capi-pipeline {__version__}")
    click.echo(f"python {platform.python_version()}")
    for name in _PARTS_OF_BUILD:
        click.echo(f"{name} {metadata.version(name)}")


def _settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings, or print every fault and end with code 2."""
    from pipeline.config.environment import read_settings  # noqa: PLC0415
    from pipeline.config.faults import SettingsError  # noqa: PLC0415

    try:
        return read_settings(environ)
    except SettingsError as error:
        _stop(error.lines)


def _destinations(settings: Settings) -> tuple[Destination, ...]:
    """Read the destinations, or print every fault and end with code 2."""
    from pipeline.config.destinations import load_destinations  # noqa: PLC0415
    from pipeline.config.faults import DestinationsError  # noqa: PLC0415
    from pipeline.platforms import PLATFORMS  # noqa: PLC0415

    try:
        return load_destinations(settings.destinations_file, PLATFORMS, production=settings.production)
    except DestinationsError as error:
        _stop([f"{settings.destinations_file}: {line}" for line in error.lines])


def _plan(*, sources: bool) -> tuple[Admin, list[Creation]]:
    from pipeline.commands.topics import names, plan  # noqa: PLC0415
    from pipeline.config.environment import read_secrets  # noqa: PLC0415
    from pipeline.config.faults import SettingsError  # noqa: PLC0415
    from pipeline.config.kafka_settings import connection_config  # noqa: PLC0415
    from pipeline.edge.admin import Admin, KafkaRefusedError, KafkaUnreachableError  # noqa: PLC0415

    settings = _settings(os.environ)
    try:
        admin = Admin(connection_config(settings.kafka, read_secrets(settings, os.environ)))
        there = admin.topics()
        configs = admin.topic_configs([name for name in names(settings) if name in there])
        return admin, plan(settings, there, configs, sources=sources)
    except SettingsError as error:
        _stop(error.lines)
    except KafkaUnreachableError as error:
        _fail(f"{settings.kafka.bootstrap_servers} does not answer: {error}")
    except KafkaRefusedError as error:
        _fail(f"Kafka refused: {error}")


def _stop(lines: Iterable[str]) -> NoReturn:
    for line in lines:
        click.echo(line, err=True)
    sys.exit(Exit.USAGE)


def _fail(line: str) -> NoReturn:
    click.echo(line, err=True)
    sys.exit(Exit.FAILURE)


def _described(destination: Destination) -> dict[str, object]:
    """Return what may be shown of a destination: all of it, since it holds only the names of secrets."""
    import dataclasses  # noqa: PLC0415

    def plain(value: object) -> object:
        if isinstance(value, frozenset | set):
            return sorted(str(item) for item in value)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        if isinstance(value, Mapping):
            return {str(key): plain(inner) for key, inner in value.items()}
        return value if isinstance(value, str | int | float | bool | None) else str(value)

    shown = plain(destination)
    return shown if isinstance(shown, dict) else {}


def _print_findings(findings: Iterable[Finding]) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console()
    table = Table(box=None, pad_edge=False, show_header=False)
    for finding in findings:
        mark = Text("ok", "green") if finding.good else Text("PROBLEM", "bold red")
        said = Text(finding.text)
        if finding.fix:
            said.append(f"\nto do: {finding.fix}")
        table.add_row(mark, Text(finding.part), said)
    console.print(table)
