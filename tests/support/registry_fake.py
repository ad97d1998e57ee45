"""A schema registry in memory that keeps to the documented protocol, with knobs for trouble.

It passes the same contract tests as a real one (`registry_contract.py`), and beyond those knows GUIDs, logins, delays
and failures, which the real one of the suite does not have or cannot be made to show.
"""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import orjson
from aiohttp import web

from pipeline.core.avro.compatibility import incompatibilities
from pipeline.core.avro.schema import SchemaError, SchemaText, parse


@dataclass
class Knobs:
    """What goes wrong: `fail` is a status for every answer, `body` replaces it, `delay` is seconds before it."""

    fail: int | None = None
    failures_left: int | None = None
    body: bytes | None = None
    delay: float = 0.0
    authorization: str | None = None


@dataclass
class _Stored:
    id: int
    guid: str
    text: str
    language: str
    references: list[dict[str, Any]]


@dataclass
class RegistryFake:
    """Use as an async context manager; `url` is its address."""

    knobs: Knobs = field(default_factory=Knobs)
    asked: Counter[str] = field(default_factory=Counter)
    url: str = ""
    _schemas: list[_Stored] = field(default_factory=list)
    _subjects: dict[str, list[_Stored]] = field(default_factory=dict)

    def add(
        self, subject: str, text: str, references: list[dict[str, Any]] | None = None, language: str = "AVRO"
    ) -> int:
        """Store a schema as it is, without any check, and return its id."""
        return self._store(subject, {"schema": text, "references": references or [], "schemaType": language}).id

    def guid(self, schema_id: int) -> str:
        """Return the GUID of a stored schema."""
        return self._schemas[schema_id - 1].guid

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._trouble])
        app.add_routes(
            [
                web.get("/schemas/ids/{id}", self._by_id),
                web.get("/schemas/guids/{guid}", self._by_guid),
                web.get("/subjects/{subject}/versions/{version}", self._by_version),
                web.post("/subjects/{subject}", self._find),
                web.post("/subjects/{subject}/versions", self._register),
                web.post("/compatibility/subjects/{subject}/versions/{version}", self._compatibility),
            ]
        )
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    @web.middleware
    async def _trouble(self, request: web.Request, handler: Any) -> web.StreamResponse:  # noqa: ANN401 - aiohttp's type is private
        self.asked[f"{request.method} {request.path}"] += 1
        await asyncio.sleep(self.knobs.delay)
        if self.knobs.authorization not in {None, request.headers.get("Authorization")}:
            return _error(401, 401, "Unauthorized")
        if self.knobs.fail is not None and self.knobs.failures_left != 0:
            if self.knobs.failures_left is not None:
                self.knobs.failures_left -= 1
            return web.Response(status=self.knobs.fail, body=self.knobs.body or b"<html>trouble</html>")
        answer: web.StreamResponse = await handler(request)
        return answer

    async def _by_id(self, request: web.Request) -> web.Response:
        number = int(request.match_info["id"])
        found = next((stored for stored in self._schemas if stored.id == number), None)
        return _error(404, 40403, "Schema not found") if found is None else _json(_shown(found))

    async def _by_guid(self, request: web.Request) -> web.Response:
        guid = request.match_info["guid"]
        found = next((stored for stored in self._schemas if stored.guid == guid), None)
        return _error(404, 40403, "Schema not found") if found is None else _json(_shown(found))

    async def _by_version(self, request: web.Request) -> web.Response:
        subject, version = request.match_info["subject"], int(request.match_info["version"])
        versions = self._subjects.get(subject)
        if versions is None:
            return _error(404, 40401, f"Subject '{subject}' not found.")
        if not 0 < version <= len(versions):
            return _error(404, 40402, f"Version {version} not found.")
        stored = versions[version - 1]
        return _json({"subject": subject, "version": version, "id": stored.id} | _shown(stored))

    async def _find(self, request: web.Request) -> web.Response:
        subject, given = request.match_info["subject"], await _given(request)
        versions = self._subjects.get(subject)
        if versions is None:
            return _error(404, 40401, f"Subject '{subject}' not found.")
        for number, stored in enumerate(versions, 1):
            if orjson.loads(stored.text) == orjson.loads(given["schema"]):
                return _json({"subject": subject, "version": number, "id": stored.id, "schema": stored.text})
        return _error(404, 40403, "Schema not found")

    async def _register(self, request: web.Request) -> web.Response:
        subject, given = request.match_info["subject"], await _given(request)
        try:
            node = parse(SchemaText(given["schema"], self._texts(given)))
        except SchemaError:
            return _error(422, 42201, "Invalid schema")
        versions = self._subjects.get(subject, [])
        if versions and incompatibilities(parse(SchemaText(versions[-1].text)), node):
            return _error(409, 409, "Schema being registered is incompatible with an earlier schema")
        return _json({"id": self._store(subject, given).id})

    async def _compatibility(self, request: web.Request) -> web.Response:
        subject, given = request.match_info["subject"], await _given(request)
        versions = self._subjects.get(subject)
        if versions is None:
            return _error(404, 40401, f"Subject '{subject}' not found.")
        faults = incompatibilities(parse(SchemaText(versions[-1].text)), parse(SchemaText(given["schema"])))
        messages = [f"{fault.path} {fault.rule}" for fault in faults]
        return _json({"is_compatible": not faults, "messages": messages})

    def _texts(self, given: dict[str, Any]) -> tuple[str, ...]:
        references = given.get("references", [])
        return tuple(self._subjects[one["subject"]][one["version"] - 1].text for one in references)

    def _store(self, subject: str, given: dict[str, Any]) -> _Stored:
        versions = self._subjects.setdefault(subject, [])
        stored = next((one for one in self._schemas if one.text == given["schema"]), None)
        if stored is None:
            guid = str(uuid.UUID(bytes=hashlib.md5(given["schema"].encode()).digest()))
            language, references = given.get("schemaType", "AVRO"), given.get("references", [])
            stored = _Stored(len(self._schemas) + 1, guid, given["schema"], language, references)
            self._schemas.append(stored)
        if stored not in versions:
            versions.append(stored)
        return stored


def _shown(stored: _Stored) -> dict[str, Any]:
    """Avro is the default language and goes without saying; so do no references."""
    shown: dict[str, Any] = {"schema": stored.text, "guid": stored.guid}
    if stored.language != "AVRO":
        shown["schemaType"] = stored.language
    if stored.references:
        shown["references"] = stored.references
    return shown


async def _given(request: web.Request) -> dict[str, Any]:
    given: dict[str, Any] = orjson.loads(await request.read())
    return given


def _json(value: object, status: int = 200) -> web.Response:
    kind = "application/vnd.schemaregistry.v1+json"
    return web.Response(status=status, body=orjson.dumps(value), content_type=kind)


def _error(status: int, code: int, message: str) -> web.Response:
    return _json({"error_code": code, "message": message}, status)
