"""Masking: the last net before text leaves the process."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.masking import looks_secret, mask


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("to jane.doe+x@mail.example.co.uk today", "to [email] today"),
        ("call +49 (171) 123-4567 now", "call [phone] now"),
        ("Authorization: Bearer abc.def-123456", "Authorization: [secret]"),
        ("?access_token=x&y=1", "?[secret]&y=1"),
        ("ya29.a0AfH6SMBx_y-z1234", "[secret]"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE\nvQIB", "[secret]"),
        ("topic capi.orders[3] at 1234567890123", "topic capi.orders[3] at 1234567890123"),
        ("a@b", "a@b"),
        ("", ""),
    ],
)
def test_mask(text: str, masked: str) -> None:
    """Tokens, addresses and numbers become a word; the rest stays."""
    assert masked == mask(text)


@given(st.binary(min_size=48, max_size=200))
def test_random_credentials_are_seen(noise: bytes) -> None:
    """Long hexadecimal values with letters and digits are taken for credentials."""
    text = "a1" + noise.hex()

    assert looks_secret(text)
    assert "[secret]" == mask(text)


@given(st.binary(min_size=96, max_size=200), st.sampled_from(["Aa1"]))
def test_random_url_safe_credentials_are_seen(noise: bytes, all_classes: str) -> None:
    """So are long values in base 64 for URLs."""
    assert looks_secret(all_classes + base64.urlsafe_b64encode(noise).decode())


@given(st.text())
def test_masking_twice_is_masking_once(text: str) -> None:
    """What was masked has nothing left to mask."""
    once = mask(text)

    assert once == mask(once)
