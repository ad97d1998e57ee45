"""What holds for every event and every answer."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import google_golden
import orjson
import pytest
from avro_events import CONTRACT
from contract_events import document, events, personal
from google_answers import DAY
from google_events import ORDERS, google, options
from google_judge import judged
from hypothesis import given
from hypothesis import strategies as st
from meta_events import APP, CONVERSATIONS, Changes, order_json
from meta_events import event_of as read_back

from pipeline.core.avro.schema import Array, Type
from pipeline.core.contract import Kind
from pipeline.core.model import Accepted, Blamed, Doubt, Event, Halt, Later, NoReply, Refusal, Reply, Shaped, Skipped
from pipeline.platforms.google_options import EVENT_SOURCES, Cart
from pipeline.platforms.google_replies import read

KINDS: tuple[Kind, ...] = ("order", "lead", "activity")
HASH = re.compile("[0-9a-f]{64}").fullmatch
# Every event has an action, and everything that may leave leaves.
WHOLE = {"send_ip": True, "cart": Cart("4711")}
# What Google wants as it is: reference of AdIdentifiers, AddressInfo and DeviceInfo.
CLEAR = {
    "customer.country",
    "customer.postal_code",
    *(
        f"touch.{name}"
        for name in "client_ip client_ipv6 user_agent gclid wbraid gbraid gad_session_attributes".split()
    ),
    "google_lead_id",
}
PERSONAL = [(kind, path, node) for kind in KINDS for path, node in personal(CONTRACT.schemas[kind])]
MARK = "qzvxwkjy"
WORDS = ["INVALID_ARGUMENT", "RESOURCE_EXHAUSTED", "INVALID_FORMAT", "events.events[0]", "destinations[0]", DAY, "r-1"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=5) | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
VIOLATION = st.dictionaries(st.sampled_from(["field", "reason", "description"]), JSON)
DETAIL = st.dictionaries(st.sampled_from(["reason", "requestId", "retryDelay", "metadata"]), JSON) | (
    st.fixed_dictionaries({"fieldViolations": st.lists(VIOLATION, max_size=3) | JSON})
)
ERROR = st.fixed_dictionaries(
    {}, optional={"status": st.sampled_from(WORDS) | JSON, "details": st.lists(DETAIL, max_size=3) | JSON}
)
ANSWERS = st.binary(max_size=60) | st.fixed_dictionaries(
    {}, optional={"error": ERROR | JSON, "requestId": JSON, "fieldWarnings": st.lists(VIOLATION, max_size=3) | JSON}
).map(orjson.dumps)


@pytest.mark.parametrize("seed", ["1", "2"])
def test_same_bytes_in_another_process(seed: str) -> None:
    """Another process, with another order of hashing, sends the same bytes of the same events."""
    written = subprocess.run(
        [sys.executable, Path(google_golden.__file__)],
        env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=True,
    )

    assert google_golden.CASES
    assert [google_golden.golden(case) for case in google_golden.CASES] == written.stdout.splitlines()


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_every_payload_is_taken(kind: Kind, data: st.DataObject) -> None:
    """Whatever the contract allows is skipped, refused, or a payload that the sandbox takes as long as it may go."""
    found = _shape(data.draw(events(kind)))
    if not isinstance(found, Shaped):
        assert isinstance(found, (Skipped, Refusal))
        return
    written = orjson.loads(found.payload)
    hashed = [
        value
        for one in written.get("userData", {}).get("userIdentifiers", ())
        for name, value in {**one, **one.get("address", {})}.items()
        if name in ("emailAddress", "phoneNumber", "givenName", "familyName")
    ]

    assert [Accepted, Accepted] == [type(judged(found, now)) for now in (found.not_before, found.expires_at)]
    assert [] == [one for one in hashed if not HASH(one)]


@pytest.mark.parametrize("source", EVENT_SOURCES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_place_is_taken(kind: Kind, source: str) -> None:
    """The samples, as if they had happened anywhere, are payloads that the sandbox takes; so the property says much."""
    found = _shape(read_back(_whole(kind, {"action_source": source})))
    assert isinstance(found, Shaped), found

    assert isinstance(judged(found, found.not_before), Accepted)


@given(event=events("order"), order=st.randoms())
def test_order_of_lists_changes_nothing(event: Event, order: object) -> None:
    """The order in which a customer's addresses and numbers are listed changes no byte."""
    before = _shape(event)
    customer = event.body["customer"]
    for values in (customer["emails"], customer["phones"]):
        order.shuffle(values)  # type: ignore[attr-defined]  # Hypothesis hands out a random.Random

    assert before == _shape(event)


