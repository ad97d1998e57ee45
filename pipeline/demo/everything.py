"""The one with everything: an order that carries what any platform can use of a visit on the web. Pure."""

from __future__ import annotations


def everything(own_id: str, occurred_at: int) -> dict[str, object]:
    """Return the order in the JSON form of the contract; `occurred_at` is in Unix milliseconds."""
    seen_at = occurred_at - 600_000
    return {
        "order_id": own_id,
        "event_id": f"{own_id}:web",
        "occurred_at": occurred_at,
        "store": "us",
        "brand": "fjallrav",
        "action_source": "WEBSITE",
        "value": "133.95",
        "currency": "USD",
        "tax": "11.05",
        "shipping": "4.95",
        "discount": "10.00",
        "coupons": ["WINTER10"],
        "items": [
            {
                "id": "SKU-1001",
                "title": "Wool scarf",
                "brand": "Fjällräv",
                "category": "Accessories",
                "quantity": 2,
                "unit_price": "21.90",
            },
            {
                "id": "SKU-1002",
                "title": "Rain jacket",
                "brand": "Fjällräv",
                "category": "Outerwear",
                "quantity": 1,
                "unit_price": "95.20",
            },
        ],
        "customer": {
            # Gmail's shortest names have six letters: nobody has this address.
            "emails": ["J.Doe+Shop@gmail.com"],
            "phones": ["(650) 555-0112"],
            "first_name": "Jo",
            "last_name": "Doe",
            "gender": "f",
            "birth_date": "1990-05-17",
            "city": "Menlo Park",
            "region": "California",
            "postal_code": "94025",
            "country": "US",
            "external_ids": ["user-42"],
            "facebook_login_id": "10223344556677889",
            "type": "NEW",
        },
        "touch": {
            "url": "https://shop.example/us/thanks",
            "referrer": "https://shop.example/us/checkout",
            "client_ip": "203.0.113.7",
            "client_ipv6": "2001:db8::7",
            "user_agent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:145.0) Gecko/20100101 Firefox/145.0",
            "language": "en-US",
            "fbc": f"fb.1.{seen_at}.IwAR2F4dbP0l7Mn1",
            "fbp": f"fb.1.{seen_at}.1098115397",
            "fbclid": "IwAR2F4dbP0l7Mn1",
            "fbclid_seen_at": seen_at,
            "gclid": "Cj0KCQiA2b-example",
            "gbraid": "0AAAAADq-example",
            "wbraid": "CkEKCQiA-example",
            "gad_session_attributes": "eyJnYWQiOiJleGFtcGxlIn0",
            "ttclid": "E.C.P.v3fQ2RHacdks",
            "ttp": "94e2a4j9-h3ss-k5h5-98cc-c84n24yy91gj",
            "epik": "dj0yJnU9example",
            "sc_click_id": "7f1a3a2c",
            "sc_cookie1": "d3b07384-d9a0-4c9b-8f1e-2b1d5c6a7e90",
        },
        "consent": {
            "ad_user_data": "GRANTED",
            "ad_personalization": "GRANTED",
            "limited_data_use": False,
            "region": "US-CA",
            "recorded_at": seen_at,
        },
        "producer": "checkout/4.2.0",
    }
