"""TikTok's rules for one event.

Invariant: the verdict depends on the event, its source and the time alone, so the same bytes get the same answer.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from pipeline.sandbox.tiktok_flaw import Flaw
from pipeline.sandbox.tiktok_properties import PROPERTIES, check_money, properties
from pipeline.sandbox.tiktok_user import check_match, user
from pipeline.sandbox.tiktok_value import Check, boolean, clear, fields, shape, text

Event = Mapping[str, object]

MAX_AGE_S = 28 * 86_400
MAX_AHEAD_S = 60  # our assumption: TikTok names no tolerance

_STANDARD = """
    AddPaymentInfo AddToCart AddToWishlist ApplicationApproval CompleteRegistration Contact CustomizeProduct Download
    FindLocation InitiateCheckout Lead Purchase Schedule Search StartTrial SubmitApplication Subscribe ViewContent
    Pageview PageView
"""
STANDARD = frozenset(_STANDARD.split())
OLD = frozenset(("CompletePayment", "SubmitForm", "PlaceAnOrder", "ClickButton"))
_IN_ANY_CASE = frozenset(name.lower() for name in STANDARD | OLD)

_URL = re.compile(r"https?://[^\s/?#]+(?:[/?#]\S*)?", re.IGNORECASE).fullmatch


def _seconds(value: object) -> Flaw | None:
    return None if type(value) is int else Flaw("not a valid integer of Unix seconds")


FIELDS: Mapping[str, Check] = {
    "event": text,
    "event_time": _seconds,
    "event_id": text,
    "user": user,
    "properties": properties,
    "page": fields({"url": shape(_URL, "an http or https address"), "referrer": text}),
    "limited_data_use": boolean,
    "lead": fields({"lead_id": clear, "lead_event_source": text}),
    "app": fields(dict.fromkeys(("app_id", "app_name", "app_version"), text)),
    "ad": fields(
        {
            **dict.fromkeys(("callback", "campaign_id", "ad_id", "creative_id"), text),
            **dict.fromkeys(("attribution_type", "attribution_provider"), text),
            **dict.fromkeys(("is_retargeting", "attributed"), boolean),
        }
    ),
}
SOURCES_OF: Mapping[str, frozenset[str]] = {
    "page": frozenset(("web",)),
    "limited_data_use": frozenset(("web", "app")),
    "lead": frozenset(("crm",)),
    "app": frozenset(("app",)),
    "ad": frozenset(("app",)),
}
_fields = fields(FIELDS, required=("event", "event_time", "user"))


def check_event(source: str, event: object, now: float) -> Flaw | None:
    """Return the first thing wrong with an event of a source at `now` (Unix seconds), or None."""
    flaw = _fields(event)
    if flaw is not None or not isinstance(event, dict):
        return flaw
    return (
        _time(event["event_time"], now)
        or _source(source, event)
        or check_match(source, event["user"], has_lead_id="lead_id" in event.get("lead", ()))
        or check_money(event["event"], event.get("properties", {}))
    )


def notices(source: str, data: Sequence[object]) -> Mapping[str, int]:
    """Count what TikTok takes and a sender should still know of, over valid events.

    `event_id_missing`: it is never recognized as a duplicate. `page_url_missing`: advised for web events.
    `event_name_old`: a name that has a successor. `event_name_case`: a known name in other letters, hence a custom
    event. `unknown_property`: a property that TikTok does not read.
    """
    found: Counter[str] = Counter()
    for event in data:
        if not isinstance(event, dict):
            continue
        name = event["event"]
        told = {
            "event_id_missing": "event_id" not in event,
            "page_url_missing": source == "web" and "url" not in event.get("page", ()),
            "event_name_old": name in OLD,
            "event_name_case": name not in STANDARD | OLD and name.lower() in _IN_ANY_CASE,
            "unknown_property": not event.get("properties", {}).keys() <= PROPERTIES.keys(),
        }
        found.update(notice for notice, applies in told.items() if applies)
    return found


def _time(event_time: int, now: float) -> Flaw | None:
    if now - event_time > MAX_AGE_S:
        return Flaw("too old", place=("event_time",))
    if event_time - now > MAX_AHEAD_S:
        return Flaw("in the future", place=("event_time",))
    return None


def _source(source: str, event: Event) -> Flaw | None:
    for name, sources in SOURCES_OF.items():
        if name in event and source not in sources:
            return Flaw("not a field of this event's source", place=(name,))
    return None
