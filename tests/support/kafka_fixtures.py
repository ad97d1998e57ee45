"""What tests against the real broker share, as a plugin of pytest: its address, fresh topics, a registry.

Every test that uses one of the servers is marked `kafka`. They are fetched before the first test starts, so that no
test's time limit pays for it. CAPI_TEST_BOOTSTRAP_SERVERS names a broker to use in place of our own.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # documented, not in its __all__
from java_artifacts import FetchError, ToolMissingError
from kafka_broker import KafkaBroker, prepared_kafka
from registry_server import RegistryServer, fetch_registry

KAFKA_FOLDER = Path(__file__).parents[1] / "kafka"
BROKERS = frozenset({"broker", "bootstrap_servers", "secured_broker", "cluster"})
REGISTRIES = frozenset({"registry_url", "registry_server"})
METADATA_SECONDS = 10.0


class MakeTopic(Protocol):
    """Creates a topic of a unique name and returns the name once clients can see it."""

    def __call__(self, partitions: int = 1, config: Mapping[str, str] | None = None) -> str:
        """Return the name of a new topic with so many partitions and these configuration overrides."""
        ...


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark every test that uses one of the servers `kafka`, and all that lie beside the tests of the kit."""
    if KAFKA_FOLDER in item.path.parents or (BROKERS | REGISTRIES) & _fixtures(item):
        item.add_marker("kafka")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Fetch the servers that the chosen tests need, if they are to run; say in one line what is missing."""
    if session.config.option.collectonly:
        return
    wanted = {name for item in session.items for name in _fixtures(item)}
    ours = {"secured_broker"} if _given_bootstrap_servers() else BROKERS
    try:
        if wanted & ours:
            prepared_kafka()
        if wanted & REGISTRIES:
            fetch_registry()
    except (ToolMissingError, FetchError) as error:
        raise pytest.UsageError(str(error)) from error


@pytest.fixture(scope="session")
def own_broker() -> Iterator[KafkaBroker]:
    """The session's own broker, running."""
    with KafkaBroker() as running:
        _wait_until_groups_work(running.bootstrap_servers)
        yield running


@pytest.fixture
def broker(request: pytest.FixtureRequest) -> Iterator[KafkaBroker]:
    """The session's own broker, for tests that stop or restart it; it runs again for the next test."""
    if _given_bootstrap_servers():
        pytest.skip("stops its broker, and the one of CAPI_TEST_BOOTSTRAP_SERVERS is not ours to stop")
    own: KafkaBroker = request.getfixturevalue("own_broker")
    yield own
    if not own.running:
        own.start()


@pytest.fixture(scope="session")
def bootstrap_servers(request: pytest.FixtureRequest) -> str:
    """The address of the broker under test: CAPI_TEST_BOOTSTRAP_SERVERS, else the session's own broker."""
    given = _given_bootstrap_servers()
    if given:
        return given
    own: KafkaBroker = request.getfixturevalue("own_broker")
    return own.bootstrap_servers


@pytest.fixture(scope="session")
def admin(bootstrap_servers: str) -> AdminClient:
    """An administrative client for the broker under test."""
    # After a restart of the broker the default would wait up to ten seconds before it connects again.
    return AdminClient({"bootstrap.servers": bootstrap_servers, "reconnect.backoff.max.ms": 200})


@pytest.fixture(scope="session")
def make_topic(admin: AdminClient) -> Iterator[MakeTopic]:
    """A maker of topics that no other test uses; on a broker that is not ours they are deleted at the end."""
    made: list[str] = []

    def make(partitions: int = 1, config: Mapping[str, str] | None = None) -> str:
        name = f"test-{uuid.uuid4().hex[:12]}"
        admin.create_topics([NewTopic(name, partitions, config=dict(config or {}))])[name].result()
        made.append(name)
        _wait_until_visible(admin, name, partitions)
        return name

    yield make
    if made and _given_bootstrap_servers():
        for deleted in admin.delete_topics(made).values():
            deleted.result()


@pytest.fixture(scope="session")
def registry_server() -> Iterator[RegistryServer]:
    """The session's own schema registry; a test that ends it starts it again."""
    with RegistryServer() as registry:
        yield registry


@pytest.fixture(scope="session")
def registry_url(registry_server: RegistryServer) -> str:
    """The base address of the session's own schema registry (Confluent's API, version 7)."""
    return registry_server.url


def _fixtures(item: pytest.Item) -> frozenset[str]:
    return frozenset(getattr(item, "fixturenames", ()))


def _given_bootstrap_servers() -> str | None:
    return os.environ.get("CAPI_TEST_BOOTSTRAP_SERVERS") or None


def _wait_until_groups_work(bootstrap_servers: str) -> None:
    """Have the broker create its offsets topic; the first consumer would take three seconds over it."""
    admin = AdminClient({"bootstrap.servers": bootstrap_servers})
    deadline = time.monotonic() + METADATA_SECONDS
    while True:
        try:
            admin.describe_consumer_groups(["warm-up"])["warm-up"].result()
        except KafkaException as error:
            if error.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND:
                return
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _wait_until_visible(admin: AdminClient, name: str, partitions: int) -> None:
    deadline = time.monotonic() + METADATA_SECONDS
    while True:
        topic = admin.list_topics(name, timeout=METADATA_SECONDS).topics[name]
        if sum(partition.leader >= 0 for partition in topic.partitions.values()) == partitions:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"topic {name} was created, but clients did not see it in {METADATA_SECONDS:.0f} s")
        time.sleep(0.01)
