"""`explain` of a record in a real Kafka: what the worker would make of it, and what a dead letter says of itself."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result
from confluent_kafka import Producer
from contract_events import document
from everywhere import YAML
from meta_events import encoded
from registry_thread import RegistryThread

from pipeline.cli import main
from pipeline.core.ledger import Page
from pipeline.core.letter import Undertaker, letter_headers
from pipeline.core.model import DeadLetter, Record, Refusal
from pipeline.core.reason import Reason
from pipeline.core.wire import prefixed
from pipeline.edge.admin import Admin
from pipeline.edge.schema_files import schema_texts
from pipeline.exits import Exit

if TYPE_CHECKING:
    from kafka_fixtures import MakeTopic

BARE = encoded(document("order"))


class Scene:
    """A source topic, a dead-letter topic, and the command that knows both."""

    def __init__(self, servers: str, source: str, letters: str, folder: Path) -> None:
        self.source = source
        self.letters = letters
        self._servers = servers
        (folder / "destinations.yaml").write_text(YAML)
        self._environ = {
            "CAPI_KAFKA_BOOTSTRAP_SERVERS": servers,
            "CAPI_SOURCE_TOPICS": f"{source}=order",
            "CAPI_DEAD_LETTERS_TOPIC": letters,
            "CAPI_DESTINATIONS_FILE": str(folder / "destinations.yaml"),
        }

    def write(self, topic: str, *values: bytes | None, headers: list[tuple[str, bytes | None]] | None = None) -> None:
        """Write records to partition 0."""
        producer = Producer({"bootstrap.servers": self._servers, "linger.ms": 0})
        for value in values:
            producer.produce(topic, value, key=b"A-1001", partition=0, headers=headers or [])

        assert 0 == producer.flush(20)

    def explain(self, place: str, *args: str, **env: str) -> Result:
        """Explain the record at a place, at the time of its event."""
        return CliRunner().invoke(main, ["explain", place, "--now", "event", *args], env=self._environ | env)

    def json(self, place: str, *args: str, **env: str) -> dict[str, Any]:
        """Return what is told of the record at a place."""
        result = self.explain(place, "--json", *args, **env)
        assert Exit.OK == result.exit_code, result.output
        event: dict[str, Any] = json.loads(result.stdout)["events"][0]
        return event


@pytest.fixture
def scene(bootstrap_servers: str, make_topic: MakeTopic, tmp_path: Path) -> Scene:
    """Topics of the test's own."""
    return Scene(bootstrap_servers, make_topic(), make_topic(), tmp_path)


def test_bare_avro(scene: Scene) -> None:
    """The record at the offset is read, and no other, and explained for every destination."""
    scene.write(scene.source, b"\x01", BARE, b"\x01")
    told = scene.json(f"{scene.source}:0:1")

    assert (f"{scene.source}[0] offset 1", "order_placed:A-1001") == (told["place"], told["event_id"])
    assert ("bundled", {"send"}) == (told["schema_id"], {one["outcome"] for one in told["destinations"]})


def test_broken_bytes(scene: Scene) -> None:
    """What cannot be decoded is explained by why; a record without a value holds no event."""
    scene.write(scene.source, BARE[:9], None)

    assert "undecodable" == scene.json(f"{scene.source}:0:0")["reason"]
    assert "tombstone" == scene.json(f"{scene.source}:0:1")["reason"]


def test_registry_is_asked(scene: Scene) -> None:
    """A record that names a schema is read with it, from the registry that the settings name."""
    with RegistryThread() as registry:
        number = registry.add(f"{scene.source}-value", schema_texts()["order"].text)
        scene.write(scene.source, prefixed(number, BARE), prefixed(number + 1, BARE))
        known = scene.json(f"{scene.source}:0:0", CAPI_REGISTRY_URL=registry.url)
        unknown = scene.json(f"{scene.source}:0:1", CAPI_REGISTRY_URL=registry.url)
        registry.away()
        down = scene.explain(f"{scene.source}:0:0", CAPI_REGISTRY_URL=registry.url)

    assert (str(number), "schema_unknown") == (known["schema_id"], unknown["reason"])
    assert (Exit.FAILURE, True) == (down.exit_code, "HTTP 503" in down.stderr)


