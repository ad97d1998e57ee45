"""Settings: from the environment, every fault at once, and the two Kafka configurations."""

from __future__ import annotations

from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer

from pipeline.config.environment import example, read_secrets, read_settings, shown, variables
from pipeline.config.faults import SettingsError
from pipeline.config.kafka_properties import REFUSED
from pipeline.config.kafka_settings import consumer_config, producer_config
from pipeline.config.settings import Settings
from pipeline.edge.secrets import Secrets

BROKERS = {"CAPI_KAFKA_BOOTSTRAP_SERVERS": "kafka:9092"}
SCRAM = BROKERS | {
    "CAPI_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    "CAPI_KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
    "CAPI_KAFKA_SASL_USERNAME": "capi",
    "CAPI_KAFKA_SASL_PASSWORD_SECRET": "kafka_password",
}


def faults_of(**environ: str) -> dict[str, list[str]]:
    """Read the settings, which must fail, and return the problems by variable."""
    with pytest.raises(SettingsError) as caught:
        read_settings(environ)
    found: dict[str, list[str]] = {}
    for fault in caught.value.faults:
        found.setdefault(fault.where, []).append(fault.problem)
    return found


def test_defaults() -> None:
    """The brokers are all that must be set."""
    settings = read_settings(BROKERS)

    assert ("capi.all", {"capi.orders": "order", "capi.leads": "lead"}, True) == (
        settings.group_id,
        dict(settings.source_topics),
        settings.production,
    )


def test_sections_are_variables() -> None:
    """A field of a section is the variable of both names."""
    settings = read_settings(BROKERS | {"CAPI_INTAKE_MAX_RECORDS": "7", "CAPI_WORKER_NAME": "meta"})

    assert (7, "capi.meta") == (settings.intake.max_records, settings.group_id)


def test_all_faults_at_once() -> None:
    """Missing, unknown, unreadable and contradictory settings are reported together."""
    found = faults_of(
        CAPI_KAFKA_BOOTSTRAP_SERVER="kafka:9092",
        CAPI_LOG_LEVEL="loud",
        CAPI_INTAKE_MAX_RECORDS="many",
        CAPI_KAFKA_SASL_MECHANISM="PLAIN",
        CAPI_KAFKA_PROPERTIES="acks=1,no.such=1",
        CAPI_STOP_DRAIN_DEADLINE_SECONDS="100",
    )

    assert {
        "CAPI_KAFKA_BOOTSTRAP_SERVER",
        "CAPI_KAFKA_BOOTSTRAP_SERVERS",
        "CAPI_LOG_LEVEL",
        "CAPI_INTAKE_MAX_RECORDS",
        "CAPI_KAFKA_SASL_MECHANISM",
        "CAPI_KAFKA_SASL_USERNAME",
        "CAPI_KAFKA_SASL_PASSWORD_SECRET",
        "CAPI_KAFKA_PROPERTIES",
        "CAPI_STOP_DRAIN_DEADLINE_SECONDS",
    } == set(found)


def test_a_wrong_value_is_reported_once() -> None:
    """What follows from a value that is already reported is not reported again."""
    found = faults_of(**BROKERS, CAPI_KAFKA_SECURITY_PROTOCOL="SASL_SSL", CAPI_KAFKA_SASL_MECHANISM="GUESS")

    assert ["CAPI_KAFKA_SASL_MECHANISM"] == [name for name, problems in found.items() for _ in problems]


def test_a_fault_says_variable_problem_and_example() -> None:
    """One line names the variable, what is wrong, and a value that would do."""
    with pytest.raises(SettingsError) as caught:
        read_settings({})

    assert (
        (
            "CAPI_KAFKA_BOOTSTRAP_SERVERS: is not set; Brokers to start from, comma-separated. "
            "For example CAPI_KAFKA_BOOTSTRAP_SERVERS=kafka-0:9092,kafka-1:9092"
        ),
    ) == caught.value.lines