@given(event=events("order"))
def test_work_of_others_changes_nothing(event: Event) -> None:
    """What another destination's table left behind for this event changes no byte of it."""
    alone = _shape(event)
    event.seals = {}
    first, second = _shape(event), _shape(event)

    assert alone == first == second


@pytest.mark.parametrize(
    ("kind", "path", "node"), [one for one in PERSONAL if one[1] not in CLEAR], ids=lambda value: str(value)[:40]
)
def test_raw_values_stay(kind: Kind, path: str, node: Type) -> None:
    """A field that the contract marks as personal, and Google does not want clear, leaves no trace of its value."""
    value, traces = _marked(path)
    found = _shape(read_back(_whole(kind, {path: [value] if isinstance(node, Array) else value})))
    assert isinstance(found, Shaped), found

    assert [] == [trace for trace in traces if trace.encode() in found.payload.lower()]


def test_clear_fields_are_personal() -> None:
    """The list of clear fields names fields of the contract that are marked as personal, and no other."""
    assert set() == CLEAR - {path for _, path, _ in PERSONAL}


@given(name=st.text("ghijklmnopqrstuvwxyz", min_size=8, max_size=12), number=st.integers(0, 9999))
def test_raw_customer_stays(name: str, number: int) -> None:
    """No part of a name, an address or a number shows in the payload, nor in what a refusal says."""
    phone = f"207946{number:04}"
    customer = {
        **dict.fromkeys(("first_name", "last_name", "city", "region"), name),
        "emails": [f"{name}@{name}.example"],
        "phones": [f"+44{phone}"],
        "postal_code": name,
        "external_ids": [name],
        "country": "GB",
    }
    found = _shape(read_back(order_json({"customer": customer})))
    kept_back = _shape(read_back(order_json({"customer": customer | {"emails": [name], "phones": []}, "touch": {}})))
    assert isinstance(found, Shaped)
    assert isinstance(kept_back, Refusal)

    assert [] == [raw for raw in (name, phone) if raw in f"{found.payload!r}{found.dropped}{kept_back}".lower()]


@given(st.integers(100, 599), ANSWERS, st.integers(1, 5))
def test_any_answer_gives_a_verdict(status: int, body: bytes, count: int) -> None:
    """Whatever Google answers, there is a verdict; acceptance needs HTTP 200, and blame an event of the batch."""
    verdict = read(Reply(status, {}, body), count)

    assert isinstance(verdict, (Accepted, Blamed, Doubt, Later, Halt))
    assert not isinstance(verdict, Accepted) or status == 200
    assert not isinstance(verdict, Blamed) or set() < verdict.refused.keys() <= set(range(count))


@given(st.integers(100, 599), ANSWERS)
def test_any_answer_gives_a_token_or_none(status: int, body: bytes) -> None:
    """Whatever the token endpoint answers is read."""
    assert google().grant().read(Reply(status, {}, body)) is not None


@given(st.text(max_size=30))
def test_no_answer_blames_nobody(cause: str) -> None:
    """Without an answer nobody is to blame."""
    verdict = read(NoReply(cause), 1)

    assert isinstance(verdict, Later)
    assert verdict.blame is None


def _shape(event: Event) -> Shaped | Skipped | Refusal:
    """Put an event into Google's words, where every event has an action."""
    name = "order_placed" if event.kind == "order" else event.name
    return google(options(conversion_actions={name: ORDERS}, **WHOLE)).shape(event)


def _whole(kind: Kind, changes: Changes) -> dict[str, object]:
    """Return a sample that has every section."""
    sections: Changes = {"app": APP, "messaging": CONVERSATIONS["WHATSAPP"]}
    return document(kind, {**sections, **changes})


def _marked(path: str) -> tuple[str, list[str]]:
    """Return a value that the field's rule takes, and how it would show."""
    match path.rpartition(".")[2]:
        case "emails":
            return f"{MARK}@{MARK}.example", [MARK]
        case "phones":
            return "+442079461234", ["2079461234", "7946"]
        case "birth_date":
            return "1987-06-25", ["1987-06-25", "19870625"]
        case "gender":
            return "Female", ["female"]
        case _:
            return MARK.upper(), [MARK]
