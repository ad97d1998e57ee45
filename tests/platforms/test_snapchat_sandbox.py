"""The sender's requests through the sandbox, which shares no code with it, over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from meta_events import NOW, activity, lead, order
from snapchat_events import EVERYWHERE, IOS, shaped, snapchat

from pipeline.core.destination import Mode
from pipeline.core.model import Accepted, Batch, Blamed, Doubt, Halt, Later, NoReply, Reply, Request, Verdict
from pipeline.core.reason import Reason
from pipeline.edge.http import HttpSender
from pipeline.platforms.snapchat import Snapchat, SnapchatOptions
from pipeline.sandbox.config import SandboxConfig
from pipeline.sandbox.server import running_sandbox

TOKEN = "eyJ.snap+/=&?#% token"
GOOD, OTHER = shaped(order()).payload, shaped(lead()).payload
BAD = GOOD.replace(b'"event_name":"PURCHASE"', b'"event_name":"NOTHING"')


class Answers:
    """What the sandbox answered, and what it kept."""

    def __init__(self, replies: Sequence[Reply | NoReply], accepted: int) -> None:
        self.replies = replies
        self.accepted = accepted


def ask(*payloads: bytes, options: SnapchatOptions = EVERYWHERE, mode: Mode = "live", token: str = TOKEN) -> Answers:
    """Send a batch of the pixel, and then the inquiry about it."""

    async def run() -> Answers:
        async with running_sandbox(SandboxConfig(tokens=[TOKEN]), now=lambda: NOW) as sandbox, HttpSender() as sender:
            platform = opened(replace(options, base_url=sandbox.url), mode)
            batch, secrets = Batch(payloads, shaped(order()).group), {"token": token}
            requests: list[Request] = [platform.request(batch, secrets), platform.inquiry(batch, secrets)]
            replies = [await sender.send(request, within=10.0) for request in requests]
            return Answers(replies, sandbox.stats.accepted)

    return asyncio.run(run())


def opened(options: SnapchatOptions, mode: Mode) -> Snapchat:
    """Open a destination."""
    return snapchat(options, mode=mode)


def verdict(answers: Answers, count: int) -> Verdict:
    """Return the verdict on the batch."""
    return snapchat().read(answers.replies[0], count)


@pytest.mark.parametrize("place", ["query", "header"])
def test_taken(place: str) -> None:
    """Orders, leads and activities are taken, with the token in the URL or in the header, whatever is in it."""
    options = replace(EVERYWHERE, token_in="header") if place == "header" else EVERYWHERE
    given = ask(GOOD, OTHER, shaped(activity()).payload, options=options)

    assert (Accepted(), 3) == (verdict(given, 3), given.accepted)


def test_app_and_pixel_do_not_mix() -> None:
    """The sandbox refuses a batch of two assets, which groups keep apart."""
    app = shaped(order({"action_source": "APP", "app": IOS}))

    assert isinstance(verdict(ask(GOOD, app.payload), 2), Doubt)
    assert app.group != shaped(order()).group


def test_14_culprit_is_named_when_asked_for() -> None:
    """A refused batch names nobody; the inquiry about it names index 2, and nothing is kept."""
    given = ask(GOOD, OTHER, BAD)
    found = verdict(given, 3)
    assert isinstance(found, Doubt)

    assert ((), "event_type", (2,), 0) == (
        found.suspects,
        found.refusal.code,
        tuple(snapchat().suspects(given.replies[1], 3)),
        given.accepted,
    )


@pytest.mark.parametrize("token", ["another", ""])
def test_15_token(token: str) -> None:
    """A token that the sandbox does not know halts the lane, and nobody is suspected."""
    given = ask(GOOD, token=token)
    found = verdict(given, 1)
    assert isinstance(found, Halt)

    assert (Reason.UNAUTHORIZED, ()) == (found.reason, tuple(snapchat().suspects(given.replies[1], 1)))


def test_tests_are_not_kept() -> None:
    """In mode `test` a batch is validated, its culprit named at once, and nothing is kept."""
    good, bad = ask(GOOD, OTHER, mode="test"), ask(GOOD, BAD, mode="test")
    found = verdict(bad, 2)
    assert isinstance(found, Blamed)

    assert (Accepted(), [1], 0, 0) == (verdict(good, 2), list(found.refused), good.accepted, bad.accepted)


def test_no_sandbox_is_an_outage() -> None:
    """Where nobody listens, the batch waits; what is told of it holds neither the URL nor the token."""

    async def run() -> Reply | NoReply:
        async with HttpSender() as sender:
            platform = opened(replace(EVERYWHERE, base_url="http://127.0.0.1:9"), "live")
            return await sender.send(platform.request(Batch([GOOD], "a"), {"token": "snap-secret"}), within=5.0)

    found = snapchat().read(asyncio.run(run()), 1)
    assert isinstance(found, Later)

    assert (Reason.OUTAGE, False) == (found.reason, "snap-secret" in repr(found))
