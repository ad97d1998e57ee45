"""What the demo reads over HTTP: the worker's own metrics, and the sandbox's figures and journal."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from dataclasses import dataclass, field

import orjson
from prometheus_client.parser import text_string_to_metric_families

from pipeline.demo.balance import Seen

TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Gauge:
    """What the worker counted so far."""

    consumed: int = 0
    accepted: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    dead_lettered: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sandbox:
    """What the sandbox counted so far: requests, those it refused, events it accepted."""

    requests: int = 0
    refused: int = 0
    accepted: int = 0


def is_ready(port: int, worker: str) -> bool:
    """Tell whether the worker of this name is on this port and calls itself ready; anyone else there does not count."""
    try:
        status, body = _get(port, "/readyz")
        answer: object = orjson.loads(body)
    except (OSError, http.client.HTTPException, orjson.JSONDecodeError):
        return False
    return status == http.client.OK and isinstance(answer, dict) and answer.get("worker") == worker


def read_worker(port: int) -> Gauge:
    """Read the worker's metrics. Raises OSError when it does not answer."""
    _, text = _get(port, "/metrics")
    consumed = accepted = 0
    skipped: dict[str, int] = {}
    buried: dict[str, int] = {}
    for name, labels, value in _counters(text.decode()):
        reason = labels.get("reason", "")
        match name:
            case "capi_records_consumed_total":
                consumed += value
            case "capi_events_accepted_total":
                accepted += value
            case "capi_events_skipped_total":
                skipped[reason] = skipped.get(reason, 0) + value
            case "capi_events_dead_lettered_total":
                buried[reason] = buried.get(reason, 0) + value
            case _:
                pass
    return Gauge(consumed, accepted, skipped, buried)


def read_sandbox(port: int) -> Sandbox:
    """Read the sandbox's figures. Raises OSError when it does not answer."""
    figures = orjson.loads(_get(port, "/_sandbox/stats")[1])
    return Sandbox(figures["requests"], sum(figures["refused"].values()), figures["accepted"])


def read_journal(port: int) -> list[Seen]:
    """Read what the sandbox accepted, duplicates included. Raises OSError when it does not answer."""
    lines = _get(port, "/_sandbox/journal")[1].splitlines()
    return [Seen(line["event_id"], line["event_name"], line["event_time"]) for line in map(orjson.loads, lines)]


def _counters(text: str) -> Iterator[tuple[str, dict[str, str], int]]:
    for family in text_string_to_metric_families(text):
        if family.type == "counter":
            for sample in family.samples:
                yield sample.name, sample.labels, int(sample.value)


def _get(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
