"""When refusals are no longer the events' fault: so many in a row, one by one, for one code, with nothing accepted.

Then it is configuration (an account, a link, a permission that the platform reports as a bad event), and a lane that
went on would pour the topic into the dead letters.
"""

from __future__ import annotations

from pipeline.core.model import Refusal


class Streak:
    """Counts single refusals since the last acceptance; `most` in a row are hopeless, 0 never is."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._count = 0
        self._last: Refusal | None = None

    def refused(self, refusal: Refusal) -> None:
        """Note that an event which stood alone was refused."""
        same = self._last is not None and (refusal.code, refusal.subcode) == (self._last.code, self._last.subcode)
        self._count = self._count + 1 if same else 1
        self._last = refusal

    def begin_again(self) -> None:
        """Forget what was counted: something was accepted, or the lane was halted."""
        self._count, self._last = 0, None

    @property
    def hopeless(self) -> bool:
        """True when the next refusal would say nothing new."""
        return 0 < self._most <= self._count

    @property
    def detail(self) -> str:
        """What to tell people about the cause."""
        cause = self._last.detail if self._last else "nothing was refused"
        return f"{self._count} events in a row were refused one by one: {cause}"
