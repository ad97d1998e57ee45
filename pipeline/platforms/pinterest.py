"""Pinterest Conversions API v5: `POST /v5/ad_accounts/{account}/events`.

Sources: the vendor's API description 5.23.0, its pages on conversions, limited data processing and rate limits, and
code that runs in production elsewhere (read 2026-11).
Where they are silent, docs/platforms/pinterest.md says what was decided and why.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from typing_extensions import override

from pipeline.core.contract import Body
from pipeline.core.destination import Destination, Limits
from pipeline.core.identify import MatchTable, identify
from pipeline.core.model import Advice, Batch, Event, NoReply, Refusal, Reply, Request, Shaped, Skipped, Verdict
from pipeline.core.reason import Reason
from pipeline.platforms import pinterest_parts as parts
from pipeline.platforms import pinterest_replies as replies
from pipeline.platforms.base import Platform, PlatformKind, encoded
from pipeline.platforms.common import DAY, MARGIN, country_of, day_of, web_address
from pipeline.platforms.external_ids import ExternalIds
from pipeline.platforms.options import check_event_names, check_web_address, options_of
from pipeline.platforms.pinterest_keys import WEIGHTS, match_table

Source = Literal["web", "offline", "app_android", "app_ios"]

# Our event names in Pinterest's words; a destination may override each one.
# Pinterest knows no refund and no cancellation: sending one as anything else would count it as a conversion.
# Of a lead's later stages one is `custom`; what else would be so could not be told apart from it in reports.
EVENT_NAMES: Final[Mapping[str, str]] = {
    "order_placed": "checkout",
    "lead_submitted": "lead",
    "lead_qualified": "custom",
    "page_view": "page_visit",
    "view_content": "view_content",
    "search": "search",
    "add_to_cart": "add_to_cart",
    "initiate_checkout": "initiate_checkout",
    "add_payment_info": "add_payment_info",
    "complete_registration": "signup",
    "submit_application": "submit_application",
    "subscribe": "subscribe",
    "start_trial": "start_trial",
    "contact": "contact",
    "schedule": "schedule",
}
# What Pinterest counts: the names of the API description, and below those of its conversions page only.
STANDARD_EVENTS: Final = frozenset(
    "add_payment_info add_to_cart add_to_wishlist app_install checkout custom initiate_checkout lead page_visit search "
    "signup subscribe view_category view_content watch_video "
    "app_open contact customize_product find_location schedule start_trial submit_application".split()
)
# Where it happened. Only what surely happened away from any tag is offline: Pinterest drops no copy of such an event.
ACTION_SOURCES: Final[Mapping[str, Source]] = {
    "WEBSITE": "web",
    "STORE": "offline",
    "PHONE": "offline",
    "CHAT": "web",
    "EMAIL": "web",
    "MESSAGING": "web",
    "SYSTEM": "offline",
    "OTHER": "web",
}
APP_SOURCES: Final[Mapping[str, Source]] = {"ANDROID": "app_android", "IOS": "app_ios"}

# Known from a partner only, for every action source; the vendor's own limit is not written anywhere.
MOST_AGE: Final = 7 * DAY
# API description: 1,000 events. No page gives a size; 2 MB is what others send.
MOST_EVENTS: Final = 1000
DEFAULTS: Final = Limits(events_per_request=1000, bytes_per_request=2_000_000, requests_per_second=50.0)

_NAME: Final = re.compile("[A-Za-z0-9_-]{1,100}").fullmatch


@dataclass(frozen=True, slots=True)
class PinterestOptions:
    """What a Pinterest destination may set beside the common things.

    `external_ids` must say what the tag of the same account does to an id.
    """

    base_url: str = "https://api.pinterest.com"
    external_ids: ExternalIds = "as-written"
    event_names: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise ValueError for an address or an event name that Pinterest cannot mean."""
        check_web_address("base_url", self.base_url)
        check_event_names(self.event_names, STANDARD_EVENTS)
        for event, name in self.event_names.items():
            if not _NAME(name):
                raise ValueError(
                    f"event_names: the name for {event} must be 1 to 100 letters, digits, dashes and underscores"
                )


