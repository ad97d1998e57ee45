"""Which librdkafka properties may be set from outside, and why the others may not.

Invariant: no property that the guarantee rests on, none that another setting owns, and none that holds a secret
can come in through `CAPI_KAFKA_PROPERTIES`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from pipeline.config.faults import Fault

VARIABLE: Final = "CAPI_KAFKA_PROPERTIES"

_SETTLED = "an offset is committed only after every delivery of its record is settled"
_RESET = "the worker itself decides where to begin: see CAPI_INTAKE_START_FROM and CAPI_INTAKE_ON_LOST_OFFSETS"
_ACKS = "a dead letter counts only when every in-sync replica has it, once"
_SECRET = "it would be shown with the settings; name a secret instead, see the settings that end in _SECRET"  # noqa: S105
_OTHER = "another setting owns it: {}"

# https://github.com/confluentinc/librdkafka/blob/master/CONFIGURATION.md, aliases included.
REFUSED: Final[Mapping[str, str]] = {
    "enable.auto.commit": _SETTLED,
    "auto.commit.enable": _SETTLED,
    "auto.commit.interval.ms": _SETTLED,
    "enable.auto.offset.store": _SETTLED,
    "offset.store.method": _SETTLED,
    "offset.store.path": _SETTLED,
    "offset.store.sync.interval.ms": _SETTLED,
    "auto.offset.reset": _RESET,
    "isolation.level": "a record of an aborted transaction never happened and must not be sent",
    "acks": _ACKS,
    "request.required.acks": _ACKS,
    "enable.idempotence": _ACKS,
    "enable.gapless.guarantee": _ACKS,
    "retries": _ACKS,
    "message.send.max.retries": _ACKS,
    "max.in.flight": _ACKS,
    "max.in.flight.requests.per.connection": _ACKS,
    "transactional.id": "dead letters are written outside of transactions",
    "delivery.timeout.ms": "the worker's own deadlines are built around 30 s",
    "message.timeout.ms": "the worker's own deadlines are built around 30 s",
    "dr_msg_cb": _ACKS,
    "delivery.report.only.error": "every dead letter needs its own report",
    "partition.assignment.strategy": _OTHER.format("CAPI_KAFKA_GROUP_PROTOCOL (classic is cooperative-sticky)"),
    "group.protocol": _OTHER.format("CAPI_KAFKA_GROUP_PROTOCOL"),
    "group.id": _OTHER.format("CAPI_GROUP"),
    "group.instance.id": _OTHER.format("CAPI_KAFKA_GROUP_INSTANCE_ID"),
    "session.timeout.ms": _OTHER.format("CAPI_KAFKA_SESSION_TIMEOUT_SECONDS"),
    "max.poll.interval.ms": _OTHER.format("CAPI_KAFKA_MAX_POLL_INTERVAL_SECONDS"),
    "bootstrap.servers": _OTHER.format("CAPI_KAFKA_BOOTSTRAP_SERVERS"),
    "metadata.broker.list": _OTHER.format("CAPI_KAFKA_BOOTSTRAP_SERVERS"),
    "client.id": _OTHER.format("CAPI_KAFKA_CLIENT_ID"),
    "security.protocol": _OTHER.format("CAPI_KAFKA_SECURITY_PROTOCOL"),
    "sasl.mechanism": _OTHER.format("CAPI_KAFKA_SASL_MECHANISM"),
    "sasl.mechanisms": _OTHER.format("CAPI_KAFKA_SASL_MECHANISM"),
    "sasl.username": _OTHER.format("CAPI_KAFKA_SASL_USERNAME"),
    "sasl.oauthbearer.method": _OTHER.format("CAPI_KAFKA_SASL_MECHANISM"),
    "sasl.oauthbearer.client.id": _OTHER.format("CAPI_KAFKA_OIDC_CLIENT_ID"),
    "sasl.oauthbearer.token.endpoint.url": _OTHER.format("CAPI_KAFKA_OIDC_TOKEN_URL"),
    "sasl.oauthbearer.scope": _OTHER.format("CAPI_KAFKA_OIDC_SCOPE"),
    "sasl.oauthbearer.extensions": _OTHER.format("CAPI_KAFKA_OIDC_EXTENSIONS"),
    "ssl.ca.location": _OTHER.format("CAPI_KAFKA_CA_FILE"),
    "ssl.certificate.location": _OTHER.format("CAPI_KAFKA_CERTIFICATE_FILE"),
    "ssl.key.location": _OTHER.format("CAPI_KAFKA_KEY_FILE"),
    "sasl.password": _SECRET,
    "sasl.oauthbearer.config": _SECRET,
    "sasl.oauthbearer.client.secret": _SECRET,
    "sasl.oauthbearer.assertion.private.key.pem": _SECRET,
    "sasl.oauthbearer.assertion.private.key.passphrase": _SECRET,
    "ssl.key.password": _SECRET,
    "ssl.key.pem": _SECRET,
    "ssl.keystore.password": _SECRET,
    "plugin.library.paths": "it loads foreign code into the worker",
}


def parse_properties(given: object) -> object:
    """Turn `name=value,...` or `@file` into a mapping; anything else is left for the model to judge.

    Raises `ValueError` that says which part cannot be read, without its value.
    """
    if not isinstance(given, str):
        return given
    if given.startswith("@"):
        try:
            lines = Path(given[1:]).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            cause = getattr(error, "strerror", None) or "not UTF-8 text"
            raise ValueError(f"the file {given[1:]} cannot be read ({cause})") from None
        parts = [line for line in lines if line.strip() and not line.lstrip().startswith(("#", "!"))]
    else:
        parts = [part for part in given.split(",") if part.strip()]
    properties: dict[str, str] = {}
    for number, part in enumerate(parts, 1):
        name, sign, value = part.partition("=")
        name = name.strip()
        if not sign or not name:
            raise ValueError(f"part {number} is not `name=value`")
        if name in properties:
            raise ValueError(f"`{name}` is set twice")
        properties[name] = value.strip()
    return properties


def refused_properties(properties: Mapping[str, str]) -> Iterator[Fault]:
    """Find the properties that may not be set, with the reason."""
    for given in properties:
        name = _bare(given)
        if name in REFUSED:
            yield Fault(VARIABLE, f"`{given}` may not be set", f"{REFUSED[name]}; leave it out")


def unknown_properties(properties: Mapping[str, str]) -> Iterator[Fault]:
    """Find the properties that librdkafka does not take, by asking it one by one; nothing is connected."""
    from confluent_kafka import KafkaException, Producer  # noqa: PLC0415 - 30 ms that most commands need not pay

    for given, value in properties.items():
        if _bare(given) in REFUSED:
            continue
        try:
            Producer({_bare(given): value, "log_level": 0})
        except KafkaException as error:
            said = " ".join(error.args[0].str().split())
            yield Fault(VARIABLE, f"`{given}`: librdkafka says: {said}", "see librdkafka's CONFIGURATION.md")


def _bare(name: str) -> str:
    return name.removeprefix("consumer.").removeprefix("producer.")
