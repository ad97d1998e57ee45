"""How well an event will match, as far as it can be known before the platform says: an estimate of ours, 0 to 10.

Each platform weighs its match keys (`PlatformKind.weights`); the docs of each say where the weights come from.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import fsum
from typing import Final

BEST: Final = 10.0


def quality(keys: Collection[str], weights: Mapping[str, float]) -> float:
    """Return the estimate for an event with these match keys: the sum of their weights, at most 10."""
    # Exact, so that the order of the keys makes no difference.
    return min(BEST, fsum(weights.get(key, 0.0) for key in keys))


def improvements(
    keys: Collection[str], weights: Mapping[str, float], one_of: Sequence[Collection[str]] = ()
) -> list[tuple[str, float]]:
    """Return the keys that would raise the estimate, with by how much, the best first.

    Of each collection in `one_of` only one key is sent: another one would take its place.
    """
    now = quality(keys, weights)
    gains: list[tuple[str, float]] = []
    for key in weights.keys() - set(keys):
        rivals = {rival for group in one_of if key in group for rival in group}
        gains.append((key, quality({*keys, key} - (rivals - {key}), weights) - now))
    return sorted(((key, gain) for key, gain in gains if gain > 0), key=lambda item: (-item[1], item[0]))
