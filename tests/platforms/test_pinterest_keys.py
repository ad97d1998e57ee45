"""Pinterest's table of match keys against its conformance cases."""

from __future__ import annotations

from typing import get_type_hints

import pytest
from meta_events import Changes
from pinterest_events import ANDROID, DEFAULT, IOS, NOBODY, hashes, order, refusal, sent, shape, shaped

from pipeline.core.contract import App, Customer, Touch
from pipeline.core.match_key import Form
from pipeline.core.reason import Reason
from pipeline.platforms.meta_keys import META_KEYS
from pipeline.platforms.pinterest import PinterestOptions
from pipeline.platforms.pinterest_keys import ENOUGH, PINTEREST_KEYS, WEIGHTS

SECTIONS = {"customer": Customer, "touch": Touch, "app": App}
VISIT = {"client_ip_address": "203.0.113.7", "client_user_agent": "Mozilla/5.0"}
EMAIL = "542d240129883c019e106e3b1b2d3f3cb3537c43c425364de8e951d5a3083345"
PHONE = "46f79a783d7ee6c9ebd5f8904280a5e1ec9c6edb20ced8a83fe5a80e58f1f918"
COUNTRY = "79adb2a2fce5c6ba215fe5f27f532d4e7edbac4b6a5e09e1ef3a08084a904621"
STATE = "6959097001d10501ac7d54c0bdb8db61420f658f2922cc26e46d536119a31126"


def keys(changes: Changes) -> dict[str, object]:
    """Return what is told of a customer who has only these fields, and a browser."""
    found: dict[str, object] = sent(order({**NOBODY, **changes}))["user_data"]
    return {key: value for key, value in found.items() if key not in VISIT}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"customer.emails": [" Person@Example.COM "]}, {"em": [EMAIL]}, id="C1"),
        pytest.param({"customer.phones": ["+1 (202) 555-0146"]}, {"ph": [PHONE]}, id="C2"),
        pytest.param({"customer.postal_code": "SW1A 1AA"}, {}, id="C6"),
        pytest.param(
            {"customer.postal_code": "94043-1351", "customer.country": "US"},
            {"zp": ["1b10e5e0b47cefad5c4f6c1d10b8b6fbbd5af9756eb01ed5c8ee1f588b65947b"], "country": [COUNTRY]},
            id="C7",
        ),
        pytest.param(
            {"customer.gender": "Female"},
            {"ge": ["252f10c83610ebca1a059c0bae8255eba2f95be4d1d7bcfa89d7248a82d9f111"]},
            id="C8",
        ),
        pytest.param({"touch.epik": " dj0yJnU9 "}, {"click_id": "dj0yJnU9"}, id="C9"),
        pytest.param({"touch.ttclid": "E.C.P", "touch.sc_click_id": "7f1a3a2c"}, {}, id="C9-of-others"),
        pytest.param(
            {"customer.first_name": " O'Neil "},
            {"fn": ["eb1aed4f494ca276a88d3161252e48e0fe703f32666fe44fe4652f660b82cda4"]},
            id="first name",
        ),
        pytest.param({"customer.last_name": "De La Cruz"}, {"ln": hashes("de la cruz")}, id="last name"),
        pytest.param(
            {"customer.city": "New York"},
            {"ct": ["350c754ba4d38897693aa077ef43072a859d23f613443133fecbbd90a3512ca5"]},
            id="city",
        ),
        pytest.param(
            {"customer.region": "California", "customer.country": "USA"}, {"st": [STATE], "country": [COUNTRY]}, id="st"
        ),
        pytest.param(
            {"customer.birth_date": "1990-12-25"},
            {"db": ["e02863af498c943e9e0a60f681a96d59edf0644f8efb578ccbfc94a1f273e54f"]},
            id="birth date",
        ),
        pytest.param(
            {"customer.external_ids": [" CUST-42 "]},
            {"external_id": ["6fd6ebd11fef5dc85e566ceb1db68632fedb601ac5ef53554960d7114c653b94"]},
            id="external id",
        ),
        pytest.param(
            {"app": IOS | {"advertising_id": "AEBE52E7-03EE-455A-B3C4-E57283966239"}},
            {"hashed_maids": ["aab766791ab90f208a8bcb342fd935b3012e81ca20b1f7cf707caf804bbd813c"]},
            id="device",
        ),
        pytest.param({"customer.emails": [EMAIL.upper()]}, {"em": [EMAIL]}, id="a hash already"),
        pytest.param({"customer.gender": "non-binary"}, {"ge": hashes("n")}, id="neither"),
        pytest.param(
            {"customer.emails": ["Per.son+tag@gmail.com"]}, {"em": hashes("per.son+tag@gmail.com")}, id="gmail"
        ),
        pytest.param({"customer.postal_code": "10115"}, {"zp": hashes("10115")}, id="digits of no known country"),
    ],
)
def test_c1_to_c9_vectors(changes: Changes, expected: dict[str, object]) -> None:
    """Each field leaves in Pinterest's form: a list of hashes by its rule, or clear text; click ids of others never."""
    assert expected == keys(changes)


def test_c2_phone_is_not_tiktoks() -> None:
    """The number is hashed without its plus."""
    assert [PHONE] == hashes("12025550146") != hashes("+12025550146")


