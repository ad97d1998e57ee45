"""Meta Conversions API: `POST /v{version}/{dataset}/events`.

Sources: developers.facebook.com, Conversions API: using-the-api, server-event, custom-data,
customer-information-parameters, crm-integration, business-messaging, offline-events (read 2026-09).
Where they are silent, docs/platforms/meta.md says what was decided and why.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

import orjson
from typing_extensions import override

from pipeline.core.destination import Destination, Limits
from pipeline.core.identify import MatchTable, identify
from pipeline.core.model import Advice, Batch, Event, NoReply, Refusal, Reply, Request, Shaped, Skipped, Verdict
from pipeline.core.reason import Reason
from pipeline.platforms import meta_parts as parts
from pipeline.platforms import meta_replies as replies
from pipeline.platforms.base import Platform, PlatformKind, encoded
from pipeline.platforms.common import DAY, MARGIN, country_of, custom_name, day_of, taken_name, web_address
from pipeline.platforms.external_ids import ExternalIds
from pipeline.platforms.meta_keys import WEIGHTS, match_table
from pipeline.platforms.options import check_event_names, check_web_address, options_of

# Our event names in Meta's words; a destination may override each one.
# Meta knows no refund and no cancellation: sending one as anything else would count it as a conversion.
EVENT_NAMES: Final[Mapping[str, str]] = {
    "order_placed": "Purchase",
    "lead_submitted": "Lead",
    "lead_qualified": "QualifiedLead",
    "lead_converted": "ConvertedLead",
    "lead_lost": "LostLead",
    "page_view": "PageView",
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
# Meta's standard events, the stages of a lead, and what it knows from business messaging.
STANDARD_EVENTS: Final = (
    frozenset(EVENT_NAMES.values())
    | {"AddToWishlist", "CustomizeProduct", "Donate", "FindLocation"}
    | parts.ALLOWED_IN_MESSAGING
)
# Those of them that count no conversion.
LOSSES: Final = frozenset({"LostLead", "OrderCanceled", "OrderReturned"})
# Business messaging takes a closed list of names, and calls a lead differently (business-messaging page).
MESSAGING_NAMES: Final[Mapping[str, str]] = {
    "order_placed": "Purchase",
    "lead_submitted": "LeadSubmitted",
    "lead_qualified": "QualifiedLead",
    "view_content": "ViewContent",
    "add_to_cart": "AddToCart",
    "initiate_checkout": "InitiateCheckout",
}
ACTION_SOURCES: Final[Mapping[str, str]] = {
    "WEBSITE": "website",
    "APP": "app",
    "STORE": "physical_store",
    "PHONE": "phone_call",
    "CHAT": "chat",
    "EMAIL": "email",
    "MESSAGING": "business_messaging",
    "SYSTEM": "system_generated",
    "OTHER": "other",
}

_VERSION: Final = re.compile(r"v[0-9]{2}\.0").fullmatch
# server-event and offline-events pages: 7 days, 62 for physical stores.
MOST_AGE: Final = 7 * DAY
MOST_AGE_IN_STORE: Final = 62 * DAY

# graph-api/changelog: the day on which a version ends; CAPI follows the Graph API's schedule, not the Marketing API's.
VERSION_ENDS: Final[Mapping[str, date]] = {
    "v20.0": date(2026, 9, 24),
    "v21.0": date(2027, 1, 21),
    "v22.0": date(2027, 5, 20),
    "v23.0": date(2027, 10, 8),
    "v24.0": date(2028, 2, 18),
    "v25.0": date(2028, 7, 29),
}
NOTICE: Final = timedelta(days=180)

# using-the-api page.
MOST_EVENTS: Final = 1000
DEFAULTS: Final = Limits(events_per_request=500, bytes_per_request=900_000, requests_per_second=20.0)


@dataclass(frozen=True, slots=True)
class MetaOptions:
    """What a Meta destination may set beside the common things.

    `external_ids` must say what the Pixel of the same dataset does to an id.
    """

    api_version: str = "v25.0"
    base_url: str = "https://graph.facebook.com"
    test_event_code: str | None = None
    external_ids: ExternalIds = "folded"
    event_names: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise ValueError for a version or an event name that Meta cannot mean."""
        if not _VERSION(self.api_version):
            raise ValueError("api_version must look like v25.0")
        check_web_address("base_url", self.base_url)
        check_event_names(self.event_names, STANDARD_EVENTS, LOSSES)


