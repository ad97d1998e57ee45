"""`routes explain`: where an event would go, and why not elsewhere."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from avro_events import CONTRACT
from click.testing import CliRunner, Result
from contract_events import personal

from pipeline.cli import main
from pipeline.commands.event_file import PublishError, events_in
from pipeline.config.environment import variables
from pipeline.core.contract import Kind
from pipeline.core.reason import Reason
from pipeline.edge.schema_files import KINDS, sample
from pipeline.exits import Exit

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "destinations.yaml"
HEAD = "version: 1\ndestinations:\n"
ENTRY = """\
  - name: {name}
    platform: meta
    account: "123"
    mode: {mode}
    secrets: {{token: some_token}}
"""
NOTHING: dict[str, str | None] = dict.fromkeys(variables())


def order(**fields: object) -> dict[str, Any]:
    """Return an order of just now that Meta takes."""
    return {
        "order_id": "A-1",
        "occurred_at": int(time.time() * 1000) - 60_000,
        "value": "12.50",
        "currency": "EUR",
        "store": "uk",
        "customer": {"emails": ["jane@example.com"], "country": "GB"},
        "consent": {"ad_user_data": "GRANTED"},
        **fields,
    }


def entry(name: str = "one", mode: str = "live", more: str = "") -> str:
    """Return an entry of the destinations file."""
    return ENTRY.format(name=name, mode=mode) + more


class Desk:
    """A folder with a destinations file, and the command."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "destinations.yaml"

    def explain(self, event: object, *entries: str, args: tuple[str, ...] = (), env: str | None = None) -> Result:
        """Explain an event that comes on standard input; of the settings only those two files and `env` are there."""
        self.file.write_text(HEAD + "".join(entries or [entry()]))
        given = {**NOTHING, "CAPI_DESTINATIONS_FILE": str(self.file), "CAPI_ENVIRONMENT": env}
        text = event if isinstance(event, str) else json.dumps(event)
        return CliRunner().invoke(main, ["routes", "explain", *args], input=text, env=given)

    def told(self, event: object, *entries: str, env: str | None = None) -> list[dict[str, Any]]:
        """Return what is said of each destination, read back from JSON."""
        result = self.explain(event, *entries, args=("--json",), env=env)
        assert Exit.OK == result.exit_code, result.output
        (explained,) = json.loads(result.stdout)
        destinations: list[dict[str, Any]] = explained["destinations"]
        return destinations

    def verdict(self, event: object, *entries: str) -> tuple[str, str | None, list[str]]:
        """Return outcome, reason and words for the only destination."""
        (only,) = self.told(event, *entries)
        return only["outcome"], only["reason"], only["words"]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk in a folder of its own."""
    return Desk(tmp_path)


def test_what_is_sent_is_said_in_the_platforms_words(desk: Desk) -> None:
    """An event that goes is told with the platform's name of it and the names of its match keys."""
    assert ("sent", None, ["as Purchase", "match keys: em, country"]) == desk.verdict(order())


def test_one_line_a_destination(desk: Desk) -> None:
    """People get one line for each destination: name, platform, mode, outcome, reason, words."""
    entries = entry("one"), entry("three", more="    rule: {stores: [de, at], kinds: [lead]}\n")
    result = desk.explain(order(), *entries)

    assert [
        "event 1: order_placed",
        "  one    meta  live  sent     -           as Purchase; match keys: em, country",
        "  three  meta  live  skipped  not_routed  kind: `order` is not among lead; store: `uk` is not among at, de",
    ] == result.stdout.splitlines()


def test_every_event_has_its_part(desk: Desk) -> None:
    """Events on lines are explained one by one, numbered."""
    text = json.dumps(order()) + "\n" + json.dumps(order(state="REFUNDED"))
    lines = desk.explain(text).stdout.splitlines()

    assert ["event 1: order_placed", "event 2: order_refunded"] == [line for line in lines if line[0] != " "]


