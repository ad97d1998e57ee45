"""Secrets from files keep the contract of `ports.Secrets`."""

from __future__ import annotations

from pathlib import Path

import pytest
from contracts import SecretsContract
from fakes import ManualClock

from pipeline.edge.secrets import Secrets


class FileSecretsKit:
    """A folder with a file a secret."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._clock = ManualClock()
        self.secrets = Secrets(folder, {}, self._clock)
        self.rotate("first", "one")
        self.rotate("second", "two")

    def rotate(self, name: str, value: str | None) -> None:
        """Replace or remove a file, as a mounted secret is, and let time pass until it is looked at again."""
        target, new = self._folder / name, self._folder / "new"
        if value is None:
            target.unlink()
        else:
            new.write_text(value)
            new.replace(target)
        self._clock.pass_seconds(2.0)


class TestSecrets(SecretsContract):
    """`edge.secrets.Secrets` are secrets."""

    @pytest.fixture
    def kit(self, tmp_path: Path) -> FileSecretsKit:
        """A folder of secrets."""
        return FileSecretsKit(tmp_path)