class Pinterest(Platform):
    """One ad account."""

    def __init__(self, destination: Destination) -> None:
        options = options_of(destination, PinterestOptions)
        self.destination = destination
        self._names = {**EVENT_NAMES, **options.event_names}
        self._table = match_table(options.external_ids)
        # A test request gets the same answers, and nothing of it is recorded.
        query = "?test=true" if destination.mode == "test" else ""
        self._url = f"{options.base_url.rstrip('/')}/v5/ad_accounts/{destination.account}/events{query}"

    @override
    def keys(self, event: Event) -> MatchTable:
        """Return the one table that there is."""
        return self._table

    @override
    def shape(self, event: Event) -> Shaped | Skipped | Refusal:
        """Put an event into Pinterest's words; the key order is fixed, so the same event gives the same bytes."""
        name = self._names.get(event.name)
        if name is None:
            return Skipped(Reason.NO_PLATFORM_EVENT)
        body = event.body
        source = _source(body)
        country = country_of(event)
        found = identify(body, self._table, country, day_of(event), event.seals)
        user_data = found.keys
        if parts.limited(body):
            parts.tell_residence(body, country, user_data)
            if not parts.RESIDENCE.issubset(user_data):
                return Skipped(Reason.LIMITED_USE)
        fault = parts.fault_of(event)
        if fault is not None:
            return Refusal(Reason.INVALID_EVENT, fault)
        unmatchable = parts.unmatchable(user_data.keys())
        if unmatchable is not None:
            return Refusal(Reason.NO_MATCH_KEY, unmatchable)
        url = web_address(body["touch"]["url"]) if source == "web" else None
        shaped = {
            "event_name": name,
            "action_source": source,
            "event_time": int(event.time),
            "event_id": event.id,
            **({"event_source_url": url} if url else {}),
            **parts.opt_out(body),
            "user_data": user_data,
            **parts.custom_data(event),
            **parts.app_data(body),
            **parts.language(body),
        }
        return Shaped(
            name,
            encoded(shaped),
            expires_at=int(event.time) + MOST_AGE - MARGIN,
            not_before=event.time,
            match_keys=tuple(user_data),
            dropped=found.dropped,
            notes=parts.notes_of(event, found.dropped, country, no_page=source == "web" and url is None),
        )

    @override
    def request(self, batch: Batch, secrets: Mapping[str, str]) -> Request:
        """Write one POST. The token goes into a header, never into the URL, which gets logged on the way."""
        headers = {"Authorization": f"Bearer {secrets['token']}", "Content-Type": "application/json"}
        return Request(self._url, headers, b'{"data":[' + b",".join(batch.payloads) + b"]}")

    @override
    def read(self, reply: Reply | NoReply, count: int) -> Verdict:
        """Read the verdict on a batch of `count`: see `pinterest_replies`."""
        return replies.read(reply, count)

    @override
    def advice(self, reply: Reply) -> Advice:
        """Slow down when three quarters of a limit are used, be silent when it is spent."""
        return replies.advice(reply)


def _source(body: Body) -> Source:
    """Return what Pinterest calls the place of an event."""
    app = body["app"]
    if body["action_source"] == "APP":
        # An app event without its app is refused before this word is sent.
        return APP_SOURCES[app["os"]] if app is not None else "web"
    return ACTION_SOURCES[body["action_source"]]


KIND: Final = PlatformKind(
    name="pinterest",
    options=PinterestOptions,
    defaults=DEFAULTS,
    open=Pinterest,
    secrets=("token",),
    most_events=MOST_EVENTS,
    account=r"[0-9]{1,18}",
    weights=WEIGHTS,
)
