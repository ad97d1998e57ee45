"""Runs scenarios one by one and prints what came of them: `make chaos` and its sisters.

Everything is bounded in time and stops what it starts. Exit code 0: nothing was lost, and every mutant was caught.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

for folder in ("support", "chaos"):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / folder))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from arena import Arena, Report
from catalogue import SCENARIOS, Scenario
from confluent_kafka import KafkaException
from kafka_cluster import KafkaCluster
from lanes import LANES, META, Lane
from plays import in_order
from soak import soak

from pipeline.demo.till import TillError


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one run: everything that must not be, what kept it from being a run at all, and the figures."""

    name: str
    mutant: str
    faults: Sequence[str]
    broke: str
    report: Report
    seconds: float
    lane: Lane

    @property
    def held(self) -> bool:
        """Whether everything was as promised."""
        return not self.faults and not self.broke


def run(cluster: KafkaCluster, chosen: Scenario, mutant: str = "", *, lane: Lane = META, keep: bool = False) -> Result:
    """Play a scenario in an arena of its own and judge it. What the workers of a failed one said is kept."""
    others = [other for other in LANES if other is not lane] if chosen.everybody else []
    began, faults, broke = time.monotonic(), list[str](), ""
    folder = Path(tempfile.mkdtemp(prefix=f"chaos-{chosen.name}-"))
    with Arena(cluster, folder, seed=chosen.seed, mutant=mutant, lanes=[lane, *others]) as arena:
        try:
            chosen.play(arena)
        except AssertionError as error:
            faults.append(str(error) or _line(error))
        except (OSError, TillError, KafkaException) as error:
            broke = f"{type(error).__name__}: {error}"
        arena.end()
        cluster.heal()
        # With a promise broken already there may be work left over: that is no second finding.
        report = arena.report(complete=not faults and not broke)
        faults = [*report.faults, *faults]
        if any("Traceback (most recent call last)" in worker.output for worker in arena.workers):
            broke = broke or "a worker did not start, or fell over its own feet"
    result = Result(chosen.name, mutant, faults, broke, report, time.monotonic() - began, lane)
    if keep or (not mutant and not result.held):
        _say(f"    what the workers said is in {folder}")
    else:
        shutil.rmtree(folder)
    return result


def play_all(cluster: KafkaCluster, chosen: Sequence[tuple[Scenario, Lane]], *, keep: bool) -> Iterator[Result]:
    """Play scenarios as they are, each on its lane, telling each as it ends."""
    for one, lane in chosen:
        result = run(cluster, one, lane=lane, keep=keep)
        _say(_row(result))
        for fault in [*result.faults, *filter(None, [result.broke])]:
            _say(f"    {_first_line(fault)}")
        yield result


def break_all(
    cluster: KafkaCluster, chosen: Sequence[Scenario], lane: Lane, *, short: bool, keep: bool
) -> Iterator[Result]:
    """Play each scenario on a lane with its mutants, telling who was caught and by what.

    Caught is who was convicted by the judge or broke a promise of the scenario; one that merely falls over is not.
    """
    for one in chosen:
        for mutant in one.short_mutants if short else one.mutants:
            result = run(cluster, one, mutant, lane=lane, keep=keep)
            _say(f"{one.name:32} {mutant:32} {result.seconds:5.0f} s  {_verdict(result)}")
            yield result


def _verdict(result: Result) -> str:
    if result.broke:
        return f"BROKE: {_first_line(result.broke)}"
    return f"caught: {_first_line(result.faults[0])}" if result.faults else "NOT CAUGHT"


def main() -> int:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(description="Break what can break, and see that nothing is lost.")
    parser.add_argument("scenarios", nargs="*", help="names; all of them if none is given")
    parser.add_argument(
        "--mutants", action="store_true", help="play the scenarios with broken workers, who must be caught"
    )
    parser.add_argument("--short", action="store_true", help="the short run: some scenarios, and some of their mutants")
    parser.add_argument("--lane", choices=[lane.platform for lane in LANES], help="the platform; Meta if none is given")
    parser.add_argument("--soak", type=float, metavar="SECONDS", help="random faults for so long")
    parser.add_argument("--seed", type=int, default=1, help="the seed of the soak")
    parser.add_argument("--keep", action="store_true", help="keep what the workers said, also where all went well")
    parser.add_argument("--list", action="store_true", help="list the scenarios and end")
    given = parser.parse_args()
    unknown = [name for name in given.scenarios if name not in SCENARIOS]
    if unknown:
        parser.error(f"no such scenario: {', '.join(unknown)}; --list shows them")
    lane = next((lane for lane in LANES if lane.platform == given.lane), META)
    chosen = in_order()
    if given.lane:
        chosen = [one for one in chosen if one.any_lane]
    if given.scenarios:
        chosen = [one for one in chosen if one.name in given.scenarios]
    if given.short:
        chosen = [one for one in chosen if one.short or one.lanes]
    if given.list:
        for one in chosen:
            _say(f"{one.number:2}  {one.name:32} {one.promise}")
        return 0
    with KafkaCluster() as cluster:
        if given.soak:
            return soak(cluster, seconds=given.soak, seed=given.seed)
        results: list[Result] = []
        if not given.mutants:
            _say(HEAD)
            results += play_all(cluster, _plan(chosen, lane, short=given.short), keep=given.keep)
        broken: list[Result] = []
        if given.mutants or given.short:
            broken += break_all(cluster, chosen, lane, short=given.short, keep=given.keep)
    bad = [one.name for one in results if not one.held]
    free = [f"{one.mutant} in {one.name}" for one in broken if one.broke or not one.faults]
    _say(f"{len(results) - len(bad)} scenarios held, {len(bad)} failed{''.join(f' ({name})' for name in bad)}")
    _say(f"{len(broken) - len(free)} mutants caught, {len(free)} not{''.join(f' ({name})' for name in free)}")
    return 1 if bad or free else 0


def _plan(chosen: Sequence[Scenario], lane: Lane, *, short: bool) -> list[tuple[Scenario, Lane]]:
    """Return what is played on which lane: the short run has a scenario for each of the other platforms, too."""
    plan = [(one, lane) for one in chosen if one.short or not short]
    if short and lane is META:
        plan += [(one, other) for one in chosen for other in LANES if other.platform in one.lanes]
    return plan


HEAD = (
    f"{'#':>2} {'scenario':32} {'lane':10} {'records':>8} {'lost':>5} {'letters':>8} {'copies':>7} {'kills':>6} "
    f"{'recovery':>9} {'memory':>8} {'time':>6}"
)


def _row(result: Result) -> str:
    report, number = result.report, SCENARIOS[result.name].number
    judged = report.judgement
    recovery = f"{median(report.recovery_seconds):.1f} s" if report.recovery_seconds else "-"
    figures = "  ".join(f"{name}: {value:g}" for name, value in report.figures.items())
    return (
        f"{number:2} {result.name:32} {result.lane.platform:10} {report.records:8} {len(judged.lost):5} "
        f"{report.letters:8} {judged.duplicates:7} {report.kills:6} {recovery:>9} "
        f"{report.peak_megabytes:5.0f} MB {result.seconds:4.0f} s"
        f"  {'held' if result.held else 'FAILED'}  {figures}"
    )


def _line(error: BaseException) -> str:
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    where = f"{Path(frame.tb_frame.f_code.co_filename).name}:{frame.tb_lineno}" if frame else "?"
    return f"the promise at {where} does not hold"


def _first_line(text: str) -> str:
    return text.splitlines()[0][:400]


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
