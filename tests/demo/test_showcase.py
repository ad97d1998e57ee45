"""The one with everything: what is missing or wrong at a platform is found."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.demo.arrivals import Arrival
from pipeline.demo.balance import Seen
from pipeline.demo.flaws import PLATFORMS
from pipeline.demo.showcase import email_hash, faults_of, match_keys
from pipeline.demo.trade import Expected

EXPECTED = dict.fromkeys(PLATFORMS, Expected("accepted", None, "A-1", "Purchase", 1000, "9.9 EUR"))
ARRIVED = {
    platform: Arrival(
        platform, "1", Seen("A-1", "Purchase", 1000, "9.9 EUR"), (email_hash(platform),), match_keys(platform)
    )
    for platform in PLATFORMS
}
META = ARRIVED["meta"]

CASES = {
    "name": (replace(META, seen=replace(META.seen, event_name="Lead")), "wrong event name"),
    "id": (replace(META, seen=replace(META.seen, event_id="A-2")), "wrong event id"),
    "time": (replace(META, seen=replace(META.seen, event_time=1001)), "wrong time"),
    "value": (replace(META, seen=replace(META.seen, worth="9.9 USD")), "wrong value"),
    "hash": (replace(META, emails=(email_hash("google"),)), "wrong hash of the e-mail"),
    "no hash": (replace(META, emails=()), "wrong hash of the e-mail"),
    "a key less": (replace(META, match_keys=META.match_keys - {"fbc"}), "wrong match keys (fbc)"),
    "a key more": (replace(META, match_keys=META.match_keys | {"name"}), "wrong match keys (name)"),
}


def test_nothing_to_find() -> None:
    """Where every platform has all of it, nothing is found."""
    assert [] == list(faults_of(EXPECTED, ARRIVED))


@pytest.mark.parametrize(("arrival", "finding"), CASES.values(), ids=CASES)
def test_finds(arrival: Arrival, finding: str) -> None:
    """Each fact that is wrong at one platform is found there, and only there."""
    assert [f"the one with everything has the {finding} at meta"] == list(
        faults_of(EXPECTED, {**ARRIVED, "meta": arrival})
    )


@pytest.mark.parametrize("platform", PLATFORMS)
def test_missing(platform: str) -> None:
    """A platform that did not get it is named."""
    others = {name: arrival for name, arrival in ARRIVED.items() if name != platform}

    assert [f"the one with everything did not arrive at {platform}"] == list(faults_of(EXPECTED, others))


def test_google_hashes_another_address() -> None:
    """Google's hash is of the address without Gmail's aliases; all others hash it as it was written."""
    hashes = {platform: email_hash(platform) for platform in PLATFORMS}

    assert 2 == len(set(hashes.values()))
    assert ["google"] == [platform for platform in PLATFORMS if hashes[platform] != hashes["meta"]]
