"""One request to Meta: where it goes, what it proves, and what must never be in it."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from meta_events import meta, order, shape

from pipeline.config.destinations import read_destinations
from pipeline.config.faults import DestinationsError
from pipeline.core.batch import ENVELOPE_BYTES
from pipeline.core.model import Batch, Request, Shaped
from pipeline.platforms import PLATFORMS, open_platform
from pipeline.platforms.meta import DEFAULTS, Meta, MetaOptions, appsecret_proof
from pipeline.sandbox.meta_request import MAX_EVENTS

TOKEN = "EAAB-token"
FILE = """
version: 1
destinations:
  - name: meta-eu
    platform: meta
    account: "123456789012345"
    mode: {mode}
    secrets: {{token: meta_token}}
    options: {options}
"""


def request(*payloads: bytes, options: MetaOptions | None = None, **secrets: str) -> Request:
    """Write a request for payloads."""
    return meta(options).request(Batch(payloads), {"token": TOKEN, **secrets})


def test_c34_proof() -> None:
    """The proof is the hexadecimal HMAC-SHA256 of the token under the app's secret."""
    expected = "294c307ff2427ed2140908ec13f483ef7f7d7819a8fc32fb535cf6ada2327ab2"

    assert expected == appsecret_proof("app-secret", TOKEN)
    assert expected == orjson.loads(request(b"{}", app_secret="app-secret").body)["appsecret_proof"]


def test_c34_no_proof_without_a_secret() -> None:
    """A destination that names no app secret proves nothing."""
    assert {"data": [{}]} == orjson.loads(request(b"{}").body)


@given(st.text(min_size=1), st.text(min_size=1))
def test_c34_proof_of_anything(secret: str, token: str) -> None:
    """Whatever the secret and the token are, the proof is the one of the standard library."""
    expected = hmac.digest(secret.encode(), token.encode(), hashlib.sha256).hex()

    assert expected == appsecret_proof(secret, token)


def test_c35_token_in_the_header_only() -> None:
    """The token stands in one header, never in the URL, the body or what is shown of the request."""
    written = request(b"{}", app_secret="app-secret")

    assert f"Bearer {TOKEN}" == written.headers["Authorization"]
    assert not [text for text in (written.url, written.body.decode(), repr(written)) if TOKEN in text]
    assert "app-secret" not in repr(written) + written.body.decode()


@pytest.mark.parametrize("base", ["https://graph.facebook.com", "https://graph.facebook.com/"])
def test_address(base: str) -> None:
    """The address has a version and the dataset, and no query."""
    written = request(b"{}", options=MetaOptions(api_version="v26.0", base_url=base))

    assert "https://graph.facebook.com/v26.0/123/events" == written.url


@pytest.mark.parametrize("version", ["25.0", "v25", "latest", "v25.0/", "V25.0", ""])
def test_version_that_cannot_be_meant(version: str) -> None:
    """A version that is none is a fault of the configuration, not of every event."""
    with pytest.raises(ValueError, match="api_version"):
        MetaOptions(api_version=version)


def test_c36_payloads_as_they_are() -> None:
    """The body is the payloads, byte for byte and in their order, within what a batch reserves for the envelope."""
    payloads = [b"{}", b'{"b":"\xc3\xa4"}', b'{"a":1.10}']
    body = request(*payloads, options=MetaOptions(test_event_code="TEST12345"), app_secret="s").body

    assert b'{"data":[' + b",".join(payloads) + b"]," == body[: len(b",".join(payloads)) + 11]
    assert len(body) <= len(b",".join(payloads)) + ENVELOPE_BYTES


def test_c36_default_limits() -> None:
    """Out of the box a request has 500 events and 900 kB at most: half of what Meta takes."""
    assert (500, 900_000) == (DEFAULTS.events_per_request, DEFAULTS.bytes_per_request)
    assert MAX_EVENTS == 2 * DEFAULTS.events_per_request


def test_c36_lanes_do_not_mix() -> None:
    """A request goes to the dataset of its own destination, with its own token."""
    ours, theirs = meta(account="1"), meta(account="2")

    assert ("1", "2") == tuple(
        one.request(Batch([b"{}"]), {"token": TOKEN}).url.split("/")[-2] for one in (ours, theirs)
    )


@pytest.mark.parametrize(
    ("mode", "options"),
    [("live", "{test_event_code: TEST1}"), ("test", "{test_event_code: TEST1}"), ("test", "{}")],
)
def test_c37_no_tests_in_production(mode: str, options: str) -> None:
    """In production neither test mode nor a test event code is taken: such events would count as real ones."""
    with pytest.raises(DestinationsError, match="production"):
        read_destinations(FILE.format(mode=mode, options=options), PLATFORMS, production=True)


def test_c37_tests_elsewhere() -> None:
    """Elsewhere the code stands once, at the top of the request."""
    (destination,) = read_destinations(
        FILE.format(mode="test", options="{test_event_code: TEST1}"), PLATFORMS, production=False
    )

    assert {"data": [{}], "test_event_code": "TEST1"} == orjson.loads(
        open_platform(destination).request(Batch([b"{}"]), {"token": TOKEN}).body
    )


def test_c37_code_changes_no_event() -> None:
    """A test event code is no part of an event: the same event gives the same bytes."""
    assert shape(order()) == shape(order(), MetaOptions(test_event_code="TEST1"))


def test_options_of_another_platform() -> None:
    """A destination without options of Meta's gets the defaults."""
    bare = Meta(replace(meta().destination, options=None))
    shaped = bare.shape(order())
    assert isinstance(shaped, Shaped)

    assert "https://graph.facebook.com/v25.0/123/events" == bare.request(Batch([shaped.payload]), {"token": TOKEN}).url