@pytest.mark.parametrize(
    ("fields", "more", "expected"),
    [
        ({}, "rule: {brands: [b]}", ("skipped", Reason.NOT_ROUTED, ["brand: none is not among b"])),
        ({"consent": {"ad_user_data": "DENIED"}}, "", ("skipped", Reason.CONSENT_DENIED,
         ["consent: `ad_user_data` was denied"])),
        ({"consent": {}}, "", ("skipped", Reason.CONSENT_UNKNOWN,
         ["consent: no choice on `ad_user_data` is recorded, and `unknown` says skip for the place"])),
        ({"consent": {"ad_user_data": "GRANTED", "recorded_at": "2020-01-01T00:00:00Z"}},
         "consent: {expires_after_days: 30}", ("skipped", Reason.CONSENT_EXPIRED,
         ["consent: the recorded choice is too old, and `unknown` says skip for the place"])),
        ({"consent": {}}, "consent: {unknown: {GB: send}}", ("sent", None, ["as Purchase", "match keys: em, country",
         "consent: no choice on `ad_user_data` is recorded, and `unknown` says send for the place"])),
        ({"state": "CANCELLED"}, "", ("skipped", Reason.NO_PLATFORM_EVENT, ["the platform has no event for this"])),
        ({"customer": {"country": "GB"}}, "", ("refused", Reason.NO_MATCH_KEY, None)),
        ({"value": None}, "", ("refused", Reason.INVALID_EVENT, ["a Purchase needs value and currency"])),
        ({"occurred_at": "2020-01-01T00:00:00Z"}, "", ("refused", Reason.EXPIRED, None)),
        ({"occurred_at": "2999-01-01T00:00:00Z"}, "", ("refused", Reason.FUTURE, None)),
    ],
)  # fmt: skip
def test_why_not(
    desk: Desk, fields: dict[str, object], more: str, expected: tuple[str, str | None, list[str] | None]
) -> None:
    """Every step that may keep an event back says so, with its reason and in words."""
    outcome, reason, words = desk.verdict(order(**fields), entry(more=f"    {more}\n" if more else ""))

    assert expected[:2] == (outcome, reason)
    assert words == expected[2] or (expected[2] is None and words)


def test_two_shares_of_one_account(desk: Desk) -> None:
    """Of a canary and what it stands beside, one gets the event."""
    canary, rest = (entry(name, more=f"    rule: {{share: {ends}}}\n") for name, ends in
                    (("canary", "[0, 5]"), ("rest", "[5, 100]")))  # fmt: skip
    told = {each["destination"]: (each["outcome"], each["words"][0]) for each in desk.told(order(), canary, rest)}

    assert {
        "canary": ("skipped", "share: the event lies at 73.56 %, outside of 0 % to 5 %"),
        "rest": ("sent", "as Purchase"),
    } == told


def test_what_is_off_is_said(desk: Desk) -> None:
    """A destination that is off gets nothing, and it is told what it would get."""
    outcome, reason, words = desk.verdict(order(), entry(mode='"off"'))

    assert ("off", None) == (outcome, reason)
    assert "the destination is off; live, the event would be sent" == words[0]


@pytest.mark.parametrize("kind", KINDS)
def test_no_customer_value_is_shown(desk: Desk, kind: Kind) -> None:
    """Whatever becomes of an event, nothing of its personal data is repeated."""
    event = json.loads(sample(kind))
    values = set(_personal(event, kind)) - {event["store"], event["brand"]}
    entries = [
        entry("plain"),
        entry("ruled", more="    rule: {countries: [AT], stores: [x], brands: [x], share: [0, 0.1]}\n"),
        entry("strict", more='    consent: {expires_after_days: 1, unknown: {"*": skip}}\n'),
    ]
    for fresh in (event, event | {"occurred_at": int(time.time() * 1000)}, event | {"consent": {"region": "US-CA"}}):
        shown = desk.explain(fresh, *entries).output + desk.explain(fresh, *entries, args=("--json",)).output

        words = set(re.findall(r"[\w-]+", shown))
        assert len(values) > 5
        assert [] == [value for value in values if value in words or (len(value) > 3 and value in shown)]


