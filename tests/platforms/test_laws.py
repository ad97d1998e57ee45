"""What holds for every platform, every event and every answer."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import goldens
import orjson
import pytest
from avro_events import CONTRACT
from contract_events import SOURCES, events, personal
from hypothesis import given
from hypothesis import strategies as st
from laws import LAWS, Law, anywhere
from meta_events import activity, event_of, order_json

from pipeline.core.avro.schema import Array, Type
from pipeline.core.contract import EVENTS_OF, Kind
from pipeline.core.model import Accepted, Blamed, Doubt, Event, Later, Mixed, NoReply, Refusal, Reply, Shaped, Skipped
from pipeline.core.reason import Reason
from pipeline.edge.schema_files import KINDS
from pipeline.platforms import PLATFORMS

HASH = re.compile("[0-9a-f]{64}").fullmatch
PERSONAL = [(kind, path, node) for kind in KINDS for path, node in personal(CONTRACT.schemas[kind])]
MARK = "qzvxwkjy"
ANY_EVENT = st.one_of(*(events(kind) for kind in KINDS))

every_law = pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
every_case = pytest.mark.parametrize(("platform", "case"), goldens.CASES)


def test_every_platform_is_here() -> None:
    """No platform of the destinations file escapes the laws, and each has golden files."""
    assert LAWS.keys() == PLATFORMS.keys() == {platform for platform, _ in goldens.CASES}


@every_case
def test_golden(platform: str, case: str) -> None:
    """The exact bytes are those of the golden file."""
    found = LAWS[platform].platform.shape(event_of(goldens.event_json(platform, case)))
    assert isinstance(found, Shaped), found

    assert goldens.golden(platform, case) == found.payload


@every_case
def test_golden_is_taken(platform: str, case: str) -> None:
    """The sandbox, which shares no code with the sender, finds no flaw in a golden payload."""
    law = LAWS[platform]
    found = law.platform.shape(event_of(goldens.event_json(platform, case)))
    assert isinstance(found, Shaped), found

    assert law.flaw(found, found.not_before + 60.0) is None


@pytest.mark.parametrize("seed", ["1", "2"])
def test_same_bytes_in_another_process(seed: str) -> None:
    """Another process, with another order of hashing, sends the same bytes of the same events."""
    written = subprocess.run(
        [sys.executable, Path(goldens.__file__)],
        env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=True,
    )

    assert [goldens.golden(*case) for case in goldens.CASES] == written.stdout.splitlines()


@every_law
@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_every_payload_is_taken(law: Law, kind: Kind, data: st.DataObject) -> None:
    """Whatever the contract allows is skipped, refused, or a payload that the sandbox takes as long as it may go."""
    found = law.platform.shape(data.draw(events(kind)))
    if not isinstance(found, Shaped):
        assert isinstance(found, (Skipped, Refusal))
        return
    sent = orjson.loads(found.payload)
    name, seconds, keys = law.told(sent)

    assert (None, None) == (law.flaw(found, found.not_before), law.flaw(found, found.expires_at))
    assert [] == [one for one in law.hashes(sent) if not isinstance(one, str) or not HASH(one)]
    assert (name or found.event_name, seconds or int(found.not_before)) == (found.event_name, int(found.not_before))
    assert list(found.match_keys) == keys


@every_law
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_place_is_taken(law: Law, kind: Kind, source: str) -> None:
    """The samples, as if they had happened anywhere, are payloads that the sandbox takes; so the property says much."""
    found = law.platform.shape(event_of(anywhere(kind, source, {})))
    assert isinstance(found, Shaped), found

    assert law.flaw(found, found.not_before) is None


@every_law
@pytest.mark.parametrize("source", ["WEBSITE", "APP", "STORE", "MESSAGING"])
@pytest.mark.parametrize("name", [name for names in EVENTS_OF.values() for name in names])
def test_every_name_is_taken(law: Law, name: str, source: str) -> None:
    """The samples under any of our names are skipped or taken by the sandbox, wherever they happened."""
    kind = next(kind for kind, names in EVENTS_OF.items() if name in names)
    own = (
        {"name": name.upper(), "custom_name": "Quiz done"}
        if kind == "activity"
        else {"state": name.partition("_")[2].upper()}
    )
    found = law.platform.shape(event_of(anywhere(kind, source, own)))

    assert not isinstance(found, Refusal)
    assert not isinstance(found, Shaped) or law.flaw(found, found.not_before) is None


@every_law
@given(event=ANY_EVENT, chance=st.randoms())
def test_order_of_lists_changes_nothing(law: Law, event: Event, chance: Random) -> None:
    """The order in which a customer's addresses, numbers and ids are listed changes no byte."""
    before = law.platform.shape(event)
    customer: dict[str, list[str]] = event.body["customer"]  # type: ignore[assignment]  # named lists of it are texts
    for name in law.lists:
        chance.shuffle(customer[name])

    assert before == law.platform.shape(event)


@every_law
@given(event=ANY_EVENT)
def test_work_of_others_changes_nothing(law: Law, event: Event) -> None:
    """The same event gives the same answer again, also with what every platform's table left behind for it."""
    alone, again = law.platform.shape(event), law.platform.shape(event)
    event.seals = {}
    for other in LAWS.values():
        other.platform.shape(event)

    assert [alone, alone] == [again, law.platform.shape(event)]


