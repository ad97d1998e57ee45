"""Match keys from a table: forms, alternatives, order, what is dropped and what is remembered."""

from __future__ import annotations

from datetime import date
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.identify import MatchTable, Value, identify
from pipeline.core.match_key import Dated, Form, Local, MatchKey, Numeric, Paired, Plain
from pipeline.core.normalize import network, person, place
from pipeline.core.normalize.email import email
from pipeline.core.normalize.identifier import external_id
from pipeline.core.normalize.phone import phone

TODAY = date(2026, 11, 21)
OF_NOTHING = sha256(b"").hexdigest()
EMAILS = MatchTable((MatchKey("em", "customer.emails", Plain(email), built=True),))


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _emails(*raws: str) -> dict[str, object]:
    return {"customer": {"emails": list(raws)}}


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (Form.HASHED_LIST, [_hash("a@b.de")]),
        (Form.HASHED, _hash("a@b.de")),
        (Form.CLEAR_LIST, ["a@b.de"]),
        (Form.CLEAR, "a@b.de"),
    ],
)
@pytest.mark.parametrize("remember", [0, 8])
def test_forms(form: Form, expected: Value, remember: int) -> None:
    """A value is sent hashed or clear, alone or in a list, as the row says, whether remembered or not."""
    table = MatchTable((MatchKey("em", "customer.emails", Plain(email), form, remember),))

    identified = identify(_emails(" A@B.de "), table, None, TODAY)

    assert {"em": expected} == identified.keys


def test_list_is_sorted_and_without_doubles() -> None:
    """C20: values that are one after the rule are one, and the order of the event does not matter."""
    there = identify(_emails("a@b.de", "c@d.de", " A@B.DE"), EMAILS, None, TODAY)
    back = identify(_emails("c@d.de", "a@b.de"), EMAILS, None, TODAY)

    assert {"em": sorted([_hash("a@b.de"), _hash("c@d.de")])} == there.keys == back.keys


def test_single_value_of_a_list_is_the_first_usable() -> None:
    """Where a platform wants one value, it gets the first that can be used, and the other is reported."""
    table = MatchTable((MatchKey("em", "customer.emails", Plain(email), Form.HASHED),))

    identified = identify(_emails("nobody", "c@d.de", "a@b.de"), table, None, TODAY)

    assert ({"em": _hash("c@d.de")}, ("em",)) == (identified.keys, identified.dropped)


@pytest.mark.parametrize("raws", [(), ("",), ("null",), ("\u200b", " ")])
def test_nothing_there_is_not_dropped(raws: tuple[str, ...]) -> None:
    """Empty, blank and sentinel values give no key and are no fault of the data."""
    identified = identify(_emails(*raws), EMAILS, None, TODAY)

    assert ({}, ()) == (identified.keys, identified.dropped)


@pytest.mark.parametrize("raws", [("a@b",), ("x", "y")])
def test_unusable_is_dropped_once(raws: tuple[str, ...]) -> None:
    """A value that was there and cannot be used is reported by the name of its key, once."""
    identified = identify(_emails(*raws), EMAILS, None, TODAY)

    assert ({}, ("em",)) == (identified.keys, identified.dropped)


def test_ready_hashes_pass() -> None:
    """C5: hashes are not hashed again; Meta's suffix passes unchanged; the hash of nothing does not pass."""
    ready, built = _hash("x").upper(), f"{_hash('y')}.AQICAQMC"

    identified = identify(_emails(ready, built, OF_NOTHING), EMAILS, None, TODAY)

    assert ({"em": sorted([ready.lower(), built])}, ("em",)) == (identified.keys, identified.dropped)


