"""Snapchat's table of match keys against its conformance cases."""

from __future__ import annotations

import unicodedata
from hashlib import sha256
from typing import get_type_hints

import pytest
from meta_events import Changes, activity, lead, order, refusal
from snapchat_events import IOS, sent, shape, shaped
from tiktok_events import tiktok

from pipeline.core.contract import App, Customer, Lead, Touch
from pipeline.core.match_key import Form
from pipeline.core.reason import Reason
from pipeline.platforms.meta_keys import META_KEYS
from pipeline.platforms.snapchat import SnapchatOptions
from pipeline.platforms.snapchat_keys import SNAPCHAT_KEYS, STRONG, STRONG_TOGETHER, WEIGHTS

SECTIONS = {"customer": Customer, "touch": Touch, "app": App, "": Lead}
OF_NOTHING = sha256(b"").hexdigest()
EMAIL = "542d240129883c019e106e3b1b2d3f3cb3537c43c425364de8e951d5a3083345"
PHONE = "dc008fda46e2e64002cf2f82a4906236282d431c4f75e5b60bfe79fc48546383"
RAPHAEL = "e74bb89e718fe1e19c422a48382870399f8bf7ca8dfa008739e75b0be76627b7"
CALIFORNIA = "6959097001d10501ac7d54c0bdb8db61420f658f2922cc26e46d536119a31126"
UNITED_STATES = sha256(b"us").hexdigest()
# Enough to match a person by, so that any other key may be looked at alone.
VISIT = {"client_ip": "203.0.113.7", "user_agent": "Mozilla/5.0"}


def user(changes: Changes) -> dict[str, object]:
    """Return what is told of a customer who has only these fields, and a visit."""
    found: dict[str, object] = sent(order({"customer": {}, "touch": {**VISIT, "url": "https://a.example"}, **changes}))[
        "user_data"
    ]
    return {key: value for key, value in found.items() if key not in ("client_ip_address", "client_user_agent")}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"customer.emails": ["Person@Example.com"]}, {"em": [EMAIL]}, id="1"),
        pytest.param({"customer.emails": [EMAIL.upper()]}, {"em": [EMAIL]}, id="hashed before"),
        pytest.param({"customer.phones": ["+44 844 412 4653"]}, {"ph": [PHONE]}, id="2"),
        pytest.param({"customer.phones": ["0044 844 412 4653"]}, {"ph": [PHONE]}, id="3"),
        pytest.param({"customer.phones": ["+44 (0)844 412 4653"]}, {"ph": [PHONE]}, id="4"),
        pytest.param({"customer.first_name": unicodedata.normalize("NFD", "Raphaël")}, {"fn": [RAPHAEL]}, id="5"),
        pytest.param({"customer.first_name": "Raphaël"}, {"fn": [RAPHAEL]}, id="5, composed"),
        pytest.param(
            {"customer.first_name": "John"},
            {"fn": ["96d9632f363564cc3032521409cf22a852f2032eec099ed5967c0d000cec607a"]},
            id="first name",
        ),
        pytest.param(
            {"customer.last_name": "O'Neil"},
            {"ln": ["67a42a846e98e3c1a96cd6ba14883a5ea05990cd93964ce8b832aa9497ca785c"]},
            id="6",
        ),
        pytest.param(
            {"customer.phones": ["+447700900123"]},
            {"ph": ["033134b911b137918338415ee3d20a064b24773d36a3b02e8b99fdd3fcd6b4cd"]},
            id="22",
        ),
        pytest.param(
            {"customer.gender": "Female"},
            {"ge": ["252f10c83610ebca1a059c0bae8255eba2f95be4d1d7bcfa89d7248a82d9f111"]},
            id="gender",
        ),
        pytest.param(
            {"customer.city": "New York"},
            {"ct": ["350c754ba4d38897693aa077ef43072a859d23f613443133fecbbd90a3512ca5"]},
            id="city",
        ),
        pytest.param(
            {"customer.region": "California", "customer.country": "US"},
            {"st": [CALIFORNIA], "country": [UNITED_STATES]},
            id="state",
        ),
        pytest.param(
            {"customer.postal_code": "94043"},
            {"zp": ["1b10e5e0b47cefad5c4f6c1d10b8b6fbbd5af9756eb01ed5c8ee1f588b65947b"]},
            id="postal code",
        ),
        pytest.param(
            {"customer.country": "UK"},
            {"country": ["0b407281768f0e833afef47ed464b6571d01ca4d53c12ce5c51d1462f4ad6677"]},
            id="country",
        ),
        pytest.param(
            {"customer.external_ids": [" CUST-42 "]},
            {"external_id": "6fd6ebd11fef5dc85e566ceb1db68632fedb601ac5ef53554960d7114c653b94"},
            id="external id",
        ),
        pytest.param({"touch.sc_click_id": " AbC-1 "}, {"sc_click_id": "AbC-1"}, id="click"),
        pytest.param({"touch.sc_cookie1": "d3b07384"}, {"sc_cookie1": "d3b07384"}, id="cookie"),
        pytest.param({"customer.birth_date": "1990-05-17"}, {}, id="birth date"),
    ],
)
def test_1_to_6_and_22_vectors(changes: Changes, expected: dict[str, object]) -> None:
    """Each field leaves in Snapchat's form: hashed by its rule, in a list but for the external id, or clear."""
    assert expected == user(changes)


