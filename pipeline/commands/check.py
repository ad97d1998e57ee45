"""`check`: is everything there that this worker needs? Every finding at once, each with what to do.

A part that cannot be looked at because an earlier one is broken is left out; everything else is still looked at.
Invariant: checking changes nothing, neither in Kafka nor on any platform, and joins no group.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import aiohttp

from pipeline.commands import topics as topic_rules
from pipeline.config.destinations import Platforms, load_destinations
from pipeline.config.environment import read_secrets, read_settings
from pipeline.config.faults import DestinationsError, SettingsError
from pipeline.config.followed import following_faults
from pipeline.config.kafka_settings import connection_config
from pipeline.config.settings import Settings
from pipeline.core.avro.schema import SchemaError
from pipeline.core.destination import Destination
from pipeline.edge.admin import TIMEOUT_SECONDS, Admin, KafkaRefusedError, KafkaUnreachableError
from pipeline.edge.schema_files import load_contract
from pipeline.edge.secrets import Secrets

Part = Literal["settings", "destinations", "secrets", "schemas", "kafka", "topics", "group", "registry"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `fix` is empty when it is well."""

    part: Part
    text: str
    fix: str = ""

    @property
    def good(self) -> bool:
        """Whether nothing has to be done."""
        return not self.fix


def check(environ: Mapping[str, str], platforms: Platforms, *, offline: bool) -> Iterator[Finding]:
    """Look at everything; with `offline`, only at what needs no network."""
    settings: Settings | None = None
    try:
        settings = read_settings(environ)
        yield Finding("settings", f"worker {settings.worker_name}, group {settings.group_id}")
    except SettingsError as error:
        for fault in error.faults:
            yield Finding("settings", f"{fault.where}: {fault.problem}", fault.fix)
    destinations: tuple[Destination, ...] = ()
    try:
        destinations = _destinations(environ, settings, platforms)
        yield Finding("destinations", ", ".join(f"{each.name} ({each.mode})" for each in destinations))
        if all(each.mode == "off" for each in destinations):
            yield Finding("destinations", "every destination is off", "set one to `mode: live`")
        yield from _notices(destinations, platforms)
        if settings is not None:
            for fault in following_faults(settings, destinations, platforms):
                yield Finding("settings", f"{fault.where}: {fault.problem}", fault.fix)
    except DestinationsError as error:
        for fault in error.faults:
            yield Finding("destinations", f"{fault.where}: {fault.problem}", fault.fix)
    yield _schemas()
    if settings is None:
        return
    secrets = read_secrets(settings, environ)
    yield from _secrets(settings, destinations, secrets)
    if not offline:
        yield from _kafka(settings, secrets)
        yield from _registry(settings, secrets)


def _destinations(
    environ: Mapping[str, str], settings: Settings | None, platforms: Platforms
) -> tuple[Destination, ...]:
    """Read the destinations; with broken settings still from where the environment says."""
    if settings is not None:
        return load_destinations(settings.destinations_file, platforms, production=settings.production)
    path = Path(environ.get("CAPI_DESTINATIONS_FILE") or Settings.model_fields["destinations_file"].default)
    production = environ.get("CAPI_ENVIRONMENT", "prod") in ("prod", "production")
    return load_destinations(path, platforms, production=production)


def _notices(destinations: tuple[Destination, ...], platforms: Platforms) -> Iterator[Finding]:
    today = datetime.now(UTC).date()
    for each in destinations:
        for text in platforms[each.platform].notices(each.options, today):
            yield Finding("destinations", f"{each.name}: {text}", "see docs/platforms")


def _schemas() -> Finding:
    try:
        load_contract()
    except (OSError, SchemaError) as error:
        return Finding("schemas", str(error), "install the package again: it brings its schemas along")
    return Finding("schemas", "the event contract can be read")


def _secrets(settings: Settings, destinations: tuple[Destination, ...], secrets: Secrets) -> Iterator[Finding]:
    wanted: dict[str, list[str]] = {}
    for name in settings.secret_names:
        wanted.setdefault(name, []).append("settings")
    for destination in destinations:
        if destination.mode != "off":
            for name in destination.secrets.values():
                wanted.setdefault(name, []).append(destination.name)
    for name, users in wanted.items():
        fault = secrets.fault(name)
        if fault is None:
            yield Finding("secrets", f"`{name}` for {', '.join(users)}")
        else:
            problem, _, fix = fault.partition(": ")
            yield Finding("secrets", f"{problem}, needed by {', '.join(users)}", fix)


def _kafka(settings: Settings, secrets: Secrets) -> Iterator[Finding]:
    servers = settings.kafka.bootstrap_servers
    try:
        admin = Admin(connection_config(settings.kafka, secrets))
        topics = admin.topics()
    except SettingsError:
        # The missing secret was found already.
        return
    except KafkaUnreachableError as error:
        fix = "check CAPI_KAFKA_BOOTSTRAP_SERVERS, the security settings, and that the network lets us through"
        yield Finding("kafka", f"{servers} does not answer: {error}", fix)
        return
    yield Finding("kafka", f"{servers} answers ({settings.kafka.security_protocol})")
    try:
        there = [name for name in topic_rules.names(settings) if name in topics]
        found = list(topic_rules.wrongs(settings, topics, admin.topic_configs(there)))
        for wrong in found:
            yield Finding("topics", f"{wrong.topic} {wrong.problem}", wrong.fix)
        if not found:
            yield Finding("topics", ", ".join(f"{name} ({topics[name].partitions} partitions)" for name in there))
    except KafkaRefusedError as error:
        yield Finding("topics", f"cannot be described: {error}", "grant this user DescribeConfigs on its topics")
    try:
        yield group_finding(settings.group_id, admin.group_state(settings.group_id))
    except KafkaRefusedError as error:
        yield Finding("group", f"{settings.group_id} cannot be described: {error}", "grant this user Read on the group")


def group_finding(group: str, state: str) -> Finding:
    """Return what a group's state means; `dead` is Kafka's word for one that it does not know (yet)."""
    return Finding("group", f"{group} has no members and no offsets yet" if state == "dead" else f"{group} is {state}")


def _registry(settings: Settings, secrets: Secrets) -> Iterator[Finding]:
    registry = settings.registry
    if registry.url is None:
        yield Finding("registry", "none is set: records are read with the schemas that this build brings")
        return
    fault = asyncio.run(registry_fault(settings, secrets))
    if fault is None:
        yield Finding("registry", f"{registry.url} answers")
    else:
        fix = "check CAPI_REGISTRY_URL, its secrets and CA file, and that the network lets us through"
        yield Finding("registry", f"{registry.url}: {fault}", fix)


async def registry_fault(settings: Settings, secrets: Secrets) -> str | None:
    """Return what is wrong with the registry, or None. Only the kind of a failure is told: texts may hold URLs."""
    registry = settings.registry
    headers: dict[str, str] = {}
    password = secrets.get(registry.password_secret) if registry.password_secret else None
    token = secrets.get(registry.token_secret) if registry.token_secret else None
    if registry.username and password:
        headers["Authorization"] = aiohttp.encode_basic_auth(registry.username, password.reveal())
    elif token:
        headers["Authorization"] = f"Bearer {token.reveal()}"
    try:
        tls = ssl.create_default_context(cafile=str(registry.ca_file)) if registry.ca_file else True
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(f"{registry.url}/subjects", headers=headers, ssl=tls, allow_redirects=False) as reply,
        ):
            return None if reply.status == 200 else f"it answers HTTP {reply.status}"
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return f"it does not answer ({type(error).__name__})"