@pytest.mark.parametrize(
    ("customer", "touch"),
    [
        pytest.param({"phones": ["+12025550146"], "external_ids": ["CUST-42"]}, {}, id="C3"),
        pytest.param({}, {"client_ip": "203.0.113.7"}, id="C4"),
        pytest.param({}, {"user_agent": "Mozilla/5.0"}, id="a browser without an address"),
        pytest.param({}, {"epik": "dj0yJnU9"}, id="a click"),
        pytest.param({}, {"client_ip": "10.0.0.1", "user_agent": "Mozilla/5.0"}, id="a private address"),
        pytest.param({}, {}, id="nothing"),
    ],
)
def test_c3_c4_too_little(customer: dict[str, object], touch: dict[str, object]) -> None:
    """What Pinterest would refuse a whole request for is refused before: the words name keys and no value."""
    reason, detail = refusal(shape(order({"customer": customer, "touch": touch})))

    assert (Reason.NO_MATCH_KEY, "Pinterest takes no event with only: ") == (reason, detail[:36])
    assert not [raw for raw in ("2025550146", "CUST", "203.0", "dj0y", "Mozilla") if raw in detail]


@pytest.mark.parametrize(
    "changes",
    [
        {"customer.emails": ["person@example.com"]},
        {"touch": {"client_ip": "203.0.113.7", "user_agent": "Mozilla/5.0"}},
        {"touch": {"client_ipv6": "2001:db8::7", "user_agent": "Mozilla/5.0"}},
        {"app": ANDROID},
    ],
)
def test_c3_c4_just_enough(changes: Changes) -> None:
    """An e-mail, a device, or an address with its browser is enough, each alone."""
    found = shaped(order({"customer": {}, "touch": {}, **changes}))

    assert frozenset(found.match_keys) in ENOUGH


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"customer.emails": ["foo @bar.com"]}, "em"),
        ({"customer.emails": ["d41d8cd98f00b204e9800998ecf8427e"]}, "em"),
        ({"customer.phones": ["2025550146"]}, "ph"),
        ({"customer.first_name": "-.’"}, "fn"),
        ({"customer.gender": "x"}, "ge"),
        ({"customer.birth_date": "2025-11-22"}, "db"),
        ({"customer.country": "XX"}, "country"),
        ({"customer.region": "Bavaria", "customer.country": "US"}, "st"),
        ({"customer.postal_code": "SW1A 1AA"}, "zp"),
        ({"touch.epik": "dj0y JnU9"}, "click_id"),
        ({"app": IOS | {"advertising_id": "00000000-0000-0000-0000-000000000000"}}, "hashed_maids"),
    ],
)
def test_unusable_is_absent_and_counted(changes: Changes, key: str) -> None:
    """What Pinterest could not match is absent, and its key is named for the metric."""
    found = shaped(order({**NOBODY, **changes}))

    assert (False, (key,)) == (key in found.match_keys, found.dropped)


@pytest.mark.parametrize("blank", ["", "   ", "null", "-", "\u200b", "’"])
def test_nothing_empty_is_hashed(blank: str) -> None:
    """Whatever is blank in every field, no key is made of it."""
    texts = dict.fromkeys(("first_name", "last_name", "city", "region", "postal_code", "country", "gender"), blank)
    lists = {name: [blank] for name in ("emails", "phones")}

    assert {} == keys({"customer": {**texts, **lists}})


def test_lists_are_sorted_without_doubles() -> None:
    """Several addresses go in one list, each once, in an order that does not depend on the event's."""
    given = ["person@example.com", "a@example.com", "PERSON@example.com"]

    assert {"em": sorted([EMAIL, *hashes("a@example.com")])} == keys({"customer.emails": given})


def test_ipv6_first() -> None:
    """Of two addresses the IPv6 one is told, and the IPv4 one if that is unusable."""
    both = {"touch.client_ipv6": "2001:db8::7", "customer.emails": ["person@example.com"]}
    ours = sent(order({**NOBODY, **both}))["user_data"]["client_ip_address"]
    local = sent(order({**NOBODY, **both, "touch.client_ipv6": "fe80::1"}))["user_data"]["client_ip_address"]

    assert ("2001:db8::7", "203.0.113.7") == (ours, local)


@pytest.mark.parametrize(("rule", "given"), [("folded", "cust-42"), ("as-written", "CUST-42")])
def test_external_id_as_the_tag_has_it(rule: str, given: str) -> None:
    """The transform of external ids is a choice of the destination."""
    options = PinterestOptions(external_ids="folded") if rule == "folded" else DEFAULT

    assert hashes(given) == sent(order({"customer.external_ids": ["CUST-42"]}), options)["user_data"]["external_id"]


def test_sources_are_fields_of_the_contract() -> None:
    """Every field that the table reads exists in the event contract."""
    for key in PINTEREST_KEYS:
        section, _, source = key.source.rpartition(".")

        assert source in get_type_hints(SECTIONS[section])


def test_what_names_a_person_is_not_remembered() -> None:
    """E-mails, phones, names, ids and cookies are in no memory; only fields of few values are, as many as for Meta."""
    ours = {key.source: key.remember for key in PINTEREST_KEYS if key.remember}

    assert {key.source: key.remember for key in META_KEYS if key.remember} == ours


def test_clear_keys() -> None:
    """Only the visit's own facts and Pinterest's click id leave clear; all else is a list of hashes."""
    clear = {key.name for key in PINTEREST_KEYS if key.form is Form.CLEAR}

    assert {"client_ip_address", "client_user_agent", "click_id"} == clear
    assert {Form.CLEAR, Form.HASHED_LIST} == {key.form for key in PINTEREST_KEYS}


def test_weights_are_of_keys() -> None:
    """Every key has a weight, and those of a visit make 10."""
    of_a_visit = {key.name for key in PINTEREST_KEYS if key.source.startswith(("customer.", "touch."))}

    assert {key.name for key in PINTEREST_KEYS} == set(WEIGHTS)
    assert pytest.approx(10.0) == sum(weight for key, weight in WEIGHTS.items() if key in of_a_visit)
