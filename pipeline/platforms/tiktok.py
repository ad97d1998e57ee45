"""TikTok Events API 2.0: `POST /open_api/v1.3/event/track/`.

Sources: Events API 2.0 pages on parameters, limits and deduplication, TikTok's help pages on standard events and on
CRM signals, and code that runs in production elsewhere (read 2026-11).
Where they are silent, docs/platforms/tiktok.md says what was decided and why.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import orjson
from typing_extensions import override

from pipeline.core.destination import Destination, Limits
from pipeline.core.identify import MatchTable, identify
from pipeline.core.model import Batch, Event, NoReply, Refusal, Reply, Request, Shaped, Skipped, Verdict
from pipeline.core.reason import Reason
from pipeline.platforms import tiktok_parts as parts
from pipeline.platforms import tiktok_replies as replies
from pipeline.platforms.base import Platform, PlatformKind, encoded
from pipeline.platforms.common import DAY, MARGIN, country_of, custom_name, day_of, is_said, lead_of, taken_name
from pipeline.platforms.external_ids import ExternalIds
from pipeline.platforms.options import check_event_names, check_web_address, options_of
from pipeline.platforms.tiktok_keys import BESIDE, WEIGHTS, Beside, match_table

Source = Literal["web", "app", "offline", "crm"]

# Our event names in TikTok's words; a destination may override each one.
# TikTok knows no refund and no cancellation: sending one as anything else would count it as a conversion.
# A page view has two spellings in the field, and is worth little: it goes only under a name that the destination gives.
EVENT_NAMES: Final[Mapping[str, str]] = {
    "order_placed": "Purchase",
    "lead_submitted": "Lead",
    "lead_qualified": "QualifiedLead",
    "lead_converted": "ConvertedLead",
    "view_content": "ViewContent",
    "search": "Search",
    "add_to_cart": "AddToCart",
    "initiate_checkout": "InitiateCheckout",
    "add_payment_info": "AddPaymentInfo",
    "complete_registration": "CompleteRegistration",
    "submit_application": "SubmitApplication",
    "subscribe": "Subscribe",
    "start_trial": "StartTrial",
    "contact": "Contact",
    "schedule": "Schedule",
}
# std-help page, names that are no longer on it and still taken, and both spellings of a page view.
STANDARD_EVENTS: Final = frozenset(
    "AddPaymentInfo AddToCart AddToWishlist ApplicationApproval CompleteRegistration Contact CustomizeProduct Download "
    "FindLocation InitiateCheckout Lead Purchase Schedule Search StartTrial SubmitApplication Subscribe ViewContent "
    "CompletePayment SubmitForm PlaceAnOrder ClickButton Pageview PageView".split()
)
# Where it happened decides the event source; a lead from a CRM is the exception, see `_source`.
EVENT_SOURCES: Final[Mapping[str, Source]] = {
    "WEBSITE": "web",
    "APP": "app",
    "STORE": "offline",
    "PHONE": "offline",
    "CHAT": "web",
    "EMAIL": "web",
    "MESSAGING": "web",
    "SYSTEM": "web",
    "OTHER": "web",
}

# Seen for the web and for stores in a partner's documentation; the vendor's own words were not readable.
MOST_AGE: Final = 28 * DAY
MOST_EVENTS: Final = 1000
DEFAULTS: Final = Limits(events_per_request=1000, bytes_per_request=1_000_000, requests_per_second=10.0)

# Event sets and apps have ids of digits; a pixel's code, which has letters, is refused in their place (40002).
_ID: Final = re.compile("[0-9]{1,32}").fullmatch
_UNTRACKED: Final[Mapping[str, Beside]] = {"IOS": "IOS untracked", "ANDROID": "ANDROID untracked"}
_TEST_CODE: Final = re.compile("[0-9A-Za-z_-]{1,64}").fullmatch


@dataclass(frozen=True, slots=True)
class TikTokOptions:
    """What a TikTok destination may set beside the common things.

    The ids name where events go that did not happen on the web; without one, such events are skipped.
    `external_ids` must say what the pixel of the same account does to an id.
    """

    offline_event_set_id: str | None = None
    crm_event_set_id: str | None = None
    app_id: str | None = None
    base_url: str = "https://business-api.tiktok.com"
    test_event_code: str | None = None
    external_ids: ExternalIds = "as-written"
    event_names: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise ValueError for an id or an event name that TikTok cannot mean."""
        for name in ("offline_event_set_id", "crm_event_set_id", "app_id"):
            given = getattr(self, name)
            if given is not None and not _ID(given):
                raise ValueError(f"{name} must be digits, in quotes; a pixel's code stands in account")
        if self.test_event_code is not None and not _TEST_CODE(self.test_event_code):
            raise ValueError("test_event_code must be 1 to 64 letters, digits, dashes and underscores")
        check_web_address("base_url", self.base_url)
        check_event_names(self.event_names, STANDARD_EVENTS)


