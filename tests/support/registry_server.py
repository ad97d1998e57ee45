"""A real schema registry for the tests: Apicurio, in memory, loopback only, speaking Confluent's API version 7.

Version 2.6 is the last line that runs on Java 17; 3.x needs Java 21, which Debian 12 does not have.
It answers as Confluent's registry does, with three differences that matter to tests: there is no lookup by
GUID (`/schemas/guids/...` is 404), no `/mode`, and the compatibility level is NONE until it is set.
"""

from __future__ import annotations

import shutil
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

from java_artifacts import cache_root, fetch_once, require_java, run_maven
from java_server import JavaServer, free_ports, scratch_directory, train_archive

APICURIO_VERSION = "2.6.13.Final"
READY_SECONDS = 60.0
TRAINING_STOP_SECONDS = 60.0  # the JVM writes its archive when it ends


class RegistryServer:
    """One registry, empty at every start; it stops and leaves no file behind at the end of the `with` block."""

    def __init__(self) -> None:
        java = require_java()
        self._folder = fetch_registry()
        # One archive fits one build of Java.
        self._archive = self._folder / f"java-{java.version}.jsa"
        self._port = free_ports(1)[0]
        self._home = scratch_directory()
        self._server = JavaServer("Apicurio Registry", java, self._home / "registry.log")
        train_archive(self._archive, self._train)

    @property
    def url(self) -> str:
        """The base address of the Confluent-compatible API, what clients call `schema.registry.url`."""
        return f"http://127.0.0.1:{self._port}/apis/ccompat/v7"

    @property
    def pid(self) -> int:
        """The process id of the registry. Raises ServerFailedError if it was not started."""
        return self._server.pid

    def start(self) -> None:
        """Start it and wait until it answers. Raises ServerFailedError with the end of its log."""
        archive = self._archive
        self._launch(f"-XX:SharedArchiveFile={archive}" if archive.exists() else "-Xshare:auto")

    def stop(self) -> None:
        """End the process; what it stored is gone."""
        self._server.stop()

    def close(self) -> None:
        """Kill the process, and remove its log."""
        self._server.kill()
        shutil.rmtree(self._home)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _launch(self, jvm_option: str) -> None:
        jar = self._folder / f"apicurio-registry-app-{APICURIO_VERSION}-runner.jar"
        listen = ("-Dquarkus.http.host=127.0.0.1", f"-Dquarkus.http.port={self._port}")
        self._server.launch([jvm_option, *listen, "-jar", str(jar)])
        self._server.wait_until(self._answers, READY_SECONDS)

    def _train(self, archive: Path) -> None:
        self._launch(f"-XX:ArchiveClassesAtExit={archive}")
        self._server.stop(TRAINING_STOP_SECONDS)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/subjects", timeout=5) as reply:
                return int(reply.status) == 200
        except (urllib.error.URLError, ConnectionError):
            return False


def fetch_registry() -> Path:
    """Return the folder of Apicurio Registry, fetched if it is not in the cache yet.

    Raises ToolMissingError or FetchError.
    """
    artifact = f"io.apicurio:apicurio-registry-app:{APICURIO_VERSION}:tar.gz:all"
    return fetch_once(
        cache_root() / "apicurio" / APICURIO_VERSION,
        lambda folder: run_maven(folder, "unpack", [f"-Dartifact={artifact}", f"-DoutputDirectory={folder}"]),
    )
