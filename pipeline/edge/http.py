"""The way to a platform: one session, one request at a time per caller, and an answer or none.

Redirects are not followed: a token would follow them.
Neither the URL nor the headers nor the body of a request ever appear in what is returned or raised.
"""

from __future__ import annotations

import io
import ssl
from types import TracebackType
from typing import Self

import aiohttp

from pipeline.core.model import NoReply, Reply, Request

# No platform answers a batch with more; a larger body is not an answer.
MOST_REPLY_BYTES = 4 * 1024 * 1024
LARGE_BYTES = 1024 * 1024


class HttpSender:
    """Implements `ports.Http` over aiohttp. Use as an async context manager, on the event loop."""

    def __init__(self, *, connections: int = 100, tls: ssl.SSLContext | None = None) -> None:
        self._connections = connections
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(
            limit=self._connections, ssl=self._tls if self._tls is not None else True, keepalive_timeout=30.0
        )
        self._session = aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=True
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def send(self, request: Request, *, within: float) -> Reply | NoReply:
        """Send and read the whole answer in `within` seconds; what the network does comes back as a value."""
        if self._session is None:
            raise RuntimeError("HttpSender is used outside of its context")
        try:
            async with self._session.request(
                request.method,
                request.url,
                data=_payload(request.body) if request.method == "POST" else None,
                headers=request.headers,
                timeout=aiohttp.ClientTimeout(total=within),
                allow_redirects=False,
            ) as response:
                body = await whole_body(response)
                headers = {name.lower(): value for name, value in response.headers.items()}
                return Reply(response.status, headers, body)
        except TimeoutError:
            return NoReply(f"no answer within {within:g} s")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # The text of aiohttp's errors may name the URL; their type says enough.
            return NoReply(type(error).__name__)


def _payload(body: bytes) -> bytes | io.BytesIO:
    """Hand a large body over in pieces: aiohttp warns that writing it at once would hold up the loop."""
    return body if len(body) < LARGE_BYTES else io.BytesIO(body)


async def whole_body(response: aiohttp.ClientResponse) -> bytes:
    """Return the body of an answer. Raises aiohttp.ClientPayloadError beyond `MOST_REPLY_BYTES`."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_any():
        chunks.append(chunk)
        size += len(chunk)
        if size > MOST_REPLY_BYTES:
            raise aiohttp.ClientPayloadError
    return b"".join(chunks)
