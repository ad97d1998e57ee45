"""Whom a Google event names: normalized, hashed or clear, and how many."""

from __future__ import annotations

from base64 import b64encode

import pytest
from google_events import EVERYBODY, identifiers, refusal, sent, shape, shaped
from meta_events import Changes, lead, order

from pipeline.core.normalize.place import postal_code_as_written
from pipeline.core.reason import Reason

ALEX = "509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a"
GMAIL = "223ebda6f6889b1494551ba902d9d381daf2f642bae055888e96343d53e9f9c4"
GOOGLEMAIL = "332ed5427d17deb381928a719533e85046d68d7e45553abb805852b7d631fcb7"
TAGGED = "f109a2a632fbcea5fc82049f50beed3d8621bf9034399f437fb622222acccdac"
PHONE = "fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30"
BRITISH = "0fac52d27ec377f8ad2f9de75d1f9bace693237e31868ae6f4616b8bbd0e94fb"
DANA = "2c9e0a2585dc7406589a3724f0027811506e0f133726303a15d6779d532a2573"
QUINN = "c512ca0c5c1e71be19f3356821e56732b5fb3ac894b0dbc5846d0b6920106fb3"
ALONE: Changes = {"customer": {}, "touch": {"gclid": "Cj0K"}}


def emails(*raw: str) -> list[str]:
    """Return what is sent of e-mail addresses of a person without anything else but a click."""
    return [one["emailAddress"] for one in identifiers(order({**ALONE, "customer.emails": list(raw)}))]


@pytest.mark.parametrize(
    ("raw", "expected", "in_base64"),
    [
        ("  ALEXZ@example.com ", ALEX, "UJ6TMBm7KFoTSpM0uLtnnf950M4CPVKa9L10TUe0/Yo="),
        ("Cloudy.SanFrancisco+shopping@gmail.com", GMAIL, "Ij69pvaImxSUVRupAtnTgdry9kK64FWIjpY0PVPp+cQ="),
        ("Cloudy.SanFrancisco+x@googlemail.com", GOOGLEMAIL, "My7VQn0X3rOBkopxlTPoUEbWjX5FVTq7gFhSt9Yx/Lc="),
        ("user.name+NYC@Example.com", TAGGED, "8QmipjL7zqX8ggSfUL7tPYYhv5A0OZ9Df7YiIirMzaw="),
    ],
)
def test_c4_emails(raw: str, expected: str, in_base64: str) -> None:
    """An e-mail address is folded as Google folds it, and hashed in lower-case hexadecimal."""
    assert [expected] == emails(raw)
    assert in_base64 == b64encode(bytes.fromhex(expected)).decode()


def test_c3_equal_emails_are_one() -> None:
    """Two addresses that are the same after normalizing are one identifier."""
    assert [GMAIL] == emails("cloudysanfrancisco@gmail.com", "Cloudy.San.Francisco+a@GMAIL.com")


@pytest.mark.parametrize("raw", ["a b@example.com", "quinn", "...@gmail.com", "@x.com"])
def test_c5_bad_emails(raw: str) -> None:
    """What is no address is left out and counted; without anything else the event is refused and never sent."""
    changes = {"customer": {"emails": [raw]}}

    assert ("emailAddress",) == shaped(order({**changes, "touch": {"gclid": "Cj0K"}})).dropped
    assert Reason.NO_MATCH_KEY == refusal(shape(order({**changes, "touch": {}})))[0]


@pytest.mark.parametrize(
    "touch", [{"client_ip": "203.0.113.7"}, {"user_agent": "Mozilla/5.0"}, {"gad_session_attributes": "abc"}]
)
def test_c5_what_is_not_enough(touch: dict[str, str]) -> None:
    """An IP address, a browser or session attributes alone name nobody for us, whatever Google would take."""
    event = order({"customer": {"country": "US"}, "touch": touch})

    assert Reason.NO_MATCH_KEY == refusal(shape(event, send_ip=True))[0]


