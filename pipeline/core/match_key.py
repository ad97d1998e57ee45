"""A match key: one row of the table by which a platform says what it wants to know of a customer, and how.

`pipeline.core.identify` reads these tables; the platforms write them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import Enum


@dataclass(frozen=True, slots=True)
class Plain:
    """A rule that needs the raw text only."""

    rule: Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Local:
    """A rule that needs the customer's country as well: ISO alpha-2 in lower case, or None."""

    rule: Callable[[str, str | None], str | None]


@dataclass(frozen=True, slots=True)
class Dated:
    """A rule that reads a date and needs the day of the event."""

    rule: Callable[[date, date], str | None]


@dataclass(frozen=True, slots=True)
class Paired:
    """A rule that needs a second field of the same section, an integer or None."""

    rule: Callable[[str, int | None], str | None]
    field: str


@dataclass(frozen=True, slots=True)
class Numeric:
    """A rule that turns the raw text into an integer, which is sent clear."""

    rule: Callable[[str], int | None]


Rule = Plain | Local | Dated | Paired | Numeric


class Form(Enum):
    """How a platform wants the value: hashed or clear, and alone or in a list."""

    HASHED_LIST = "hashed list"
    HASHED = "hashed"
    CLEAR_LIST = "clear list"
    CLEAR = "clear"


@dataclass(frozen=True, slots=True)
class MatchKey:
    """One row of a platform's table.

    `source` is a field of the event: `customer.emails`, `touch.fbp`, or `meta_lead_id` at the top.
    Rows with the same name are alternatives: the first one that gives a value wins.
    `remember` is how many raw values and their hashes may be kept (for fields of few values; 0 for what names a
    person). `built` says that the platform reads Meta's Parameter Builder suffix behind ready hashes.
    """

    name: str
    source: str
    rule: Rule
    form: Form = Form.HASHED_LIST
    remember: int = 0
    built: bool = False
