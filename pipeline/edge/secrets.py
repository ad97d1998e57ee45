"""Secrets by name: from mounted files, else from the environment, read again when they change.

A secret is a file `<directory>/<name>` (a Kubernetes Secret mounted as a volume, Docker's `/run/secrets`), or the
environment variable `CAPI_SECRET_<NAME>`.
A file wins, because only a file can be rotated without a restart.
Kubernetes rotates by swapping the symbolic link `..data`; `stat` follows it, so the file's identity changes.

Invariant: a value leaves a `Secret` only through `reveal()`, and no message here holds one.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from typing_extensions import override

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,62}")
_RECHECK_SECONDS = 1.0

Identity = tuple[int, int, int, int]


class Secret:
    """A value that does not show itself: `str`, `repr` and formatting give a mask."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value, to put it into a request or a client's configuration and nowhere else."""
        return self._value

    @override
    def __repr__(self) -> str:
        return "Secret(***)"

    @override
    def __str__(self) -> str:
        return "***"

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    @override
    def __hash__(self) -> int:
        return hash(self._value)


@dataclass(slots=True)
class _Entry:
    """What is known of one secret: its value or its fault, and how often it has changed."""

    secret: Secret | None = None
    fault: str | None = None
    identity: Identity | None = None
    version: int = 0
    looked_at: float | None = None


class Secrets:
    """Secrets by name. Files are looked at again at most once a second, by `clock` (seconds, monotonic).

    Safe to ask from one thread; give each thread its own, they are cheap.
    """

    def __init__(
        self,
        directory: Path | None,
        environ: Mapping[str, str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._directory = directory
        self._environ = environ
        self._clock = clock
        self._entries: dict[str, _Entry] = {}

    def get(self, name: str) -> Secret | None:
        """Return the secret, or None when there is none that can be used; `fault` says why.

        Raises `ValueError` for a name that is not the name of a file.
        """
        return self._look(name).secret

    def fault(self, name: str) -> str | None:
        """Say why `get(name)` returns None and what to do, or None when all is well."""
        return self._look(name).fault

    def values(self, names: Mapping[str, str]) -> Mapping[str, str] | str:
        """Return the revealed values under the same keys, or why the first that cannot be used cannot."""
        found: dict[str, str] = {}
        for key, name in names.items():
            secret = self.get(name)
            if secret is None:
                return self.fault(name) or f"secret `{name}` is missing"
            found[key] = secret.reveal()
        return found

    def version_of(self, name: str) -> int:
        """Count the changes of the value: 0 while there was none, 1 with the first, then one more each time."""
        return self._look(name).version

    def changed(self, name: str, since: int) -> bool:
        """Tell whether the value is another one than at `version_of(name) == since`."""
        return self._look(name).version != since

    def _look(self, name: str) -> _Entry:
        entry = self._entries.get(name)
        if entry is None:
            if not _NAME.fullmatch(name):
                raise ValueError("the name of a secret must be letters, digits, `_`, `-`, `.` and at most 63 of them")
            entry = self._entries[name] = _Entry()
        now = self._clock()
        if entry.looked_at is None or now - entry.looked_at >= _RECHECK_SECONDS:
            entry.looked_at = now
            self._refresh(name, entry)
        return entry

    def _refresh(self, name: str, entry: _Entry) -> None:
        path = self._directory / name if self._directory else None
        identity = _identity(path)
        if path is not None and identity is not None:
            if identity == entry.identity and entry.secret is not None:
                return
            secret, fault = _read(path)
        else:
            secret, fault = self._from_environment(name)
        entry.identity = identity
        if secret != entry.secret:
            entry.secret = secret
            entry.version += 1
        entry.fault = fault

    def _from_environment(self, name: str) -> tuple[Secret | None, str | None]:
        variable = variable_of(name)
        value = self._environ.get(variable, "")
        if value:
            return Secret(value), None
        place = f"write the file {self._directory / name} or set {variable}" if self._directory else f"set {variable}"
        return None, f"secret `{name}` is missing: {place}"


def variable_of(name: str) -> str:
    """Return the environment variable that may hold the secret `name`."""
    return "CAPI_SECRET_" + re.sub(r"[.\-]", "_", name).upper()


def _identity(path: Path | None) -> Identity | None:
    if path is None:
        return None
    try:
        seen = os.stat(path)  # noqa: PTH116 - the one call that a poll needs
    except OSError:
        return None
    return seen.st_dev, seen.st_ino, seen.st_mtime_ns, seen.st_size


def _read(path: Path) -> tuple[Secret | None, str | None]:
    try:
        text = path.read_bytes().decode()
    except UnicodeDecodeError:
        return None, f"secret file {path} is not UTF-8 text: write it again"
    except OSError as error:
        return None, f"secret file {path} cannot be read ({error.strerror}): mend its permissions"
    # One line end only: editors and `echo` add it, and a password may end in a space.
    value = text.removesuffix("\n").removesuffix("\r")
    if not value:
        return None, f"secret file {path} is empty: write the secret into it"
    return Secret(value), None
