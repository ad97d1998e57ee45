"""One request to Google: where it goes, what it names, and what must never be in it; and the destinations file."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest
from google_events import CARTS, LEADS, MANAGER, ORDERS, SECRETS, google, options, shaped
from meta_events import order
from toy import delivery

from pipeline.config.destinations import read_destinations
from pipeline.config.faults import DestinationsError
from pipeline.core.batch import ENVELOPE_BYTES, Queue
from pipeline.core.model import Accepted, Batch, Reply, Request, Skipped
from pipeline.core.reason import Reason
from pipeline.platforms import PLATFORMS, open_platform
from pipeline.platforms.google import DEFAULTS, KIND, MOST_EVENTS, Google
from pipeline.platforms.google_options import Cart, GoogleOptions

FILE = """
version: 1
destinations:
  - name: google-eu
    platform: google
    account: "{account}"
    mode: {mode}
    secrets: {secrets}
    options: {options}
"""
OPTIONS = '{conversion_actions: {order_placed: "987654321"}}'


def read_file(**changes: str) -> GoogleOptions:
    """Read a destinations file with one Google destination, and return its options."""
    given = {"account": "123-456-7890", "mode": "live", "secrets": "{service_account: key}", "options": OPTIONS}
    (found,) = read_destinations(FILE.format(**{**given, **changes}), PLATFORMS, production=False)
    assert isinstance(found.options, GoogleOptions)
    return found.options


def request(*payloads: bytes, group: str = ORDERS, **changes: Any) -> Request:  # noqa: ANN401 - the options check them
    """Write a request for payloads."""
    return google(options(**changes)).request(Batch(payloads, group), SECRETS)


def body(written: Request) -> dict[str, Any]:
    """Return a request's body, read back."""
    document: dict[str, Any] = orjson.loads(written.body)
    return document


@pytest.mark.parametrize("account", ["123-456-7890", "1234567890"])
def test_c1_account(account: str) -> None:
    """The account is ten digits, with hyphens or without, and stands in the body without them."""
    (found,) = body(google(account=account).request(Batch([b"{}"], ORDERS), SECRETS))["destinations"]

    assert {"accountType": "GOOGLE_ADS", "accountId": "1234567890"} == found["operatingAccount"]


@pytest.mark.parametrize("account", ["AW-123", "AW-1234567890", "123456789", "123-4567-890", "12345678901"])
def test_c1_no_account(account: str) -> None:
    """What is no customer id stops the worker from starting."""
    with pytest.raises(DestinationsError, match="account"):
        read_file(account=account)


def test_c1_manager() -> None:
    """The manager is named when access goes through one, and only then."""
    (alone,), (managed,) = (body(request(b"{}", **more))["destinations"] for more in ({}, {"login_account": MANAGER}))

    assert "loginAccount" not in alone
    assert {"accountType": "GOOGLE_ADS", "accountId": "1112223334"} == managed["loginAccount"]


def test_c2_encoding() -> None:
    """The request says that hashes are hexadecimal."""
    assert "HEX" == body(request(b"{}"))["encoding"]


def test_c12_limits() -> None:
    """No destination may ask for more than 2,000 events in a request, and by default it is 500."""
    limits = f"{OPTIONS}\n    limits: {{events_per_request: 2001}}"

    assert (MOST_EVENTS, 500) == (KIND.most_events, DEFAULTS.events_per_request) == (2000, 500)
    with pytest.raises(DestinationsError, match="2000"):
        read_file(options=limits)


def test_c12_one_event_too_many() -> None:
    """2,001 events of one action are two requests, of 2,000 and of 1."""
    small = replace(shaped(order()), payload=b"{}")
    queue = Queue(replace(DEFAULTS, events_per_request=MOST_EVENTS))
    queue.add([delivery(str(number), form=small) for number in range(2001)], now=0.0, unix=2e9)

    assert [2000, 1] == [len(batch) for batch in iter(lambda: queue.take(now=0.0, hurry=True), [])]


def test_c12_the_quota_of_a_day() -> None:
    """By default one destination stays below 100,000 requests a day and 300 a minute."""
    assert DEFAULTS.requests_per_second * 86_400 < 100_000
    assert DEFAULTS.requests_per_second * 60 < 300


@pytest.mark.parametrize("group", [ORDERS, LEADS])
def test_c13_one_destination(group: str) -> None:
    """A request has one destination, the conversion action of its events."""
    (found,) = body(request(b"{}", group=group))["destinations"]

    assert group == found["productDestinationId"]


def test_payloads_as_they_are() -> None:
    """The body holds the payloads byte for byte and in their order, within what a batch reserves for the envelope."""
    payloads = [b"{}", b'{"b":"\xc3\xa4"}', b'{"a":1.10}']
    tested = google(options(login_account=MANAGER), mode="test").request(Batch(payloads, "9" * 19), SECRETS)

    assert b',"events":[' + b",".join(payloads) + b"]," in tested.body
    assert len(tested.body) <= len(b",".join(payloads)) + ENVELOPE_BYTES


