"""Golden files: events in the contract's JSON form, and beside each the exact bytes that a platform is sent of it.

`python tests/platforms/goldens.py --rewrite` writes the payloads anew; nothing else does. Read the difference.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
FOLDER: Final = HERE / "golden"
EVENT, PAYLOAD = ".event.json", ".payload.json"
CASES: Final[Sequence[tuple[str, str]]] = sorted(
    (path.parent.name, path.name.removesuffix(EVENT)) for path in FOLDER.glob(f"*/*{EVENT}")
)
"""Every case: the platform, and the case's name."""


def event_json(platform: str, case: str) -> dict[str, object]:
    """Return the event of a case."""
    document: dict[str, object] = json.loads((FOLDER / platform / f"{case}{EVENT}").read_text(encoding="utf-8"))
    return document


def golden(platform: str, case: str) -> bytes:
    """Return what has to be sent of the event of a case."""
    return (FOLDER / platform / f"{case}{PAYLOAD}").read_bytes()


def main() -> None:
    """Write every payload to standard output, one a line; with `--rewrite`, also to its file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rewrite", action="store_true", help="store the payloads as the golden ones")
    rewrite = parser.parse_args().rewrite
    # What pytest puts on the path; imported late, because a script of this folder has only its own folder there.
    sys.path.append(str(HERE.parent / "support"))
    from laws import LAWS  # noqa: PLC0415 - see above
    from meta_events import event_of  # noqa: PLC0415 - see above

    from pipeline.core.model import Shaped  # noqa: PLC0415 - see above

    for platform, case in CASES:
        found = LAWS[platform].platform.shape(event_of(event_json(platform, case)))
        if not isinstance(found, Shaped):
            raise SystemExit(f"{platform}/{case}: the event is not sent: {found}")
        sys.stdout.write(f"{found.payload.decode()}\n")
        if rewrite:
            (FOLDER / platform / f"{case}{PAYLOAD}").write_bytes(found.payload)


if __name__ == "__main__":
    main()
