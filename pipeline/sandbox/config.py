"""What a sandbox is started with.

Invariant: its repr shows no token and no secret.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.sandbox.controls import Language, Rejection
from pipeline.sandbox.google_outcome import Outcome


@dataclass(frozen=True, slots=True)
class SandboxConfig:
    """Settings of one sandbox; the defaults let every well-formed token and dataset in and inject no fault.

    `tokens`, `expired_tokens`, `revoked_tokens`, `datasets`: who is known; empty `tokens` or `datasets` knows all.
    `app_secret`: if set, every request must carry a fitting `appsecret_proof`.
    `rejections`: events that only the platform refuses. `fault_documents`: faults as the admin endpoint takes them.
    `seed`: of the chance behind probabilities and jitter. `language`: of the texts for people in errors.
    `journal_limit`: lines and event keys kept in memory (None: all). `journal_path`: file of accepted events.
    `keep_payloads`: keep accepted events whole, in memory. `fast`: count events, check and journal none.
    `google_outcomes`: Google events that fail after they were accepted. `google_processing_s`: seconds until Google
    tells the outcome of a request. `google_token_s`: seconds that tokens issued for Google live.
    `google_public_key`: PEM of the service account's key (None: signatures are not verified).
    `max_body_bytes`: larger requests get HTTP 413.
    """

    tokens: Sequence[str] = field(default=(), repr=False)
    expired_tokens: Sequence[str] = field(default=(), repr=False)
    revoked_tokens: Sequence[str] = field(default=(), repr=False)
    datasets: Sequence[str] = ()
    app_secret: str | None = field(default=None, repr=False)
    rejections: Sequence[Rejection] = ()
    fault_documents: Sequence[Mapping[str, object]] = ()
    usage: Mapping[str, int] = field(default_factory=dict)
    seed: int = 0
    language: Language = "en"
    journal_limit: int | None = None
    journal_path: Path | None = None
    keep_payloads: bool = False
    fast: bool = False
    google_outcomes: Sequence[Outcome] = ()
    google_processing_s: float = 0.0
    google_token_s: int = 3600
    google_public_key: str | None = field(default=None, repr=False)
    max_body_bytes: int = 64 * 1024 * 1024
