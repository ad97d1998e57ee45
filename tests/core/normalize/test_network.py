"""Addresses, cookies, click ids and other people's ids."""

from __future__ import annotations

import pytest

from pipeline.core.normalize import network


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("168.212.226.204", "168.212.226.204"),
        ("2001:0db8:85a3:0000:0000:8a2e:0370:7334", "2001:0db8:85a3:0000:0000:8a2e:0370:7334"),
        ("2a00::1", "2a00::1"),
        ("1.2.3.4, 5.6.7.8", "1.2.3.4"),
        (" 1.2.3.4 , 10.0.0.1", "1.2.3.4"),
        ("203.0.113.7", "203.0.113.7"),
        ("172.32.0.1", "172.32.0.1"),
        ("100.128.0.1", "100.128.0.1"),
    ],
)
def test_public_address(raw: str, expected: str) -> None:
    """Public addresses pass as written; of a list of hops the first is the visitor's."""
    assert expected == network.client_ip(raw) == network.client_ip_or_built(raw)


@pytest.mark.parametrize(
    "raw",
    [
        *("10.0.0.5", "10.0.0.5:443", "127.0.0.1", "169.254.1.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
        *("100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "1.2.3.4:443", "1.2.3", "1.2.3.256", "01.2.3.4"),
        *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "fec0::1", "ff02::1", "::ffff:10.0.0.1"),
        *("[2a00::1]", "[2a00::1]:443", "2a00:::1", "2a00", ":", "10.0.0.1, 1.2.3.4", "unknown, 1.2.3.4", "", ","),
        *("0b407281768f0e833afef47ed464b6571d01ca4d53c12ce5c51d1462f4ad6677", "10.0.0.1.AQICAQMC"),
    ],
)
def test_no_public_address(raw: str) -> None:
    """Private, local and reserved addresses, ports, brackets, zones and hashes are left out."""
    assert network.client_ip(raw) is None
    assert network.client_ip_or_built(raw) is None


@pytest.mark.parametrize("raw", ["1.2.3.4.AQICAQMC", "1.2.3.4.Ag", "2a00::1.AQICAQMC"])
def test_parameter_builder_suffix_on_an_address(raw: str) -> None:
    """Meta's suffix passes unchanged where it is understood, and nowhere else."""
    assert raw == network.client_ip_or_built(raw)
    assert network.client_ip(raw) is None


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("fb.1.1554763741205.AbCdEf", "fb.1.1554763741205.AbCdEf"),
        (" fb.1.1554763741205.IwAR2F4-dbP0l7Mn1IawQQGCINEz7PYXQvwjNwB_qa2ofrHyiLjcbCRxTDMgk ", None),
        ("fb.2.1554763741205.AbCdEf.AQICAQMC", "fb.2.1554763741205.AbCdEf.AQICAQMC"),
        ("fb.1.1554763741205.AbCdEf.Bg", "fb.1.1554763741205.AbCdEf.Bg"),
        ("fb.1.1554763741205.AbCdEf.", ""),
        ("fb.1.1554763741205.AbCdEf.abc", ""),
        ("fb.1.1554763741.AbCdEf", ""),
        ("fb.1.1554763741205.", ""),
        ("fb.1.1554763741205.Ab CdEf", ""),
        ("AbCdEf", ""),
    ],
)
def test_fbc(raw: str, expected: str | None) -> None:
    """A click cookie of the right shape passes byte for byte, any other is left out."""
    wanted = raw.strip() if expected is None else expected

    assert (wanted or None) == network.fbc(raw)


@pytest.mark.parametrize(
    ("click", "seen_at", "expected"),
    [
        ("AbCdEf", 1554763741205, "fb.1.1554763741205.AbCdEf"),
        ("AbCdEf", None, None),
        ("AbCdEf", 1554763741, None),
        ("AbCdEf", 0, None),
        ("", 1554763741205, None),
        ("null", 1554763741205, None),
        ("Ab.CdEf", 1554763741205, None),
    ],
)
def test_fbc_from_click(click: str, seen_at: int | None, expected: str | None) -> None:
    """A cookie is built from a click id and the time it was seen, and from nothing less."""
    assert expected == network.fbc_from_click(click, seen_at)


@pytest.mark.parametrize("raw", ["fb.1.1596403881668.1116446470", "fb.1.1596403881668.1116446470.AQICAQMC"])
def test_fbp(raw: str) -> None:
    """A browser cookie of the right shape passes byte for byte."""
    assert raw == network.fbp(raw)


@pytest.mark.parametrize(
    "raw", ["fb.1.1596403881668.abc", "fb.1.159640388166.1116446470", "", "fb.1.1596403881668.1.2.3"]
)
def test_no_fbp(raw: str) -> None:
    """Any other is left out."""
    assert network.fbp(raw) is None


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("1234567890123456", 1234567890123456),
        (" 12345678901234567 ", 12345678901234567),
        ("12345", None),
        ("l:1", None),
        ("012345678901234", None),
    ],
)
def test_lead_id(raw: str, expected: int | None) -> None:
    """C24: the id of a lead is an integer of 15 to 17 digits, or it is no lead id."""
    assert expected == network.lead_id(raw)


def test_other_ids() -> None:
    """Ids of accounts are digits, a login id is an integer, an opaque id is one printable word."""
    assert (10158, None) == (network.numeric_id("10158"), network.numeric_id("x1"))
    assert ("10158", None) == (network.digits_id(" 10158 "), network.digits_id("1" * 20))
    assert ("aB_-9.", None, None) == (network.opaque_id("aB_-9."), network.opaque_id("a b"), network.opaque_id("null"))


def test_user_agent_is_as_sent() -> None:
    """A user agent keeps its case and inner spaces; a sentinel is none."""
    assert ("Mozilla/5.0 (X11)", None) == (network.user_agent(" Mozilla/5.0 (X11) "), network.user_agent("undefined"))


@pytest.mark.parametrize(("raw", "expected"), [("aB" * 32, None), (" " + "0" * 64 + " ", None), ("a" * 63, "a" * 63)])
def test_user_agent_that_is_a_hash(raw: str, expected: str | None) -> None:
    """A SHA-256 in place of a user agent says nothing about a browser, and is left out."""
    assert expected == network.user_agent(raw)
