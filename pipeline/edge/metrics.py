"""The metrics: one table, from which the instruments and the documentation are made.

Names follow Prometheus' practice: one prefix, base units, `_total` for counters.
Labels are bounded: destinations, platforms, topics, partitions, reasons and other closed lists, never an id.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, disable_created_metrics
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector
from typing_extensions import override

REQUEST_SECONDS: Final = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0)
BATCH_EVENTS: Final = (1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2000.0)
# To 90 days: the longest that a platform takes events.
_SHORT: Final = (0.1, 0.25, 0.5, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0)
LAG_SECONDS: Final = (*_SHORT, 60.0, 300.0, 1800.0, 3600.0, 21_600.0, 86_400.0, 604_800.0, 2_419_200.0, 7_776_000.0)


@dataclass(frozen=True, slots=True)
class Metric:
    """One row of the table; `buckets` are the upper bounds of a histogram."""

    name: str
    type: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


_D: Final = ("destination",)
_KEY: Final = ("destination", "key", "producer")
METRICS: Final[tuple[Metric, ...]] = (
    Metric("capi_records_consumed_total", "counter", "Records taken from Kafka.", ("topic",)),
    Metric("capi_consumed_bytes_total", "counter", "Bytes taken from Kafka.", ("topic",)),
    Metric("capi_offset_holes_total", "counter", "Offsets that held no record for us.", ("topic",)),
    Metric("capi_events_skipped_total", "counter", "Events settled without sending.", (*_D, "reason")),
    Metric(
        "capi_consent_decisions_total", "counter", "Decisions of consent, for events routed here.", (*_D, "decision")
    ),
    Metric("capi_events_accepted_total", "counter", "Events that the platform accepted.", (*_D, "platform")),
    Metric("capi_events_refused_total", "counter", "Events bound for the dead letters.", (*_D, "reason")),
    Metric("capi_events_dead_lettered_total", "counter", "Dead letters that Kafka acknowledged.", (*_D, "reason")),
    Metric("capi_dead_letter_failures_total", "counter", "Dead letters that Kafka did not take; they are tried again."),
    Metric("capi_dead_letters_pending", "gauge", "Dead letters that Kafka has not acknowledged yet."),
    Metric("capi_receipt_failures_total", "counter", "Receipts that Kafka did not take; they are tried again."),
    Metric("capi_receipts_open", "gauge", "Accepted batches that have no final word yet.", _D),
    Metric("capi_oldest_receipt_age_seconds", "gauge", "Age of the oldest of them.", _D),
    Metric("capi_status_requests_total", "counter", "Questions after a final word by the answer.", (*_D, "outcome")),
    Metric("capi_followed_events_total", "counter", "Accepted events by their fate in the end.", (*_D, "fate")),
    Metric("capi_final_reasons_total", "counter", "Accepted events by the final word's reason.", (*_D, "cause")),
    Metric("capi_final_alarms_total", "counter", "Final words that call for a person.", (*_D, "cause")),
    Metric("capi_replay_failures_total", "counter", "Replays that Kafka did not take; they are tried again."),
    Metric("capi_requests_total", "counter", "Requests by how their answer was read.", (*_D, "outcome")),
    Metric("capi_request_bytes_total", "counter", "Bytes of request bodies.", _D),
    Metric("capi_request_seconds", "histogram", "Time of a request.", _D, REQUEST_SECONDS),
    Metric("capi_request_events", "histogram", "Events in a request.", _D, BATCH_EVENTS),
    Metric("capi_occurred_to_accepted_seconds", "histogram", "From the event to its acceptance.", _D, LAG_SECONDS),
    Metric("capi_produced_to_accepted_seconds", "histogram", "From Kafka to acceptance.", _D, LAG_SECONDS),
    Metric("capi_last_accepted_timestamp_seconds", "gauge", "When events were last accepted, in Unix time.", _D),
    Metric("capi_batches_refused_total", "counter", "Requests refused as a whole, then split.", (*_D, "reason")),
    Metric("capi_matched_events_total", "counter", "Accepted events by producer.", (*_D, "producer")),
    Metric("capi_match_quality_total", "counter", "Sum of their estimated match quality, 0 to 10.", (*_D, "producer")),
    Metric("capi_match_keys_total", "counter", "Accepted events that had this match key.", _KEY),
    Metric("capi_match_keys_dropped_total", "counter", "Accepted events whose key was unusable.", _KEY),
    Metric("capi_event_notes_total", "counter", "Accepted events with something to note.", (*_D, "note")),
    Metric("capi_platform_warnings_total", "counter", "Remarks of the platform on accepted events.", (*_D, "warning")),
    Metric("capi_lane_state", "gauge", "1 for the state that the lane is in.", (*_D, "state")),
    Metric("capi_lane_halted", "gauge", "1 while the lane is halted for this reason.", (*_D, "reason")),
    Metric("capi_lane_waits_total", "counter", "Waits of the lane before it sends again.", (*_D, "reason")),
    Metric("capi_lane_wait_seconds_total", "counter", "Time of those waits.", (*_D, "reason")),
    Metric("capi_breaker_state", "gauge", "1 for the state that the circuit breaker is in.", (*_D, "state")),
    Metric("capi_limiter_wait_seconds_total", "counter", "Time that the rate limit held requests back.", _D),
    Metric("capi_rate_limit_requests_per_second", "gauge", "This replica's share of the rate limit.", _D),
    Metric("capi_secret_rotations_total", "counter", "Secrets taken up again after a change.", _D),
    Metric("capi_intake_paused", "gauge", "1 while no records are taken for this reason.", ("reason",)),
    Metric("capi_in_flight_records", "gauge", "Records taken and not settled."),
    Metric("capi_in_flight_bytes", "gauge", "Bytes of the records taken and not settled."),
    Metric("capi_poll_age_seconds", "gauge", "Time since the owner thread last polled Kafka."),
    Metric("capi_clock_set_seconds", "gauge", "By how much the wall clock was set since the start; negative is back."),
    Metric("capi_consumer_lag_records", "gauge", "Records behind the end of the partition.", ("topic", "partition")),
    Metric("capi_assigned_partitions", "gauge", "Partitions that this replica owns."),
    Metric("capi_rebalances_total", "counter", "Changes of the assignment.", ("event",)),
    Metric("capi_records_abandoned_total", "counter", "Open records of partitions that left; they come again."),
    Metric("capi_lost_offsets_total", "counter", "Committed offsets that retention had removed.", ("topic",)),
    Metric("capi_commits_total", "counter", "Commits of offsets.", ("outcome",)),
    Metric("capi_kafka_errors_total", "counter", "Errors that Kafka's client reported.", ("code",)),
    Metric("capi_build_info", "gauge", "Always 1; the labels tell what runs.", ("version", "python", "worker")),
)


# A second series for every counter, which nothing here asks for.
disable_created_metrics()  # type: ignore[no-untyped-call]


class BatchHistogram(Collector):
    """A histogram that is fed per batch: one sort, instead of a lock and a search for every event."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric
        self._lock = Lock()
        # label values -> (events per bucket, not cumulative, the last without bound; sum)
        self._cells: dict[tuple[str, ...], tuple[list[int], list[float]]] = {}

    def observe(self, labels: tuple[str, ...], values: Sequence[float]) -> None:
        """Count `values`."""
        ordered = sorted(values)
        with self._lock:
            cell = self._cells.get(labels)
            if cell is None:
                cell = self._cells[labels] = ([0] * (len(self._metric.buckets) + 1), [0.0])
            counts, total = cell
            below = 0
            for index, bound in enumerate(self._metric.buckets):
                upto = bisect_right(ordered, bound, below)
                counts[index] += upto - below
                below = upto
            counts[-1] += len(ordered) - below
            total[0] += sum(ordered)

    @override
    def collect(self) -> Iterable[Family]:
        """Give what was counted, in the form of the exposition."""
        family = HistogramMetricFamily(self._metric.name, self._metric.help, labels=self._metric.labels)
        with self._lock:
            cells = [(labels, list(counts), total[0]) for labels, (counts, total) in self._cells.items()]
        for labels, counts, total in cells:
            family.add_metric(labels, list(self._cumulative(counts)), total)
        yield family

    def describe(self) -> Iterable[Family]:
        """Name the family, so that a second one of its name is refused."""
        yield HistogramMetricFamily(self._metric.name, self._metric.help, labels=self._metric.labels)

    def _cumulative(self, counts: Sequence[int]) -> Iterator[tuple[str, int]]:
        running = 0
        for bound, count in zip((*self._metric.buckets, float("inf")), counts, strict=True):
            running += count
            yield _bound(bound), running