@pytest.mark.parametrize(
    ("raw", "country", "expected"),
    [
        ("(800) 555-0100", "US", [PHONE]),
        ("+1 (800) 555-0100", None, [PHONE]),
        ("+44-113-496-0987", None, [BRITISH]),
        ("(800) 555-0100", None, []),
    ],
)
def test_c6_phones(raw: str, country: str | None, expected: list[str]) -> None:
    """A phone is hashed with its plus; a national number needs a country, and else is left out."""
    event = order({**ALONE, "customer.phones": [raw], "customer.country": country})

    assert expected == [one["phoneNumber"] for one in identifiers(event)]


def test_c6_phone_without_a_country_is_noted() -> None:
    """People are told that a number was lost because nobody said in which country it is."""
    changes = {**ALONE, "customer.phones": ["(800) 555-0100"]}
    unknown, known, wrong = (
        shaped(order(more))
        for more in (changes, {**changes, "customer.country": "US"}, {**changes, "customer.phones": ["12"]})
    )

    assert (("phone_no_country",), ()) == (unknown.notes, wrong.notes)
    assert () == known.notes


def test_c7_address() -> None:
    """Names are hashed without titles and suffixes; country and postal code are clear."""
    names = {"first_name": "Mrs. Dana", "last_name": "Quinn, Jr.", "country": "us", "postal_code": " 94045 "}

    assert [
        {"address": {"givenName": DANA, "familyName": QUINN, "regionCode": "US", "postalCode": "94045"}}
    ] == identifiers(order({"customer": names}))


@pytest.mark.parametrize("missing", ["first_name", "last_name", "country", "postal_code"])
def test_c7_address_is_whole_or_nothing(missing: str) -> None:
    """Without any one of the four parts there is no address at all."""
    event = order({**EVERYBODY, f"customer.{missing}": None})

    assert [] == [one for one in identifiers(event) if "address" in one]
    assert "address_incomplete" in shaped(event).notes


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Quinn, Jr., DDS", QUINN),
        ("Quinn-Alex", "91581930b788bf2fd4ea63d8783c8c3b4c7ac8575461e033d18ee7def6cd49a9"),
        ("MÜLLER", "2dbd218072117713f2d5996a726a9b216ed791ffd0783b6ba4ab6d61b8333192"),
        ("MU\u0308LLER", "2dbd218072117713f2d5996a726a9b216ed791ffd0783b6ba4ab6d61b8333192"),
    ],
)
def test_c7_names(raw: str, expected: str) -> None:
    """A hyphen stays, case does not, and the same letters in another Unicode form are the same name."""
    (address,) = (
        one["address"] for one in identifiers(order({**EVERYBODY, "customer.last_name": raw})) if "address" in one
    )

    assert expected == address["familyName"]


@pytest.mark.parametrize(
    ("raw", "country", "expected"),
    [
        (" 94045 ", "us", "94045"),
        ("94045-1234", "us", "94045"),
        ("9404", "us", None),
        ("SW1A  1AA", "gb", "SW1A 1AA"),
        ("１００-０００１", "jp", "100-0001"),
        ("12345-678", "br", "12345-678"),
        ("jane@example.com", "de", None),
        ("Quinn", "de", None),
        ("Quinn Street 12 Back", "de", None),
        ("a" * 64, "de", None),
        ("n/a", "de", None),
    ],
)
def test_c7_postal_codes(raw: str, country: str, expected: str | None) -> None:
    """A postal code leaves clear, so only what has the form of one leaves at all."""
    assert expected == postal_code_as_written(raw, country)
    assert expected is None or expected == postal_code_as_written(expected, country)


