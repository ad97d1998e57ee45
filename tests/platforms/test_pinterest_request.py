"""One request to Pinterest: where it goes, what it proves, and what must never be in it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pinterest_events import ACCOUNT, order, pinterest, shaped

from pipeline.config.destinations import read_destinations
from pipeline.config.faults import DestinationsError
from pipeline.core.batch import ENVELOPE_BYTES
from pipeline.core.model import Batch, Request
from pipeline.platforms import PLATFORMS, open_platform
from pipeline.platforms.pinterest import DEFAULTS, KIND, Pinterest, PinterestOptions

TOKEN = "pina_conversion-token"
FILE = """
version: 1
destinations:
  - name: pinterest-eu
    platform: pinterest
    account: "{account}"
    mode: {mode}
    secrets: {{token: pinterest_token}}
"""


def request(*payloads: bytes, options: object = None, account: str = ACCOUNT) -> Request:
    """Write a request for payloads."""
    return pinterest(options, account=account).request(Batch(payloads), {"token": TOKEN})


def test_token_in_the_header_only() -> None:
    """The token stands in one header, never in the URL, the body or what is shown of the request."""
    written = request(b"{}")

    assert {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"} == written.headers
    assert not [text for text in (written.url, written.body.decode(), repr(written)) if TOKEN in text]


@pytest.mark.parametrize("base", ["http://127.0.0.1:8090", "http://127.0.0.1:8090/"])
def test_address(base: str) -> None:
    """The address has the ad account, and no query for live events."""
    written = request(b"{}", options=PinterestOptions(base_url=base))

    assert f"http://127.0.0.1:8090/v5/ad_accounts/{ACCOUNT}/events" == written.url


def test_payloads_as_they_are() -> None:
    """The body is the payloads, byte for byte and in their order, and nothing beside the key `data`."""
    payloads = [b"{}", b'{"b":"\xc3\xa4"}', b'{"a":1.10}']
    body = request(*payloads).body

    assert b'{"data":[{},{"b":"\xc3\xa4"},{"a":1.10}]}' == body
    assert len(body) <= len(b",".join(payloads)) + ENVELOPE_BYTES


def test_c10_limits() -> None:
    """A request has a thousand events at most, which is what Pinterest takes, and 2 MB."""
    assert (1000, 1000, 2_000_000) == (DEFAULTS.events_per_request, KIND.most_events, DEFAULTS.bytes_per_request)


def test_c11_accounts_do_not_mix() -> None:
    """A request goes to the ad account of its own destination."""
    assert ("1", "2") == tuple(request(b"{}", account=account).url.split("/")[-2] for account in ("1", "2"))


def test_c20_test_mode() -> None:
    """In test mode the address says so, and Pinterest records nothing; no option is needed for it."""
    (destination,) = read_destinations(FILE.format(mode="test", account="42"), PLATFORMS, production=False)
    written = open_platform(destination).request(Batch([b"{}"]), {"token": TOKEN})

    assert "https://api.pinterest.com/v5/ad_accounts/42/events?test=true" == written.url
    assert KIND.test_option is None


def test_c20_no_tests_in_production() -> None:
    """In production test mode is not taken: offsets would be committed for conversions that nobody recorded."""
    with pytest.raises(DestinationsError, match="production"):
        read_destinations(FILE.format(mode="test", account="42"), PLATFORMS, production=True)


def test_c20_test_mode_changes_no_event() -> None:
    """The mode is no part of an event: the same event gives the same bytes."""
    assert shaped(order()) == pinterest(mode="test").shape(order())


@pytest.mark.parametrize("account", ["act_42", "42x", "1234567890123456789", ""])
def test_accounts_that_are_none(account: str) -> None:
    """What is no id of an ad account is a fault of the configuration, not of every event."""
    with pytest.raises(DestinationsError, match="account"):
        read_destinations(FILE.format(mode="live", account=account), PLATFORMS, production=True)


def test_options_of_another_platform() -> None:
    """A destination without options of Pinterest's gets the defaults."""
    bare = Pinterest(replace(pinterest().destination, options=None))

    assert shaped(order()) == bare.shape(order())


def test_nobody_is_asked() -> None:
    """Pinterest cannot be asked which event of a refused request is to blame."""
    assert pinterest().inquiry(Batch([b"{}"]), {"token": TOKEN}) is None
