"""Hashes: made once, and never of nothing."""

from __future__ import annotations

from hashlib import sha256

import pytest

from pipeline.core.normalize.digest import digest, ready_hash, ready_or_built_hash

HEX = sha256(b"person@example.com").hexdigest()
OF_NOTHING = sha256(b"").hexdigest()


def test_digest() -> None:
    """The digest is lower-case hexadecimal SHA-256 of the UTF-8 bytes."""
    assert sha256("é".encode()).hexdigest() == digest("é")


def test_nothing_is_not_hashed() -> None:
    """The empty text has no digest here."""
    with pytest.raises(ValueError, match="leave the key out"):
        digest("")


@pytest.mark.parametrize("raw", [HEX, HEX.upper(), f" {HEX}\n", f"\ufeff{HEX}"])
def test_ready_hash_in_lower_case(raw: str) -> None:
    """C5: a value that is a hash already passes in lower case."""
    assert HEX == ready_hash(raw) == ready_or_built_hash(raw)


@pytest.mark.parametrize("raw", [f"{HEX}.AQICAQMC", f"{HEX.upper()}.Ag"])
def test_built_hash_unchanged(raw: str) -> None:
    """A hash with the Parameter Builder's suffix passes unchanged to Meta, and to nobody else."""
    assert raw == ready_or_built_hash(raw)
    assert ready_hash(raw) is None


@pytest.mark.parametrize(
    "raw", [OF_NOTHING, OF_NOTHING.upper(), f"{OF_NOTHING}.Ag", HEX[1:], f"{HEX}.abc", "g" * 64, ""]
)
def test_no_ready_hash(raw: str) -> None:
    """The hash of nothing, and what only resembles a hash, does not pass."""
    assert ready_or_built_hash(raw) is None
