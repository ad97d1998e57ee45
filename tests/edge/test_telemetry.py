"""Telemetry: what signals do to logs and metrics."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from pipeline.core import signals as say
from pipeline.core.breaker import State
from pipeline.core.reason import Reason
from pipeline.edge.logs import ALLOWED
from pipeline.edge.metrics import METRICS, BatchHistogram, Metric
from pipeline.edge.telemetry import Telemetry
from pipeline.edge.wording import words_of

KINDS = [
    kind
    for kind in vars(say).values()
    if isinstance(kind, type) and issubclass(kind, say.Signal) and kind is not say.Signal
]
ACCEPTED = say.BatchAccepted(
    "meta-eu",
    "meta",
    3,
    1_000.0,
    [0.05, 1.0, 700.0],
    [0.05, 0.2],
    {("shop/1", ("em", "ph")): 2, (None, ("em",)): 1},
    {("shop/1", ("ph",)): 1},
    {"late": 2},
    {"TRIMMED": 1},
)

WORD = say.FinalWord("d", "r", 5, {"done": 3, "bury": 2}, {"INVALID_GCLID": 2}, {"TRIMMED": 4})


class Log:
    """Keeps what it was told; the clock is the test's."""

    def __init__(self) -> None:
        self.lines: list[tuple[int, str, dict[str, object]]] = []
        self.now = 0.0

    def log(self, level: int, event: str, **fields: object) -> None:
        """Keep a line."""
        self.lines.append((level, event, fields))


@pytest.fixture
def log() -> Log:
    """An empty log."""
    return Log()


@pytest.fixture
def telemetry(log: Log) -> Telemetry:
    """Telemetry that logs from `info` up and knows one destination."""
    telemetry = Telemetry(log, worker="meta", version="1.0", level="info", clock=lambda: log.now)
    telemetry.introduce("meta-eu", "meta", {"em": 6.0, "ph": 5.0})
    return telemetry


def value(telemetry: Telemetry, sample: str, **labels: str) -> float | None:
    """Return one sample of the metrics."""
    found: float | None = telemetry.registry.get_sample_value(sample, labels)
    return found


def test_forgets_who_has_no_receipts(telemetry: Telemetry) -> None:
    """A destination that is followed no more loses its figures of open receipts."""
    telemetry.tell(say.ReceiptsOpen({"a": 1, "b": 1}, {"a": 1.0, "b": 1.0}))
    telemetry.tell(say.ReceiptsOpen({"a": 1}, {"a": 1.0}))

    assert (1, None) == tuple(value(telemetry, "capi_receipts_open", destination=name) for name in "ab")
    assert value(telemetry, "capi_oldest_receipt_age_seconds", destination="b") is None


