"""The worker's settings: what the environment variables `CAPI_*` mean, and all their faults at once.

A section is a model, and its field is the variable: `settings.kafka.client_id` is `CAPI_KAFKA_CLIENT_ID`.
The tables in `docs/settings.md` are made from these models.

Invariant: a setting never holds a secret, only the name of one, so that settings may be shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from pipeline.config.kafka_settings import KafkaSettings, SecretName, secret_names
from pipeline.core.contract import Kind

PREFIX: Final = "CAPI_"
Topic = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,249}$")]


def _parse_topics(given: object) -> object:
    if not isinstance(given, str):
        return given
    topics: dict[str, str] = {}
    for part in given.split(","):
        topic, sign, kind = (word.strip() for word in part.partition("="))
        if not sign or not topic:
            raise ValueError("every part must be `topic=order`, `topic=lead` or `topic=activity`")
        if topic in topics:
            raise ValueError(f"topic `{topic}` is named twice")
        topics[topic] = kind
    return topics


SourceTopics = Annotated[Mapping[Topic, Kind], BeforeValidator(_parse_topics), Field(min_length=1)]


class Section(BaseModel):
    """A group of settings: values that nobody changes after the start."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class IntakeSettings(Section):
    """How records are taken from Kafka, how many may be in flight, and when offsets are committed."""

    start_from: Literal["earliest", "latest"] = Field(
        default="earliest", description="Where a group that has never committed begins."
    )
    on_lost_offsets: Literal["fail", "earliest", "latest"] = Field(
        default="fail",
        description="What to do when a committed offset is no longer in the topic: records were lost to retention.",
    )
    max_records: int = Field(
        default=20_000, ge=1, le=1_000_000, description="Records in flight at most; then intake pauses."
    )
    max_bytes: int = Field(
        default=64 * 1024 * 1024,
        ge=1024 * 1024,
        le=4 * 1024**3,
        description="Bytes in flight at most; then intake pauses.",
    )
    max_span_offsets: int = Field(
        default=100_000,
        ge=1,
        le=10_000_000,
        description="Offsets from the first unsettled record to the newest, per partition: what a crash brings again.",
    )
    batch_records: int = Field(default=500, ge=1, le=10_000, description="Records to ask Kafka for at a time.")
    poll_seconds: float = Field(
        default=0.02, ge=0.001, le=0.1, description="How long one poll waits for a full batch; commits wait behind it."
    )
    commit_interval_seconds: float = Field(default=1.0, ge=0.1, le=60, description="Time between commits of offsets.")


class StopSettings(Section):
    """How long leaving may take: each deadline is a promise to Kubernetes or to the group."""

    drain_deadline_seconds: float = Field(
        default=20, ge=0, le=600, description="On SIGTERM: time for open requests and dead letters to finish."
    )
    revoke_deadline_seconds: float = Field(
        default=10, ge=0, le=120, description="On a rebalance: time to finish what a leaving partition still owes."
    )
    exit_deadline_seconds: float = Field(
        default=50,
        ge=1,
        le=900,
        description="On SIGTERM: the process ends after this, come what may. Below the grace period.",
    )


class DeadLetterSettings(Section):
    """Where refused records go, and how many may before the worker stops and calls for a person."""

    topic: Topic = Field(default="capi.dead-letters", description="Topic for refused records.")
    budget_ratio: float = Field(
        default=0.2, gt=0, le=1, description="Intake stops when more than this share of the records is refused."
    )
    budget_window_seconds: float = Field(
        default=300, ge=10, le=86_400, description="Time over which the share is taken."
    )
    budget_minimum_records: int = Field(
        default=100, ge=1, le=1_000_000, description="Records that the window must hold before the share counts."
    )


class ReceiptSettings(Section):
    """What a platform accepts and judges later: where its receipts go, and how often it is asked about them."""

    topic: Topic | None = Field(
        default=None,
        description="Topic for receipts; needed where a platform decides later (Google).",
        examples=["capi.receipts"],
    )
    requests_per_second: float = Field(
        default=2, gt=0, le=100, description="Questions about receipts for each destination, over all replicas."
    )


