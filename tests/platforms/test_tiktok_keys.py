"""TikTok's table of match keys against its conformance cases."""

from __future__ import annotations

import unicodedata
from hashlib import sha256
from typing import get_type_hints

import pytest
from meta_events import Changes
from tiktok_events import ANDROID, IOS, activity, lead, order, refusal, sent, shape, shaped

from pipeline.core.contract import App, Customer, Lead, Touch
from pipeline.core.match_key import Form
from pipeline.core.model import Event
from pipeline.core.reason import Reason
from pipeline.platforms.meta_keys import META_KEYS
from pipeline.platforms.tiktok import TikTokOptions
from pipeline.platforms.tiktok_keys import STRONG, STRONG_IN_CRM, STRONG_TOGETHER, TIKTOK_KEYS, WEIGHTS

SECTIONS = {"customer": Customer, "touch": Touch, "app": App, "": Lead}
OF_NOTHING = sha256(b"").hexdigest()
EMAIL = "542d240129883c019e106e3b1b2d3f3cb3537c43c425364de8e951d5a3083345"
PHONE = "ec7e6b85f24fa6b796f1017236463f1b7160fbdc5e663e39ab363b6d6fe30b9f"


def user(changes: Changes) -> dict[str, object]:
    """Return what is told of a customer who has only these fields, and a cookie."""
    found: dict[str, object] = sent(order({"customer": {}, "touch": {"ttp": "cookie"}, **changes}))["user"]
    assert "cookie" == found.pop("ttp")
    return found


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"customer.emails": [" Person@Example.COM "]}, {"email": [EMAIL]}, id="C1"),
        pytest.param({"customer.phones": ["+1 (202) 555-0146"]}, {"phone": [PHONE]}, id="C2"),
        pytest.param(
            {"customer.phones": ["+123456789012345"]},
            {"phone": ["1b4baed9795e95210d08a51886e9d33e5da06189403c2a823c9d92e222ad55e8"]},
            id="C4",
        ),
        pytest.param({"customer.emails": [EMAIL.upper()]}, {"email": [EMAIL]}, id="C5"),
        pytest.param({"customer.emails": ["  "]}, {}, id="C6"),
        pytest.param(
            {"customer.city": "New York", "customer.country": "US"}, {"city": "newyork", "country": "us"}, id="C7"
        ),
        pytest.param(
            {"customer.external_ids": ["CUST-42"]},
            {"external_id": ["6fd6ebd11fef5dc85e566ceb1db68632fedb601ac5ef53554960d7114c653b94"]},
            id="external id",
        ),
        pytest.param(
            {"customer.first_name": "O'Neil"},
            {"first_name": "67a42a846e98e3c1a96cd6ba14883a5ea05990cd93964ce8b832aa9497ca785c"},
            id="first name",
        ),
        pytest.param(
            {"customer.last_name": unicodedata.normalize("NFD", "Raphaël")},
            {"last_name": "e74bb89e718fe1e19c422a48382870399f8bf7ca8dfa008739e75b0be76627b7"},
            id="last name, decomposed",
        ),
        pytest.param(
            {"customer.postal_code": "SW1A 1AA"},
            {"zip_code": "830e1d4b9838bab1f5c2acdb23e0b502ff13a9832c4632e8d67a1d43d3b7f614"},
            id="postal code",
        ),
        pytest.param(
            {"customer.emails": ["Per.son+tag@gmail.com"]},
            {"email": [sha256(b"per.son+tag@gmail.com").hexdigest()]},
            id="gmail stays",
        ),
        pytest.param({"customer.city": "São Paulo"}, {"city": "sopaulo"}, id="city, ASCII only"),
        pytest.param({"customer.region": "Île-de-France 2"}, {"state": "ledefrance2"}, id="region, ASCII only"),
        pytest.param({"customer.region": "California", "customer.country": "US"}, {"state": "ca", "country": "us"}),
        pytest.param({"touch.client_ip": "203.0.113.7"}, {"ip": "203.0.113.7"}),
        pytest.param({"touch.client_ipv6": "2001:db8::7", "touch.client_ip": "203.0.113.7"}, {"ip": "2001:db8::7"}),
        pytest.param({"touch.language": " pt-BR "}, {"locale": "pt-BR"}),
        pytest.param({"touch.ttclid": "E.C.P.v3fQ2RHacdks"}, {"ttclid": "E.C.P.v3fQ2RHacdks"}),
        pytest.param({"touch.user_agent": " Mozilla/5.0 "}, {"user_agent": "Mozilla/5.0"}),
    ],
)
def test_c1_to_c7_vectors(changes: Changes, expected: dict[str, object]) -> None:
    """Each field leaves in TikTok's form: hashed by its rule, or clear."""
    assert expected == user(changes)


def test_c3_phone_without_a_country() -> None:
    """A national number of nobody knows where is left out with a note, and the event goes with its other keys."""
    found = shaped(order({"customer": {"phones": ["2025550146"], "emails": ["person@example.com"]}}))

    assert (("phone",), ("phone_no_country",)) == (found.dropped, found.notes)
    assert "phone" not in found.match_keys


