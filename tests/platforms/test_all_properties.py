"""What holds for every row of every platform's table, and for every payload of all five."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from unicodedata import normalize

import oracles
import pytest
from avro_events import CONTRACT
from contract_events import LIKELY, events, personal
from hypothesis import given, settings
from hypothesis import strategies as st
from meta_events import changed, event_of, kind_of
from oracles import SENDERS, documents

from pipeline.core.avro.schema import Array
from pipeline.core.contract import Kind
from pipeline.core.match_key import Dated, Local, MatchKey, Numeric, Paired, Plain
from pipeline.core.model import Shaped
from pipeline.core.normalize.identifier import external_id
from pipeline.core.normalize.person import name_as_written, name_without_titles
from pipeline.core.normalize.place import postal_code_as_written
from pipeline.edge.schema_files import KINDS
from pipeline.platforms.google_keys import GOOGLE_KEYS
from pipeline.platforms.meta_keys import META_KEYS
from pipeline.platforms.pinterest_keys import PINTEREST_KEYS
from pipeline.platforms.snapchat_keys import SNAPCHAT_KEYS
from pipeline.platforms.tiktok_keys import TIKTOK_KEYS

KEYS: Final[Mapping[str, tuple[MatchKey, ...]]] = {
    "meta": META_KEYS,
    "tiktok": TIKTOK_KEYS,
    "pinterest": PINTEREST_KEYS,
    "snapchat": SNAPCHAT_KEYS,
    "google": GOOGLE_KEYS,
}
# Rows of several platforms that read one field by one rule are one row here. A date has one notation only.
ROWS: Final = tuple(
    {(key.source, key.rule): key for keys in KEYS.values() for key in keys if not isinstance(key.rule, Dated)}.values()
)


def _rows(wanted: Callable[[MatchKey], bool]) -> pytest.MarkDecorator:
    """Return a parametrization by the rows that are `wanted`."""
    found = [key for key in ROWS if wanted(key)]
    return pytest.mark.parametrize("key", found, ids=[f"{key.source}-{key.rule.rule.__name__}" for key in found])


def _field(key: MatchKey) -> str:
    return key.source.rpartition(".")[2]


# -- rules: what notation says --------------------------------------------------------------------------------------

# docs/normalization.md: fields of which case says nothing, and fields of which spaces within say nothing. Ids, cookies
# and click ids are compared byte by byte, so nothing is folded in them, unless the destination says so.
CASELESS: Final = frozenset(
    "emails first_name last_name gender city region country advertising_id vendor_id postal_code".split()
)
SPACELESS: Final = frozenset("phones first_name last_name gender city region country postal_code".split())
FOLDED: Final = Plain(external_id)
# What Google and Pinterest want as people write it.
AS_WRITTEN: Final = (Plain(name_as_written), Plain(name_without_titles), Local(postal_code_as_written))
COUNTRIES: Final = st.sampled_from([None, "us", "ca", "gb", "de", "jp"])
TEXTS: Final = st.text("aAéÉßÑ.@+ -'’,019()", max_size=16)


def _rule(key: MatchKey) -> Callable[[str, str | None], str | int | None]:
    """Return a row's rule as a function of the raw value and the customer's country."""
    match key.rule:
        case Plain(plain):
            return lambda raw, _: plain(raw)
        case Local(local):
            return local
        case Paired(paired, _):
            return lambda raw, _: paired(raw, 1_763_712_000_000)
        case Numeric(number):
            return lambda raw, _: number(raw)
        case Dated():
            raise AssertionError("a date has one notation")


def _raws(key: MatchKey) -> st.SearchStrategy[str]:
    likely = LIKELY.get(_field(key))
    return TEXTS | st.sampled_from(likely) if likely else TEXTS


@_rows(lambda _: True)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_idempotent(key: MatchKey, data: st.DataObject) -> None:
    """A rule gives its own result back unchanged, so that what was normalized before is not normalized away."""
    rule, country = _rule(key), data.draw(COUNTRIES)
    found = rule(data.draw(_raws(key)), country)

    # A cookie that is built of a click id is another field's value.
    if found is not None and not isinstance(key.rule, Paired):
        again = f"+{found}" if _field(key) == "phones" and not str(found).startswith("+") else str(found)
        assert found == rule(again, country)


@_rows(lambda _: True)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_space_around_says_nothing(key: MatchKey, data: st.DataObject) -> None:
    """Space around a value, of any script, changes nothing."""
    rule, country, raw = _rule(key), data.draw(COUNTRIES), data.draw(_raws(key))

    assert rule(raw, country) == rule(f" \t{raw}\u00a0\u3000", country)


@_rows(lambda key: _field(key) in CASELESS or key.rule == FOLDED)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_case_and_unicode_form_say_nothing(key: MatchKey, data: st.DataObject) -> None:
    """Where a field is the same in capitals or in another Unicode form, so is its result."""
    rule, country = _rule(key), data.draw(COUNTRIES)
    raw = data.draw(_raws(key)).replace("ß", "s")
    small, large = rule(normalize("NFC", raw.lower()), country), rule(normalize("NFD", raw.upper()), country)

    if key.rule == Local(postal_code_as_written):
        # It leaves clear, and in the case in which people write it.
        small, large = str(small).lower(), str(large).lower()
    assert small == large


@_rows(lambda key: (_field(key) in SPACELESS and key.rule not in AS_WRITTEN) or key.rule == FOLDED)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_space_within_says_nothing(key: MatchKey, data: st.DataObject) -> None:
    """Where people part a value by spaces or not, it is one value."""
    rule, country = _rule(key), data.draw(COUNTRIES)
    digits = _field(key) == "phones"
    letters = st.text("0123456789" if digits else "abcdé", min_size=1, max_size=4)
    parts = data.draw(st.lists(letters, min_size=1, max_size=4))
    front = "+44 20 " if digits else ""

    assert rule(front + "".join(parts), country) == rule(front + " ".join(parts), country)


@pytest.mark.parametrize("notation", ["+44 20 7946 0958", "0044-20-7946-0958", "+44 (0)20 7946.0958", "020 7946 0958"])
@pytest.mark.parametrize("platform", KEYS)
def test_notation_of_a_phone_says_nothing(platform: str, notation: str) -> None:
    """However people write it, a number is one number on every platform."""
    (key,) = [key for key in KEYS[platform] if _field(key) == "phones"]

    assert str(_rule(key)(notation, "gb")).removeprefix("+") == "442079460958"


# -- bytes ----------------------------------------------------------------------------------------------------------


def test_same_bytes_in_another_process() -> None:
    """Another process, with another order of hashing, sends the same bytes of many events to all five platforms."""
    written = subprocess.run(
        [sys.executable, Path(oracles.__file__)],
        env={**os.environ, "PYTHONHASHSEED": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=True,
    ).stdout.decode()

    assert list(oracles.lines()) == written.splitlines()
    assert len(written.splitlines()) > 300


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_same_bytes_again(kind: Kind, data: st.DataObject) -> None:
    """The same event gives the same bytes again, whatever other platforms made of it in between."""
    event = data.draw(events(kind))
    alone = [sender.shape(event) for sender in SENDERS.values()]
    event.seals = {}
    together = [sender.shape(event) for sender in reversed(SENDERS.values())]

    assert alone == together[::-1]


# -- what stays -----------------------------------------------------------------------------------------------------

# What each vendor's page wants as it is, by the name of the page's own field; nothing else of a person may leave raw.
# meta: customer information parameters, server event, app events, custom data. tiktok: parameters, page and properties.
# pinterest: ConversionEventsUserData and custom_data. snapchat: parameters. google: AdIdentifiers, AddressInfo,
# DeviceInfo.
PAGE: Final = "touch.url"
VISIT: Final = frozenset({"touch.client_ip", "touch.client_ipv6", "touch.user_agent"})
CLEAR: Final[Mapping[str, frozenset[str]]] = {
    "meta": VISIT
    | {PAGE, "touch.referrer", "touch.fbc", "touch.fbp", "touch.fbclid", "customer.facebook_login_id", "meta_lead_id"}
    | {"app.advertising_id", "app.anonymous_id", "app.extinfo", "query"}
    | {"messaging.page_scoped_user_id", "messaging.instagram_user_id", "messaging.ctwa_clid"},
    "tiktok": VISIT
    | {PAGE, "touch.referrer", "touch.language", "touch.ttclid", "touch.ttp", "app.vendor_id", "tiktok_lead_id"}
    | {"customer.city", "customer.region", "customer.country", "query"},
    "pinterest": VISIT | {PAGE, "touch.language", "touch.epik", "query"},
    "snapchat": VISIT
    | {PAGE, "touch.sc_click_id", "touch.sc_cookie1", "app.advertising_id", "app.vendor_id", "app.extinfo"}
    | {"snap_lead_id", "query"},
    "google": VISIT
    | {"touch.gclid", "touch.wbraid", "touch.gbraid", "touch.gad_session_attributes", "google_lead_id"}
    | {"customer.country", "customer.postal_code"},
}
MARK: Final = "qzvxwkjy"
MARKED: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "emails": (f"{MARK}@{MARK}.example", (MARK,)),
    "phones": ("+442079461234", ("2079461234", "7946")),
    "birth_date": ("1987-07-31", ("1987-07-31", "19870731")),
    "gender": ("Woman", ("woman",)),
    "country": ("Liechtenstein", ("liechtenstein", '"li"')),
    "postal_code": ("QZVXW 9", ("qzvxw",)),
}
PERSONAL: Final = [
    (kind, path, isinstance(node, Array)) for kind in KINDS for path, node in personal(CONTRACT.schemas[kind])
]


def _marked(path: str, *, listed: bool) -> tuple[object, tuple[str, ...]]:
    """Return a value that the field's rule takes, and how it would show."""
    value, traces = MARKED.get(path.rpartition(".")[2], (MARK.upper(), (MARK,)))
    return ([value] if listed else value), traces


