"""Why TikTok refuses a request, and the words it says it in.

The codes are TikTok's; docs/sandbox/tiktok.md says where their use here is our assumption.
Invariant: no text built here holds a value from a request, and no name of a field that only the sender knows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

NO_PERMISSION = 40001
PARAM_ERROR = 40002
INVALID_BATCH_SIZE = 40061
PII_NOT_HASHED = 40062
INVALID_PARTNER_NAME = 40063


@dataclass(frozen=True, slots=True)
class Flaw:
    """One reason against a request: what is wrong, the code, and the place as field names from the outside in.

    `sender_fault` names a mistake that TikTok would take without a word and that only a sender's bug can make.
    """

    note: str
    code: int = PARAM_ERROR
    place: tuple[str, ...] = ()
    sender_fault: str | None = None

    def within(self, name: str) -> Flaw:
        """Return the same flaw as seen from the object that holds it under `name`."""
        return replace(self, place=(name, *self.place))

    @property
    def message(self) -> str:
        """The text of the answer: it names the field and, as TikTok's do, not which of the events."""
        place = ".".join(self.place) or "data"
        mark = f"[sandbox: {self.sender_fault}] " if self.sender_fault else ""
        return f"{mark}Invalid value for {place}: {self.note}."
