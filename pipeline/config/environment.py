"""From the environment to settings: every fault at once, each with its variable, its problem and an example.

Invariant: a value is never repeated in a fault; it may be a secret in the wrong place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from pipeline.config.faults import Fault, SettingsError, suggestion
from pipeline.config.kafka_properties import refused_properties, unknown_properties
from pipeline.config.kafka_settings import security_faults
from pipeline.config.settings import PREFIX, Settings
from pipeline.edge.secrets import Secrets

# Read by other parts: values of secrets, and the test kit's own switches.
_FOREIGN: Final = ("CAPI_SECRET_", "CAPI_TEST_")
# Kubernetes describes every Service in the environment; one that is called `capi-...` says `CAPI_..._SERVICE_HOST`.
_SERVICE_LINK: Final = re.compile(r"_SERVICE_HOST|_SERVICE_PORT(_\w+)?|_PORT_\d+_(TCP|UDP|SCTP)(_\w+)?")
Values = dict[str, object]


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read `CAPI_*` from `environ`; an empty variable counts as not set.

    Raises `SettingsError` with all faults.
    """
    known = variables()
    given = {name: text.strip() for name, text in environ.items() if name.startswith(PREFIX) and text.strip()}
    faults = [
        Fault(name, "no such setting", suggestion(name, known))
        for name, text in sorted(given.items())
        if name not in known and not _is_foreign(name, text)
    ]
    usable = {name: text for name, text in given.items() if name in known}
    settings, wrong, broken = _validate(usable, known)
    faults += broken
    if settings is None:
        # What is wrong gives way to defaults, so that the rest can be held against each other.
        rest = {name: text for name, text in usable.items() if name not in wrong}
        settings, _, _ = _validate({_BROKERS: "unset:1", **rest}, known)
    if settings is not None:
        faults += [fault for fault, names in cross_faults(settings) if wrong.isdisjoint(names)]
    if faults or settings is None:
        raise SettingsError(faults)
    return settings


def _is_foreign(name: str, text: str) -> bool:
    link = _SERVICE_LINK.search(name) or (name.endswith("_PORT") and "://" in text)
    return name.startswith(_FOREIGN) or bool(link)


def read_secrets(settings: Settings, environ: Mapping[str, str]) -> Secrets:
    """Return the place where this worker's secrets are."""
    return Secrets(settings.secrets_dir, environ)


_BROKERS: Final = "CAPI_KAFKA_BOOTSTRAP_SERVERS"


def variables() -> dict[str, tuple[tuple[str, ...], FieldInfo]]:
    """Every variable, with the path of its field and what is known of it, in the order of the documentation."""
    return {PREFIX + "_".join(path).upper(): (path, info) for path, info in _fields(Settings, ())}


def shown(settings: Settings) -> dict[str, str | None]:
    """Return the effective value of every variable; None where there is none. Secrets are in it by name only."""
    return {name: _spelled(_value(settings, path)) for name, (path, _) in variables().items()}


def _value(settings: Settings, path: tuple[str, ...]) -> object:
    value: object = settings
    for step in path:
        value = getattr(value, step)
    return value


def _spelled(value: object) -> str | None:
    """Write a value as the variable would be written."""
    if isinstance(value, Mapping):
        return ",".join(f"{key}={inner}" for key, inner in value.items())
    return None if value is None else str(value)


def _fields(model: type[BaseModel], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], FieldInfo]]:
    for name, info in model.model_fields.items():
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _fields(kind, (*path, name))
        else:
            yield (*path, name), info


def _validate(
    given: Mapping[str, str], known: Mapping[str, tuple[tuple[str, ...], FieldInfo]]
) -> tuple[Settings | None, set[str], list[Fault]]:
    """Return the settings, or else the names of the wrong variables and their faults."""
    values: Values = {"kafka": {}}
    for name, text in given.items():
        path, _ = known[name]
        section = values
        for step in path[:-1]:
            inner = section.setdefault(step, {})
            assert isinstance(inner, dict)  # noqa: S101 - a section is a mapping by construction
            section = inner
        section[path[-1]] = text
    try:
        return Settings.model_validate(values), set(), []
    except ValidationError as error:
        by_path = {path: name for name, (path, _) in known.items()}
        wrong: set[str] = set()
        faults: list[Fault] = []
        for detail in error.errors(include_url=False, include_input=False):
            name = _variable_of(detail, by_path)
            wrong.add(name)
            faults.append(_fault(name, detail, known[name][1]))
        return None, wrong, faults


