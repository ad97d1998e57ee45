"""The worker's workplace: the folder with its destinations file and its secrets, and its environment.

What stands here is all that a deployment needs; the same three things are a ConfigMap, a Secret and `env` elsewhere.
Invariant: nothing of the user's own `CAPI_*` variables reaches a process of the demo.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pipeline.core.contract import Kind
from pipeline.demo.destinations import destinations_file
from pipeline.demo.keyring import Keyring

GROUP: Final = "capi.demo"
TOPICS: Final[Mapping[Kind, str]] = {"order": "capi.orders", "lead": "capi.leads", "activity": "capi.activities"}
DEAD_LETTERS: Final = "capi.dead-letters"
RECEIPTS, REPLAYS = "capi.receipts", "capi.google.replay"
PARTITIONS: Final[Mapping[str, int]] = {
    "capi.orders": 3,
    "capi.leads": 2,
    "capi.activities": 2,
    DEAD_LETTERS: 2,
    RECEIPTS: 1,
    REPLAYS: 1,
}


@dataclass(frozen=True, slots=True)
class Workplace:
    """A folder for one run, and the secrets that are made up for it."""

    folder: Path
    keyring: Keyring = field(default_factory=Keyring.made_up)

    @property
    def public_key(self) -> Path:
        """The file with the public key of Google's service account, for the sandbox."""
        path = self.folder / "google-public-key.pem"
        path.write_text(self.keyring.public_key, encoding="utf-8")
        return path

    def log(self, name: str) -> Path:
        """Return the log file of a process."""
        return self.folder / f"{name}.log"

    def furnish(self, *, servers: str, sandbox_url: str, port: int) -> dict[str, str]:
        """Write the destinations file and the secrets, and return the worker's settings (`CAPI_*`)."""
        destinations = self.folder / "destinations.yaml"
        destinations.write_text(destinations_file(sandbox_url), encoding="utf-8")
        secrets_dir = self.folder / "secrets"
        secrets_dir.mkdir(mode=0o700)
        for platform, secret in {**self.keyring.tokens, "google": self.keyring.service_account}.items():
            (secrets_dir / f"{platform}_demo").write_text(secret + "\n", encoding="utf-8")
        settings = {
            "CAPI_ENVIRONMENT": "demo",
            "CAPI_WORKER_NAME": "demo",
            "CAPI_GROUP": GROUP,
            "CAPI_KAFKA_BOOTSTRAP_SERVERS": servers,
            "CAPI_SOURCE_TOPICS": ",".join(f"{topic}={kind}" for kind, topic in TOPICS.items()),
            "CAPI_DEAD_LETTERS_TOPIC": DEAD_LETTERS,
            "CAPI_RECEIPTS_TOPIC": RECEIPTS,
            "CAPI_REPLAY_TOPIC": REPLAYS,
            "CAPI_DESTINATIONS_FILE": str(destinations),
            "CAPI_SECRETS_DIR": str(secrets_dir),
            "CAPI_INTAKE_COMMIT_INTERVAL_SECONDS": "0.2",
            "CAPI_HTTP_HOST": "127.0.0.1",
            "CAPI_HTTP_PORT": str(port),
            "CAPI_LOG_FORMAT": "json",
        }
        lines = "".join(f"{name}={value}\n" for name, value in settings.items())
        (self.folder / "worker.env").write_text(lines, encoding="utf-8")
        return settings


def plain_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for the demo's processes: the user's without `CAPI_*`, able to import this package."""
    package = str(Path(__file__).resolve().parents[2])
    path = environ.get("PYTHONPATH")
    plain = {name: value for name, value in environ.items() if not name.startswith("CAPI_")}
    return {**plain, "PYTHONPATH": f"{package}{os.pathsep}{path}" if path else package, "PYTHONUNBUFFERED": "1"}


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