def test_address_of_the_network() -> None:
    """The address and the browser leave clear; of two addresses the longer kind is preferred."""
    found = sent(order({"touch.client_ipv6": "2001:db8::7", "touch.client_ip": "203.0.113.7"}))["user_data"]

    assert ("2001:db8::7", True) == (found["client_ip_address"], found["client_user_agent"].startswith("Mozilla/5.0"))


def test_4_zero_that_nobody_dials_from_abroad() -> None:
    """The zero in parentheses is no part of the number, so its hash is not that of `4408444124653`."""
    wrong = sha256(b"4408444124653").hexdigest()

    assert wrong not in str(user({"customer.phones": ["+44 (0)844 412 4653", "+440844 412 4653"]}))


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"customer.emails": ["foo @bar.com"]}, "em"),
        ({"customer.emails": ["d41d8cd98f00b204e9800998ecf8427e"]}, "em"),
        ({"customer.first_name": "-.’"}, "fn"),
        ({"customer.gender": "other"}, "ge"),
        ({"customer.country": "XX"}, "country"),
        ({"touch.client_ipv6": "fe80::1"}, "client_ip_address"),
        ({"touch.sc_click_id": "a b"}, "sc_click_id"),
        ({"touch.sc_cookie1": EMAIL}, "sc_cookie1"),
    ],
)
def test_unusable_is_absent_and_counted(changes: Changes, key: str) -> None:
    """What Snapchat could not match is absent, and its key is named for the metric."""
    found = shaped(order({"customer": {}, "touch": {**VISIT, "url": "https://a.example"}, **changes}))

    assert (("client_ip_address", "client_user_agent"), (key,)) == (found.match_keys, found.dropped)


@pytest.mark.parametrize("blank", ["", "   ", "null", "-", "\u200b", "’"])
def test_nothing_empty_is_hashed(blank: str) -> None:
    """Whatever is blank in every field, the hash of the empty text is in none."""
    customer = dict.fromkeys(("first_name", "last_name", "gender", "city", "region", "postal_code", "country"), blank)
    lists = {key: [blank] for key in ("emails", "phones", "external_ids")}

    assert OF_NOTHING not in str(user({"customer": {**customer, **lists}}))


def test_phone_without_a_country() -> None:
    """A national number of nobody knows where is left out with a note, and the event goes with its other keys."""
    found = shaped(order({"customer": {"phones": ["844 412 4653"], "emails": ["person@example.com"]}}))

    assert (("ph",), ("phone_no_country",), False) == (found.dropped, found.notes, "ph" in found.match_keys)


def test_phone_that_no_country_mends() -> None:
    """A number that is none although the country is known has no such note."""
    found = shaped(order({"customer": {"phones": ["12"], "emails": ["person@example.com"], "country": "GB"}}))

    assert (("ph",), ()) == (found.dropped, found.notes)


def test_phone_with_a_country() -> None:
    """With the customer's country the national number is the same number, and there is nothing to note."""
    found = shaped(order({"customer": {"phones": ["0844 412 4653"], "country": "GB"}}))

    assert ((), (), True) == (found.dropped, found.notes, PHONE.encode() in found.payload)


def test_lists_are_sorted_without_doubles() -> None:
    """Several addresses go in one list, each once, in an order that does not depend on the event's."""
    other = sha256(b"a@example.com").hexdigest()
    given = ["person@example.com", "a@example.com", "PERSON@example.com"]

    assert {"em": sorted([EMAIL, other])} == user({"customer.emails": given})


def test_7_phone_alone() -> None:
    """A phone number alone is enough to match by, as Snapchat's rule has it."""
    found = shaped(order({"customer": {"phones": ["+447700900123"]}, "touch": {"url": "https://a.example"}}))

    assert ("ph",) == found.match_keys


@pytest.mark.parametrize(
    "changes",
    [
        {"touch.client_ip": "203.0.113.7"},
        {"touch.user_agent": "Mozilla/5.0"},
        {"touch.user_agent": "Mozilla/5.0", "touch.client_ip": "10.0.0.1"},
        {"touch.sc_click_id": "a-click", "touch.sc_cookie1": "a-cookie", "touch.user_agent": "Mozilla/5.0"},
        {"customer": {"first_name": "Jane", "city": "London", "external_ids": ["CUST-42"]}},
        {"app": IOS},
        {},
    ],
)
def test_8_nobody_to_match(changes: Changes) -> None:
    """An address without a browser finds nobody, nor do a click, a name, or a device outside of the app."""
    given = {"customer": {}, "touch": {"url": "https://a.example"}, **changes}
    reason, detail = refusal(shape(order(given)))

    raws = ("203.0.113.7", "Mozilla", "a-click", "a-cookie", "Jane", "London", "CUST-42")

    assert (Reason.NO_MATCH_KEY, []) == (reason, [raw for raw in raws if raw in detail])


