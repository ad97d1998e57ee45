"""The worker's workplace: its environment and its files."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config.destinations import load_destinations
from pipeline.config.environment import read_secrets, read_settings
from pipeline.demo.workplace import DATASET, DESTINATION, Workplace, free_port, plain_environment
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
    """Settings, destinations file and secret are what the worker's own readers take."""
    place = Workplace(tmp_path)
    settings = read_settings(furnished(place))
    destination = load_destinations(settings.destinations_file, PLATFORMS, production=settings.production)[0]
    secret = read_secrets(settings, {}).get(destination.secrets["token"])

    assert (DESTINATION, DATASET, "live") == (destination.name, destination.account, destination.mode)
    assert secret is not None
    assert place.token == secret.reveal()


def test_the_token_stays_secret(tmp_path: Path) -> None:
    """The token is in the secret's file and nowhere else, and made anew for every run."""
    place = Workplace(tmp_path)
    settings = furnished(place)
    texts = [path.read_text() for path in tmp_path.glob("*.*")]

    assert not any(place.token in text for text in (*settings.values(), *texts, repr(place)))
    assert place.token != Workplace(tmp_path).token


def test_free_port() -> None:
    """A free port is one that can be taken."""
    assert 0 < free_port() < 65_536


@pytest.mark.parametrize("name", ["kafka", "sandbox", "worker"])
def test_logs(tmp_path: Path, name: str) -> None:
    """Every process has a log file of its own."""
    assert tmp_path / f"{name}.log" == Workplace(tmp_path).log(name)
