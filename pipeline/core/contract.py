"""The event contract as Python sees it: the shapes that decoding `schemas/*.avsc` yields.

The Avro files are the contract; these are its types, kept equal by a test that walks both.
Times are milliseconds since the epoch (the decoder leaves `timestamp-millis` as the integer that was sent),
money is `Decimal` in units of `currency`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final, Literal, TypedDict

ActionSource = Literal["WEBSITE", "APP", "STORE", "PHONE", "CHAT", "EMAIL", "MESSAGING", "SYSTEM", "OTHER"]
MessagingChannel = Literal["WHATSAPP", "MESSENGER", "INSTAGRAM"]
OrderState = Literal["PLACED", "REFUNDED", "CANCELLED"]
LeadState = Literal["SUBMITTED", "QUALIFIED", "CONVERTED", "LOST"]
ActivityName = Literal[
    "PAGE_VIEW",
    "VIEW_CONTENT",
    "SEARCH",
    "ADD_TO_CART",
    "INITIATE_CHECKOUT",
    "ADD_PAYMENT_INFO",
    "COMPLETE_REGISTRATION",
    "SUBMIT_APPLICATION",
    "SUBSCRIBE",
    "START_TRIAL",
    "CONTACT",
    "SCHEDULE",
    "CUSTOM",
]
ConsentChoice = Literal["GRANTED", "DENIED", "UNKNOWN"]
CustomerType = Literal["NEW", "RETURNING", "UNKNOWN"]
Kind = Literal["order", "lead", "activity"]

# The field that holds your own id of the order, the lead or the activity.
ID_FIELDS: Final[Mapping[Kind, str]] = {"order": "order_id", "lead": "lead_id", "activity": "activity_id"}
# The field that says what happened, and what our name of an event puts before it.
NAME_FIELDS: Final[Mapping[Kind, str]] = {"order": "state", "lead": "state", "activity": "name"}
NAME_PREFIXES: Final[Mapping[Kind, str]] = {"order": "order_", "lead": "lead_", "activity": ""}
# Our names of all events.
EVENTS_OF: Final[Mapping[Kind, tuple[str, ...]]] = {
    "order": ("order_placed", "order_refunded", "order_cancelled"),
    "lead": ("lead_submitted", "lead_qualified", "lead_converted", "lead_lost"),
    "activity": (
        "page_view",
        "view_content",
        "search",
        "add_to_cart",
        "initiate_checkout",
        "add_payment_info",
        "complete_registration",
        "submit_application",
        "subscribe",
        "start_trial",
        "contact",
        "schedule",
        "custom",
    ),
}


class Customer(TypedDict):
    """Who acted. Raw values; every one of them is personal data."""

    emails: list[str]
    phones: list[str]
    first_name: str | None
    last_name: str | None
    gender: str | None
    birth_date: date | None
    city: str | None
    region: str | None
    postal_code: str | None
    country: str | None
    external_ids: list[str]
    facebook_login_id: str | None
    type: CustomerType


class Touch(TypedDict):
    """The visit that led here: what browser and app told, and the platforms' click ids and cookies."""

    url: str | None
    referrer: str | None
    client_ip: str | None
    client_ipv6: str | None
    user_agent: str | None
    language: str | None
    fbc: str | None
    fbp: str | None
    fbclid: str | None
    fbclid_seen_at: int | None
    gclid: str | None
    gbraid: str | None
    wbraid: str | None
    gad_session_attributes: str | None
    ttclid: str | None
    ttp: str | None
    epik: str | None
    sc_click_id: str | None
    sc_cookie1: str | None


class App(TypedDict):
    """The app in which it happened, for action source APP."""

    app_id: str | None
    app_name: str | None
    app_version: str | None
    os: Literal["ANDROID", "IOS"]
    os_version: str | None
    advertising_id: str | None
    vendor_id: str | None
    anonymous_id: str | None
    tracking_allowed: bool
    extinfo: list[str]


class Messaging(TypedDict):
    """The conversation in which it happened, for action source MESSAGING: ids of Meta's messaging products."""

    channel: MessagingChannel
    page_id: str | None
    page_scoped_user_id: str | None
    instagram_account_id: str | None
    instagram_user_id: str | None
    whatsapp_business_account_id: str | None
    ctwa_clid: str | None


class Consent(TypedDict):
    """What the customer chose, where and when."""

    ad_user_data: ConsentChoice
    ad_personalization: ConsentChoice
    limited_data_use: bool | None
    region: str | None
    recorded_at: int | None


class Item(TypedDict):
    """A product: one line of an order, or what a funnel step was about."""

    id: str
    title: str | None
    brand: str | None
    category: str | None
    quantity: int
    unit_price: Decimal | None


class Body(TypedDict):
    """What orders, leads and activities have in common."""

    event_id: str | None
    occurred_at: int
    store: str | None
    brand: str | None
    action_source: ActionSource
    value: Decimal | None
    currency: str | None
    customer: Customer
    touch: Touch
    app: App | None
    messaging: Messaging | None
    consent: Consent
    producer: str | None


class Order(Body):
    """An order was placed, refunded or cancelled."""

    order_id: str
    state: OrderState
    remaining_value: Decimal | None
    tax: Decimal | None
    shipping: Decimal | None
    discount: Decimal | None
    coupons: list[str]
    items: list[Item]


class Lead(Body):
    """A lead was submitted, qualified, converted or lost."""

    lead_id: str
    state: LeadState
    form_id: str | None
    crm: str | None
    meta_lead_id: str | None
    tiktok_lead_id: str | None
    snap_lead_id: str | None
    google_lead_id: str | None


class Activity(Body):
    """A visitor took a step of the funnel, short of an order or a lead."""

    activity_id: str
    name: ActivityName
    custom_name: str | None
    query: str | None
    predicted_value: Decimal | None
    items: list[Item]
