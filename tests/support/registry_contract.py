"""What every registry must do for us: one class of tests, run against the fake and against a real one."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from pipeline.core.avro.schema import SchemaText, kind_of, parse
from pipeline.core.decode import Reader, compile_reader
from pipeline.edge.registry import RegistryRefusedError, SchemaRegistry
from pipeline.edge.schema_files import load_contract, schema_texts


@asynccontextmanager
async def client(url: str) -> AsyncIterator[SchemaRegistry]:
    """A client with a session of its own."""
    async with aiohttp.ClientSession() as session:
        yield SchemaRegistry(url, session, timeout_seconds=10)


def record(name: str, **fields: str) -> SchemaText:
    """Return a small record schema."""
    listed = [{"name": field, "type": kind} for field, kind in fields.items()]
    return SchemaText(json.dumps({"type": "record", "name": name, "fields": listed}))


def fresh_subject() -> str:
    """Return a subject that no test has used; its slash shows that it is quoted in paths."""
    return f"test.{uuid.uuid4().hex}-value"


class RegistryContract:
    """Needs a fixture `contract_url`."""

    @pytest.mark.asyncio
    async def test_returns_what_was_registered(self, contract_url: str) -> None:
        """A schema comes back by its id as the same schema, and compiles."""
        text = schema_texts()["order"]
        async with client(contract_url) as registry:
            number = await registry.register(fresh_subject(), text)
            found = await registry.schema(number)
        assert found is not None

        assert json.loads(text.text) == json.loads(found.text)
        assert isinstance(compile_reader(found, load_contract(), number), Reader)

    @pytest.mark.asyncio
    async def test_knows_no_such_id(self, contract_url: str) -> None:
        """An id that was never given is None, not an outage."""
        async with client(contract_url) as registry:
            assert None is await registry.schema(2_000_000_000)

    @pytest.mark.asyncio
    async def test_registers_once(self, contract_url: str) -> None:
        """Registering the same schema again gives the same id."""
        subject = fresh_subject()
        async with client(contract_url) as registry:
            first = await registry.register(subject, record("Once", a="string"))
            second = await registry.register(subject, record("Once", a="string"))

        assert first == second

    @pytest.mark.asyncio
    async def test_finds_registered(self, contract_url: str) -> None:
        """A schema is found under its subject, and under no other."""
        subject, text = fresh_subject(), record("Find", a="string")
        async with client(contract_url) as registry:
            before = await registry.find(subject, text)
            number = await registry.register(subject, text)

            assert (None, number) == (before, await registry.find(subject, text))
            assert None is await registry.find(subject, record("Find", a="string", b="int"))

    @pytest.mark.asyncio
    async def test_refuses_nonsense(self, contract_url: str) -> None:
        """What is no Avro schema is refused with the registry's words."""
        async with client(contract_url) as registry:
            with pytest.raises(RegistryRefusedError):
                await registry.register(fresh_subject(), SchemaText('{"type": "nonsense"}'))

    @pytest.mark.asyncio
    async def test_new_subject_takes_everything(self, contract_url: str) -> None:
        """Nothing is incompatible with a subject that does not exist."""
        async with client(contract_url) as registry:
            assert () == await registry.incompatibilities(fresh_subject(), record("New", a="string"))

    @pytest.mark.asyncio
    async def test_same_schema_is_compatible(self, contract_url: str) -> None:
        """A schema is compatible with itself."""
        subject, text = fresh_subject(), record("Same", a="string")
        async with client(contract_url) as registry:
            await registry.register(subject, text)

            assert () == await registry.incompatibilities(subject, text)

    @pytest.mark.asyncio
    async def test_resolves_references(self, contract_url: str) -> None:
        """A schema that refers to another comes back with it."""
        subject = fresh_subject()
        outer = {"type": "record", "name": "Outer", "fields": [{"name": "inner", "type": "Inner"}]}
        async with aiohttp.ClientSession() as session:
            registry = SchemaRegistry(contract_url, session)
            await registry.register(subject, record("Inner", a="string"))
            body = {
                "schema": json.dumps(outer),
                "references": [{"name": "Inner", "subject": subject, "version": 1}],
            }
            async with session.post(f"{contract_url}/subjects/{fresh_subject()}/versions", json=body) as reply:
                number = (await reply.json(content_type=None))["id"]
            found = await registry.schema(number)
        assert found is not None

        assert 1 == len(found.references)
        assert "Outer" == kind_of(parse(found)).removeprefix("record ")