@pytest.mark.parametrize("raw", [OF_NOTHING, OF_NOTHING.upper(), f"{_hash('x')}.AQICAQMC"])
def test_hash_that_does_not_pass_is_not_hashed_again(raw: str) -> None:
    """The hash of nothing, and a hash made for Meta elsewhere, are left out of every hashed field."""
    table = MatchTable(
        (
            MatchKey("fn", "customer.first_name", Plain(person.name)),
            MatchKey("ct", "customer.city", Plain(place.city), remember=8),
            MatchKey("st", "customer.region", Local(place.region)),
            MatchKey("zp", "customer.postal_code", Local(place.postal_code), remember=8),
            MatchKey("external_id", "customer.external_ids", Plain(external_id)),
        )
    )
    customer = {"first_name": raw, "city": raw, "region": raw, "postal_code": raw, "external_ids": [raw]}

    identified = identify({"customer": customer}, table, "us", TODAY)

    assert ({}, ("fn", "ct", "st", "zp", "external_id")) == (identified.keys, identified.dropped)


def test_ready_hash_of_a_place() -> None:
    """Rules that read the country, and fields that are remembered, let hashes pass as well."""
    table = MatchTable(
        (
            MatchKey("st", "customer.region", Local(place.region), remember=8),
            MatchKey("ct", "customer.city", Plain(place.city), remember=8),
        )
    )
    body = {"customer": {"region": _hash("ca").upper(), "city": _hash("bonn")}}

    assert {"st": [_hash("ca")], "ct": [_hash("bonn")]} == identify(body, table, "us", TODAY).keys


def test_alternatives() -> None:
    """Of rows with one name the first usable wins; an unusable one before it is reported."""
    table = MatchTable(
        (
            MatchKey("fbc", "touch.fbc", Plain(network.fbc), Form.CLEAR),
            MatchKey("fbc", "touch.fbclid", Paired(network.fbc_from_click, "fbclid_seen_at"), Form.CLEAR),
        )
    )
    touch = {"fbc": "broken", "fbclid": "AbCdEf", "fbclid_seen_at": 1554763741205}

    identified = identify({"touch": touch}, table, None, TODAY)

    assert ({"fbc": "fb.1.1554763741205.AbCdEf"}, ("fbc",)) == (identified.keys, identified.dropped)


def test_alternatives_need_one_form() -> None:
    """A table whose rows of one name differ in form is refused when it is made."""
    rows = (MatchKey("ip", "touch.a", Plain(network.client_ip), Form.CLEAR), MatchKey("ip", "touch.b", Plain(email)))

    with pytest.raises(ValueError, match="match key ip: its rows have different forms"):
        MatchTable(rows)


def test_country_and_day_reach_the_rules() -> None:
    """National numbers are read in the customer's country, birth dates against the day of the event."""
    table = MatchTable(
        (
            MatchKey("ph", "customer.phones", Local(phone)),
            MatchKey("db", "customer.birth_date", Dated(person.birth_date), remember=8),
        )
    )
    body = {"customer": {"phones": ["020 7946 0958"], "birth_date": date(2026, 11, 21)}}

    assert {"ph": [_hash("442079460958")], "db": [_hash("20261121")]} == identify(body, table, "gb", TODAY).keys
    assert ("ph", "db") == identify(body, table, None, date(2026, 11, 20)).dropped


def test_keys_come_in_table_order_and_absent_sections_are_skipped() -> None:
    """The order of the keys is the table's; a section that is null gives nothing; the top level is a section too."""
    table = MatchTable(
        (
            MatchKey("lead_id", "meta_lead_id", Numeric(network.lead_id), Form.CLEAR),
            MatchKey("madid", "app.advertising_id", Plain(network.device_id), Form.CLEAR),
            MatchKey("em", "customer.emails", Plain(email)),
        )
    )
    body = {"customer": {"emails": ["a@b.de"]}, "app": None, "meta_lead_id": "1234567890123456"}

    identified = identify(body, table, None, TODAY)

    assert [("lead_id", 1234567890123456), ("em", [_hash("a@b.de")])] == list(identified.keys.items())


