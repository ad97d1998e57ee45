"""Customers' values and tokens, each one unique: none of them is in anything that the worker says."""

from __future__ import annotations

import hashlib
import signal
from dataclasses import replace

from avro_events import avsc, encode, full_order
from worker_process import command
from worker_scene import Scene

from pipeline.core.reason import Reason
from pipeline.demo.trade import Expected, Sample

ENVIRONMENT_TOKEN = "EAAcanaryofenvironment7d1"
CUSTOMER = {
    "emails": ["canary.mail@canary-inbox.example"],
    "phones": ["+447700900123"],
    "first_name": "Canaryfirst",
    "last_name": "Canarylast",
    "city": "Canarytown",
    "postal_code": "CN4 9RY",
    "external_ids": ["canary-external-1"],
}
TOUCH = {
    "url": "https://shop.example/canarypath?who=canaryquery",
    "client_ip": "198.51.100.77",
    "user_agent": "CanaryAgent/7.7",
    "fbp": "fb.1.1763712000000.7700771122",
    "fbclid": "IwARcanaryclick",
}
CANARIES = {
    "canary.mail",
    "canary-inbox",
    "447700900123",
    "7700900123",
    "Canaryfirst",
    "Canarylast",
    "Canarytown",
    "CN4 9RY",
    "canary-external-1",
    "canarypath",
    "canaryquery",
    "198.51.100.77",
    "CanaryAgent",
    "7700771122",
    "IwARcanaryclick",
    ENVIRONMENT_TOKEN,
    hashlib.sha256(b"canary.mail@canary-inbox.example").hexdigest(),
    hashlib.sha256(b"447700900123").hexdigest(),
}


def test_nothing_personal_is_ever_said(scene: Scene) -> None:
    """In good times and bad ones, logs, metrics, probes, dead letters' headers and `config` hold no canary."""
    scene.settings |= {"CAPI_LOG_LEVEL": "debug", "CAPI_SECRET_OTHER": ENVIRONMENT_TOKEN}
    scene.sandbox.refuse("canary-refused*")
    scene.sandbox.add_fault("error", code=2, message="canary.mail@canary-inbox.example Canaryfirst", count=1)
    scene.publish_all(records(scene))
    worker = scene.start(CAPI_STOP_DRAIN_DEADLINE_SECONDS="0").wait_ready()
    scene.wait_settled(worker)
    scene.sandbox.let_in([], revoked=[scene.token])
    scene.publish_all([good(scene, "late", "canary-late")])
    worker.wait_for("all_lanes_halted")
    said = [worker.exposition(), str(worker.readyz()), command(scene.settings, "config")[1]]
    letters = scene.till.dead_letters()

    assert 0 == worker.terminate()
    assert {Reason.UNDECODABLE, Reason.INVALID_EVENT, Reason.REJECTED} == {letter.reason for letter in letters}
    said += [worker.output, str([letter.headers for letter in letters]), command(scene.settings, "check")[1]]
    assert [] == found_in(scene, said)


def test_a_crash_says_nothing_personal(scene: Scene) -> None:
    """A worker that crashes with customers' events in its hands ends soon, with code 1, and says no value of theirs."""
    scene.settings |= {"CAPI_LOG_LEVEL": "debug", "CAPI_SECRET_OTHER": ENVIRONMENT_TOKEN}
    scene.sandbox.add_fault("latency", seconds=30)
    worker = scene.start().wait_ready()
    scene.publish_all([good(scene, f"crash-{number}", f"canary-{number}") for number in range(200)])
    worker.wait_until(lambda: worker.total("capi_in_flight_records") == 200, 10, "has all of them in its hands")
    worker.signal(signal.SIGSTOP)
    scene.publish_all([good(scene, f"gone-{number}", f"canary-gone-{number}") for number in range(200)])
    scene.expire(scene.till.ends())
    worker.signal(signal.SIGCONT)

    assert 1 == worker.exit_code(timeout=10)
    assert worker.told("crashed")
    assert [] == found_in(scene, [worker.output])


def records(scene: Scene) -> list[Sample]:
    """Make good events, broken ones of several kinds, and one that only the platform refuses."""
    sound = good(scene, "sound", "canary-sound")
    doomed = replace(sound, expected=Expected("dead-lettered", Reason.UNDECODABLE))
    value = sound.value or b""
    unpriced = good(scene, "unpriced", "canary-unpriced", currency=None)
    refused = good(scene, "refused", "canary-refused")
    return [
        sound,
        replace(doomed, value=value[: len(value) // 2]),
        replace(doomed, value=b"\xff" + value),
        replace(doomed, value=str(CUSTOMER).replace("'", '"').encode()),
        replace(unpriced, expected=Expected("dead-lettered", Reason.INVALID_EVENT)),
        replace(refused, expected=Expected("dead-lettered", Reason.REJECTED)),
    ]


def good(scene: Scene, own_id: str, event_id: str, **changes: object) -> Sample:
    """Make an order whose customer is all canaries."""
    order = {**full_order(), "order_id": own_id, "event_id": event_id, **changes}
    order["occurred_at"] = scene.shop.order().event["occurred_at"]
    order["customer"] = {**order["customer"], **CUSTOMER}
    order["touch"] = {**order["touch"], **TOUCH}
    return Sample("order", own_id.encode(), encode(order, avsc("order")), (), "", Expected("accepted", None, event_id))


def found_in(scene: Scene, texts: list[str]) -> list[str]:
    """Return the canaries that are in any of the texts, in any case."""
    sung = {*CANARIES, scene.token}
    return sorted(canary for canary in sung if any(canary.lower() in text.lower() for text in texts))
