"""What the demo reads and says over HTTP: the worker's own metrics; the sandbox's figures, journal and controls."""

from __future__ import annotations

import http.client
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import orjson
from prometheus_client.parser import text_string_to_metric_families

from pipeline.demo.arrivals import Arrival, arrival

TIMEOUT_SECONDS = 5.0
# How the worker's metrics label what was refused before any destination was chosen.
_NO_DESTINATION = "none"


@dataclass(frozen=True, slots=True)
class Gauge:
    """What the worker counted so far: accepted by destination, the others by destination and reason.

    What was refused before any destination was chosen has an empty one.
    """

    consumed: int = 0
    accepted: Counter[str] = field(default_factory=Counter)
    skipped: Counter[tuple[str, str]] = field(default_factory=Counter)
    dead_lettered: Counter[tuple[str, str]] = field(default_factory=Counter)

    def ended(self, destination: str) -> int:
        """Return how many records came to an end for `destination`, whichever it was."""
        skipped = sum(count for (name, _), count in self.skipped.items() if name == destination)
        buried = sum(count for (name, _), count in self.dead_lettered.items() if name in ("", destination))
        return self.accepted[destination] + skipped + buried


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
    consumed = 0
    accepted: Counter[str] = Counter()
    skipped: Counter[tuple[str, str]] = Counter()
    buried: Counter[tuple[str, str]] = Counter()
    for name, labels, value in _counters(text.decode()):
        destination, reason = labels.get("destination", ""), labels.get("reason", "")
        match name:
            case "capi_records_consumed_total":
                consumed += value
            case "capi_events_accepted_total":
                accepted[destination] += value
            case "capi_events_skipped_total":
                skipped[destination, reason] += value
            case "capi_events_dead_lettered_total":
                buried["" if destination == _NO_DESTINATION else destination, reason] += value
            case _:
                pass
    return Gauge(consumed, accepted, skipped, buried)


def read_sandbox(port: int) -> Sandbox:
    """Read the sandbox's figures. Raises OSError when it does not answer."""
    figures = orjson.loads(_get(port, "/_sandbox/stats")[1])
    return Sandbox(figures["requests"], sum(figures["refused"].values()), figures["accepted"])


def read_arrivals(port: int) -> list[Arrival]:
    """Read what the platforms accepted, duplicates included. Raises OSError when the sandbox does not answer."""
    journal, payloads = (_get(port, f"/_sandbox/{what}")[1].splitlines() for what in ("journal", "payloads"))
    return [arrival(orjson.loads(line), orjson.loads(event)) for line, event in zip(journal, payloads, strict=True)]


def let_refuse(port: int, platform: str, event_ids: Sequence[str]) -> None:
    """Let `platform` alone refuse these events. Raises OSError when the sandbox does not."""
    for event_id in event_ids:
        _send(port, "POST", "/_sandbox/rejections", {"event_id": event_id, "platform": platform})


def let_fail(port: int, in_path: str) -> None:
    """Let the platform with `in_path` in its paths answer 503, until `mend`. Raises OSError when it does not."""
    _send(port, "POST", "/_sandbox/faults", {"kind": "status", "status": 503, "in_path": in_path})


def mend(port: int) -> None:
    """Let every platform work again. Raises OSError when the sandbox does not answer."""
    _send(port, "DELETE", "/_sandbox/faults", None)


def _counters(text: str) -> Iterator[tuple[str, dict[str, str], int]]:
    for family in text_string_to_metric_families(text):
        if family.type == "counter":
            for sample in family.samples:
                yield sample.name, sample.labels, int(sample.value)


def _get(port: int, path: str) -> tuple[int, bytes]:
    return _ask(port, "GET", path, None)


def _send(port: int, method: str, path: str, document: Mapping[str, object] | None) -> None:
    status, answer = _ask(port, method, path, None if document is None else orjson.dumps(document))
    if status != http.client.OK:
        raise OSError(f"the sandbox answered {status} to {method} {path}: {answer.decode(errors='replace').strip()}")


def _ask(port: int, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