def _personal(event: dict[str, Any], kind: Kind) -> list[str]:
    """Return the personal data in an event, as texts."""
    found: list[str] = []
    for path, _ in personal(CONTRACT.schemas[kind]):
        value: Any = event
        for step in path.split("."):
            value = (value or {}).get(step)
        found += [str(each) for each in (value if isinstance(value, list) else [value]) if each is not None]
    return found


def test_settings_of_a_worker_are_not_needed(desk: Desk) -> None:
    """Neither brokers nor secrets have to be set, and nonsense elsewhere in the environment does not matter."""
    desk.file.write_text(HEAD + entry())
    env = {**NOTHING, "CAPI_DESTINATIONS_FILE": str(desk.file), "CAPI_LOG_LEVEL": "loud", "CAPI_NO_SUCH": "1"}

    assert Exit.OK == CliRunner().invoke(main, ["routes", "explain"], input=json.dumps(order()), env=env).exit_code


def test_another_file_may_be_named(desk: Desk, tmp_path: Path) -> None:
    """`--destinations` comes before the environment, and the event may lie in a file."""
    (tmp_path / "order.json").write_text(json.dumps(order()))
    args = (str(tmp_path / "order.json"), "--destinations", str(EXAMPLE), "--json")
    (explained,) = json.loads(desk.explain("", args=args).stdout)

    assert "meta-us-canary" in [each["destination"] for each in explained["destinations"]]


def test_a_broken_destinations_file_ends_with_code_2(desk: Desk) -> None:
    """Faults of the file are told with the file and the line."""
    result = desk.explain(order(), entry().replace("live", "on"))

    assert Exit.USAGE == result.exit_code
    assert f"{desk.file}: line 6, destinations[0].mode" in result.stderr


def test_production_is_what_the_environment_says(desk: Desk) -> None:
    """A destination in test mode is explained where tests are taken, and a fault in production."""
    tested = entry(mode="test", more="    options: {test_event_code: T1}\n")

    assert Exit.USAGE == desk.explain(order(), tested, env="prod").exit_code
    assert ["sent"] == [each["outcome"] for each in desk.told(order(), tested, env="dev")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1}', "event 1: has none of order_id, lead_id, activity_id; add one, or say --kind"),
        (json.dumps(order(state="x")), "event 1: state: is none of the allowed words"),
        (json.dumps(order(currency="XXQ")), "event 1: currency: is not an ISO 4217 code"),
        ("{", "line 1, column"),
        ("", "there is no event in it"),
    ],
)
def test_a_faulty_event_ends_with_code_1(desk: Desk, text: str, said: str) -> None:
    """Nothing is explained while an event has a fault; all faults are told."""
    result = desk.explain(text)

    assert (Exit.FAILURE, "") == (result.exit_code, result.stdout)
    assert said in result.stderr


def test_the_kind_can_be_said(desk: Desk) -> None:
    """What is named as another kind is read as that."""
    result = desk.explain(order(), args=("--kind", "lead"))

    assert "event 1: order_id: is no field of the contract" in result.stderr


def test_events_are_what_the_worker_reads() -> None:
    """An event from a file has the names, the id and the time that the worker gives it."""
    (event,) = events_in(json.dumps(order(occurred_at="2025-11-21T08:00:00Z")).encode())

    assert ("order", "order_placed", "order_placed:A-1", "A-1", 1_763_712_000.0) == (
        event.kind,
        event.name,
        event.id,
        event.own_id,
        event.time,
    )
    with pytest.raises(PublishError, match="has none of"):
        events_in(b"{}")
