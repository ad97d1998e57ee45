"""How to reach Kafka, and the two client configurations that the guarantee rests on.

Invariant: what "committed only after settled" depends on is fixed here and cannot be set from outside;
everything else of librdkafka can, through `CAPI_KAFKA_PROPERTIES`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from pipeline.config.faults import Fault, SettingsError
from pipeline.config.kafka_properties import parse_properties
from pipeline.edge.secrets import Secrets

ClientConfig = dict[str, str | int | float | bool]
SecretName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.\-]{0,62}$")]
Servers = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.\-\[\]:]+:\d{1,5}(,[A-Za-z0-9_.\-\[\]:]+:\d{1,5})*$")]
Properties = Annotated[Mapping[str, str], BeforeValidator(parse_properties)]


class KafkaSettings(BaseModel):
    """Reaching the brokers: addresses, security, the group's protocol, and librdkafka's own properties."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bootstrap_servers: Servers = Field(
        description="Brokers to start from, comma-separated.", examples=["kafka-0:9092,kafka-1:9092"]
    )
    client_id: str = Field(
        default="capi-pipeline", min_length=1, description="Name of this client in the brokers' logs."
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="How to talk to the brokers."
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] | None = Field(
        default=None, description="How to log in, when the security protocol is SASL_*.", examples=["SCRAM-SHA-512"]
    )
    sasl_username: str | None = Field(default=None, description="User for PLAIN and SCRAM.", examples=["capi"])
    sasl_password_secret: SecretName | None = Field(
        default=None,
        description="Name of the secret that holds the password for PLAIN and SCRAM.",
        examples=["kafka_password"],
    )
    oidc_token_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^@\s]+$",
        description="Token endpoint for OAUTHBEARER.",
        examples=["https://id.example.com/token"],
    )
    oidc_client_id: str | None = Field(default=None, description="Client id for OAUTHBEARER.", examples=["capi"])
    oidc_client_secret: SecretName | None = Field(
        default=None,
        description="Name of the secret that holds the client secret for OAUTHBEARER.",
        examples=["kafka_oidc_client"],
    )
    oidc_scope: str | None = Field(default=None, description="Scope to ask for with OAUTHBEARER.", examples=["kafka"])
    oidc_extensions: str | None = Field(
        default=None,
        description="SASL extensions for OAUTHBEARER, as librdkafka takes them.",
        examples=["logicalCluster=lkc-1"],
    )
    ca_file: Path | None = Field(
        default=None,
        description="CA certificates (PEM) that the brokers are checked against; none means the system's.",
        examples=["/etc/capi/kafka-ca.pem"],
    )
    certificate_file: Path | None = Field(
        default=None, description="Our own certificate (PEM) for mutual TLS.", examples=["/etc/capi/kafka.pem"]
    )
    key_file: Path | None = Field(
        default=None, description="Private key (PEM) of our certificate.", examples=["/etc/capi/kafka.key"]
    )
    key_password_secret: SecretName | None = Field(
        default=None, description="Name of the secret that unlocks the private key.", examples=["kafka_key_password"]
    )
    properties: Properties = Field(
        default={},
        description="Further librdkafka properties: `name=value,...`, or `@` and the path of a file with one a line. "
        "A prefix `consumer.` or `producer.` gives one to that client only.",
        examples=["consumer.fetch.min.bytes=65536,producer.compression.type=lz4"],
    )
    group_protocol: Literal["classic", "consumer"] = Field(
        default="classic",
        description="Rebalance protocol: `classic` (cooperative-sticky) or `consumer` (KIP-848, Kafka 4.0 and newer).",
    )
    group_instance_id: str | None = Field(
        default=None,
        description="Static membership: a name that stays the same over restarts, for StatefulSets only.",
        examples=["capi-0"],
    )
    session_timeout_seconds: float = Field(
        default=30,
        ge=6,
        le=300,
        description="A silent worker loses its partitions after this; the broker's own with KIP-848.",
    )
    max_poll_interval_seconds: float = Field(
        default=300, ge=30, le=3600, description="A worker that does not poll for this long loses its partitions."
    )


def consumer_config(kafka: KafkaSettings, group: str, secrets: Secrets) -> ClientConfig:
    """Build the consumer's librdkafka configuration, passwords included: never print it.

    Callbacks are the caller's to add.
    Raises `SettingsError` when a secret that it names is missing.
    """
    config: ClientConfig = {
        # Memory: librdkafka would hold 64 MiB and 100 000 records beside our own limits.
        "queued.max.messages.kbytes": 16_384,
        "queued.min.messages": 2_000,
        "fetch.wait.max.ms": 100,
        # With so short a queue the usual second of waiting for room in it would leave the worker idle: measured 4 times
        # slower.
        "fetch.queue.backoff.ms": 10,
        **_own(kafka.properties, "consumer"),
        **connection_config(kafka, secrets),
        "group.id": group,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        # Where to begin is decided at assignment, where a lost offset can be told from a first start.
        "auto.offset.reset": "error",
        "isolation.level": "read_committed",
        "max.poll.interval.ms": int(kafka.max_poll_interval_seconds * 1000),
        "group.protocol": kafka.group_protocol,
    }
    if kafka.group_protocol == "classic":
        # With KIP-848 these two belong to the broker, and librdkafka refuses them.
        config["partition.assignment.strategy"] = "cooperative-sticky"
        config["session.timeout.ms"] = int(kafka.session_timeout_seconds * 1000)
    if kafka.group_instance_id:
        config["group.instance.id"] = kafka.group_instance_id
    return config


