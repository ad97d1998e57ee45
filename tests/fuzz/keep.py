"""Choose the committed corpus: `keep.py TARGET...` after `run.py`, for every target when none is named.

Of all that was found, the inputs are kept that together take the most steps through our code, few and small.
"""

from __future__ import annotations

import hashlib
import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType

from corpora import CORPUS, NAMES, SUPPORT, WORK, corpus
from promises import Target, watched

MOST_FILES = 60
MOST_BYTES = 100_000
# A large input says little more than a small one, and fills the corpus.
LARGEST = 4096

Step = tuple[str, int, int]
Tracer = Callable[[FrameType, str, object], object]


def main() -> None:
    """Replace the corpora of the targets that the command line names."""
    sys.path.append(str(SUPPORT))
    targets = importlib.import_module("targets").TARGETS
    for name in sys.argv[1:] or NAMES:
        (WORK / name).mkdir(parents=True, exist_ok=True)
        inputs = {*corpus(name), *(path.read_bytes() for path in (WORK / name).iterdir())}
        small = sorted((data for data in inputs if len(data) <= LARGEST), key=lambda data: (len(data), data))
        chosen = choose({data: steps(targets[name], data) for data in small})
        _write(CORPUS / name, chosen)
        sys.stdout.write(f"{name}: {len(chosen)} of {len(inputs)} inputs, {sum(map(len, chosen))} bytes\n")


def steps(target: Target, data: bytes) -> frozenset[Step]:
    """Return the steps from line to line that `target` takes through `pipeline` and the compiled readers."""
    taken: set[Step] = set()
    with watched():
        sys.settrace(_tracer(taken))
        try:
            target(data)
        finally:
            sys.settrace(None)
    return frozenset(taken)


def choose(inputs: Mapping[bytes, frozenset[Step]]) -> Sequence[bytes]:
    """Return inputs, each the one that adds most to those before it, until nothing is added or the room is full."""
    chosen: list[bytes] = []
    known: set[Step] = set()
    while len(chosen) < MOST_FILES:
        best = max(inputs, key=lambda data: len(inputs[data] - known), default=b"")
        if not inputs.get(best, frozenset()) - known or sum(map(len, chosen)) + len(best) > MOST_BYTES:
            break
        chosen.append(best)
        known |= inputs[best]
    return chosen


def _tracer(taken: set[Step]) -> Tracer:
    def enter(frame: FrameType, _event: str, _argument: object) -> Tracer | None:
        file = frame.f_code.co_filename
        if "/pipeline/" not in file and not file.startswith("<compiled"):
            return None
        before = 0

        def step(frame: FrameType, event: str, _argument: object) -> Tracer:
            nonlocal before
            if event == "line":
                taken.add((file, before, frame.f_lineno))
                before = frame.f_lineno
            return step

        return step

    return enter


def _write(folder: Path, chosen: Sequence[bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    for data in chosen:
        (folder / hashlib.sha1(data).hexdigest()).write_bytes(data)


if __name__ == "__main__":
    main()