def test_ready_hashes() -> None:
    """A value that is a hash already is passed on in lower case, and never hashed again."""
    assert [ALEX] == emails(ALEX.upper())


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        ("gclid wbraid gbraid", "gclid"),
        ("wbraid gbraid", "wbraid"),
        ("gbraid", "gbraid"),
    ],
)
def test_c9_one_click_id(there: str, expected: str) -> None:
    """Of several click ids one is sent, byte for byte, the surest one."""
    event = order({"touch": {name: f"Cj0K-{name}_X" for name in there.split()}})

    assert {expected: f"Cj0K-{expected}_X"} == sent(event)["adIdentifiers"]
    assert [] == [name for name in there.split() if name != expected and name in shaped(event).match_keys]


@pytest.mark.parametrize("raw", ["Cj0K.x", "Cj0K x", "jane@example.com", "null", "https://shop.example/?gclid=Cj0K"])
def test_c9_what_is_no_click_id(raw: str) -> None:
    """What has not the form of a click id is left out and counted; the next one is sent instead."""
    found = shaped(order({"customer": {}, "touch": {"gclid": raw, "wbraid": "Cj8K"}}))

    assert ("wbraid",) == found.match_keys
    assert (() if raw == "null" else ("gclid",)) == found.dropped


def test_c9_click_with_a_person() -> None:
    """A click id and a person go together, and so do session attributes and the lead's id at Google."""
    changes = {"touch.gclid": "Cj0K", "touch.gad_session_attributes": "eyJh", "google_lead_id": "CAES-9"}
    document = sent(lead(changes))

    assert {"gclid": "Cj0K", "sessionAttributes": "eyJh", "leadId": "CAES-9"} == document["adIdentifiers"]
    assert document["userData"]["userIdentifiers"]


def test_c10_ten_identifiers() -> None:
    """Of twelve identifiers ten are sent, e-mails first, and two are counted as cut."""
    people = {
        "customer.emails": [f"jane{number}@example.com" for number in range(8)],
        "customer.phones": [f"+4420794609{number}" for number in (50, 51, 52, 53)],
    }
    event = order({**ALONE, **people})

    assert ["emailAddress"] * 8 + ["phoneNumber"] * 2 == [name for one in identifiers(event) for name in one]
    assert ("identifiers_cut", "identifiers_cut") == shaped(event).notes


def test_c10_the_address_is_cut_first() -> None:
    """With ten e-mails there is no room for the address, and it is not told as a key of the event."""
    event = order({**EVERYBODY, "customer.emails": [f"jane{number}@example.com" for number in range(10)]})

    assert {"emailAddress"} == {name for one in identifiers(event) for name in one}
    assert {"phoneNumber", "address"}.isdisjoint(shaped(event).match_keys)


def test_match_keys_are_told() -> None:
    """What an event is matched by is told in Google's names, in a fixed order."""
    found = shaped(order({**EVERYBODY, "touch.gclid": "Cj0K"}))

    assert ("emailAddress", "phoneNumber", "address", "gclid", "userAgent") == found.match_keys


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ({"consent.region": "US-CA", "customer.country": "US"}, "2001:db8::7"),
        ({"consent.region": None, "customer.country": "US"}, "2001:db8::7"),
        ({"consent.region": None, "customer.country": "US", "touch.client_ipv6": None}, "203.0.113.7"),
        ({"consent.region": "GB"}, None),
        ({"consent.region": "CH"}, None),
        ({"consent.region": "DE"}, None),
        ({"consent.region": "DE", "customer.country": "US"}, None),
        ({"consent.region": "US-CA", "customer.country": "DE"}, None),
        ({"consent.region": "US-CA", "customer.country": "Switzerland"}, None),
        ({"consent.region": "US", "customer.country": "GB"}, None),
        ({"consent.region": "US-CA", "customer.country": None}, "2001:db8::7"),
        ({"consent.region": None, "customer.country": None}, None),
    ],
)
def test_ip_address(place: Changes, expected: str | None) -> None:
    """The address is sent where the destination asks for it, and never from the EEA, the UK, Switzerland or nowhere.

    Where somebody was asked and where they live both count.
    """
    assert expected == sent(order(place), send_ip=True)["eventDeviceInfo"].get("ipAddress")
    assert "ipAddress" not in sent(order(place))["eventDeviceInfo"]
