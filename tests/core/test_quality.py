"""The estimate of how well an event will match, and what would raise it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.quality import BEST, improvements, quality

WEIGHTS = {"em": 3.0, "ph": 2.0, "gclid": 4.0, "wbraid": 3.0, "gbraid": 3.0, "ua": 0.25}
CLICKS = [("gclid", "wbraid", "gbraid")]


@pytest.mark.parametrize(
    ("keys", "expected"), [([], 0.0), (["em", "ua"], 3.25), (["unknown"], 0.0), (list(WEIGHTS), BEST)]
)
def test_estimate(keys: list[str], expected: float) -> None:
    """Weights add up to ten at most; a key without a weight adds nothing."""
    assert expected == quality(keys, WEIGHTS)


def test_best_first() -> None:
    """What would raise the estimate most comes first."""
    assert [("gclid", 4.0), ("gbraid", 3.0), ("wbraid", 3.0), ("ph", 2.0), ("ua", 0.25)] == improvements(
        ["em"], WEIGHTS
    )


@pytest.mark.parametrize(("there", "gains"), [("wbraid", [("gclid", 1.0)]), ("gclid", [])])
def test_rival_takes_the_place(there: str, gains: list[tuple[str, float]]) -> None:
    """Of keys of which one is sent, another one is worth what it is worth more."""
    found = improvements([there], WEIGHTS, CLICKS)

    assert gains == [(key, gain) for key, gain in found if key in CLICKS[0]]


@given(st.sets(st.sampled_from(sorted(WEIGHTS))))
def test_gains_are_what_they_say(keys: set[str]) -> None:
    """Each gain is the difference that the key makes, never less than nothing and never beyond ten."""
    now = quality(keys, WEIGHTS)

    assert [] == [
        key for key, gain in improvements(keys, WEIGHTS) if not gain == quality({*keys, key}, WEIGHTS) - now > 0
    ]
