"""Any event that the contract allows: a Hypothesis strategy made by walking the schema itself.

Texts are likely values of their field, or anything; so rules are met, missed and missed by little.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from avro_events import CONTRACT, READERS, record
from hypothesis import strategies as st
from meta_events import APP, CONVERSATIONS, WHEN, Changes, activity_json, encoder, lead_json, order_json

from pipeline.core.avro.jsonform import from_json
from pipeline.core.avro.schema import Array, Enum, Field, Primitive, Record, Type, Union
from pipeline.core.contract import ID_FIELDS, Kind
from pipeline.core.decode import decode
from pipeline.core.model import Event
from pipeline.platforms.meta import ACTION_SOURCES

SOURCES = list(ACTION_SOURCES)
LIKELY: Mapping[str, tuple[str, ...]] = {
    "event_id": ("e-1", " "),
    "currency": ("EUR", "usd", " gbp ", "US$", ""),
    "id": ("SKU-1", "", " "),
    "emails": ("Jane@Example.com", "jane@example.com", "a@b", "null"),
    "phones": ("+442079460958", "(650) 555-1212", "123", "0044 20 7946 0958"),
    "first_name": ("Jane", "O’Brien", "-", "정"),
    "last_name": ("Lee", "  "),
    "gender": ("f", "Male", "x"),
    "city": ("São Paulo", "123", "London"),
    "region": ("California", "US-CA", "us-xx", "US", "Île-de-France"),
    "postal_code": ("94025-1234", "00501", "SW1A 1AA"),
    "country": ("GB", "usa", "XX", "Japan"),
    "external_ids": ("User-42", "12345", "a" * 64, "E" * 64),
    "facebook_login_id": ("10223344556677889", "0", "x"),
    "url": ("https://shop.example/thanks?a=1", "HTTP://shop.example", "https:// x", "shop"),
    "client_ip": ("203.0.113.7", "10.0.0.1", "203.0.113.7:443", "203.0.113.7, 10.0.0.1", "203.0.113.7.AQICAQMC"),
    "client_ipv6": ("2001:db8::7", "fe80::1", "::"),
    "user_agent": ("Mozilla/5.0", "unknown", " "),
    "fbc": ("fb.1.1554763741205.AbCdEf", "fb.1.1554763741205.AbCdEf.AQICAQMC", "fb.1.1.x"),
    "fbp": ("fb.1.1558571054389.1098115397", "fb.1.1558571054389.x"),
    "fbclid": ("IwAR2F4dbP0l7Mn1", ""),
    "os_version": ("26.1", "", " "),
    "advertising_id": ("CDDA802E-FB9C-47AD-9866-0794D394C912", "00000000-0000-0000-0000-000000000000"),
    "anonymous_id": ("XZ12A34B56", "null"),
    "extinfo": ("a2", "i2", "", "15"),
    "page_id": ("1122334455667788", "x"),
    "page_scoped_user_id": ("9988776655443322",),
    "instagram_account_id": ("17841400000000000",),
    "instagram_user_id": ("9876543210123456",),
    "whatsapp_business_account_id": ("102290129340398",),
    "ctwa_clid": ("ARAkLkA8rmlFeiCktEJQ", "null"),
    "crm": ("HubSpot", " "),
    "meta_lead_id": ("525645896321548", "12345", "l-1"),
    "custom_name": ("quote-requested", "Quote requested", " ", "x" * 41),
    "query": ("wool scarf", "Jane", " "),
}
_CLICKED_MS = st.integers(1_500_000_000_000, 1_800_000_000_000)
_HAPPENED_MS = st.integers(int(WHEN * 1000) - 10**9, int(WHEN * 1000) + 10**9)


def document(kind: Kind, changes: Changes | None = None) -> dict[str, Any]:
    """Return the sample of a kind in JSON form, with dotted places set; all of them happen when the order does."""
    made = {"order": order_json, "lead": lead_json, "activity": activity_json}
    return made[kind](changes)


def bodies(kind: Kind) -> st.SearchStrategy[dict[str, object]]:
    """Return events of a kind as the contract's types have them."""
    return _record(CONTRACT.schemas[kind])


