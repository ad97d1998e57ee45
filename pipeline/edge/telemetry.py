"""Telemetry: the one place where a signal becomes a log line and a change of the metrics.

Invariants: what a signal carries for counting only is never shown; telling costs per batch, never per event;
label values come from closed lists, so that telling does not raise and series do not multiply.
"""

from __future__ import annotations

import platform
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final, Protocol, TypeVar, cast

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

from pipeline.core import signals as say
from pipeline.core.breaker import State
from pipeline.core.consent import DECISIONS
from pipeline.core.quality import quality
from pipeline.core.reason import Reason
from pipeline.edge.metrics import Meters
from pipeline.edge.wording import Muffler, event_name, words_of

# The label of what has no destination: a record that was refused before any was chosen.
NO_DESTINATION: Final = "none"
RANKS: Final[Mapping[say.Level, int]] = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
_LANE_STATES: Final[tuple[say.LaneState, ...]] = ("running", "waiting", "halted")
# `checkout/4.2.0`; so many producers have series of their own.
PRODUCER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/@:+-]{0,63}").fullmatch
MOST_PRODUCERS: Final = 50
S = TypeVar("S", bound=say.Signal)


class Log(Protocol):
    """What telemetry needs of a logger; structlog's bound loggers have it."""

    def log(self, level: int, event: str, **fields: object) -> object:
        """Write one line."""


