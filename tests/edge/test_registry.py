"""The registry client against the fake: the shared contract, and what only the fake can show."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest
import pytest_asyncio
from registry_contract import RegistryContract, client, record
from registry_fake import Knobs, RegistryFake

from pipeline.core.avro.schema import SchemaError, parse
from pipeline.core.ports import RegistryDown
from pipeline.edge.registry import RegistryRefusedError, Retry, SchemaRegistry, basic, bearer


@pytest_asyncio.fixture
async def fake() -> AsyncIterator[RegistryFake]:
    """A registry in memory."""
    async with RegistryFake() as running:
        yield running


class TestFakeRegistry(RegistryContract):
    """The fake passes the exam of the real one."""

    @pytest_asyncio.fixture
    async def contract_url(self, fake: RegistryFake) -> str:
        """The address under test."""
        return fake.url


def _never(attempt: int) -> float | None:
    del attempt
    return None


async def ask(
    fake: RegistryFake,
    key: int | str,
    *,
    retry: Retry = _never,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    timeout_seconds: float = 5.0,
) -> object:
    """Return the schema `key`, asked for by a client of its own."""
    async with aiohttp.ClientSession() as session:
        registry = SchemaRegistry(fake.url, session, timeout_seconds=timeout_seconds, retry=retry, sleep=sleep)
        return await registry.schema(key)


@pytest.mark.asyncio
async def test_finds_by_guid(fake: RegistryFake) -> None:
    """A GUID names a schema as an id does; an unknown one names none."""
    text = record("Guided", a="string")
    number = fake.add("s-value", text.text)

    assert text == await ask(fake, fake.guid(number))
    assert None is await ask(fake, "00000000-0000-0000-0000-000000000000")


@pytest.mark.asyncio
async def test_asks_once_for_ever(fake: RegistryFake) -> None:
    """What was found is never asked for again, and many who ask at once are one request."""
    number = fake.add("s-value", record("Once", a="string").text)
    async with client(fake.url) as registry:
        await asyncio.gather(*(registry.schema(number) for _ in range(20)))
        await registry.schema(number)

    assert {f"GET /schemas/ids/{number}": 1} == fake.asked


@pytest.mark.asyncio
async def test_asks_again_for_none(fake: RegistryFake) -> None:
    """That there is none is not remembered: the schema may come later."""
    async with client(fake.url) as registry:
        before = await registry.schema(1)
        fake.add("s-value", record("Late", a="string").text)

        assert None is before
        assert await registry.schema(1) is not None


@pytest.mark.asyncio
async def test_impatience_takes_nothing_from_others(fake: RegistryFake) -> None:
    """One who stops waiting does not cancel the request of the others."""
    number = fake.add("s-value", record("Shared", a="string").text)
    fake.knobs.delay = 0.02
    async with client(fake.url) as registry:
        impatient = asyncio.create_task(registry.schema(number))
        patient = asyncio.create_task(registry.schema(number))
        await asyncio.sleep(0)
        impatient.cancel()

        assert await patient is not None


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("knobs", "cause"),
    [
        (Knobs(fail=503), "HTTP 503"),
        (Knobs(fail=500, body=b'{"error_code": 50001, "message": "store"}'), "HTTP 500"),
        (Knobs(fail=429), "HTTP 429"),
        (Knobs(fail=404), "404 without one of its codes"),
        (Knobs(fail=404, body=b'{"error_code": 404, "message": "no route"}'), "404 without one of its codes"),
        (Knobs(fail=403), "the login is refused"),
        (Knobs(fail=302), "HTTP 302"),
        (Knobs(fail=200), "an answer without a schema"),
        (Knobs(fail=200, body=b'{"schema": 7}'), "an answer without a schema"),
        (Knobs(fail=200, body=b'{"schema": "{}", "references": [7]}'), "a reference without subject"),
        (Knobs(fail=200, body=b"x" * 5_000_000), "ClientPayloadError"),
        (Knobs(authorization="Bearer right"), "the login is refused"),
    ],
)
async def test_outage_is_not_none(fake: RegistryFake, knobs: Knobs, cause: str) -> None:
    """Whatever is no answer of a registry is an outage, and says what it looked like."""
    fake.knobs = knobs
    with pytest.raises(RegistryDown) as caught:
        await ask(fake, 1)

    assert cause in str(caught.value)


@pytest.mark.asyncio
async def test_slow_answer_is_an_outage(fake: RegistryFake) -> None:
    """A registry that takes too long is down."""
    fake.knobs.delay = 0.08
    with pytest.raises(RegistryDown, match="does not answer in time"):
        await ask(fake, 1, timeout_seconds=0.02)


@pytest.mark.asyncio
async def test_nobody_there() -> None:
    """A registry that is not there is down, and its address stays untold."""
    with pytest.raises(RegistryDown) as caught:
        await ask(RegistryFake(url="http://127.0.0.1:1/secret-path"), 1)

    assert "ClientConnectorError" == str(caught.value)


@pytest.mark.asyncio
async def test_retries_by_policy(fake: RegistryFake) -> None:
    """The caller's policy says how often and how long to wait."""
    number = fake.add("s-value", record("Patient", a="string").text)
    fake.knobs = Knobs(fail=503, failures_left=2)
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    assert await ask(fake, number, retry=lambda attempt: attempt * 0.5, sleep=sleep) is not None
    assert [0.5, 1.0] == waits