@pytest.mark.parametrize(
    ("signal", "sample", "labels", "expected"),
    [
        (say.Consumed("t", 5, 900), "capi_records_consumed_total", {"topic": "t"}, 5),
        (say.Consumed("t", 5, 900), "capi_consumed_bytes_total", {"topic": "t"}, 900),
        (say.Consumed("t", 5, 900, 2), "capi_offset_holes_total", {"topic": "t"}, 2),
        (say.Skipped({(None, Reason.TOMBSTONE): 2}), "capi_events_skipped_total",
         {"destination": "none", "reason": "tombstone"}, 2),
        (say.ConsentDecided({("d", "unknown_sent"): 4}), "capi_consent_decisions_total",
         {"destination": "d", "decision": "unknown_sent"}, 4),
        (say.ConsentDecided({("d", "denied"): 1}), "capi_consent_decisions_total",
         {"destination": "meta-eu", "decision": "denied"}, 0),
        (say.Refused("d", Reason.EXPIRED, 3, ""), "capi_events_refused_total",
         {"destination": "d", "reason": "expired"}, 3),
        (say.Buried("d", Reason.EXPIRED, 3), "capi_events_dead_lettered_total",
         {"destination": "d", "reason": "expired"}, 3),
        (say.BuryFailed("X", 2), "capi_dead_letter_failures_total", {}, 2),
        (say.Pulse(7, 8, 9, {("t", 1): 4}), "capi_consumer_lag_records", {"topic": "t", "partition": "1"}, 4),
        (say.Pulse(7, 8, 9, {}), "capi_dead_letters_pending", {}, 9),
        (say.IntakePaused(Reason.BUDGET_SPENT), "capi_intake_paused", {"reason": "budget_spent"}, 1),
        (say.IntakeResumed(Reason.BUDGET_SPENT, 1.0), "capi_intake_paused", {"reason": "budget_spent"}, 0),
        (say.Assigned((("t", 1),), 4), "capi_assigned_partitions", {}, 4),
        (say.Lost((("t", 1),), 0, 6, ""), "capi_records_abandoned_total", {}, 6),
        (say.Revoked((("t", 1),), 0, 6, 1.0), "capi_rebalances_total", {"event": "revoked"}, 1),
        (say.OffsetLost("t", 1, 5, 9, None), "capi_lost_offsets_total", {"topic": "t"}, 1),
        (say.KafkaTrouble("_TRANSPORT", ""), "capi_kafka_errors_total", {"code": "_TRANSPORT"}, 1),
        (say.Committed({("t", 1): 5}), "capi_commits_total", {"outcome": "ok"}, 1),
        (say.CommitFailed("X", fenced=True), "capi_commits_total", {"outcome": "fenced"}, 1),
        (say.CommitFailed("X", fenced=False), "capi_commits_total", {"outcome": "failed"}, 1),
        (ACCEPTED, "capi_events_accepted_total", {"destination": "meta-eu", "platform": "meta"}, 3),
        (ACCEPTED, "capi_last_accepted_timestamp_seconds", {"destination": "meta-eu"}, 1_000),
        (ACCEPTED, "capi_match_keys_total", {"destination": "meta-eu", "key": "em", "producer": "shop/1"}, 2),
        (ACCEPTED, "capi_match_keys_total", {"destination": "meta-eu", "key": "em", "producer": "unknown"}, 1),
        (ACCEPTED, "capi_match_keys_dropped_total",
         {"destination": "meta-eu", "key": "ph", "producer": "shop/1"}, 1),
        (ACCEPTED, "capi_matched_events_total", {"destination": "meta-eu", "producer": "shop/1"}, 2),
        (ACCEPTED, "capi_match_quality_total", {"destination": "meta-eu", "producer": "shop/1"}, 20),
        (ACCEPTED, "capi_match_quality_total", {"destination": "meta-eu", "producer": "unknown"}, 6),
        (ACCEPTED, "capi_event_notes_total", {"destination": "meta-eu", "note": "late"}, 2),
        (ACCEPTED, "capi_platform_warnings_total", {"destination": "meta-eu", "warning": "TRIMMED"}, 1),
        (ACCEPTED, "capi_occurred_to_accepted_seconds_bucket", {"destination": "meta-eu", "le": "1.0"}, 2),
        (ACCEPTED, "capi_produced_to_accepted_seconds_count", {"destination": "meta-eu"}, 2),
        (say.RequestDone("d", "meta", "later", None, 9, 5, 0.3), "capi_requests_total",
         {"destination": "d", "outcome": "later"}, 1),
        (say.BatchRefused("d", Reason.REJECTED, 9, ""), "capi_batches_refused_total",
         {"destination": "d", "reason": "rejected"}, 1),
        (say.LaneWaiting("d", Reason.OUTAGE, "", 2.5, 1), "capi_lane_wait_seconds_total",
         {"destination": "d", "reason": "outage"}, 2.5),
        (say.BreakerMoved("d", State.OPEN), "capi_breaker_state", {"destination": "d", "state": "open"}, 1),
        (say.LimiterWaited("d", 0.5), "capi_limiter_wait_seconds_total", {"destination": "d"}, 0.5),
        (say.RateChanged("d", 5.0), "capi_rate_limit_requests_per_second", {"destination": "d"}, 5),
        (say.FilingFailed("X", 2), "capi_receipt_failures_total", {}, 2),
        (say.ReplayFailed("X", 3), "capi_replay_failures_total", {}, 3),
        (say.ReceiptsOpen({"d": 2}, {"d": 7.5}), "capi_receipts_open", {"destination": "d"}, 2),
        (say.ReceiptsOpen({"d": 2}, {"d": 7.5}), "capi_oldest_receipt_age_seconds", {"destination": "d"}, 7.5),
        (say.StatusAsked("d", "pending"), "capi_status_requests_total", {"destination": "d", "outcome": "pending"}, 1),
        (WORD, "capi_followed_events_total", {"destination": "d", "fate": "bury"}, 2),
        (WORD, "capi_final_reasons_total", {"destination": "d", "cause": "INVALID_GCLID"}, 2),
        (WORD, "capi_platform_warnings_total", {"destination": "d", "warning": "TRIMMED"}, 4),
        (say.FinalAlarm("d", "r", ("A", "B")), "capi_final_alarms_total", {"destination": "d", "cause": "B"}, 1),
        (say.StatusUnknown("d", "r", 9, ""), "capi_followed_events_total", {"destination": "d", "fate": "unknown"}, 9),
        (say.RecordsGone("d", "r", 3), "capi_followed_events_total", {"destination": "d", "fate": "gone"}, 3),
        (say.SecretRotated("d", "s"), "capi_secret_rotations_total", {"destination": "d"}, 1),
    ],
)  # fmt: skip
def test_signals_move_metrics(
    telemetry: Telemetry, signal: say.Signal, sample: str, labels: dict[str, str], expected: float
) -> None:
    """Each signal moves its metric by what it holds."""
    telemetry.tell(signal)

    assert expected == value(telemetry, sample, **labels)