def _variable_of(detail: ErrorDetails, by_path: Mapping[tuple[str, ...], str]) -> str:
    """Find the variable of an error; inside a mapping the place goes deeper than the field."""
    place = tuple(str(step) for step in detail["loc"])
    while place not in by_path:
        place = place[:-1]
    return by_path[place]


def _fault(name: str, detail: ErrorDetails, info: FieldInfo) -> Fault:
    problem = "is not set" if detail["type"] == "missing" else detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "string_pattern_mismatch":
        problem = "does not have the form that is expected"
    return Fault(name, problem, f"{info.description} For example {name}={example(info)}")


def example(info: FieldInfo) -> str:
    """Return a value that would do: the first example, else the default."""
    if info.examples:
        return str(info.examples[0])
    return _spelled(info.default) or ""


def cross_faults(settings: Settings) -> Iterator[tuple[Fault, tuple[str, ...]]]:
    """Find what does not fit together, each fault with the variables that it speaks of."""
    for fault, names in security_faults(settings.kafka):
        yield fault, tuple(f"CAPI_KAFKA_{name.upper()}" for name in names)
    properties = settings.kafka.properties
    for fault in (*refused_properties(properties), *unknown_properties(properties)):
        yield fault, (fault.where,)
    yield from _registry_faults(settings)
    yield from _topic_faults(settings)
    yield from _deadline_faults(settings)


def _registry_faults(settings: Settings) -> Iterator[tuple[Fault, tuple[str, ...]]]:
    registry = settings.registry
    user, password = "CAPI_REGISTRY_USERNAME", "CAPI_REGISTRY_PASSWORD_SECRET"
    if registry.username and not registry.password_secret:
        yield Fault(password, f"needed with {user}", "name the secret that holds the password"), (user, password)
    if registry.password_secret and not registry.username:
        yield Fault(user, f"needed with {password}", "set the user"), (user, password)
    token = "CAPI_REGISTRY_TOKEN_SECRET"  # noqa: S105 - the name of a variable
    if registry.token_secret and registry.username:
        yield Fault(token, f"two ways to log in: this and {user}", "leave one of them out"), (user, token)


def _topic_faults(settings: Settings) -> Iterator[tuple[Fault, tuple[str, ...]]]:
    """Find topics with two uses: what one writes there the other would read as its own."""
    taken = dict.fromkeys(settings.source_topics, "CAPI_SOURCE_TOPICS")
    for variable, topic in (
        ("CAPI_DEAD_LETTERS_TOPIC", settings.dead_letters.topic),
        ("CAPI_RECEIPTS_TOPIC", settings.receipts.topic),
        ("CAPI_REPLAY_TOPIC", settings.replay.topic),
    ):
        if topic in taken:
            other = taken[topic]
            yield Fault(variable, f"is a topic of {other} too", "name another topic"), (variable, other)
        elif topic is not None:
            taken[topic] = variable


def _deadline_faults(settings: Settings) -> Iterator[tuple[Fault, tuple[str, ...]]]:
    stop, kafka = settings.stop, settings.kafka
    drain, leave = "CAPI_STOP_DRAIN_DEADLINE_SECONDS", "CAPI_STOP_EXIT_DEADLINE_SECONDS"
    if stop.drain_deadline_seconds >= stop.exit_deadline_seconds:
        yield Fault(drain, f"is not below {leave}: the last commit would not be made", "lower it"), (drain, leave)
    revoke, poll = "CAPI_STOP_REVOKE_DEADLINE_SECONDS", "CAPI_KAFKA_MAX_POLL_INTERVAL_SECONDS"
    if stop.revoke_deadline_seconds >= kafka.max_poll_interval_seconds:
        yield Fault(revoke, f"is not below {poll}: the group would expel this worker", "lower it"), (revoke, poll)
    session = "CAPI_KAFKA_SESSION_TIMEOUT_SECONDS"
    if kafka.session_timeout_seconds > kafka.max_poll_interval_seconds:
        yield Fault(session, f"is above {poll}, which librdkafka refuses", "lower it"), (session, poll)
