"""What every implementation of a port must do, real or fake: one class a port. Those of Kafka are in `kafka_contracts`.

A test module derives from a class and brings a fixture `kit`, the way to arrange the world around the implementation.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import pytest

from pipeline.core.model import NoReply, Reply, Request
from pipeline.core.ports import Http, Secrets


class HttpKit(Protocol):
    """A platform at `url` that answers by path: `/echo` the body and its token header back, `/slow` after a minute."""

    url: str

    def sender(self) -> AbstractAsyncContextManager[Http]:
        """Return the sender, open."""


class HttpContract:
    """What `ports.Http` promises. Replies have lower-case header names."""

    @pytest.mark.asyncio
    async def test_returns_the_answer(self, kit: HttpKit) -> None:
        """Status, headers and body come back as the platform sent them, and it got what was to be sent."""
        async with kit.sender() as http:
            reply = await http.send(Request(f"{kit.url}/echo", {"X-Token": "t"}, b"\x00\xff"), within=5.0)

        assert isinstance(reply, Reply)
        assert (201, "t", b"\x00\xff") == (reply.status, reply.headers["x-token"], reply.body)

    @pytest.mark.asyncio
    async def test_slow_answer_is_none(self, kit: HttpKit) -> None:
        """An answer that does not come in time is no answer, and no exception."""
        async with kit.sender() as http:
            reply = await http.send(Request(f"{kit.url}/slow", {}, b""), within=0.02)

        assert NoReply("no answer within 0.02 s") == reply

    @pytest.mark.asyncio
    async def test_sends_side_by_side(self, kit: HttpKit) -> None:
        """A slow request holds up no other."""
        async with kit.sender() as http, asyncio.timeout(5.0):
            slow = asyncio.create_task(http.send(Request(f"{kit.url}/slow", {}, b""), within=60.0))
            reply = await http.send(Request(f"{kit.url}/echo", {"X-Token": "t"}, b"1"), within=5.0)
            slow.cancel()

        assert isinstance(reply, Reply)


class SecretsKit(Protocol):
    """Secrets of which `first` is `one` and `second` is `two`."""

    secrets: Secrets

    def rotate(self, name: str, value: str | None) -> None:
        """Change or (None) remove a secret and let the time pass in which that is noticed."""


class SecretsContract:
    """What `ports.Secrets` promises."""

    def test_reveals_by_key(self, kit: SecretsKit) -> None:
        """Values come back under the keys that were asked for."""
        assert {"a": "one", "b": "two"} == kit.secrets.values({"a": "first", "b": "second"})

    def test_names_what_is_missing(self, kit: SecretsKit) -> None:
        """A missing secret is named."""
        assert "third" in kit.secrets.values({"a": "first", "b": "third"})

    def test_sees_rotation(self, kit: SecretsKit) -> None:
        """A rotated secret has its new value; the others keep theirs."""
        kit.rotate("first", "anew")

        assert {"a": "anew", "b": "two"} == kit.secrets.values({"a": "first", "b": "second"})

    def test_sees_removal(self, kit: SecretsKit) -> None:
        """A secret that was removed is missing."""
        kit.rotate("first", None)

        assert "first" in kit.secrets.values({"a": "first"})
