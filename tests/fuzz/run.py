"""Fuzz the targets: `run.py TARGET|all --runs N --seconds S`. Coverage-guided where atheris is installed.

What is found new stays in `.cache/fuzz/TARGET/`; an input that breaks a promise is written beside it.
Without atheris the inputs are random ones and changed ones of the corpus, and S is not heeded.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from corpora import CORPUS, NAMES, ROOT, SUPPORT, WORK, corpus

# No field, header or reply of ours gets more interesting beyond this.
LONGEST = 2048
# What libFuzzer says at the end: inputs, speed, new ones, memory.
LAST_LINES = 7
sys.path.append(str(SUPPORT))


def main() -> int:
    """Fuzz what the command line names; 0 when no promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", choices=["all", *NAMES])
    parser.add_argument("--runs", type=int, default=100_000, help="inputs per target")
    parser.add_argument("--seconds", type=int, default=0, help="most seconds per target; 0: as long as it takes")
    given = parser.parse_args()
    if given.target == "all":
        return _all(given.runs, given.seconds)
    if importlib.util.find_spec("atheris") is None:
        return _plainly(given.target, given.runs)
    return _guided(given.target, given.runs, given.seconds)


def _all(runs: int, seconds: int) -> int:
    """Fuzz every target in a process of its own, two at a time."""

    def one(name: str) -> int:
        command = [sys.executable, __file__, name, f"--runs={runs}", f"--seconds={seconds}"]
        log = WORK / f"{name}.log"
        with log.open("wb") as out:
            ended = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, check=False).returncode
        last = "\n".join(log.read_text(errors="replace").splitlines()[-LAST_LINES:])
        sys.stdout.write(f"== {name}: exit {ended}, all of it in {log.relative_to(ROOT)}\n{last}\n")
        sys.stdout.flush()
        return ended

    WORK.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(2) as pool:
        return int(any([*pool.map(one, NAMES)]))


def _plainly(name: str, runs: int) -> int:
    plain, targets = importlib.import_module("plain"), importlib.import_module("targets")
    plain.rehearse(targets.TARGETS[name], corpus(name), runs)
    sys.stdout.write(f"{name}: {runs} inputs without coverage (atheris is not installed)\n")
    return 0


def _guided(name: str, runs: int, seconds: int) -> int:
    # Imported late: what coverage is to watch has to be imported under its eyes.
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["pipeline"]):
        targets = importlib.import_module("targets")
    for reader in importlib.import_module("decoding").ALL_READERS:
        # Compiled at run time, so that no import could be watched.
        atheris.instrument_func(reader.read)
    found = WORK / name
    found.mkdir(parents=True, exist_ok=True)
    options = [
        f"-runs={runs}",
        f"-max_total_time={seconds}",
        f"-max_len={LONGEST}",
        # The targets bound the processor time themselves; this is for what Python cannot interrupt.
        "-timeout=20",
        f"-artifact_prefix={found}-",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *options, str(found), str(CORPUS / name)], targets.TARGETS[name])
    with importlib.import_module("promises").watched():
        atheris.Fuzz()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
