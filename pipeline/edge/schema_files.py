"""The schemas that this build brings along: `schemas/*.avsc` in the repository, the same files inside the wheel."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, get_args

from pipeline.core.avro.schema import SchemaError, SchemaText
from pipeline.core.contract import Kind
from pipeline.core.decode import Contract, contract

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
_PACKAGE = Path(__file__).resolve().parent.parent


def schema_folder() -> Path:
    """Return the folder of the contract: that of an installed wheel, else that of the repository."""
    installed = _PACKAGE / "_schemas"
    return installed if installed.is_dir() else _PACKAGE.parent / "schemas"


def schema_texts(folder: Path | None = None) -> Mapping[Kind, SchemaText]:
    """Read `<kind>.avsc` of every kind. Raises OSError with the path when one cannot be read."""
    place = folder or schema_folder()
    return {kind: SchemaText((place / f"{kind}.avsc").read_text(encoding="utf-8")) for kind in KINDS}


def load_contract(folder: Path | None = None) -> Contract:
    """Read and parse the contract, once, at start. Raises OSError or SchemaError, which name the file."""
    place = folder or schema_folder()
    try:
        return contract(schema_texts(place))
    except SchemaError as error:
        raise SchemaError(f"{place}: {error}") from None


def sample(kind: Kind, *, minimal: bool = False, folder: Path | None = None) -> bytes:
    """Return a sample event in the JSON form of the contract. Raises OSError with the path."""
    name = f"{kind}_minimal.json" if minimal else f"{kind}.json"
    return ((folder or schema_folder()) / "samples" / name).read_bytes()
