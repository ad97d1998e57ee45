"""Plays each vow's test on every lane with a worker that breaks that vow: `python tests/journey/break_vows.py`.

A test that such a worker passes proves nothing. Exit code 0: every test has failed on every lane, as it should.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
VOWS: Final = "test_lane_vows.py"
CANARIES: Final = "test_lane_canaries.py"
# Each test, and the mutants of `tests/chaos/mutants.py` that must not pass it.
BROKEN: Final = (
    (VOWS, "test_commits_follow_acceptance", "commit_at_poll"),
    (VOWS, "test_a_bad_event_costs_nobody_else", "whole_batch_for_one"),
    (VOWS, "test_an_outage_only_takes_time", "silence_is_acceptance"),
    (VOWS, "test_an_outage_only_takes_time", "dead_letter_after_three_tries"),
    (VOWS, "test_a_throttle_only_takes_time", "drop_on_throttle"),
    (VOWS, "test_a_dead_secret_halts_and_a_rotated_one_resumes", "dead_letter_on_bad_token"),
    (VOWS, "test_a_dead_secret_halts_and_a_rotated_one_resumes", "ignores_rotation"),
    (VOWS, "test_a_kill_loses_nothing", "bytes_by_the_clock"),
    (VOWS, "test_too_late_is_said_and_not_sent", "never_too_old"),
    (CANARIES, "test_nothing_personal_and_no_secret_is_ever_said", "tells_what_it_sends"),
    (CANARIES, "test_nothing_personal_and_no_secret_is_ever_said", "tells_where_it_sends"),
    (VOWS, "test_one_platform_that_is_away_holds_offsets_and_no_other_lane", "settled_by_the_first"),
)
_RESULT: Final = re.compile(r"^(PASSED|FAILED|ERROR) \S+\[(\w+)\](?: - (.*))?$", re.MULTILINE)


def play(module: str, test: str, mutant: str) -> list[tuple[str, str, str]]:
    """Run one test on every lane with a broken worker; return lane, what pytest calls it, and why, of each."""
    command = [sys.executable, "-m", "pytest", f"tests/journey/{module}::{test}", "-q", "-rA", "--tb=line"]
    environment = {**os.environ, "CHAOS_MUTANT": mutant, "COLUMNS": "400"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    return [(lane, result, why) for result, lane, why in _RESULT.findall(done.stdout)]


def main(arguments: Sequence[str]) -> int:
    """Play all of it, or what is named, and tell who was caught and by what."""
    parser = argparse.ArgumentParser(description="Break each vow on every lane, and see its test fail.")
    parser.add_argument("mutants", nargs="*", help="names; all of them if none is given")
    wanted = parser.parse_args(arguments).mutants
    free = 0
    for module, test, mutant in BROKEN:
        if wanted and mutant not in wanted:
            continue
        results = play(module, test, mutant)
        sys.stdout.write(f"{mutant} in {test}{'' if results else ': NOTHING RAN'}\n")
        free += not results
        for lane, result, why in results:
            caught = result == "FAILED"
            free += not caught
            sys.stdout.write(f"  {lane:10} {'caught' if caught else f'NOT CAUGHT ({result})'}  {why[:160]}\n")
        sys.stdout.flush()
    return 1 if free else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
