"""A platform for tests: its events are their ids, a request is ids on lines, and its answers are plain.

The HTTP status says everything: 200 accepted (the body names refused positions, header `receipt` is one), 400 an event
is bad (header `suspects` names positions), 422 nothing was taken for the positions in the body, 401 the token is bad,
409 an answer that no table knows, 429 too fast (`retry-after`), anything else is an outage (`retry-after` again).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from typing_extensions import override
from virtual_loop import EPOCH

from pipeline.core.destination import ConsentPolicy, Destination, Limits, Rule
from pipeline.core.identify import MatchTable
from pipeline.core.ledger import Page
from pipeline.core.model import (
    Accepted,
    Advice,
    Batch,
    Blamed,
    DeadLetter,
    Delivery,
    Doubt,
    Event,
    Halt,
    Later,
    Mixed,
    NoReply,
    Record,
    Refusal,
    Reply,
    Request,
    Shaped,
    Skipped,
    Verdict,
)
from pipeline.core.reason import Reason
from pipeline.platforms.base import Grant, Platform, Token

LIMITS = Limits(events_per_request=10, bytes_per_request=10_000, requests_per_second=100.0, linger_seconds=1.0)
DAY = 86_400.0
REJECTED = Refusal(Reason.REJECTED, "the toy refused it", code="100")
OK = Reply(200, {}, b"")


def destination(name: str = "toy", limits: Limits = LIMITS, rule: Rule | None = None) -> Destination:
    """Return a destination whose token is the secret `toy-token`."""
    anywhere = ConsentPolicy(unknown={"nowhere": "send", "*": "send"})
    return Destination(name, "toy", "1", "live", rule or Rule(), anywhere, limits, {"token": "toy-token"})


class Toy(Platform):
    """Implements `platforms.base.Platform`."""

    def __init__(self, destination: Destination) -> None:
        self.destination = destination

    @override
    def keys(self, event: Event) -> MatchTable:
        """Return an empty table: the toy matches nobody."""
        return MatchTable(())

    @override
    def shape(self, event: Event) -> Shaped | Skipped | Refusal:
        """Write the id; leads are too much for it."""
        return Skipped(Reason.NO_PLATFORM_EVENT) if event.kind == "lead" else shaped(event.id, at=event.time)

    @override
    def request(self, batch: Batch, secrets: Mapping[str, str]) -> Request:
        """Write the ids on lines."""
        return Request("https://toy.example/events", {"authorization": secrets["token"]}, b"\n".join(batch.payloads))

    @override
    def read(self, reply: Reply | NoReply, count: int) -> Verdict:
        """Read the status."""
        if isinstance(reply, NoReply):
            return Later(Reason.OUTAGE, reply.cause)
        match reply.status:
            case 200 if reply.body:
                return Mixed({int(index): REJECTED for index in reply.body.split(b",")})
            case 200:
                return Accepted(reply.headers.get("receipt", ""))
            case 422:
                return Blamed({int(index): REJECTED for index in reply.body.split(b",")})
            case 400:
                suspects = tuple(int(index) for index in reply.headers.get("suspects", "").split())
                return Doubt(REJECTED, suspects)
            case 401:
                return Halt(Reason.UNAUTHORIZED, "the token is bad")
            case 409:
                return Later(Reason.UNKNOWN_ANSWER, "HTTP 409", blame=REJECTED)
            case code:
                after = reply.headers.get("retry-after")
                reason = Reason.THROTTLED if code == 429 else Reason.OUTAGE
                return Later(reason, f"HTTP {code}", float(after) if after else None)

    @override
    def advice(self, reply: Reply) -> Advice:
        """Read `factor` and `pause`."""
        return Advice(float(reply.headers.get("factor", 1)), float(reply.headers.get("pause", 0)))


class AskingToy(Toy):
    """A toy that can be asked who is to blame; the answer names positions."""

    @override
    def inquiry(self, batch: Batch, secrets: Mapping[str, str]) -> Request:
        """Write the ids on lines, to another address."""
        return replace(self.request(batch, secrets), url="https://toy.example/validate")

    @override
    def suspects(self, reply: Reply | NoReply, count: int) -> Sequence[int]:
        """Read the positions."""
        return [int(index) for index in reply.body.split(b",")] if isinstance(reply, Reply) and reply.body else []


class GrantedToy(Toy):
    """A toy whose token has to be asked for with its secret, and holds for an hour."""

    @override
    def grant(self) -> Grant:
        """Return the way to a token."""
        return _Grant()


class _Grant:
    def request(self, secrets: Mapping[str, str], *, unix: float) -> Request | Halt:
        return Request(f"https://toy.example/token?at={unix:.0f}", {"secret": secrets["token"]}, method="GET")

    def read(self, reply: Reply | NoReply) -> Token | Later | Halt:
        if isinstance(reply, NoReply) or reply.status >= 500:
            return Later(Reason.OUTAGE, "no token")
        return Token(reply.body.decode(), 3600.0) if reply.status == 200 else Halt(Reason.UNAUTHORIZED, "no such key")


def accept(_: Request) -> Reply:
    """Accept everything."""
    return OK


def status(code: int, **headers: str) -> Callable[[Request], Reply]:
    """Return a platform that always answers `code`; underscores in header names stand for hyphens."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: Reply(code, given, b"")


def refusing(*bad: str) -> Callable[[Request], Reply]:
    """Return a platform that refuses every request with one of these ids in it."""
    return lambda request: Reply(400 if set(bad) & set(ids(request)) else 200, {}, b"")


def ids(request: Request) -> list[str]:
    """Return the ids in a request."""
    return request.body.decode().split("\n")


def shaped(event_id: str = "a", *, at: float = EPOCH, size: int = 0) -> Shaped:
    """Return an event in the toy's words, filled up to `size` bytes; it may go from `at` and for seven days."""
    return Shaped("Bought", event_id.encode().ljust(size, b"."), at + 7 * DAY, at, ("em",), ())


def record(offset: int = 0, *, topic: str = "orders", partition: int = 0, value: bytes = b"") -> Record:
    """Return a record that holds `value`."""
    return Record(topic, partition, offset, None, value, (), int(EPOCH * 1000))


def delivery(
    event_id: str = "a", *, page: Page | None = None, offset: int = 0, form: Shaped | None = None, value: bytes = b""
) -> Delivery:
    """Return a delivery for the toy; its record is open on `page` when one is given."""
    page = page or Page("orders", 0, 1)
    origin = record(offset, topic=page.topic, partition=page.partition, value=value)
    form = form or shaped(event_id)
    return Delivery("toy", origin, page, "order_placed", event_id, EPOCH, "bundled", form)


def letter(offset: int = 0, *, page: Page | None = None, refusal: Refusal = REJECTED) -> DeadLetter:
    """Return a dead letter of the toy."""
    page = page or Page("orders", 0, 1)
    origin = record(offset, topic=page.topic, partition=page.partition)
    return DeadLetter(origin, page, "toy", "toy", refusal, f"id-{offset}", "bundled")
