"""Meta's own SDK: its models read our payloads without loss, and its normalizer differs from ours where we say so.

The rows of "Differences from Meta's SDK" in docs/normalization.md are examples, and `test_meta_sdk.py` runs each one.
Here the kinds of values that these rows stand for are named, and any other value must come out equal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple
from unicodedata import category, is_normalized

import pycountry
import pytest
from contract_events import LIKELY, events
from differences import MODELS
from facebook_business.adobjects.serverside.action_source import ActionSource
from facebook_business.adobjects.serverside.app_data import AppData
from facebook_business.adobjects.serverside.content import Content
from facebook_business.adobjects.serverside.custom_data import CustomData
from facebook_business.adobjects.serverside.event import Event as SdkEvent
from facebook_business.adobjects.serverside.extended_device_info import ExtendedDeviceInfo
from facebook_business.adobjects.serverside.gender import Gender
from facebook_business.adobjects.serverside.messaging_channel import MessagingChannel
from facebook_business.adobjects.serverside.normalize import Normalize
from facebook_business.adobjects.serverside.user_data import UserData
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import samples, sent

from pipeline.core.contract import Kind
from pipeline.core.identify import MatchTable, identify
from pipeline.edge.schema_files import KINDS
from pipeline.platforms.meta import ACTION_SOURCES
from pipeline.platforms.meta_keys import META_KEYS

PAGE = Path(__file__).parents[2] / "docs" / "normalization.md"
# What the SDK's models have no place for, or have in another form.
LACKING = {row.place for row in MODELS if row.model == "Meta SDK"}

# -- the models ----------------------------------------------------------------------------------------------------

GENDERS: Final = {sha256(gender.value.encode()).hexdigest(): gender for gender in Gender}
USER: Final[Mapping[str, str]] = {
    "em": "emails",
    "ph": "phones",
    "fn": "first_names",
    "ln": "last_names",
    "db": "dates_of_birth",
    "ct": "cities",
    "st": "states",
    "zp": "zip_codes",
    "country": "country_codes",
    "external_id": "external_ids",
}
DEVICE: Final = list(ExtendedDeviceInfo.param_types)


def _read(document: Mapping[str, Any]) -> SdkEvent:
    """Read an event in the SDK's models. Raises TypeError for a name and ValueError for a word that they have not."""
    given = {**document, "action_source": ActionSource(document["action_source"])}
    given["user_data"] = _user(document["user_data"])
    if "custom_data" in document:
        lines = [_line(one) for one in document["custom_data"].get("contents", ())]
        given["custom_data"] = CustomData(**{**document["custom_data"], "contents": lines or None})
    if "app_data" in document:
        facts = ExtendedDeviceInfo(**dict(zip(DEVICE, document["app_data"]["extinfo"], strict=True)))
        given["app_data"] = AppData(**{**document["app_data"], "extinfo": facts})
    if "messaging_channel" in document:
        given["messaging_channel"] = MessagingChannel(document["messaging_channel"])
    return SdkEvent(**given)


def _user(keys: Mapping[str, Any]) -> UserData:
    given = {USER.get(name, name): value for name, value in keys.items() if name != "ge"}
    return UserData(**given, genders=[GENDERS[one] for one in keys.get("ge", ())] or None)


def _line(line: Mapping[str, Any]) -> Content:
    return Content(**{"product_id" if name == "id" else name: value for name, value in line.items()})


def _known(document: Mapping[str, Any], but: str = "") -> dict[str, Any]:
    """Return an event without what the models have no place for; `but` stays."""
    lacking = LACKING - {"currency", but}
    known = {name: value for name, value in document.items() if f"{name}: {value}" not in lacking}
    for section in ("user_data", "custom_data"):
        if section in document:
            known[section] = {name: one for name, one in document[section].items() if name not in lacking}
    return known


