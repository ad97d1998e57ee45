"""Meta's table of match keys against its conformance cases."""

from __future__ import annotations

from datetime import date
from hashlib import sha256
from typing import get_type_hints

import pytest

from pipeline.core.contract import App, Customer, Lead, Messaging, Touch
from pipeline.core.identify import Identified, identify
from pipeline.core.match_key import Paired
from pipeline.core.normalize.place import country
from pipeline.platforms.meta_keys import META_KEYS, match_table

TODAY = date(2026, 11, 21)
TABLE = match_table(lead=True)
SECTIONS = {"customer": Customer, "touch": Touch, "app": App, "messaging": Messaging, "": Lead}
OF_NOTHING = sha256(b"").hexdigest()


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _identified(**fields: object) -> Identified:
    """Identify an event in which only these fields are there."""
    body: dict[str, object] = dict.fromkeys(get_type_hints(Lead))
    for name in ("customer", "touch", "app", "messaging"):
        section: dict[str, object] = dict.fromkeys(get_type_hints(SECTIONS[name]))
        section.update({field: value for field, value in fields.items() if field in section})
        body[name] = section
    body["meta_lead_id"] = fields.get("meta_lead_id")
    where = fields.get("country")
    return identify(body, TABLE, country(where) if isinstance(where, str) else None, TODAY)


FULL: dict[str, object] = {
    "emails": ["John.Smith@example.com"],
    "phones": ["(650)555-1212"],
    "first_name": "John",
    "last_name": "O’Brien",
    "birth_date": date(1997, 2, 16),
    "gender": "female",
    "city": "São Paulo",
    "region": "California",
    "postal_code": "94025-1234",
    "country": "USA",
    "external_ids": ["User-42"],
    "facebook_login_id": "10158000000000000",
    "client_ip": "168.212.226.204",
    "client_ipv6": "2a00::1",
    "user_agent": "Mozilla/5.0",
    "fbc": "fb.1.1554763741205.AbCdEf",
    "fbp": "fb.1.1596403881668.1116446470",
    "advertising_id": "AEBE52E7-03EE-455A-B3C4-E57283966239",
    "anonymous_id": "anon-1",
    "page_id": "1",
    "page_scoped_user_id": "2",
    "instagram_account_id": "3",
    "instagram_user_id": "4",
    "whatsapp_business_account_id": "5",
    "ctwa_clid": "AbC",
    "meta_lead_id": "1234567890123456",
}


def test_full_customer() -> None:
    """Every row gives its key, hashed in a list or clear, in the order of the table."""
    identified = _identified(**FULL)

    assert list(dict.fromkeys(key.name for key in META_KEYS)) == list(identified.keys)
    assert () == identified.dropped
    assert {
        "em": [_hash("john.smith@example.com")],
        "ph": [_hash("16505551212")],
        "fn": [_hash("john")],
        "ln": [_hash("obrien")],
        "db": [_hash("19970216")],
        "ge": [_hash("f")],
        "ct": [_hash("sãopaulo")],
        "st": [_hash("ca")],
        "zp": [_hash("94025")],
        "country": [_hash("us")],
        "external_id": [_hash("user-42")],
        "fb_login_id": 10158000000000000,
        "client_ip_address": "2a00::1",
        "client_user_agent": "Mozilla/5.0",
        "fbc": FULL["fbc"],
        "fbp": FULL["fbp"],
        "madid": "aebe52e7-03ee-455a-b3c4-e57283966239",
        "anon_id": "anon-1",
        "page_id": "1",
        "page_scoped_user_id": "2",
        "ig_account_id": "3",
        "ig_sid": "4",
        "whatsapp_business_account_id": "5",
        "ctwa_clid": "AbC",
        "lead_id": 1234567890123456,
    } == identified.keys


def test_sources_are_fields_of_the_contract() -> None:
    """Every field that the table reads exists in the event contract."""
    for key in META_KEYS:
        section, _, source = key.source.rpartition(".")
        fields = get_type_hints(SECTIONS[section])

        assert source in fields
        assert not isinstance(key.rule, Paired) or key.rule.field in fields


def test_what_names_a_person_is_not_remembered() -> None:
    """E-mails, phones, names, ids and cookies are in no memory; only fields of few values are."""
    assert {"db", "ge", "ct", "st", "zp", "country"} == {key.name for key in META_KEYS if key.remember}


