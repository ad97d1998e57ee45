"""Starts a worker that obeys the chaos orders and is broken as CHAOS_MUTANT says: `python launch.py run`."""

from __future__ import annotations

import os
import sys

from inner import MUTANT_VARIABLE, obey, ordered
from mutants import MUTANTS

from pipeline.cli import main as worker


def main() -> None:
    """Break what is to be broken, then be the worker."""
    folder = ordered()
    if folder is not None:
        obey(folder)
    name = os.environ.get(MUTANT_VARIABLE)
    if name:
        MUTANTS[name].break_it()
    sys.argv[0] = "capi-pipeline"
    worker()


if __name__ == "__main__":
    main()
