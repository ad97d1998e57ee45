"""What was measured, as a table for people and as one line of JSON; and the goals it is held against.

Ratios are taken per round, of runs that followed each other at once, and then the median: machines are noisy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Final

import orjson

from bench.latency import LINGER_SECONDS, Latency
from bench.race import NAMES, Name, Result

Round = Mapping[Name, Result]

MOST_CPU_RATIO: Final = 1.5
MOST_FIVE_RATIO: Final = 2.5
LEAST_SPEED_RATIO: Final = 4.0
MOST_LATENCY_MS: Final = LINGER_SECONDS * 1000 + 50
TITLES: Final[Mapping[Name, str]] = {
    "bare_loop": "(a) bare loop",
    "worker": "(b) worker",
    "five": "(d) worker, five lanes",
    "sdk": "(c) facebook_business",
    "sdk_batched": "(c') in thousands",
}


@dataclass(frozen=True, slots=True)
class Conditions:
    """Under what the figures came about."""

    events: int
    value_bytes: float
    broker: str
    rounds: int
    per_second: int
    machine: str
    python: str
    worker_settings: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Report:
    """All figures of one bench; `latency` is None when it was left out."""

    conditions: Conditions
    rounds: Sequence[Round]
    latency: Latency | None

    @property
    def cpu_ratios(self) -> list[float]:
        """CPU an event of the worker over that of the bare loop, per round."""
        return [found["worker"].cpu_us / found["bare_loop"].cpu_us for found in self.rounds]

    @property
    def five_ratios(self) -> list[float]:
        """CPU an event of the worker with all five platforms over that with Meta alone, per round."""
        return [found["five"].cpu_us / found["worker"].cpu_us for found in self.rounds]

    @property
    def speed_ratios(self) -> list[float]:
        """Events a second of the worker over those of the SDK, as its examples use it, per round."""
        return [found["worker"].per_second / found["sdk"].per_second for found in self.rounds]

    @property
    def batched_ratios(self) -> list[float]:
        """The same over the SDK at its kindest: a thousand events a request."""
        return [found["worker"].per_second / found["sdk_batched"].per_second for found in self.rounds]

    def middle(self, name: Name) -> Result:
        """Return the median of each figure of one contender."""
        runs = [found[name] for found in self.rounds]
        return Result(
            cpu_us=median(run.cpu_us for run in runs),
            per_second=median(run.per_second for run in runs),
            peak_mb=median(run.peak_mb for run in runs),
            bytes_per_event=median(run.bytes_per_event for run in runs),
            requests=int(median(run.requests for run in runs)),
        )

    def table(self) -> str:
        """Return the figures for people."""
        return "\n".join(self._lines())

    def line(self) -> str:
        """Return all figures as one line of JSON."""
        document: dict[str, object] = {
            "conditions": asdict(self.conditions),
            **{name: asdict(self.middle(name)) for name in NAMES},
            "cpu_ratio": {"median": median(self.cpu_ratios), "rounds": self.cpu_ratios, "goal": MOST_CPU_RATIO},
            "five_ratio": {"median": median(self.five_ratios), "rounds": self.five_ratios, "goal": MOST_FIVE_RATIO},
            "speed_ratio": {
                "median": median(self.speed_ratios),
                "rounds": self.speed_ratios,
                "goal": LEAST_SPEED_RATIO,
            },
            "batched_speed_ratio": {"median": median(self.batched_ratios), "rounds": self.batched_ratios},
            "latency": None if self.latency is None else {**asdict(self.latency), "goal_p99_ms": MOST_LATENCY_MS},
            "met": self._met(),
        }
        return orjson.dumps(_rounded(document)).decode()

    def _met(self) -> dict[str, bool]:
        met = {
            "cpu_ratio": median(self.cpu_ratios) <= MOST_CPU_RATIO,
            "five_ratio": median(self.five_ratios) <= MOST_FIVE_RATIO,
            "speed_ratio": median(self.speed_ratios) >= LEAST_SPEED_RATIO,
        }
        return met if self.latency is None else {**met, "latency": self.latency.p99_ms <= MOST_LATENCY_MS}

    def _lines(self) -> Iterator[str]:
        given, met = self.conditions, self._met()
        yield (
            f"{given.events} orders of {given.value_bytes:.0f} bytes, {given.rounds} rounds (medians), "
            f"{given.broker} broker, Python {given.python}, {given.machine}"
        )
        if given.worker_settings:
            yield "worker with " + ", ".join(f"{name}={value}" for name, value in given.worker_settings.items())
        yield ""
        yield f"{'':24}{'CPU us/event':>14}{'events/s':>12}{'peak MB':>10}{'sent bytes':>12}{'requests':>10}"
        for name in NAMES:
            found = self.middle(name)
            yield (
                f"{TITLES[name]:24}{found.cpu_us:14.1f}{found.per_second:12.0f}{found.peak_mb:10.0f}"
                f"{found.bytes_per_event:12.0f}{found.requests:10d}"
            )
        yield ""
        yield _judged("CPU per event, (b)/(a)", self.cpu_ratios, f"<= {MOST_CPU_RATIO}", met=met["cpu_ratio"])
        yield _judged("CPU per event, (d)/(b)", self.five_ratios, f"<= {MOST_FIVE_RATIO}", met=met["five_ratio"])
        yield _judged(
            "events per second, (b)/(c)", self.speed_ratios, f">= {LEAST_SPEED_RATIO}", met=met["speed_ratio"]
        )
        each = ", ".join(f"{ratio:.2f}" for ratio in self.batched_ratios)
        yield f"events per second, (b)/(c'): {median(self.batched_ratios):.2f} (rounds {each}; no goal)"
        if (found_latency := self.latency) is not None:
            if given.broker == "embedded":
                yield "(the embedded Kafka holds an empty fetch for its whole wait, 100 ms: its latency is not Kafka's)"
            yield (
                f"produce to accept at {given.per_second}/s, linger {LINGER_SECONDS * 1000:.0f} ms: "
                f"p50 {found_latency.p50_ms:.0f} ms, p99 {found_latency.p99_ms:.0f} ms "
                f"(goal p99 <= {MOST_LATENCY_MS:.0f} ms: {_word(met['latency'])})"
            )


def _judged(what: str, ratios: Sequence[float], goal: str, *, met: bool) -> str:
    each = ", ".join(f"{ratio:.2f}" for ratio in ratios)
    return f"{what}: {median(ratios):.2f} (rounds {each}; goal {goal}: {_word(met)})"


def _word(met: bool) -> str:  # noqa: FBT001 - one flag, one word
    return "met" if met else "MISSED"


def _rounded(value: object) -> object:
    if isinstance(value, dict):
        return {name: _rounded(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return round(value, 3) if isinstance(value, float) else value
