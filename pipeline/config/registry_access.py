"""The registry that the settings name, with its login and certificates: for the worker and for `publish`."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from pipeline.config.faults import Fault, SettingsError
from pipeline.config.settings import RegistrySettings
from pipeline.edge.registry import Authorization, SchemaRegistry, basic, bearer
from pipeline.edge.secrets import Secrets


@asynccontextmanager
async def open_registry(settings: RegistrySettings, secrets: Secrets) -> AsyncIterator[SchemaRegistry | None]:
    """Give the client for as long as the block lasts, or None without a registry. Asks nothing yet.

    Raises SettingsError when the CA file cannot be used.
    """
    if settings.url is None:
        yield None
        return
    connector = aiohttp.TCPConnector(limit=4, ssl=_tls(settings))
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield SchemaRegistry(settings.url, session, authorization(settings, secrets))


def authorization(settings: RegistrySettings, secrets: Secrets) -> Authorization:
    """Return what logs in at the registry; the secret is looked up for every request, so a rotated one is used."""

    def revealed(name: str | None) -> str | None:
        secret = secrets.get(name) if name else None
        return None if secret is None else secret.reveal()

    if settings.token_secret:
        return bearer(lambda: revealed(settings.token_secret))
    if settings.username:
        return basic(settings.username, lambda: revealed(settings.password_secret))
    return lambda: None


def _tls(settings: RegistrySettings) -> ssl.SSLContext | bool:
    if settings.ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:
        problem = f"{settings.ca_file} cannot be used ({type(error).__name__})"
        raise SettingsError(
            [Fault("CAPI_REGISTRY_CA_FILE", problem, "name a readable file with certificates in PEM form")]
        ) from None
