"""What holds for every event and every answer."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from random import Random

import orjson
import pinterest_golden
import pytest
from avro_events import CONTRACT
from contract_events import document, events, personal
from hypothesis import given
from hypothesis import strategies as st
from meta_events import event_of as read_back
from pinterest_events import IOS, event, order, shape, shaped

from pipeline.core.avro.schema import Array, Type
from pipeline.core.contract import EVENTS_OF, Kind
from pipeline.core.model import Accepted, Doubt, Event, Halt, Later, Mixed, NoReply, Refusal, Reply, Shaped, Skipped
from pipeline.core.reason import Reason
from pipeline.edge.schema_files import KINDS
from pipeline.platforms.pinterest_keys import PINTEREST_KEYS
from pipeline.platforms.pinterest_replies import read
from pipeline.sandbox.pinterest_event import check_event
from pipeline.sandbox.pinterest_schema import check_events

HASH = re.compile("[0-9a-f]{64}").fullmatch
# What Pinterest wants as it is.
CLEAR = {*(f"touch.{name}" for name in "url client_ip client_ipv6 user_agent language epik".split()), "query"}
HASHED = {key.name for key in PINTEREST_KEYS if key.form.value.startswith("hashed")}
PERSONAL = [(kind, path, node) for kind in KINDS for path, node in personal(CONTRACT.schemas[kind])]
MARK = "qzvxwkjy"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=5) | st.sampled_from(["failed"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
ROWS = st.fixed_dictionaries(
    {"status": st.sampled_from(["processed", "failed"]) | JSON},
    optional={"error_message": st.sampled_from(["Invalid em parameter."]) | JSON, "warning_message": JSON},
)
REPORTS = st.fixed_dictionaries(
    {},
    optional={
        "num_events_received": st.integers(0, 5) | JSON,
        "num_events_processed": st.integers(0, 5) | JSON,
        "events": st.lists(ROWS, max_size=5) | JSON,
    },
)
ANSWERS = st.binary(max_size=60) | st.builds(
    dict.__or__,
    REPORTS,
    st.fixed_dictionaries(
        {},
        optional={
            "code": st.sampled_from([2, 8, 29, 953, 4196, 4197]) | JSON,
            "message": JSON,
            "details": REPORTS | JSON,
        },
    ),
).map(orjson.dumps)


@pytest.mark.parametrize("seed", ["1", "2"])
def test_same_bytes_in_another_process(seed: str) -> None:
    """Another process, with another order of hashing, sends the same bytes of the same events."""
    written = subprocess.run(
        [sys.executable, Path(pinterest_golden.__file__)],
        env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=True,
    )

    assert [pinterest_golden.golden(case) for case in pinterest_golden.CASES] == written.stdout.splitlines()


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_every_payload_is_taken(kind: Kind, data: st.DataObject) -> None:
    """Whatever the contract allows is skipped, refused, or a payload that the sandbox takes as long as it may go."""
    found = shape(data.draw(events(kind)))
    if not isinstance(found, Shaped):
        assert isinstance(found, (Skipped, Refusal))
        return
    sent = orjson.loads(found.payload)
    user_data = sent["user_data"]
    hashed = [one for name in HASHED & user_data.keys() for one in user_data[name]]

    assert check_events([sent]) is None
    assert (None, None) == (check_event(sent, found.not_before), check_event(sent, found.expires_at))
    assert (found.event_name, int(found.not_before)) == (sent["event_name"], sent["event_time"])
    assert (tuple(user_data), []) == (found.match_keys, [one for one in hashed if not HASH(one)])


@pytest.mark.parametrize("name", [name for names in EVENTS_OF.values() for name in names])
@pytest.mark.parametrize("source", ["WEBSITE", "APP", "STORE", "MESSAGING"])
def test_every_name_is_taken(name: str, source: str) -> None:
    """The samples, under any name and anywhere, are payloads that the sandbox takes, so the property says much."""
    found = shape(event(name, {"action_source": source, "app": IOS}))
    if isinstance(found, Skipped):
        return
    assert isinstance(found, Shaped), found

    assert check_event(orjson.loads(found.payload), found.not_before) is None


@given(given=events("order"), order_of_lists=st.randoms())
def test_order_of_lists_changes_nothing(given: Event, order_of_lists: Random) -> None:
    """The order in which a customer's addresses, numbers and ids are listed changes no byte."""
    before = shape(given)
    customer = given.body["customer"]
    for values in (customer["emails"], customer["phones"], customer["external_ids"]):
        order_of_lists.shuffle(values)

    assert before == shape(given)


@given(given=events("lead"))
def test_same_event_same_bytes(given: Event) -> None:
    """The same event gives the same answer a second time, also with what other tables made of it."""
    before = shape(given)
    given.seals = {}

    assert [before, before] == [shape(given), shape(given)]


@pytest.mark.parametrize("source", ["WEBSITE", "APP", "STORE"])
@pytest.mark.parametrize(
    ("kind", "path", "node"), [one for one in PERSONAL if one[1] not in CLEAR], ids=lambda value: str(value)[:40]
)
def test_raw_values_stay(kind: Kind, path: str, node: Type, source: str) -> None:
    """A field that the contract marks as personal, and Pinterest does not want clear, leaves no trace of its value."""
    value, traces = _marked(path)
    sections = {"action_source": source, "app": IOS, "messaging": {"channel": "WHATSAPP"}}
    found = shaped(read_back(document(kind, {**sections, path: [value] if isinstance(node, Array) else value})))

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
        "phones": [f"+44{phone}"],
        "postal_code": f"{name} 1",
        "external_ids": [name],
        "country": "GB",
    }
    limits = {"consent.limited_data_use": True, "customer.region": None}
    kept_back = [shape(order({"customer": customer, "touch": {}})), shape(order({"customer": customer, **limits}))]
    found = shaped(order({"customer": customer | {"emails": [f"{name}@{name}.example"]}}))
    reasons = [one.reason for one in kept_back if isinstance(one, Refusal)]

    assert [Reason.NO_MATCH_KEY, Reason.INVALID_EVENT] == reasons
    assert [] == [raw for raw in (name, phone) if raw in f"{found.payload!r}{found.dropped}{kept_back}".lower()]


@given(st.sampled_from([200, 400, 422]) | st.integers(100, 599), ANSWERS, st.integers(1, 5))
def test_any_answer_gives_a_verdict(status: int, body: bytes, count: int) -> None:
    """Whatever Pinterest answers, there is a verdict; only a 200 accepts all, and whom it blames was sent."""
    verdict = read(Reply(status, {}, body), count)

    assert isinstance(verdict, (Accepted, Mixed, Doubt, Later, Halt))
    assert not isinstance(verdict, Accepted) or status == 200
    assert not isinstance(verdict, Mixed) or status in (200, 422)
    assert not isinstance(verdict, Mixed) or set() < verdict.refused.keys() <= set(range(count))


@given(st.text(max_size=30))
def test_no_answer_blames_nobody(cause: str) -> None:
    """Without an answer nobody is to blame."""
    assert Later(Reason.OUTAGE, cause) == read(NoReply(cause), 1)


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
        case "advertising_id":
            return "CDDA802E-FB9C-47AD-9866-0794D394C912", ["cdda802e"]
        case _:
            return MARK.upper(), [MARK]
