"""The destinations file: from YAML to destinations, every fault at once with its line and its fix.

The platforms come in as an argument: each owns the type of its options, its default limits and the secrets it needs.

Invariant: the file names secrets and never holds one; what looks like a credential is refused and not repeated.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path as FilePath
from typing import Final, TypeGuard, cast

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from pipeline.config.destination_entry import ConsentEntry, Entry, File, LimitsEntry, RuleEntry
from pipeline.config.faults import DestinationsError, Fault, suggestion
from pipeline.config.yaml_file import Document, Path, parse
from pipeline.core.contract import EVENTS_OF
from pipeline.core.destination import UNKNOWN_CONSENT, ConsentPolicy, Destination, Limits, Rule, Slice
from pipeline.core.masking import looks_secret
from pipeline.core.normalize.place import country
from pipeline.platforms.base import PlatformKind

Platforms = Mapping[str, PlatformKind]
_PLACE: Final = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?").fullmatch


def load_destinations(path: FilePath, platforms: Platforms, *, production: bool) -> tuple[Destination, ...]:
    """Read the file at `path`.

    With `production`, neither mode `test` nor test codes are taken.
    Raises `DestinationsError` with all faults, and when the file cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        cause = getattr(error, "strerror", None) or "it is not UTF-8 text"
        fault = Fault(str(path), f"cannot be read ({cause})", "set CAPI_DESTINATIONS_FILE to the destinations file")
        raise DestinationsError([fault]) from None
    return read_destinations(text, platforms, production=production)


def read_destinations(text: str, platforms: Platforms, *, production: bool) -> tuple[Destination, ...]:
    """Read the text of a destinations file; see `load_destinations`."""
    document = parse(text)
    faults = [*document.faults, *_literals(document)]
    entries, broken = _entries(document)
    faults += broken
    found: list[Destination] = []
    for index, raw in entries:
        reader = _EntryReader(document, ("destinations", index), raw, platforms)
        destination = reader.read(production=production)
        faults += reader.faults
        if destination is not None:
            found.append(destination)
    faults += _duplicates(document, entries)
    if faults:
        raise DestinationsError(faults)
    return tuple(found)


def _entries(document: Document) -> tuple[list[tuple[int, dict[str, object]]], list[Fault]]:
    if document.value is None and document.faults:
        return [], []
    try:
        file = File.model_validate(document.value, strict=True)
    except ValidationError as error:
        return [], [_fault(document, (), detail, File) for detail in error.errors(include_input=False)]
    return list(enumerate(file.destinations)), []