class ReplaySettings(Section):
    """Records that are to be delivered once more."""

    topic: Topic | None = Field(
        default=None,
        description="Topic for what is to be delivered once more, read by this worker and no other; needed with "
        "receipts.",
        examples=["capi.google.replay"],
    )


class RegistrySettings(Section):
    """The schema registry; without a URL, records are read with the schemas that the worker brings."""

    url: str | None = Field(
        default=None,
        pattern=r"^https?://[^@\s]+$",
        description="Address of a registry that speaks Confluent's API.",
        examples=["https://registry.example.com"],
    )
    username: str | None = Field(default=None, description="User for basic authentication.", examples=["capi"])
    password_secret: SecretName | None = Field(
        default=None, description="Name of the secret with the password.", examples=["registry_password"]
    )
    token_secret: SecretName | None = Field(
        default=None,
        description="Name of the secret with a bearer token, instead of user and password.",
        examples=["registry"],
    )
    ca_file: Path | None = Field(
        default=None, description="CA certificates (PEM) for the registry.", examples=["/etc/capi/registry-ca.pem"]
    )


class HttpSettings(Section):
    """The endpoints for probes and metrics."""

    host: str = Field(default="0.0.0.0", min_length=1, description="Address to listen on.")  # noqa: S104 - probes come from outside the pod
    port: int = Field(
        default=8080, ge=0, le=65_535, description="Port for `/livez`, `/readyz`, `/metrics`; 0 takes a free one."
    )


class LogSettings(Section):
    """What is told, and in which form."""

    format: Literal["auto", "json", "console"] = Field(
        default="auto", description="`json` for machines, `console` for people; `auto` is `console` on a terminal."
    )
    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Tell this and what is graver."
    )


class Settings(Section):
    """Everything that the environment says about this worker."""

    worker_name: str = Field(
        default="all",
        pattern=r"^[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?$",
        description="Name of this worker; workers with the same name share the work.",
        examples=["meta"],
    )
    group: str | None = Field(
        default=None,
        min_length=1,
        max_length=249,
        description="Consumer group; none means `capi.` and the worker's name.",
        examples=["capi.meta"],
    )
    environment: str = Field(
        default="prod",
        pattern=r"^[a-z0-9-]{1,32}$",
        description="Where this runs. `prod` and `production` forbid test mode and test codes in destinations.",
        examples=["staging"],
    )
    source_topics: SourceTopics = Field(
        default={"capi.orders": "order", "capi.leads": "lead"},
        description="Topics and what is in them: `topic=order`, `topic=lead` or `topic=activity`, comma-separated.",
        examples=["capi.orders=order,capi.leads=lead,capi.activities=activity"],
    )
    destinations_file: Path = Field(
        default=Path("destinations.yaml"), description="The file that lists the destinations."
    )
    secrets_dir: Path | None = Field(
        default=None,
        description="Folder with one file per secret; a secret that is not there is taken from `CAPI_SECRET_<NAME>`.",
        examples=["/var/run/secrets/capi"],
    )
    kafka: KafkaSettings
    intake: IntakeSettings = IntakeSettings()
    stop: StopSettings = StopSettings()
    dead_letters: DeadLetterSettings = DeadLetterSettings()
    receipts: ReceiptSettings = ReceiptSettings()
    replay: ReplaySettings = ReplaySettings()
    registry: RegistrySettings = RegistrySettings()
    http: HttpSettings = HttpSettings()
    log: LogSettings = LogSettings()

    @property
    def group_id(self) -> str:
        """The consumer group."""
        return self.group or f"capi.{self.worker_name}"

    @property
    def topics_read(self) -> tuple[str, ...]:
        """The topics that are read for events: the sources, and what is to be delivered once more."""
        return (*self.source_topics, *((self.replay.topic,) if self.replay.topic else ()))

    @property
    def production(self) -> bool:
        """Whether real conversions are at stake, so that nothing may be sent to a test view."""
        return self.environment in ("prod", "production")

    @property
    def secret_names(self) -> tuple[str, ...]:
        """Names of the secrets that Kafka and the registry need; destinations name their own."""
        registry = (self.registry.password_secret, self.registry.token_secret)
        return secret_names(self.kafka) + tuple(name for name in registry if name)
