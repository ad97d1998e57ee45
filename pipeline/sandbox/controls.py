"""What can be turned while the sandbox runs: who may enter, the usage figures, the events to reject.

Invariant: no repr and no listing shows a token or a secret.
"""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field
from typing import Literal

TokenState = Literal["valid", "missing", "unknown", "expired", "revoked"]
Language = Literal["en", "fr"]
FIGURES = ("call_count", "total_time", "total_cputime", "regain_minutes", "reset_seconds", "malformed")


@dataclass(slots=True)
class Access:
    """Which tokens and datasets exist. An empty `tokens` or `datasets` lets every well-formed one in."""

    tokens: frozenset[str] = field(default=frozenset(), repr=False)
    expired: frozenset[str] = field(default=frozenset(), repr=False)
    revoked: frozenset[str] = field(default=frozenset(), repr=False)
    datasets: frozenset[str] = frozenset()
    app_secret: str | None = field(default=None, repr=False)

    def token_state(self, token: str | None) -> TokenState:
        """Say what is known of a token."""
        if not token:
            return "missing"
        if token in self.expired:
            return "expired"
        if token in self.revoked:
            return "revoked"
        return "valid" if not self.tokens or token in self.tokens else "unknown"

    def knows(self, account: str) -> bool:
        """Say whether an account exists, whatever its platform calls it; its form is the platform's business."""
        return not self.datasets or account in self.datasets

    def knows_dataset(self, dataset: str) -> bool:
        """Say whether a dataset exists; ids are digits."""
        return dataset.isascii() and dataset.isdigit() and self.knows(dataset)

    def replace(self, document: object) -> None:
        """Take new lists from `{"tokens": [...], "expired": [...], "revoked": [...], "datasets": [...]}`.

        Raises ValueError for anything else. A list that is left out stays as it is.
        """
        if not isinstance(document, dict) or not document:
            raise ValueError("access: send a JSON object with tokens, expired, revoked or datasets")
        for name, values in document.items():
            if name not in ("tokens", "expired", "revoked", "datasets"):
                raise ValueError(f"access: unknown list {name!r}; use tokens, expired, revoked or datasets")
            if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
                raise ValueError(f"access: {name} must be a list of strings")
        for name, values in document.items():
            setattr(self, name, frozenset(values))


@dataclass(slots=True)
class Usage:
    """The load that the usage headers report: percentages, 100 means throttled.

    `regain_minutes` and `reset_seconds` are the waits announced with a throttling error.
    `malformed` sends headers that are not JSON, as happens.
    `limit_used` is how much of an injected rate limit is used up; while there is one, it is what is reported.
    """

    call_count: int = 3
    total_time: int = 2
    total_cputime: int = 2
    regain_minutes: int = 1
    reset_seconds: int = 60
    malformed: bool = False
    limit_used: int | None = None

    @property
    def load(self) -> int:
        """The share of the allowed calls that is reported, in percent."""
        return self.call_count if self.limit_used is None else self.limit_used

    def replace(self, document: object) -> None:
        """Take new figures from a JSON object; raises ValueError for unknown names, wrong types and negatives."""
        if not isinstance(document, dict) or not document:
            raise ValueError(f"usage: send a JSON object with {', '.join(FIGURES)}")
        for name, value in document.items():
            if name not in FIGURES:
                raise ValueError(f"usage: unknown figure {name!r}; use {', '.join(FIGURES)}")
            if name == "malformed" and not isinstance(value, bool):
                raise ValueError("usage: malformed must be true or false")
            if name != "malformed" and (type(value) is not int or value < 0):
                raise ValueError(f"usage: {name} must be an integer, zero or more")
        for name, value in document.items():
            setattr(self, name, value)


@dataclass(frozen=True, slots=True)
class Rejection:
    """Events that only the platform refuses: a shell pattern over the event id and the code to answer with.

    `platform` is the one that refuses them; None is every platform.
    """

    event_id: str
    code: int = 100
    subcode: int | None = 2804008
    platform: str | None = None

    def matches(self, event_id: object, platform: str) -> bool:
        """Say whether this rule lets `platform` refuse the event."""
        if self.platform not in (None, platform):
            return False
        return isinstance(event_id, str) and fnmatch.fnmatchcase(event_id, self.event_id)


def rejection_from(document: object) -> Rejection:
    """Read `{"event_id": PATTERN, "code": 100, "subcode": 2804008, "platform": "meta"}`.

    All but `event_id` may be left out. Raises ValueError for anything else.
    """
    if not isinstance(document, dict) or not document.keys() <= {"event_id", "code", "subcode", "platform"}:
        raise ValueError("rejection: send a JSON object with event_id, and perhaps code, subcode and platform")
    pattern = document.get("event_id")
    code = document.get("code", 100)
    subcode = document.get("subcode", 2804008)
    platform = document.get("platform")
    if not isinstance(pattern, str) or not pattern:
        raise ValueError('rejection: event_id must be a pattern such as "poison-*"')
    if type(code) is not int or (subcode is not None and type(subcode) is not int):
        raise ValueError("rejection: code must be an integer, subcode an integer or null")
    if platform is not None and not isinstance(platform, str):
        raise ValueError("rejection: platform must be a name such as tiktok, or null for every platform")
    return Rejection(pattern, code, subcode, platform)


@dataclass(slots=True)
class Controls:
    """Everything a platform's answers depend on besides the call and the time."""

    access: Access = field(default_factory=Access)
    usage: Usage = field(default_factory=Usage)
    rejections: list[Rejection] = field(default_factory=list)
    language: Language = "en"
    fast: bool = False