def test_c20_same_bytes_again() -> None:
    """A retry is the same request, byte for byte."""
    payload = shaped(order()).payload

    assert request(payload).body == request(payload).body


def test_c29_validate_only() -> None:
    """In mode test the request is only validated, and the answer gives no receipt to follow."""
    tested = google(mode="test")
    reply = Reply(200, {}, b'{"requestId":"r1"}')

    assert body(tested.request(Batch([b"{}"], ORDERS), SECRETS))["validateOnly"] is True
    assert "validateOnly" not in body(request(b"{}"))
    assert (Accepted(), Accepted("r1")) == (tested.read(reply, 1), google().read(reply, 1))


def test_c29_test_mode_is_enough() -> None:
    """Mode test needs no option beside it: nothing is stored."""
    assert KIND.test_option is None
    assert GoogleOptions(conversion_actions={"order_placed": ORDERS}) == read_file(mode="test")


def test_c29_token_in_the_header_only() -> None:
    """The token stands in one header, never in the address, the body or what is shown of the request."""
    written = request(b"{}")

    assert f"Bearer {SECRETS['token']}" == written.headers["Authorization"]
    assert not [text for text in (written.url, written.body.decode(), repr(written)) if SECRETS["token"] in text]


@pytest.mark.parametrize("base", ["https://datamanager.googleapis.com", "https://datamanager.googleapis.com/"])
def test_address(base: str) -> None:
    """The address has a version and the method, and no account."""
    written = request(b"{}", base_url=base)

    assert ("POST", "https://datamanager.googleapis.com/v1/events:ingest") == (written.method, written.url)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"conversion_actions": {"purchase": ORDERS}}, "none of our events"),
        ({"conversion_actions": {"order_placed": "AW-1/abc"}}, "numeric id"),
        ({"conversion_actions": {"order_placed": "customers/1/conversionActions/2"}}, "numeric id"),
        ({"conversion_actions": {"order_refunded": ORDERS}}, "belongs to the action of order_placed"),
        ({"conversion_actions": {"lead_submitted": LEADS, "lead_qualified": LEADS}}, "each needs its own"),
        ({"conversion_actions": {"order_placed": ORDERS, "lead_submitted": ORDERS}}, "order and lead; each kind"),
        ({"conversion_actions": {"order_placed": ORDERS, "page_view": ORDERS}}, "order and activity; each kind"),
        ({"conversion_actions": {"lead_submitted": LEADS, "subscribe": LEADS}}, "lead and activity; each kind"),
        ({"login_account": "AW-1"}, "login_account"),
        ({"event_sources": {"SHOP": "WEB"}}, "event_sources"),
        ({"event_sources": {"SYSTEM": "CRM"}}, "event_sources"),
        ({"base_url": "datamanager"}, "base_url"),
        ({"token_url": "oauth2"}, "token_url"),
        ({"metadata_url": "metadata"}, "metadata_url"),
    ],
)
def test_options_that_cannot_be_meant(changes: dict[str, Any], words: str) -> None:
    """What Google cannot mean is a fault of the configuration, not of every event."""
    with pytest.raises(ValueError, match=words):
        options(**changes)


def test_activities_may_share_an_action() -> None:
    """Two activities have two ids, so that one action may stand for both."""
    assert (
        options(conversion_actions={"add_to_cart": CARTS, "page_view": CARTS}).conversion_actions["page_view"] == CARTS
    )


def test_merchant_is_a_number() -> None:
    """A merchant is named by number."""
    with pytest.raises(ValueError, match="merchant_id"):
        Cart("shop")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"options": "{}"}, "conversion_actions"),
        ({"secrets": "{}"}, "service_account"),
        ({"options": OPTIONS[:-1] + ", credentials: metadata_server}"}, "not used"),
        ({"options": OPTIONS[:-1] + ", shape: app}"}, "shape"),
        ({"options": OPTIONS[:-1] + ", cancellations: retract}"}, "cancellations"),
        ({"secrets": "{service_account: key, token: t}"}, "token"),
    ],
)
def test_destinations_that_cannot_be_meant(changes: dict[str, str], words: str) -> None:
    """The destinations file says what is wrong with a destination as a whole."""
    with pytest.raises(DestinationsError, match=words):
        read_file(**changes)


def test_destinations_file() -> None:
    """A destination is opened from the file, with a key file or on the metadata server."""
    keyless = read_file(
        options=OPTIONS[:-1] + ", credentials: metadata_server, cart: {merchant_id: '1'}}", secrets="{}"
    )
    (found,) = read_destinations(
        FILE.format(account="1234567890", mode="live", secrets="{service_account: key}", options=OPTIONS),
        PLATFORMS,
        production=True,
    )

    assert ("metadata_server", Cart("1")) == (keyless.credentials, keyless.cart)
    assert "1234567890" in open_platform(found).request(Batch([b"{}"], ORDERS), SECRETS).body.decode()


def test_options_of_another_platform() -> None:
    """A destination without options of Google's has no conversion actions, and sends nothing."""
    bare = Google(replace(google().destination, options=None))

    assert Skipped(Reason.NO_PLATFORM_EVENT) == bare.shape(order())
