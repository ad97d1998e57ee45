"""Currencies: codes and decimals."""

from __future__ import annotations

import pytest

from pipeline.core.currency import MINOR_UNITS, currency


@pytest.mark.parametrize(
    ("raw", "expected"), [("usd", "USD"), (" EUR ", "EUR"), ("US$", None), ("euro", None), ("", None), ("XXX", None)]
)
def test_currency(raw: str, expected: str | None) -> None:
    """A code of ISO 4217 in any case comes out in upper case, anything else does not."""
    assert expected == currency(raw)


@pytest.mark.parametrize(("code", "decimals"), [("JPY", 0), ("KRW", 0), ("EUR", 2), ("KWD", 3), ("TND", 3), ("CLF", 4)])
def test_decimals(code: str, decimals: int) -> None:
    """Each currency has its own number of decimals."""
    assert decimals == MINOR_UNITS[code]


def test_codes_are_whole() -> None:
    """Every code is three capitals, listed once, and none got lost between the lists."""
    assert 166 == len(MINOR_UNITS)
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in MINOR_UNITS)
