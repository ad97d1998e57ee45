"""Snapchat's rules for customer data."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sandbox.snapchat_user_data import HASHED, check_user_data

HASH = "542d240129883c019e106e3b1b2d3f3cb3537c43c425364de8e951d5a3083345"
OTHER = "dc008fda46e2e64002cf2f82a4906236282d431c4f75e5b60bfe79fc48546383"
PLAIN = """
    idfv client_user_agent sc_click_id sc_cookie1 subscription_id lead_id download_id partner_id
""".split()
DEVICE = "38400000-8cf0-11bd-b23e-10b96e40000d"


def verdict(user_data: dict[str, object], *, is_app: bool = False) -> tuple[str, str]:
    """Return the kind and the place of the first flaw, or `taken`."""
    flaw = check_user_data(user_data, is_app=is_app)
    return ("taken", "") if flaw is None else (flaw.code, flaw.place)


@pytest.mark.parametrize("key", HASHED)
@pytest.mark.parametrize("value", [HASH, [HASH], [HASH, OTHER]])
def test_hashes(key: str, value: object) -> None:
    """A hashed key takes one SHA-256 or a list of them."""
    assert ("taken", "") == verdict({"em": OTHER, key: value})


@pytest.mark.parametrize("key", [*HASHED, "external_id"])
@pytest.mark.parametrize(
    "value", ["a@example.com", HASH.upper(), HASH[:63], HASH + "0", HASH + "\n", [HASH, "x"], [[HASH]], [], None, 7]
)
def test_raw_values(key: str, value: object) -> None:
    """A raw, upper-case, shortened, nested or empty value in a hashed key is refused at its place."""
    assert ("unhashed_pii", f"user_data.{key}") == verdict({key: value})


@pytest.mark.parametrize(("value", "code"), [(HASH, "taken"), ([HASH], "unhashed_pii"), ("CUST-42", "unhashed_pii")])
def test_external_id(value: object, code: str) -> None:
    """An external id is one hash."""
    assert code == verdict({"em": OTHER, "external_id": value})[0]


@pytest.mark.parametrize(
    ("word", "fault"), [("", "hash_of_empty"), ("null", "hash_of_null"), ("undefined", "hash_of_undefined")]
)
@pytest.mark.parametrize("key", [*HASHED, "external_id"])
def test_worthless_hashes(key: str, word: str, fault: str) -> None:
    """The hash of nothing is refused and flagged as a fault of the sender."""
    flaw = check_user_data({key: hashlib.sha256(word.encode()).hexdigest()}, is_app=False)

    assert flaw is not None
    assert ("invalid_field", fault) == (flaw.code, flaw.sender_fault)


def test_worthless_in_list() -> None:
    """The hash of nothing is found in a list too."""
    flaw = check_user_data({"em": [HASH, hashlib.sha256(b"").hexdigest()]}, is_app=False)

    assert flaw is not None
    assert "hash_of_empty" == flaw.sender_fault


@given(st.text())
def test_no_value_in_messages(value: str) -> None:
    """What is wrong with a raw value or an unknown key is said without it."""
    raw = check_user_data({"em": f"secret-{value}"}, is_app=False)
    unknown = check_user_data({f"secret-{value}": 1}, is_app=False)

    assert raw is not None
    assert unknown is not None
    assert "secret-" not in repr((raw, unknown, raw.message, unknown.message))


@pytest.mark.parametrize("key", PLAIN)
@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("Ab-17", "taken"),
        (HASH, "invalid_field"),
        (HASH.upper(), "invalid_field"),
        ("", "invalid_field"),
        (17, "invalid_field"),
        (["Ab-17"], "invalid_field"),
    ],
)
def test_plain_keys(key: str, value: object, code: str) -> None:
    """A plain key takes a non-empty string that is not a hash."""
    assert code == verdict({"em": HASH, key: value})[0]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (["a-1", "a-2"], "taken"),
        ("a-1", "invalid_field"),
        ([], "invalid_field"),
        ([HASH], "invalid_field"),
        ([1], "invalid_field"),
    ],
)
def test_anonymous_ids(value: object, code: str) -> None:
    """Anonymous ids are a list of plain strings."""
    assert code == verdict({"em": HASH, "anon_id": value})[0]


@pytest.mark.parametrize("value", ["203.0.113.7", "2001:db8::1"])
def test_addresses(value: str) -> None:
    """An IP address is plain."""
    assert ("taken", "") == verdict({"client_ip_address": value, "client_user_agent": "Mozilla/5.0"})


@pytest.mark.parametrize(
    "value", [HASH, "203.0.113.7:443", "203.0.113.256", " 203.0.113.7", "fe80::1%eth0", "", 3405803783, None]
)
def test_wrong_addresses(value: object) -> None:
    """A hashed or wrong IP address is refused as one."""
    assert ("ip_address", "user_data.client_ip_address") == verdict({"em": HASH, "client_ip_address": value})


@pytest.mark.parametrize("key", ["madid", "mobile_ad_id"])
@pytest.mark.parametrize(
    ("value", "code"),
    [
        (DEVICE, "taken"),
        (DEVICE.upper(), "invalid_field"),
        (DEVICE.replace("-", ""), "invalid_field"),
        (HASH, "invalid_field"),
        (7, "invalid_field"),
    ],
)
def test_device_ids(key: str, value: object, code: str) -> None:
    """A device's advertising id is a lower-case UUID, plain."""
    assert code == verdict({key: value}, is_app=True)[0]


@pytest.mark.parametrize("key", ["email", "hashed_email", "user_agent", "db", "idfa"])
def test_unknown_keys(key: str) -> None:
    """A key that Snapchat does not describe is refused."""
    assert ("unknown_field", "user_data") == verdict({"em": HASH, key: HASH})


@pytest.mark.parametrize(
    ("keys", "is_app", "code"),
    [
        ("em", False, "taken"),
        ("ph", False, "taken"),
        ("client_ip_address client_user_agent", False, "taken"),
        ("madid", True, "taken"),
        ("mobile_ad_id", True, "taken"),
        ("madid", False, "insufficient_pii"),
        ("client_ip_address", False, "insufficient_pii"),
        ("client_user_agent", False, "insufficient_pii"),
        ("fn ln ct st zp country ge external_id", False, "insufficient_pii"),
        ("sc_click_id sc_cookie1 lead_id", False, "insufficient_pii"),
        ("idfv", True, "insufficient_pii"),
        ("", False, "insufficient_pii"),
    ],
)
def test_match_keys(keys: str, is_app: bool, code: str) -> None:
    """An event needs an e-mail, a phone, an IP address with its user agent or, from an app, a device id."""
    values = {"client_ip_address": "203.0.113.7", "madid": DEVICE, "mobile_ad_id": DEVICE}
    hashes = dict.fromkeys((*HASHED, "external_id"), HASH)
    given_keys: dict[str, object] = {key: {**values, **hashes}.get(key, "x") for key in keys.split()}

    assert code == verdict(given_keys, is_app=is_app)[0]
