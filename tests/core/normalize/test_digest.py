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
    assert "" == ready_hash(raw)


@pytest.mark.parametrize("raw", [OF_NOTHING, OF_NOTHING.upper(), f"{OF_NOTHING}.Ag"])
def test_hash_of_nothing(raw: str) -> None:
    """The hash of nothing does not pass, and is no text that may be hashed once more."""
    assert ("", "") == (ready_or_built_hash(raw), ready_hash(raw))


@pytest.mark.parametrize("raw", [HEX[1:], f"{HEX}.abc", "g" * 64, ""])
def test_no_ready_hash(raw: str) -> None:
    """What only resembles a hash is a text like any other."""
    assert ready_or_built_hash(raw) is None
