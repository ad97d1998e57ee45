"""Contender (a), `python -m bench.bare_loop`: the library calls that the job cannot do without, and nothing else.

Consume, fastavro, eleven hashes of `lower().strip()`, orjson, one POST of a thousand, commit.
It validates nothing, normalizes nothing properly, asks for no consent, and loses everything at the first refusal:
it is the floor, not a program to run.
"""

from __future__ import annotations

import asyncio
from hashlib import sha256

import aiohttp
import orjson

from bench.contender import DATASET, TOKEN, Inlet, Order, Task, task


def main() -> None:
    """Run to the end of the topic."""
    asyncio.run(_run(task()))


async def _run(given: Task) -> None:
    url = f"{given.sink}/v25.0/{DATASET}/events"
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    inlet = Inlet(given)
    async with aiohttp.ClientSession() as session:
        while orders := inlet.batch():
            body = orjson.dumps({"data": [_event(order) for order in orders]})
            async with session.post(url, data=body, headers=headers) as answer:
                told = orjson.loads(await answer.read())
            if told["events_received"] != len(orders):
                raise RuntimeError(f"the sink took {told['events_received']} of {len(orders)} events")
            inlet.commit()
    inlet.finish()


def _hash(text: str) -> str:
    return sha256(text.lower().strip().encode()).hexdigest()


def _event(order: Order) -> dict[str, object]:
    customer, touch = order["customer"], order["touch"]
    items = order["items"]
    return {
        "event_name": "Purchase",
        "event_time": int(order["occurred_at"].timestamp()),
        "event_id": order["event_id"],
        "action_source": "website",
        "event_source_url": touch["url"],
        "referrer_url": touch["referrer"],
        "user_data": {
            "em": [_hash(customer["emails"][0])],
            "ph": [_hash(customer["phones"][0])],
            "fn": [_hash(customer["first_name"])],
            "ln": [_hash(customer["last_name"])],
            "db": [_hash(customer["birth_date"].isoformat())],
            "ge": [_hash(customer["gender"])],
            "ct": [_hash(customer["city"])],
            "st": [_hash(customer["region"])],
            "zp": [_hash(customer["postal_code"])],
            "country": [_hash(customer["country"])],
            "external_id": [_hash(customer["external_ids"][0])],
            "client_ip_address": touch["client_ip"],
            "client_user_agent": touch["user_agent"],
            "fbc": touch["fbc"],
            "fbp": touch["fbp"],
        },
        "custom_data": {
            "value": float(order["value"]),
            "currency": order["currency"],
            "order_id": order["order_id"],
            "content_type": "product",
            "content_ids": [item["id"] for item in items],
            "contents": [
                {
                    "id": item["id"],
                    "quantity": item["quantity"],
                    "item_price": float(item["unit_price"]),
                    "title": item["title"],
                    "brand": item["brand"],
                    "category": item["category"],
                }
                for item in items
            ],
        },
    }


if __name__ == "__main__":
    main()
