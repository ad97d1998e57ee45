"""Compiled readers by what a record says of its schema: implements `ports.Schemas`.

Without a registry every record is read with the schemas that this build brings.
With one, a schema that was not met before is fetched on the event loop while the owner thread goes on;
a registry that does not answer is an outage: it is asked again for as long as it takes, and no event pays for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from pipeline.core.avro.schema import SchemaText
from pipeline.core.backoff import backoff
from pipeline.core.contract import Kind
from pipeline.core.decode import Contract, Reader, SchemaRef, bundled_reader, compile_reader
from pipeline.core.model import Refusal
from pipeline.core.ports import Registry, RegistryDown, Teller
from pipeline.core.reason import Reason
from pipeline.core.signals import SchemaLearned
from pipeline.core.wire import lookup

Key = tuple[str, SchemaRef | None]
REFUSED_SECONDS = 60.0
MOST_REFUSALS = 1000
# Registry ids are signed 32-bit integers (Confluent, Apicurio).
MOST_ID = 2**31 - 1


class Readers:
    """`reader` and `fetch` are the owner thread's; fetching runs on `loop`."""

    def __init__(
        self,
        contract: Contract,
        topics: Mapping[str, Kind],
        registry: Registry | None,
        loop: asyncio.AbstractEventLoop,
        teller: Teller,
        chance: Callable[[], float],
    ) -> None:
        self._contract = contract
        self._topics = topics
        self._registry = registry
        self._loop = loop
        self._teller = teller
        self._chance = chance
        self._known: dict[Key, Reader] = {}
        # Refusals, each until a time of the loop's clock: the schema may be registered meanwhile.
        self._refused: dict[Key, tuple[Refusal, float]] = {}
        self._fetching: set[Key] = set()
        self.down: str | None = None

    def reader(self, topic: str, ref: SchemaRef | None) -> Reader | Refusal | None:
        """Return the reader for a record of `topic`, a refusal, or None when it has to be fetched first."""
        known = self._known.get((topic, ref))
        if known is not None:
            return known
        if ref is None or self._registry is None:
            return self._bundled(topic, ref)
        key = lookup(ref)
        if isinstance(key, int) and key > MOST_ID:
            # Garbage that begins like Confluent's prefix; a registry answers such a number as it likes.
            return Refusal(Reason.SCHEMA_UNKNOWN, f"no registry has a schema {key}: ids end at {MOST_ID}")
        refusal, until = self._refused.get((topic, ref), (None, 0.0))
        return refusal if self._loop.time() < until else None

    def fetch(self, topic: str, ref: SchemaRef | None) -> None:
        """Begin to fetch a schema, unless that is under way."""
        key = (topic, ref)
        if key not in self._fetching:
            self._fetching.add(key)
            asyncio.run_coroutine_threadsafe(self._fetch(key), self._loop)

    def _bundled(self, topic: str, ref: SchemaRef | None) -> Reader:
        """Return the reader of our own schema; whatever id a prefix names, the reader is the same."""
        own = None if ref is None else 0 if isinstance(ref, int) else b""
        reader = self._known.get((topic, own))
        if reader is None:
            reader = self._known[topic, own] = bundled_reader(self._contract, self._topics[topic], ref)
        return reader

    async def _fetch(self, key: Key) -> None:
        topic, ref = key
        if ref is None or self._registry is None:
            return
        attempt = 0
        while True:
            try:
                found = self._compiled(topic, ref, await self._registry.schema(lookup(ref)))
            except Exception as error:  # noqa: BLE001 - whatever breaks here, the record waits, and people can see why
                attempt += 1
                self.down = str(error) if isinstance(error, RegistryDown) else type(error).__name__
                await asyncio.sleep(backoff(attempt, chance=self._chance(), cap=10.0))
                continue
            self.down = None
            self._keep(key, found)
            self._fetching.discard(key)
            return

    def _keep(self, key: Key, found: Reader | Refusal) -> None:
        """Keep a reader for good, a refusal for a while; ids that garbage names must not fill the memory."""
        if isinstance(found, Reader):
            self._known[key] = found
            return
        if len(self._refused) >= MOST_REFUSALS:
            self._refused = {}
        self._refused[key] = (found, self._loop.time() + REFUSED_SECONDS)

    def _compiled(self, topic: str, ref: SchemaRef, found: SchemaText | None) -> Reader | Refusal:
        if found is None:
            return Refusal(Reason.SCHEMA_UNKNOWN, f"the registry knows no schema {lookup(ref)}")
        reader = compile_reader(found, self._contract, ref, self._topics.get(topic))
        if isinstance(reader, Reader):
            self._teller.tell(SchemaLearned(reader.schema_id, reader.kind))
        return reader
