"""Fuzzing without coverage: seeded random bytes, and inputs of the corpus with a few of their bytes changed."""

from __future__ import annotations

import random
from collections.abc import Sequence

from promises import Target, watched

_SIZES = (0, 1, 4, 16, 64, 256, 1024)


def rehearse(target: Target, seeds: Sequence[bytes], runs: int, seed: int = 1) -> None:
    """Call `target` with `runs` inputs, the same ones for the same `seed`; what it raises gets the input as a note."""
    chance = random.Random(seed)
    with watched():
        for _ in range(runs):
            data = _changed(chance, chance.choice(seeds)) if seeds and chance.random() < 0.7 else _any(chance)
            try:
                target(data)
            except Exception as error:
                error.add_note(f"input: {data.hex()}")
                raise


def _any(chance: random.Random) -> bytes:
    return chance.randbytes(chance.choice(_SIZES))


def _changed(chance: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randint(0, len(changed))
        match chance.randrange(4):
            case 0:
                changed[at : at + 1] = chance.randbytes(1)
            case 1:
                changed[at:at] = chance.randbytes(chance.randint(1, 8))
            case 2:
                del changed[at : at + chance.randint(1, 8)]
            case _:
                changed[at : at + 2] = chance.choice((b"\x00\x00", b"\xff\xff", b"\x7f\xff", b"\x80\x00"))
    return bytes(changed)
