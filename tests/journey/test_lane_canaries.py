"""Customers' values and secrets, each one unique, on every lane: where each of them is, and where none may be."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from avro_events import avsc, encode, full_order
from lanes import Lane
from worker_process import command
from worker_scene import Scene

from pipeline.core.reason import Reason
from pipeline.demo.trade import Expected, Sample

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
    # A cookie would win over the click id.
    "fbc": None,
    "fbp": "fb.1.1763712000000.7700771122",
    "fbclid": "IwARcanaryclick",
    "gclid": "Cj0canaryclick",
    "ttclid": "E.C.P.canaryclick",
    "epik": "dj0ycanaryclick",
    "sc_click_id": "canaryclick-9",
}
# By the field that it stands in, as much of each value as must not be seen.
CANARIES = {
    "emails": ("canary.mail", "canary-inbox"),
    "phones": ("7700900123",),
    "first_name": ("canaryfirst",),
    "last_name": ("canarylast",),
    "city": ("canarytown",),
    "postal_code": ("cn4 9ry", "cn49ry"),
    "external_ids": ("canary-external",),
    "url": ("canarypath", "canaryquery"),
    "client_ip": ("198.51.100.77",),
    "user_agent": ("canaryagent",),
    "fbp": ("7700771122",),
    "fbclid": ("iwarcanaryclick",),
    "gclid": ("cj0canaryclick",),
    "ttclid": ("e.c.p.canaryclick",),
    "epik": ("dj0ycanaryclick",),
    "sc_click_id": ("canaryclick-9",),
}
MAIL_HASH = hashlib.sha256(b"canary.mail@canary-inbox.example").hexdigest()
HASHES = (
    MAIL_HASH,
    hashlib.sha256(b"447700900123").hexdigest(),
    hashlib.sha256(b"+447700900123").hexdigest(),
)


def test_nothing_personal_and_no_secret_is_ever_said(way: Scene, lane: Lane) -> None:
    """Whatever happens, no log line, metric, header, printed setting or record of the platform's holds a canary."""
    way.settings["CAPI_LOG_LEVEL"] = "debug"
    way.sandbox.refuse("refused")
    said_by_the_platform = "canary.mail@canary-inbox.example Canaryfirst"
    way.sandbox.add_fault(**lane.outage, message=said_by_the_platform, in_path=lane.path, count=1)
    sound = order("sound", way, lane)
    broken = replace(sound, value=b"\xff" + (sound.value or b""), expected=doomed(Reason.UNDECODABLE))
    way.publish_all([sound, broken, replace(order("refused", way, lane), expected=doomed(Reason.REJECTED))])
    worker = way.start().wait_ready()
    way.wait_settled(worker, 30)
    way.revoke_secret()
    way.publish_all([order("late", way, lane)])
    worker.wait_for("all_lanes_halted")
    letters = way.till.dead_letters()
    said = [worker.exposition(), str(worker.readyz()), str([letter.headers for letter in letters])]
    said += [str(way.sandbox.stats()), way.sandbox.journal_path.read_text(encoding="utf-8")]

    assert 0 == worker.terminate()
    said += [worker.output, command(way.settings, "config")[1], command(way.settings, "check")[1]]
    assert {Reason.UNDECODABLE, Reason.REJECTED} == {letter.reason for letter in letters}
    assert ["sound"] == [one.event_id for one in way.kept()]
    assert ([], []) == (fields_in("\n".join(said)), [text for text in (*HASHES, *way.hidden) if text in "".join(said)])


def test_only_what_the_platform_wants_clear_leaves_as_it_is(way: Scene, lane: Lane) -> None:
    """What the platform gets of a customer is hashed, but for the fields that it wants as they are."""
    way.sandbox.stop()
    way.sandbox.config = replace(way.sandbox.config, keep_payloads=True)
    way.sandbox.start()
    way.publish_all([order("sound", way, lane)])
    way.wait_settled(way.start(), 30)
    sent = way.sandbox.payloads().decode()

    assert MAIL_HASH in sent
    assert sorted(lane.clear) == fields_in(sent)


def order(own_id: str, scene: Scene, lane: Lane) -> Sample:
    """Make an order of the website whose customer is all canaries."""
    body = {**full_order(), "order_id": own_id, "event_id": own_id, "action_source": "WEBSITE"}
    body["occurred_at"] = scene.draft().event["occurred_at"]
    body["customer"] = {**body["customer"], **CUSTOMER}
    body["touch"] = {**body["touch"], **TOUCH, "client_ipv6": None}
    body["touch"]["fbclid_seen_at"] = body["occurred_at"] - 60_000
    return Sample(
        "order", own_id.encode(), encode(body, avsc("order")), (), lane.platform, Expected("accepted", None, own_id)
    )


def doomed(reason: Reason) -> Expected:
    """Return what is expected of a record that must end in the dead letters."""
    return Expected("dead-lettered", reason)


def fields_in(text: str) -> list[str]:
    """Return the fields whose canaries are in a text, in any case."""
    lowered = text.lower()
    return sorted(name for name, texts in CANARIES.items() if any(one in lowered for one in texts))
