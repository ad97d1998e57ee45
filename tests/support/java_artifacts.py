"""Java and Maven: finds them, installs them where that is one command, and fetches servers through them.

What is fetched lands whole or not at all: it is built in a folder beside its place and then renamed, so an
interrupted download never leaves half a server, and two test runs that fetch at once both end well.
Where Maven gets its files from is the machine's own Maven configuration; nothing here names a repository.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

OLDEST_JAVA = 17  # Apache Kafka 4.0 and later: brokers need Java 17 (KIP-1013)
DEPENDENCY_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"
DEBIAN_PACKAGES = ("default-jre-headless", "maven")
FETCH_SECONDS = 900.0


class ToolMissingError(RuntimeError):
    """A program that the tests need is neither here nor installable from here."""


class FetchError(RuntimeError):
    """Maven could not fetch what was asked; the message ends with Maven's own words."""


@dataclass(frozen=True, slots=True)
class Java:
    """A Java runtime: the path of its executable and its full version, such as `17.0.15`."""

    executable: str
    version: str

    @property
    def major(self) -> int:
        """The feature release: 17 for `17.0.15`, 1 for the old style `1.8.0`."""
        return int(re.split(r"\D", self.version, maxsplit=1)[0])


def cache_root() -> Path:
    """Where fetched servers are kept: the folder that CAPI_TEST_CACHE names, else `.cache` in the repository."""
    moved = os.environ.get("CAPI_TEST_CACHE")
    return Path(moved).resolve() if moved else Path(__file__).resolve().parents[2] / ".cache"


def require_java() -> Java:
    """Return a Java runtime of at least version 17, installing one where apt-get can.

    JAVA_HOME is asked first, then PATH. Raises ToolMissingError.
    """
    java = _find_java()
    if java is None or java.major < OLDEST_JAVA:
        _install_packages()
        java = _find_java()
    if java is None or java.major < OLDEST_JAVA:
        found = "none was found" if java is None else f"{java.executable} is {java.version}"
        raise ToolMissingError(
            f"Java {OLDEST_JAVA} or newer is needed, {found}: "
            f"install a JRE (Debian and Ubuntu: apt-get install {DEBIAN_PACKAGES[0]}) or set JAVA_HOME"
        )
    return java


def require_maven() -> str:
    """Return the path of `mvn`, installing it where apt-get can. Raises ToolMissingError."""
    maven = shutil.which("mvn")
    if maven is None:
        _install_packages()
        maven = shutil.which("mvn")
    if maven is None:
        raise ToolMissingError(
            "Maven is needed to fetch the servers of the Kafka tests, and `mvn` is not on the PATH: "
            f"install it (Debian and Ubuntu: apt-get install {DEBIAN_PACKAGES[1]})"
        )
    return maven


def fetch_once(target: Path, build: Callable[[Path], None]) -> Path:
    """Return `target`, which `build` fills if it does not exist yet.

    `build` gets an empty folder beside `target`; only when it returns is the folder renamed into place.
    """
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as scratch:
        folder = Path(scratch) / target.name
        folder.mkdir()
        build(folder)
        try:
            folder.rename(target)
        except OSError:
            if not target.exists():  # otherwise another run was first, and its copy is as good
                raise
    return target


def run_maven(folder: Path, goal: str, options: Sequence[str]) -> None:
    """Run one goal of the dependency plugin in `folder`, checksums enforced. Raises FetchError."""
    command = [require_maven(), "-B", "-ntp", "--strict-checksums", f"{DEPENDENCY_PLUGIN}:{goal}", *options]
    finished = subprocess.run(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=FETCH_SECONDS,
        check=False,
    )
    if finished.returncode:
        errors = [line for line in finished.stdout.splitlines() if "ERROR" in line][:5]
        raise FetchError(
            f"Maven's {goal} failed with exit status {finished.returncode}; "
            "check that this machine reaches Maven Central:\n" + "\n".join(errors)
        )


def _find_java() -> Java | None:
    home = os.environ.get("JAVA_HOME")
    executable = shutil.which("java", path=f"{home}/bin" if home else None)
    if executable is None:
        return None
    reply = subprocess.run([executable, "-version"], capture_output=True, text=True, check=False, timeout=30)
    found = re.search(r'version "([^"]+)"', reply.stderr)
    return Java(executable, found.group(1)) if found else None


def _install_packages() -> None:
    """Install Java and Maven where this process may: root on a machine with apt-get. Elsewhere, do nothing."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "-qq", "update"],
        ["apt-get", "-qq", "install", "-y", "--no-install-recommends", *DEBIAN_PACKAGES],
    ):
        finished = subprocess.run(
            command, env=quiet, capture_output=True, text=True, check=False, timeout=FETCH_SECONDS
        )
        if finished.returncode:
            raise ToolMissingError(
                f"`{' '.join(command)}` failed with exit status {finished.returncode}; "
                f"install {' and '.join(DEBIAN_PACKAGES)} by hand:\n{finished.stderr[-2000:]}"
            )
