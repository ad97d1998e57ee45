"""TikTok's rules for the person of an event."""

from __future__ import annotations

import hashlib

import pytest

from pipeline.sandbox.tiktok_event import check_event
from pipeline.sandbox.tiktok_flaw import Flaw

# SHA-256 of person@example.com and of nothing, worked out elsewhere.
HASH = "542d240129883c019e106e3b1b2d3f3cb3537c43c425364de8e951d5a3083345"
HASH_OF_EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
RAW = "Jane.Doe@shop.example"


def check_user(source: str, now: float, **user: object) -> Flaw | None:
    """Return what is wrong with an otherwise valid event of this user."""
    return check_event(source, {"event": "Lead", "event_time": int(now), "user": user}, now)


def told(flaw: Flaw | None) -> tuple[int, str]:
    """Return the code and the place of a flaw; 0 and no place if there is none."""
    return (0, "") if flaw is None else (flaw.code, ".".join(flaw.place))


@pytest.mark.parametrize(
    "name", ["email", "phone", "external_id", "first_name", "last_name", "zip_code", "idfa", "gaid"]
)
@pytest.mark.parametrize(
    ("value", "code"),
    [
        (RAW, 40062),
        (HASH.upper(), 40062),
        (HASH[:-1], 40062),
        (HASH + "0", 40062),
        ("", 40062),
        (17, 40002),
        (None, 40002),
        ({}, 40002),
    ],
)
def test_hashed_fields(name: str, value: object, code: int, now: float) -> None:
    """A personal field is a SHA-256 of 64 lower-case hexadecimal digits; a text that is none has a code of its own."""
    flaw = check_user("app", now, **{name: value})

    assert (code, f"user.{name}") == told(flaw)


@pytest.mark.parametrize("name", ["email", "phone", "external_id"])
@pytest.mark.parametrize(("value", "code"), [([], 40002), ([HASH, RAW], 40062), ([HASH, [HASH]], 40002)])
def test_hashed_lists(name: str, value: object, code: int, now: float) -> None:
    """E-mail, phone and external id may be lists, which hold hashes and are not empty."""
    assert (code, f"user.{name}") == told(check_user("web", now, **{name: value}))


@pytest.mark.parametrize("name", ["first_name", "last_name", "zip_code"])
def test_no_lists(name: str, now: float) -> None:
    """No other personal field may be a list."""
    assert (40002, f"user.{name}") == told(check_user("web", now, **{name: [HASH]}))


@pytest.mark.parametrize(
    ("word", "fault"), [("", "hash_of_empty"), ("null", "hash_of_null"), ("undefined", "hash_of_undefined")]
)
def test_worthless_hashes(word: str, fault: str, now: float) -> None:
    """The hash of nothing, or of a word for nothing, is a fault of the sender and said so."""
    flaw = check_user("web", now, phone=[HASH, hashlib.sha256(word.encode()).hexdigest()])

    assert flaw is not None
    assert (40002, fault) == (flaw.code, flaw.sender_fault)
    assert flaw.message.startswith(f"[sandbox: {fault}] ")


def test_hash_of_empty(now: float) -> None:
    """The hash of nothing is the one that everybody knows."""
    flaw = check_user("web", now, email=HASH_OF_EMPTY)

    assert flaw is not None
    assert "hash_of_empty" == flaw.sender_fault


