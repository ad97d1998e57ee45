"""The command line. Commands are imported when they are called, so that `--help` is there at once.

Exit codes are in `pipeline.exits`.
"""

from __future__ import annotations

import importlib
from typing import Final, NamedTuple

import click
from typing_extensions import override

from pipeline import __version__


class Entry(NamedTuple):
    """Where a command is, and what `--help` says of it."""

    place: str
    help: str


COMMANDS: Final[dict[str, Entry]] = {
    "run": Entry("pipeline.commands.basics:run", "Deliver events until told to stop."),
    "check": Entry("pipeline.commands.basics:check", "Look for everything that would keep it from running."),
    "config": Entry("pipeline.commands.basics:config", "Show the effective settings and destinations."),
    "topics": Entry("pipeline.commands.basics:topics", "Plan or create the topics that are needed."),
    "publish": Entry("pipeline.commands.publish:publish_command", "Publish events from JSON."),
    "explain": Entry("pipeline.commands.explain:explain_command", "Say what would become of an event, step by step."),
    "routes": Entry("pipeline.commands.routes:routes", "Say where an event would go, and why not elsewhere."),
    "sandbox": Entry("pipeline.sandbox.command:sandbox", "Run a local stand-in for the ad platforms."),
    "demo": Entry("pipeline.demo.command:demo", "See it work, with nothing but this package."),
    "version": Entry("pipeline.commands.basics:version", "Show the versions of this build."),
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports one only to call it."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module, _, name = entry.place.partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="capi-pipeline")
def main() -> None:
    """Order, lead and activity events from Kafka to ad platforms' conversions APIs; none is lost in silence.

    Settings are environment variables that begin with CAPI_; docs/settings.md lists them.
    """
