"""One request to TikTok: where it goes, what shares it, and what must never be in it."""

from __future__ import annotations

import re
from dataclasses import replace

import orjson
import pytest
from tiktok_events import CRM, EVERYWHERE, OFFLINE, PIXEL, destination, lead, order, shape, shaped, tiktok
from toy import delivery

from pipeline.config.destinations import read_destinations
from pipeline.config.faults import DestinationsError
from pipeline.core.batch import ENVELOPE_BYTES, Queue
from pipeline.core.model import Batch, Request, Shaped
from pipeline.platforms import PLATFORMS, open_platform
from pipeline.platforms.tiktok import DEFAULTS, KIND, MOST_EVENTS, TikTok, TikTokOptions

TOKEN = "tiktok-token"
WEB = f"web:{PIXEL}"
FILE = """
version: 1
destinations:
  - name: tiktok-eu
    platform: tiktok
    account: "C4ABCDEFGHIJKLMNOPQR"
    mode: {mode}
    secrets: {{token: tiktok_token}}
    options: {options}
"""


def request(*payloads: bytes, group: str = WEB, options: TikTokOptions = EVERYWHERE, account: str = PIXEL) -> Request:
    """Write a request for payloads."""
    return tiktok(options, account=account).request(Batch(payloads, group), {"token": TOKEN})


def batches(*forms: Shaped) -> list[tuple[str, list[str]]]:
    """Return the group and the events of each batch that a lane would make of these."""
    queue = Queue(DEFAULTS)
    queue.add([delivery(str(number), form=form) for number, form in enumerate(forms)], now=0.0, unix=2e9)
    taken = iter(lambda: queue.take(now=0.0, hurry=True), [])
    return [(batch[0].shaped.group, [item.event_id for item in batch]) for batch in taken]


def test_c12_events_of_two_sources() -> None:
    """Two events of the web and one of a CRM make two requests, each to its own event source."""
    web, crm = shaped(order()), shaped(lead({"action_source": "SYSTEM"}))

    assert [(WEB, ["0", "1"]), (f"crm:{CRM}", ["2"])] == batches(web, web, crm)


@pytest.mark.parametrize(
    ("group", "source", "given"), [(WEB, "web", PIXEL), (f"offline:{OFFLINE}", "offline", OFFLINE)]
)
def test_c12_source_of_a_request(group: str, source: str, given: str) -> None:
    """A request names the event source of its batch, once and before the events."""
    expected = f'{{"event_source":"{source}","event_source_id":"{given}","data":[{{}}]}}'

    assert expected.encode() == request(b"{}", group=group).body


def test_c13_a_thousand_and_one() -> None:
    """A thousand and one events make a request of a thousand and one of one."""
    form = replace(shaped(order()), payload=b"{}")

    assert [1000, 1] == [len(events) for _, events in batches(*[form] * 1001)]
    assert MOST_EVENTS == KIND.most_events == DEFAULTS.events_per_request


def test_c13_payloads_as_they_are() -> None:
    """The payloads stand in the body byte for byte, and the longest envelope is within what a batch reserves for it."""
    payloads = [b"{}", b'{"b":"\xc3\xa4"}', b'{"a":1.10}']
    longest = TikTokOptions(offline_event_set_id="7" * 32, test_event_code="T" * 64)
    body = request(*payloads, options=longest, group=f"offline:{'7' * 32}").body

    assert body.endswith(b'"data":[' + b",".join(payloads) + b"]}")
    assert len(body) <= len(b",".join(payloads)) + ENVELOPE_BYTES


def test_token_in_the_header_only() -> None:
    """The token stands in the header that TikTok reads, never in the URL, the body or what is shown of the request."""
    written = request(b"{}")

    assert {"Access-Token": TOKEN, "Content-Type": "application/json"} == written.headers
    assert not [text for text in (written.url, written.body.decode(), repr(written)) if TOKEN in text]


@pytest.mark.parametrize("base", ["https://business-api.tiktok.com", "https://business-api.tiktok.com/"])
def test_address(base: str) -> None:
    """The address is version 1.3 with its last slash, and has no query."""
    written = request(b"{}", options=TikTokOptions(base_url=base))

    assert ("POST", "https://business-api.tiktok.com/open_api/v1.3/event/track/") == (written.method, written.url)


def test_destinations_do_not_mix() -> None:
    """A request goes to the pixel of its own destination."""
    theirs = tiktok(account="C0OTHER").shape(order())
    assert isinstance(theirs, Shaped)

    assert "C0OTHER" == orjson.loads(request(b"{}", group=theirs.group, account="C0OTHER").body)["event_source_id"]


@pytest.mark.parametrize(
    ("mode", "options"),
    [("live", "{test_event_code: TEST1}"), ("test", "{test_event_code: TEST1}"), ("test", "{}")],
)
def test_no_tests_in_production(mode: str, options: str) -> None:
    """In production neither test mode nor a test event code is taken: such events would be lost to reporting."""
    with pytest.raises(DestinationsError, match="production"):
        read_destinations(FILE.format(mode=mode, options=options), PLATFORMS, production=True)


def test_tests_need_a_code() -> None:
    """Test mode without a code is a fault: live conversions would be sent."""
    with pytest.raises(DestinationsError, match="test_event_code"):
        read_destinations(FILE.format(mode="test", options="{}"), PLATFORMS, production=False)


def test_tests_elsewhere() -> None:
    """Elsewhere the code stands once, in the head of the request, and makes all of it test traffic."""
    file = FILE.format(mode="test", options="{test_event_code: TEST1}")
    (found,) = read_destinations(file, PLATFORMS, production=False)
    body = open_platform(found).request(Batch([b"{}"], WEB), {"token": TOKEN}).body

    assert {
        "event_source": "web",
        "event_source_id": PIXEL,
        "test_event_code": "TEST1",
        "data": [{}],
    } == orjson.loads(body)


def test_code_changes_no_event() -> None:
    """A test event code is no part of an event: the same event gives the same bytes."""
    assert shape(order()) == shape(order(), TikTokOptions(test_event_code="TEST1"))


def test_options_of_another_platform() -> None:
    """A destination without options of TikTok's gets the defaults."""
    bare = TikTok(destination(None))

    assert "https://business-api.tiktok.com/" in bare.request(Batch([b"{}"], WEB), {"token": TOKEN}).url


@pytest.mark.parametrize("account", ["C4ABCDEFGHIJKLMNOPQR", "7100000000000000001", "C4-ABC", ""])
def test_account_is_a_pixel_code(account: str) -> None:
    """A pixel's code has letters and digits; an id of digits alone is that of something else."""
    assert (account == PIXEL) == bool(re.fullmatch(KIND.account, account))
