"""`capi-pipeline sandbox`: the command line of the sandbox.

Invariant: every option can also be reached from a test through `SandboxConfig`.
"""

from __future__ import annotations

import asyncio
import errno
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypedDict, Unpack

import click

from pipeline.sandbox.config import SandboxConfig
from pipeline.sandbox.controls import Language, Rejection
from pipeline.sandbox.fault_input import fault_words
from pipeline.sandbox.google_outcome import outcome_words
from pipeline.sandbox.server import LOOPBACK, running_sandbox


class Options(TypedDict):
    """The options as click hands them over."""

    host: str
    port: int
    token: tuple[str, ...]
    expired_token: tuple[str, ...]
    revoked_token: tuple[str, ...]
    dataset: tuple[str, ...]
    app_secret: str | None
    reject_event_id: tuple[str, ...]
    reject_subcode: int
    fault: tuple[str, ...]
    latency: float
    jitter: float
    rate_limit: float | None
    usage_percent: int | None
    regain_minutes: int | None
    seed: int
    language: Literal["en", "fr"]
    journal_file: Path | None
    journal_limit: int
    keep_payloads: bool
    fast: bool
    google_outcome: tuple[str, ...]
    google_processing_seconds: float
    google_token_seconds: int
    google_public_key: Path | None


@click.command()
@click.option("--host", default=LOOPBACK, show_default=True, help="Address to listen on.")
@click.option("--port", default=8090, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free port.")
@click.option("--token", multiple=True, help="A token that is let in (repeatable; none given: all are).")
@click.option("--expired-token", multiple=True, help="A token that has expired (repeatable).")
@click.option("--revoked-token", multiple=True, help="A token that was revoked (repeatable).")
@click.option("--dataset", multiple=True, help="A dataset that exists (repeatable; none given: all do).")
@click.option("--app-secret", help="Demand an appsecret_proof made with this secret.")
@click.option("--reject-event-id", multiple=True, metavar="PATTERN", help="Refuse these events, for example poison-*.")
@click.option("--reject-subcode", default=2804008, show_default=True, help="The error subcode of these refusals.")
@click.option(
    "--fault", multiple=True, metavar="'KIND NAME=VALUE ...'", help="A fault, as 'status status=503 count=2'."
)
@click.option("--latency", default=0.0, type=click.FloatRange(0), help="Seconds to wait before every answer.")
@click.option("--jitter", default=0.0, type=click.FloatRange(0), help="Up to so many seconds more, at random.")
@click.option("--rate-limit", type=click.FloatRange(0, min_open=True), help="Throttle above so many requests a second.")
@click.option("--usage-percent", type=click.IntRange(0, 100), help="What the usage headers report.")
@click.option("--regain-minutes", type=click.IntRange(0), help="The wait that a throttled sender is told.")
@click.option("--seed", default=0, show_default=True, help="Seed of the chance behind faults and jitter.")
@click.option("--language", default="en", type=click.Choice(["en", "fr"]), help="Language of the error texts.")
@click.option("--journal-file", type=click.Path(dir_okay=False, path_type=Path), help="Append accepted events here.")
@click.option("--journal-limit", default=200_000, show_default=True, type=click.IntRange(1), help="Lines in memory.")
@click.option("--keep-payloads", is_flag=True, help="Keep accepted events whole, in memory.")
@click.option("--fast", is_flag=True, help="Only count events: no checks, no journal.")
@click.option(
    "--google-outcome",
    multiple=True,
    metavar="'PATTERN REASON'",
    help="Let these Google events fail after they were accepted (repeatable).",
)
@click.option(
    "--google-processing-seconds", default=0.0, type=click.FloatRange(0), help="Time until Google tells the outcome."
)
@click.option(
    "--google-token-seconds", default=3600, show_default=True, type=click.IntRange(1), help="Life of issued tokens."
)
@click.option(
    "--google-public-key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="PEM file of the service account's public key: verify signatures with it.",
)
def sandbox(**options: Unpack[Options]) -> None:
    """Run a local stand-in for the ad platforms' conversions APIs."""
    config = _config(options)
    try:
        asyncio.run(_serve(config, options["host"], options["port"]))
    except (ValueError, OSError) as fault:
        raise click.ClickException(_told(fault, options["host"], options["port"])) from fault


def _told(fault: ValueError | OSError, host: str, port: int) -> str:
    """Return what to tell of a fault; a port that is taken is the common one, and only listening ends with it."""
    if not isinstance(fault, OSError) or fault.errno != errno.EADDRINUSE:
        return str(fault)
    named = f"[{host}]" if ":" in host else host
    return f"cannot listen on {named}:{port} (address already in use); free the port, or --port 0 takes a free one"


def _config(options: Options) -> SandboxConfig:
    try:
        faults = [fault_words(text) for text in options["fault"]]
    except ValueError as fault:
        raise click.BadParameter(str(fault), param_hint="--fault") from fault
    try:
        outcomes = [outcome_words(text) for text in options["google_outcome"]]
    except ValueError as fault:
        raise click.BadParameter(str(fault), param_hint="--google-outcome") from fault
    public_key = options["google_public_key"]
    if options["latency"] or options["jitter"]:
        faults.append({"kind": "latency", "seconds": options["latency"], "jitter": options["jitter"]})
    if options["rate_limit"] is not None:
        faults.append({"kind": "rate_limit", "per_second": options["rate_limit"]})
    usage = {"call_count": options["usage_percent"], "regain_minutes": options["regain_minutes"]}
    language: Language = options["language"]
    return SandboxConfig(
        tokens=options["token"],
        expired_tokens=options["expired_token"],
        revoked_tokens=options["revoked_token"],
        datasets=options["dataset"],
        app_secret=options["app_secret"],
        rejections=[Rejection(pattern, subcode=options["reject_subcode"]) for pattern in options["reject_event_id"]],
        fault_documents=faults,
        usage={name: value for name, value in usage.items() if value is not None},
        seed=options["seed"],
        language=language,
        journal_limit=options["journal_limit"],
        journal_path=options["journal_file"],
        keep_payloads=options["keep_payloads"],
        fast=options["fast"],
        google_outcomes=outcomes,
        google_processing_s=options["google_processing_seconds"],
        google_token_s=options["google_token_seconds"],
        google_public_key=None if public_key is None else public_key.read_text(),
    )


async def _serve(config: SandboxConfig, host: str, port: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with running_sandbox(config, host=host, port=port) as running:
        click.echo(f"sandbox listens on {running.url} (figures there); {_directions(config, running.paths)}")
        await stop.wait()


def _directions(config: SandboxConfig, paths: Mapping[str, str]) -> str:
    token = "a --token" if config.tokens else "any token"
    account = " or ".join(config.datasets) or "any account"
    served = ", ".join(f"{platform} at {path}" for platform, path in paths.items())
    return f"send with {token} and {account}: {served}"


if __name__ == "__main__":
    sandbox()
