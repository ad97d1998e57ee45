"""What a platform says of a request long after it took it, where acceptance is not the final word.

A batch that was accepted with a receipt is followed: asked about again and again until the platform has decided on
each event. Nothing here holds an offset; what goes wrong now is counted, sent again, or buried with a reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from pipeline.core.model import Halt, Later, NoReply, Refusal, Reply, Request


@dataclass(frozen=True, slots=True)
class Pending:
    """The platform has not decided yet."""


@dataclass(frozen=True, slots=True)
class Done:
    """The platform has the event, from this request or from an earlier one."""


@dataclass(frozen=True, slots=True)
class Counted:
    """The platform makes no use of the event, as is to be expected of some: there is nothing to do about it."""


@dataclass(frozen=True, slots=True)
class Bury:
    """The event goes to the dead letters."""

    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Again:
    """The same bytes are to be sent again, `seconds` from now at the earliest."""

    seconds: float


Fate = Done | Counted | Bury | Again


@dataclass(frozen=True, slots=True)
class Final:
    """The platform has decided.

    `fates` holds, by position in the batch, what is to become of an event; an event without one is done, or is among
    those of `unplaced`. `counts` has how many events each of the platform's reasons concerns, `warnings` the same for
    what it only remarked.
    `unplaced` are the reasons, out of `counts`, of which it is not known whom they concern: nobody is singled out.
    `alarms` are the reasons for which a person is to be called.
    """

    fates: Mapping[int, Fate] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    warnings: Mapping[str, int] = field(default_factory=dict)
    unplaced: Mapping[str, int] = field(default_factory=dict)
    alarms: tuple[str, ...] = ()


class Following(Protocol):
    """How the final word on an accepted batch of one destination is asked for. Pure."""

    def status_request(self, receipt: str, secrets: Mapping[str, str]) -> Request:
        """Write the question about the batch that `receipt` was given for; `secrets` as for `Platform.request`."""

    def read_status(self, reply: Reply | NoReply, count: int) -> Pending | Final | Later | Halt:
        """Read the answer about a batch of `count` events. Total: whatever the bytes, it returns something."""

    def next_poll(self, sent_at: float, last: float | None, unix: float) -> float | None:
        """Return when to ask next, in Unix seconds and never before `unix`, or None: the platform was asked enough.

        `sent_at` is when the batch was accepted, `last` when it was last asked about, if it was.
        """
