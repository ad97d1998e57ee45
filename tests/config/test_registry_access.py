"""The registry that the settings name is reached with the login that they name."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from pipeline.config.faults import SettingsError
from pipeline.config.registry_access import authorization, open_registry
from pipeline.config.settings import RegistrySettings
from pipeline.edge.secrets import Secrets

URL = "http://registry.example:8081"
SECRETS = Secrets(None, {"CAPI_SECRET_REGISTRY_TOKEN": "t0ken", "CAPI_SECRET_REGISTRY_PASSWORD": "pass"})


@pytest.mark.parametrize(
    ("login", "expected"),
    [
        ({}, None),
        ({"token_secret": "registry_token"}, "Bearer t0ken"),
        ({"token_secret": "registry_nothing"}, None),
        (
            {"username": "capi", "password_secret": "registry_password"},
            "Basic " + base64.b64encode(b"capi:pass").decode(),
        ),
    ],
)
def test_logs_in_as_set(login: dict[str, str], expected: str | None) -> None:
    """A token is a bearer token, a user and a password are basic authentication, and neither is no header."""
    settings = RegistrySettings.model_validate({"url": URL} | login)

    assert expected == authorization(settings, SECRETS)()


def test_uses_rotated_token(tmp_path: Path) -> None:
    """A token that changes on disk is used from the next request on."""
    now = [0.0]
    (tmp_path / "registry_token").write_text("old")
    secrets = Secrets(tmp_path, {}, lambda: now[0])
    login = authorization(RegistrySettings(url=URL, token_secret="registry_token"), secrets)
    before = login()
    (tmp_path / "registry_token").write_text("renewed")
    now[0] = 5.0

    assert ("Bearer old", "Bearer renewed") == (before, login())


@pytest.mark.asyncio
async def test_no_registry() -> None:
    """Without an address there is no registry."""
    async with open_registry(RegistrySettings(), SECRETS) as registry:
        assert None is registry


@pytest.mark.asyncio
async def test_bad_certificates_are_a_fault(tmp_path: Path) -> None:
    """A CA file that cannot be used is named with its variable."""
    settings = RegistrySettings(url=URL, ca_file=tmp_path / "missing.pem")
    with pytest.raises(SettingsError, match="CAPI_REGISTRY_CA_FILE"):
        async with open_registry(settings, SECRETS):
            pass
