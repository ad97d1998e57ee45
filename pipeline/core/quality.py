"""How well an event will match, as far as it can be known before the platform says: an estimate of ours, 0 to 10.

Each platform weighs its match keys (`PlatformKind.weights`); the docs of each say where the weights come from.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

BEST: Final = 10.0


def quality(keys: Collection[str], weights: Mapping[str, float]) -> float:
    """Return the estimate for an event with these match keys: the sum of their weights, at most 10."""
    return min(BEST, sum(weights.get(key, 0.0) for key in keys))


def improvements(keys: Collection[str], weights: Mapping[str, float]) -> list[tuple[str, float]]:
    """Return the keys that would raise the estimate, with by how much, the best first."""
    now = quality(keys, weights)
    gains = [(key, min(BEST, now + weight) - now) for key, weight in weights.items() if key not in keys]
    return sorted(((key, gain) for key, gain in gains if gain > 0), key=lambda item: (-item[1], item[0]))