def test_a_lane_is_in_one_state(telemetry: Telemetry) -> None:
    """A halt shows its reason, and a resumption takes both back."""
    seen = []
    for signal in (say.LaneHalted("meta-eu", Reason.UNAUTHORIZED, ""), say.LaneResumed("meta-eu", 1.0)):
        telemetry.tell(signal)
        states = [
            value(telemetry, "capi_lane_state", destination="meta-eu", state=state)
            for state in ("running", "waiting", "halted")
        ]
        halted = value(telemetry, "capi_lane_halted", destination="meta-eu", reason="unauthorized")
        seen.append((states, halted))

    assert [([0, 0, 1], 1), ([1, 0, 0], 0)] == seen


def test_a_partition_that_left_has_no_lag(telemetry: Telemetry) -> None:
    """The lag of a partition that moved to another replica is shown there and no longer here."""
    telemetry.tell(say.Pulse(0, 0, 0, {("t", 1): 4, ("t", 2): 5}))
    telemetry.tell(say.Pulse(0, 0, 0, {("t", 2): 6}))
    lag = [value(telemetry, "capi_consumer_lag_records", topic="t", partition=part) for part in ("1", "2")]

    assert [None, 6] == lag


def test_levels_decide_what_is_logged(telemetry: Telemetry, log: Log) -> None:
    """What is below the level is measured and not logged; partitions read `topic[number]`."""
    telemetry.tell(say.Committed({("t", 1): 5}))
    telemetry.tell(say.Assigned((("t", 1), ("t", 2)), 2))

    assert [(20, "assigned", {"partitions": ["t[1]", "t[2]"], "owned": 2})] == log.lines


@pytest.mark.parametrize(
    ("signal", "level"),
    [
        (say.IntakePaused(Reason.BACKPRESSURE), "info"),
        (say.IntakePaused(Reason.REGISTRY_DOWN), "warning"),
        (say.IntakePaused(Reason.DEAD_LETTERS_DOWN), "error"),
        (say.KafkaTrouble("X", ""), "warning"),
        (say.KafkaTrouble("X", "", fatal=True), "error"),
        (say.LaneHalted("d", Reason.UNAUTHORIZED, ""), "error"),
    ],
)
def test_the_level_is_the_consequence(signal: say.Signal, level: say.Level) -> None:
    """A normal day is `info`, nothing lost is `warning`, a person is needed is `error`."""
    assert level == say.level_of(signal)


def test_like_signals_are_logged_every_ten_seconds(telemetry: Telemetry, log: Log) -> None:
    """Of many waits for one reason the first is logged, then one with the number of the others."""
    for log.now in (0.0, 1.0, 2.0, 10.0, 11.0):
        telemetry.tell(say.LaneWaiting("d", Reason.OUTAGE, "", 1.0, 1))
    telemetry.tell(say.LaneWaiting("other", Reason.OUTAGE, "", 1.0, 1))
    suppressed = [(fields["destination"], fields.get("suppressed", 0)) for _, _, fields in log.lines]

    assert [("d", 0), ("d", 2), ("other", 0)] == suppressed