@st.composite
def near_samples(draw: st.DrawFn, kind: Kind) -> dict[str, object]:
    """Return the sample of a kind with every section, wherever it may happen, a few fields replaced by any value."""
    channel = draw(st.sampled_from(list(CONVERSATIONS)))
    sections = {"app": APP, "messaging": CONVERSATIONS[channel], "action_source": draw(st.sampled_from(SOURCES))}
    body = dict(from_json(document(kind, sections), CONTRACT.schemas[kind]).event)
    places = dict(_places(CONTRACT.schemas[kind]))
    for path in draw(st.lists(st.sampled_from(sorted(places)), max_size=5, unique=True)):
        _put(body, path, draw(_field(places[path])))
    return body


def events(kind: Kind) -> st.SearchStrategy[Event]:
    """Return events of a kind, written as Avro and read by the worker's own decoder."""
    written = near_samples(kind) | near_samples(kind) | bodies(kind)
    decoded = written.map(lambda body: decode(record(encoder(kind).encode(body)), READERS[kind]))
    return decoded.filter(lambda event: isinstance(event, Event)).map(_event)


def personal(schema: Record, outer: str = "") -> Iterator[tuple[str, Type]]:
    """Yield the path and the type of every field that the contract marks as personal data."""
    for field in schema.fields:
        path = f"{outer}{field.name}"
        inner = field.type.branches[-1] if isinstance(field.type, Union) else field.type
        if isinstance(inner, Record):
            yield from personal(inner, f"{path}.")
        elif field.pii:
            yield path, inner


def _places(schema: Record, outer: str = "") -> Iterator[tuple[str, Field]]:
    """Yield every field that holds no record, by its path."""
    for field in schema.fields:
        inner = field.type.branches[-1] if isinstance(field.type, Union) else field.type
        if isinstance(inner, Record):
            yield from _places(inner, f"{outer}{field.name}.")
        else:
            yield f"{outer}{field.name}", field


def _put(body: dict[str, object], path: str, value: object) -> None:
    head, _, rest = path.partition(".")
    if rest:
        section = body[head]
        assert isinstance(section, dict)
        _put(section, rest, value)
    else:
        body[head] = value


def _event(found: object) -> Event:
    assert isinstance(found, Event)
    return found


def _record(schema: Record) -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries({field.name: _field(field) for field in schema.fields})


def _field(field: Field) -> st.SearchStrategy[object]:
    if field.name == "occurred_at":
        return _HAPPENED_MS
    if field.name in ID_FIELDS.values():
        return st.just("A-1")
    return _value(field.type, field.name)


def _value(node: Type, name: str) -> st.SearchStrategy[object]:
    match node:
        case Union():
            return st.none() | _value(node.branches[-1], name)
        case Record():
            return _record(node)
        case Array():
            return st.lists(_value(node.items, name), max_size=6 if name == "extinfo" else 2)
        case Enum():
            return st.sampled_from(node.symbols)
        case Primitive(kind="string"):
            return _text(name)
        case Primitive():
            return _PRIMITIVES[node.logical or node.kind]
        case _:
            raise TypeError(f"{name}: the contract has no such type")


def _text(name: str) -> st.SearchStrategy[str]:
    likely = LIKELY.get(name)
    return st.text(max_size=8) if likely is None else st.sampled_from(likely) | st.text(max_size=8)


_PRIMITIVES: Mapping[str, st.SearchStrategy[object]] = {
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "timestamp-millis": _CLICKED_MS,
    "date": st.dates(date(1800, 1, 1), date(2100, 1, 1)),
    "decimal": st.integers(-(10**18) + 1, 10**18 - 1).map(lambda number: Decimal(number).scaleb(-4)),
}
