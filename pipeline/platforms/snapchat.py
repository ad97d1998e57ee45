"""Snapchat Conversions API, version 3: `POST /v3/{asset}/events`.

Sources: developers.snap.com, Conversions API: get-started, using-the-api, parameters, best-practices, deduplication,
verify-set-up, offline-events, as far as they could be read; Snapchat's own SDK; code that runs in production elsewhere
(read 2026-11). Where they are silent, docs/platforms/snapchat.md says what was decided and why.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal
from urllib.parse import quote

from typing_extensions import override

from pipeline.core.destination import Destination, Limits
from pipeline.core.identify import MatchTable, identify
from pipeline.core.model import Batch, Event, NoReply, Refusal, Reply, Request, Shaped, Skipped, Verdict
from pipeline.core.reason import Reason
from pipeline.platforms import snapchat_parts as parts
from pipeline.platforms import snapchat_replies as replies
from pipeline.platforms.base import Platform, PlatformKind, encoded
from pipeline.platforms.common import DAY, MARGIN, country_of, day_of, web_address
from pipeline.platforms.external_ids import ExternalIds
from pipeline.platforms.options import check_event_names, check_web_address, options_of
from pipeline.platforms.snapchat_keys import WEIGHTS, match_table
from pipeline.platforms.snapchat_parts import LimitWord, Source

# Our event names in Snapchat's words; a destination may override each one.
# Snapchat knows no refund and no cancellation: sending one as anything else would count it as a conversion.
EVENT_NAMES: Final[Mapping[str, str]] = {
    "order_placed": "PURCHASE",
    "lead_submitted": "SIGN_UP",
    "page_view": "PAGE_VIEW",
    "view_content": "VIEW_CONTENT",
    "search": "SEARCH",
    "add_to_cart": "ADD_CART",
    "initiate_checkout": "START_CHECKOUT",
    "add_payment_info": "ADD_BILLING",
    "complete_registration": "SIGN_UP",
    "subscribe": "SUBSCRIBE",
    "start_trial": "START_TRIAL",
}
STANDARD_EVENTS: Final = frozenset(
    "PURCHASE SAVE START_CHECKOUT ADD_CART VIEW_CONTENT ADD_BILLING SIGN_UP SEARCH PAGE_VIEW SUBSCRIBE AD_CLICK "
    "AD_VIEW COMPLETE_TUTORIAL LEVEL_COMPLETE INVITE LOGIN SHARE RESERVE ACHIEVEMENT_UNLOCKED ADD_TO_WISHLIST "
    "SPENT_CREDITS RATE START_TRIAL LIST_VIEW APP_INSTALL APP_OPEN".split()
)
# Their meaning is each pixel's own, so that none of them is used unless a destination says so.
CUSTOM_EVENTS: Final = frozenset(f"CUSTOM_EVENT_{number}" for number in range(1, 6))
# What happened neither on a website nor in an app happened offline.
ACTION_SOURCES: Final[Mapping[str, Source]] = {
    "WEBSITE": "WEB",
    "APP": "MOBILE_APP",
    "STORE": "OFFLINE",
    "PHONE": "OFFLINE",
    "CHAT": "OFFLINE",
    "EMAIL": "OFFLINE",
    "MESSAGING": "OFFLINE",
    "SYSTEM": "OFFLINE",
    "OTHER": "OFFLINE",
}

# introduction page: "to be eligible to be reported".
MOST_AGE: Final = 37 * DAY
# get-started page: 2,000 events, 10 requests a second; the bytes are another vendor's cap.
MOST_EVENTS: Final = 2000
DEFAULTS: Final = Limits(events_per_request=2000, bytes_per_request=2_000_000, requests_per_second=10.0)

# An asset's id is a part of the URL.
ASSET: Final = "[0-9A-Za-z-]{1,64}"
_ASSET: Final = re.compile(ASSET).fullmatch


@dataclass(frozen=True, slots=True)
class SnapchatOptions:
    """What a Snapchat destination may set beside the common things.

    Without `app_id`, the Snap App ID, app events are skipped; without `site_url`, what happened offline is, unless it
    has a page of its own. `external_ids` must say what the pixel does to an id.
    """

    app_id: str | None = None
    site_url: str | None = None
    # The name of a place, no token: S105 looks at the option's name only.
    token_in: Literal["query", "header"] = "query"  # noqa: S105
    limited_data_use: LimitWord = "LDU"
    base_url: str = "https://tr.snapchat.com"
    external_ids: ExternalIds = "as-written"
    event_names: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise ValueError for an id, an address or an event name that Snapchat cannot mean."""
        if self.app_id is not None and not _ASSET(self.app_id):
            raise ValueError("app_id must be 1 to 64 letters, digits and dashes")
        if self.site_url is not None:
            check_web_address("site_url", self.site_url)
        check_web_address("base_url", self.base_url)
        check_event_names(self.event_names, STANDARD_EVENTS)
        for event, name in self.event_names.items():
            if name not in STANDARD_EVENTS | CUSTOM_EVENTS:
                raise ValueError(
                    f"event_names: {event} has a name that Snapchat does not know; use CUSTOM_EVENT_1 to 5"
                )