class _EntryReader:
    """Reads one destination and gathers its faults; one that is wrong in one place is still read in the others."""

    def __init__(self, document: Document, place: Path, raw: dict[str, object], platforms: Platforms) -> None:
        self.faults: list[Fault] = []
        self._document = document
        self._place = place
        self._raw = raw
        self._platforms = platforms

    def read(self, *, production: bool) -> Destination | None:
        entry = self._entry()
        kind = self._kind()
        if kind is None:
            return None
        self._check_secrets(kind)
        options = self._options(kind)
        self._check_tests(production=production)
        if entry is not None:
            self._check_rule(entry.rule)
            self._check_consent(entry.consent)
            self._check_limits(entry.limits, kind)
            self._check_account(entry.account, kind)
        if entry is None or self.faults:
            return None
        destination = Destination(
            name=entry.name,
            platform=entry.platform,
            account=entry.account,
            mode=entry.mode,
            rule=_rule(entry.rule),
            consent=_policy(entry.consent),
            limits=_limits(entry.limits, kind.defaults),
            secrets=entry.secrets,
            options=options,
        )
        for problem, fix in kind.faults(destination):
            self._say((), problem, fix)
        return destination

    def _entry(self) -> Entry | None:
        try:
            return Entry.model_validate_json(json.dumps(self._raw), strict=True)
        except ValidationError as error:
            self.faults += [
                _fault(self._document, self._place, detail, Entry) for detail in error.errors(include_input=False)
            ]
            return None

    def _kind(self) -> PlatformKind | None:
        platform = self._raw.get("platform")
        if not isinstance(platform, str):
            return None
        if platform not in self._platforms:
            problem = f"`{platform}` is no platform that this worker knows"
            self._say(("platform",), problem, suggestion(platform, self._platforms))
        return self._platforms.get(platform)

    def _check_secrets(self, kind: PlatformKind) -> None:
        secrets = self._raw.get("secrets") or {}
        if not isinstance(secrets, dict):
            return
        for name in kind.secrets:
            if name not in secrets:
                self._say(("secrets",), f"`{name}` is missing", f"add `secrets: {{{name}: <name of the secret>}}`")
        for name in secrets:
            if name not in (known := (*kind.secrets, *kind.optional_secrets)):
                self._say(("secrets", name), "the platform needs no such secret", suggestion(name, known))

    def _options(self, kind: PlatformKind) -> object:
        given = self._raw.get("options")
        given = {} if given is None else given
        if not isinstance(given, dict):
            return None
        known = {field.name for field in dataclasses.fields(kind.options)}
        for name in given:
            if name not in known:
                self._say(("options", name), "the platform has no such option", suggestion(name, known))
        try:
            text = json.dumps({name: value for name, value in given.items() if name in known})
            options: object = TypeAdapter(kind.options).validate_json(text, strict=True)
        except ValidationError as error:
            place = (*self._place, "options")
            self.faults += [_fault(self._document, place, detail, None) for detail in error.errors(include_input=False)]
            return None
        return options

    def _check_tests(self, *, production: bool) -> None:
        """Options that begin with `test_` make conversions count as tests: in production they would be lost."""
        mode, options = self._raw.get("mode"), self._raw.get("options")
        codes = [name for name, value in options.items() if _is_test(name) and value] if _is_map(options) else []
        elsewhere = "or set CAPI_ENVIRONMENT to what this is"
        if production and mode == "test":
            self._say(("mode",), "test mode is not taken in production", f"set `mode: live`, {elsewhere}")
        kind = self._platforms.get(str(self._raw.get("platform")))
        if mode == "test" and kind is not None and kind.test_option is not None and kind.test_option not in codes:
            self._say(("mode",), f"needs `options.{kind.test_option}`", "without it live conversions would be sent")
        for name in codes:
            if production:
                self._say(("options", name), "is not taken in production", f"leave it out, {elsewhere}")
            elif mode == "live":
                self._say(("options", name), "makes live conversions count as tests", "leave it out, or `mode: test`")

    def _check_rule(self, rule: RuleEntry) -> None:
        known = {event for events in EVENTS_OF.values() for event in events}
        reachable = {event for kind in (rule.kinds or EVENTS_OF) for event in EVENTS_OF[kind]}
        for event in sorted(rule.events - known):
            self._say(("rule", "events"), f"`{event}` is none of the events", suggestion(event, known))
        for event in sorted((rule.events & known) - reachable):
            kinds = ", ".join(sorted(rule.kinds))
            self._say(("rule", "events"), f"`{event}` is never among kinds [{kinds}]", "mend one of the two lists")
        for code in sorted(rule.countries):
            self._check_country(("rule", "countries"), code, code)
        if rule.share is not None and rule.share[0] >= rule.share[1]:
            self._say(("rule", "share"), "holds no traffic", "write the lower percentage first, like [0, 5]")

    def _check_consent(self, consent: ConsentEntry) -> None:
        if "ad_user_data" not in consent.purposes:
            self._say(("consent", "purposes"), "`ad_user_data` is missing", "add it: nothing is sent without it")
        for place in consent.unknown:
            path = ("consent", "unknown", place)
            if _PLACE(place):
                self._check_country(path, place, place[:2])
            elif place not in UNKNOWN_CONSENT:
                named = ", ".join(f"`{name}`" for name in UNKNOWN_CONSENT if not _PLACE(name))
                self._say(path, "is no place", f"write a country (`US`), a region (`US-CA`), or one of {named}")

    def _check_country(self, path: Path, place: str, code: str) -> None:
        """What is no country would match nothing, in silence."""
        known = country(code)
        if known is None:
            self._say(path, f"`{place}` is in no country", "write the code of ISO 3166-1 in capitals, like `DE`")
        elif known != code.lower():
            self._say(path, f"`{code}` is not the country's code", f"write `{place.replace(code, known.upper(), 1)}`")

    def _check_account(self, account: str, kind: PlatformKind) -> None:
        if not re.fullmatch(kind.account, account):
            self._say(("account",), "is no account id of this platform", f"its form is {kind.account}")

    def _check_limits(self, limits: LimitsEntry, kind: PlatformKind) -> None:
        if (limits.events_per_request or 0) > kind.most_events:
            place = ("limits", "events_per_request")
            self._say(place, "is more than the platform takes", f"set at most {kind.most_events}")

    def _say(self, path: Path, problem: str, fix: str) -> None:
        self.faults.append(Fault(self._document.where((*self._place, *path)), problem, fix))


