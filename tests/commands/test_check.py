"""`check`: every finding at once, with what to do. What needs a broker is under tests/kafka."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from aiohttp import encode_basic_auth, web
from aiohttp.test_utils import TestServer

from pipeline.commands.check import Finding, check, group_finding, registry_fault
from pipeline.config.environment import read_settings
from pipeline.edge.secrets import Secrets
from pipeline.platforms import PLATFORMS

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "destinations.yaml"
GOOD = {
    "CAPI_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
    "CAPI_DESTINATIONS_FILE": str(EXAMPLE),
    "CAPI_SECRET_META_EU_TOKEN": "hush",
    "CAPI_SECRET_META_US_TOKEN": "hush",
}


def problems(environ: dict[str, str]) -> list[tuple[str, str]]:
    """Return part and fix of everything that is wrong, without the network."""
    return [(each.part, each.fix) for each in check(environ, PLATFORMS, offline=True) if not each.good]


def test_all_is_well() -> None:
    """Each part that needs no network says what it found."""
    parts = [finding.part for finding in check(GOOD, PLATFORMS, offline=True)]

    assert ["settings", "destinations", "schemas", "secrets", "secrets"] == parts
    assert [] == problems(GOOD)


def test_broken_settings_do_not_hide_broken_destinations(tmp_path: Path) -> None:
    """The destinations are read although the settings are wrong."""
    file = tmp_path / "destinations.yaml"
    file.write_text(EXAMPLE.read_text().replace("platform: meta\n", "platform: mega\n", 1))
    found = [part for part, _ in problems({"CAPI_DESTINATIONS_FILE": str(file), "CAPI_LOG_LEVEL": "loud"})]

    assert ["settings", "settings", "destinations"] == found


def test_a_missing_secret_says_who_needs_it() -> None:
    """The finding names the secret, the destination and the variable; a destination that is off needs none."""
    del (environ := dict(GOOD))["CAPI_SECRET_META_EU_TOKEN"]
    wrong = [finding for finding in check(environ, PLATFORMS, offline=True) if not finding.good]

    assert [
        Finding("secrets", "secret `meta_eu_token` is missing, needed by meta-eu", "set CAPI_SECRET_META_EU_TOKEN")
    ] == wrong


def test_secrets_of_the_settings_are_looked_for() -> None:
    """What Kafka and the registry need is checked like what destinations need."""
    more = {"CAPI_REGISTRY_URL": "http://127.0.0.1:1", "CAPI_REGISTRY_TOKEN_SECRET": "registry"}

    assert [("secrets", "set CAPI_SECRET_REGISTRY")] == problems(GOOD | more)


def test_all_off_is_a_problem(tmp_path: Path) -> None:
    """With every destination off the worker refuses to run, and `check` says so."""
    file = tmp_path / "destinations.yaml"
    file.write_text(re.sub(r"mode: \w+", "mode: off", EXAMPLE.read_text()))
    found = list(check(GOOD | {"CAPI_DESTINATIONS_FILE": str(file)}, PLATFORMS, offline=True))

    assert [Finding("destinations", "every destination is off", "set one to `mode: live`")] == [
        finding for finding in found if not finding.good
    ]


@pytest.mark.parametrize(
    ("state", "text"), [("dead", "capi.all has no members and no offsets yet"), ("stable", "capi.all is stable")]
)
def test_a_new_group_is_nothing_to_fear(state: str, text: str) -> None:
    """A group that nobody joined yet is not called dead."""
    assert Finding("group", text) == group_finding("capi.all", state)


def test_findings_hold_no_secret() -> None:
    """No finding repeats a secret's value."""
    assert "hush" not in repr(list(check(GOOD, PLATFORMS, offline=True)))


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({"CAPI_REGISTRY_USERNAME": "capi", "CAPI_REGISTRY_PASSWORD_SECRET": "good"}, None),
        ({"CAPI_REGISTRY_USERNAME": "capi", "CAPI_REGISTRY_PASSWORD_SECRET": "bad"}, "it answers HTTP 401"),
        ({"CAPI_REGISTRY_TOKEN_SECRET": "good"}, None),
        ({}, "it answers HTTP 401"),
    ],
)
async def test_the_registry_is_asked_with_credentials(more: dict[str, str], fault: str | None) -> None:
    """User and password, or a token, go along; what the registry says comes back."""
    welcome = {encode_basic_auth("capi", "right"), "Bearer right"}

    async def subjects(request: web.Request) -> web.Response:
        return web.json_response([], status=200 if request.headers.get("Authorization") in welcome else 401)

    app = web.Application()
    app.router.add_get("/subjects", subjects)
    async with TestServer(app) as server:
        settings = read_settings(GOOD | {"CAPI_REGISTRY_URL": str(server.make_url("")).rstrip("/")} | more)
        secrets = Secrets(None, {"CAPI_SECRET_GOOD": "right", "CAPI_SECRET_BAD": "wrong"})

        assert fault == await registry_fault(settings, secrets)


@pytest.mark.asyncio
async def test_a_registry_that_is_not_there() -> None:
    """A refused connection is named by its kind."""
    settings = read_settings(GOOD | {"CAPI_REGISTRY_URL": "http://127.0.0.1:1"})

    assert "it does not answer (ClientConnectorError)" == await registry_fault(settings, Secrets(None, {}))


@pytest.mark.asyncio
async def test_a_ca_file_that_is_not_there() -> None:
    """A CA file that cannot be read is a fault and not a crash."""
    environ = GOOD | {"CAPI_REGISTRY_URL": "https://127.0.0.1:1", "CAPI_REGISTRY_CA_FILE": "/no/such/file"}

    assert "it does not answer (FileNotFoundError)" == await registry_fault(read_settings(environ), Secrets(None, {}))
