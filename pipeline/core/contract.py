"""The event contract as Python sees it: the shapes that decoding `schemas/*.avsc` yields.

The Avro files are the contract; these are its types, kept equal by a test that walks both.
Times are milliseconds since the epoch (the decoder leaves `timestamp-millis` as the integer that was sent),
money is `Decimal` in units of `currency`.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal, TypedDict

ActionSource = Literal["WEBSITE", "APP", "STORE", "PHONE", "CHAT", "EMAIL", "MESSAGING", "SYSTEM", "OTHER"]
MessagingChannel = Literal["WHATSAPP", "MESSENGER", "INSTAGRAM"]
OrderState = Literal["PLACED", "REFUNDED", "CANCELLED"]
LeadState = Literal["SUBMITTED", "QUALIFIED", "CONVERTED", "LOST"]
ConsentChoice = Literal["GRANTED", "DENIED", "UNKNOWN"]
CustomerType = Literal["NEW", "RETURNING", "UNKNOWN"]
Kind = Literal["order", "lead"]


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
    """One line of an order."""

    id: str
    title: str | None
    brand: str | None
    category: str | None
    quantity: int
    unit_price: Decimal | None


class Body(TypedDict):
    """What orders and leads have in common."""

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