def producer_config(kafka: KafkaSettings, secrets: Secrets) -> ClientConfig:
    """Build the librdkafka configuration of the dead-letter and replay producer: never print it.

    A record counts as written on its own delivery report only; idempotence keeps retries from doubling it.
    Raises `SettingsError` when a secret that it names is missing.
    """
    return {
        "linger.ms": 5,
        "compression.type": "zstd",
        # The broker decides what is too large: librdkafka's own limit counts before compression, and a record that was
        # legal in the source must not be refused here for ever.
        "message.max.bytes": 1_000_000_000,
        **_own(kafka.properties, "producer"),
        **connection_config(kafka, secrets),
        "enable.idempotence": True,
        "acks": "all",
        "delivery.timeout.ms": 30_000,
    }


def connection_config(kafka: KafkaSettings, secrets: Secrets) -> ClientConfig:
    """Build what every client needs to reach the brokers (an admin client needs no more): never print it."""
    faults: list[Fault] = []

    def reveal(variable: str, name: str | None) -> str | None:
        secret = secrets.get(name) if name else None
        if name and secret is None:
            problem = secrets.fault(name) or f"secret `{name}` is missing"
            faults.append(Fault(variable, problem, "or name another secret"))
        return secret.reveal() if secret else None

    oidc = kafka.sasl_mechanism == "OAUTHBEARER"
    config: dict[str, str | None] = {
        "bootstrap.servers": kafka.bootstrap_servers,
        "client.id": kafka.client_id,
        "security.protocol": kafka.security_protocol,
        "sasl.mechanism": kafka.sasl_mechanism,
        "sasl.username": kafka.sasl_username,
        "sasl.password": reveal("CAPI_KAFKA_SASL_PASSWORD_SECRET", kafka.sasl_password_secret),
        "sasl.oauthbearer.method": "oidc" if oidc else None,
        "sasl.oauthbearer.token.endpoint.url": kafka.oidc_token_url,
        "sasl.oauthbearer.client.id": kafka.oidc_client_id,
        "sasl.oauthbearer.client.secret": reveal("CAPI_KAFKA_OIDC_CLIENT_SECRET", kafka.oidc_client_secret),
        "sasl.oauthbearer.scope": kafka.oidc_scope,
        "sasl.oauthbearer.extensions": kafka.oidc_extensions,
        "ssl.ca.location": str(kafka.ca_file) if kafka.ca_file else None,
        "ssl.certificate.location": str(kafka.certificate_file) if kafka.certificate_file else None,
        "ssl.key.location": str(kafka.key_file) if kafka.key_file else None,
        "ssl.key.password": reveal("CAPI_KAFKA_KEY_PASSWORD_SECRET", kafka.key_password_secret),
    }
    if faults:
        raise SettingsError(faults)
    return {**_own(kafka.properties, None), **{name: value for name, value in config.items() if value is not None}}


def secret_names(kafka: KafkaSettings) -> tuple[str, ...]:
    """Names of the secrets that reaching Kafka needs."""
    named = (kafka.sasl_password_secret, kafka.oidc_client_secret, kafka.key_password_secret)
    return tuple(name for name in named if name)


_SCRAM_AND_PLAIN: Final = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


def security_faults(kafka: KafkaSettings) -> Iterator[tuple[Fault, tuple[str, ...]]]:
    """Find what does not fit together, each with the names of the fields that it speaks of."""
    sasl = kafka.security_protocol.startswith("SASL_")
    if sasl and not kafka.sasl_mechanism:
        yield _missing("sasl_mechanism", f"security protocol {kafka.security_protocol}", "security_protocol")
    if kafka.sasl_mechanism and not sasl:
        problem = f"{kafka.sasl_mechanism} does nothing with security protocol {kafka.security_protocol}"
        fix = "set CAPI_KAFKA_SECURITY_PROTOCOL=SASL_SSL, or leave the mechanism out"
        yield Fault("CAPI_KAFKA_SASL_MECHANISM", problem, fix), ("sasl_mechanism", "security_protocol")
    needed: tuple[str, ...] = ()
    if kafka.sasl_mechanism in _SCRAM_AND_PLAIN:
        needed = ("sasl_username", "sasl_password_secret")
    elif kafka.sasl_mechanism == "OAUTHBEARER":
        needed = ("oidc_token_url", "oidc_client_id", "oidc_client_secret")
    for name in needed:
        if not getattr(kafka, name):
            yield _missing(name, f"mechanism {kafka.sasl_mechanism}", "sasl_mechanism")
    if kafka.certificate_file and not kafka.key_file:
        yield _missing("key_file", "a certificate of our own", "certificate_file")
    if kafka.key_file and not kafka.certificate_file:
        yield _missing("certificate_file", "a private key", "key_file")


def _missing(name: str, because: str, other: str) -> tuple[Fault, tuple[str, ...]]:
    variable = f"CAPI_KAFKA_{name.upper()}"
    examples = KafkaSettings.model_fields[name].examples or [""]
    return Fault(variable, f"needed with {because}", f"set it, for example {variable}={examples[0]}"), (name, other)


def _own(properties: Mapping[str, str], client: str | None) -> dict[str, str]:
    """Properties for one kind of client (prefix removed), or those without a prefix."""
    if client is None:
        return {k: v for k, v in properties.items() if not k.startswith(("consumer.", "producer."))}
    prefix = client + "."
    return {k.removeprefix(prefix): v for k, v in properties.items() if k.startswith(prefix)}
