"""Google Data Manager API: `POST /v1/events:ingest`, for conversions of Google Ads.

Sources: developers.google.com/data-manager/api: send-events, format user data, limits, understand-errors, and the
reference (read 2026-11). Where they are silent, docs/platforms/google.md says what was decided and why.
Google answers twice: acceptance is read by `google_replies`, the final word, hours later, by `google_status`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import orjson
from typing_extensions import override

from pipeline.core.consent import EEA, place_of
from pipeline.core.contract import Body
from pipeline.core.destination import Destination, Limits
from pipeline.core.identify import MatchTable, identify
from pipeline.core.model import Batch, Event, NoReply, Refusal, Reply, Request, Shaped, Skipped, Verdict
from pipeline.core.reason import Reason
from pipeline.platforms import google_parts as parts
from pipeline.platforms import google_replies as replies
from pipeline.platforms.base import Grant, Platform, PlatformKind, encoded
from pipeline.platforms.common import DAY, MARGIN, TAKEN_BACK, Json, country_of, day_of
from pipeline.platforms.google_keys import CLICK_IDS, POSTAL_ADDRESS, WEIGHTS, match_table
from pipeline.platforms.google_options import ACCOUNT, EVENT_SOURCES, GoogleOptions, customer_id, faults
from pipeline.platforms.google_status import GoogleFollowing
from pipeline.platforms.google_token import grant_of
from pipeline.platforms.options import options_of

# Google Ads Help: how long after its click a conversion counts, and without a click. The API itself gives no number.
MOST_AGE: Final = 90 * DAY
MOST_AGE_WITHOUT_CLICK: Final = 63 * DAY
# Where an address is never sent, whatever the options say: the same places in which consent is asked first.
NO_ADDRESS: Final = EEA | {"gb", "ch"}

# limits page: 2,000 events; 300 requests a minute and 100,000 a day for the whole Cloud project.
MOST_EVENTS: Final = 2000
DEFAULTS: Final = Limits(
    events_per_request=500,
    bytes_per_request=1_000_000,
    requests_per_second=1.0,
    linger_seconds=2.0,
    timeout_seconds=30.0,
)


class Google(Platform):
    """One Google Ads account, with a conversion action for each event."""

    def __init__(self, destination: Destination) -> None:
        options = options_of(destination, GoogleOptions)
        self.destination = destination
        self._options = options
        self._actions = dict(options.conversion_actions)
        if "order_placed" in self._actions:
            self._actions.update(dict.fromkeys(TAKEN_BACK, self._actions["order_placed"]))
        self._sources = {**EVENT_SOURCES, **options.event_sources}
        self._tables = {
            (lead, ip): match_table(lead=lead, ip=ip) for lead in (False, True) for ip in (False, options.send_ip)
        }
        self._merchant = _merchant(options)
        self._url = f"{options.base_url.rstrip('/')}/v1/events:ingest"
        self._tests = destination.mode == "test"

    @override
    def keys(self, event: Event) -> MatchTable:
        """Return the table for leads, or for anything else; with the visitor's address where it may be sent."""
        ip = self._options.send_ip and _may_have_address(event)
        return self._tables[event.kind == "lead", ip]

    @override
    def shape(self, event: Event) -> Shaped | Skipped | Refusal:
        """Put an event into Google's words; the key order is fixed, so the same event gives the same bytes."""
        action = self._actions.get(event.name)
        if action is None:
            return Skipped(Reason.NO_PLATFORM_EVENT)
        taken_back = event.name in TAKEN_BACK
        worth = parts.worth(event)
        skipped = self._not_restated(event, worth) if taken_back else None
        if skipped is not None:
            return Skipped(skipped)
        fault = parts.fault_of(event, worth)
        if fault is not None:
            return Refusal(Reason.INVALID_EVENT, fault)
        country = country_of(event)
        found = identify(event.body, self.keys(event), country, day_of(event), event.seals)
        click = parts.click_of(found.keys)
        identifiers = parts.user_identifiers(found.keys)
        unmatchable = parts.unmatchable(click, identifiers)
        if unmatchable is not None:
            return Refusal(Reason.NO_MATCH_KEY, unmatchable)
        sent = identifiers[: parts.MOST_IDENTIFIERS]
        ad_identifiers = parts.ad_identifiers(found.keys, click)
        device = parts.device(found.keys)
        payload = {
            "transactionId": event.own_id.strip(),
            "eventTimestamp": parts.timestamp(event.body["occurred_at"]),
            **self._source(event.body),
            **parts.money(worth, event),
            **parts.section("adIdentifiers", ad_identifiers),
            **({"userData": {"userIdentifiers": sent}} if sent else {}),
            **parts.section("consent", parts.consent(event.body)),
            **parts.section("eventDeviceInfo", device),
            **parts.section("userProperties", parts.user_properties(event.body)),
            **parts.section("cartData", self._cart(event, click)),
        }
        return Shaped(
            action,
            encoded(payload),
            expires_at=event.time + (MOST_AGE_WITHOUT_CLICK if click is None else MOST_AGE) - MARGIN,
            not_before=event.time,
            match_keys=(*dict.fromkeys(name for one in sent for name in one), *ad_identifiers, *device),
            dropped=found.dropped,
            group=action,
            notes=parts.notes_of(event, found, country, cut=len(identifiers) - len(sent)),
        )

    @override
    def request(self, batch: Batch, secrets: Mapping[str, str]) -> Request:
        """Write one POST with one destination: only so do positions and status speak of this batch alone."""
        head = orjson.dumps({"destinations": [self._destination(batch.group)]})[:-1]
        tail = b'],"encoding":"HEX"' + (b',"validateOnly":true}' if self._tests else b"}")
        headers = {"Authorization": f"Bearer {secrets['token']}", "Content-Type": "application/json"}
        return Request(self._url, headers, head + b',"events":[' + b",".join(batch.payloads) + tail)

    @override
    def read(self, reply: Reply | NoReply, count: int) -> Verdict:
        """Read the verdict on a batch of `count`: see `google_replies`."""
        return replies.read(reply, count, tests=self._tests)

    @override
    def grant(self) -> Grant:
        """Return how an access token is got: signed for by a key file, or from the metadata server."""
        return grant_of(self._options)

    def _not_restated(self, event: Event, worth: Decimal | None) -> Reason | None:
        """Return why what is left of an order that was taken back is not told, or None."""
        if worth is None or not event.body["currency"]:
            return Reason.NO_REMAINING_VALUE
        return Reason.NO_PLATFORM_EVENT if worth == 0 and self._options.cancellations == "skip" else None

    def _source(self, body: Body) -> Json:
        """Return where it happened. What adds to a Google tag happened on the web, or Google is not told."""
        source = self._sources[body["action_source"]]
        return {} if self._options.shape == "webpage" and source != "WEB" else {"eventSource": source}

    def _cart(self, event: Event, click: str | None) -> Json:
        """Return the cart of a new order or a step towards one; Google ignores it with a braid."""
        if self._merchant is None or event.name in TAKEN_BACK or click in ("wbraid", "gbraid"):
            return {}
        return parts.cart_data(event, self._merchant)

    def _destination(self, action: str) -> Json:
        login = self._options.login_account
        return {
            "operatingAccount": _account(self.destination.account),
            **({} if login is None else {"loginAccount": _account(login)}),
            "productDestinationId": action,
        }


def _account(account: str) -> Json:
    return {"accountType": "GOOGLE_ADS", "accountId": customer_id(account)}


def _merchant(options: GoogleOptions) -> Json | None:
    cart = options.cart
    if cart is None:
        return None
    named = {
        "merchantId": cart.merchant_id,
        "merchantFeedLabel": cart.feed_label,
        "merchantFeedLanguageCode": cart.feed_language,
    }
    return {name: value for name, value in named.items() if value}


def _may_have_address(event: Event) -> bool:
    # Who was asked abroad may still live where an address is not ours to give.
    place = place_of(event.body)
    return place is not None and NO_ADDRESS.isdisjoint((place, country_of(event)))


KIND: Final = PlatformKind(
    name="google",
    options=GoogleOptions,
    defaults=DEFAULTS,
    open=Google,
    secrets=(),
    most_events=MOST_EVENTS,
    account=ACCOUNT,
    faults=faults,
    optional_secrets=("service_account",),
    weights=WEIGHTS,
    composed={"address": POSTAL_ADDRESS},
    one_of=(CLICK_IDS,),
    follow=GoogleFollowing,
)
