"""TikTok's rules for one event."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pipeline.sandbox.tiktok_event import OLD, STANDARD, check_event, notices
from pipeline.sandbox.tiktok_flaw import Flaw

Event = dict[str, object]
Change = Callable[[str, object], Event]

DAY = 86_400
# SHA-256 of person@example.com, worked out elsewhere.
HASH = "542d240129883c019e106e3b1b2d3f3cb3537c43c425364de8e951d5a3083345"
SECRET = "Jane.Doe@shop.example"


@pytest.fixture
def event(now: float) -> Event:
    """Return a valid web purchase with every field that a web event may have."""
    return {
        "event": "Purchase",
        "event_time": int(now) - 60,
        "event_id": "order-1",
        "user": {
            "email": HASH,
            "phone": [HASH],
            "external_id": [HASH, HASH],
            "first_name": HASH,
            "last_name": HASH,
            "zip_code": HASH,
            "city": "newyork",
            "state": "ny",
            "country": "us",
            "ip": "203.0.113.7",
            "user_agent": "Mozilla/5.0 (X11)",
            "locale": "en-US",
            "ttclid": "E.C.P.abc-1_2",
            "ttp": "94e2a4j9-h3ss-k8h5-98cc-c84n745mk9h4",
        },
        "page": {"url": "https://shop.example/thanks?x=1", "referrer": "https://search.example/"},
        "limited_data_use": True,
        "properties": {
            "currency": "EUR",
            "value": 12.5,
            "contents": [
                {
                    "content_id": "17",
                    "content_name": "Scarf",
                    "content_category": "Accessories",
                    "brand": "Acme",
                    "price": 12.5,
                    "quantity": 1,
                }
            ],
            "content_type": "product",
            "num_items": 1,
            "order_id": "1",
            "shop_id": "2",
            "query": "wool",
            "search_string": "wool",
            "description": "An order",
            "delivery_category": "home_delivery",
            "predicted_ltv": 100,
            "status": "paid",
        },
    }


def bare(now: float, **more: object) -> Event:
    """Return an event with the required fields only, which any source takes."""
    return {"event": "Lead", "event_time": int(now), "event_id": "1", "user": {"email": HASH}, **more}


def told(flaw: Flaw | None) -> tuple[int, str]:
    """Return the code and the place of a flaw; 0 and no place if there is none."""
    return (0, "") if flaw is None else (flaw.code, ".".join(flaw.place))


def test_valid_event(event: Event, now: float) -> None:
    """A complete web purchase is taken, and nothing about it is worth a notice."""
    assert (0, "") == told(check_event("web", event, now))
    assert {} == notices("web", [event])


@pytest.mark.parametrize("source", ["web", "offline", "crm", "app"])
def test_least_event(source: str, now: float) -> None:
    """Name, time and a person are enough for every source."""
    assert (0, "") == told(check_event(source, bare(now), now))


@pytest.mark.parametrize("value", [None, 1, "event", []])
def test_not_an_object(value: object, now: float) -> None:
    """An event that is no object is a parameter error."""
    assert (40002, "") == told(check_event("web", value, now))


@pytest.mark.parametrize("name", ["event", "event_time", "user"])
def test_required_fields(change: Change, name: str, now: float) -> None:
    """Every event needs a name, a time and a person."""
    assert (40002, name) == told(check_event("web", change(name, ...), now))


@pytest.mark.parametrize("name", ["event_id", "page", "limited_data_use", "page.url", "page.referrer", "user.ip"])
def test_optional_fields(change: Change, name: str, now: float) -> None:
    """All other fields may be left out."""
    assert (0, "") == told(check_event("web", change(name, ...), now))


def test_event_id_may_be_a_hash(change: Change, now: float) -> None:
    """The event id is the sender's own business: it may look like a hash."""
    assert (0, "") == told(check_event("web", change("event_id", HASH), now))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("event", ""),
        ("event", 1),
        ("event_time", "1799999940"),
        ("event_time", "2027-01-15T08:00:00Z"),
        ("event_time", 1_799_999_940.0),
        ("event_time", True),
        ("event_id", 273196),
        ("event_id", " "),
        ("event_id", None),
        ("user", []),
        ("page", "https://shop.example/"),
        ("page.url", "shop.example"),
        ("page.url", "ftp://shop.example/"),
        ("page.referrer", ""),
        ("limited_data_use", "true"),
        ("limited_data_use", 1),
        ("properties", []),
        ("properties.currency", "eur"),
        ("properties.currency", "EURO"),
        ("properties.currency", 978),
        ("properties.value", "12.50"),
        ("properties.value", -1),
        ("properties.value", True),
        ("properties.value", None),
        ("properties.contents", []),
        ("properties.contents", {}),
        ("properties.contents", ["17"]),
        ("properties.content_type", "sku"),
        ("properties.content_type", ["product"]),
        ("properties.content_ids", ["17"]),
        ("properties.num_items", 1.5),
        ("properties.num_items", -1),
        ("properties.order_id", 1),
        ("properties.shop_id", 1),
        ("properties.query", ""),
        ("properties.search_string", None),
        ("properties.description", []),
        ("properties.delivery_category", "pickup"),
        ("properties.predicted_ltv", "100"),
        ("properties.status", True),
    ],
)
def test_field_forms(change: Change, place: str, value: object, now: float) -> None:
    """A field of the wrong type or outside its list is a parameter error that names the field."""
    assert (40002, place) == told(check_event("web", change(place, value), now))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("content_id", 1077218),
        ("content_id", ""),
        ("content_name", 1),
        ("content_category", None),
        ("brand", []),
        ("price", "8.00"),
        ("price", "(null)"),
        ("price", -0.01),
        ("quantity", 0),
        ("quantity", -1),
        ("quantity", "1"),
        ("quantity", True),
    ],
)
def test_contents(change: Change, name: str, value: object, now: float) -> None:
    """A product's id is a string, its price a number and its quantity a number above zero."""
    contents = [{"content_id": "17"}, {"content_id": "18", name: value}]
    flaw = check_event("web", change("properties.contents", contents), now)

    assert (40002, f"properties.contents.{name}") == told(flaw)