def letter_of(record: Record) -> list[tuple[str, bytes | None]]:
    """Return the headers of a record that Meta refused."""
    refusal = Refusal(Reason.REJECTED, "Meta refused it", code="100", subcode="2804003", http_status=400)
    letter = DeadLetter(record, Page(record.topic, 0, 1), "to-meta", "meta", refusal, "order_placed:A-1001")
    return letter_headers(letter, undertaker=Undertaker("g", "1"), now=1e9)


def test_dead_letter(scene: Scene) -> None:
    """A letter tells why it is one, and only its own destination is explained, unless another is named."""
    scene.write(scene.letters, BARE, headers=letter_of(Record(scene.source, 0, 7, b"A-1001", BARE, [], None)))
    told = scene.json(f"{scene.letters}:0:0")
    page = scene.explain(f"{scene.letters}:0:0").stdout
    other = scene.json(f"{scene.letters}:0:0", "--destination", "to-google")

    assert ("rejected", "to-meta", "2804003", scene.source) == (
        told["letter"]["reason"],
        told["letter"]["destination"],
        told["letter"]["subcode"],
        told["letter"]["topic"],
    )
    assert (["to-meta"], ["to-google"]) == (
        [one["destination"] for one in told["destinations"]],
        [one["destination"] for one in other["destinations"]],
    )
    assert page.index("dead letter") < page.index("message             Meta refused it") < page.index("  decoded")


def test_replayed_record_is_no_letter(scene: Scene) -> None:
    """In a source topic a record is a record, whatever it still carries of an earlier burial."""
    scene.write(scene.source, BARE, headers=letter_of(Record(scene.source, 0, 7, b"A-1001", BARE, [], None)))
    told = scene.json(f"{scene.source}:0:0")

    assert ({}, True) == (told["letter"], len(told["destinations"]) > 1)


def test_nothing_is_joined_or_committed(scene: Scene, bootstrap_servers: str) -> None:
    """Explaining leaves no trace of the worker's group."""
    group = f"test-{uuid.uuid4().hex}"
    scene.write(scene.source, BARE)
    scene.json(f"{scene.source}:0:0", CAPI_GROUP=group)

    assert "dead" == Admin({"bootstrap.servers": bootstrap_servers}).group_state(group)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("{source}:0:1", "has no offset 1: it has 0 to 0"),
        ("{letters}:0:0", "has no offset 0: it is empty"),
        ("{source}:9:0", "has 1 partitions, counted from 0"),
        ("{source}-x:0:0", "does not exist on"),
    ],
)
def test_says_what_is_not_there(place: str, said: str, scene: Scene) -> None:
    """A place that holds no record ends with what is there instead."""
    scene.write(scene.source, BARE)
    result = scene.explain(place.format(source=scene.source, letters=scene.letters))

    assert (Exit.FAILURE, True) == (result.exit_code, said in result.stderr)


def test_hole_is_told(scene: Scene, bootstrap_servers: str) -> None:
    """An offset that holds what a transaction took back, or its mark, is no record."""
    producer = Producer({"bootstrap.servers": bootstrap_servers, "transactional.id": uuid.uuid4().hex})
    producer.init_transactions(20)
    for end in (producer.abort_transaction, producer.commit_transaction, producer.abort_transaction):
        # Each of them waits until the mark of the one before is written.
        producer.begin_transaction()
        producer.produce(scene.source, BARE, partition=0)
        producer.flush(20)
        end(20)
    said = {offset: scene.explain(f"{scene.source}:0:{offset}").stderr for offset in (0, 1, 3)}

    assert [0, 1, 3] == [offset for offset, text in said.items() if f"holds no record at offset {offset}" in text]
