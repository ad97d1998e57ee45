"""A schema registry that speaks Confluent's API (version 7; also Apicurio's `ccompat`): implements `ports.Registry`.

Source: Confluent's "Schema Registry API Reference"; GUIDs since Confluent Platform 8.0.
Three answers are kept apart: a schema, "there is none" (404 with one of the registry's own codes), and an outage
(`RegistryDown`: no answer, 5xx, a refused login, an answer that is none of the registry's), which blames no event.

Invariant: what an id or a GUID names never changes, so it is fetched once, by one request however many ask.
Invariant: no message holds a credential or an address.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

import aiohttp
import orjson

from pipeline.core.avro.schema import SchemaText
from pipeline.core.ports import RegistryDown
from pipeline.edge.http import whole_body

ACCEPT = "application/vnd.schemaregistry.v1+json"
MOST_REFERENCES = 100
# Subject, version or schema not found: the registry's own words for "there is none".
_NONE_CODES = frozenset({40401, 40402, 40403})

# The value of the `Authorization` header, asked for before every request so that a rotated secret is used at once.
Authorization = Callable[[], str | None]
# Seconds to wait after failed attempt 1, 2, ..., or None to give up.
Retry = Callable[[int], float | None]
Reference = tuple[str, int]


class RegistryRefusedError(Exception):
    """The registry understood and said no (an invalid or incompatible schema); its own words are the message."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    json: Mapping[str, object]

    @property
    def none(self) -> bool:
        return self.status == 404 and self.json.get("error_code") in _NONE_CODES


