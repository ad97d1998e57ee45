"""The destinations file, for commands that need nothing else of the settings: no broker, no secret."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import click

from pipeline.commands.ending import stop
from pipeline.config.destinations import load_destinations
from pipeline.config.environment import read_settings
from pipeline.config.faults import DestinationsError, SettingsError
from pipeline.core.destination import Destination
from pipeline.exits import Exit
from pipeline.platforms import PLATFORMS

# What every such command takes.
PATH: Final = click.option(
    "--destinations",
    "path",
    type=click.Path(path_type=Path),
    help="The destinations file, in place of CAPI_DESTINATIONS_FILE.",
)

# What decides which file is read and how; a worker needs brokers as well, these commands do not.
_NEEDED: Final = ("CAPI_DESTINATIONS_FILE", "CAPI_ENVIRONMENT")
_NO_BROKERS: Final = {"CAPI_KAFKA_BOOTSTRAP_SERVERS": "unset:1"}


def read_destinations_file(environ: Mapping[str, str], path: Path | None) -> tuple[Destination, ...]:
    """Return the destinations of the file at `path`, or that the environment names.

    Prints every fault and ends with the code for wrong usage where they cannot be read.
    """
    try:
        settings = read_settings({**_NO_BROKERS, **{name: environ.get(name, "") for name in _NEEDED}})
    except SettingsError as error:
        stop(error.lines, Exit.USAGE)
    place = path or settings.destinations_file
    try:
        return load_destinations(place, PLATFORMS, production=settings.production)
    except DestinationsError as error:
        stop([f"{place}: {line}" for line in error.lines], Exit.USAGE)
