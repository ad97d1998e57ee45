"""The destinations file: what it says, and every fault at once with its line."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.destination_entry import ConsentEntry, LimitsEntry, RuleEntry
from pipeline.config.destinations import load_destinations, read_destinations
from pipeline.config.faults import DestinationsError
from pipeline.core.contract import EVENTS_OF
from pipeline.core.destination import UNKNOWN_CONSENT, ConsentPolicy, Destination, Limits, Rule, Slice
from pipeline.platforms import PLATFORMS

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "destinations.yaml"


LIMITS = Limits(events_per_request=100, bytes_per_request=1000, requests_per_second=5.0)


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a platform of these tests."""

    test_code: str | None = None
    retries: int = 1
    words: frozenset[str] = frozenset()
    way: Literal["up", "down"] = "up"
    names: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kind:
    """A platform of these tests."""

    options: type = Options
    defaults: Limits = LIMITS
    secrets: tuple[str, ...] = ("token",)
    optional_secrets: tuple[str, ...] = ("second",)
    most_events: int = 700
    test_option: str | None = "test_code"
    account: str = "[0-9]+"
    faults: Callable[[Destination], Sequence[tuple[str, str]]] = lambda _: ()


KINDS = {"acme": Kind()}
GOOD = """\
version: 1
destinations:
  - name: one
    platform: acme
    account: "1"
    mode: live
    secrets: {token: one_token}
"""


def faults_of(text: str, *, production: bool = False) -> list[str]:
    """Read a text that must fail and return its faults."""
    with pytest.raises(DestinationsError) as caught:
        read_destinations(text, KINDS, production=production)
    return list(caught.value.lines)


def test_the_example_is_taken() -> None:
    """The example of the documentation is valid, in production, on the real platforms."""
    names = [each.name for each in load_destinations(EXAMPLE, PLATFORMS, production=True)]

    assert ["meta-eu", "meta-us-canary", "meta-us", "meta-us-new-customers", "meta-stores"] == names


def test_what_is_left_out_is_the_default() -> None:
    """A short entry wants everything, at the platform's own limits."""
    (destination,) = read_destinations(GOOD, KINDS, production=True)

    assert (Rule(), Kind().defaults, ConsentPolicy(), Options(), {"token": "one_token"}) == (
        destination.rule,
        destination.limits,
        destination.consent,
        destination.options,
        destination.secrets,
    )


