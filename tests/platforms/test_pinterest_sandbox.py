"""Sender and sandbox, which share no code, understand each other: every request is judged, every answer read."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

import goldens
import pytest
from pinterest_events import ACCOUNT, DAY, NOW, activity, event, lead, order, pinterest, shaped

from pipeline.core.contract import EVENTS_OF
from pipeline.core.destination import Mode
from pipeline.core.model import Accepted, Advice, Batch, Doubt, Halt, Later, Mixed, Reply, Request, Shaped, Verdict
from pipeline.core.reason import Reason
from pipeline.sandbox import contract
from pipeline.sandbox.controls import Access, Controls, Usage
from pipeline.sandbox.pinterest import Pinterest

TOKEN = "conversion-token"


def judged(
    *payloads: bytes, controls: Controls | None = None, mode: Mode = "live", now: float = NOW
) -> contract.Verdict:
    """Return what the sandbox makes of a request for payloads."""
    written = pinterest(mode=mode).request(Batch(payloads), {"token": TOKEN})
    return Pinterest(controls or Controls()).judge(call(written), now)


def call(written: Request) -> contract.Call:
    """Return a request as the sandbox gets it."""
    address = urlsplit(written.url)
    _, version, _, account, _ = address.path.split("/")
    return contract.Call(
        number=1,
        method=written.method,
        path={"version": version, "dataset": account},
        query=dict(parse_qsl(address.query)),
        headers=written.headers,
        body=written.body,
    )


def reply(given: contract.Reply) -> Reply:
    """Return an answer of the sandbox as the sender gets it."""
    return Reply(given.status, _lower(given.headers), given.body)


def read(given: contract.Verdict, count: int) -> Verdict:
    """Return what the sender reads in the sandbox's answer."""
    return pinterest().read(reply(given.reply), count)


def payloads() -> list[bytes]:
    """Return one payload for each event of ours that is sent."""
    names = (name for names in EVENTS_OF.values() for name in names)
    found = (pinterest().shape(event(name, {"event_id": f"{name}-1"})) for name in names)
    return [one.payload for one in found if isinstance(one, Shaped)]


def test_every_event_at_once() -> None:
    """One request with every event that Pinterest has a name for is accepted; names of the guide only are remarked."""
    sent = payloads()
    found = judged(*sent)

    assert (len(sent), ACCOUNT, None) == (found.taken, found.dataset, found.sender_fault)
    assert Accepted(warnings={"warning_message": 4}) == read(found, len(sent))


@pytest.mark.parametrize("case", [case for platform, case in goldens.CASES if platform == "pinterest"])
def test_golden_is_taken(case: str) -> None:
    """The sandbox takes every golden payload and finds nothing to remark."""
    found = judged(goldens.golden("pinterest", case))

    assert (1, {}) == (found.taken, dict(found.notices))


def test_c12_one_of_three_is_kept_back() -> None:
    """Of three events the one that the sandbox finds too old is refused, and the others are kept."""
    old = shaped(order({"event_id": "old", "occurred_at": "2025-11-11T08:00:00Z"}))
    found = judged(shaped(order()).payload, old.payload, shaped(lead()).payload)
    verdict = read(found, 3)
    assert isinstance(verdict, Mixed)

    assert ({1: Reason.EXPIRED}, 2) == ({at: one.reason for at, one in verdict.refused.items()}, found.taken)


def test_c14_unknown_key() -> None:
    """An unknown key refuses the whole request, and the sender has nobody to blame yet."""
    found = judged(shaped(order()).payload, shaped(lead()).payload.replace(b'"language"', b'"locale"'))
    verdict = read(found, 2)

    assert isinstance(verdict, Doubt)
    assert (0, Reason.REJECTED, "4196") == (found.taken, verdict.refusal.reason, verdict.refusal.code)


def test_c13_shorter_list() -> None:
    """An answer that lists fewer events than were sent is believed of none, and none is sent again."""
    sent = payloads()
    sandbox = Pinterest(Controls())
    whole = judged(*sent)
    written = pinterest().request(Batch(sent), {"token": TOKEN})
    verdict = read(sandbox.shortened(call(written), whole, 1), len(sent))
    assert isinstance(verdict, Mixed)

    assert dict.fromkeys(range(len(sent)), Reason.UNCONFIRMED) == {
        at: one.reason for at, one in verdict.refused.items()
    }


@pytest.mark.parametrize(
    ("access", "expected"),
    [
        (Access(revoked=frozenset({TOKEN})), Reason.UNAUTHORIZED),
        (Access(datasets=frozenset({"1"})), Reason.MISCONFIGURED),
    ],
)
def test_c15_halts(access: Access, expected: Reason) -> None:
    """A revoked token and an account of somebody else halt the lane."""
    verdict = read(judged(shaped(order()).payload, controls=Controls(access=access)), 1)

    assert isinstance(verdict, Halt)
    assert expected is verdict.reason


@pytest.mark.parametrize(("malformed", "wait"), [(False, 7.0), (True, None)])
def test_c16_throttle(malformed: bool, wait: float | None) -> None:
    """A throttle waits as long as the sandbox's header says, and as usual where the header is nonsense."""
    controls = Controls(usage=Usage(reset_seconds=7, malformed=malformed))
    sandbox = Pinterest(controls)
    written = pinterest().request(Batch([b"{}"]), {"token": TOKEN})
    verdict = pinterest().read(reply(sandbox.failure(call(written), sandbox.throttle)), 1)

    assert isinstance(verdict, Later)
    assert (Reason.THROTTLED, wait) == (verdict.reason, verdict.wait)


@pytest.mark.parametrize(("load", "expected"), [(74, Advice()), (75, Advice(0.5)), (100, Advice(0.5, 1.0))])
def test_c16_usage(load: int, expected: Advice) -> None:
    """The sandbox's structured headers are read on success too."""
    found = judged(shaped(order()).payload, controls=Controls(usage=Usage(call_count=load)))

    assert expected == pinterest().advice(reply(found.reply))


def test_c17_age_is_inside_of_the_sandboxs() -> None:
    """The last moment at which an event may go is half an hour before the sandbox finds it too old."""
    found = shaped(activity())
    taken = [judged(found.payload, now=found.expires_at + more).taken for more in (0, 1800, 1801)]

    assert [1, 1, 0] == taken


def test_c20_tests_are_tests() -> None:
    """What is sent in test mode is checked, answered as usual and not recorded."""
    found = judged(shaped(order()).payload, mode="test")

    assert ("test", Accepted()) == (found.test_event_code, read(found, 1))


def test_late_is_offline() -> None:
    """An event of the web that is more than an hour late is accepted; Pinterest reports it as offline."""
    found = judged(shaped(order()).payload, now=NOW + DAY)

    assert ({"late_as_offline": 1}, Accepted()) == (dict(found.notices), read(found, 1))


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