class Telemetry:
    """Tells the logs and the metrics. Safe to call from the owner thread and from the loop.

    `clock` is monotonic, in seconds; signals that are much alike are logged once every ten.
    """

    def __init__(
        self,
        log: Log,
        *,
        worker: str,
        version: str,
        level: say.Level = "info",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._log = log
        self._threshold = RANKS[level]
        self._clock = clock
        self._meters = Meters(self.registry)
        self._muffler = Muffler()
        self._halts: dict[str, Reason] = {}
        self._lagging: set[say.Partition] = set()
        self._receipts: set[str] = set()
        self._meters.gauge("capi_build_info", 1, version, platform.python_version(), worker)
        self._measure: dict[type[say.Signal], Callable[[say.Signal], None]] = {}
        self._weights: dict[str, Mapping[str, float]] = {}
        self._producers: dict[str | None, str] = {None: "unknown"}
        self._register()

    def introduce(self, destination: str, platform_name: str, weights: Mapping[str, float]) -> None:
        """Let the series of a destination begin at zero, so that `rate()` sees its first increase.

        `weights` are what its match keys are worth for the estimate of match quality.
        """
        self._weights[destination] = weights
        self._meters.count("capi_events_accepted_total", 0, destination, platform_name)
        for decision in DECISIONS:
            self._meters.count("capi_consent_decisions_total", 0, destination, decision)
        self._lane(destination, "running")
        for state in State:
            self._meters.gauge("capi_breaker_state", float(state is State.CLOSED), destination, state)

    def watch(self, poll_age: Callable[[], float], clock_set: Callable[[], float]) -> None:
        """Ask for these whenever metrics are read: the age of the last poll must grow when the owner thread hangs."""
        self._meters.ask("capi_poll_age_seconds", poll_age)
        self._meters.ask("capi_clock_set_seconds", clock_set)

    def tell(self, signal: say.Signal) -> None:
        """Measure `signal`, and log it if its level asks for it."""
        measure = self._measure.get(type(signal))
        if measure is not None:
            measure(signal)
        rank = RANKS[say.level_of(signal)]
        if rank < self._threshold:
            return
        suppressed = self._muffler.hear(signal, now=self._clock())
        if suppressed is not None:
            more = {"suppressed": suppressed} if suppressed else {}
            self._log.log(rank, event_name(type(signal)), **words_of(signal), **more)

    def expose(self) -> bytes:
        """Return the metrics in Prometheus' text format."""
        return generate_latest(self.registry)

    def _register(self) -> None:
        meters = self._meters
        self._on(say.Consumed, self._consumed)
        self._on(say.ConsentDecided, self._consent_decided)
        self._on(say.Skipped, self._skipped)
        self._on(say.Refused, self._refused)
        self._on(say.BatchAccepted, self._accepted)
        self._on(say.Buried, self._buried)
        self._on(say.BuryFailed, lambda s: meters.count("capi_dead_letter_failures_total", s.events))
        self._on(say.Pulse, self._pulse)
        self._on(say.IntakePaused, lambda s: meters.gauge("capi_intake_paused", 1, s.reason))
        self._on(say.IntakeResumed, lambda s: meters.gauge("capi_intake_paused", 0, s.reason))
        self._on(say.Assigned, lambda s: self._rebalanced("assigned", s.owned, 0))
        self._on(say.Revoked, lambda s: self._rebalanced("revoked", s.owned, s.abandoned))
        self._on(say.Lost, lambda s: self._rebalanced("lost", s.owned, s.abandoned))
        self._on(say.OffsetLost, lambda s: meters.count("capi_lost_offsets_total", 1, s.topic))
        self._on(say.KafkaTrouble, lambda s: meters.count("capi_kafka_errors_total", 1, s.code))
        self._on(say.Committed, lambda _: meters.count("capi_commits_total", 1, "ok"))
        self._on(say.CommitFailed, self._commit_failed)
        self._on(say.RequestDone, self._request_done)
        self._on(say.BatchRefused, lambda s: meters.count("capi_batches_refused_total", 1, s.destination, s.reason))
        self._on(say.LaneWaiting, self._lane_waiting)
        self._on(say.LaneHalted, self._lane_halted)
        self._on(say.LaneResumed, lambda s: self._lane(s.destination, "running"))
        self._on(say.BreakerMoved, self._breaker_moved)
        self._on(say.LimiterWaited, self._limiter_waited)
        self._on(say.RateChanged, self._rate_changed)
        self._on(say.FilingFailed, lambda s: meters.count("capi_receipt_failures_total", s.receipts))
        self._on(say.ReplayFailed, lambda s: meters.count("capi_replay_failures_total", s.events))
        self._on(say.ReceiptsOpen, self._receipts_open)
        self._on(say.StatusAsked, lambda s: meters.count("capi_status_requests_total", 1, s.destination, s.outcome))
        self._on(say.FinalWord, self._final_word)
        self._on(say.FinalAlarm, self._final_alarm)
        self._on(say.StatusUnknown, lambda s: self._followed(s.destination, "unknown", s.events))
        self._on(say.RecordsGone, lambda s: self._followed(s.destination, "gone", s.events))
        self._on(say.SecretRotated, lambda s: meters.count("capi_secret_rotations_total", 1, s.destination))

    def _on(self, kind: type[S], measure: Callable[[S], None]) -> None:
        self._measure[kind] = cast("Callable[[say.Signal], None]", measure)

    # -- intake and the group ------------------------------------------------------------------------------------

    def _consumed(self, s: say.Consumed) -> None:
        self._meters.count("capi_records_consumed_total", s.records, s.topic)
        self._meters.count("capi_consumed_bytes_total", s.size, s.topic)
        if s.holes:
            self._meters.count("capi_offset_holes_total", s.holes, s.topic)

    def _pulse(self, s: say.Pulse) -> None:
        self._meters.gauge("capi_in_flight_records", s.in_flight_records)
        self._meters.gauge("capi_in_flight_bytes", s.in_flight_bytes)
        self._meters.gauge("capi_dead_letters_pending", s.dead_letters_pending)
        for (topic, partition), records in s.lag.items():
            self._meters.gauge("capi_consumer_lag_records", records, topic, str(partition))
        # A partition that moved to another replica must not keep its last figure here.
        for topic, partition in self._lagging - s.lag.keys():
            self._meters.forget("capi_consumer_lag_records", topic, str(partition))
        self._lagging = set(s.lag)

    def _rebalanced(self, event: str, owned: int, abandoned: int) -> None:
        self._meters.count("capi_rebalances_total", 1, event)
        self._meters.gauge("capi_assigned_partitions", owned)
        self._meters.count("capi_records_abandoned_total", abandoned)

    def _commit_failed(self, s: say.CommitFailed) -> None:
        self._meters.count("capi_commits_total", 1, "fenced" if s.fenced else "failed")

    # -- what became of events -------------------------------------------------------------------------------------

    def _consent_decided(self, s: say.ConsentDecided) -> None:
        for (destination, decision), events in s.counts.items():
            self._meters.count("capi_consent_decisions_total", events, destination, decision)

    def _skipped(self, s: say.Skipped) -> None:
        for (destination, reason), events in s.counts.items():
            self._meters.count("capi_events_skipped_total", events, destination or NO_DESTINATION, reason)

    def _refused(self, s: say.Refused) -> None:
        self._meters.count("capi_events_refused_total", s.events, s.destination or NO_DESTINATION, s.reason)

    def _buried(self, s: say.Buried) -> None:
        self._meters.count("capi_events_dead_lettered_total", s.events, s.destination or NO_DESTINATION, s.reason)

    def _accepted(self, s: say.BatchAccepted) -> None:
        self._meters.count("capi_events_accepted_total", s.events, s.destination, s.platform)
        self._meters.gauge("capi_last_accepted_timestamp_seconds", s.at, s.destination)
        self._meters.observe("capi_occurred_to_accepted_seconds", s.occurred_lags, s.destination)
        self._meters.observe("capi_produced_to_accepted_seconds", s.produced_lags, s.destination)
        self._matches(s.destination, s.match_keys)
        self._keys("capi_match_keys_dropped_total", s.destination, s.dropped_keys)
        for note, events in s.notes.items():
            self._meters.count("capi_event_notes_total", events, s.destination, note)
        for warning, events in s.warnings.items():
            self._meters.count("capi_platform_warnings_total", events, s.destination, warning)

    def _matches(self, destination: str, counts: Mapping[tuple[str | None, tuple[str, ...]], int]) -> None:
        """Count accepted events, their match keys and their estimated quality by the producer that made them."""
        self._keys("capi_match_keys_total", destination, counts)
        weights = self._weights.get(destination, {})
        for (name, keys), events in counts.items():
            producer = self._producer(name)
            self._meters.count("capi_matched_events_total", events, destination, producer)
            self._meters.count("capi_match_quality_total", events * quality(keys, weights), destination, producer)

    def _keys(self, metric: str, destination: str, counts: Mapping[tuple[str | None, tuple[str, ...]], int]) -> None:
        totals: Counter[tuple[str, str]] = Counter()
        for (producer, keys), events in counts.items():
            for key in keys:
                totals[key, self._producer(producer)] += events
        for (key, producer), events in totals.items():
            self._meters.count(metric, events, destination, key, producer)

    def _producer(self, name: str | None) -> str:
        """Return the producer as a label: of a form that can hold no customer's data, and of so many different ones."""
        label = self._producers.get(name)
        if label is None:
            label = "other"
            if len(self._producers) <= MOST_PRODUCERS:
                label = self._producers[name] = name if name and PRODUCER(name) else "unknown"
        return label

    # -- the final word ----------------------------------------------------------------------------------------------

    def _receipts_open(self, s: say.ReceiptsOpen) -> None:
        for destination, receipts in s.open.items():
            self._meters.gauge("capi_receipts_open", receipts, destination)
            self._meters.gauge("capi_oldest_receipt_age_seconds", s.oldest[destination], destination)
        # Of a destination that is not followed any more nothing is open by now.
        for destination in self._receipts - s.open.keys():
            self._meters.forget("capi_receipts_open", destination)
            self._meters.forget("capi_oldest_receipt_age_seconds", destination)
        self._receipts = set(s.open)

    def _final_word(self, s: say.FinalWord) -> None:
        for fate, events in s.fates.items():
            self._followed(s.destination, fate, events)
        for reason, events in s.reasons.items():
            self._meters.count("capi_final_reasons_total", events, s.destination, reason)
        for warning, events in s.warnings.items():
            self._meters.count("capi_platform_warnings_total", events, s.destination, warning)

    def _final_alarm(self, s: say.FinalAlarm) -> None:
        for cause in s.causes:
            self._meters.count("capi_final_alarms_total", 1, s.destination, cause)

    def _followed(self, destination: str, fate: say.Fate, events: int) -> None:
        self._meters.count("capi_followed_events_total", events, destination, fate)

    # -- lanes -------------------------------------------------------------------------------------------------------

    def _request_done(self, s: say.RequestDone) -> None:
        self._meters.count("capi_requests_total", 1, s.destination, s.outcome)
        self._meters.count("capi_request_bytes_total", s.size, s.destination)
        self._meters.observe("capi_request_seconds", (s.seconds,), s.destination)
        self._meters.observe("capi_request_events", (s.events,), s.destination)

    def _lane_waiting(self, s: say.LaneWaiting) -> None:
        self._meters.count("capi_lane_waits_total", 1, s.destination, s.reason)
        self._meters.count("capi_lane_wait_seconds_total", s.wait_seconds, s.destination, s.reason)
        if s.destination not in self._halts:
            self._lane(s.destination, "waiting")

    def _lane_halted(self, s: say.LaneHalted) -> None:
        self._lane(s.destination, "halted")
        self._halts[s.destination] = s.reason
        self._meters.gauge("capi_lane_halted", 1, s.destination, s.reason)

    def _lane(self, destination: str, now_in: say.LaneState) -> None:
        for state in _LANE_STATES:
            self._meters.gauge("capi_lane_state", float(state == now_in), destination, state)
        reason = self._halts.pop(destination, None)
        if reason is not None:
            self._meters.gauge("capi_lane_halted", 0, destination, reason)

    def _breaker_moved(self, s: say.BreakerMoved) -> None:
        for state in State:
            self._meters.gauge("capi_breaker_state", float(state is s.state), s.destination, state)

    def _limiter_waited(self, s: say.LimiterWaited) -> None:
        self._meters.count("capi_limiter_wait_seconds_total", s.seconds, s.destination)

    def _rate_changed(self, s: say.RateChanged) -> None:
        self._meters.gauge("capi_rate_limit_requests_per_second", s.requests_per_second, s.destination)