def test_orders_have_no_lead_id() -> None:
    """The table for orders asks for no field that only leads have."""
    assert {"lead_id"} == {key.name for key in match_table(lead=True).keys} - {
        key.name for key in match_table(lead=False).keys
    }


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        pytest.param({"emails": ["foo @bar.com"]}, "em", id="C2-space"),
        pytest.param({"emails": ["a@b.com,c@d.com"]}, "em", id="C2-comma"),
        pytest.param({"emails": ["a@b"]}, "em", id="C3"),
        pytest.param({"emails": ["d41d8cd98f00b204e9800998ecf8427e"]}, "em", id="C6"),
        pytest.param({"phones": ["(650)555-1212"]}, "ph", id="C8"),
        pytest.param({"first_name": "-.’"}, "fn", id="C13"),
        pytest.param({"country": "XX"}, "country", id="C17"),
        pytest.param({"birth_date": date(2026, 11, 22)}, "db", id="C18-future"),
        pytest.param({"birth_date": date(1899, 12, 31)}, "db", id="C18-early"),
        pytest.param({"gender": "x"}, "ge", id="C19"),
        pytest.param({"fbc": "AbCdEf"}, "fbc", id="C22"),
        pytest.param({"client_ip": "10.0.0.5"}, "client_ip_address", id="C23-private"),
        pytest.param({"client_ip": "1.2.3.4:443"}, "client_ip_address", id="C23-port"),
        pytest.param({"client_ip": "a" * 64}, "client_ip_address", id="C23-hashed"),
        pytest.param({"meta_lead_id": "l:123"}, "lead_id", id="C24"),
        pytest.param({"fbclid": "AbCdEf"}, "fbc", id="click-without-time"),
    ],
)
def test_unusable_is_absent_and_counted(fields: dict[str, object], key: str) -> None:
    """What Meta could not match is absent, and its key is named for the metric."""
    identified = _identified(**fields)

    assert ({}, (key,)) == (identified.keys, identified.dropped)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({"emails": [_hash("x").upper()]}, {"em": [_hash("x")]}, id="C5"),
        pytest.param({"fbc": "fb.1.1554763741205.aBcDeF"}, {"fbc": "fb.1.1554763741205.aBcDeF"}, id="C21"),
        pytest.param({"fbc": "fb.1.1554763741205.aB.AQICAQMC"}, {"fbc": "fb.1.1554763741205.aB.AQICAQMC"}, id="C22"),
        pytest.param({"client_ip": "1.2.3.4, 5.6.7.8"}, {"client_ip_address": "1.2.3.4"}, id="C23-list"),
        pytest.param({"client_ipv6": "fe80::1", "client_ip": "1.2.3.4"}, {"client_ip_address": "1.2.3.4"}, id="ip-v4"),
        pytest.param(
            {"fbclid": "AbCdEf", "fbclid_seen_at": 1554763741205}, {"fbc": "fb.1.1554763741205.AbCdEf"}, id="fbc-built"
        ),
    ],
)
def test_usable(fields: dict[str, object], expected: dict[str, object]) -> None:
    """Cookies, addresses and ready hashes pass as Meta wants them."""
    assert expected == _identified(**fields).keys


@pytest.mark.parametrize("blank", ["", "   ", "null", "-", "\u200b", "’"])
def test_nothing_empty_is_hashed(blank: str) -> None:
    """C13: whatever is blank in every field, the hash of the empty text is in none."""
    fields = {field: [blank] if isinstance(value, list) else blank for field, value in FULL.items()}
    del fields["birth_date"]

    assert OF_NOTHING not in str(_identified(**fields).keys)


def test_external_ids_as_the_pixel_sends_them() -> None:
    """Case and spaces of external ids stay where the destination says that the pixel keeps them."""
    customer = {**dict.fromkeys(get_type_hints(Customer)), "external_ids": ["User 42"]}
    body = {"customer": customer, "touch": None, "app": None, "messaging": None}

    as_written = identify(body, match_table("as-written", lead=False), None, TODAY).keys
    folded = identify(body, match_table("folded", lead=False), None, TODAY).keys

    assert ([_hash("User 42")], [_hash("user42")]) == (as_written["external_id"], folded["external_id"])