class SchemaRegistry:
    """A client for one registry, on the event loop of `session`, whose TLS settings and lifetime are the caller's."""

    def __init__(
        self,
        url: str,
        session: aiohttp.ClientSession,
        authorization: Authorization = lambda: None,
        *,
        timeout_seconds: float = 5.0,
        retry: Retry = lambda _: None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._url = url.rstrip("/")
        self._session = session
        self._authorization = authorization
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        self._retry = retry
        self._sleep = sleep
        self._known: dict[int | str, SchemaText] = {}
        self._asking: dict[int | str, asyncio.Task[SchemaText | None]] = {}

    async def schema(self, key: int | str) -> SchemaText | None:
        """Return the schema with this id or GUID with all it refers to, or None if there is none.

        Raises RegistryDown. "There is none" is asked again the next time: the schema may be registered meanwhile.
        """
        known = self._known.get(key)
        if known is not None:
            return known
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.create_task(self._fetch(key))
            task.add_done_callback(lambda done: self._fetched(key, done))
        # One that stops waiting does not take the answer from the others.
        return await asyncio.shield(task)

    async def find(self, subject: str, schema: SchemaText) -> int | None:
        """Return the id under which `subject` holds this very schema, or None. Raises RegistryDown."""
        answer = await self._ask("POST", f"/subjects/{quote(subject, safe='')}", _payload(schema))
        return None if answer.none else _whole_number(_taken(answer), "id")

    async def register(self, subject: str, schema: SchemaText) -> int:
        """Register a new version of `subject` (the same one again is no new version) and return its id.

        Raises RegistryRefusedError when it is invalid or incompatible, RegistryDown.
        """
        answer = await self._ask("POST", f"/subjects/{quote(subject, safe='')}/versions", _payload(schema))
        return _whole_number(_taken(answer), "id")

    async def incompatibilities(self, subject: str, schema: SchemaText) -> tuple[str, ...]:
        """Return what the registry has against `schema` as the next version of `subject`; empty when it would take it.

        A subject that does not exist yet takes everything. Raises RegistryRefusedError, RegistryDown.
        """
        path = f"/compatibility/subjects/{quote(subject, safe='')}/versions/latest?verbose=true"
        answer = await self._ask("POST", path, _payload(schema))
        if answer.none:
            return ()
        json = _taken(answer)
        if not isinstance(json.get("is_compatible"), bool):
            raise _strange("an answer without is_compatible")
        if json["is_compatible"]:
            return ()
        messages = json.get("messages")
        named = tuple(str(message) for message in messages) if isinstance(messages, list) else ()
        return named or ("the registry names no reason",)

    # -- fetching ------------------------------------------------------------------------------------------------------

    def _fetched(self, key: int | str, task: asyncio.Task[SchemaText | None]) -> None:
        del self._asking[key]
        # Asking for the exception also tells asyncio that it was seen, when nobody waits any more.
        if not task.cancelled() and task.exception() is None and (found := task.result()) is not None:
            self._known[key] = found

    async def _fetch(self, key: int | str) -> SchemaText | None:
        path = f"/schemas/ids/{key}" if isinstance(key, int) else f"/schemas/guids/{quote(key, safe='')}"
        answer = await self._ask("GET", path)
        if answer.none:
            return None
        json = _taken(answer)
        texts: dict[Reference, str] = {}
        await self._resolve(json, texts, ())
        return SchemaText(_text(json), tuple(texts.values()), str(json.get("schemaType") or "AVRO"))

    async def _resolve(
        self, json: Mapping[str, object], texts: dict[Reference, str], above: tuple[Reference, ...]
    ) -> None:
        """Add the texts of all references of a schema to `texts`, each after those that it needs itself."""
        for reference in _references(json):
            if reference in texts:
                continue
            if reference in above or len(texts) + len(above) >= MOST_REFERENCES:
                raise _strange(f"references that lead back to themselves or are more than {MOST_REFERENCES}")
            subject, version = reference
            answer = await self._ask("GET", f"/subjects/{quote(subject, safe='')}/versions/{version}?deleted=true")
            if answer.none:
                raise _strange("a reference to a schema that it does not have")
            referred = _taken(answer)
            await self._resolve(referred, texts, (*above, reference))
            texts[reference] = _text(referred)

    # -- asking --------------------------------------------------------------------------------------------------------

    async def _ask(self, method: str, path: str, payload: bytes | None = None) -> _Answer:
        attempt = 1
        while True:
            try:
                answer = await self._once(method, path, payload)
            except (aiohttp.ClientError, OSError) as error:
                # The text of these errors may name the address; their type says enough.
                cause = "it does not answer in time" if isinstance(error, TimeoutError) else type(error).__name__
            else:
                if answer.status < 500 and answer.status != 429:
                    return answer
                cause = f"HTTP {answer.status}"
            wait = self._retry(attempt)
            if wait is None:
                raise RegistryDown(cause)
            await self._sleep(wait)
            attempt += 1

    async def _once(self, method: str, path: str, payload: bytes | None) -> _Answer:
        headers = {"Accept": ACCEPT}
        if payload is not None:
            headers["Content-Type"] = ACCEPT
        authorization = self._authorization()
        if authorization is not None:
            headers["Authorization"] = authorization
        async with self._session.request(
            method, self._url + path, data=payload, headers=headers, timeout=self._timeout, allow_redirects=False
        ) as response:
            body = await whole_body(response)
        try:
            json = orjson.loads(body)
        except orjson.JSONDecodeError:
            json = None
        return _Answer(response.status, json if isinstance(json, dict) else {})


def bearer(token: Callable[[], str | None]) -> Authorization:
    """Return an authorization with the token that `token` gives at the time."""

    def header() -> str | None:
        value = token()
        return None if value is None else f"Bearer {value}"

    return header


def basic(user: str, password: Callable[[], str | None]) -> Authorization:
    """Return an authorization with a user and the password that `password` gives at the time."""

    def header() -> str | None:
        value = password()
        # RFC 7617, with the UTF-8 that it recommends.
        return None if value is None else "Basic " + b64encode(f"{user}:{value}".encode()).decode()

    return header


def _payload(schema: SchemaText) -> bytes:
    """Our own schemas are self-contained: references are not registered."""
    return orjson.dumps({"schema": schema.text, "schemaType": schema.language})


def _taken(answer: _Answer) -> Mapping[str, object]:
    """Return the answer of a success; everything else raises."""
    if answer.status == 200:
        return answer.json
    if answer.status in {401, 403}:
        raise RegistryDown(f"HTTP {answer.status}: the login is refused; see CAPI_REGISTRY_USERNAME and its secrets")
    if answer.status in {409, 422} and "error_code" in answer.json:
        raise RegistryRefusedError(str(answer.json.get("message", ""))[:2000])
    if answer.status == 404:
        raise _strange(
            "HTTP 404 without one of its codes; is CAPI_REGISTRY_URL right, and the registry new enough for GUIDs?"
        )
    raise _strange(f"HTTP {answer.status}")


def _text(json: Mapping[str, object]) -> str:
    text = json.get("schema")
    if not isinstance(text, str):
        raise _strange("an answer without a schema")
    return text


def _whole_number(json: Mapping[str, object], key: str) -> int:
    number = json.get(key)
    if not isinstance(number, int):
        raise _strange(f"an answer without {key}")
    return number


def _references(json: Mapping[str, object]) -> list[Reference]:
    listed = json.get("references") or []
    if not isinstance(listed, list):
        raise _strange("references that are no list")
    references: list[Reference] = []
    for entry in listed:
        subject, version = (entry.get("subject"), entry.get("version")) if isinstance(entry, dict) else (None, None)
        if not isinstance(subject, str) or not isinstance(version, int):
            raise _strange("a reference without subject and version")
        references.append((subject, version))
    return references


def _strange(what: str) -> RegistryDown:
    return RegistryDown(f"it answered with {what}")