def _comparable(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event as it can be compared: the SDK gives lists in any order, and currencies in lower case."""
    keys = {name: sorted(one) if isinstance(one, list) else one for name, one in document["user_data"].items()}
    data = dict(document.get("custom_data", {}))
    if "currency" in data:
        data["currency"] = data["currency"].lower()
    return {**document, "user_data": keys, "custom_data": data}


def _loss(body: Mapping[str, Any]) -> list[tuple[object, object]]:
    """Return the events of a body that are others when the SDK's models have read them, beside what they are then."""
    pairs = [(_comparable(one), _comparable(_read(one).normalize())) for one in map(_known, body["data"])]
    return [pair for pair in pairs if pair[0] != pair[1]]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_every_request_is_read(kind: Kind, data: st.DataObject) -> None:
    """Meta's models read any event of ours, and what they would send of it is what we send."""
    body = sent("meta", data.draw(events(kind)))

    assert body is None or [] == _loss(body)


def test_full_requests_are_read() -> None:
    """So are events of which everything is known, at every place."""
    bodies = [body for event in samples() if (body := sent("meta", event)) is not None]

    assert len(bodies) == 81
    assert [] == [pair for body in bodies for pair in _loss(body)]


@pytest.mark.parametrize("place", sorted(LACKING - {"currency", "lists"}))
def test_models_lack_it(place: str) -> None:
    """Each place of the table is one that the models do not have, and that a full event of ours has."""
    name, _, word = place.partition(": ")
    ours = [one for event in samples() if (body := sent("meta", event)) is not None for one in body["data"]]
    having = [one for one in ours if name in {**one, **one["user_data"], **one["custom_data"]}]
    having = [one for one in having if not word or one[name] == word]

    assert having
    with pytest.raises((TypeError, ValueError)):
        _read(_known(having[0], but=place))


def test_places_are_metas() -> None:
    """Every word for where it happened is one of the SDK's."""
    assert {one.value for one in ActionSource} == set(ACTION_SOURCES.values())


# -- the normalizer ------------------------------------------------------------------------------------------------

TODAY: Final = date(2026, 11, 21)
KEYS: Final = ("em", "ph", "fn", "ln", "ct", "st", "zp", "country")
FIELDS: Final = {key.name: key.source.rpartition(".")[2] for key in META_KEYS if key.name in KEYS}
TABLES: Final = {key.name: MatchTable((key,)) for key in META_KEYS if key.name in KEYS}
OF_NOTHING: Final = sha256(b"").hexdigest()
OF_JANE: Final = sha256(b"jane").hexdigest()
# What programs write where they have nothing to write.
NOTHING: Final = frozenset("null none undefined n/a unknown -".split())
ISO_CODES: Final = frozenset(one.alpha_2.lower() for one in pycountry.countries)
ISO_REGIONS: Final = frozenset(one.code.lower() for one in pycountry.subdivisions)
POSTAL_SERVICE: Final = frozenset({"us", "pr", "gu", "vi", "as", "mp"})
COUNTRIES: Final = ("", "us", "ca", "de", "gb", "jp", "pr")


class Stand(NamedTuple):
    """A kind of values of some keys that may come out otherwise, and the row of the page that stands for it."""

    keys: Sequence[str]
    row: tuple[str, str]
    applies: Callable[[str, str], bool]


def _plain(raw: str) -> str:
    return raw.strip().lower()


def _has(pattern: str) -> Callable[[str, str], bool]:
    """Return whether something in the trimmed value in lower case is like this."""
    found = re.compile(pattern).search
    return lambda raw, _: found(_plain(raw)) is not None


def _hidden(raw: str, _: str) -> bool:
    """Whether there is something that nobody sees, or a letter that is not composed, if only in lower case."""
    unseen = any(category(char) in ("Cf", "Cs") or "\ufe00" <= char <= "\ufe0f" for char in raw)
    return unseen or not is_normalized("NFC", raw) or not is_normalized("NFC", _plain(raw))


def _no_address(raw: str, _: str) -> bool:
    """Whether there is not one name and one domain of at least two parts."""
    parts = _plain(raw).split("@")
    return len(parts) != 2 or not parts[0] or "" in parts[1].split(".")


def _other_than(classes: str, signs: str) -> Callable[[str, str], bool]:
    """Return whether there is a character of another class and not among `signs`, or no letter or digit of them."""
    whole = re.compile(signs)

    def applies(raw: str, _: str) -> bool:
        kinds = [category(char)[0] for char in whole.sub("", _plain(raw))]
        return any(kind not in classes for kind in kinds) or not any(kind in classes and kind != "M" for kind in kinds)

    return applies


def _no_code(raw: str, country: str) -> bool:
    """Whether it is not the code of a state or a province where we want one."""
    return country in ("us", "ca") and f"{country}-{_plain(raw)}" not in ISO_REGIONS


def _no_zip(raw: str, country: str) -> bool:
    """Whether a code of the United States has not the five digits, alone or before a dash."""
    return country in POSTAL_SERVICE and re.fullmatch("[0-9]{5}(-[0-9]{4})?", "".join(raw.split())) is None


STANDS: Final = (
    Stand(KEYS, ("fn", "Zoe\u0308"), _hidden),
    Stand(KEYS, ("fn", "null"), lambda raw, _: _plain(raw) in NOTHING),
    Stand(KEYS, ("em", "d41d8cd98f00b204e9800998ecf8427e"), _has("^[0-9a-f]{32}$")),
    Stand(KEYS, ("em", OF_NOTHING), _has(f"^{OF_NOTHING}$")),
    Stand(KEYS, ("fn", f"{OF_JANE}.AQ"), _has(r"^[0-9a-f]{64}\.([0-9a-z_-]{2}|[0-9a-z_-]{8})$")),
    Stand(("em",), ("em", "foo @bar.com"), _has(r"[\s\x00-\x1f\x7f-\x9f]")),
    Stand(("em",), ("em", "a@b.com,c@d.com"), _has("[,;<>]")),
    Stand(("em",), ("em", "a@b@c.de"), _no_address),
    Stand(("ph",), ("ph", "(650)555-1212"), lambda raw, _: re.match(r"[\s(]*(\+|00)", raw) is None),
    Stand(("ph",), ("ph", "+49 170.123.4567"), _has(r"(?<!^)\+|[^0-9\s()+-]")),
    Stand(("ph",), ("ph", "+44 (0)20 7946 0958"), _has(r"^\D*0*[0-9]{1,3}\D*0")),
    Stand(("ph",), ("ph", "+49 170 1234567890123"), lambda raw, _: not 7 <= len(re.sub(r"^0*|\D", "", raw)) <= 15),
    Stand(("fn", "ln"), ("ln", "O'Brien"), _other_than("LMN", "")),
    Stand(("ct", "st"), ("ct", "Coeur d'Alene"), _other_than("LM", r"[0-9.\s\-()]")),
    Stand(("st",), ("st", "California"), _no_code),
    Stand(("zp",), ("zp", "SW1A.1AA"), _other_than("LMN", r"[\s\-]")),
    Stand(("zp",), ("zp", "100-0001"), lambda raw, country: "-" in raw and country not in POSTAL_SERVICE),
    Stand(("zp",), ("zp", "940251234"), _no_zip),
    Stand(("country",), ("country", "USA"), lambda raw, _: _plain(raw) not in ISO_CODES),
)


def _ours(key: str, raw: str, country: str) -> str | None:
    """Return the hash that we send."""
    value = [raw] if FIELDS[key] in ("emails", "phones") else raw
    found = identify({"customer": {FIELDS[key]: value}}, TABLES[key], country or None, TODAY).keys.get(key)
    return str(found[0]) if isinstance(found, list) else None


def _theirs(key: str, raw: str) -> str | None:
    """Return the hash that the SDK sends, or None where it sends nothing, or fails and takes the event with it."""
    try:
        found: str | None = Normalize.normalize_field(key, raw)
    except (TypeError, ValueError):
        return None
    return found


def _rows() -> list[tuple[str, str, str]]:
    """Return key, raw value and country of each row of the page."""
    lines = PAGE.read_text(encoding="utf-8").partition("## Differences from Meta's SDK")[2].splitlines()
    cells = [[cell.strip(" `") for cell in line.split("|")[1:4]] for line in lines if line.startswith("| `")]
    # A raw value of blanks only stands for itself.
    return [(key, raw or "   ", "" if country == "any" else country) for key, raw, country in cells]


def _stands(key: str, raw: str, country: str) -> list[tuple[str, str]]:
    return [stand.row for stand in STANDS if key in stand.keys and stand.applies(raw, country)]


PLAIN = (
    st.text("abcdefXYZéñßЖ東", min_size=1, max_size=12)
    | st.from_regex(r"[A-Za-z0-9._+-]{1,12}@[A-Za-z0-9-]{1,9}\.(com|De)", fullmatch=True)
    | st.from_regex(r"(\+|00)(1 ?\(?[2-9]|44[- ]?[1-9]|49 ?1|7|351 )[0-9]{2}\)?[ -]?[0-9]{6,7}", fullmatch=True)
    | st.from_regex("[0-9]{5}(-[0-9]{4})?|[A-Z]{1,2}[0-9] [0-9][A-Z]{2}", fullmatch=True)
    | st.sampled_from(sorted(ISO_CODES))
    | st.sampled_from("0123456789abcdef").map(lambda digit: digit.upper() * 64)
)
LIKELY_RAW = st.sampled_from([raw for field in FIELDS.values() for raw in LIKELY[field]])
AROUND = st.sampled_from(["", " ", "\t", "\n "])
RAW = st.builds("{}{}{}".format, AROUND, PLAIN | LIKELY_RAW | st.text(max_size=12), AROUND)


@pytest.mark.parametrize("key", KEYS)
@settings(max_examples=100, deadline=None)
@given(raw=RAW, country=st.sampled_from(COUNTRIES))
def test_only_listed_values_differ(key: str, raw: str, country: str) -> None:
    """A value that no row of the page stands for has the hash that the SDK gives it."""
    assert _stands(key, raw, country) or _ours(key, raw, country) == _theirs(key, raw)


@pytest.mark.parametrize("stand", STANDS, ids=lambda stand: "-".join(stand.row))
def test_stands_are_on_the_page(stand: Stand) -> None:
    """Each kind of values has its row on the page, applies to it, and its results do differ."""
    (country,) = [country for key, raw, country in _rows() if (key, raw) == stand.row]
    key, raw = stand.row

    assert stand.applies(raw, country)
    assert _ours(key, raw, country) != _theirs(key, raw)


@pytest.mark.parametrize("row", _rows(), ids="-".join)
def test_rows_are_of_a_kind(row: tuple[str, str, str]) -> None:
    """Each row of the page that changes a hash belongs to a kind of values; what the SDK fails on, we leave out."""
    key, raw, country = row

    assert _stands(key, raw, country) or _ours(key, raw, country) is _theirs(key, raw) is None


@given(day=st.dates(date(1900, 1, 1), TODAY))
def test_birth_dates_are_equal(day: date) -> None:
    """A day has the hash that the SDK gives to its eight digits."""
    table = MatchTable(tuple(key for key in META_KEYS if key.name == "db"))
    found = identify({"customer": {"birth_date": day}}, table, None, TODAY).keys["db"]

    assert [Normalize.normalize_field("db", f"{day:%Y%m%d}")] == found
