"""Kafka behind TLS and logins: the worker reads, commits and buries through each of them, and says when it may not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka_security import OIDC_CLIENT, OIDC_SECRET, PASSWORD, USER, SecuredBroker, token_endpoint
from worker_process import command
from worker_scene import Scene

Settings = dict[str, str]


@pytest.fixture(scope="module")
def secured_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredBroker]:
    """A broker with TLS and logins."""
    broker = SecuredBroker(tmp_path_factory.mktemp("secured"))
    with broker.running():
        yield broker


@pytest.fixture
def guarded(secured_broker: SecuredBroker, tmp_path: Path) -> Iterator[Scene]:
    """A scene on that broker: the test comes by the open door, the worker by the guarded one."""
    with Scene(secured_broker.plain, tmp_path) as made:
        made.write_secret("kafka_password", PASSWORD)
        made.write_secret("kafka_oidc", OIDC_SECRET)
        made.settings["CAPI_KAFKA_BOOTSTRAP_SERVERS"] = secured_broker.secure
        made.settings["CAPI_KAFKA_CA_FILE"] = str(secured_broker.folder / "ca.crt")
        yield made


def by_password(mechanism: str) -> Settings:
    """Return the settings of a login with user and password."""
    return {
        "CAPI_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "CAPI_KAFKA_SASL_MECHANISM": mechanism,
        "CAPI_KAFKA_SASL_USERNAME": USER,
        "CAPI_KAFKA_SASL_PASSWORD_SECRET": "kafka_password",
    }


def by_token(url: str) -> Settings:
    """Return the settings of a login with a token that is fetched."""
    return {
        "CAPI_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "CAPI_KAFKA_SASL_MECHANISM": "OAUTHBEARER",
        "CAPI_KAFKA_OIDC_TOKEN_URL": url,
        "CAPI_KAFKA_OIDC_CLIENT_ID": OIDC_CLIENT,
        "CAPI_KAFKA_OIDC_CLIENT_SECRET": "kafka_oidc",
    }


def by_certificate(broker: SecuredBroker) -> Settings:
    """Return the settings of mutual TLS."""
    return {
        "CAPI_KAFKA_BOOTSTRAP_SERVERS": broker.mutual,
        "CAPI_KAFKA_SECURITY_PROTOCOL": "SSL",
        "CAPI_KAFKA_CERTIFICATE_FILE": str(broker.folder / "client.crt"),
        "CAPI_KAFKA_KEY_FILE": str(broker.folder / "client.key"),
    }


def delivers_and_buries(scene: Scene) -> None:
    """Send good events and a broken one through a worker, and `check` with the same settings."""
    scene.publish(100)
    scene.publish_broken(1)
    worker = scene.start().wait_ready()
    scene.wait_settled(worker)

    assert ([], 0) == (scene.faults(), scene.duplicates())
    _, said = command(scene.settings, "check")
    assert "answers" in said
    assert not [secret for secret in (PASSWORD, OIDC_SECRET) if secret in worker.output + said]


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
def test_logs_in_with_a_password(guarded: Scene, mechanism: str) -> None:
    """Over TLS, with user and password, it delivers and buries."""
    guarded.settings |= by_password(mechanism)
    delivers_and_buries(guarded)


def test_logs_in_with_a_token(guarded: Scene) -> None:
    """Over TLS, with a token from OIDC's client-credentials grant, it delivers and buries."""
    with token_endpoint() as url:
        guarded.settings |= by_token(url)
        delivers_and_buries(guarded)


def test_logs_in_with_a_certificate(guarded: Scene, secured_broker: SecuredBroker) -> None:
    """With a certificate of its own it delivers and buries."""
    guarded.settings |= by_certificate(secured_broker)
    delivers_and_buries(guarded)


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
def test_a_wrong_password_is_said_and_loses_nothing(guarded: Scene, mechanism: str) -> None:
    """Refused at the door it says so, is not ready, and ends when asked; with the right password all is delivered."""
    guarded.settings |= by_password(mechanism)
    guarded.write_secret("kafka_password", "journey-wrong-password")
    guarded.publish(100)
    worker = guarded.start("refused")
    worker.wait_until(lambda: bool(refusals(worker.logs)), 15, "says that it was refused")

    assert ["not_joined"] == worker.readyz()["reasons"]
    assert 1 == len(refusals(worker.logs))
    assert 0 == worker.terminate()
    assert "journey-wrong-password" not in worker.output
    guarded.write_secret("kafka_password", PASSWORD)
    guarded.wait_settled(guarded.start("welcome"))
    assert ([], 0) == (guarded.faults(), guarded.duplicates())


def test_dead_letters_that_it_may_not_write_hold_it(guarded: Scene, secured_broker: SecuredBroker) -> None:
    """Forbidden to write dead letters it holds, says why and drops none; allowed again, it goes on by itself."""
    guarded.settings |= by_password("PLAIN")
    worker = guarded.start().wait_ready()
    secured_broker.deny_writes(guarded.dead_letters)
    guarded.publish(100)
    guarded.publish_broken(5)
    worker.wait_for("dead_letters_down", 40)

    worker.wait_until(lambda: worker.total("capi_dead_letters_pending") >= 1, 20, "shows what it cannot bury")
    assert [] == guarded.overcommitted()
    secured_broker.allow_writes(guarded.dead_letters)
    guarded.wait_settled(worker)
    assert ([], 0) == (guarded.faults(), guarded.duplicates())


def refusals(logs: object) -> list[object]:
    """Return the log lines that speak of a refused login."""
    assert isinstance(logs, list)
    return [line for line in logs if line.get("code") == "_AUTHENTICATION"]