def test_content_without_id(change: Change, now: float) -> None:
    """A product has an id."""
    flaw = check_event("web", change("properties.contents", [{"price": 8.0}]), now)

    assert (40002, "properties.contents.content_id") == told(flaw)


@pytest.mark.parametrize(
    ("place", "outer"),
    [
        ("eventName", ""),
        ("context", ""),
        ("user.em", "user"),
        ("page.title", "page"),
    ],
)
def test_unknown_fields(change: Change, place: str, outer: str, now: float) -> None:
    """An unknown field of an event, its user or its page is refused, and its name is not repeated."""
    flaw = check_event("web", change(place, "x"), now)

    assert (40002, outer) == told(flaw)


def test_unknown_content_field(change: Change, now: float) -> None:
    """An unknown field of a product is refused."""
    contents = [{"content_id": "17", "item_price": 8.0}]

    assert (40002, "properties.contents") == told(check_event("web", change("properties.contents", contents), now))


@pytest.mark.parametrize(
    ("age", "place"), [(28 * DAY, ""), (28 * DAY + 1, "event_time"), (-60, ""), (-61, "event_time")]
)
@pytest.mark.parametrize("source", ["web", "offline", "crm", "app"])
def test_event_time(source: str, age: int, place: str, now: float) -> None:
    """An event may be 28 days old and, by our assumption, 60 seconds ahead."""
    flaw = check_event(source, bare(now, event_time=int(now) - age), now)

    assert place == told(flaw)[1]


def test_milliseconds(change: Change, now: float) -> None:
    """A time in milliseconds is far in the future."""
    flaw = check_event("web", change("event_time", int(now * 1000)), now)

    assert flaw is not None
    assert "in the future" == flaw.note


@pytest.mark.parametrize(
    ("name", "value", "sources"),
    [
        ("page", {"url": "https://shop.example/"}, {"web"}),
        ("limited_data_use", False, {"web", "app"}),
        ("lead", {"lead_id": "7123"}, {"crm"}),
        ("app", {"app_id": "com.example", "app_name": "Shop", "app_version": "1.0"}, {"app"}),
        ("ad", {"callback": "x", "campaign_id": "1", "is_retargeting": False, "attributed": True}, {"app"}),
    ],
)
@pytest.mark.parametrize("source", ["web", "offline", "crm", "app"])
def test_fields_of_sources(source: str, name: str, value: object, sources: set[str], now: float) -> None:
    """Some fields belong to some event sources only."""
    flaw = check_event(source, bare(now, **{name: value}), now)

    assert ((0, "") if source in sources else (40002, name)) == told(flaw)