def _hidden() -> list[tuple[str, Kind, str, Type]]:
    return [(name, *one) for name, law in LAWS.items() for one in PERSONAL if one[1] not in law.clear]


@pytest.mark.parametrize(("name", "kind", "path", "node"), _hidden(), ids=lambda value: str(value)[:40])
def test_raw_values_stay(name: str, kind: Kind, path: str, node: Type) -> None:
    """A field that the contract marks as personal, and the platform does not want clear, leaves no trace anywhere."""
    value, traces = _marked(path)
    given: object = [value] if isinstance(node, Array) else value
    leaks = []
    for source in ("WEBSITE", "APP", "STORE", "SYSTEM"):
        found = LAWS[name].platform.shape(event_of(anywhere(kind, source, {path: given})))
        assert isinstance(found, Shaped), found
        leaks += [(source, trace) for trace in traces if trace.encode() in found.payload.lower()]

    assert [] == leaks


@every_law
def test_clear_fields_are_personal(law: Law) -> None:
    """The list of clear fields names fields of the contract that are marked as personal, and no other."""
    assert set() == law.clear - {path for _, path, _ in PERSONAL}


@every_law
@given(name=st.text("ghijklmnopqrstuvwxyz", min_size=8, max_size=12), number=st.integers(0, 9999))
def test_raw_customer_stays(law: Law, name: str, number: int) -> None:
    """No part of a name, an address or a number shows in the payload, nor in what a refusal says."""
    phone = f"207946{number:04}"
    parts = {
        **dict.fromkeys(("first_name", "last_name", "city", "region", "postal_code"), name),
        "emails": [f"{name}@{name}.example"],
        "phones": [f"+44{phone}"],
        "external_ids": [name],
        "country": "GB",
    }
    customer = {part: value for part, value in parts.items() if f"customer.{part}" not in law.clear}
    found = law.platform.shape(event_of(order_json({"customer": customer | {"country": "GB"}})))
    kept_back = [
        law.platform.shape(event_of(order_json({"customer": parts, "customer.emails": [name], **changes})))
        for changes in law.kept_back
    ]
    assert isinstance(found, Shaped), found

    assert [] == [one for one in kept_back if not isinstance(one, Refusal)]
    assert [] == [raw for raw in (name, phone) if raw in f"{found.payload!r}{found.dropped}{kept_back}".lower()]


@every_law
@pytest.mark.parametrize("spelling", [str, str.upper, lambda name: re.sub("(?<=[a-z])(?=[A-Z])", "_", name).lower()])
def test_custom_activities_pose_as_nothing(law: Law, spelling: Callable[[str], str]) -> None:
    """No custom activity is counted as one of the platform's own events, however it spells its name."""
    own = law.platform.shape(activity({"name": "CUSTOM", "custom_name": "Quiz done"}))
    named = own.event_name if isinstance(own, Shaped) else ""
    found = [law.platform.shape(activity({"name": "CUSTOM", "custom_name": spelling(name)})) for name in law.standard]

    assert [] == [one for one in found if isinstance(one, Shaped) and one.event_name != named]


@every_law
@given(data=st.data(), status=st.sampled_from([200, 400, 422]) | st.integers(100, 599), count=st.integers(1, 5))
def test_any_answer_gives_a_verdict(law: Law, data: st.DataObject, status: int, count: int) -> None:
    """Whatever a platform answers, there is a verdict; acceptance needs a success, and blame an event of the batch."""
    verdict = law.platform.read(Reply(status, {}, data.draw(_answers(law))), count)

    assert isinstance(verdict, law.verdicts)
    assert not isinstance(verdict, Accepted) or status in law.accepting
    assert not isinstance(verdict, Mixed) or status in (law.mixing or law.accepting)
    assert not isinstance(verdict, (Mixed, Blamed)) or set() < verdict.refused.keys() <= set(range(count))
    assert not isinstance(verdict, Doubt) or not law.names_within_batch or set(verdict.suspects) <= set(range(count))


@every_law
@given(data=st.data(), status=st.integers(100, 599), count=st.integers(1, 5))
def test_any_answer_to_an_inquiry_names_some_or_none(law: Law, data: st.DataObject, status: int, count: int) -> None:
    """Whatever is answered to an inquiry, the suspects are of the batch, each once and in order."""
    found = list(law.platform.suspects(Reply(status, {}, data.draw(_answers(law))), count))

    assert sorted(set(range(count)) & set(found)) == found


@every_law
@given(cause=st.text(max_size=30))
def test_no_answer_blames_nobody(law: Law, cause: str) -> None:
    """Without an answer nobody is to blame, and nobody is suspected."""
    assert Later(Reason.OUTAGE, cause) == law.platform.read(NoReply(cause), 1)
    assert [] == list(law.platform.suspects(NoReply(cause), 1))


def _answers(law: Law) -> st.SearchStrategy[bytes]:
    """Return bodies: any bytes, and the platform's form of an answer with anything in its places."""
    values = st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=5) | st.sampled_from(law.words),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=5,
    )
    return st.binary(max_size=60) | law.answer(values).map(orjson.dumps)


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
