"""How a command ends that cannot go on: every line on standard error, and a code of the table."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import NoReturn

import click

from pipeline.exits import Exit


def stop(lines: Iterable[str], code: Exit) -> NoReturn:
    """Print `lines` on standard error and end with `code`."""
    for line in lines:
        click.echo(line, err=True)
    sys.exit(code)
