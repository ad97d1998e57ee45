"""The form of the destinations file, as models; the tables in `docs/destinations.md` are made from them.

Invariant: a key that is not described here is refused, so that a misspelled one is never ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from pipeline.core.contract import CustomerType, Kind
from pipeline.core.destination import Mode, UnknownConsent

EVENTS_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "order": ("order_placed", "order_refunded", "order_cancelled"),
    "lead": ("lead_submitted", "lead_qualified", "lead_converted", "lead_lost"),
}
EventName = Literal[
    "order_placed",
    "order_refunded",
    "order_cancelled",
    "lead_submitted",
    "lead_qualified",
    "lead_converted",
    "lead_lost",
]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
SecretReference = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.\-]{0,62}$")]


class Form(BaseModel):
    """A part of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class RuleEntry(Form):
    """Which events the destination wants; a list that is left out wants all."""

    kinds: frozenset[Kind] = Field(default=frozenset(), description="Kinds of event.")
    events: frozenset[EventName] = Field(
        default=frozenset(),
        description="Events by name.",
    )
    stores: frozenset[str] = Field(default=frozenset(), description="Stores, as the events name them.")
    brands: frozenset[str] = Field(default=frozenset(), description="Brands, as the events name them.")
    countries: frozenset[Country] = Field(
        default=frozenset(), description="Customers' countries, two capital letters (ISO 3166-1)."
    )
    customer_types: frozenset[CustomerType] = Field(default=frozenset(), description="Kinds of customer.")


class LimitsEntry(Form):
    """How much at once and how fast; what is left out is the platform's default."""

    events_per_request: int | None = Field(default=None, ge=1, le=10_000, description="Events in one request.")
    bytes_per_request: int | None = Field(
        default=None, ge=1_000, le=100_000_000, description="Bytes of one request's body."
    )
    requests_per_second: float | None = Field(
        default=None, gt=0, le=10_000, description="Requests a second, over all replicas of the worker together."
    )
    linger_seconds: float | None = Field(
        default=None, ge=0, le=60, description="How long the first event of a request waits for company."
    )
    concurrency: int | None = Field(default=None, ge=1, le=256, description="Requests under way at once, per replica.")
    timeout_seconds: float | None = Field(default=None, ge=1, le=120, description="How long to wait for an answer.")
    halt_after_refusals: int | None = Field(
        default=None,
        ge=0,
        le=100_000,
        description="Events refused in a row for one cause before the lane halts; 0 never halts.",
    )


class Entry(Form):
    """One destination: one account on one platform."""

    name: str = Field(
        pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
        description="Its name in metrics, logs and dead letters: lower-case letters, digits and dashes.",
        examples=["meta-eu"],
    )
    platform: str = Field(description="The platform: `meta`.", examples=["meta"])
    account: str = Field(
        min_length=1,
        max_length=256,
        pattern=r"^\S+$",
        description="The dataset, pixel, ad account or conversion action; in quotes, because it looks like a number.",
        examples=['"123456789012345"'],
    )
    mode: Mode = Field(
        description="`live` sends; `test` sends to the platform's test view, not in production; `off` sends nothing.",
        examples=["live"],
    )
    rule: RuleEntry = Field(default=RuleEntry(), description="Which events it wants; all, when left out.")
    unknown_consent: UnknownConsent = Field(
        default="skip-in-eea",
        description="What to do when no choice is recorded; `skip-in-eea` skips in the UK and Switzerland as well.",
    )
    limits: LimitsEntry = Field(default=LimitsEntry(), description="How much at once and how fast.")
    secrets: Mapping[str, SecretReference] = Field(
        default={},
        description="What the platform needs a secret for, and the name of that secret. Never the secret itself.",
        examples=["{token: meta_eu_token}"],
    )
    options: Mapping[str, object] = Field(default={}, description="The platform's own options.")


class File(Form):
    """The file: its version and the destinations."""

    version: Literal[1] = Field(description="Version of this form: `1`.", examples=["1"])
    destinations: list[dict[str, object]] = Field(min_length=1, description="The destinations, at least one.")