@pytest.mark.parametrize(
    ("source", "place", "value"),
    [
        ("crm", "lead.lead_id", 7123),
        ("crm", "lead.lead_id", HASH),
        ("crm", "lead.lead_event_source", ""),
        ("app", "app.app_id", 1),
        ("app", "ad.campaign_id", 1),
        ("app", "ad.is_retargeting", "false"),
        ("app", "ad.attributed", 1),
    ],
)
def test_forms_of_sources(source: str, place: str, value: object, now: float) -> None:
    """What belongs to a lead, an app or an ad has its form."""
    outer, inner = place.split(".")

    assert (40002, place) == told(check_event(source, bare(now, **{outer: {inner: value}}), now))


@pytest.mark.parametrize(
    ("name", "properties", "place"),
    [
        ("Purchase", {}, "properties.value"),
        ("CompletePayment", {"currency": "EUR"}, "properties.value"),
        ("PlaceAnOrder", {"currency": "EUR"}, "properties.value"),
        ("Purchase", {"value": 1}, "properties.currency"),
        ("Purchase", {"value": 0, "currency": "EUR"}, ""),
        ("AddToCart", {"value": 1}, "properties.currency"),
        ("AddToCart", {}, ""),
        ("AddToCart", {"currency": "EUR"}, ""),
        ("AddToCart", {"content_ids": ["17", "18"]}, ""),
        ("AddToCart", {"content_ids": [17]}, "properties.content_ids"),
        ("AddToCart", {"content_ids": []}, "properties.content_ids"),
        ("AddToCart", {"content_type": "product_group"}, ""),
    ],
)
def test_money(name: str, properties: dict[str, object], place: str, now: float) -> None:
    """A purchase has a value, and every value has a currency."""
    assert place == told(check_event("web", bare(now, event=name, properties=properties), now))[1]


def test_purchase_without_properties(change: Change, now: float) -> None:
    """A purchase without properties lacks its value."""
    assert (40002, "properties.value") == told(check_event("web", change("properties", ...), now))


@pytest.mark.parametrize("name", [*sorted(STANDARD - {"Purchase"}), "QualifiedLead"])
def test_event_names(name: str, now: float) -> None:
    """Standard events and custom ones are taken alike."""
    event = bare(now, event=name, page={"url": "https://shop.example/"})

    assert ((0, ""), {}) == (told(check_event("web", event, now)), notices("web", [event]))


def test_standard_names() -> None:
    """The list of standard events holds the 18 of the help page and both spellings of the page view."""
    assert (20, 4) == (len(STANDARD), len(OLD))
    assert {"Purchase", "Lead", "AddToCart", "InitiateCheckout", "ViewContent", "ApplicationApproval"} < STANDARD


@pytest.mark.parametrize(
    ("source", "changes", "notice"),
    [
        ("web", {"page": {"referrer": "x"}}, "page_url_missing"),
        ("offline", {"event_id": ...}, "event_id_missing"),
        ("offline", {"event": "SubmitForm"}, "event_name_old"),
        ("offline", {"event": "purchase"}, "event_name_case"),
        ("offline", {"properties": {"contents_ids": ["17"]}}, "unknown_property"),
    ],
)
def test_notices(source: str, changes: dict[str, object], notice: str, now: float) -> None:
    """What TikTok takes and a sender should still know of is counted."""
    event = {name: value for name, value in bare(now, **changes).items() if value is not ...}

    assert ((0, ""), {notice: 2}) == (told(check_event(source, event, now)), notices(source, [event, event]))


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("event_id", "Invalid value for event_id: not a valid string."),
        ("properties.contents", "Invalid value for properties.contents: not a valid list."),
    ],
)
def test_message(change: Change, place: str, message: str, now: float) -> None:
    """The message names the field in TikTok's words."""
    flaw = check_event("web", change(place, 273196), now)

    assert flaw is not None
    assert message == flaw.message


@pytest.mark.parametrize("place", ["user.email", "user.city", "user.ip", "page.url", "properties.currency", SECRET])
def test_nothing_repeated(event: Event, place: str, now: float) -> None:
    """No message repeats a value that was sent, nor a name that is not TikTok's."""
    outer, _, inner = place.partition(".") if place != SECRET else ("", "", "")
    target = event[outer] if outer else event
    assert isinstance(target, dict)
    target[inner or SECRET] = SECRET
    flaw = check_event("web", event, now)

    assert flaw is not None
    assert SECRET not in flaw.message
