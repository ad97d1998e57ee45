"""The parts of a Google event: time, value, identifiers, consent, device, customer and cart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final, Literal, cast

from pipeline.core.contract import Body, Item, Order
from pipeline.core.currency import currency
from pipeline.core.identify import Identified, Value
from pipeline.core.model import Event
from pipeline.platforms.common import NOTHING, TAKEN_BACK, Json, currency_of, items_of, lacks_country, order_of
from pipeline.platforms.google_keys import CLICK_IDS, POSTAL_ADDRESS

Note = Literal["address_incomplete", "identifiers_cut", "phone_no_country", "restated"]

# limits page: more refuse the whole request.
MOST_IDENTIFIERS: Final = 10
_EPOCH: Final = date(1970, 1, 1)
_CHOICES: Final[Mapping[str, str]] = {"GRANTED": "CONSENT_GRANTED", "DENIED": "CONSENT_DENIED"}
_CUSTOMER_TYPES: Final = frozenset({"NEW", "RETURNING"})


def timestamp(ms: int) -> str:
    """Return Unix milliseconds as RFC 3339 in UTC: `2026-11-20T18:30:05.250Z`."""
    seconds, thousandths = divmod(ms, 1000)
    day, second = divmod(seconds, 86_400)
    return f"{_day(day)}T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}.{thousandths:03}Z"


@lru_cache(maxsize=64)
def _day(number: int) -> str:
    return (_EPOCH + timedelta(days=number)).isoformat()


def worth(event: Event) -> Decimal | None:
    """Return what the event says that the conversion is worth; of an order taken back, what is left of it.

    A cancelled order is worth nothing if it does not say otherwise; a refund that does not say is None.
    """
    if event.name not in TAKEN_BACK:
        return event.body["value"]
    left = cast("Order", event.body)["remaining_value"]
    return Decimal(0) if left is None and event.name == "order_cancelled" else left


def fault_of(event: Event, worth: Decimal | None) -> str | None:
    """Return what Google requires of this event and it does not have, or None. Never holds a value."""
    if "@" in event.own_id:
        # Reference of transactionId: no personal data in it, and this one leaves unhashed.
        return "the id of the order, lead or activity looks like an e-mail address"
    if worth is not None and worth < 0:
        return "a conversion cannot be worth less than nothing"
    if worth is not None and currency(event.body["currency"] or "") is None:
        # Decoding knows the amounts that were given, and not that a cancelled order is worth nothing.
        return "currency is not an ISO 4217 code"
    return None


def unmatchable(click: str | None, identifiers: Sequence[Json]) -> str | None:
    """Return why nobody can be matched by a click and identifiers, or None. Never holds a value."""
    if click is None and not identifiers:
        return "Google needs a click id, an e-mail, a phone or a whole address"
    return None


def money(amount: Decimal | None, event: Event) -> Json:
    """Return value and currency, in units of the currency; neither without the other."""
    unit = currency_of(event)
    if amount is None or unit is None:
        return NOTHING
    return {"conversionValue": float(amount), "currency": unit}


def user_identifiers(keys: Mapping[str, Value]) -> list[Json]:
    """Return everything hashed as Google wants it, each alone: e-mails, phones, and the address if it is whole."""
    found: list[Json] = [{"emailAddress": value} for value in cast("list[str]", keys.get("emailAddress", ()))]
    found += [{"phoneNumber": value} for value in cast("list[str]", keys.get("phoneNumber", ()))]
    if all(name in keys for name in POSTAL_ADDRESS):
        found.append({"address": {name: keys[name] for name in POSTAL_ADDRESS}})
    return found


def ad_identifiers(keys: Mapping[str, Value], click: str | None) -> Json:
    """Return the one click id, session attributes and the lead's id."""
    names = ("sessionAttributes", "leadId") if click is None else (click, "sessionAttributes", "leadId")
    return {name: keys[name] for name in names if name in keys}


def click_of(keys: Mapping[str, Value]) -> str | None:
    """Return the name of the click id that is to be sent, or None."""
    return next((name for name in CLICK_IDS if name in keys), None)


def consent(body: Body) -> Json:
    """Return the choices that were recorded; what nobody recorded is left out, and nothing is made up.

    Google has no flag for limited data use; who asked for it is not to be addressed personally.
    """
    given = body["consent"]
    choices = {}
    if given["ad_user_data"] in _CHOICES:
        choices["adUserData"] = _CHOICES[given["ad_user_data"]]
    if given["limited_data_use"]:
        choices["adPersonalization"] = "CONSENT_DENIED"
    elif given["ad_personalization"] in _CHOICES:
        choices["adPersonalization"] = _CHOICES[given["ad_personalization"]]
    return choices


def device(keys: Mapping[str, Value]) -> Json:
    """Return the address, where it may be sent, and the browser."""
    return {name: keys[name] for name in ("ipAddress", "userAgent") if name in keys}


def user_properties(body: Body) -> Json:
    """Return whether the customer is new, if that is known."""
    kind = body["customer"]["type"]
    return {"customerType": kind} if kind in _CUSTOMER_TYPES else NOTHING


def cart_data(event: Event, merchant: Json) -> Json:
    """Return what was bought, behind what names the merchant's feed; nothing without a line that names a product."""
    items = [_line(item) for item in items_of(event) if item["quantity"] > 0]
    if not items:
        return NOTHING
    cart: dict[str, object] = dict(merchant)
    order = order_of(event)
    if order is not None and order["discount"] is not None and order["discount"] >= 0:
        cart["transactionDiscount"] = float(order["discount"])
    coupons = [] if order is None else [coupon for coupon in order["coupons"] if coupon.strip()]
    if coupons:
        cart["couponCodes"] = coupons
    cart["items"] = items
    return cart


def _line(item: Item) -> Json:
    # int64 is text in proto3's JSON.
    line: dict[str, object] = {"merchantProductId": item["id"].strip(), "quantity": str(item["quantity"])}
    if item["unit_price"] is not None and item["unit_price"] >= 0:
        line["unitPrice"] = float(item["unit_price"])
    return line


def section(name: str, content: Json) -> Json:
    """Return a section under its name, or nothing where it has no content: Google knows no empty ones."""
    return {name: content} if content else NOTHING


def notes_of(event: Event, found: Identified, country: str | None, *, cut: int) -> tuple[Note, ...]:
    """Return what people should know of an event that is sent.

    `identifiers_cut` stands once for each of the `cut` ones that Google takes no more.
    """
    noted: list[Note] = ["restated"] if event.name in TAKEN_BACK else []
    if lacks_country(event, country, found.dropped, "phoneNumber"):
        noted.append("phone_no_country")
    whole = all(name in found.keys for name in POSTAL_ADDRESS)
    if not whole and ("givenName" in found.keys or "familyName" in found.keys):
        noted.append("address_incomplete")
    noted += ["identifiers_cut"] * cut
    return tuple(noted)
