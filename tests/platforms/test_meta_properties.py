"""What holds for every event and every answer."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import meta_golden
import orjson
import pytest
from avro_events import CONTRACT
from contract_events import events, personal
from hypothesis import given
from hypothesis import strategies as st
from meta_events import APP, CONVERSATIONS, NOW, Changes, lead_json, order_json, shape
from meta_events import event_of as read_back

from pipeline.core.avro.schema import Array, Type
from pipeline.core.contract import Kind
from pipeline.core.model import Accepted, Doubt, Event, Halt, Later, Mixed, NoReply, Refusal, Reply, Shaped, Skipped
from pipeline.platforms.meta import ACTION_SOURCES
from pipeline.platforms.meta_replies import read
from pipeline.sandbox.meta_event import check_event

KINDS: tuple[Kind, ...] = ("order", "lead")
HASH = re.compile("[0-9a-f]{64}").fullmatch
# What Meta wants as it is: customer information parameters and server event pages.
CLEAR = {
    "customer.facebook_login_id",
    *(f"touch.{name}" for name in "url referrer client_ip client_ipv6 user_agent fbc fbp fbclid".split()),
    *(f"app.{name}" for name in "advertising_id anonymous_id extinfo".split()),
    *(f"messaging.{name}" for name in "page_scoped_user_id instagram_user_id ctwa_clid".split()),
    "meta_lead_id",
}
PERSONAL = [(kind, path, node) for kind in KINDS for path, node in personal(CONTRACT.schemas[kind])]
MARK = "qzvxwkjy"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=5) | st.sampled_from([100, 190, 4]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
KEYS = "code error_subcode is_transient error_user_msg message fbtrace_id error_data".split()
ANSWERS = st.binary(max_size=60) | st.fixed_dictionaries(
    {},
    optional={
        "error": st.dictionaries(st.sampled_from(KEYS), JSON) | JSON,
        "events_received": st.integers(0, 5) | JSON,
        "fbtrace_id": JSON,
    },
).map(orjson.dumps)


@pytest.mark.parametrize("seed", ["1", "2"])
def test_same_bytes_in_another_process(seed: str) -> None:
    """Another process, with another order of hashing, sends the same bytes of the same events."""
    written = subprocess.run(
        [sys.executable, Path(meta_golden.__file__)],
        env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=True,
    )

    assert [meta_golden.golden(case) for case in meta_golden.CASES] == written.stdout.splitlines()


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_every_payload_is_taken(kind: Kind, data: st.DataObject) -> None:
    """Whatever the contract allows is skipped, refused, or a payload that the sandbox takes as long as it may go."""
    found = shape(data.draw(events(kind)))
    if not isinstance(found, Shaped):
        assert isinstance(found, (Skipped, Refusal))
        return
    document = orjson.loads(found.payload)
    user_data = document["user_data"]
    hashed = [one for value in user_data.values() if isinstance(value, list) for one in value]

    assert (None, None) == (check_event(document, found.not_before), check_event(document, found.expires_at))
    assert (tuple(user_data), []) == (found.match_keys, [one for one in hashed if not HASH(one)])


@pytest.mark.parametrize("source", ACTION_SOURCES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_place_is_taken(kind: Kind, source: str) -> None:
    """The samples, as if they had happened anywhere, are payloads that the sandbox takes; so the property says much."""
    found = shape(read_back(_whole(kind, {"action_source": source})))
    assert isinstance(found, Shaped), found

    assert check_event(orjson.loads(found.payload), NOW) is None


@given(event=events("order"), order=st.randoms())
def test_order_of_lists_changes_nothing(event: Event, order: object) -> None:
    """The order in which a customer's addresses, numbers and ids are listed changes no byte."""
    before = shape(event)
    customer = event.body["customer"]
    for values in (customer["emails"], customer["phones"], customer["external_ids"]):
        order.shuffle(values)  # type: ignore[attr-defined]  # Hypothesis hands out a random.Random

    assert before == shape(event)


@pytest.mark.parametrize(
    ("kind", "path", "node"), [one for one in PERSONAL if one[1] not in CLEAR], ids=lambda value: str(value)[:40]
)
def test_raw_values_stay(kind: Kind, path: str, node: Type) -> None:
    """A field that the contract marks as personal, and Meta does not want clear, leaves no trace of its value."""
    value, traces = _marked(path)
    found = shape(read_back(_whole(kind, {path: [value] if isinstance(node, Array) else value})))
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
        "postal_code": f"{name} 1",
        "external_ids": [name],
        "country": "GB",
    }
    found = shape(read_back(order_json({"customer": customer})))
    kept_back = shape(read_back(order_json({"customer": customer, "touch": {}})))
    assert isinstance(found, Shaped)

    assert [] == [raw for raw in (name, phone) if raw in f"{found.payload!r}{found.dropped}{kept_back}".lower()]


@given(st.integers(100, 599), ANSWERS, st.integers(1, 5))
def test_any_answer_gives_a_verdict(status: int, body: bytes, count: int) -> None:
    """Whatever Meta answers, there is a verdict; acceptance needs HTTP 200, and a refusal an event of the batch."""
    verdict = read(Reply(status, {}, body), count)

    assert isinstance(verdict, (Accepted, Mixed, Doubt, Later, Halt))
    assert not isinstance(verdict, (Accepted, Mixed)) or status == 200
    assert not isinstance(verdict, Mixed) or verdict.refused.keys() == set(range(count))


@given(st.text(max_size=30))
def test_no_answer_blames_nobody(cause: str) -> None:
    """Without an answer nobody is to blame."""
    verdict = read(NoReply(cause), 1)

    assert isinstance(verdict, Later)
    assert verdict.blame is None


def _whole(kind: Kind, changes: Changes) -> dict[str, object]:
    """Return a sample that has every section."""
    sections = {"app": APP, "messaging": CONVERSATIONS["WHATSAPP"]}
    return order_json({**sections, **changes}) if kind == "order" else lead_json({**sections, **changes})


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
        case "country":
            return "Liechtenstein", ["liechtenstein", '"li"']
        case _:
            return MARK.upper(), [MARK]
