"""Events in Confluent's wire format: the worker learns schemas from a real registry, and waits when that is away."""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from avro_events import avsc, field
from registry_server import RegistryServer
from worker_scene import Scene

from pipeline.core.avro.encode import Encoder
from pipeline.core.avro.schema import SchemaText
from pipeline.core.reason import Reason
from pipeline.core.wire import VALUE_HEADER, prefixed
from pipeline.demo.trade import Expected, Sample

Schema = dict[str, Any]


@pytest.fixture
def registered(scene: Scene, registry_url: str) -> Scene:
    """A scene whose workers ask the registry."""
    scene.settings["CAPI_REGISTRY_URL"] = registry_url
    return scene


@contextmanager
def frozen(registry: RegistryServer) -> Iterator[None]:
    """Let the registry take connections and answer none."""
    os.kill(registry.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(registry.pid, signal.SIGCONT)


def register(scene: Scene, schema: Schema) -> int:
    """Register a schema under the topic's subject, as a producer does, and return its id."""
    request = urllib.request.Request(
        f"{scene.settings['CAPI_REGISTRY_URL']}/subjects/{scene.topics['order']}-value/versions",
        json.dumps({"schema": json.dumps(schema)}).encode(),
        {"Content-Type": "application/vnd.schemaregistry.v1+json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return int(json.loads(answer.read())["id"])


def changed(note: str) -> Schema:
    """Return our schema as another one in a registry's eyes."""
    return {**avsc("order"), "doc": note}


def older() -> Schema:
    """Return a writer's schema from before `coupons` and `customer.external_ids`, both of which have defaults."""
    schema = changed("an older one")
    schema["fields"] = [entry for entry in schema["fields"] if entry["name"] != "coupons"]
    customer = field(schema, "customer")["type"]
    customer["fields"] = [entry for entry in customer["fields"] if entry["name"] != "external_ids"]
    return schema


def written(scene: Scene, schema: Schema, schema_id: int, count: int) -> list[Sample]:
    """Make good orders as a writer with `schema` would publish them."""
    encoder = Encoder(SchemaText(json.dumps(schema)))
    drafts = [scene.shop.order() for _ in range(count)]
    return [
        Sample(
            kind="order",
            key=draft.id.encode(),
            value=prefixed(schema_id, encoder.encode(draft.event)),
            headers=(),
            story="a good order",
            expected=Expected("accepted", None, draft.event_id),
        )
        for draft in drafts
    ]


def in_header(sample: Sample) -> Sample:
    """Name the schema in the newer header instead of the prefix."""
    value = sample.value or b""
    return replace(sample, value=value[5:], headers=((VALUE_HEADER, value[:5]),))


def test_schemas_are_learned(registered: Scene) -> None:
    """Current and older schemas resolve, by prefix and by header; an id that nobody knows is a dead letter."""
    ours, old = changed("ours"), older()
    our_id, old_id = register(registered, ours), register(registered, old)
    good = written(registered, ours, our_id, 50) + written(registered, old, old_id, 50)
    doomed = replace(good[0], expected=Expected("dead-lettered", Reason.SCHEMA_UNKNOWN))
    stranger = replace(doomed, value=prefixed(2_000_000_000, (good[0].value or b"")[5:]))
    registered.publish_all([*good, stranger, *map(in_header, written(registered, old, old_id, 20))])
    worker = registered.start().wait_ready()
    registered.wait_settled(worker)

    assert our_id != old_id
    assert ([], 0) == (registered.faults(), registered.duplicates())


def test_a_registry_that_is_away_at_the_start_is_waited_for(registered: Scene, registry_server: RegistryServer) -> None:
    """Without an answer nothing is read, buried or committed; when it answers, everything is delivered."""
    schema = changed("at the start")
    schema_id = register(registered, schema)
    with frozen(registry_server):
        worker = registered.start().wait_ready()
        registered.publish_all(written(registered, schema, schema_id, 100))
        worker.wait_for(Reason.REGISTRY_DOWN)
        time.sleep(0.5)

        assert ([], []) == (registered.sandbox.kept(), registered.till.dead_letters())
        assert {0} == set(registered.till.committed().values())
    registered.wait_settled(worker)
    assert ([], 0) == (registered.faults(), registered.duplicates())
    assert worker.wait_ready().running


def test_a_registry_that_goes_away_holds_only_what_needs_it(registered: Scene, registry_server: RegistryServer) -> None:
    """Known schemas go on while the registry is away; a new one holds the intake until it is back."""
    known, new = changed("known"), changed("new")
    known_id, new_id = register(registered, known), register(registered, new)
    worker = registered.start().wait_ready()
    registered.publish_all(written(registered, known, known_id, 100))
    registered.wait_settled(worker)
    with frozen(registry_server):
        registered.publish_all(written(registered, known, known_id, 100))
        registered.wait_settled(worker)
        registered.publish_all(written(registered, new, new_id, 100))
        worker.wait_for(Reason.REGISTRY_DOWN)

        assert ([], []) == (registered.overcommitted(), registered.till.dead_letters())
        assert 200 == len(registered.sandbox.kept())
    registered.wait_settled(worker)
    assert ([], 0) == (registered.faults(), registered.duplicates())
