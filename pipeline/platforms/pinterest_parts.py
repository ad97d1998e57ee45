"""The parts of a Pinterest event beside names, times and match keys: custom data, app, language, limits of use."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Final, Literal, TypedDict

from pipeline.core.consent import region_of
from pipeline.core.contract import Activity, Body, Item
from pipeline.core.identify import Value
from pipeline.core.model import Event
from pipeline.core.normalize.digest import digest
from pipeline.core.normalize.network import language_tag
from pipeline.core.normalize.place import region
from pipeline.platforms.common import (
    NOTHING,
    Json,
    activity_of,
    below_zero,
    currency_of,
    is_said,
    items_of,
    lacks_country,
    order_of,
    shared_fault,
)
from pipeline.platforms.pinterest_keys import ENOUGH

Note = Literal["phone_no_country", "no_page_url"]

# The match keys without which Pinterest ignores `opt_out_type`.
RESIDENCE: Final = frozenset({"st", "country"})


class Content(TypedDict, total=False):
    """One line of `contents`."""

    id: str
    item_name: str
    item_category: str
    item_brand: str
    item_price: str
    quantity: int


def fault_of(event: Event) -> str | None:
    """Return what Pinterest requires of this event and it does not have, or None. Never holds a value."""
    body = event.body
    fault = shared_fault(event, "", ()) or below_zero(event)
    if fault is not None:
        return fault
    if body["action_source"] == "APP" and body["app"] is None:
        return "an app event needs app"
    return None


def unmatchable(found: AbstractSet[str]) -> str | None:
    """Return why Pinterest would refuse an event with these keys, or None. Never holds a value."""
    for keys in ENOUGH:
        if keys.issubset(found):
            return None
    return f"Pinterest takes no event with only: {', '.join(found) or 'nothing'}"


def notes_of(event: Event, dropped: Collection[str], country: str | None, *, no_page: bool) -> tuple[Note, ...]:
    """Return what people should know of an event that is sent."""
    notes: tuple[Note, ...] = ("phone_no_country",) if lacks_country(event, country, dropped, "ph") else ()
    return (*notes, "no_page_url") if no_page else notes


def limited(body: Body) -> bool:
    """Whether the use of the data is to be limited."""
    return body["consent"]["limited_data_use"] is True


def tell_residence(body: Body, country: str | None, keys: dict[str, Value]) -> None:
    """Put the state and the country of a resident of the United States into `keys`, in both cases.

    The vendor's description has them in lower case, its page on limited data processing hashes capitals.
    What the customer's address does not tell, the place does where the choice was made.
    """
    asked, _, part = (region_of(body) or "").partition("-")
    if (country or asked) != "us":
        return
    state = region(body["customer"]["region"] or "", "us") or (region(part, "us") if asked == "us" else None)
    if state is not None:
        keys["st"] = _in_both_cases(state)
    keys["country"] = _in_both_cases("us")


def _in_both_cases(code: str) -> list[str | int]:
    return [digest(code), digest(code.upper())]


def opt_out(body: Body) -> Json:
    """Return that personalized ads were refused, for an app also by the device's own setting; else nothing."""
    app = body["app"] if body["action_source"] == "APP" else None
    refused = body["consent"]["ad_personalization"] == "DENIED" or (app is not None and not app["tracking_allowed"])
    return {"opt_out": True} if refused else NOTHING


def custom_data(event: Event) -> Json:
    """Return what was bought, looked at or searched for, what it is worth, and the limit of its use."""
    body = event.body
    data: dict[str, object] = {}
    unit = currency_of(event)
    if unit:
        data["currency"] = unit
    if body["value"] is not None:
        # Amounts are text: a JSON number breaks the schema, and with it the whole request.
        data["value"] = plain_decimal(body["value"])
    _contents(items_of(event), data, priced=bool(unit))
    order, activity = order_of(event), activity_of(event)
    if order is not None:
        data["order_id"] = order["order_id"]
    if activity is not None:
        _activity(activity, data)
    if limited(body):
        data["opt_out_type"] = "LDP"
    return {"custom_data": data} if data else NOTHING


def _contents(items: list[Item], data: dict[str, object], *, priced: bool) -> None:
    lines = [item for item in items if item["quantity"] > 0]
    if lines:
        data["content_ids"] = [item["id"] for item in lines]
        data["contents"] = [_content(item, priced=priced) for item in lines]
        data["num_items"] = sum(item["quantity"] for item in lines)


def _content(item: Item, *, priced: bool) -> Content:
    content: Content = {"id": item["id"]}
    if is_said(item["title"]):
        content["item_name"] = item["title"]
    if is_said(item["category"]):
        content["item_category"] = item["category"]
    if is_said(item["brand"]):
        content["item_brand"] = item["brand"]
    price = item["unit_price"]
    # Without a currency Pinterest would take the price for one in the account's.
    if priced and price is not None and price >= 0:
        content["item_price"] = plain_decimal(price)
    content["quantity"] = item["quantity"]
    return content


def _activity(activity: Activity, data: dict[str, object]) -> None:
    query = (activity["query"] or "").strip()
    if query:
        data["search_string"] = query
    predicted = activity["predicted_value"]
    if predicted is not None and predicted >= 0:
        data["predicted_ltv"] = plain_decimal(predicted)


def app_data(body: Body) -> Json:
    """Return the app and its system, in the flat fields of the vendor's description; blank ones are left out."""
    app = body["app"]
    if app is None or body["action_source"] != "APP":
        return NOTHING
    given = {
        "app_id": app["app_id"],
        "app_name": app["app_name"],
        "app_version": app["app_version"],
        "os_version": app["os_version"],
    }
    return {name: text for name, text in given.items() if is_said(text)}


def language(body: Body) -> Json:
    """Return the two letters of the browser's language; a language that has three is left out."""
    code = (language_tag(body["touch"]["language"] or "") or "").partition("-")[0].lower()
    return {"language": code} if len(code) == 2 else NOTHING


def plain_decimal(amount: Decimal) -> str:
    """Write an amount as text without exponent and without needless zeros: `72.39`, `4500`."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