@pytest.mark.parametrize(
    ("given", "country"),
    [("+12", None), ("0012", None), ("call me", None), ("1-800-FLOWERS", None), ("555-01", "US")],
)
def test_c3_other_bad_numbers(given: str, country: str | None) -> None:
    """A number that no country would mend, or that the customer's does not, has no such note."""
    customer = {"phones": [given], "country": country, "emails": ["person@example.com"]}
    found = shaped(order({"customer": customer}))

    assert (("phone",), ()) == (found.dropped, found.notes)


def test_c3_with_a_country() -> None:
    """With the customer's country the national number is the same number, and there is nothing to note."""
    found = shaped(order({"customer": {"phones": ["2025550146"], "country": "US"}}))

    assert ((), ()) == (found.dropped, found.notes)
    assert PHONE.encode() in found.payload


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"customer.emails": ["foo @bar.com"]}, "email"),
        ({"customer.emails": ["d41d8cd98f00b204e9800998ecf8427e"]}, "email"),
        ({"customer.first_name": "-.’"}, "first_name"),
        ({"customer.country": "XX"}, "country"),
        ({"customer.city": "東京"}, "city"),
        ({"customer.city": "123"}, "city"),
        ({"customer.city": EMAIL}, "city"),
        ({"customer.city": EMAIL[:32]}, "city"),
        ({"customer.region": EMAIL.upper()}, "state"),
        ({"customer.city": "jane@example.com"}, "city"),
        ({"customer.city": "Jane Doe, +1 202 555 0146"}, "city"),
        ({"customer.city": "x" * 61}, "city"),
        ({"customer.region": "jane@example.com"}, "state"),
        ({"touch.user_agent": EMAIL}, "user_agent"),
        ({"touch.client_ip": "10.0.0.5"}, "ip"),
        ({"touch.client_ip": "203.0.113.7.AQICAQMC"}, "ip"),
        ({"touch.client_ipv6": "2001:db8::7.AQICAQMC"}, "ip"),
        ({"touch.language": "en-GB,en;q=0.9"}, "locale"),
        ({"touch.language": "en_GB"}, "locale"),
        ({"touch.ttclid": "E.C. P"}, "ttclid"),
        ({"touch.ttclid": EMAIL}, "ttclid"),
    ],
)
def test_unusable_is_absent_and_counted(changes: Changes, key: str) -> None:
    """What TikTok could not match is absent, and its key is named for the metric."""
    found = shaped(order({"customer": {}, "touch": {"ttp": "cookie"}, **changes}))

    assert (("ttp",), (key,)) == (found.match_keys, found.dropped)


@pytest.mark.parametrize("blank", ["", "   ", "null", "-", "\u200b", "’"])
def test_nothing_empty_is_hashed(blank: str) -> None:
    """Whatever is blank in every field, the hash of the empty text is in none."""
    customer = dict.fromkeys(("first_name", "last_name", "city", "region", "postal_code", "country"), blank)
    touch = dict.fromkeys(("client_ip", "user_agent", "language", "ttclid"), blank)
    lists = {key: [blank] for key in ("emails", "phones", "external_ids")}

    assert OF_NOTHING not in str(user({"customer": {**customer, **lists}, "touch": {**touch, "ttp": "cookie"}}))


def test_lists_are_sorted_without_doubles() -> None:
    """Several addresses go in one list, each once, in an order that does not depend on the event's."""
    other = sha256(b"a@example.com").hexdigest()
    given = ["person@example.com", "a@example.com", "PERSON@example.com"]

    assert {"email": sorted([EMAIL, other])} == user({"customer.emails": given})


@pytest.mark.parametrize(
    ("app", "expected"),
    [
        (
            IOS,
            {
                "idfa": sha256(b"CDDA802E-FB9C-47AD-9866-0794D394C912").hexdigest(),
                "idfv": "3F2504E0-4F89-11D3-9A0C-0305E82C3301",
                "att_status": "AUTHORIZED",
            },
        ),
        (
            ANDROID,
            {
                "gaid": sha256(b"cdda802e-fb9c-47ad-9866-0794d394c912").hexdigest(),
                "att_status": "NOT_APPLICABLE",
            },
        ),
        (
            IOS | {"tracking_allowed": False, "advertising_id": "00000000-0000-0000-0000-000000000000"},
            {"idfv": "3F2504E0-4F89-11D3-9A0C-0305E82C3301", "att_status": "DENIED"},
        ),
    ],
    ids=["iOS", "Android", "tracking refused"],
)
def test_devices(app: dict[str, object], expected: dict[str, object]) -> None:
    """An app's event brings the ids that its system has, and what the person answered to Apple's question."""
    assert expected == user({"action_source": "APP", "app": app})


def test_devices_stay_out_of_the_web() -> None:
    """An event of the web tells of no device, even if the record has one."""
    assert {} == user({"app": IOS})