def _bound(bound: float) -> str:
    return "+Inf" if bound == float("inf") else repr(bound)


class Meters:
    """The instruments of the table, with their label children kept: a lookup costs more than counting."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._counters: dict[str, Counter] = {}
        self._gauges: dict[str, Gauge] = {}
        self._histograms: dict[str, BatchHistogram] = {}
        self._counter_children: dict[tuple[str, tuple[str, ...]], Counter] = {}
        self._gauge_children: dict[tuple[str, tuple[str, ...]], Gauge] = {}
        for metric in METRICS:
            if metric.type == "counter":
                self._counters[metric.name] = Counter(metric.name, metric.help, metric.labels, registry=registry)
            elif metric.type == "gauge":
                self._gauges[metric.name] = Gauge(metric.name, metric.help, metric.labels, registry=registry)
            else:
                histogram = self._histograms[metric.name] = BatchHistogram(metric)
                registry.register(histogram)

    def count(self, name: str, by: float, *labels: str) -> None:
        """Add to a counter."""
        child = self._counter_children.get((name, labels))
        if child is None:
            family = self._counters[name]
            child = self._counter_children[name, labels] = family.labels(*labels) if labels else family
        child.inc(by)

    def gauge(self, name: str, value: float, *labels: str) -> None:
        """Set a gauge."""
        child = self._gauge_children.get((name, labels))
        if child is None:
            family = self._gauges[name]
            child = self._gauge_children[name, labels] = family.labels(*labels) if labels else family
        child.set(value)

    def ask(self, name: str, value: Callable[[], float]) -> None:
        """Let a gauge ask for its value whenever it is read."""
        self._gauges[name].set_function(value)

    def forget(self, name: str, *labels: str) -> None:
        """Remove one child of a gauge: what it tells of is gone (a partition that is no longer ours)."""
        if self._gauge_children.pop((name, labels), None) is not None:
            self._gauges[name].remove(*labels)

    def observe(self, name: str, values: Sequence[float], *labels: str) -> None:
        """Count values in a histogram."""
        self._histograms[name].observe(labels, values)
