"""Telemetry: the one place where a signal becomes a log line, a change of the metrics, and the status for probes.

Invariants: what a signal carries for counting is never shown; telling costs per batch, never per event;
telling never raises, whatever a signal holds.
"""

from __future__ import annotations

import platform
import time
from collections import Counter
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Final, Protocol, TypeVar, cast

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

from pipeline.core import signals as say
from pipeline.core.model import Delivery
from pipeline.core.reason import Reason
from pipeline.core.status import Status, heed
from pipeline.edge.metrics import Meters
from pipeline.edge.wording import Muffler, event_name, words_of

# The label of what has no destination: a record that could not be read.
NO_DESTINATION: Final = "none"
RANKS: Final[Mapping[say.Level, int]] = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
_LANE_STATES: Final = ("sending", "waiting", "halted")
_match_keys = attrgetter("shaped.match_keys")
_dropped = attrgetter("shaped.dropped")
S = TypeVar("S", bound=say.Signal)


class Log(Protocol):
    """What telemetry needs of a logger; structlog's bound loggers have it."""

    def log(self, level: int, event: str, **fields: object) -> object:
        """Write one line."""


class Telemetry:
    """Tells logs, metrics and status. Safe to call from the owner thread and from the loop.

    `destinations` maps each destination to its platform; `clock` is monotonic, in seconds.
    """

    def __init__(
        self,
        log: Log,
        status: Status,
        destinations: Mapping[str, str],
        *,
        level: say.Level = "info",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.status = status
        self._log = log
        self._threshold = RANKS[level]
        self._clock = clock
        self._platforms = destinations
        self._meters = Meters(self.registry)
        self._muffler = Muffler()
        self._halts: dict[str, str] = {}
        self._lagging: set[say.Partition] = set()
        self._measure: dict[type[say.Signal], Callable[[say.Signal], None]] = {}
        self._register()
        self._introduce()

    def tell(self, signal: say.Signal) -> None:
        """Heed, measure and log `signal`."""
        now = self._clock()
        heed(self.status, signal, now=now)
        measure = self._measure.get(type(signal))
        if measure is not None:
            measure(signal)
        rank = RANKS[say.level_of(signal)]
        if rank >= self._threshold:
            suppressed = self._muffler.hear(signal, now=now)
            if suppressed is not None:
                more = {"suppressed": suppressed} if suppressed else {}
                self._log.log(rank, event_name(type(signal)), **words_of(signal), **more)

    def expose(self) -> bytes:
        """Return the metrics in Prometheus' text format."""
        return generate_latest(self.registry)

    def _introduce(self) -> None:
        """Let series begin at zero, so that `rate()` sees the first increase."""
        version, worker = self.status.version, self.status.worker
        self._meters.gauge("capi_build_info", 1, version, platform.python_version(), worker)
        self._meters.ask("capi_poll_age_seconds", self._poll_age)
        for destination, name in self._platforms.items():
            self._meters.count("capi_events_accepted_total", 0, destination, name)
            self._meters.count("capi_deliveries_total", 0, destination)
            self._lane(destination, "sending")

    def _poll_age(self) -> float:
        beat = self.status.beat_at
        return 0.0 if beat is None else self._clock() - beat

    def _register(self) -> None:
        meters = self._meters
        self._on(say.RecordsRead, self._read)
        self._on(say.DeliveriesSettled, self._settled)
        self._on(say.Buried, self._buried)
        self._on(say.BuryFailed, lambda s: meters.count("capi_dead_letter_failures_total", s.letters))
        self._on(say.Progress, self._progress)
        self._on(say.LagSeen, self._lag)
        self._on(say.IntakeHeld, lambda s: meters.gauge("capi_intake_held", 1, s.reason))
        self._on(say.IntakeResumed, lambda s: meters.gauge("capi_intake_held", 0, s.reason))
        self._on(say.Assigned, lambda s: self._rebalanced("assigned", s.share))
        self._on(say.Revoked, lambda s: self._rebalanced("revoked", s.share))
        self._on(say.Lost, lambda s: self._rebalanced("lost", s.share))
        self._on(say.CommitAnswered, self._commits)
        self._on(say.OffsetLost, lambda s: meters.count("capi_lost_offsets_total", 1, s.topic))
        self._on(say.KafkaTrouble, lambda s: meters.count("capi_kafka_errors_total", 1, s.code))
        self._on(say.BatchAnswered, self._answered)
        self._on(say.LaneWaiting, self._waiting)
        self._on(say.LaneHalted, lambda s: self._lane(s.destination, s.reason))
        self._on(say.LaneResumed, lambda s: self._lane(s.destination, "sending"))
        self._on(say.SecretRotated, lambda _: meters.count("capi_secret_rotations_total", 1))

    def _on(self, kind: type[S], measure: Callable[[S], None]) -> None:
        self._measure[kind] = cast("Callable[[say.Signal], None]", measure)

    # -- records and events ------------------------------------------------------------------------------------------

    def _read(self, s: say.RecordsRead) -> None:
        self._meters.count("capi_records_consumed_total", s.records)
        for (destination, reason), events in s.skipped.items():
            self._meters.count("capi_events_skipped_total", events, destination, reason)
        for destination, deliveries in s.deliveries.items():
            self._meters.count("capi_deliveries_total", len(deliveries), destination)

    def _settled(self, s: say.DeliveriesSettled) -> None:
        name = s.destination
        if s.duplicates:
            self._meters.count("capi_events_skipped_total", s.duplicates, name, Reason.DUPLICATE)
        if not s.accepted:
            return
        self._meters.count("capi_events_accepted_total", len(s.accepted), name, self._platforms.get(name, ""))
        self._meters.gauge("capi_last_accepted_timestamp_seconds", s.now, name)
        self._meters.observe("capi_occurred_to_accepted_seconds", [s.now - d.event_time for d in s.accepted], name)
        self._meters.observe("capi_produced_to_accepted_seconds", _produced_lags(s), name)
        self._keys("capi_match_keys_total", name, Counter(map(_match_keys, s.accepted)))
        self._keys("capi_match_keys_dropped_total", name, Counter(map(_dropped, s.accepted)))

    def _keys(self, metric: str, destination: str, counts: Mapping[tuple[str, ...], int]) -> None:
        totals: Counter[str] = Counter()
        for keys, events in counts.items():
            for key in keys:
                totals[key] += events
        for key, events in totals.items():
            self._meters.count(metric, events, destination, key)

    def _buried(self, s: say.Buried) -> None:
        self._meters.count("capi_events_dead_lettered_total", 1, s.destination or NO_DESTINATION, s.reason)

    # -- intake and the group ----------------------------------------------------------------------------------------

    def _progress(self, s: say.Progress) -> None:
        self._meters.gauge("capi_in_flight_records", s.records)
        self._meters.gauge("capi_in_flight_bytes", s.bytes)
        self._meters.gauge("capi_in_flight_span_offsets", s.span)
        self._meters.gauge("capi_dead_letters_pending", s.letters)
        self._meters.gauge("capi_assigned_partitions", s.partitions)
        for destination, state in s.lanes.items():
            self._lane(destination, state)

    def _lag(self, s: say.LagSeen) -> None:
        for (topic, partition), records in s.lag.items():
            self._meters.gauge("capi_consumer_lag_records", records, topic, str(partition))
        # A partition that moved to another replica must not keep its last figure here.
        for topic, partition in self._lagging - s.lag.keys():
            self._meters.forget("capi_consumer_lag_records", topic, str(partition))
        self._lagging = set(s.lag)

    def _rebalanced(self, event: str, share: float) -> None:
        self._meters.count("capi_rebalances_total", 1, event)
        self._meters.gauge("capi_partition_share_ratio", share)

    def _commits(self, s: say.CommitAnswered) -> None:
        outcomes = Counter(
            "ok" if result.error is None else "fenced" if result.fenced else "failed" for result in s.results
        )
        for outcome, partitions in outcomes.items():
            self._meters.count("capi_commits_total", partitions, outcome)

    # -- lanes -------------------------------------------------------------------------------------------------------

    def _answered(self, s: say.BatchAnswered) -> None:
        self._meters.count("capi_requests_total", 1, s.destination, type(s.verdict).__name__.lower())
        self._meters.count("capi_request_bytes_total", s.bytes, s.destination)
        # The clock may have been set back meanwhile.
        self._meters.observe("capi_request_seconds", (max(0.0, s.seconds),), s.destination)
        self._meters.observe("capi_request_events", (s.events,), s.destination)

    def _waiting(self, s: say.LaneWaiting) -> None:
        self._meters.count("capi_lane_waits_total", 1, s.destination, s.reason)
        self._meters.count("capi_lane_wait_seconds_total", s.wait_seconds, s.destination, s.reason)

    def _lane(self, destination: str, state: str) -> None:
        """Show the state of a lane: `sending`, `waiting`, or the reason of a halt."""
        halted = state not in _LANE_STATES
        shown = "halted" if halted else state
        for known in _LANE_STATES:
            self._meters.gauge("capi_lane_state", float(known == shown), destination, known)
        before = self._halts.pop(destination, None)
        if before is not None and before != state:
            self._meters.gauge("capi_lane_halted", 0, destination, before)
        if halted:
            self._halts[destination] = state
            self._meters.gauge("capi_lane_halted", 1, destination, state)


def _produced_lags(s: say.DeliveriesSettled) -> list[float]:
    stamps = (delivery.record.timestamp_ms for delivery in cast("list[Delivery]", s.accepted))
    return [s.now - stamp / 1000 for stamp in stamps if stamp is not None]