@pytest.mark.parametrize("kind", KINDS)
def test_every_signal_can_be_shown(kind: type[say.Signal]) -> None:
    """The fields of every signal pass the log's list, and what makes two of a kind alike is a field."""
    names = {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]

    assert set() == (names - kind.quiet) - ALLOWED
    assert set() == (kind.quiet | set(kind.alike)) - names


def test_quiet_fields_are_not_shown() -> None:
    """What only metrics want stays out of the log; skipped events are shown as counts."""
    assert {"destination": "meta-eu", "platform": "meta", "events": 3} == words_of(ACCEPTED)
    assert {"counts": {"none:tombstone": 2}} == words_of(say.Skipped({(None, Reason.TOMBSTONE): 2}))
    assert {"counts": {"d:denied": 2}} == words_of(say.ConsentDecided({("d", "denied"): 2}))


def test_the_exposition_is_the_table(telemetry: Telemetry) -> None:
    """Prometheus reads what we expose, and finds the names and types of the table."""
    families = text_string_to_metric_families(telemetry.expose().decode())
    found = {family.name: family.type for family in families if family.name.startswith("capi_")}

    assert {metric.name.removesuffix("_total"): metric.type for metric in METRICS} == found


@pytest.mark.parametrize(
    "rule",
    [
        lambda metric: metric.name.startswith("capi_"),
        lambda metric: (metric.type == "counter") == metric.name.endswith("_total"),
        lambda metric: metric.help.endswith("."),
        lambda metric: (metric.type == "histogram") == bool(metric.buckets),
        lambda metric: not {"le", "event_id", "offset"} & set(metric.labels),
    ],
)
def test_metrics_follow_the_practice(rule: Callable[[Metric], bool]) -> None:
    """Names, help and labels of all metrics follow Prometheus' naming practice."""
    assert [] == [metric.name for metric in METRICS if not rule(metric)]


@given(st.lists(st.lists(st.floats(-10, 1e6)), max_size=5))
def test_the_batch_histogram_counts_like_prometheus(batches: list[list[float]]) -> None:
    """Fed per batch, it gives what counting one by one would: every bucket holds what is at most its bound."""
    histogram = BatchHistogram(Metric("x", "histogram", "X.", (), (0.5, 1.0, 60.0)))
    for batch in batches:
        histogram.observe((), batch)
    everything = [number for batch in batches for number in batch]
    samples = {s.labels["le"]: s.value for family in histogram.collect() for s in family.samples if "le" in s.labels}
    bounds = {"0.5": 0.5, "1.0": 1.0, "60.0": 60.0, "+Inf": float("inf")}

    expected = {name: sum(number <= bound for number in everything) for name, bound in bounds.items()}

    assert (expected if batches else {}) == samples


def test_poll_age_is_asked_for_when_read(telemetry: Telemetry) -> None:
    """The age of the last poll grows between two readings though nobody tells of it: the owner thread may hang."""
    ages = iter([1.0, 61.0])
    telemetry.watch(lambda: next(ages), lambda: 0.0)

    assert [1.0, 61.0] == [value(telemetry, "capi_poll_age_seconds") for _ in range(2)]


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (["shop/4.2.0", "app@7"], {"shop/4.2.0", "app@7"}),
        ([None, "jane doe <jane@example.com>", ""], {"unknown"}),
        ([f"shop/{number}" for number in range(60)], {*(f"shop/{number}" for number in range(50)), "other"}),
    ],
)
def test_producers_are_labels_of_a_form_and_a_number(
    telemetry: Telemetry, names: list[str | None], labels: set[str]
) -> None:
    """A producer is a label if it looks like one; at most fifty have series of their own."""
    for name in names:
        telemetry.tell(replace(ACCEPTED, match_keys={(name, ("em",)): 1}, dropped_keys={}))
    family = next(one for one in telemetry.registry.collect() if one.name == "capi_matched_events")
    assert labels == {sample.labels["producer"] for sample in family.samples}