@pytest.mark.parametrize(
    "name", ["city", "state", "country", "ip", "user_agent", "locale", "ttclid", "ttp", "idfv", "att_status"]
)
@pytest.mark.parametrize("value", [HASH, HASH.upper(), "", " ", 7, None, ["x"]])
def test_clear_fields(name: str, value: object, now: float) -> None:
    """A field that TikTok wants in clear is a string and never a hash."""
    flaw = check_user("app", now, email=HASH, **{name: value})

    assert (40002, f"user.{name}") == told(flaw)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("city", "New York"),
        ("city", "Newyork"),
        ("city", "são"),
        ("state", "n.y."),
        ("country", "US"),
        ("country", "usa"),
        ("ip", "203.0.113.7:443"),
        ("ip", " 203.0.113.7"),
        ("ip", "300.0.113.7"),
        ("ip", "10.0.0.1"),
        ("ip", "172.31.0.1"),
        ("ip", "192.168.1.1"),
        ("ip", "127.0.0.1"),
        ("ip", "169.254.1.1"),
        ("ip", "100.64.0.1"),
        ("ip", "224.0.0.1"),
        ("ip", "255.255.255.255"),
        ("ip", "::1"),
        ("ip", "fe80::1"),
        ("ip", "fd00::1"),
        ("ip", "ff02::1"),
        ("ip", "::ffff:10.0.0.1"),
        ("ip", "2001:db8::1%eth0"),
        ("locale", "en_US"),
        ("ttclid", "E.C.P. 1"),
        ("ttp", " 94e2"),
        ("att_status", "authorized"),
    ],
)
def test_clear_forms(name: str, value: str, now: float) -> None:
    """Places are lower-case letters and digits, addresses public, languages BCP 47 and click ids unbroken."""
    flaw = check_user("app", now, email=HASH, **{name: value})

    assert (40002, f"user.{name}") == told(flaw)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("city", "sopaulo"),
        ("ip", "2001:db8::7"),
        ("ip", "8.8.8.8"),
        ("ip", "172.32.0.1"),
        ("locale", "en"),
        ("locale", "zh-Hant-TW"),
        ("idfv", "3f2504e0-4f89-11d3-9a0c-0305e82c3301"),
        ("idfa", HASH),
        ("gaid", HASH),
        ("att_status", "NOT_DETERMINED"),
    ],
)
def test_clear_forms_taken(name: str, value: str, now: float) -> None:
    """A value in the right form is taken."""
    assert (0, "") == told(check_user("app", now, email=HASH, **{name: value}))


@pytest.mark.parametrize(
    ("source", "user", "matched"),
    [
        ("web", {}, False),
        ("web", {"city": "newyork", "state": "ny", "country": "us", "locale": "en"}, False),
        ("web", {"first_name": HASH, "last_name": HASH, "zip_code": HASH}, False),
        ("web", {"ip": "203.0.113.7"}, False),
        ("web", {"user_agent": "Mozilla/5.0"}, False),
        ("web", {"ip": "203.0.113.7", "user_agent": "Mozilla/5.0"}, True),
        ("web", {"ttclid": "E.C.P.x"}, True),
        ("web", {"ttp": "x"}, True),
        ("web", {"external_id": HASH}, True),
        ("offline", {"phone": HASH}, True),
        ("app", {"idfa": HASH}, True),
        ("app", {"gaid": HASH}, True),
        ("app", {"idfv": "x"}, True),
        ("app", {"att_status": "DENIED"}, False),
        ("crm", {"external_id": HASH}, False),
        ("crm", {"ttclid": "E.C.P.x"}, False),
        ("crm", {"ip": "203.0.113.7", "user_agent": "Mozilla/5.0"}, False),
        ("crm", {"phone": HASH}, True),
    ],
)
def test_match_keys(source: str, user: dict[str, object], matched: object, now: float) -> None:
    """An event has at least one thing that matches a person; from a CRM it is an e-mail, a phone or a lead id."""
    flaw = check_user(source, now, **user)

    assert ((0, "") if matched else (40002, "user")) == told(flaw)


def test_lead_id_matches(now: float) -> None:
    """A lead id alone matches a person."""
    event = {"event": "Lead", "event_time": int(now), "user": {}, "lead": {"lead_id": "7123"}}

    assert (0, "") == told(check_event("crm", event, now))


@pytest.mark.parametrize(
    ("name", "value"),
    [("idfa", HASH), ("gaid", HASH), ("idfv", "x"), ("att_status", "DENIED")],
)
@pytest.mark.parametrize("source", ["web", "offline", "crm"])
def test_device_fields(source: str, name: str, value: str, now: float) -> None:
    """Device ids and the tracking status belong to app events."""
    flaw = check_user(source, now, email=HASH, **{name: value})

    assert (40002, f"user.{name}") == told(flaw)
