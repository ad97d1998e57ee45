"""Readers by schema reference: what is fetched, refused, or waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from fakes import FakeTeller
from typing_extensions import override

from pipeline.core.avro.schema import SchemaText
from pipeline.core.decode import Reader
from pipeline.core.model import Refusal
from pipeline.core.ports import RegistryDown
from pipeline.core.reason import Reason
from pipeline.core.signals import Signal
from pipeline.edge.readers import MOST_ID, Readers
from pipeline.edge.schema_files import load_contract, schema_texts


class FakeRegistry:
    """Answers by a function, and counts how often it was asked."""

    def __init__(self, answer: Callable[[int | str], SchemaText | None]) -> None:
        self._answer = answer
        self.asked = 0

    async def schema(self, key: int | str) -> SchemaText | None:
        """Answer."""
        self.asked += 1
        return self._answer(key)


def readers(registry: FakeRegistry | None) -> Readers:
    """Return readers of orders on the running loop; chance is 0, so waits are short."""
    loop = asyncio.get_running_loop()
    return Readers(load_contract(), {"orders": "order"}, registry, loop, FakeTeller(), lambda: 0.0)


async def settled(found: Readers, ref: int, rounds: int = 50) -> Reader | Refusal | None:
    """Fetch, and return what became known within some turns of the loop."""
    found.fetch("orders", ref)
    for _ in range(rounds):
        await asyncio.sleep(0.002)
        if (reader := found.reader("orders", ref)) is not None:
            return reader
    return None


@pytest.mark.asyncio
async def test_a_registered_schema_is_read() -> None:
    """A schema of the registry becomes a reader, and is asked for once."""
    registry = FakeRegistry(lambda _: schema_texts()["order"])
    found = readers(registry)
    found.fetch("orders", 7)

    assert isinstance(await settled(found, 7), Reader)
    assert 1 == registry.asked


@pytest.mark.asyncio
async def test_an_unknown_schema_is_refused() -> None:
    """What the registry does not know is refused by name."""
    refusal = await settled(readers(FakeRegistry(lambda _: None)), 7)

    assert isinstance(refusal, Refusal)
    assert Reason.SCHEMA_UNKNOWN is refusal.reason


@pytest.mark.asyncio
async def test_garbage_is_no_id() -> None:
    """A number that no registry gives out is refused without asking anybody."""
    registry = FakeRegistry(lambda _: None)
    refusal = readers(registry).reader("orders", MOST_ID + 1)

    assert isinstance(refusal, Refusal)
    assert (Reason.SCHEMA_UNKNOWN, 0) == (refusal.reason, registry.asked)


@pytest.mark.asyncio
@pytest.mark.parametrize("error", [RegistryDown("HTTP 503"), ValueError("a newline in the token")])
async def test_whatever_breaks_is_waited_for(error: Exception) -> None:
    """Nothing that goes wrong while fetching is silent: it shows as down, and the registry is asked again."""
    answers = iter([error])

    def answer(_: int | str) -> SchemaText | None:
        for failure in answers:
            raise failure
        return schema_texts()["order"]

    found = readers(FakeRegistry(answer))
    found.fetch("orders", 7)
    await asyncio.sleep(0.01)
    down = found.down

    assert ("HTTP 503" if isinstance(error, RegistryDown) else "ValueError") == down
    assert isinstance(await settled(found, 7), Reader)
    assert found.down is None


@pytest.mark.asyncio
async def test_without_registry_any_id_is_ours() -> None:
    """Without a registry a prefix names nothing: the record is read with our own schema, by one reader."""
    found = readers(None)
    first, second = found.reader("orders", 1), found.reader("orders", 2)

    assert isinstance(first, Reader)
    assert first is second


class Stumbling(FakeTeller):
    """Fails at the first signal that it is told."""

    @override
    def tell(self, signal: Signal) -> None:
        """Fail once."""
        if not self.told:
            super().tell(signal)
            raise ZeroDivisionError
        super().tell(signal)


@pytest.mark.asyncio
async def test_what_breaks_in_between_is_tried_again() -> None:
    """An error on the way from the registry to the reader leaves no record waiting for ever: it is tried again."""
    registry = FakeRegistry(lambda _: schema_texts()["order"])
    loop = asyncio.get_running_loop()
    found = Readers(load_contract(), {"orders": "order"}, registry, loop, Stumbling(), lambda: 0.0)

    assert isinstance(await settled(found, 7, rounds=400), Reader)
    assert 2 == registry.asked
