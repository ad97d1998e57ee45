"""Meta's rules for customer data."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sandbox.meta_flaw import SCHEMA, TOO_FEW_KEYS
from pipeline.sandbox.meta_user_data import TOO_BROAD, check_user_data

HASH = "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f"
HASHED = ["em", "ph", "fn", "ln", "db", "ge", "ct", "st", "zp", "country"]


@pytest.mark.parametrize("key", HASHED)
@pytest.mark.parametrize("value", [HASH, [HASH], [HASH, HASH[::-1]], HASH + ".AQICAQMC", [HASH + ".AQ"]])
def test_hashes(key: str, value: object) -> None:
    """A hashed key takes one SHA-256 or a list, each perhaps with the parameter builder's tag."""
    assert None is check_user_data({"fbp": "fb.1.1554763741205.1", key: value})


@pytest.mark.parametrize("key", HASHED)
@pytest.mark.parametrize(
    "value", ["a@example.com", HASH.upper(), HASH[:63], HASH + "0", [HASH, "x"], [[HASH]], None, 7]
)
def test_raw_values(key: str, value: object) -> None:
    """A raw, upper-case, shortened or nested value in a hashed key is a schema fault that names the key."""
    flaw = check_user_data({key: value})

    assert flaw is not None
    assert (SCHEMA, ("user_data", key), None) == (flaw.subcode, flaw.path, flaw.sender_fault)


@pytest.mark.parametrize(
    ("word", "fault"), [("", "hash_of_empty"), ("null", "hash_of_null"), ("undefined", "hash_of_undefined")]
)
@pytest.mark.parametrize("key", [*HASHED, "external_id"])
def test_worthless_hashes(key: str, word: str, fault: str) -> None:
    """The hash of nothing is refused and flagged as a fault of the sender."""
    flaw = check_user_data({key: [hashlib.sha256(word.encode()).hexdigest()]})

    assert flaw is not None
    assert fault == flaw.sender_fault


@given(st.text())
def test_no_value_in_notes(value: str) -> None:
    """What is wrong with a raw value is said without the value."""
    flaw = check_user_data({"em": f"secret-{value}"})

    assert flaw is not None
    assert "secret-" not in repr(flaw)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("external_id", "user-42"),
        ("external_id", [HASH, "user-42"]),
        ("client_ip_address", "168.212.226.204"),
        ("client_ip_address", "203.0.113.7.AQICAQMC"),
        ("client_ip_address", "2001:0db8:85a3:0000:0000:8a2e:0370:7334"),
        ("client_ip_address", "2001:db8::1"),
        ("client_ip_address", "2001:db8::1.AQICAQMC"),
        ("fbc", "fb.1.1554763741205.AbCdEf"),
        ("fbc", "fb.1.1554763741205.IwAR2F4-dbP0l7Mn1IawQQGCINEz7PYXQvwjNwB_qa2ofrHyiLjcbCRxTDMgk.AQICAQMC"),
        ("fbp", "fb.1.1558571054389.1098115397"),
        ("fbp", "fb.1.1558571054389.1098115397.AQICAQMC"),
        ("lead_id", 1234567890123456),
        ("fb_login_id", 17),
        ("madid", "38400000-8cf0-11bd-b23e-10b96e40000d"),
        ("subscription_id", "s-1"),
        ("anon_id", "a-1"),
        ("page_id", "17"),
        ("f5first", HASH),
    ],
)
def test_other_keys(key: str, value: object) -> None:
    """The keys that are not hashed take their documented shapes, and each is enough for a match."""
    assert None is check_user_data({key: value})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("external_id", ""),
        ("external_id", 42),
        ("client_ip_address", "10.0.0.5:443"),
        ("client_ip_address", "1.2.3.4, 5.6.7.8"),
        ("client_ip_address", "256.1.1.1"),
        ("client_ip_address", "::g"),
        ("client_ip_address", 1),
        ("client_user_agent", " "),
        ("fbc", "AbCdEf"),
        ("fbc", "fb.1.1554763741.AbCdEf"),
        ("fbc", "fb.1.1554763741205."),
        ("fbp", "fb.1.1558571054389.abc"),
        ("lead_id", "1234567890123456"),
        ("lead_id", 0),
        ("lead_id", True),
        ("fb_login_id", 1.5),
        ("madid", "38400000"),
        ("anon_id", ""),
        ("page_id", "x"),
        ("page_id", -1),
        ("email", HASH),
    ],
)
def test_other_faults(key: str, value: object) -> None:
    """A value out of shape, or a key that does not exist, is a schema fault that names the key."""
    flaw = check_user_data({key: value})

    assert flaw is not None
    assert (SCHEMA, ("user_data", key)) == (flaw.subcode, flaw.path)


def fill(keys: frozenset[str] | set[str]) -> dict[str, object]:
    """Give every key a valid value."""
    return {key: "Mozilla/5.0" if key == "client_user_agent" else HASH for key in keys}


@given(st.sampled_from(TOO_BROAD).flatmap(lambda broad: st.sets(st.sampled_from(sorted(broad)))))
def test_too_broad(keys: set[str]) -> None:
    """Customer data whose keys all lie within one of four sets is too broad to match."""
    flaw = check_user_data(fill(keys))

    assert flaw is not None
    assert TOO_FEW_KEYS == flaw.subcode


@pytest.mark.parametrize(
    "keys", [{"em"}, {"ph"}, {"fn", "ln"}, {"fn", "zp"}, {"db", "zp"}, {"fn", "ge", "client_user_agent"}]
)
def test_enough(keys: set[str]) -> None:
    """Keys that lie within none of the four sets are enough."""
    assert None is check_user_data(fill(keys))


def test_empty_list_does_not_count() -> None:
    """An empty list is no customer data."""
    flaw = check_user_data({"em": [], "fn": HASH})

    assert flaw is not None
    assert TOO_FEW_KEYS == flaw.subcode
