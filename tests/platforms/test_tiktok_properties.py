"""What holds for every event and every answer."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from random import Random

import orjson
import pytest
import tiktok_golden
from avro_events import CONTRACT
from contract_events import document, events, personal
from hypothesis import given
from hypothesis import strategies as st
from tiktok_events import IOS, event_of, order, shape, shaped

from pipeline.core.avro.schema import Array, Type
from pipeline.core.contract import Kind
from pipeline.core.model import Accepted, Doubt, Event, Halt, Later, NoReply, Refusal, Reply, Shaped, Skipped
from pipeline.core.reason import Reason
from pipeline.edge.schema_files import KINDS
from pipeline.platforms.tiktok_keys import TIKTOK_KEYS
from pipeline.platforms.tiktok_replies import read
from pipeline.sandbox.tiktok_event import check_event

HASH = re.compile("[0-9a-f]{64}").fullmatch
# What TikTok wants as it is.
CLEAR = {
    *(f"customer.{name}" for name in "city region country".split()),
    *(f"touch.{name}" for name in "url referrer client_ip client_ipv6 user_agent language ttclid ttp".split()),
    "app.vendor_id",
    "tiktok_lead_id",
    "query",
}
HASHED = {key.name for key in TIKTOK_KEYS if key.form.value.startswith("hashed")}
PERSONAL = [(kind, path, node) for kind in KINDS for path, node in personal(CONTRACT.schemas[kind])]
MARK = "qzvxwkjy"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=5) | st.sampled_from([0, 40002]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
ANSWERS = st.binary(max_size=60) | st.fixed_dictionaries(
    {},
    optional={
        "code": st.sampled_from([0, 20001, 40002, 40050, 40100, 40105, 50000]) | JSON,
        "message": st.sampled_from(["data.3.user", "event_source_id", "Batch.9999.x"]) | JSON,
        "request_id": JSON,
        "data": JSON,
    },
).map(orjson.dumps)


@pytest.mark.parametrize("seed", ["1", "2"])
def test_same_bytes_in_another_process(seed: str) -> None:
    """Another process, with another order of hashing, sends the same bytes of the same events."""
    written = subprocess.run(
        [sys.executable, Path(tiktok_golden.__file__)],
        env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=True,
    )

    assert [tiktok_golden.golden(case) for case in tiktok_golden.CASES] == written.stdout.splitlines()


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_every_event_is_shaped(kind: Kind, data: st.DataObject) -> None:
    """Whatever the contract allows is skipped, refused, or a payload that the sandbox takes as long as it may go."""
    found = shape(data.draw(events(kind)))
    if not isinstance(found, Shaped):
        assert isinstance(found, (Skipped, Refusal))
        return
    sent = orjson.loads(found.payload)
    hashed = [one for name in HASHED & sent["user"].keys() for one in _values(sent["user"][name])]

    source = found.group.partition(":")[0]

    assert (None, None) == (check_event(source, sent, found.not_before), check_event(source, sent, found.expires_at))
    assert (found.event_name, int(found.not_before)) == (sent["event"], sent["event_time"])
    assert [] == [one for one in hashed if not HASH(one)]
    assert set(found.match_keys) - {"lead_id"} == sent["user"].keys() - {"att_status"}


@given(event=events("order"), order_of_lists=st.randoms())
def test_order_of_lists_changes_nothing(event: Event, order_of_lists: Random) -> None:
    """The order in which a customer's addresses, numbers and ids are listed changes no byte."""
    before = shape(event)
    customer = event.body["customer"]
    for values in (customer["emails"], customer["phones"], customer["external_ids"]):
        order_of_lists.shuffle(values)

    assert before == shape(event)


@pytest.mark.parametrize("source", ["WEBSITE", "APP", "STORE", "SYSTEM"])
@pytest.mark.parametrize(
    ("kind", "path", "node"), [one for one in PERSONAL if one[1] not in CLEAR], ids=lambda value: str(value)[:40]
)
def test_raw_values_stay(kind: Kind, path: str, node: Type, source: str) -> None:
    """A field that the contract marks as personal, and TikTok does not want clear, leaves no trace of its value."""
    value, traces = _marked(path)
    sections = {"action_source": source, "app": IOS, "messaging": {"channel": "WHATSAPP"}}
    found = shaped(event_of(document(kind, {**sections, path: [value] if isinstance(node, Array) else value})))

    assert [] == [trace for trace in traces if trace.encode() in found.payload.lower()]


def test_clear_fields_are_personal() -> None:
    """The list of clear fields names fields of the contract that are marked as personal, and no other."""
    assert set() == CLEAR - {path for _, path, _ in PERSONAL}


@given(name=st.text("ghijklmnopqrstuvwxyz", min_size=8, max_size=12), number=st.integers(0, 9999))
def test_raw_customer_stays(name: str, number: int) -> None:
    """No part of a name, an address or a number shows in the payload, nor in what a refusal says."""
    phone = f"207946{number:04}"
    customer = {
        **dict.fromkeys(("first_name", "last_name"), name),
        "emails": [f"{name}@{name}.example"],
        "phones": [f"+44{phone}"],
        "postal_code": f"{name} 1",
        "external_ids": [name],
    }
    kept_back = shape(order({"customer": {"first_name": name, "city": name}, "touch": {}}))
    found = shaped(order({"customer": customer}))
    assert isinstance(kept_back, Refusal)

    assert [] == [raw for raw in (name, phone) if raw in f"{found.payload!r}{found.dropped}{kept_back}".lower()]


@given(st.integers(100, 599), ANSWERS, st.integers(1, 5))
def test_any_answer_gives_a_verdict(status: int, body: bytes, count: int) -> None:
    """Whatever TikTok answers, there is a verdict; only HTTP 200 accepts, and a suspect is of the batch."""
    verdict = read(Reply(status, {}, body), count)

    assert isinstance(verdict, (Accepted, Doubt, Later, Halt))
    assert not isinstance(verdict, Accepted) or status == 200
    assert not isinstance(verdict, Doubt) or set(verdict.suspects) <= set(range(count))


@given(st.text(max_size=30))
def test_no_answer_blames_nobody(cause: str) -> None:
    """Without an answer nobody is to blame."""
    assert Later(Reason.OUTAGE, cause) == read(NoReply(cause), 1)


def _values(value: object) -> list[str]:
    return value if isinstance(value, list) else [str(value)]


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
        case "advertising_id":
            return "CDDA802E-FB9C-47AD-9866-0794D394C912", ["cdda802e"]
        case _:
            return MARK.upper(), [MARK]
