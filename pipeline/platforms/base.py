"""What a platform is to the road: a few pure functions about one destination.

Each platform file answers them in the same order, so that a reader who knows one knows all:
shape an event, write a request, read the reply, heed the usage headers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

import orjson

from pipeline.core.destination import Destination, Limits
from pipeline.core.identify import MatchTable
from pipeline.core.model import (
    Advice,
    Batch,
    Event,
    Halt,
    Later,
    NoReply,
    Refusal,
    Reply,
    Request,
    Shaped,
    Skipped,
    Verdict,
)
from pipeline.platforms.follow import Following


class Platform(Protocol):
    """One destination on one platform. Pure: no clock, no socket, no secret but those passed in.

    A platform inherits from it: what most platforms do not have has a body here.
    """

    destination: Destination

    def keys(self, event: Event) -> MatchTable:
        """Return the table of match keys that holds for `event`."""

    def shape(self, event: Event) -> Shaped | Skipped | Refusal:
        """Put `event` into the platform's words, or say why it is not to be sent.

        No clock is asked: the same event gives the same bytes at any time and in any process. When it may go is said in
        `Shaped.not_before` and `Shaped.expires_at`, and judged by whoever sends it.
        """

    def request(self, batch: Batch, secrets: Mapping[str, str]) -> Request:
        """Write one request for a batch.

        `secrets` holds what `PlatformKind.secrets` names, and `token` where the platform has a grant.
        """

    def read(self, reply: Reply | NoReply, count: int) -> Verdict:
        """Read the reply to a batch of `count` events. Total: whatever the bytes, it returns a verdict."""

    def advice(self, reply: Reply) -> Advice:  # noqa: ARG002 - most platforms' headers ask for nothing
        """Return what the usage headers ask for. Malformed headers ask for nothing."""
        return Advice()

    def inquiry(self, batch: Batch, secrets: Mapping[str, str]) -> Request | None:  # noqa: ARG002 - most have none
        """Write a request that asks which events of a refused batch are to blame, or None: nobody can be asked."""
        return None

    def suspects(self, reply: Reply | NoReply, count: int) -> Sequence[int]:  # noqa: ARG002 - see `inquiry`
        """Read the answer to an inquiry: the positions it blames, none when it says nothing. Total."""
        return ()

    def grant(self) -> Grant | None:
        """Return how a short-lived access token is got, or None where the secrets are all that is needed."""
        return None


@dataclass(frozen=True, slots=True)
class Token:
    """An access token that was granted for `seconds` from now."""

    value: str = field(repr=False)
    seconds: float


class Grant(Protocol):
    """How a platform's short-lived access token is asked for, where a destination's secrets are no token. Pure."""

    def request(self, secrets: Mapping[str, str], *, unix: float) -> Request | Halt:
        """Write the request for a token at that Unix time, or say why the secrets cannot be used."""

    def read(self, reply: Reply | NoReply) -> Token | Later | Halt:
        """Read the answer. Total."""


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
    # What an account's id looks like, as a regular expression for the whole of it.
    account: str
    # The option without which mode `test` would send live conversions; None where the mode alone is enough.
    test_option: str | None = None
    # What people should know of these options on this day: a version that ends soon, say.
    notices: Callable[[object, date], Sequence[str]] = lambda _options, _today: ()
    # What is wrong with a destination as a whole, each with a fix; what one option alone decides, its type says.
    faults: Callable[[Destination], Sequence[tuple[str, str]]] = lambda _destination: ()
    optional_secrets: tuple[str, ...] = ()
    # What a match key is worth, for an estimate of how well events match: see `core.quality`.
    weights: Mapping[str, float] = field(default_factory=dict)
    # Match keys that are made of several rows of the table, and only of all of them.
    composed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    # Match keys of which the platform takes only one.
    one_of: Sequence[Sequence[str]] = ()
    # How the final word on an accepted batch is asked for, where acceptance is not yet that word.
    follow: Callable[[Destination], Following] | None = None


def encoded(event: Mapping[str, object]) -> bytes:
    """Encode one event as JSON: the same bytes for the same mapping, key order included.

    orjson hands out bytes that keep the whole buffer they were written in, 8 kB for an event of 2; the copy is exact,
    and with twenty thousand events in flight it saves 120 MB.
    """
    return memoryview(orjson.dumps(event)).tobytes()