def test_8_address_and_browser_together() -> None:
    """An address of the network and a browser find a person together."""
    assert {} == user({})


@pytest.mark.parametrize("advertising_id", ["CDDA802E-FB9C-47AD-9866-0794D394C912", None])
def test_device_in_the_app(advertising_id: str | None) -> None:
    """In the app the advertising id alone is enough; it leaves clear and in lower case."""
    app = IOS | {"advertising_id": advertising_id}
    found = shape(order({"action_source": "APP", "app": app, "customer": {}, "touch": {}}))

    assert (advertising_id is not None) == (b'"madid":"cdda802e-fb9c-47ad-9866-0794d394c912"' in _payload(found))


@pytest.mark.parametrize("os", ["IOS", "ANDROID"])
def test_device_that_may_not_be_tracked(os: str) -> None:
    """Who did not allow tracking is not told by the device: it neither goes along nor is it enough."""
    app = IOS | {"os": os, "tracking_allowed": False}
    found = sent(order({"action_source": "APP", "app": app}))["user_data"]
    alone = shape(order({"action_source": "APP", "app": app, "customer": {}, "touch": {}}))

    assert set() == {"madid", "idfv"} & found.keys()
    assert {"madid", "idfv"} <= sent(order({"action_source": "APP", "app": IOS}))["user_data"].keys()
    assert Reason.NO_MATCH_KEY == refusal(alone)[0]


def test_lead_id_of_a_lead() -> None:
    """The id of a lead from one of Snapchat's own ads goes with leads and with nothing else."""
    found = sent(lead({"snap_lead_id": "7f1c-lead"}))["user_data"]

    assert ("7f1c-lead", False) == (found["lead_id"], "lead_id" in sent(activity())["user_data"])


@pytest.mark.parametrize(("rule", "given"), [("folded", b"cust-42"), ("as-written", b"CUST-42")])
def test_external_id_as_the_pixel_has_it(rule: str, given: bytes) -> None:
    """The transform of external ids is a choice of the destination."""
    options = SnapchatOptions(external_ids="folded" if rule == "folded" else "as-written")
    document = sent(order({"customer.external_ids": ["CUST-42"]}), options)

    assert sha256(given).hexdigest() == document["user_data"]["external_id"]


def test_work_is_shared_with_other_platforms() -> None:
    """What TikTok's table made of an event is used again, and not all of it is made anew."""
    event = order()
    event.seals = {}
    shape(event)
    alone = len(event.seals)
    event.seals = {}
    tiktok().shape(event)
    before = len(event.seals)
    shape(event)

    assert before < len(event.seals) < before + alone


def test_sources_are_fields_of_the_contract() -> None:
    """Every field that the table reads exists in the event contract."""
    for key in SNAPCHAT_KEYS:
        section, _, source = key.source.rpartition(".")

        assert source in get_type_hints(SECTIONS[section])


def test_what_names_a_person_is_not_remembered() -> None:
    """E-mails, phones, names, ids and cookies are in no memory; only fields of few values are, as many as for Meta."""
    ours = {key.source: key.remember for key in SNAPCHAT_KEYS if key.remember}
    metas = {key.source: key.remember for key in META_KEYS}

    assert {f"customer.{name}" for name in "gender city region postal_code country".split()} == set(ours)
    assert {source: metas[source] for source in ours} == ours


def test_no_suffix_of_metas() -> None:
    """What Meta's Parameter Builder appends is no part of anything that Snapchat reads."""
    assert [] == [key.name for key in SNAPCHAT_KEYS if key.built]
    assert "203.0.113.7.AQICAQMC" not in str(user({"touch.client_ipv6": "203.0.113.7.AQICAQMC"}))


def test_weights_are_of_keys() -> None:
    """Only keys of the table have a weight, and those of a visit make 10."""
    of_a_visit = {key.name for key in SNAPCHAT_KEYS if key.source.startswith(("customer.", "touch."))}

    assert {key.name for key in SNAPCHAT_KEYS} == set(WEIGHTS)
    assert pytest.approx(10.0) == sum(weight for key, weight in WEIGHTS.items() if key in of_a_visit)


def test_strong_keys_are_of_the_table() -> None:
    """What finds a person is a key that the table has."""
    assert STRONG | STRONG_TOGETHER <= {key.name for key in SNAPCHAT_KEYS}


def test_clear_keys() -> None:
    """Only the visit's own facts and ids of the platform or the device leave clear."""
    expected = set("client_ip_address client_user_agent sc_click_id sc_cookie1 madid idfv lead_id".split())

    assert expected == {key.name for key in SNAPCHAT_KEYS if key.form is Form.CLEAR}


def _payload(found: object) -> bytes:
    return bytes(getattr(found, "payload", b""))
