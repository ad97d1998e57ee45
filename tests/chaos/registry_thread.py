"""The schema registry's stand-in on a thread of its own, for workers that are processes."""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType
from typing import Self

from registry_fake import RegistryFake


class RegistryThread:
    """Use as a context manager."""

    def __init__(self) -> None:
        self._fake = RegistryFake()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="registry", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._fake.__aenter__(), self._loop).result(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._fake.__aexit__(kind, error, trace), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def url(self) -> str:
        """Its address."""
        return self._fake.url

    def add(self, subject: str, text: str) -> int:
        """Store a schema and return its id."""
        return self._fake.add(subject, text)

    def away(self) -> None:
        """Answer everything with 503."""
        self._fake.knobs.fail = 503

    def back(self) -> None:
        """Answer as before."""
        self._fake.knobs.fail = None
