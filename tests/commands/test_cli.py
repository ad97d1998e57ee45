"""The command line: what it imports, what it prints, how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from pipeline.cli import COMMANDS, main
from pipeline.exits import MEANING, Exit

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "destinations.yaml"
GOOD = {"CAPI_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "CAPI_DESTINATIONS_FILE": str(EXAMPLE)}
SECRETS = {"CAPI_SECRET_META_EU_TOKEN": "hush-hush", "CAPI_SECRET_META_US_TOKEN": "hush-hush"}


def invoke(*args: str, env: dict[str, str] | None = None) -> Result:
    """Call the command line with these variables and no file of destinations but theirs."""
    return CliRunner().invoke(main, list(args), env={"CAPI_DESTINATIONS_FILE": "/no/such/file", **(env or {})})


def test_help_is_there_at_once() -> None:
    """`--help` imports click and nothing heavy, and names every command."""
    code = (
        "import sys\nfrom pipeline.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print(sorted({'pydantic', 'confluent_kafka', 'aiohttp', 'asyncio', 'rich', 'yaml'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=EXAMPLE.parents[2]
    )

    assert "[]" == done.stdout.splitlines()[-1]
    assert [] == [name for name in COMMANDS if f"  {name} " not in done.stdout]


@pytest.mark.parametrize("name", ["run", "check", "config", "topics", "version"])
def test_commands_are_where_the_table_says(name: str) -> None:
    """Each name leads to a command with a help of its own."""
    command = main.get_command(click.Context(main), name)

    assert command is not None
    assert command.help


def test_an_unknown_command_is_a_usage_error() -> None:
    """What nobody knows ends with the code for wrong usage."""
    result = invoke("deliver")

    assert Exit.USAGE == result.exit_code
    assert "No such command 'deliver'" in result.output


@pytest.mark.parametrize("args", [["run"], ["config"], ["topics", "plan"], ["topics", "apply"]])
def test_broken_settings_end_with_code_2(args: list[str]) -> None:
    """Every fault is printed on stderr, one a line, and nothing starts."""
    result = invoke(*args, env={"CAPI_LOG_LEVEL": "loud"})
    named = {line.partition(":")[0] for line in result.stderr.splitlines()}

    assert (Exit.USAGE, {"CAPI_LOG_LEVEL", "CAPI_KAFKA_BOOTSTRAP_SERVERS"}) == (result.exit_code, named)


@pytest.mark.parametrize("command", ["run", "config"])
def test_broken_destinations_end_with_code_2(command: str) -> None:
    """A destinations file that cannot be read is a fault of the configuration."""
    result = invoke(command, env={**GOOD, "CAPI_DESTINATIONS_FILE": "/no/such/file"})

    assert Exit.USAGE == result.exit_code
    assert "CAPI_DESTINATIONS_FILE" in result.stderr


def test_config_shows_what_is_in_effect() -> None:
    """Given values and defaults are told apart, and secrets are shown by name only."""
    result = invoke("config", env=GOOD | SECRETS)
    lines = result.stdout.splitlines()

    assert "CAPI_KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:1" in lines
    assert "CAPI_HTTP_PORT=8080  (default)" in lines
    assert "  secrets: {'token': 'meta_eu_token'}" in lines
    assert "hush-hush" not in result.output


def test_config_as_json() -> None:
    """Machines get the same in JSON."""
    shown = json.loads(invoke("config", "--output", "json", env=GOOD).stdout)

    assert ("8080", "meta-eu") == (shown["settings"]["CAPI_HTTP_PORT"], shown["destinations"][0]["name"])


@pytest.mark.parametrize(("env", "code"), [(GOOD | SECRETS, Exit.OK), (GOOD, Exit.FOUND), ({}, Exit.FOUND)])
def test_check_ends_with_what_it_found(env: dict[str, str], code: Exit) -> None:
    """Code 0 when all is well, code 3 when something is to do."""
    assert code == invoke("check", "--offline", env=env).exit_code


def test_check_as_a_table() -> None:
    """People get a table with what to do."""
    result = invoke("check", "--offline", env=GOOD)

    assert "PROBLEM" in result.output
    assert "to do: set CAPI_SECRET_META_EU_TOKEN" in result.output


def test_check_as_json() -> None:
    """Machines get the findings in JSON."""
    findings = json.loads(invoke("check", "--offline", "--output", "json", env=GOOD).stdout)

    assert {"part": "secrets", "good": False, "fix": "set CAPI_SECRET_META_US_TOKEN"} == {
        name: findings[-1][name] for name in ("part", "good", "fix")
    }


def test_version() -> None:
    """The versions that matter in a report are there."""
    names = [line.split()[0] for line in invoke("version").stdout.splitlines()]

    assert ["capi-pipeline", "python", "confluent-kafka"] == names[:3]


def test_every_exit_has_a_meaning() -> None:
    """The documentation's table is complete."""
    assert set(Exit) == set(MEANING)