@pytest.mark.parametrize("name", list(variables()))
def test_values_are_never_repeated(name: str) -> None:
    """Whatever variable a token is pasted into, no fault repeats it."""
    token = "EAAGsecretsecretsecret@1234567890 x"
    try:
        read_settings(BROKERS | {name: token})
    except SettingsError as error:
        said = str(error)
    else:
        said = ""

    assert token not in said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CAPI_SECRET_TOKEN", "x"),
        ("CAPI_PIPELINE_SERVICE_HOST", "10.0.0.1"),
        ("CAPI_PIPELINE_PORT", "tcp://10.0.0.1:8080"),
        ("CAPI_PIPELINE_PORT_8080_TCP_ADDR", "10.0.0.1"),
        ("CAPI_LOG_LEVEL", "  "),
    ],
)
def test_foreign_and_empty_variables_are_let_pass(name: str, value: str) -> None:
    """Secrets, what Kubernetes adds for a Service, and empty variables are no faults."""
    assert "info" == read_settings(BROKERS | {name: value}).log.level


def test_topics_of_every_kind() -> None:
    """A topic may hold any kind of event that the contract has."""
    topics = read_settings(BROKERS | {"CAPI_SOURCE_TOPICS": "a=order, b=lead,activities=activity"}).source_topics

    assert {"a": "order", "b": "lead", "activities": "activity"} == topics


@pytest.mark.parametrize(
    ("topics", "problem"),
    [
        ("capi.orders", "every part must be `topic=order`, `topic=lead` or `topic=activity`"),
        ("a=order,a=lead", "topic `a` is named twice"),
        ("a=sale", "Input should be 'order', 'lead' or 'activity'"),
    ],
)
def test_source_topics(topics: str, problem: str) -> None:
    """A topic needs a kind, once, and one that exists."""
    assert {"CAPI_SOURCE_TOPICS": [problem]} == faults_of(**BROKERS, CAPI_SOURCE_TOPICS=topics)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CAPI_DEAD_LETTERS_TOPIC", "capi.orders"),
        ("CAPI_RECEIPTS_TOPIC", "capi.dead-letters"),
        ("CAPI_REPLAY_TOPIC", "capi.leads"),
        ("CAPI_STOP_REVOKE_DEADLINE_SECONDS", "100"),
        ("CAPI_KAFKA_SESSION_TIMEOUT_SECONDS", "100"),
        ("CAPI_KAFKA_CERTIFICATE_FILE", "/x.pem"),
        ("CAPI_REGISTRY_USERNAME", "capi"),
        ("CAPI_REGISTRY_PASSWORD_SECRET", "password"),
        ("CAPI_KAFKA_SECURITY_PROTOCOL", "SASL_SSL"),
        ("CAPI_KAFKA_BOOTSTRAP_SERVERS", "user:secret@kafka:9092"),
        ("CAPI_REGISTRY_URL", "https://user:secret@registry"),
    ],
)
def test_what_does_not_fit_together(name: str, value: str) -> None:
    """Settings that are each well formed and contradict another one are refused."""
    assert 1 == len(faults_of(**BROKERS | {"CAPI_KAFKA_MAX_POLL_INTERVAL_SECONDS": "60", name: value}))


@pytest.mark.parametrize("name", list(REFUSED))
@pytest.mark.parametrize("prefix", ["", "consumer.", "producer."])
def test_the_guarantee_cannot_be_configured_away(name: str, prefix: str) -> None:
    """No property that the guarantee rests on comes in, with or without a client's prefix."""
    found = faults_of(**BROKERS, CAPI_KAFKA_PROPERTIES=f"{prefix}{name}=1")

    assert {"CAPI_KAFKA_PROPERTIES": [f"`{prefix}{name}` may not be set"]} == found


def test_properties_from_a_file(tmp_path: Path) -> None:
    """`@` and a path read one property a line, comments left out."""
    file = tmp_path / "kafka.properties"
    file.write_text("# tuning\nconsumer.fetch.min.bytes = 65536\n\nlinger.ms=20\n")
    settings = read_settings(BROKERS | {"CAPI_KAFKA_PROPERTIES": f"@{file}"})

    assert {"consumer.fetch.min.bytes": "65536", "linger.ms": "20"} == dict(settings.kafka.properties)


