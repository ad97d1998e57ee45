"""The words that the server and a platform share.

A platform is handed a `Call` and the time, and returns a `Verdict`; it does no I/O, and keeps no state but what its
answers to later calls need, bounded.
Invariant: what a verdict lists as accepted is exactly what its reply promises to the sender.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

JSON_TYPE = "application/json; charset=UTF-8"


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it arrived. `form` is set for urlencoded and multipart bodies, `body` for all others.

    `route` is the one of the platform's routes that the request took, with its parts as `{named}`.
    """

    number: int
    method: str
    path: Mapping[str, str]
    query: Mapping[str, str] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    body: bytes = field(default=b"", repr=False)
    route: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer: HTTP status, headers and body."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON_TYPE


@dataclass(frozen=True, slots=True)
class Failure:
    """A platform's error answer in its own codes; what is left out gets the platform's usual value.

    `transient`, `error_data` and `status` exist because real answers vary in them while the code stays the same.
    """

    code: int
    subcode: int | None = None
    status: int | None = None
    transient: bool | None = None
    error_data: str | None = None
    retry_after: int | None = None
    message: str | None = None
    title: str | None = None
    detail: str | None = None

    @property
    def label(self) -> str:
        """The code, and the subcode if there is one: `100/2804003`."""
        return str(self.code) if self.subcode is None else f"{self.code}/{self.subcode}"


@dataclass(slots=True)
class Sighting:
    """One event in a request: what the journal keeps of it.

    `sha256` is taken over `payload`, the event as compact JSON with its keys in the order of arrival.
    `key` tells events apart; a second one with the same key within `window_s` seconds is a duplicate (0: never).
    """

    event_id: str | None
    event_name: str
    event_time: int
    sha256: str
    key: str
    window_s: float
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a platform makes of a call.

    `received` counts the events in the request; `accepted` are those the platform keeps (in fast mode they are
    only counted, by `taken`), `refused` the keys of those it saw and threw away. `label` is `ok` or the error code.
    """

    reply: Reply
    label: str = "ok"
    dataset: str = ""
    received: int = 0
    taken: int = 0
    accepted: Sequence[Sighting] = ()
    refused: Sequence[str] = ()
    test_event_code: str | None = None
    notices: Mapping[str, int] = field(default_factory=dict)
    sender_fault: str | None = None


class Platform(Protocol):
    """One ad platform's side of the wire; an instance answers for all of its datasets."""

    @property
    def name(self) -> str:
        """The platform's name in the journal and the statistics."""

    @property
    def routes(self) -> Sequence[str]:
        """The paths it answers, with `{named}` parts, for every method."""

    @property
    def denial(self) -> Failure:
        """The answer to a token that was revoked."""

    @property
    def throttle(self) -> Failure:
        """The answer to too many requests."""

    def judge(self, call: Call, now: float) -> Verdict:
        """Judge one call by the platform's documented rules. `now` is in Unix seconds."""

    def failure(self, call: Call, failure: Failure) -> Reply:
        """Return the platform's error answer for an injected failure."""

    def shortened(self, call: Call, verdict: Verdict, missing: int) -> Verdict:
        """Return the verdict of a success that kept, and reports, `missing` events fewer."""