class Snapchat(Platform):
    """One pixel, and the app that belongs to it."""

    def __init__(self, destination: Destination) -> None:
        options = options_of(destination, SnapchatOptions)
        self.destination = destination
        self._names = {**EVENT_NAMES, **options.event_names}
        self._tables = {
            (device, lead): match_table(options.external_ids, device=device, lead=lead)
            for device in (False, True)
            for lead in (False, True)
        }
        self._assets: Mapping[Source, str | None] = {
            "WEB": destination.account,
            "MOBILE_APP": options.app_id,
            "OFFLINE": destination.account,
        }
        self._site_url = web_address(options.site_url)
        self._limit_word = options.limited_data_use
        self._base = f"{options.base_url.rstrip('/')}/v3"
        self._auth_in = options.token_in
        self._tests = destination.mode == "test"

    @override
    def keys(self, event: Event) -> MatchTable:
        """Return the table for leads, or for anything else; with the device where it may be told."""
        app = event.body["app"]
        device = event.body["action_source"] == "APP" and app is not None and app["tracking_allowed"]
        return self._tables[device, event.kind == "lead"]

    @override
    def shape(self, event: Event) -> Shaped | Skipped | Refusal:
        """Put an event into Snapchat's words; the key order is fixed, so the same event gives the same bytes."""
        body = event.body
        name = self._names.get(event.name)
        if name is None:
            return Skipped(Reason.NO_PLATFORM_EVENT)
        source = ACTION_SOURCES[body["action_source"]]
        asset = self._assets[source]
        url = web_address(body["touch"]["url"]) or (self._site_url if source == "OFFLINE" else None)
        if asset is None or (source == "OFFLINE" and url is None):
            return Skipped(Reason.NOT_SET_UP)
        fault = parts.fault_of(event, name, source, url)
        if fault is not None:
            return Refusal(Reason.INVALID_EVENT, fault)
        country = country_of(event)
        found = identify(body, self.keys(event), country, day_of(event), event.seals)
        unmatchable = parts.unmatchable(found.keys)
        if unmatchable is not None:
            return Refusal(Reason.NO_MATCH_KEY, unmatchable)
        shaped = {
            "event_name": name,
            "event_time": int(event.time),
            "event_id": event.id,
            "action_source": source,
            **({"event_source_url": url} if url else {}),
            "user_data": found.keys,
            **parts.custom_data(event, name),
            **parts.app_data(body, source),
            **parts.processing(body, self._limit_word),
        }
        return Shaped(
            name,
            encoded(shaped),
            expires_at=int(event.time) + MOST_AGE - MARGIN,
            not_before=event.time,
            match_keys=tuple(found.keys),
            dropped=found.dropped,
            group=asset,
            notes=parts.notes_of(event, found.dropped, country),
        )

    @override
    def request(self, batch: Batch, secrets: Mapping[str, str]) -> Request:
        """Write one POST to the asset of the batch; in mode `test`, to where events are validated and not kept."""
        return self._post(batch, secrets, "events/validate" if self._tests else "events")

    @override
    def read(self, reply: Reply | NoReply, count: int) -> Verdict:
        """Read the verdict on a batch of `count`: see `snapchat_replies`."""
        return replies.read(reply, count)

    @override
    def inquiry(self, batch: Batch, secrets: Mapping[str, str]) -> Request:
        """Write the same batch to where each event is validated and none is kept."""
        return self._post(batch, secrets, "events/validate")

    @override
    def suspects(self, reply: Reply | NoReply, count: int) -> Sequence[int]:
        """Read the answer to an inquiry: see `snapchat_replies`."""
        return replies.suspects(reply, count)

    def _post(self, batch: Batch, secrets: Mapping[str, str], path: str) -> Request:
        """Write one POST. Snapchat documents the token in the URL, so that the URL is a secret."""
        token = secrets["token"]
        url = f"{self._base}/{batch.group}/{path}"
        headers = {"Content-Type": "application/json"}
        if self._auth_in == "query":
            url += f"?access_token={quote(token, safe='')}"
        else:
            headers["Authorization"] = f"Bearer {token}"
        return Request(url, headers, b'{"data":[' + b",".join(batch.payloads) + b"]}")


def faults(destination: Destination) -> Sequence[tuple[str, str]]:
    """Find the pixel's id where the app's belongs: Snapchat would count app events as the website's."""
    options = destination.options
    if isinstance(options, SnapchatOptions) and options.app_id == destination.account:
        return [("options.app_id is the pixel id of `account`", "set the Snap App ID, or leave it out")]
    return []


def notices(options: object, _today: date) -> Sequence[str]:
    """Say what is skipped because an option is missing."""
    given = options if isinstance(options, SnapchatOptions) else SnapchatOptions()
    said = []
    if given.app_id is None:
        said.append("events in the app are skipped: set options.app_id to the Snap App ID to send them")
    if given.site_url is None:
        said.append(
            "offline events without a page are skipped: set options.site_url to the site's address to send them"
        )
    return said


KIND: Final = PlatformKind(
    name="snapchat",
    options=SnapchatOptions,
    defaults=DEFAULTS,
    open=Snapchat,
    secrets=("token",),
    most_events=MOST_EVENTS,
    account=ASSET,
    notices=notices,
    faults=faults,
    weights=WEIGHTS,
)