def test_what_is_written_is_taken() -> None:
    """Limits, rule and options come out as they were written, in their own types."""
    text = GOOD + (
        "    limits: {requests_per_second: 2, linger_seconds: 0}\n"
        "    rule: {countries: [NO, DE], kinds: [lead], share: [0, 2.5]}\n"
        "    consent: {purposes: [ad_user_data, ad_personalization], expires_after_days: 90,"
        ' unknown: {US-CA: skip, NO: send, EEA: send, nowhere: send, "*": skip}}\n'
        "    options: {retries: 3, words: [a, b], way: down, names: {lead_lost: Lost}}\n"
    )
    (destination,) = read_destinations(text, KINDS, production=False)

    assert (2.0, 0.0, 100) == (
        destination.limits.requests_per_second,
        destination.limits.linger_seconds,
        destination.limits.events_per_request,
    )
    assert Rule(frozenset({"lead"}), countries=frozenset({"NO", "DE"}), share=Slice(0, 2.5)) == destination.rule
    assert (
        ConsentPolicy(
            frozenset({"ad_user_data", "ad_personalization"}),
            {
                "EEA": "send",
                "GB": "skip",
                "CH": "skip",
                "nowhere": "send",
                "*": "skip",
                "US-CA": "skip",
                "NO": "send",
            },
            90,
        )
        == destination.consent
    )
    assert Options(None, 3, frozenset({"a", "b"}), "down", {"lead_lost": "Lost"}) == destination.options


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("acme", "acne", ("line 4, destinations[0].platform: `acne` is no platform that this worker knows; "
         "did you mean `acme`?")),
        ("mode", "mood", "line 6, destinations[0].mood: is not known; did you mean `mode`?"),
        ('"1"', "0123", "line 5, destinations[0].account: is not text; put it in quotes"),
        ("mode: live", "mode: on", ("line 6, destinations[0].mode: Input should be 'live', 'test' or 'off'; "
         "see docs/destinations.md")),
        ("{token: one_token}", "{}", ("line 7, destinations[0].secrets: `token` is missing; "
         "add `secrets: {token: <name of the secret>}`")),
        ("{token: one_token}", "{token: a, tokne: b}", ("line 7, destinations[0].secrets.tokne: "
         "the platform needs no such secret; did you mean `token`?")),
        ("version: 1", "version: 2", "line 1, version: Input should be 1; see docs/destinations.md"),
        ("name: one", "name: One!", ("line 3, destinations[0].name: does not have the form that is expected; "
         "see docs/destinations.md")),
        ("    mode: live\n", "    mode: live\n    mode: off\n", ("line 7, destinations[0].mode: stands twice; "
         "keep one of them")),
        ("mode: live", "mode: &m live", None),
        ("{token: one_token}", "*m", "line 7, column 14: is not YAML: found undefined alias 'm'; mend the line"),
        ("mode: live", "mode: !!binary bGl2ZQ==", "line 6, destinations[0].mode: has a tag; write the value itself"),
        ("mode: live", "1: live", "line 6, destinations[0]: a key is not a word; put it in quotes"),
        (GOOD, "", "the file: is not a mapping of keys to values; see docs/destinations.md"),
    ],
)  # fmt: skip
def test_faults_have_a_place_and_a_fix(old: str, new: str, fault: str | None) -> None:
    """Each fault names line and path, what is wrong, and what to do."""
    text = GOOD.replace(old, new)
    if fault is None:
        assert 1 == len(read_destinations(text, KINDS, production=True))
        return

    assert fault in faults_of(text)


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ("limits: {requests_per_secnd: 1}", ("limits.requests_per_secnd: is not known; "
         "did you mean `requests_per_second`?")),
        ("limits: {concurrency: 0}", ("limits.concurrency: Input should be greater than or equal to 1; "
         "see docs/destinations.md")),
        ("rule: {countries: [de]}", ("rule.countries[0]: does not have the form that is expected; "
         "see docs/destinations.md")),
        ("rule: {countries: [DE, UK]}", "rule.countries: `UK` is not the country's code; write `GB`"),
        ("rule: {countries: [XX]}", ("rule.countries: `XX` is in no country; "
         "write the code of ISO 3166-1 in capitals, like `DE`")),
        ("rule: {events: [order_place]}", ("rule.events: `order_place` is none of the events; "
         "did you mean `order_placed`?")),
        ("rule: {share: [5, 5]}", ("rule.share: holds no traffic; "
         "write the lower percentage first, like [0, 5]")),
        ("rule: {share: [90, 10]}", ("rule.share: holds no traffic; "
         "write the lower percentage first, like [0, 5]")),
        ("rule: {share: [0, 101]}", ("rule.share[1]: Input should be less than or equal to 100; "
         "see docs/destinations.md")),
        ("rule: {share: [-1, 5]}", ("rule.share[0]: Input should be greater than or equal to 0; "
         "see docs/destinations.md")),
        ("rule: {share: [5]}", "rule.share[1]: is missing; add it"),
        ("consent: {purposes: [ad_personalization]}", ("consent.purposes: `ad_user_data` is missing; "
         "add it: nothing is sent without it")),
        ("consent: {purposes: []}", ("consent.purposes: `ad_user_data` is missing; "
         "add it: nothing is sent without it")),
        ("consent: {purpose: []}", "consent.purpose: is not known; did you mean `purposes`?"),
        ("consent: {unknown: {DE: maybe}}", ("consent.unknown.DE: Input should be 'send' or 'skip'; "
         "see docs/destinations.md")),
        ("consent: {unknown: {UK: send}}", "consent.unknown.UK: `UK` is not the country's code; write `GB`"),
        ("consent: {unknown: {UK-ENG: send}}", ("consent.unknown.UK-ENG: `UK` is not the country's code; "
         "write `GB-ENG`")),
        ("consent: {unknown: {XX-CA: send}}", ("consent.unknown.XX-CA: `XX-CA` is in no country; "
         "write the code of ISO 3166-1 in capitals, like `DE`")),
        ("consent: {unknown: {us: send}}", ("consent.unknown.us: is no place; write a country (`US`), "
         "a region (`US-CA`), or one of `EEA`, `nowhere`, `*`")),
        ("consent: {expires_after_days: 0}", ("consent.expires_after_days: Input should be greater than or equal to 1; "
         "see docs/destinations.md")),
        ("unknown_consent: skip", "unknown_consent: is not known; did you mean `consent`?"),
        ("rule: {kinds: [order], events: [lead_lost]}", ("rule.events: `lead_lost` is never among kinds [order]; "
         "mend one of the two lists")),
        ("options: {retires: 1}", "options.retires: the platform has no such option; did you mean `retries`?"),
        ('options: {retries: "1"}', "options.retries: Input should be a valid integer; see docs/destinations.md"),
        ("limits: {events_per_request: 701}", ("limits.events_per_request: is more than the platform takes; "
         "set at most 700")),
        ("options: {test_code: T1}", ("options.test_code: makes live conversions count as tests; "
         "leave it out, or `mode: test`")),
    ],
)  # fmt: skip
def test_faults_inside_a_destination(more: str, fault: str) -> None:
    """Limits, rules and options are checked down to their last key."""
    assert [f"line 8, destinations[0].{fault}"] == faults_of(GOOD + "    " + more + "\n")