def _is_map(value: object) -> TypeGuard[dict[str, object]]:
    return isinstance(value, dict)


def _is_test(name: str) -> bool:
    return name.startswith("test_")


def _rule(entry: RuleEntry) -> Rule:
    return Rule(**{**dict(entry), "share": None if entry.share is None else Slice(*entry.share)})


def _policy(entry: ConsentEntry) -> ConsentPolicy:
    unknown = {**UNKNOWN_CONSENT, **entry.unknown}
    return ConsentPolicy(entry.purposes, unknown, entry.expires_after_days)


def _limits(entry: LimitsEntry, defaults: Limits) -> Limits:
    return dataclasses.replace(defaults, **entry.model_dump(exclude_none=True))


def _duplicates(document: Document, entries: Iterable[tuple[int, dict[str, object]]]) -> Iterator[Fault]:
    names: dict[str, int] = {}
    for index, raw in entries:
        name = raw.get("name")
        if isinstance(name, str) and names.setdefault(name, index) != index:
            where = document.where(("destinations", index, "name"))
            yield Fault(where, f"`{name}` is also the name of destinations[{names[name]}]", "give it another name")


_REFERENCE: Final = "write the secret to a file or CAPI_SECRET_<NAME>, put its name here, and rotate it: it was shown"


def _literals(document: Document) -> Iterator[Fault]:
    for path, text in _texts(document.value, ()):
        if looks_secret(text):
            yield Fault(document.where(path), "looks like a credential, which must not stand here", _REFERENCE)


def _texts(value: object, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, (*path, index))


def _fault(document: Document, place: Path, detail: ErrorDetails, model: type[BaseModel] | None) -> Fault:
    path = (*place, *(step for step in detail["loc"]))
    where = document.where(path)
    match detail["type"]:
        case "extra_forbidden" if model is not None:
            return Fault(where, "is not known", suggestion(str(detail["loc"][-1]), _keys(model, detail["loc"][:-1])))
        case "missing":
            return Fault(where, "is missing", "add it")
        case "model_type" | "dict_type":
            return Fault(where, "is not a mapping of keys to values", "see docs/destinations.md")
        case "string_type":
            return Fault(where, "is not text", "put it in quotes")
        case "string_pattern_mismatch":
            return Fault(where, "does not have the form that is expected", "see docs/destinations.md")
        case _:
            return Fault(where, detail["msg"].removeprefix("Value error, "), "see docs/destinations.md")


def _keys(model: type[BaseModel], path: Iterable[str | int]) -> Iterable[str]:
    for step in path:
        inner = model.model_fields[str(step)].annotation
        model = cast("type[BaseModel]", inner)
    return model.model_fields
