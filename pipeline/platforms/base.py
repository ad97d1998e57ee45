"""What a platform is to the road: four pure functions about one destination.

Each platform file answers them in the same order, so that a reader who knows one knows all:
shape an event, write a request, read the reply, heed the usage headers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import orjson

from pipeline.core.destination import Destination, Limits
from pipeline.core.model import Advice, Event, NoReply, Refusal, Reply, Request, Shaped, Skipped, Verdict


class Platform(Protocol):
    """One destination on one platform. Pure: no clock, no socket, no secret but the one passed in."""

    destination: Destination

    def shape(self, event: Event) -> Shaped | Skipped | Refusal:
        """Put `event` into the platform's words, or say why it is not to be sent.

        No clock is asked: the same event gives the same bytes at any time and in any process. When it may go is said in
        `Shaped.not_before` and `Shaped.expires_at`, and judged by whoever sends it.
        """

    def request(self, payloads: Sequence[bytes], secrets: Mapping[str, str]) -> Request:
        """Write one request for a batch. `secrets` holds what `PlatformKind.secrets` names."""

    def read(self, reply: Reply | NoReply, count: int) -> Verdict:
        """Read the reply to a batch of `count` events. Total: whatever the bytes, it returns a verdict."""

    def advice(self, reply: Reply) -> Advice:
        """Return what the usage headers ask for. Malformed headers ask for nothing."""


@dataclass(frozen=True, slots=True)
class PlatformKind:
    """A platform as the destinations file knows it: its options, default limits, secrets, and how to open one."""

    name: str
    options: type
    defaults: Limits
    open: Callable[[Destination], Platform]
    secrets: tuple[str, ...]
    # The most events that the platform takes in one request.
    most_events: int
    # The option without which mode `test` would send live conversions.
    test_option: str
    # What an account's id looks like, as a regular expression for the whole of it.
    account: str
    # What people should know of these options on this day: a version that ends soon, say.
    notices: Callable[[object, date], Sequence[str]]
    optional_secrets: tuple[str, ...] = ()


def encoded(event: Mapping[str, object]) -> bytes:
    """Encode one event as JSON: the same bytes for the same mapping, key order included.

    orjson hands out bytes that keep the whole buffer they were written in, 8 kB for an event of 2; the copy is exact,
    and with twenty thousand events in flight it saves 120 MB.
    """
    return memoryview(orjson.dumps(event)).tobytes()
