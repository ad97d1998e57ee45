"""One request to Snapchat: where it goes, what shares it, and where its token must never show."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from meta_events import activity, order
from snapchat_events import APP_ID, EVERYWHERE, IOS, PIXEL, destination, shape, shaped, snapchat
from toy import delivery

from pipeline.config.destinations import read_destinations
from pipeline.config.faults import DestinationsError
from pipeline.core.batch import ENVELOPE_BYTES, Queue
from pipeline.core.destination import Mode
from pipeline.core.model import Batch, NoReply, Reply, Request
from pipeline.platforms import PLATFORMS, open_platform
from pipeline.platforms.snapchat import DEFAULTS, KIND, MOST_EVENTS, Snapchat, SnapchatOptions

TOKEN = "eyJhbGciOiJIUzI1NiJ9.snap+/=&?#% token"
IN_HEADER = replace(EVERYWHERE, token_in="header")
URL = f"https://tr.snapchat.com/v3/{PIXEL}/events"
FILE = """
version: 1
destinations:
  - name: snapchat-eu
    platform: snapchat
    account: "6abc82ca-4a3a-4391-98ba-0317a8471234"
    mode: {mode}
    secrets: {{token: snapchat_token}}
    options: {options}
"""


def request(
    *payloads: bytes, group: str = PIXEL, options: SnapchatOptions = EVERYWHERE, mode: Mode = "live"
) -> Request:
    """Write a request for payloads."""
    return snapchat(options, mode=mode).request(Batch(payloads, group), {"token": TOKEN})


def inquiry(*payloads: bytes, options: SnapchatOptions = EVERYWHERE) -> Request:
    """Write an inquiry about payloads."""
    return snapchat(options).inquiry(Batch(payloads, PIXEL), {"token": TOKEN})


def test_11_a_pixel_and_an_app() -> None:
    """2,001 web and 3 app events make three requests: 2,000 and 1 to the pixel, 3 to the app."""
    web, app = shaped(order()), shaped(order({"action_source": "APP", "app": IOS}))
    small = [*[replace(web, payload=b"{}")] * 2001, *[replace(app, payload=b"{}")] * 3]
    queue = Queue(DEFAULTS)
    queue.add([delivery(str(number), form=form) for number, form in enumerate(small)], now=0.0, unix=2e9)
    taken = list(iter(lambda: queue.take(now=0.0, hurry=True), []))

    assert [(PIXEL, 2000), (APP_ID, 3), (PIXEL, 1)] == sorted(
        ((batch[0].shaped.group, len(batch)) for batch in taken), key=lambda one: -one[1]
    )
    assert MOST_EVENTS == KIND.most_events == DEFAULTS.events_per_request


@pytest.mark.parametrize("group", [PIXEL, APP_ID])
def test_11_asset_of_a_request(group: str) -> None:
    """A request goes to the asset of its batch."""
    assert f"https://tr.snapchat.com/v3/{group}/events" == request(b"{}", group=group).url.partition("?")[0]


@pytest.mark.parametrize("base", ["https://tr-shadow.snapchat.com", "https://tr-shadow.snapchat.com/"])
def test_another_host(base: str) -> None:
    """Another host is taken as it is given, the staging one for example."""
    written = request(b"{}", options=replace(IN_HEADER, base_url=base))

    assert ("POST", f"https://tr-shadow.snapchat.com/v3/{PIXEL}/events") == (written.method, written.url)


def test_payloads_as_they_are() -> None:
    """The body is the payloads, byte for byte and in their order, within what a batch reserves for the envelope."""
    payloads = [b"{}", b'{"b":"\xc3\xa4"}', b'{"a":1.10}']
    body = request(*payloads).body

    assert b'{"data":[' + b",".join(payloads) + b"]}" == body
    assert len(body) <= len(b",".join(payloads)) + ENVELOPE_BYTES


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_token_in_the_url_is_encoded(token: str) -> None:
    """Whatever the token is, it is one field of the query and changes nothing else of the URL."""
    parts = urlsplit(snapchat().request(Batch([b"{}"], PIXEL), {"token": token}).url)

    assert {"access_token": [token]} == parse_qs(parts.query, strict_parsing=True)
    assert ("tr.snapchat.com", f"/v3/{PIXEL}/events", "") == (parts.netloc, parts.path, parts.fragment)


def test_no_sign_of_the_token_parts_the_url() -> None:
    """Every sign that means something in a URL is encoded, the slash included."""
    assert f"{URL}?access_token=eyJhbGciOiJIUzI1NiJ9.snap%2B%2F%3D%26%3F%23%25%20token" == request(b"{}").url


def test_token_in_the_header() -> None:
    """A destination may send the token in a header instead; then it is nowhere in the URL."""
    written = request(b"{}", options=IN_HEADER)

    assert {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"} == written.headers
    assert URL == written.url


@pytest.mark.parametrize("options", [EVERYWHERE, IN_HEADER], ids=["query", "header"])
@pytest.mark.parametrize("write", [request, inquiry])
def test_17_token_is_shown_nowhere(write: Callable[..., Request], options: SnapchatOptions) -> None:
    """What is shown of a request, and its body, hold no token in any spelling, nor the field that names it."""
    written = write(b"{}", options=options)
    shown = f"{written!r}{written}{written.body!r}{snapchat(options).__dict__!r}"

    assert [] == [text for text in (TOKEN, "snap+", "snap%2B", "access_token", "Bearer") if text in shown]


def test_17_errors_hold_no_token() -> None:
    """A request that cannot be written, for a secret under another name, says nothing of its value."""
    with pytest.raises(KeyError) as caught:
        snapchat().request(Batch([b"{}"], PIXEL), {"tokens": TOKEN})

    assert "snap+" not in f"{caught.value!r}{caught.value}"


def test_17_verdicts_hold_no_token() -> None:
    """An answer that repeats the URL with its token is passed on by no verdict."""
    url = request(b"{}").url
    body = orjson.dumps({"status": "INVALID", "reason": url, "errors": {"codes": [url], "error_msgs": [url]}})
    verdicts = [snapchat().read(Reply(status, {"location": url}, body), 1) for status in range(200, 600)]

    assert [] == [verdict for verdict in verdicts if "snap%2B" in repr(verdict)]


def test_inquiry_asks_about_the_same_events() -> None:
    """An inquiry posts the very same body to where events are validated and none is kept."""
    asked, told = inquiry(b'{"a":1}', b"{}"), request(b'{"a":1}', b"{}")

    assert (told.body, told.headers, "POST") == (asked.body, asked.headers, asked.method)
    assert told.url.replace("/events?", "/events/validate?") == asked.url


def test_tests_are_validated_and_not_kept() -> None:
    """In mode `test` every request goes to where events are validated: no option is needed, nothing is recorded."""
    tested, live = request(b"{}", mode="test"), request(b"{}")

    assert (live.url.replace("/events?", "/events/validate?"), live.body) == (tested.url, tested.body)
    assert KIND.test_option is None


def test_tests_from_the_file() -> None:
    """The mode alone, in the destinations file, makes a destination a test; in production it is refused."""
    (found,) = read_destinations(FILE.format(mode="test", options="{}"), PLATFORMS, production=False)
    written = open_platform(found).request(Batch([b"{}"], PIXEL), {"token": "t"})

    assert f"{URL}/validate?access_token=t" == written.url
    with pytest.raises(DestinationsError, match="production"):
        read_destinations(FILE.format(mode="test", options="{}"), PLATFORMS, production=True)


def test_mode_changes_no_event() -> None:
    """A test is no part of an event: the same event gives the same bytes."""
    assert shape(order()) == snapchat(mode="test").shape(order())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("{token_in: cookie}", "token_in"),
        ("{limited_data_use: LTD}", "limited_data_use"),
        (f"{{app_id: {PIXEL}}}", "pixel id"),
        ("{event_names: {custom: Quiz}}", "does not know"),
    ],
)
def test_faults_of_the_file(options: str, said: str) -> None:
    """What Snapchat cannot mean is a fault of the destinations file, the pixel's id as the app's included."""
    with pytest.raises(DestinationsError, match=said):
        read_destinations(FILE.format(mode="live", options=options), PLATFORMS, production=True)


def test_options_from_the_file() -> None:
    """What Snapchat can mean is taken."""
    options = f"{{app_id: {APP_ID}, token_in: header, event_names: {{custom: CUSTOM_EVENT_5}}}}"
    (found,) = read_destinations(FILE.format(mode="live", options=options), PLATFORMS, production=True)

    expected = SnapchatOptions(app_id=APP_ID, token_in="header", event_names={"custom": "CUSTOM_EVENT_5"})
    assert expected == found.options


@pytest.mark.parametrize("account", [PIXEL, "", "a/b", "a?b", f"{PIXEL}/events", "a" * 65])
def test_account_is_a_part_of_the_url(account: str) -> None:
    """An account that would change the URL is no account."""
    assert (account == PIXEL) == bool(re.fullmatch(KIND.account, account))


def test_options_of_another_platform() -> None:
    """A destination without options of Snapchat's gets the defaults, and has no app and no site."""
    bare = Snapchat(destination(None))

    assert bare.request(Batch([b"{}"], PIXEL), {"token": "t"}).url.startswith(f"{URL}?")
    assert shaped(activity()) == bare.shape(activity())
    assert () == tuple(KIND.faults(destination(None)))


def test_no_answer_to_an_inquiry_names_nobody() -> None:
    """Whoever is not answered knows of no culprit."""
    assert () == snapchat().suspects(NoReply("no answer within 15 s"), 3)
