"""What must become of an event at each platform: known by heart here, from the contract's and the platforms' pages.

Pure. It asks nothing of the sender's code, so that a wrong name, a wrong id or a wrong skip does not go unseen.
It knows what the demo's shop publishes and how the demo's destinations are set up, and no more than that.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, cast

from pipeline.core.contract import Order
from pipeline.core.reason import Reason
from pipeline.demo.flaws import ACCEPTED, Fate
from pipeline.demo.people import ASK_FIRST, CUSTOM_STEP
from pipeline.demo.shop import Draft
from pipeline.demo.trade import Expected

# Google counts by the number of a conversion action; these are the demo's. What an event is not mapped to is not sent.
ACTIONS: Final[Mapping[str, str]] = {
    "order_placed": "7001",
    "lead_submitted": "7002",
    "lead_qualified": "7003",
    "lead_converted": "7004",
    "add_to_cart": "7005",
}
# What each platform calls our events; what is not here, it has no event for.
NAMES: Final[Mapping[str, Mapping[str, str]]] = {
    "meta": {
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
        "custom": CUSTOM_STEP,
    },
    # Only Google takes an order back: its conversion gets a new value.
    "google": {**ACTIONS, "order_refunded": ACTIONS["order_placed"], "order_cancelled": ACTIONS["order_placed"]},
    "tiktok": {
        "order_placed": "Purchase",
        "lead_submitted": "Lead",
        "lead_qualified": "QualifiedLead",
        "lead_converted": "ConvertedLead",
        "view_content": "ViewContent",
        "search": "Search",
        "add_to_cart": "AddToCart",
        "initiate_checkout": "InitiateCheckout",
        "custom": CUSTOM_STEP,
    },
    "pinterest": {
        "order_placed": "checkout",
        "lead_submitted": "lead",
        "lead_qualified": "custom",
        "page_view": "page_visit",
        "view_content": "view_content",
        "search": "search",
        "add_to_cart": "add_to_cart",
        "initiate_checkout": "initiate_checkout",
    },
    "snapchat": {
        "order_placed": "PURCHASE",
        "lead_submitted": "SIGN_UP",
        "page_view": "PAGE_VIEW",
        "view_content": "VIEW_CONTENT",
        "search": "SEARCH",
        "add_to_cart": "ADD_CART",
        "initiate_checkout": "START_CHECKOUT",
    },
}


def foresee(platform: str, draft: Draft, fates: Mapping[str, Fate]) -> Expected:
    """Return what must become of `draft` at `platform`; `fates` holds what a mishap does to it, by platform."""
    fate = fates.get(platform) or _by_the_pages(platform, draft)
    destination = "" if fate.whole else platform
    if fate.reason not in (None, Reason.REJECTED):
        return Expected(fate.outcome, fate.reason, destination=destination)
    return Expected(
        fate.outcome,
        fate.reason,
        # To Google an order, a lead or a step is known by its own id, whatever happens to it later.
        event_id=draft.id if platform == "google" else draft.event_id,
        event_name=NAMES[platform][draft.name],
        event_time=draft.event_time,
        worth=_worth(platform, draft),
        destination=destination,
    )


def worth(value: object, currency: object) -> str:
    """Write an amount and its currency in one way, whether it came as number, text or decimal: `129.9 EUR`."""
    return "" if value is None else f"{Decimal(str(value)).normalize():f} {currency}"


def _by_the_pages(platform: str, draft: Draft) -> Fate:
    """Return the fate of an event that nothing is wrong with."""
    consent = draft.event["consent"]
    if platform == "pinterest":
        # The demo's destination there asks for consent to personalized ads, too.
        if consent["ad_personalization"] == "DENIED":
            return Fate("skipped", Reason.CONSENT_DENIED)
        if consent["ad_personalization"] == "UNKNOWN" and consent["region"] in ASK_FIRST:
            return Fate("skipped", Reason.CONSENT_UNKNOWN)
    if draft.name not in NAMES[platform]:
        return Fate("skipped", Reason.NO_PLATFORM_EVENT)
    if platform == "google" and draft.name == "order_refunded" and _left_of(draft) is None:
        return Fate("skipped", Reason.NO_REMAINING_VALUE)
    limited = consent["limited_data_use"] or consent["ad_personalization"] == "DENIED"
    if platform == "tiktok" and limited and not _can_be_limited(draft):
        return Fate("skipped", Reason.LIMITED_USE)
    return ACCEPTED


def _can_be_limited(draft: Draft) -> bool:
    """TikTok has a flag for limited data use on the web and in apps: elsewhere such an event may not be sent."""
    return draft.event["action_source"] in ("WEBSITE", "APP")


def _worth(platform: str, draft: Draft) -> str:
    value = draft.event["value"]
    if platform == "google" and draft.name in ("order_refunded", "order_cancelled"):
        value = _left_of(draft)
    return worth(value, draft.event["currency"])


def _left_of(draft: Draft) -> Decimal | None:
    left = cast("Order", draft.event)["remaining_value"]
    return Decimal(0) if left is None and draft.name == "order_cancelled" else left
