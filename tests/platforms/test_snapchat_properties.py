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
import snapchat_golden
from avro_events import CONTRACT
from contract_events import document, events, personal
from hypothesis import given
from hypothesis import strategies as st
from meta_events import NOW, event_of, order
from snapchat_events import IOS, shape, shaped

from pipeline.core.avro.schema import Array, Type
from pipeline.core.contract import Kind
from pipeline.core.model import (
    Accepted,
    Blamed,
    Doubt,
    Event,
    Halt,
    Later,
    Mixed,
    NoReply,
    Refusal,
    Reply,
    Shaped,
    Skipped,
)
from pipeline.core.reason import Reason
from pipeline.edge.schema_files import KINDS
from pipeline.platforms.snapchat_keys import SNAPCHAT_KEYS
from pipeline.platforms.snapchat_replies import read, suspects
from pipeline.sandbox.snapchat_event import check_event

HASH = re.compile("[0-9a-f]{64}").fullmatch
# What Snapchat wants as it is.
CLEAR = {
    *(f"touch.{name}" for name in "url client_ip client_ipv6 user_agent sc_click_id sc_cookie1".split()),
    *(f"app.{name}" for name in "advertising_id vendor_id extinfo".split()),
    "snap_lead_id",
    "query",
}
HASHED = {key.name for key in SNAPCHAT_KEYS if key.form.value.startswith("hashed")}
PERSONAL = [(kind, path, node) for kind in KINDS for path, node in personal(CONTRACT.schemas[kind])]
MARK = "qzvxwkjy"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=5) | st.sampled_from([0, 1, "1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
WORDS = st.sampled_from(["VALID", "INVALID", "FAILED"]) | JSON
ERRORS = st.fixed_dictionaries({"codes": st.lists(JSON, max_size=2) | JSON}) | JSON
LOGS = st.lists(st.fixed_dictionaries({"event": JSON, "status": WORDS, "errors": ERRORS}) | JSON, max_size=3) | JSON
RECORDS = st.lists(st.fixed_dictionaries({"record_indexes": st.lists(JSON, max_size=3) | JSON}) | JSON, max_size=3)
ANSWERS = st.binary(max_size=60) | st.fixed_dictionaries(
    {},
    optional={
        "status": WORDS,
        "reason": st.sampled_from(["bad token", "no"]) | JSON,
        "event": JSON,
        "errors": ERRORS,
        "event_logs": LOGS,
        "error_records": RECORDS | JSON,
    },
).map(orjson.dumps)


@pytest.mark.parametrize("case", snapchat_golden.CASES)
def test_golden_passes(case: str) -> None:
    """The sandbox, which shares no code with the sender, finds no flaw in a golden payload."""
    assert check_event(orjson.loads(snapchat_golden.golden(case)), NOW) is None


@pytest.mark.parametrize("seed", ["1", "2"])
def test_same_bytes_in_another_process(seed: str) -> None:
    """Another process, with another order of hashing, sends the same bytes of the same events."""
    written = subprocess.run(
        [sys.executable, Path(snapchat_golden.__file__)],
        env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=True,
    )

    assert [snapchat_golden.golden(case) for case in snapchat_golden.CASES] == written.stdout.splitlines()


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_every_event_is_shaped(kind: Kind, data: st.DataObject) -> None:
    """Whatever the contract allows is skipped, refused, or a payload that the sandbox takes as long as it may go."""
    found = shape(data.draw(events(kind)))
    if not isinstance(found, Shaped):
        assert isinstance(found, (Skipped, Refusal))
        return
    sent = orjson.loads(found.payload)
    hashed = [one for name in HASHED & sent["user_data"].keys() for one in _values(sent["user_data"][name])]

    assert (None, None) == (check_event(sent, found.not_before), check_event(sent, found.expires_at))
    assert (found.event_name, int(found.not_before)) == (sent["event_name"], sent["event_time"])
    assert [] == [one for one in hashed if not HASH(one)]
    assert list(found.match_keys) == list(sent["user_data"])


@given(event=events("order"), order_of_lists=st.randoms())
def test_order_of_lists_changes_little(event: Event, order_of_lists: Random) -> None:
    """The order in which a customer's addresses and numbers are listed changes no byte; of ids, one is chosen."""
    before = shape(event)
    customer = event.body["customer"]
    for values in (customer["emails"], customer["phones"]):
        order_of_lists.shuffle(values)

    assert before == shape(event)


@given(event=events("order"))
def test_other_tables_change_nothing(event: Event) -> None:
    """What the tables of other platforms left for this one's use changes no byte."""
    before = shape(event)
    event.seals = {}

    assert [before, before] == [shape(event), shape(event)]


@pytest.mark.parametrize("source", ["WEBSITE", "APP", "STORE", "SYSTEM"])
@pytest.mark.parametrize(
    ("kind", "path", "node"), [one for one in PERSONAL if one[1] not in CLEAR], ids=lambda value: str(value)[:40]
)
def test_raw_values_stay(kind: Kind, path: str, node: Type, source: str) -> None:
    """A field that the contract marks as personal, and Snapchat does not want clear, leaves no trace of its value."""
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
        **dict.fromkeys(("first_name", "last_name", "city", "region"), name),
        "emails": [f"{name}@{name}.example"],
        "phones": [f"+44{phone}"],
        "postal_code": f"{name} 1",
        "external_ids": [name],
    }
    kept_back = shape(order({"customer": {"first_name": name}, "touch": {"url": "https://shop.example"}}))
    found = shaped(order({"customer": customer}))
    assert isinstance(kept_back, Refusal)

    assert [] == [raw for raw in (name, phone) if raw in f"{found.payload!r}{found.dropped}{kept_back}".lower()]


@given(st.integers(100, 599), ANSWERS, st.integers(1, 5))
def test_any_answer_gives_a_verdict(status: int, body: bytes, count: int) -> None:
    """Whatever Snapchat answers, there is a verdict; only HTTP 2xx accepts, and whoever is blamed is of the batch."""
    verdict = read(Reply(status, {}, body), count)

    assert isinstance(verdict, (Accepted, Mixed, Blamed, Doubt, Later, Halt))
    assert not isinstance(verdict, (Accepted, Mixed)) or 200 <= status < 300
    assert not isinstance(verdict, (Mixed, Blamed)) or set() < set(verdict.refused) <= set(range(count))
    assert not isinstance(verdict, Doubt) or set(verdict.suspects) <= set(range(count))


@given(st.integers(100, 599), ANSWERS, st.integers(1, 5))
def test_any_answer_to_an_inquiry_names_some_or_none(status: int, body: bytes, count: int) -> None:
    """Whatever is answered to an inquiry, the suspects are of the batch, each once and in order."""
    found = list(suspects(Reply(status, {}, body), count))

    assert sorted(set(range(count)) & set(found)) == found


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
        case "country":
            return "Liechtenstein", ["liechtenstein", '"li"']
        case _:
            return MARK.upper(), [MARK]
