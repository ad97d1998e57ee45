"""Contender (c), `python -m bench.sdk_loop`: the same job with PyPI's `facebook_business`, as its own pages show it.

`UserData`, `CustomData`, `Event`, then `EventRequest(...).execute()`, with one event each, as its examples send them;
as (c') with a thousand, the most that Meta takes and the kindest size for the SDK.
The SDK's address is a class attribute, `FacebookSession.GRAPH`; it is set to the sink in this process only.
"""

from __future__ import annotations

from facebook_business.adobjects.serverside.action_source import ActionSource
from facebook_business.adobjects.serverside.content import Content
from facebook_business.adobjects.serverside.custom_data import CustomData
from facebook_business.adobjects.serverside.event import Event
from facebook_business.adobjects.serverside.event_request import EventRequest
from facebook_business.adobjects.serverside.gender import Gender
from facebook_business.adobjects.serverside.user_data import UserData
from facebook_business.api import FacebookAdsApi
from facebook_business.session import FacebookSession

from bench.contender import DATASET, TOKEN, Inlet, Order, task


def main() -> None:
    """Run to the end of the topic."""
    given = task()
    FacebookSession.GRAPH = given.sink
    # Without this the SDK would report a crash of ours to its vendor.
    FacebookAdsApi.init(access_token=TOKEN, crash_log=False)
    inlet = Inlet(given)
    while orders := inlet.batch():
        answer = EventRequest(pixel_id=DATASET, events=[_event(order) for order in orders]).execute()
        if answer.events_received != len(orders):
            raise RuntimeError(f"the sink took {answer.events_received} of {len(orders)} events")
        inlet.commit()
    inlet.finish()


def _event(order: Order) -> Event:
    return Event(
        event_name="Purchase",
        event_time=int(order["occurred_at"].timestamp()),
        event_id=order["event_id"],
        event_source_url=order["touch"]["url"],
        referrer_url=order["touch"]["referrer"],
        action_source=ActionSource.WEBSITE,
        user_data=_user_data(order),
        custom_data=_custom_data(order),
    )


def _user_data(order: Order) -> UserData:
    customer, touch = order["customer"], order["touch"]
    return UserData(
        emails=customer["emails"],
        phones=customer["phones"],
        first_name=customer["first_name"],
        last_name=customer["last_name"],
        date_of_birth=customer["birth_date"].strftime("%Y%m%d"),
        gender=Gender(customer["gender"]),
        city=customer["city"],
        state=customer["region"],
        zip_code=customer["postal_code"],
        country_code=customer["country"],
        external_ids=customer["external_ids"],
        client_ip_address=touch["client_ip"],
        client_user_agent=touch["user_agent"],
        fbc=touch["fbc"],
        fbp=touch["fbp"],
    )


def _custom_data(order: Order) -> CustomData:
    items = order["items"]
    return CustomData(
        value=float(order["value"]),
        currency=order["currency"],
        order_id=order["order_id"],
        content_type="product",
        content_ids=[item["id"] for item in items],
        contents=[
            Content(
                product_id=item["id"],
                quantity=item["quantity"],
                item_price=float(item["unit_price"]),
                title=item["title"],
                brand=item["brand"],
                category=item["category"],
            )
            for item in items
        ],
    )


if __name__ == "__main__":
    main()