@pytest.mark.parametrize("platform", SENDERS)
def test_clear_fields_are_personal(platform: str) -> None:
    """The list of what may leave clear names fields that the contract marks as personal, and no other."""
    assert set() == CLEAR[platform] - {path for _, path, _ in PERSONAL}


@pytest.mark.parametrize("kind", KINDS)
def test_raw_values_stay(kind: Kind) -> None:
    """At every place, a personal field that a platform does not want clear leaves no trace of its value there."""
    fields = [(path, listed) for of, path, listed in PERSONAL if of == kind]
    shown, count = [], 0
    # The third at each place is the one that no platform has a reason to skip.
    for document in list(documents())[2::3]:
        for path, listed in fields if kind_of(document) == kind else ():
            value, traces = _marked(path, listed=listed)
            event = event_of(changed(document, {path: value}))
            for platform, sender in SENDERS.items():
                found = sender.shape(event)
                if isinstance(found, Shaped) and path not in CLEAR[platform]:
                    count += 1
                    text = found.payload.decode().lower()
                    shown += [(platform, path) for trace in traces if trace in text]

    assert [] == shown
    assert count > len(fields) * len(SENDERS)


@pytest.mark.parametrize("platform", SENDERS)
@settings(max_examples=15, deadline=None)
@given(name=st.text("ghijklmnopqrstuvwxyz", min_size=8, max_size=12), number=st.integers(0, 9999))
def test_raw_customer_stays(platform: str, name: str, number: int) -> None:
    """No part of a name, an address or a number shows, whether the event is sent or refused."""
    customer = {
        **dict.fromkeys(("first_name", "last_name"), name),
        "emails": [f"{name}@{name}.example"],
        "phones": [f"+44207946{number:04}"],
        "external_ids": [name],
    }
    document = next(documents())
    told = [
        str(SENDERS[platform].shape(event_of(changed(document, {"customer": customer, **more}))))
        for more in ({}, {"touch": {}, "app": None})
    ]

    assert [] == [raw for raw in (name, f"207946{number:04}") for one in told if raw in one.lower()]
