"""The sandbox as an aiohttp application, and as a server that tests run in their own process.

Invariant: stopping is quick and clean, also while faults hold connections open.
"""

from __future__ import annotations

import random
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from pipeline.sandbox.admin import Admin
from pipeline.sandbox.config import SandboxConfig
from pipeline.sandbox.contract import Platform
from pipeline.sandbox.controls import Access, Controls, Usage
from pipeline.sandbox.exchange import Exchange, Room
from pipeline.sandbox.fault_input import add_fault
from pipeline.sandbox.faults import FaultBook
from pipeline.sandbox.google import Google
from pipeline.sandbox.google_jwt import rsa_key
from pipeline.sandbox.google_outcome import GoogleKnobs
from pipeline.sandbox.journal import Journal
from pipeline.sandbox.meta import Meta
from pipeline.sandbox.pinterest import Pinterest
from pipeline.sandbox.snapchat import Snapchat
from pipeline.sandbox.stats import Stats
from pipeline.sandbox.tiktok import TikTok

ROOM = web.AppKey("room", Room)
GOOGLE = web.AppKey("google", GoogleKnobs)
PATHS: web.AppKey[Mapping[str, str]] = web.AppKey("paths")
SHUTDOWN_S = 2.0
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox, for tests in the same process. `url` has no trailing slash.

    `google` is what can be turned for Google alone; `paths` names one path of every platform.
    """

    url: str
    journal: Journal
    faults: FaultBook
    controls: Controls
    stats: Stats
    google: GoogleKnobs
    paths: Mapping[str, str]


def create_app(config: SandboxConfig, *, now: Callable[[], float] = time.time) -> web.Application:
    """Build the application; `now` returns Unix seconds.

    Raises ValueError for a fault document, a usage figure or a key that makes no sense, OSError if the journal file
    cannot be opened.
    """
    app = web.Application(client_max_size=config.max_body_bytes)
    room = _room(config, now)
    app[ROOM] = room
    google = _google(config)
    app[GOOGLE] = google
    app.add_routes(Admin(room, google).routes())
    paths: dict[str, str] = {}
    for platform in _platforms(room.controls, google):
        exchange = Exchange(platform, room)
        routes = [app.router.add_route("*", path, exchange.answer) for path in platform.routes]
        paths[platform.name] = routes[0].resource.canonical if routes[0].resource else ""
    app[PATHS] = paths
    app.on_shutdown.append(_release)
    app.on_cleanup.append(_close_journal)
    return app


@asynccontextmanager
async def running_sandbox(
    config: SandboxConfig | None = None,
    *,
    host: str = LOOPBACK,
    port: int = 0,
    now: Callable[[], float] = time.time,
) -> AsyncGenerator[Sandbox]:
    """Run a sandbox while the context lasts; port 0 takes a free one."""
    app = create_app(config or SandboxConfig(), now=now)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        bound = runner.addresses[0][1]
        room = app[ROOM]
        named = f"[{host}]" if ":" in host else host
        yield Sandbox(
            f"http://{named}:{bound}", room.journal, room.faults, room.controls, room.stats, app[GOOGLE], app[PATHS]
        )
    finally:
        await runner.cleanup()


def _platforms(controls: Controls, google: GoogleKnobs) -> list[Platform]:
    return [Meta(controls), Pinterest(controls), TikTok(controls), Snapchat(controls), Google(controls, google)]


def _google(config: SandboxConfig) -> GoogleKnobs:
    key = None if config.google_public_key is None else rsa_key(config.google_public_key)
    return GoogleKnobs(list(config.google_outcomes), config.google_processing_s, config.google_token_s, key)


def _room(config: SandboxConfig, now: Callable[[], float]) -> Room:
    controls = Controls(
        Access(
            tokens=frozenset(config.tokens),
            expired=frozenset(config.expired_tokens),
            revoked=frozenset(config.revoked_tokens),
            datasets=frozenset(config.datasets),
            app_secret=config.app_secret,
        ),
        Usage(),
        list(config.rejections),
        config.language,
        config.fast,
    )
    if config.usage:
        controls.usage.replace(dict(config.usage))
    faults = FaultBook(random.Random(config.seed))  # noqa: S311  # repeatable chance, not a secret
    for document in config.fault_documents:
        add_fault(faults, dict(document))
    journal = Journal(limit=config.journal_limit, path=config.journal_path, keep_payloads=config.keep_payloads)
    return Room(controls, faults, journal, Stats(), now)


async def _release(app: web.Application) -> None:
    app[ROOM].closing.set()


async def _close_journal(app: web.Application) -> None:
    app[ROOM].journal.close()