def test_all_faults_at_once() -> None:
    """Faults of form, of meaning and of the platform come together, of every destination."""
    bad = GOOD + "    options: {retries: x}\n    limits: {concurrency: 0}\n"
    bad += GOOD.partition("destinations:\n")[2].replace("acme", "none").replace("live", "dead")
    places = [line.partition(": ")[0] for line in faults_of(bad)]

    assert [
        "line 9, destinations[0].limits.concurrency",
        "line 8, destinations[0].options.retries",
        "line 13, destinations[1].mode",
        "line 11, destinations[1].platform",
        "line 10, destinations[1].name",
    ] == places


def test_production_takes_no_tests() -> None:
    """Neither test mode nor a test code is taken where real conversions are at stake."""
    text = GOOD.replace("live", "test") + "    options: {test_code: T1}\n"
    places = [line.partition(": ")[0] for line in faults_of(text, production=True)]

    assert ["line 6, destinations[0].mode", "line 8, destinations[0].options.test_code"] == places


def test_tests_are_taken_elsewhere() -> None:
    """Outside of production a destination in test mode may have a test code."""
    text = GOOD.replace("live", "test") + "    options: {test_code: T1}\n"

    assert "test" == read_destinations(text, KINDS, production=False)[0].mode


def test_test_mode_needs_its_code() -> None:
    """Test mode without a test code is refused: it would send live conversions."""
    fault = "line 6, destinations[0].mode: needs `options.test_code`; without it live conversions would be sent"

    assert [fault] == faults_of(GOOD.replace("live", "test"))


@pytest.mark.parametrize(
    "token",
    [
        "EAABsbCS1iHgBAKZCq4ZBZA1234567890",
        "0123456789abcdef0123456789abcdef01234567",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
    ],
)
def test_a_literal_token_is_refused_and_not_repeated(token: str) -> None:
    """What looks like a credential must not stand in the file, nor in the message."""
    faults = faults_of(GOOD.replace("one_token", token))

    assert "line 7, destinations[0].secrets.token: looks like a credential" in faults[0]
    assert token not in "".join(faults)


def test_a_missing_file_says_which_variable(tmp_path: Path) -> None:
    """A file that cannot be read names itself and the variable that points to it."""
    with pytest.raises(DestinationsError, match="CAPI_DESTINATIONS_FILE"):
        load_destinations(tmp_path / "none.yaml", KINDS, production=True)


@given(st.text(max_size=200) | st.text("[]{}:,-&*!# \n\tax1'\"", max_size=80))
def test_no_text_breaks_the_reader(text: str) -> None:
    """Whatever stands in the file, the answer is faults and not a crash."""
    with pytest.raises(DestinationsError):
        read_destinations(text, KINDS, production=True)


@pytest.mark.parametrize(("model", "value"), [(LimitsEntry, Limits), (RuleEntry, Rule), (ConsentEntry, ConsentPolicy)])
def test_the_file_can_say_all_of_it(
    model: type[LimitsEntry | RuleEntry | ConsentEntry], value: type[Limits | Rule | ConsentPolicy]
) -> None:
    """Every field of the value has its key in the file."""
    assert [field.name for field in dataclasses.fields(value)] == list(model.model_fields)


@pytest.mark.parametrize("event", [event for events in EVENTS_OF.values() for event in events])
def test_the_file_knows_every_event(event: str) -> None:
    """A rule may name each event of the contract."""
    (destination,) = read_destinations(GOOD + f"    rule: {{events: [{event}]}}\n", KINDS, production=True)

    assert {event} == destination.rule.events


def test_a_policy_is_laid_over_the_default() -> None:
    """What a policy does not name stays as it is by default: nothing is sent from Europe by leaving it out."""
    (destination,) = read_destinations(GOOD + '    consent: {unknown: {"*": send}}\n', KINDS, production=True)

    assert UNKNOWN_CONSENT == destination.consent.unknown


def test_a_platform_judges_the_whole() -> None:
    """What a platform finds wrong with a destination as a whole is a fault at the destination's own line."""
    kinds = {"acme": Kind(faults=lambda each: [(f"{each.name} needs a twin", "add one")])}
    with pytest.raises(DestinationsError) as caught:
        read_destinations(GOOD, kinds, production=True)

    assert ("line 3, destinations[0]: one needs a twin; add one",) == caught.value.lines


def test_a_platform_may_have_a_test_mode_of_its_own() -> None:
    """Where the mode alone makes a test, no option is asked for."""
    text = GOOD.replace("live", "test")

    assert "test" == read_destinations(text, {"acme": Kind(test_option=None)}, production=False)[0].mode


def test_an_account_may_have_two_destinations() -> None:
    """A canary has the platform and the account of what it stands beside, and another name."""
    text = GOOD + GOOD.partition("destinations:\n")[2].replace("name: one", "name: two")

    assert ["one", "two"] == [each.name for each in read_destinations(text, KINDS, production=True)]
