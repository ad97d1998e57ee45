"""The image without an engine: the Dockerfile's first stage is run in a scratch folder, and what comes out is used.

As root it is used through the image's own account, when that may read the interpreter; else through ours.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from java_server import free_ports

ROOT = Path(__file__).resolve().parents[1]
HOME = "/opt/capi-pipeline"
START_SECONDS = 20.0
SETTINGS = {
    "CAPI_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9",
    "CAPI_DESTINATIONS_FILE": str(ROOT / "docs" / "examples" / "destinations.yaml"),
    "CAPI_SECRET_META_EU_TOKEN": "one",
    "CAPI_SECRET_META_US_TOKEN": "two",
    "CAPI_HTTP_HOST": "127.0.0.1",
}


def instructions(stage: int) -> list[tuple[str, str]]:
    """Return word and arguments of every instruction of a stage of the Dockerfile, from 1."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    starts = [number for number, line in enumerate(lines) if line.startswith("FROM ")]
    chosen = lines[starts[stage - 1] : [*starts, len(lines)][stage]]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in chosen)]


@dataclass(frozen=True, slots=True)
class Image:
    """What the build made: the folder that the image holds, a folder to be in, and the account to be."""

    home: Path
    desk: Path
    account: int | None

    def start(self, *arguments: str, **more: str) -> subprocess.Popen[str]:
        """Start the entry point with the settings, and with no more rights than in a container."""
        entry = json.loads(next(rest for word, rest in instructions(2) if word == "ENTRYPOINT"))
        path = f"{self.home / 'bin'}:{os.defpath}"
        own = {"PATH": path, "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(self.desk), "HOME": str(self.desk)}
        program = shutil.which(entry[0], path=path) or entry[0]
        return subprocess.Popen(
            [program, *entry[1:], *arguments],
            cwd=self.desk,
            env={**own, **SETTINGS, **more},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            user=self.account,
            group=self.account,
            extra_groups=None if self.account is None else [],
        )

    def files(self) -> set[Path]:
        """Return every file that the image holds."""
        return set(self.home.rglob("*"))


def serves(python: Path) -> bool:
    """Tell whether every account may run this interpreter, and it is recent enough for us."""
    real = python.resolve()
    if not real.exists() or not all(place.stat().st_mode & 0o001 for place in (real, *real.parents)):
        return False
    recent = "import sys; sys.exit(sys.version_info < (3, 11))"
    return 0 == subprocess.run([python, "-c", recent], check=False).returncode


def interpreter() -> tuple[str, bool]:
    """Return a Python to build with, and whether every account may run it."""
    for path in (Path(sys.base_prefix, "bin", "python3"), Path("/usr/bin/python3")):
        if serves(path):
            return str(path), True
    return sys.executable, False


def build(scratch: Path, python: str) -> Path:
    """Run the first stage below `scratch`, with downloads from pip's cache, and return what it made."""
    home, work, tools = scratch / "opt", scratch / "build", scratch / "tools"
    subprocess.run([python, "-m", "venv", "--without-pip", tools], check=True)
    pip = tools / "bin" / "pip"
    pip.write_text(f'#!/bin/sh\nexec {sys.executable} -m pip --quiet --python {tools}/bin/python "$@"\n')
    pip.chmod(0o755)
    env = {**os.environ, "PATH": f"{tools / 'bin'}:{os.environ['PATH']}"}
    work.mkdir()
    for word, rest in instructions(1):
        if word == "COPY":
            *sources, target = rest.split()
            for source in sources:
                copy(ROOT / source, work / target / (Path(source).name if target.endswith("/") else ""))
        elif word == "RUN":
            command = rest.replace(HOME, str(home))
            done = subprocess.run(
                ["sh", "-ec", command], cwd=work, env=env, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, f"{rest}\n{done.stdout}{done.stderr}"
    return home


def copy(source: Path, target: Path) -> None:
    """Copy a file or a folder, without what .dockerignore leaves out below it."""
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    """Give what the image holds, in a tree that nobody may write to."""
    scratch = Path(tempfile.mkdtemp(prefix="image-"))
    scratch.chmod(0o755)
    python, everybody = interpreter()
    home = build(scratch, python)
    desk = scratch / "desk"
    desk.mkdir()
    desk.chmod(0o777)
    account = next(int(rest.partition(":")[0]) for word, rest in instructions(2) if word == "USER")
    folders = [home, *(path for path in home.rglob("*") if path.is_dir() and not path.is_symlink())]
    for folder in folders:
        folder.chmod(0o555)
    yield Image(home, desk, account if everybody and os.geteuid() == 0 else None)
    for folder in folders:
        folder.chmod(0o755)
    shutil.rmtree(scratch)


@contextmanager
def worker(image: Image) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the image's own command against a Kafka that is not there; give the process and its address."""
    port = free_ports(1)[0]
    command = json.loads(next(rest for word, rest in instructions(2) if word == "CMD"))
    process = image.start(*command, CAPI_HTTP_PORT=str(port))
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.communicate()


def ask(url: str) -> tuple[int, Mapping[str, object]]:
    """Return status and JSON of an answer, as soon as there is one."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)
        except OSError:
            assert time.monotonic() < deadline, f"{url} did not answer"
            time.sleep(0.05)


def test_context_is_what_is_copied() -> None:
    """The build context holds what the Dockerfile copies and nothing else, and all of it exists."""
    copied = {source for word, rest in instructions(1) if word == "COPY" for source in rest.split()[:-1]}
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()

    assert copied == {line[1:] for line in lines if line.startswith("!")}
    assert [] == [source for source in copied if not (ROOT / source).exists()]


def test_schemas_are_inside(image: Image) -> None:
    """The installed package brings the contract, file by file that of the repository."""
    package = next(image.home.glob("lib/python*/site-packages/pipeline"))
    contract = {path.relative_to(ROOT / "schemas"): path.read_bytes() for path in (ROOT / "schemas").rglob("*.*")}

    assert contract == {path: (package / "_schemas" / path).read_bytes() for path in contract}


def test_bytecode_is_inside(image: Image) -> None:
    """Every module of ours is compiled, since the worker may not do it."""
    package = next(image.home.glob("lib/python*/site-packages/pipeline"))
    modules = set(package.rglob("*.py"))

    assert modules
    assert modules == {path.parent.parent / f"{path.name.split('.')[0]}.py" for path in package.rglob("*.pyc")}


def test_check_finds_nothing(image: Image) -> None:
    """The installed command finds its settings, destinations, secrets and schemas."""
    process = image.start("check", "--offline", "--output", "json")
    output, _ = process.communicate(timeout=START_SECONDS)

    assert ["destinations", "schemas", "secrets", "settings"] == sorted({row["part"] for row in json.loads(output)})
    assert 0 == process.returncode


def test_worker_starts_and_stops(image: Image) -> None:
    """Without Kafka the worker is alive, not ready, and ends in order when it is told to."""
    with worker(image) as (process, address):
        alive, _ = ask(f"{address}/livez")
        ready, body = ask(f"{address}/readyz")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=START_SECONDS)

        assert 200 == alive
        assert (503, ["not_joined"]) == (ready, body["reasons"])
        assert 0 == process.returncode


def test_delivers_from_tree_that_nobody_may_write_to(image: Image) -> None:
    """The whole road works from the image's folder, and leaves nothing in it."""
    before = image.files()
    process = image.start("demo", "--events", "80", "--sandbox-port", "0", "--worker-port", "0")
    output, _ = process.communicate(timeout=60)

    assert 0 == process.returncode, output
    assert before == image.files()
