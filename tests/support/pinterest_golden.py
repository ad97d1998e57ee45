"""Golden files of Pinterest: an event in the contract's JSON form, and beside it the exact bytes that are sent of it.

`python tests/support/pinterest_golden.py --rewrite` writes the payloads anew; nothing else does. Read the difference.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from meta_events import event_of
from pinterest_events import shape

from pipeline.core.model import Shaped

FOLDER = Path(__file__).resolve().parent.parent / "platforms" / "golden" / "pinterest"
EVENT, PAYLOAD = ".event.json", ".payload.json"
CASES = tuple(sorted(path.name.removesuffix(EVENT) for path in FOLDER.glob(f"*{EVENT}")))


def payload_of(case: str) -> bytes:
    """Return what is sent of the event of a case."""
    shaped = shape(event_of(json.loads((FOLDER / f"{case}{EVENT}").read_text(encoding="utf-8"))))
    if not isinstance(shaped, Shaped):
        raise SystemExit(f"{case}: the event is not sent: {shaped}")
    return shaped.payload


def golden(case: str) -> bytes:
    """Return what has to be sent of the event of a case."""
    return (FOLDER / f"{case}{PAYLOAD}").read_bytes()


def payloads() -> Iterator[bytes]:
    """Yield what is sent in every case, in the order of the cases."""
    return (payload_of(case) for case in CASES)


def main() -> None:
    """Write every payload to standard output, one a line; with `--rewrite`, also to its file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rewrite", action="store_true", help="store the payloads as the golden ones")
    rewrite = parser.parse_args().rewrite
    for case, payload in zip(CASES, payloads(), strict=True):
        sys.stdout.write(f"{payload.decode()}\n")
        if rewrite:
            (FOLDER / f"{case}{PAYLOAD}").write_bytes(payload)


if __name__ == "__main__":
    main()
