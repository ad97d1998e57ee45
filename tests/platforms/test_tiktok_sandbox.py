"""What the sandbox, which shares no code with the sender, makes of its requests, and the sender of its answers."""

from __future__ import annotations

import pytest
from tiktok_events import CRM, NOW, OFFLINE, PIXEL, activity, lead, order, shaped, tiktok

from pipeline.core.model import Accepted, Batch, Doubt, Halt, Later, Reply, Shaped, Verdict
from pipeline.core.reason import Reason
from pipeline.sandbox import contract
from pipeline.sandbox.controls import Controls, Rejection
from pipeline.sandbox.tiktok import TikTok

TOKEN = "tiktok-token"
FORMS = {
    "web": [shaped(order()), shaped(lead()), shaped(activity())],
    "offline": [shaped(order({"action_source": "STORE"}))],
    "app": [shaped(order({"action_source": "APP", "app": {"os": "IOS"}}))],
    "crm": [shaped(lead({"action_source": "SYSTEM"}))],
}


def judge(forms: list[Shaped], controls: Controls | None = None, *, token: str = TOKEN) -> contract.Verdict:
    """Return what the sandbox makes of one request."""
    request = tiktok().request(Batch([form.payload for form in forms], forms[0].group), {"token": token})
    call = contract.Call(1, request.method, {}, {}, request.headers, body=request.body)
    return TikTok(controls or Controls()).judge(call, NOW)


def verdict_on(reply: contract.Reply, count: int) -> Verdict:
    """Return the sender's verdict on an answer of the sandbox."""
    headers = {name.lower(): value for name, value in reply.headers.items()}
    return tiktok().read(Reply(reply.status, headers, reply.body), count)


@pytest.mark.parametrize("source", FORMS)
def test_every_source_is_taken(source: str) -> None:
    """A request of every event source is taken whole, without a notice, and read as accepted."""
    found = judge(FORMS[source])

    assert (len(FORMS[source]), {}) == (len(found.accepted), dict(found.notices))
    assert Accepted() == verdict_on(found.reply, len(FORMS[source]))


@pytest.mark.parametrize(("source", "expected"), [("web", PIXEL), ("offline", OFFLINE), ("crm", CRM)])
def test_every_source_has_its_account(source: str, expected: str) -> None:
    """Events reach the account of their own source."""
    assert expected == judge(FORMS[source]).dataset


def test_c14_an_event_that_only_tiktok_refuses() -> None:
    """A request with one bad event is doubted whole, with no suspect; without it, the others are taken."""
    forms = FORMS["web"]
    controls = Controls(rejections=[Rejection("lead_submitted:*")])
    doubt = verdict_on(judge(forms, controls).reply, 3)
    assert isinstance(doubt, Doubt)

    assert ("40002", ()) == (doubt.refusal.code, doubt.suspects)
    assert Accepted() == verdict_on(judge([forms[0], forms[2]], controls).reply, 2)


def test_c15_throttle() -> None:
    """The sandbox's throttle is read as one."""
    sandbox = TikTok(Controls())
    call = contract.Call(1, "POST", {}, {}, {})
    verdict = verdict_on(sandbox.failure(call, sandbox.throttle), 3)

    assert (Later, Reason.THROTTLED) == (type(verdict), getattr(verdict, "reason", None))


@pytest.mark.parametrize("state", ["expired", "revoked"])
def test_c16_dead_token(state: str) -> None:
    """A token that the sandbox does not take any more halts the lane."""
    controls = Controls()
    setattr(controls.access, state, frozenset({TOKEN}))
    verdict = verdict_on(judge(FORMS["web"], controls).reply, 3)

    assert (Halt, Reason.UNAUTHORIZED) == (type(verdict), getattr(verdict, "reason", None))


def test_c16_account_of_others() -> None:
    """A pixel that the token may not use halts the lane."""
    controls = Controls()
    controls.access.datasets = frozenset({"C0OTHER"})
    verdict = verdict_on(judge(FORMS["web"], controls).reply, 3)

    assert (Halt, Reason.MISCONFIGURED) == (type(verdict), getattr(verdict, "reason", None))


def test_part_of_a_request() -> None:
    """A partial success is split."""
    sandbox, call = TikTok(Controls()), contract.Call(1, "POST", {}, {}, {})
    verdict = verdict_on(sandbox.shortened(call, judge(FORMS["web"]), 1).reply, 3)

    assert isinstance(verdict, Doubt)
