"""The worker's workplace: its environment and its files."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from pipeline.config.destinations import load_destinations
from pipeline.config.environment import read_secrets, read_settings
from pipeline.demo.destinations import ACCOUNTS
from pipeline.demo.keyring import Keyring
from pipeline.demo.workplace import Workplace, free_port, plain_environment
from pipeline.platforms import PLATFORMS


def furnished(place: Workplace) -> dict[str, str]:
    """Furnish a workplace and return the settings."""
    return place.furnish(servers="127.0.0.1:9092", sandbox_url="http://127.0.0.1:8090", port=8080)


def test_no_foreign_settings() -> None:
    """The user's own settings do not reach the demo's worker; everything else of the environment does."""
    plain = plain_environment({"CAPI_GROUP": "production", "HOME": "/home/u", "PYTHONPATH": "/x"})

    assert ("/home/u", False) == (plain["HOME"], "CAPI_GROUP" in plain)
    assert plain["PYTHONPATH"].endswith(":/x")


def test_the_worker_takes_it(tmp_path: Path) -> None:
    """Settings, destinations file and secrets are what the worker's own readers take: one account on each platform."""
    place = Workplace(tmp_path)
    settings = read_settings(furnished(place))
    destinations = load_destinations(settings.destinations_file, PLATFORMS, production=settings.production)
    secrets = read_secrets(settings, {})

    assert set(PLATFORMS) == {destination.name for destination in destinations}
    for destination in destinations:
        found = {name: secrets.get(secret) for name, secret in destination.secrets.items()}
        shown = {name: secret.reveal() for name, secret in found.items() if secret is not None}
        token = place.keyring.tokens.get(destination.name)
        wanted = {"service_account": place.keyring.service_account} if token is None else {"token": token}
        assert (wanted, ACCOUNTS[destination.name][0]) == (shown, destination.account)


def test_the_public_key_is_that_of_the_service_account(tmp_path: Path) -> None:
    """The sandbox verifies with the file's key what the worker signs with its secret."""
    place = Workplace(tmp_path)
    key = load_pem_private_key(orjson.loads(place.keyring.service_account)["private_key"].encode(), None)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    assert public == place.public_key.read_bytes()


def test_secrets_stay_secret(tmp_path: Path) -> None:
    """Secrets are in their files and nowhere else, and made anew for every run."""
    place = Workplace(tmp_path)
    settings = furnished(place)
    texts = [*settings.values(), *(path.read_text() for path in tmp_path.glob("*.*")), repr(place)]
    private = orjson.loads(place.keyring.service_account)["private_key"]

    for secret in (*place.keyring.tokens.values(), private):
        assert not any(secret in text for text in texts)
    assert not set(place.keyring.tokens.values()) & set(Keyring.made_up().tokens.values())


def test_free_port() -> None:
    """A free port is one that can be taken."""
    assert 0 < free_port() < 65_536


@pytest.mark.parametrize("name", ["kafka", "sandbox", "worker"])
def test_logs(tmp_path: Path, name: str) -> None:
    """Every process has a log file of its own."""
    assert tmp_path / f"{name}.log" == Workplace(tmp_path).log(name)