@pytest.mark.parametrize(
    ("key", "section"),
    [
        (MatchKey("zp", "customer.field", Plain(place.city)), {"field": 94025}),
        (MatchKey("zp", "customer.field", Plain(place.city), remember=8), {"field": 94025}),
        (MatchKey("zp", "customer.field", Local(place.postal_code)), {"field": 94025}),
        (MatchKey("zp", "customer.field", Numeric(network.lead_id), Form.CLEAR), {"field": 94025}),
        (MatchKey("zp", "customer.field", Dated(person.birth_date)), {"field": "94025"}),
        (MatchKey("zp", "customer.field", Paired(network.fbc_from_click, "at")), {"field": "x", "at": "94025"}),
    ],
    ids=["plain", "remembered", "local", "numeric", "dated", "paired"],
)
def test_wrong_type_names_the_key_and_not_the_value(key: MatchKey, section: dict[str, object]) -> None:
    """C16: a field of another type than the contract's is a bug, told without the value."""
    with pytest.raises(TypeError, match="match key zp: expected") as caught:
        identify({"customer": section}, MatchTable((key,)), None, TODAY)

    assert "94025" not in str(caught.value)


def test_section_of_the_wrong_type() -> None:
    """A section that is no record is a bug, and named."""
    with pytest.raises(TypeError, match="section customer: expected a record, found str"):
        identify({"customer": "x"}, EMAILS, None, TODAY)


def test_only_rows_that_say_so_remember() -> None:
    """A rule is asked once per remembered value, and each time for what must not be remembered or is too long."""
    asked: list[str] = []

    def rule(raw: str) -> str:
        asked.append(raw)
        return raw

    table = MatchTable(
        (
            MatchKey("ct", "customer.city", Plain(rule), remember=8),
            MatchKey("fn", "customer.name", Plain(rule)),
            MatchKey("st", "customer.region", Plain(rule), remember=8),
        )
    )
    body = {"customer": {"city": "bonn", "name": "ada", "region": "r" * 64}}
    for _ in range(3):
        identify(body, table, None, TODAY)

    assert (1, 3, 3) == (asked.count("bonn"), asked.count("ada"), asked.count("r" * 64))


@given(st.lists(st.one_of(st.text(max_size=20), st.emails()), max_size=4))
def test_never_the_hash_of_nothing(raws: list[str]) -> None:
    """Whatever the e-mails, the hash of the empty text is not among the keys, and the answer is always the same."""
    identified = identify(_emails(*raws), EMAILS, None, TODAY)

    assert OF_NOTHING not in str(identified.keys)
    assert identified == identify(_emails(*reversed(raws)), EMAILS, None, TODAY)


def test_tables_share_what_they_have_in_common() -> None:
    """With the event's seals a rule is applied once to a field, however many tables ask; without them, by each."""
    asked: list[str] = []

    def rule(raw: str) -> str:
        asked.append(raw)
        return raw

    tables = [
        MatchTable((MatchKey(name, "touch.user_agent", Plain(rule), form),))
        for name, form in (
            ("ua", Form.CLEAR),
            ("agent", Form.CLEAR),
            ("hash", Form.HASHED),
            ("hashes", Form.HASHED_LIST),
        )
    ]
    body = {"touch": {"user_agent": "a long text that is no hash, as those of browsers are, all of them by now"}}
    seals: dict[int, str | int | None] = {}
    found = [identify(body, table, None, TODAY, seals).keys for table in tables]
    shared = len(asked)

    assert found == [identify(body, table, None, TODAY).keys for table in tables]
    # What may be a hash already is read by each table: they differ in what they take for one.
    assert (3, 4) == (shared, len(asked) - shared)


def test_what_meta_takes_for_a_hash_is_none_for_others() -> None:
    """A hash with Meta's suffix passes in Meta's table only, in whatever order the tables ask with one set of seals."""
    ours = MatchTable((MatchKey("em", "customer.emails", Plain(email), built=True),))
    theirs = MatchTable((MatchKey("email", "customer.emails", Plain(email)),))
    body = _emails(f"{_hash('y')}.AQICAQMC")

    for first, second in ((ours, theirs), (theirs, ours)):
        seals: dict[int, str | int | None] = {}
        found = {**identify(body, first, None, TODAY, seals).keys, **identify(body, second, None, TODAY, seals).keys}
        assert {"em": [f"{_hash('y')}.AQICAQMC"]} == found