@pytest.mark.parametrize("text", ["x", "=1", "linger.ms=1,linger.ms=2", "@/no/such/file"])
def test_unreadable_properties(text: str) -> None:
    """What is not `name=value`, stands twice, or is in no file is a fault."""
    assert ["CAPI_KAFKA_PROPERTIES"] == list(faults_of(**BROKERS, CAPI_KAFKA_PROPERTIES=text))


def test_the_consumer_is_ours_to_commit() -> None:
    """The fixed properties win, and a consumer's own ones reach the consumer only."""
    environ = BROKERS | {"CAPI_KAFKA_PROPERTIES": "consumer.fetch.min.bytes=9,producer.linger.ms=20"}
    settings = read_settings(environ)
    config = consumer_config(settings.kafka, settings.group_id, read_secrets(settings, environ))
    expected = {
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "error",
        "isolation.level": "read_committed",
        "partition.assignment.strategy": "cooperative-sticky",
        "fetch.min.bytes": "9",
        "linger.ms": None,
    }

    assert expected == {name: config.get(name) for name in expected}


def test_the_producer_waits_for_every_replica() -> None:
    """Dead letters are written idempotently, to all in-sync replicas, in bounded time."""
    config = producer_config(read_settings(BROKERS).kafka, Secrets(None, {}))
    expected = {"enable.idempotence": True, "acks": "all", "delivery.timeout.ms": 30_000, "linger.ms": 5}

    assert expected == {name: config.get(name) for name in expected}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"CAPI_KAFKA_GROUP_PROTOCOL": "consumer"},
        {"CAPI_KAFKA_GROUP_INSTANCE_ID": "capi-0"},
        {
            "CAPI_KAFKA_SASL_MECHANISM": "OAUTHBEARER",
            "CAPI_KAFKA_OIDC_TOKEN_URL": "http://127.0.0.1:1/token",
            "CAPI_KAFKA_OIDC_CLIENT_ID": "capi",
            "CAPI_KAFKA_OIDC_CLIENT_SECRET": "kafka_password",
            "CAPI_KAFKA_OIDC_SCOPE": "kafka",
        },
    ],
)
def test_librdkafka_takes_what_we_build(more: dict[str, str]) -> None:
    """Every way to log in and to join gives configurations that the client accepts."""
    settings = read_settings(SCRAM | more)
    secrets = Secrets(None, {"CAPI_SECRET_KAFKA_PASSWORD": "hush"})
    quiet = {"log_level": 0, "bootstrap.servers": ""}
    consumer = Consumer(consumer_config(settings.kafka, settings.group_id, secrets) | quiet)
    consumer.close()

    assert isinstance(Producer(producer_config(settings.kafka, secrets) | quiet), Producer)


def test_a_missing_password_is_a_fault() -> None:
    """A secret that cannot be read names the variable that asked for it."""
    with pytest.raises(SettingsError) as caught:
        producer_config(read_settings(SCRAM).kafka, Secrets(None, {}))

    assert ["CAPI_KAFKA_SASL_PASSWORD_SECRET"] == [fault.where for fault in caught.value.faults]


def test_settings_hold_no_secret() -> None:
    """What `config` shows has the name of a secret and not its value."""
    environ = SCRAM | {"CAPI_SECRET_KAFKA_PASSWORD": "hush"}
    settings = read_settings(environ)

    assert ("kafka_password", False, ("kafka_password",)) == (
        shown(settings)["CAPI_KAFKA_SASL_PASSWORD_SECRET"],
        "hush" in repr(settings),
        settings.secret_names,
    )


def test_every_setting_is_described() -> None:
    """No variable is without a sentence for the documentation and a value that would do."""
    assert [] == [name for name, (_, info) in variables().items() if not (info.description and example(info))]


def test_settings_are_frozen() -> None:
    """Nobody changes a setting after the start."""
    settings = Settings.model_validate({"kafka": {"bootstrap_servers": "kafka:9092"}})

    with pytest.raises(ValueError, match="frozen"):
        settings.worker_name = "other"  # type: ignore[misc]
