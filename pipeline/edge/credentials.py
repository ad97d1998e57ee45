"""The secrets that lanes need, as they are now: implements `ports.Secrets` over the secret files."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.edge.secrets import Secrets


class Credentials:
    """Belongs to the event loop's thread."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def values(self, names: Mapping[str, str]) -> Mapping[str, str] | str:
        """Return the revealed values under the same keys, or the name of the first that is missing."""
        values = {}
        for key, name in names.items():
            secret = self._secrets.get(name)
            if secret is None:
                return name
            values[key] = secret.reveal()
        return values

    def versions(self, names: Mapping[str, str]) -> tuple[int, ...]:
        """Return numbers that change when one of the secrets does."""
        return tuple(self._secrets.version(name) for name in names.values())