@pytest.mark.asyncio
async def test_uses_rotated_secret(fake: RegistryFake) -> None:
    """Credentials are asked for before every request."""
    number = fake.add("s-value", record("Locked", a="string").text)
    fake.knobs.authorization = "Bearer new"
    tokens = iter(["old", "new"])
    async with aiohttp.ClientSession() as session:
        registry = SchemaRegistry(fake.url, session, bearer(lambda: next(tokens)))
        with pytest.raises(RegistryDown):
            await registry.schema(number)

        assert await registry.schema(number) is not None


@pytest.mark.asyncio
async def test_logs_in_with_password(fake: RegistryFake) -> None:
    """Basic authentication is RFC 7617's, in UTF-8; without a password no header is sent."""
    number = fake.add("s-value", record("Locked", a="string").text)
    fake.knobs.authorization = "Basic Y2FwaTpww6Rzcw=="
    async with aiohttp.ClientSession() as session:
        assert await SchemaRegistry(fake.url, session, basic("capi", lambda: "päss")).schema(number) is not None
        with pytest.raises(RegistryDown, match="login"):
            await SchemaRegistry(fake.url, session, basic("capi", lambda: None)).schema(number)


@pytest.mark.asyncio
async def test_orders_nested_references(fake: RegistryFake) -> None:
    """References come in order of need, each once."""
    leaf, middle = record("Leaf", a="string"), record("Middle", leaf="Leaf", other="Leaf")
    fake.add("leaf", leaf.text)
    leaf_ref, middle_ref = ({"name": name, "subject": name, "version": 1} for name in ("leaf", "middle"))
    fake.add("middle", middle.text, [leaf_ref])
    number = fake.add("top", record("Top", middle="Middle", leaf="Leaf").text, [middle_ref, leaf_ref])
    async with client(fake.url) as registry:
        found = await registry.schema(number)
    assert found is not None

    assert (leaf.text, middle.text) == found.references
    assert parse(found)


@pytest.mark.asyncio
async def test_circular_references_are_an_outage(fake: RegistryFake) -> None:
    """References that lead back to themselves end."""
    number = fake.add("a", record("A", b="string").text, [{"name": "a", "subject": "a", "version": 1}])
    with pytest.raises(RegistryDown, match="lead back"):
        await ask(fake, number)


@pytest.mark.asyncio
async def test_missing_reference_is_an_outage(fake: RegistryFake) -> None:
    """A schema whose reference is gone cannot be had; that is the registry's trouble, not the event's."""
    number = fake.add("a", record("A", b="string").text, [{"name": "b", "subject": "gone", "version": 1}])
    with pytest.raises(RegistryDown, match="does not have"):
        await ask(fake, number)


@pytest.mark.asyncio
async def test_other_languages_are_named(fake: RegistryFake) -> None:
    """A schema of another language comes back as such, and does not parse as Avro."""
    number = fake.add("p-value", "message Order {}", language="PROTOBUF")
    async with client(fake.url) as registry:
        found = await registry.schema(number)
    assert found is not None

    with pytest.raises(SchemaError, match="PROTOBUF"):
        parse(found)


@pytest.mark.asyncio
async def test_incompatible_version_is_refused(fake: RegistryFake) -> None:
    """A version that cannot read its predecessor is named by field, and refused."""
    fake.add("s-value", record("Grown", a="string").text)
    worse = record("Grown", a="string", b="string")
    async with client(fake.url) as registry:
        assert ("b is required and the writer's schema does not have it",) == await registry.incompatibilities(
            "s-value", worse
        )
        with pytest.raises(RegistryRefusedError, match="incompatible"):
            await registry.register("s-value", worse)


@pytest.mark.asyncio
async def test_quotes_subjects(fake: RegistryFake) -> None:
    """A subject's name cannot change the path of a request."""
    fake.knobs.fail = 200
    fake.knobs.body = json.dumps({"id": 3}).encode()
    async with client(fake.url) as registry:
        assert 3 == await registry.register("a/b?c", record("Q"))