class Meta(Platform):
    """One dataset (pixel)."""

    def __init__(self, destination: Destination) -> None:
        options = options_of(destination, MetaOptions)
        self.destination = destination
        self._names = {**EVENT_NAMES, **options.event_names}
        self._messaging_names = {**MESSAGING_NAMES, **options.event_names}
        self._tables = {lead: match_table(options.external_ids, lead=lead) for lead in (False, True)}
        self._url = f"{options.base_url.rstrip('/')}/{options.api_version}/{destination.account}/events"
        code = options.test_event_code
        self._tail = b"" if code is None else b',"test_event_code":' + orjson.dumps(code)

    @override
    def keys(self, event: Event) -> MatchTable:
        """Return the table for leads, or for everything else."""
        return self._tables[event.kind == "lead"]

    @override
    def shape(self, event: Event) -> Shaped | Skipped | Refusal:
        """Put an event into Meta's words; the key order is fixed, so the same event gives the same bytes."""
        body = event.body
        source = body["action_source"]
        names = self._messaging_names if source == "MESSAGING" else self._names
        # Business messaging takes a closed list of names: none of a producer's own.
        own = None if source == "MESSAGING" or event.name in names else custom_name(event)
        name = names.get(event.name, own)
        if name is None or _has_no_place(event.name, name, source):
            return Skipped(Reason.NO_PLATFORM_EVENT)
        found = identify(body, self.keys(event), country_of(event), day_of(event), event.seals)
        user_data = found.keys
        url = web_address(body["touch"]["url"])
        if "fbc" in user_data and parts.click_after_event(body):
            # cookies page: a click cannot come after what it led to; such a stamp was minted late.
            del user_data["fbc"]
            found.dropped = tuple(dict.fromkeys((*found.dropped, "fbc")))
        fault = taken_name(own, STANDARD_EVENTS) or parts.fault_of(event, name, url, user_data)
        if fault is not None:
            return Refusal(Reason.INVALID_EVENT, fault)
        unmatchable = parts.unmatchable(user_data)
        if unmatchable is not None:
            return Refusal(Reason.NO_MATCH_KEY, unmatchable)
        shaped = {
            "event_name": name,
            "event_time": int(event.time),
            "event_id": event.id,
            "action_source": ACTION_SOURCES[source],
            **parts.page(url, body["touch"]["referrer"]),
            "user_data": user_data,
            **parts.custom_data(event),
            **parts.processing(body),
        }
        most_age = MOST_AGE_IN_STORE if source == "STORE" else MOST_AGE
        return Shaped(
            name,
            encoded(shaped),
            expires_at=int(event.time) + most_age - MARGIN,
            not_before=event.time,
            match_keys=tuple(user_data),
            dropped=found.dropped,
        )

    @override
    def request(self, batch: Batch, secrets: Mapping[str, str]) -> Request:
        """Write one POST. The token goes into a header, never into the URL, which gets logged on the way."""
        token = secrets["token"]
        proof = secrets.get("app_secret")
        tail = self._tail
        if proof is not None:
            tail += b',"appsecret_proof":"' + appsecret_proof(proof, token).encode() + b'"'
        body = b'{"data":[' + b",".join(batch.payloads) + b"]" + tail + b"}"
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        return Request(self._url, headers, body)

    @override
    def read(self, reply: Reply | NoReply, count: int) -> Verdict:
        """Read the verdict on a batch of `count`: see `meta_replies`."""
        return replies.read(reply, count)

    @override
    def advice(self, reply: Reply) -> Advice:
        """Slow down at 75 % of any usage limit, be silent for a minute at 90 %."""
        return replies.advice(reply)


def _has_no_place(event: str, name: str, source: str) -> bool:
    """Whether Meta knows such an event, and not from there: a lost lead, or a custom activity in a conversation."""
    if event == "lead_lost":
        return source != "SYSTEM"
    return event == "custom" and source == "MESSAGING" and name not in parts.ALLOWED_IN_MESSAGING


def appsecret_proof(app_secret: str, token: str) -> str:
    """Prove that the app holds its secret: hex HMAC-SHA256 of the token (Graph API, securing requests)."""
    return hmac.new(app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()


def notices(options: object, today: date) -> Sequence[str]:
    """Warn half a year before the API version of a destination ends."""
    version = options.api_version if isinstance(options, MetaOptions) else ""
    ends = VERSION_ENDS.get(version)
    if ends is None or ends - NOTICE > today:
        return ()
    word = "ended" if ends <= today else "ends"
    return (f"Graph API {version} {word} on {ends}: set options.api_version to a newer one",)


KIND: Final = PlatformKind(
    name="meta",
    options=MetaOptions,
    defaults=DEFAULTS,
    open=Meta,
    secrets=("token",),
    most_events=MOST_EVENTS,
    account=r"[0-9]{1,20}",
    test_option="test_event_code",
    notices=notices,
    optional_secrets=("app_secret",),
    weights=WEIGHTS,
)
