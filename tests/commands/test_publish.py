"""Publishing: what may be sent is checked as a whole, and encoded as the worker reads it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from avro_events import CONTRACT, READERS
from click.testing import CliRunner
from registry_contract import client
from registry_fake import RegistryFake

from pipeline.commands.publish import (
    Outgoing,
    PublishError,
    check,
    encode,
    fresh_sample,
    publish_command,
    read_events,
    require_topics,
    schema_ids,
)
from pipeline.core.contract import Kind
from pipeline.core.decode import bundled_reader, decode
from pipeline.core.model import Event, Record
from pipeline.core.wire import schema_ref
from pipeline.demo.embedded_kafka import EmbeddedKafka
from pipeline.edge.schema_files import KINDS

ORDER = {"order_id": "A-1", "occurred_at": "2025-11-21T08:00:00Z"}
OTHER_KIND = "CAPI_SOURCE_TOPICS maps capi.leads to lead, where no worker could read an event of kind order"
LEAD = {"lead_id": "L-1", "occurred_at": "2025-11-21T08:00:00Z", "state": "QUALIFIED"}
ACTIVITY = {"activity_id": "V-1", "occurred_at": "2025-11-21T08:00:00Z", "name": "SEARCH"}


def as_record(outgoing: Outgoing) -> Record:
    """Return what a consumer would get."""
    return Record(outgoing.topic, 0, 0, outgoing.key, outgoing.value, [], None)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([ORDER, LEAD]),
        json.dumps([ORDER, LEAD], indent=2),
        json.dumps(ORDER) + "\n\n" + json.dumps(LEAD) + "\n",
    ],
    ids=["list", "pretty", "lines"],
)
def test_reads_events(text: str) -> None:
    """Events come as a list or as one a line."""
    assert [ORDER, LEAD] == read_events(text.encode())


@pytest.mark.parametrize(
    ("text", "expected"),
    [(b"", "no event"), (b"[]", "no event"), (b'{"a": 1}\n{"a" 1}', "line 2, column"), (b"{\n", "line 1, column")],
)
def test_names_bad_line(text: bytes, expected: str) -> None:
    """What is not JSON is named by line and column."""
    with pytest.raises(PublishError, match=expected):
        read_events(text)


def test_tells_all_faults() -> None:
    """All faults of all events are told, and nothing is let through."""
    with pytest.raises(PublishError) as caught:
        check([ORDER | {"state": "x", "value": "y"}, LEAD, {}, LEAD | {"lead_id": ""}], CONTRACT)

    assert [
        "event 1: state",
        "event 1: value",
        "event 3: has none of order_id, lead_id, activity_id; add one, or say --kind",
    ] == [line.split(": is")[0] for line in caught.value.lines[:3]]
    assert ("event 4: lead_id: is empty; see docs/contract.md",) == caught.value.lines[3:]


@pytest.mark.parametrize("kind", KINDS)
def test_sample_happens_now(kind: Kind) -> None:
    """A sample is of its kind, and as young as the call, so that no platform's age limit refuses it."""
    (sample,) = check(fresh_sample(kind, 1_800_000_000.5), CONTRACT)

    assert (kind, 1_800_000_000_500) == (sample.kind, sample.event["occurred_at"])


@pytest.mark.parametrize(
    ("kind", "given", "key", "event_id"),
    [("order", ORDER, b"A-1", "order_placed:A-1"), ("activity", ACTIVITY, b"V-1", "search:V-1")],
)
def test_encodes_bare_without_registry(kind: Kind, given: dict[str, object], key: bytes, event_id: str) -> None:
    """Without a registry a value is bare Avro, keyed by its own id, which the worker reads."""
    (outgoing,) = encode(check([given], CONTRACT), {kind: "topic"}, {})
    event = decode(as_record(outgoing), READERS[kind])

    assert None is schema_ref(as_record(outgoing))
    assert isinstance(event, Event)
    assert (key, event_id) == (outgoing.key, event.id)


def test_encodes_with_id() -> None:
    """With a registry a value names its schema by the prefix."""
    (outgoing,) = encode(check([LEAD], CONTRACT), {"lead": "leads"}, {"lead": 41})
    event = decode(as_record(outgoing), bundled_reader(CONTRACT, "lead", schema_ref(as_record(outgoing))))

    assert isinstance(event, Event)
    assert ("41", "lead_qualified", "lead_qualified:L-1") == (event.schema_id, event.name, event.id)