class TikTok(Platform):
    """One pixel, and the event sets and the app that belong to it."""

    def __init__(self, destination: Destination) -> None:
        options = options_of(destination, TikTokOptions)
        self.destination = destination
        self._names = {**EVENT_NAMES, **options.event_names}
        self._table = match_table(options.external_ids)
        self._tables = {beside: match_table(options.external_ids, beside) for beside in BESIDE}
        self._url = f"{options.base_url.rstrip('/')}/open_api/v1.3/event/track/"
        ids: dict[Source, str | None] = {
            "web": destination.account,
            "app": options.app_id,
            "offline": options.offline_event_set_id,
            "crm": options.crm_event_set_id,
        }
        self._groups = {source: f"{source}:{given}" for source, given in ids.items() if given}
        self._heads = {
            self._groups[source]: _head(source, given, options.test_event_code)
            for source, given in ids.items()
            if given
        }

    @override
    def keys(self, event: Event) -> MatchTable:
        """Return the table for visits, for the app's system, or for leads from a CRM."""
        return self._table_of(event, _source(event))

    @override
    def shape(self, event: Event) -> Shaped | Skipped | Refusal:
        """Put an event into TikTok's words; the key order is fixed, so the same event gives the same bytes."""
        own = None if event.name in self._names else custom_name(event)
        name = self._names.get(event.name, own)
        if name is None:
            return Skipped(Reason.NO_PLATFORM_EVENT)
        source = _source(event)
        group = self._groups.get(source)
        if group is None:
            return Skipped(Reason.NOT_SET_UP)
        limited = parts.limited(event.body, source)
        if limited and source not in parts.LIMITABLE:
            return Skipped(Reason.LIMITED_USE)
        country = country_of(event)
        found = identify(event.body, self._table_of(event, source), country, day_of(event), event.seals)
        user = found.keys
        fault = taken_name(own, STANDARD_EVENTS) or parts.fault_of(event, name)
        if fault is not None:
            return Refusal(Reason.INVALID_EVENT, fault)
        match_keys = tuple(user)
        unmatchable = parts.unmatchable(source, user.keys())
        if unmatchable is not None:
            return Refusal(Reason.NO_MATCH_KEY, unmatchable)
        shaped = {
            "event": name,
            "event_time": int(event.time),
            "event_id": event.id,
            "user": user,
            **parts.place(event, source, user),
            **parts.custom_data(event),
            **({"limited_data_use": True} if limited else {}),
        }
        return Shaped(
            name,
            encoded(shaped),
            expires_at=int(event.time) + MOST_AGE - MARGIN,
            not_before=event.time,
            match_keys=match_keys,
            dropped=found.dropped,
            group=group,
            notes=parts.notes_of(event, source, found.dropped, country),
        )

    @override
    def request(self, batch: Batch, secrets: Mapping[str, str]) -> Request:
        """Write one POST to the event source of the batch. The token goes into a header, never into the URL."""
        body = self._heads[batch.group] + b",".join(batch.payloads) + b"]}"
        headers = {"Access-Token": secrets["token"], "Content-Type": "application/json"}
        return Request(self._url, headers, body)

    @override
    def read(self, reply: Reply | NoReply, count: int) -> Verdict:
        """Read the verdict on a batch of `count`: see `tiktok_replies`."""
        return replies.read(reply, count)

    def _table_of(self, event: Event, source: Source) -> MatchTable:
        if source == "crm":
            return self._tables["lead"]
        app = event.body["app"]
        if source != "app" or app is None:
            return self._table
        beside: Beside = app["os"] if app["tracking_allowed"] else _UNTRACKED[app["os"]]
        return self._tables[beside]


def _source(event: Event) -> Source:
    """Return what TikTok calls the place of an event.

    What a system says of a lead is known from a CRM, and so is a lead of an unknown place that names its CRM, or that
    has the id of an ad's lead.
    """
    place = event.body["action_source"]
    lead = lead_of(event)
    if lead is None:
        return EVENT_SOURCES[place]
    known = is_said(lead["crm"]) or is_said(lead["tiktok_lead_id"])
    return "crm" if place == "SYSTEM" or (place == "OTHER" and known) else EVENT_SOURCES[place]


def _head(source: Source, given: str, test_event_code: str | None) -> bytes:
    """Write what stands before the events of a request; a test code makes all of it test traffic."""
    envelope = {"event_source": source, "event_source_id": given}
    if test_event_code is not None:
        envelope["test_event_code"] = test_event_code
    return orjson.dumps(envelope)[:-1] + b',"data":['


KIND: Final = PlatformKind(
    name="tiktok",
    options=TikTokOptions,
    defaults=DEFAULTS,
    open=TikTok,
    secrets=("token",),
    most_events=MOST_EVENTS,
    account=r"[0-9]{0,31}[A-Za-z][0-9A-Za-z]{0,63}",
    test_option="test_event_code",
    weights=WEIGHTS,
)