def test_lead_id_stands_outside_the_user() -> None:
    """The id of a TikTok lead and the CRM's name stand in `lead`; the id counts as a match key."""
    found = lead({"action_source": "SYSTEM", "tiktok_lead_id": "7123456789012345678"})
    document = sent(found)

    assert {"lead_id": "7123456789012345678", "lead_event_source": "HubSpot"} == document["lead"]
    assert ("lead_id" in shaped(found).match_keys, "lead_id" in document["user"]) == (True, False)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"customer": {"city": "London", "first_name": "Jane"}, "touch.language": "en"},
        {"touch": {"client_ip": "203.0.113.7"}},
    ],
)
def test_nobody_to_match(changes: Changes) -> None:
    """A name, a place, a browser and a language find nobody: the event is refused, naming keys and no value."""
    reason, detail = refusal(shape(order({"customer": {}, "touch": {"user_agent": "Mozilla/5.0"}, **changes})))

    assert (Reason.NO_MATCH_KEY, []) == (reason, [raw for raw in ("London", "Jane", "Mozilla") if raw in detail])


def test_address_and_browser_together() -> None:
    """An address of the network and a browser find a person together."""
    found = shaped(order({"customer": {}, "touch": {"client_ip": "203.0.113.7", "user_agent": "Mozilla/5.0"}}))

    assert ("ip", "user_agent") == found.match_keys


@pytest.mark.parametrize(
    ("changes", "taken"),
    [
        ({"customer": {"emails": ["person@example.com"]}}, True),
        ({"customer": {"phones": ["+12025550146"]}}, True),
        ({"customer": {}, "tiktok_lead_id": "7123456789012345678"}, True),
        ({"customer": {"external_ids": ["CUST-42"]}}, False),
        ({"customer": {}}, False),
    ],
)
def test_leads_of_a_crm_are_matched_by_less(changes: Changes, taken: bool) -> None:
    """A lead from a CRM needs an address, a number or TikTok's own id, whatever the visit left."""
    found = shape(lead({"action_source": "SYSTEM", **changes}))

    assert taken != (type(found).__name__ == "Refusal")


@pytest.mark.parametrize(("rule", "given"), [("folded", b"cust-42"), ("as-written", b"CUST-42")])
def test_external_id_as_the_pixel_has_it(rule: str, given: bytes) -> None:
    """The transform of external ids is a choice of the destination."""
    options = TikTokOptions(external_ids="folded" if rule == "folded" else "as-written")
    document = sent(order({"customer.external_ids": ["CUST-42"]}), options)

    assert [sha256(given).hexdigest()] == document["user"]["external_id"]


def test_sources_are_fields_of_the_contract() -> None:
    """Every field that the table reads exists in the event contract."""
    for key in TIKTOK_KEYS:
        section, _, source = key.source.rpartition(".")

        assert source in get_type_hints(SECTIONS[section])


def test_what_names_a_person_is_not_remembered() -> None:
    """E-mails, phones, names, ids and cookies are in no memory; only fields of few values are, as many as for Meta."""
    ours = {key.source: key.remember for key in TIKTOK_KEYS if key.remember}
    metas = {key.source: key.remember for key in META_KEYS}

    assert {"customer.city", "customer.region", "customer.postal_code", "customer.country"} == set(ours)
    assert {source: metas[source] for source in ours} == ours


def test_tables_by_place() -> None:
    """What only an app or a lead has is asked of no other event; an activity is a visit."""
    found = {name: set(shaped(event).match_keys) for name, event in _whole().items()}

    assert {"idfa", "idfv"} == found["ios"] - found["visit"]
    assert {"lead_id"} == found["lead"] - found["visit"]
    assert found["activity"] <= found["visit"]


def test_weights_are_of_keys() -> None:
    """Only keys of the table have a weight, and those of a visit make 10."""
    of_a_visit = {key.name for key in TIKTOK_KEYS if key.source.startswith(("customer.", "touch."))}

    assert set() == set(WEIGHTS) - {key.name for key in TIKTOK_KEYS}
    assert pytest.approx(10.0) == sum(weight for key, weight in WEIGHTS.items() if key in of_a_visit)


def test_strong_keys_are_of_the_table() -> None:
    """What finds a person is a key that the table has, in a CRM or anywhere."""
    assert STRONG_IN_CRM | STRONG | STRONG_TOGETHER <= {key.name for key in TIKTOK_KEYS}


def test_clear_keys() -> None:
    """Only places, the visit's own facts and ids of the platform or the device leave clear."""
    clear = {key.name for key in TIKTOK_KEYS if key.form is Form.CLEAR}

    assert clear == set("city state country ip user_agent locale ttclid ttp idfv lead_id".split())


def _whole() -> dict[str, Event]:
    visit = {"customer.postal_code": "SW1A 1AA", "customer.city": "London", "customer.region": "London"}
    return {
        "visit": order(visit),
        "ios": order({**visit, "action_source": "APP", "app": IOS}),
        "lead": lead({"action_source": "SYSTEM", "tiktok_lead_id": "7123456789012345678"}),
        "activity": activity(),
    }