@pytest_asyncio.fixture
async def fake() -> AsyncIterator[RegistryFake]:
    """A registry in memory."""
    async with RegistryFake() as running:
        yield running


@pytest.mark.asyncio
async def test_registers_only_when_told(fake: RegistryFake) -> None:
    """A schema that the registry does not have is registered with --register, and only then."""
    async with client(fake.url) as registry:
        with pytest.raises(PublishError, match="add --register"):
            await schema_ids(registry, {"order": "orders"}, register=False)
        registered = await schema_ids(registry, {"order": "orders", "lead": "leads"}, register=True)

        assert {"order": 1, "lead": 2} == registered
        assert {"order": 1} == await schema_ids(registry, {"order": "orders"}, register=False)


@pytest.mark.asyncio
async def test_says_why_registry_fails(fake: RegistryFake) -> None:
    """A registry that refuses or is down ends it with the cause."""
    fake.add("orders-value", json.dumps({"type": "record", "name": "Order", "fields": [{"name": "a", "type": "int"}]}))
    async with client(fake.url) as registry:
        with pytest.raises(PublishError, match=r"refuses order.avsc for subject orders-value"):
            await schema_ids(registry, {"order": "orders"}, register=True)
        fake.knobs.fail = 503
        with pytest.raises(PublishError, match="HTTP 503"):
            await schema_ids(registry, {"order": "orders"}, register=True)


@pytest.mark.parametrize(
    ("arguments", "code", "output"),
    [
        (["--sample", "order", "--dry-run"], 0, "1 event, no faults"),
        (["good.json", "--dry-run"], 0, "2 events, no faults"),
        (["bad.json", "--dry-run"], 1, "event 1: occurred_at: is missing"),
        ([], 2, "Give a FILE"),
        (["good.json", "--sample", "lead"], 2, "not both"),
        (["--sample", "activity", "--dry-run"], 0, "1 event, no faults"),
    ],
)
def test_command_ends_as_documented(arguments: list[str], code: int, output: str, tmp_path: Path) -> None:
    """The command says what is wrong, and its exit code is that of the table."""
    (tmp_path / "good.json").write_text(json.dumps([ORDER, LEAD]))
    (tmp_path / "bad.json").write_text(json.dumps({"order_id": "A-1"}))
    known = [str(tmp_path / one) if one.endswith(".json") else one for one in arguments]
    result = CliRunner().invoke(publish_command, known)

    assert (code, True) == (result.exit_code, output in result.output)


@pytest.mark.parametrize(
    ("arguments", "code", "output"),
    [
        (["--sample", "order", "--register"], 2, "Error: --register needs CAPI_REGISTRY_URL\n"),
        (
            ["--sample", "order", "--topic", "capi.leads"],
            1,
            f"{OTHER_KIND}; name another with --topic, or leave it out\n",
        ),
        (
            ["--sample", "activity"],
            1,
            "the settings map no topic to activity; say --topic, or add one to CAPI_SOURCE_TOPICS\n",
        ),
    ],
    ids=["register", "other kind", "no topic"],
)
def test_refuses_before_asking_brokers(arguments: list[str], code: int, output: str) -> None:
    """What the settings rule out is refused in one sentence, before anything is sent."""
    result = CliRunner(env={"CAPI_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}).invoke(publish_command, arguments)

    assert (code, output) == (result.exit_code, result.output[-len(output) :])


@pytest.fixture(scope="module")
def kafka() -> Iterator[EmbeddedKafka]:
    """A small Kafka in memory that has orders and no leads."""
    with EmbeddedKafka({"capi.orders": 1}) as running:
        yield running


def test_missing_topic_is_told(kafka: EmbeddedKafka) -> None:
    """A topic that is not there is named at once, with the brokers asked and what to do; one that is there is not."""
    servers = kafka.bootstrap_servers
    with pytest.raises(PublishError) as caught:
        require_topics(["capi.orders", "capi.leads"], servers, {"bootstrap.servers": servers})

    fix = "create it (capi-pipeline topics apply --all) or name another with --topic"
    assert (f"topic capi.leads does not exist on {servers}; {fix}",) == caught.value.lines


def test_command_reads_standard_input() -> None:
    """A dash is standard input."""
    result = CliRunner().invoke(publish_command, ["-", "--dry-run"], input=json.dumps(ORDER) + "\n" + json.dumps(LEAD))

    assert (0, "2 events, no faults\n") == (result.exit_code, result.output)
