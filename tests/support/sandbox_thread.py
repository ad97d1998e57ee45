"""The sandbox on a thread of its own, for workers that are processes; it keeps its port and its journal over a stop."""

from __future__ import annotations

import asyncio
import threading
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson
from java_server import free_ports

from pipeline.sandbox.config import SandboxConfig
from pipeline.sandbox.google_jwt import rsa_key
from pipeline.sandbox.server import Sandbox, running_sandbox

METADATA = "/computeMetadata/v1/instance/service-accounts/default/token"
ISSUED = "ya29.sandbox-"


@dataclass(frozen=True, slots=True)
class Kept:
    """An accepted event, as the journal file has it. `sha256` is that of its bytes."""

    platform: str
    event_id: str
    event_name: str
    event_time: int
    sha256: str
    duplicate: bool
    received_at: float


@dataclass(slots=True)
class SandboxThread:
    """Use as a context manager; `stop` and `start` are what an outage of the platform looks like.

    `config` is what the next start begins with.
    """

    journal_path: Path
    config: SandboxConfig
    port: int = field(default_factory=lambda: free_ports(1)[0])
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _stopping: asyncio.Event | None = None
    _sandbox: Sandbox | None = None
    _serving: Any = None
    _thread: threading.Thread = field(init=False)
    _kept: list[Kept] = field(default_factory=list)
    _read: int = 0

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._loop.run_forever, name="sandbox", daemon=True)
        self._thread.start()
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def url(self) -> str:
        """The address of the platform."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Serve, on the same port as ever; return when it does."""
        up = threading.Event()
        self._serving = asyncio.run_coroutine_threadsafe(self._serve(up), self._loop)
        while not up.wait(0.05):
            if self._serving.done():
                self._serving.result()

    def stop(self) -> None:
        """Close the port and every connection. Does nothing when it is stopped."""
        if self._stopping is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._serving.result(timeout=10)
            self._stopping = None

    def kept(self) -> list[Kept]:
        """Return everything that was accepted since the first start, duplicates included."""
        # A journal only grows: what was read before is not read again.
        with self.journal_path.open("rb") as journal:
            journal.seek(self._read)
            new = journal.read().rpartition(b"\n")[0]
        if new:
            self._read += len(new) + 1
            lines = map(orjson.loads, new.splitlines())
            self._kept += [Kept(**{name: line[name] for name in Kept.__slots__}) for line in lines]
        return list(self._kept)

    def payloads(self) -> bytes:
        """Return the accepted events whole, since the last start, if the configuration keeps them."""
        return self._call("GET", "payloads")

    def add_fault(self, kind: str, **words: object) -> None:
        """Let requests go wrong until `clear_faults`, or `count` times."""
        self._call("POST", "faults", {"kind": kind, **words})

    def watch(self, path: str) -> None:
        """Count the requests with this in their path from now on: a latency of no seconds strikes all of them."""
        self.add_fault("latency", in_path=path)

    def seen(self, path: str) -> int:
        """Return how many requests the watch on this path has counted."""
        rules = orjson.loads(self._call("GET", "faults"))
        return sum(rule["hits"] for rule in rules if (rule["kind"], rule["in_path"]) == ("latency", path))

    def clear_faults(self) -> None:
        """Let every request go well again."""
        self._call("DELETE", "faults")

    def let_in(self, tokens: Sequence[str], *, revoked: Sequence[str] = ()) -> None:
        """Know these tokens from now on, and no others."""
        self._call("POST", "access", {"tokens": tokens, "revoked": revoked})

    def trust(self, public_key: str) -> None:
        """Know Google's service account by this key (PEM) from now on, and by no other."""
        assert self._sandbox is not None, "the sandbox is stopped"
        self._sandbox.google.key = rsa_key(public_key)

    def issued(self) -> list[str]:
        """Return every access token that Google has issued since the last start, by asking it for one more."""
        request = urllib.request.Request(f"{self.url}{METADATA}", headers={"Metadata-Flavor": "Google"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            last = str(orjson.loads(answer.read())["access_token"])
        return [f"{ISSUED}{number}" for number in range(1, int(last.removeprefix(ISSUED)) + 1)]

    def report_usage(self, **figures: int) -> None:
        """Report this use of the quota with every answer."""
        self._call("POST", "usage", figures)

    def refuse(self, pattern: str, platform: str | None = None) -> None:
        """Refuse events whose id matches, as only the platform can: this one, or any."""
        self._call("POST", "rejections", {"event_id": pattern, "platform": platform})

    def refuse_nothing(self) -> None:
        """Refuse no event any more for what only the platform knows."""
        self._call("DELETE", "rejections")

    def requests(self) -> int:
        """Return how many requests arrived since the last start."""
        return int(self.stats()["requests"])

    def stats(self) -> dict[str, Any]:
        """Return the figures since the last start."""
        return dict(orjson.loads(self._call("GET", "stats")))

    def _call(self, method: str, name: str, document: object = None) -> bytes:
        body = None if document is None else orjson.dumps(document)
        request = urllib.request.Request(f"{self.url}/_sandbox/{name}", body, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return bytes(answer.read())

    async def _serve(self, up: threading.Event) -> None:
        self._stopping = asyncio.Event()
        config = replace(self.config, journal_path=self.journal_path)
        async with running_sandbox(config, port=self.port) as self._sandbox:
            up.set()
            await self._stopping.wait()
