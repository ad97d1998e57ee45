"""The form of the destinations file, as models; the tables in `docs/destinations.md` are made from them.

Invariant: a key that is not described here is refused, so that a misspelled one is never ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from pipeline.core.contract import EVENTS_OF, CustomerType, Kind
from pipeline.core.destination import Mode, Purpose, Treatment

Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
Percent = Annotated[float, Field(ge=0, le=100)]
SecretReference = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.\-]{0,62}$")]


class Form(BaseModel):
    """A part of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class RuleEntry(Form):
    """Which events the destination wants; a list that is left out wants all."""

    kinds: frozenset[Kind] = Field(default=frozenset(), description="Kinds of event.")
    events: frozenset[str] = Field(
        default=frozenset(),
        description="Events by name: " + ", ".join(f"`{name}`" for names in EVENTS_OF.values() for name in names) + ".",
    )
    stores: frozenset[str] = Field(default=frozenset(), description="Stores, as the events name them.")
    brands: frozenset[str] = Field(default=frozenset(), description="Brands, as the events name them.")
    countries: frozenset[Country] = Field(
        default=frozenset(), description="Customers' countries, two capital letters (ISO 3166-1)."
    )
    customer_types: frozenset[CustomerType] = Field(default=frozenset(), description="Kinds of customer.")
    share: tuple[Percent, Percent] | None = Field(
        default=None,
        description="A part of the traffic, in percent: from the first number up to and without the second.",
        examples=["[0, 5]"],
    )


class ConsentEntry(Form):
    """What counts as consent; what is left out is the default."""

    purposes: frozenset[Purpose] = Field(
        default=frozenset({"ad_user_data"}),
        description="What must be granted, every one of them; `ad_user_data` always, and by default alone.",
    )
    unknown: Mapping[str, Treatment] = Field(
        default={},
        description="What to do where no choice is recorded, by place; it is laid over the default.",
        examples=["{US-CA: skip}"],
    )
    expires_after_days: int | None = Field(
        default=None,
        ge=1,
        le=3650,
        description="A choice recorded longer than this before the event counts as none; left out, it never expires.",
    )


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
    consent: ConsentEntry = Field(
        default=ConsentEntry(),
        description="What counts as consent; left out, an unknown choice is none in the EEA, the UK and Switzerland.",
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
