"""How each match key came about: what a row says of one field, step by step."""

from __future__ import annotations

from datetime import date
from hashlib import sha256

import pytest

from pipeline.core.explanation import Reading, Row, explain_keys
from pipeline.core.identify import MatchTable, identify
from pipeline.core.match_key import Dated, Form, Local, MatchKey, Numeric, Paired, Plain
from pipeline.core.normalize import network, person
from pipeline.core.normalize.email import email
from pipeline.core.normalize.phone import phone

TODAY = date(2026, 11, 21)
HASH = sha256(b"a@b.de").hexdigest()
EM = MatchKey("em", "customer.emails", Plain(email))


def rows(body: dict[str, object], *keys: MatchKey, country: str | None = None) -> tuple[Row, ...]:
    """Explain an event by a table of these rows."""
    return explain_keys(body, MatchTable(keys), country, TODAY)


def row(value: object, key: MatchKey, country: str | None = None, **others: object) -> Row:
    """Explain one field by one row."""
    section, _, field = key.source.partition(".")
    (found,) = rows({section: {field: value, **others}}, key, country=country)
    return found


def test_tells_every_step() -> None:
    """A value is told as it was, as the rule left it, and as it is sent, with the rule and what it says of itself."""
    found = row([" A@B.de "], EM)

    assert (Reading(" A@B.de ", "a@b.de", "hashed", HASH),) == found.readings
    assert ("em", "customer.emails", "sent", [HASH]) == (found.key, found.source, found.outcome, found.sent)
    assert ("email", "a list of one: text of 8 characters") == (found.rule, found.found)
    assert found.rule_says.startswith("Return the address trimmed and in lower case")


@pytest.mark.parametrize(
    ("raw", "found", "outcome"),
    [
        (None, "absent", "absent"),
        ([], "an empty list", "absent"),
        ([""], "a list of one: empty text", "blank"),
        (["null"], "a list of one: blank text, or a word for nothing", "blank"),
        (["x"], "a list of one: text of 1 character", "unusable"),
        (["null", "x"], "a list of 2", "unusable"),
        (["x", "a@b.de"], "a list of 2", "sent"),
        ([HASH.upper()], "a list of one: a hash already", "sent"),
    ],
)
def test_classes_of_values(raw: object, found: str, outcome: str) -> None:
    """What is there has a class that tells nothing of the value, and decides what becomes of the key."""
    told = row(raw, EM)

    assert (found, outcome) == (told.found, told.outcome)


def test_hash_is_passed_on() -> None:
    """What is a hash already goes by no rule."""
    assert (Reading(HASH.upper(), None, "passed on", HASH),) == row([HASH.upper()], EM).readings


def test_suffix_is_read_where_the_platform_does() -> None:
    """Meta's suffix behind a hash is kept for a row that takes it, and unusable for others."""
    built = f"{HASH}.AQ"

    assert "passed on" == row([built], MatchKey("em", "customer.emails", Plain(email), built=True)).readings[0].becomes
    assert "unusable" == row([built], EM).readings[0].becomes


@pytest.mark.parametrize(
    ("key", "raw", "others", "normalized"),
    [
        (MatchKey("ph", "customer.phones", Local(phone)), "020 7946 0958", {}, "442079460958"),
        (MatchKey("db", "customer.birth_date", Dated(person.birth_date)), date(1990, 5, 17), {}, "19900517"),
        (
            MatchKey("fbc", "touch.fbclid", Paired(network.fbc_from_click, "seen"), Form.CLEAR),
            "Click1",
            {"seen": 1_763_711_000_000},
            "fb.1.1763711000000.Click1",
        ),
        (MatchKey("lead_id", "lead.id", Numeric(network.lead_id), Form.CLEAR), "525645896321548", {}, 525645896321548),
    ],
    ids=["country", "day", "companion", "number"],
)
def test_rules_get_what_they_ask_for(
    key: MatchKey, raw: object, others: dict[str, object], normalized: str | int
) -> None:
    """Every kind of rule is asked as `identify` asks it."""
    assert normalized == row(raw, key, "gb", **others).readings[0].normalized


def test_loser_is_named() -> None:
    """Of alternatives the first that gives a value wins, and the others say which field it was."""
    keys = (
        MatchKey("ip", "touch.v6", Plain(network.client_ip), Form.CLEAR),
        MatchKey("ip", "touch.v4", Plain(network.client_ip), Form.CLEAR),
    )
    won, lost = rows({"touch": {"v6": "2001:db8::7", "v4": "203.0.113.7"}}, *keys)
    failed, second = rows({"touch": {"v6": "::1", "v4": "203.0.113.7"}}, *keys)

    assert ("sent", "beaten", "touch.v6", ()) == (won.outcome, lost.outcome, lost.beaten_by, lost.readings)
    assert ("unusable", "sent", "203.0.113.7") == (failed.outcome, second.outcome, second.sent)


def test_missing_section_has_nothing() -> None:
    """The fields of a section that the event does not have are absent."""
    (found,) = rows({"app": None}, MatchKey("madid", "app.advertising_id", Plain(network.device_id), Form.CLEAR))

    assert ("absent", "absent") == (found.found, found.outcome)


def test_single_value_is_the_first_usable() -> None:
    """Of a list, a platform that wants one value gets the first that can be used; every value is told."""
    found = row(["nobody", "c@d.de", "a@b.de"], MatchKey("em", "customer.emails", Plain(email), Form.CLEAR))

    assert ("c@d.de", ["unusable", "clear", "clear"]) == (found.sent, [one.becomes for one in found.readings])


def test_list_is_what_identify_gives() -> None:
    """A list is sent sorted and without doubles; every value of it is told, in the order of the event."""
    raws = ["z@b.de", "a@b.de", " A@B.DE", "a"]
    found = row(raws, EM)
    expected = identify({"customer": {"emails": raws}}, MatchTable((EM,)), None, TODAY)

    assert (expected.keys["em"], 2) == (found.sent, len(expected.keys["em"]))  # type: ignore[arg-type]
    assert raws == [one.raw for one in found.readings]
