"""What the platforms' rules have in common: forms of JSON values, codes of currencies, hashes that stand for nothing.

A check returns what is wrong with a value, in words that never hold it, or None.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection

# ISO 4217 codes of 2026, those of funds included, and those withdrawn since 2025: shops still send them.
_CODES = """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE
    CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD
    HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD
    MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR
    RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH
    UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""
CURRENCIES = frozenset(_CODES.split())
DELIVERY = frozenset(("in_store", "curbside", "home_delivery"))

# Hashes of nothing and of words that stand for nothing: platforms take them and match nobody, or everybody.
WORTHLESS: dict[str, str] = {
    hashlib.sha256(word.encode()).hexdigest(): fault
    for word, fault in (("", "hash_of_empty"), ("null", "hash_of_null"), ("undefined", "hash_of_undefined"))
}

Check = Callable[[object], str | None]


def number(value: object) -> str | None:
    """Accept a JSON number."""
    return None if type(value) is float or type(value) is int else "must be a number"


def whole(value: object) -> str | None:
    """Accept a JSON integer that is not negative."""
    return None if type(value) is int and value >= 0 else "must be an integer, zero or more"


def string(value: object) -> str | None:
    """Accept any string."""
    return None if type(value) is str else "must be a string"


def one_of(allowed: Collection[str]) -> Check:
    """Build the check of a closed list."""

    def check(value: object) -> str | None:
        return None if type(value) is str and value in allowed else f"must be one of {', '.join(sorted(allowed))}"

    return check


def text(value: object) -> str | None:
    """Accept a string that is not blank."""
    return None if type(value) is str and value.strip() else "must be a non-empty string"
