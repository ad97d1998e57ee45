"""The one room where everybody meets: settings in, the road built and started, signals and the end.

Below it nothing reads the environment, and nothing above it knows Kafka or HTTP.
Threads: the event loop here (lanes, probes, schema fetching), the owner thread (everything Kafka), and where a platform
decides later the follower's.
Crash-only: what neither of them expects ends the process without another commit, and Kubernetes starts a new one.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import random
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipeline import __version__
from pipeline.assembly import Assembly
from pipeline.config.environment import read_secrets
from pipeline.config.faults import Fault, SettingsError
from pipeline.config.followed import following_faults
from pipeline.config.registry_access import open_registry
from pipeline.config.settings import Settings
from pipeline.core import signals
from pipeline.core.destination import Destination
from pipeline.core.ports import SourceBroken
from pipeline.core.status import Status
from pipeline.edge.health import Endpoints, Health, serve
from pipeline.edge.http import HttpSender
from pipeline.edge.logs import LibraryLogs, open_log
from pipeline.edge.secrets import Secrets
from pipeline.edge.telemetry import Telemetry
from pipeline.exits import Exit
from pipeline.flow.clocks import Clocks
from pipeline.flow.lanes import Lanes
from pipeline.flow.line import World
from pipeline.platforms import PLATFORMS, open_platform

# The owner thread comes round many times a second. Only giving up partitions may hold it: for the revoke deadline, and
# for a commit that waits for brokers as long as a session; this much more is a hang.
STUCK_SECONDS = 30.0
WATCH_SECONDS = 1.0
# The wall clock is always being adjusted a little; more than this is a step.
CLOCK_SECONDS = 2.0
# Time to close sockets after a crash.
CRASH_SECONDS = 5.0
# Events hold no circles: reference counts free them, and all that Python's collector finds in them is work. It looks
# after so many new objects (its own default is 700) and seldom at the old ones.
GARBAGE = (50_000, 20, 100)


def run(settings: Settings, destinations: Sequence[Destination]) -> int:
    """Run the worker for `destinations` until it is told to stop, and return the exit code.

    Raises SettingsError before anything is started when no destination is on or a secret of Kafka's is missing.
    """
    active = tuple(destination for destination in destinations if destination.mode != "off")
    if not active:
        where = str(settings.destinations_file)
        raise SettingsError([Fault(where, "every destination is off", "set one to `mode: live`")])
    faults = list(following_faults(settings, active, PLATFORMS))
    if faults:
        raise SettingsError(faults)
    # What the imports made stays for good.
    gc.freeze()
    gc.set_threshold(*GARBAGE)
    code = asyncio.run(_Room(settings, active).live())
    if code != Exit.OK:
        # The consumer was not closed, on purpose; tearing it down with the interpreter was seen to hang.
        sys.stdout.flush()
        os._exit(code)
    return code


@dataclass(slots=True)
class _Ending:
    """How it ends: the exit code, set once by whoever ends it first."""

    event: asyncio.Event
    code: int = Exit.OK


class _Room:
    def __init__(self, settings: Settings, destinations: tuple[Destination, ...]) -> None:
        self._settings = settings
        self._destinations = destinations
        # no-color.org: set to anything, it asks for none.
        log = open_log(settings.log.format, sys.stdout, colors=not os.environ.get("NO_COLOR"))
        logging.getLogger().handlers = [LibraryLogs(log)]
        name = settings.worker_name
        self._telemetry = Telemetry(log, level=settings.log.level, version=__version__, worker=name)
        self._status = Status(name, __version__)
        self._clocks = Clocks(time.time, time.monotonic)
        self._stopping = False
        self._patience = settings.stop.revoke_deadline_seconds + settings.kafka.session_timeout_seconds + STUCK_SECONDS

    async def live(self) -> int:
        """Build everything, run until the end, and take it down in order."""
        self._loop = asyncio.get_running_loop()
        self._ending = _Ending(asyncio.Event())
        self._telemetry.watch(self._poll_age, lambda: self._clocks.ahead)
        for destination in self._destinations:
            self._telemetry.introduce(destination.name, destination.platform, PLATFORMS[destination.platform].weights)
        secrets = read_secrets(self._settings, os.environ)
        async with HttpSender() as http, open_registry(self._settings.registry, secrets) as registry:
            world = World(http, secrets, self._telemetry, self._clocks, random.random)
            platforms = [open_platform(destination) for destination in self._destinations]
            self._lanes = Lanes(platforms, world, self._loop)
            assembly = Assembly(self._settings, secrets, world, self._status, self._loop)
            self._follower = assembly.follower(platforms)
            self._worker = assembly.worker(platforms, self._lanes, registry)
            endpoints = await self._serve()
            self._tell_start()
            self._obey_signals()
            tasks = [
                asyncio.create_task(self._guard(self._lanes.run())),
                asyncio.create_task(self._guard(self._watch_secrets(secrets))),
                asyncio.create_task(self._watch_owner()),
                asyncio.create_task(self._watch_clock()),
            ]
            for name, work in self._threads():
                threading.Thread(target=self._own, args=(work,), name=name, daemon=True).start()
            await self._ending.event.wait()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await endpoints.close()
        return self._ending.code

    def _tell_start(self) -> None:
        settings = self._settings
        self._telemetry.tell(
            signals.WorkerStarted(
                worker=settings.worker_name,
                group=settings.group_id,
                version=__version__,
                environment=settings.environment,
                topics=tuple(settings.source_topics),
                destinations=tuple(destination.name for destination in self._destinations),
            )
        )

        today = datetime.now(UTC).date()
        for item in self._destinations:
            for text in PLATFORMS[item.platform].notices(item.options, today):
                self._telemetry.tell(signals.Notice(item.name, text))

    async def _serve(self) -> Endpoints:
        health = Health(self._status, self._telemetry.expose, self._patience)
        host, port = self._settings.http.host, self._settings.http.port
        try:
            return await serve(health, host, port)
        except OSError as error:
            problem = f"cannot listen on {host}:{port} ({error.strerror or type(error).__name__})"
            raise SettingsError([Fault("CAPI_HTTP_PORT", problem, "free the port or set another one")]) from None

    def _poll_age(self) -> float:
        beat = self._status.beat_at
        return 0.0 if beat is None else time.monotonic() - beat

    # -- the end ---------------------------------------------------------------------------------------------------

    def _threads(self) -> list[tuple[str, Callable[[], None]]]:
        """The threads beside the loop: whatever breaks one of them ends the process, and so does the end of all."""
        threads = [("owner", self._worker.run)]
        if self._follower is not None:
            threads.append(("follower", self._follower.run))
        self._running = len(threads)
        return threads

    def _own(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - the thread's last resort: tell, and end without a commit
            self._crash(error)
        else:
            self._loop.call_soon_threadsafe(self._ended)

    def _ended(self) -> None:
        """Note, on the loop, that a thread is done."""
        self._running -= 1
        if not self._running:
            self._end(Exit.OK)

    async def _guard(self, work: Coroutine[None, None, None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - a lane that broke: tell, and end without a commit
            self._crash(error)

    def _crash(self, error: Exception) -> None:
        self._end_within(CRASH_SECONDS)
        while isinstance(error, ExceptionGroup):
            error = error.exceptions[0]
        # The text of an unexpected error may quote an event: its type and place say enough.
        cause = str(error) if isinstance(error, SourceBroken) else type(error).__name__
        frames = traceback.extract_tb(error.__traceback__)
        where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown"
        try:
            self._telemetry.tell(signals.Crashed(cause, where))
        finally:
            self._end(Exit.FAILURE)

    def _end(self, code: int) -> None:
        def set_once() -> None:
            if not self._ending.event.is_set():
                self._ending.code = code
                self._ending.event.set()

        self._loop.call_soon_threadsafe(set_once)

    def _obey_signals(self) -> None:
        """Drain on the first SIGTERM or SIGINT; on the second, or past the deadline, end at once: nothing is lost."""
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._asked_to_stop)

    def _asked_to_stop(self) -> None:
        if self._stopping:
            os._exit(Exit.FAILURE)
        self._stopping = True
        self._worker.stop()
        if self._follower is not None:
            self._follower.stop()
        self._end_within(self._settings.stop.exit_deadline_seconds)

    def _end_within(self, seconds: float) -> None:
        """End the process by then, come what may: a thread of its own, for a loop that hangs must not keep it."""
        timer = threading.Timer(seconds, os._exit, (int(Exit.FAILURE),))
        timer.daemon = True
        timer.start()

    # -- watching --------------------------------------------------------------------------------------------------

    async def _watch_secrets(self, secrets: Secrets) -> None:
        """Once a second: tell a lane when one of its secrets was rotated on disk."""

        def versions(item: Destination) -> tuple[int, ...]:
            return tuple(secrets.version_of(name) for name in item.secrets.values())

        seen = {item.name: versions(item) for item in self._destinations}
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            for item in self._destinations:
                current = versions(item)
                if current == seen[item.name]:
                    continue
                seen[item.name] = current
                if not isinstance(secrets.values(item.secrets), str):
                    self._telemetry.tell(signals.SecretRotated(item.name, ", ".join(item.secrets.values())))
                    self._lanes.lanes[item.name].secrets_changed()

    async def _watch_owner(self) -> None:
        """Say so when the owner thread hangs; the liveness probe acts on it."""
        while True:
            await asyncio.sleep(STUCK_SECONDS / 3)
            beat = self._status.beat_at
            silent = 0.0 if beat is None else time.monotonic() - beat
            if silent > self._patience:
                self._telemetry.tell(signals.OwnerStuck(silent))

    async def _watch_clock(self) -> None:
        """Say so when somebody sets the wall clock; nothing waits by it, and ages are judged by two."""
        told = 0.0
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            if abs(self._clocks.ahead - told) > CLOCK_SECONDS:
                told = self._clocks.ahead
                self._telemetry.tell(signals.ClockSet(told))
