"""The fakes keep the contracts of the ports, as the real implementations do in their own tests."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import pytest
from contracts import HttpContract, SecretsContract
from fakes import FakeDeadLetters, FakeHttp, FakeKafka, FakeSecrets, FakeSource
from kafka_contracts import HEADERS, DeadLettersContract, SourceContract
from typing_extensions import override

from pipeline.core.model import NoReply, Reply, Request
from pipeline.core.ports import Http, Source


class FakeSourceKit:
    """A fake topic with two partitions."""

    def __init__(self) -> None:
        self._kafka = FakeKafka(partitions=2)
        self.topic = self._kafka.topic

    def produce(self, partition: int, values: Sequence[bytes | None]) -> None:
        """Append records."""
        for value in values:
            self._kafka.produce(value, partition=partition, key=b"k", headers=HEADERS)

    def source(self) -> Source:
        """Return another member of the only group."""
        return FakeSource(self._kafka)

    def committed(self, partition: int) -> int | None:
        """Return what the group has committed."""
        return self._kafka.committed.get((self.topic, partition))


class TestFakeSource(SourceContract):
    """`FakeSource` is a source."""

    @pytest.fixture
    def kit(self) -> FakeSourceKit:
        """Return a fake topic."""
        return FakeSourceKit()


class FakeDeadLettersKit:
    """A fake dead-letter topic."""

    def __init__(self) -> None:
        self.dead_letters = FakeDeadLetters(most_bytes=10_000)

    def in_topic(self, count: int) -> list[tuple[bytes | None, bytes | None]]:
        """Return key and value of the first letters."""
        return [(letter.record.key, letter.record.value) for letter in self.dead_letters.topic[:count]]


class TestFakeDeadLetters(DeadLettersContract):
    """`FakeDeadLetters` is a way to the dead letters."""

    @pytest.fixture
    def kit(self) -> FakeDeadLettersKit:
        """Return a fake topic."""
        return FakeDeadLettersKit()


class SlowPathHttp(FakeHttp):
    """A fake platform on which one path is slow."""

    def __init__(self) -> None:
        super().__init__(lambda request: Reply(201, {"x-token": request.headers["X-Token"]}, request.body))

    @override
    async def send(self, request: Request, *, within: float) -> Reply | NoReply:
        """Take a minute over `/slow`."""
        self.seconds = 60.0 if request.url.endswith("/slow") else 0.0
        return await super().send(request, within=within)


class FakeHttpKit:
    """A fake platform."""

    url = "https://toy.example"

    @asynccontextmanager
    async def sender(self) -> AsyncGenerator[Http]:
        """Return the fake."""
        yield SlowPathHttp()


class TestFakeHttp(HttpContract):
    """`FakeHttp` is a way to a platform."""

    @pytest.fixture
    def kit(self) -> FakeHttpKit:
        """Return a fake platform."""
        return FakeHttpKit()


class FakeSecretsKit:
    """Fake secrets."""

    def __init__(self) -> None:
        self.secrets = FakeSecrets({"first": "one", "second": "two"})

    def rotate(self, name: str, value: str | None) -> None:
        """Change or remove one."""
        self.secrets.rotate(name, value)


class TestFakeSecrets(SecretsContract):
    """`FakeSecrets` are secrets."""

    @pytest.fixture
    def kit(self) -> FakeSecretsKit:
        """Return fake secrets."""
        return FakeSecretsKit()
